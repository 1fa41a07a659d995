//! `arith`, `rf`, `cost`, `compare`, and what `summary` tells besides the totals.

use serde_json::{Value, json};

use crate::fixture::folder;
use crate::invoke::{fail, objects, succeed};

#[track_caller]
fn answer(arguments: &[&str]) -> Value {
    let mut objects = objects(&succeed(folder().path(), arguments));
    assert_eq!(objects.len(), 1, "{arguments:?}");
    objects.remove(0)
}

fn layer<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let layers = answer["layers"].as_array().unwrap();
    layers.iter().find(|layer| layer["layer"] == name).unwrap()
}

#[test]
fn arithmetic_is_shown_with_its_numbers() {
    let folder = folder();
    let text = succeed(folder.path(), &["arith", "conv:n1c3h6w6:o8k3s2p1"]);
    for line in [
        "  1×3×6×6 → 1×8×3×3",
        "    output: ⌊(n + p + p − ke) / s⌋ + 1 = ⌊(6 + 1 + 1 − 3) / 2⌋ + 1 = 3",
        "    the stride leaves 1 behind the last window, all of it padding",
        "  width: as height",
        "  216 weights, 1 944 multiply-accumulates",
        "  receptive field: 3, jump 2, start -1, centre 0",
        "  its transposed: conv-transposed:n1c8h3w3:o3k3s2p1a1",
    ] {
        assert!(
            text.lines().any(|shown| shown == line),
            "no '{line}' in\n{text}"
        );
    }
    let same = answer(&["arith", "conv:n1c3h224w224:o64k7s2psame", "--json"]);
    assert_eq!(same["axes"][0]["padding"], json!([2, 3]));
    assert_eq!(same["axes"][0]["transposed"]["a"], 0);
    let gaps = succeed(folder.path(), &["arith", "conv:n1c1w11:o1k2s4"]);
    assert!(
        gaps.contains("never read: 5 elements, 2–3, 6–7, 10"),
        "{gaps}"
    );
    let upsampled = answer(&["arith", "conv-transposed:n1c1w3:o1k2s3", "--json"]);
    assert_eq!(upsampled["output"], json!([1, 1, 8]));
    assert_eq!(upsampled["axes"][0]["never_read"], 2);
    assert_eq!(upsampled["partner"], "conv:n1c1w8:o1k2s3");
}

#[test]
fn a_stack_sees_as_far_as_all_its_windows() {
    let arguments = [
        "arith",
        "conv:n1c3h9w9:o8k3",
        "conv:n1c8h7w7:o8k3d2",
        "--json",
    ];
    let stack = objects(&succeed(folder().path(), &arguments));
    assert_eq!(stack.len(), 3);
    assert_eq!(stack[2]["fields"][0]["size"], 7);
    let broken = ["arith", "conv:n1c3h9w9:o8k3", "conv:n1c8h8w8:o8k3"];
    fail(
        folder().path(),
        2,
        &broken,
        &["problem 2 reads [1, 8, 8, 8]"],
    );
    fail(
        folder().path(),
        2,
        &["arith", "conv:n1c3h2w2:o8k3"],
        &["kernel larger than padded input"],
    );
    fail(folder().path(), 2, &["arith", "conv:n1c3"], &["position"]);
    // A window placed once may have any stride; its jump is too large a number.
    let far = "conv:n1c1w8:o1k8s18446744073709551615";
    fail(folder().path(), 2, &["arith", far], &[far, "overflows"]);
    fail(folder().path(), 2, &["arith"], &["PROBLEM"]);
    // More windows apart than anyone could list: the sizes are told all the same.
    let wide = succeed(folder().path(), &["arith", "conv:n1c1w1000000000:o1k1s2"]);
    assert!(wide.contains("never read: not listed"), "{wide}");
}

#[test]
fn receptive_fields_of_a_network() {
    let fields = answer(&["rf", "resnet18", "--json"]);
    let last = layer(&fields, "layer4.1.conv2");
    assert_eq!(last["axes"][0]["longest"]["size"], 435);
    assert_eq!(last["axes"][1]["longest"]["jump"], 32);
    assert_eq!(last["axes"][0]["aligned"], true);
    assert_eq!(
        layer(&fields, "fc")["axes"][0],
        json!({
            "global": true, "longest": null, "shortest": null, "aligned": null,
        })
    );
    assert_eq!(fields["misaligned"], json!([]));
    let text = succeed(folder().path(), &["rf", "resnet18"]);
    assert!(
        text.contains("sees 435 in steps of 32, padding 217"),
        "{text}"
    );
}

#[test]
fn pixels_of_a_neuron() {
    let folder = folder();
    let corner = ["rf", "resnet18", "--at", "conv1[0,1]", "--input", "3x32x32"];
    let text = succeed(folder.path(), &corner);
    assert_eq!(
        text,
        "conv1[0,1] of 16×16 sees 24 of the 1 024 pixels of 32×32; its field is 7\n\
         rows 0–3: columns 0–5\n"
    );
    let middle = answer(&["rf", "alexnet", "--at", "features.0", "--json"]);
    assert_eq!(middle["at"], json!([27, 27]));
    assert_eq!(middle["boxes"], json!([[[106, 117], [106, 117]]]));
    assert_eq!(middle["pixels"], 121);

    let refused: [(&str, &[&str]); 4] = [
        (
            "layer1.0.con1",
            &["no layer 'layer1.0.con1'", "did you mean layer1.0.conv1"],
        ),
        ("conv1[112,0]", &["[112, 0]", "[112, 112]"]),
        ("conv1[0]", &["[0]", "[112, 112]"]),
        ("conv1[a,b]", &["conv1[3,4]"]),
    ];
    for (at, words) in refused {
        fail(folder.path(), 2, &["rf", "resnet18", "--at", at], words);
    }
    fail(
        folder.path(),
        2,
        &["rf", "resnet19"],
        &["did you mean resnet18"],
    );
}

#[test]
fn kinds_of_convolution_side_by_side() {
    let folder = folder();
    let cost = [
        "cost",
        "--channels-in",
        "256",
        "--channels-out",
        "256",
        "--kernel",
        "3",
        "--size",
        "14",
    ];
    let text = succeed(folder.path(), &cost);
    assert!(
        text.contains("separable: 256·3² + 256·256 = 67 840"),
        "{text}"
    );
    let kinds = objects(&succeed(folder.path(), &[&cost[..], &["--json"]].concat()));
    let separable = kinds
        .iter()
        .find(|kind| kind["kind"] == "separable")
        .unwrap();
    assert_eq!(separable["ratio"], json!([265, 2304]));
    assert_eq!(separable["stages"][0], "conv:n1c256h14w14:o256k3psameg256");
    let odd = ["cost", "--channels-in", "3", "--channels-out", "64"];
    let text = succeed(folder.path(), &odd);
    assert!(
        text.contains("grouped: 3 input channels do not divide into 2 groups"),
        "{text}"
    );
    fail(
        folder.path(),
        2,
        &["cost", "--channels-in", "0", "--channels-out", "4"],
        &["input channels"],
    );
    fail(
        folder.path(),
        2,
        &["cost", "--channels-in", "4"],
        &["--channels-out"],
    );
}

#[test]
fn two_networks_side_by_side() {
    let both = answer(&["compare", "resnet18", "mobilenet_v2", "--json"]);
    let models = both["models"].as_array().unwrap();
    assert_eq!(models[0]["parameters"], 11_689_512);
    assert_eq!(
        (&models[0]["field"], &models[1]["field"]),
        (&json!("435"), &json!("491"))
    );
    assert_eq!(models[0].get("median_ms"), None);
    let text = succeed(
        folder().path(),
        &["compare", "lenet5", "resnet20", "--time", "-j1"],
    );
    assert!(
        text.contains("ms for one image") && text.contains("% of peak"),
        "{text}"
    );
    fail(folder().path(), 2, &["compare", "lenet5"], &["MODEL"]);
}

#[test]
fn summaries_tell_fields_and_traffic() {
    let summary = answer(&["summary", "resnet18", "--json"]);
    let conv = layer(&summary, "conv1");
    // The image, the weights and the map, four bytes each.
    let bytes = 4 * (3 * 224 * 224 + 9408 + 64 * 112 * 112);
    assert_eq!(conv["bytes"], bytes);
    let intensity = conv["intensity"].as_f64().unwrap();
    assert!((intensity - 2.0 * 118_013_952.0 / f64::from(bytes)).abs() < 1e-3);
    assert_eq!(conv["fields"][0]["longest"]["size"], 7);
    // The first convolution makes the largest map, and reads the image.
    let peak = summary["peak_activation_bytes"].as_u64().unwrap();
    assert_eq!(peak, 2 * 4 * 64 * 112 * 112);
    for model in [
        "resnet50",
        "inception_resnet_v2",
        "densenet121",
        "googlenet",
        "unet",
    ] {
        let text = succeed(folder().path(), &["summary", model]);
        let table = text.lines().take_while(|line| !line.is_empty());
        let fits = |line: &str| {
            line.trim_end_matches("training only")
                .trim_end()
                .chars()
                .count()
                <= 100
        };
        assert!(table.clone().all(fits), "{model}:\n{text}");
    }
}

#[test]
fn summaries_as_lines_separated_by_commas() {
    let text = succeed(
        folder().path(),
        &["summary", "lenet5", "--csv", "--count-like", "torch"],
    );
    let lines: Vec<_> = text.lines().collect();
    let heading = "layer,op,kernel,output,parameters,macs,bytes,intensity,field,jump,start,centre,auxiliary,torch";
    assert_eq!(lines[0], heading);
    let columns = heading.split(',').count();
    assert!(
        lines.iter().all(|line| line.split(',').count() == columns),
        "{text}"
    );
    let torch = lines[1..]
        .iter()
        .filter_map(|line| line.rsplit(',').next()?.parse::<u64>().ok());
    let macs = lines[1..]
        .iter()
        .filter_map(|line| line.split(',').nth(5)?.parse::<u64>().ok());
    assert_eq!(torch.sum::<u64>(), 2 * macs.sum::<u64>());
    let both = ["summary", "lenet5", "--csv", "--json"];
    fail(folder().path(), 2, &both, &["--csv", "--json"]);
    fail(
        folder().path(),
        2,
        &["summary", "lenet5", "--count-like", "thop"],
        &["ptflops"],
    );
}

#[test]
fn layers_are_measured() {
    let summary = answer(&["summary", "resnet20", "--time", "--json", "-j1"]);
    let total = summary["median_ms"].as_f64().unwrap();
    let layers = summary["layers"].as_array().unwrap();
    let times: Vec<f64> = layers
        .iter()
        .filter_map(|layer| layer["median_ms"].as_f64())
        .collect();
    let sum = times.iter().sum::<f64>() + summary["edges_ms"].as_f64().unwrap();
    assert!((sum / total - 1.0).abs() < 1e-3, "{sum} {total}");
    for layer in layers.iter().filter(|layer| layer["op"] == "conv") {
        assert!(layer["median_ms"].as_f64() > Some(0.0), "{layer}");
        assert!(layer["of_peak"].as_f64() > Some(0.0), "{layer}");
    }
    let text = succeed(folder().path(), &["summary", "resnet20", "--time", "-j1"]);
    assert!(
        text.contains("of peak") && text.contains("into and out of the network"),
        "{text}"
    );
}
