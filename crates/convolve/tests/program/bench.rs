//! `bench`: what its numbers mean, not how large they are.

use serde_json::Value;

use crate::fixture::folder;
use crate::invoke::{fail, objects, succeed};

/// GFLOP/s are two operations for every multiply-accumulate, by the median time.
#[track_caller]
fn check(answer: &Value, macs: u64) {
    let number = |key: &str| answer[key].as_f64().unwrap();
    assert!(number("min_ms") > 0.0 && number("min_ms") <= number("median_ms"));
    let expected = 2.0 * macs as f64 / number("median_ms") / 1e6;
    // Both are rounded to six digits, each by half a unit of the last one at most.
    assert!(
        (number("gflops") / expected - 1.0).abs() < 1.01e-5,
        "{answer}"
    );
    for key in ["median_ms", "min_ms", "gflops"] {
        assert!(digits(&answer[key]) <= 6, "{answer}");
    }
    assert!(answer["runs"].as_u64().unwrap() >= 3);
}

/// Digits of a number as it is written, without the zeros in front of them.
fn digits(number: &Value) -> usize {
    let text = number.to_string();
    let mantissa = text.split('e').next().unwrap();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len()
}

#[test]
fn every_problem_has_a_line() {
    let folder = folder();
    let problems = ["conv:n1c8h10w10:o16k3p1", "conv:n2c8h9w9:o8k3x3s2p1x1d1g8"];
    for direction in ["forward", "backward-data", "backward-weights"] {
        let arguments = ["bench", "--problem", problems[0], "--problem", problems[1]];
        let how = [
            "--direction",
            direction,
            "--threads",
            "2",
            "--seconds",
            "0",
            "--json",
        ];
        let answers = objects(&succeed(folder.path(), &[&arguments[..], &how].concat()));
        // Output elements × channels of the group × taps.
        let macs = [1600 * 8 * 9, 2 * 8 * 25 * 9];
        assert_eq!(answers.len(), 2);
        for ((answer, problem), macs) in answers.iter().zip(problems).zip(macs) {
            assert_eq!(answer["problem"], problem);
            assert_eq!(answer["direction"], direction);
            check(answer, macs);
        }
        assert_eq!(answers[1]["algorithm"], "depthwise");
    }
}

/// What `bench` says of one problem, as JSON and as a row of the table.
fn measured(problem: &str, direction: &str) -> (Value, String) {
    let folder = folder();
    let arguments = ["bench", "--problem", problem, "--direction", direction];
    let how = ["--threads", "1", "--seconds", "0"];
    let arguments = [&arguments[..], &how].concat();
    let table = succeed(folder.path(), &arguments);
    let json = succeed(folder.path(), &[&arguments[..], &["--json"]].concat());
    (
        objects(&json).remove(0),
        table.lines().nth(1).unwrap().to_owned(),
    )
}

#[test]
fn what_runs_has_a_name_and_what_multiplies_nothing_has_no_gflops() {
    for (problem, direction, runs) in [
        ("pool-max:n1c3h8w8:k2s2", "forward", "pool"),
        (
            "pool-adaptive-avg:n1c3h8w8:o3",
            "forward",
            "adaptive average pool",
        ),
        ("conv:n1c3h8w8:o4k3", "backward-bias", "channel sum"),
        (
            "conv-separable:n1c3h8w8:o4k3m1",
            "backward-bias",
            "channel sum",
        ),
    ] {
        let (json, row) = measured(problem, direction);
        assert_eq!(json["algorithm"], runs);
        assert!(json["gflops"].is_null(), "{json}");
        assert!(json["median_ms"].as_f64().unwrap() > 0.0, "{json}");
        // Problem, algorithm, median and minimum: nothing stands in the last column.
        let cells = row.split("  ").filter(|cell| !cell.is_empty());
        assert_eq!(cells.count(), 4, "{row}");
    }
}

#[test]
fn a_transposed_convolution_is_told_from_a_plain_one() {
    let direction = "backward-data";
    let (plain, _) = measured("conv:n1c20h8w8:o24k3s2", direction);
    let (transposed, _) = measured("conv-transposed:n1c20h8w8:o24k3s2", direction);
    let (padded, _) = measured("conv:n1c20h8w8:o24k3s2p1,reflect", direction);
    assert_eq!(plain["algorithm"], "direct");
    assert_eq!(transposed["algorithm"], "transposed: direct forward");
    let padded = padded["algorithm"].as_str().unwrap();
    assert!(padded.starts_with("direct backward-data + pad"), "{padded}");
}

#[test]
fn a_network_is_measured_forward_and_in_training() {
    let folder = folder();
    let bench = |more: &[&str]| {
        let arguments = [
            "bench",
            "lenet5",
            "--batch",
            "4",
            "--seconds",
            "0",
            "--threads",
            "1",
        ];
        let how = ["--precision", "f32", "--json"];
        objects(&succeed(
            folder.path(),
            &[&arguments[..], &how, more].concat(),
        ))
        .remove(0)
    };
    // LeNet-5 takes 416 520 products an image, the first layer 117 600 of them; the gradient of the
    // images is nobody's, so training takes three times all less that one.
    check(&bench(&[]), 4 * 416_520);
    check(&bench(&["--train"]), 4 * (3 * 416_520 - 117_600));
    check(&bench(&["--layout", "nchw"]), 4 * 416_520);
}

/// The profile of a network, as JSON and as text.
fn profiled(model: &str, more: &[&str]) -> (Value, String) {
    let folder = folder();
    let arguments = [
        "bench",
        model,
        "--profile",
        "--seconds",
        "0",
        "--threads",
        "1",
    ];
    let arguments = [&arguments[..], more].concat();
    let json = succeed(folder.path(), &[&arguments[..], &["--json"]].concat());
    let text = succeed(folder.path(), &arguments);
    (objects(&json).remove(0), text)
}

fn sum(rows: &Value, key: &str) -> f64 {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[key].as_f64().unwrap()).sum()
}

#[test]
fn a_profile_counts_what_the_summary_counts() {
    let folder = folder();
    let arguments = ["summary", "googlenet", "--input", "3x64x64", "--json"];
    let summary = &objects(&succeed(folder.path(), &arguments))[0];
    let macs = summary["macs"].as_f64().unwrap();
    let small = ["--input", "3x64x64", "--peak-gflops", "50"];
    let (json, text) = profiled("googlenet", &small);
    assert_eq!(json["peak_gflops"], 50.0);
    for list in ["profile", "by_operator", "by_kernel"] {
        assert_eq!(sum(&json[list], "macs"), macs, "{list}");
        let share = sum(&json[list], "share");
        assert!((share - 1.0).abs() < 1e-3, "{list}: {share}");
        assert_eq!(
            sum(&json[list], "bytes"),
            json["total"]["bytes"].as_f64().unwrap()
        );
    }
    let steps = json["profile"].as_array().unwrap();
    for step in steps.iter().filter(|step| step["macs"] != 0) {
        let [share, gflops] = ["peak_share", "gflops"].map(|key| step[key].as_f64().unwrap());
        assert!((share * 50.0 / gflops - 1.0).abs() < 1e-4, "{step}");
    }
    // The images come channels first.
    assert_eq!(steps[0]["kernel"], "reorder nchw to nhwc");
    let kinds = json["by_operator"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|kind| kind["op"].as_str().unwrap()).collect();
    assert!(
        kinds.contains(&"layout conversion") && kinds.contains(&"conv"),
        "{kinds:?}"
    );
    // The head that training has besides is not computed; weights are packed before.
    let once = json["once"].as_array().unwrap();
    assert!(once.iter().any(|step| step["kernel"] == "pack"));

    assert!(text.contains("why: better kernels were not taken"));
    assert!(text.contains("once, after weights changed: "));
    for line in text.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
    // Every step has a line under the heading.
    let table = text.lines().take_while(|line| !line.is_empty());
    assert_eq!(table.count(), 1 + steps.len());
}

#[test]
fn a_profile_of_training_has_a_row_for_each_direction() {
    let (json, _) = profiled("lenet5", &["--train", "--peak-gflops", "50"]);
    let steps = json["profile"].as_array().unwrap();
    let of = |layer: &str, op: &str| {
        let step = steps
            .iter()
            .find(|step| step["layer"] == layer && step["op"] == op && step["macs"] != 0);
        step.map(|step| step["macs"].as_u64().unwrap())
    };
    let first = steps.iter().find(|step| step["macs"] != 0).unwrap();
    let layer = first["layer"].as_str().unwrap();
    assert_eq!(of(layer, "conv"), Some(117_600));
    assert_eq!(of(layer, "conv backward-weights"), Some(117_600));
    assert_eq!(of(layer, "conv backward-data"), None);
    assert_eq!(sum(&json["profile"], "macs"), 3.0 * 416_520.0 - 117_600.0);
    let last = steps.last().unwrap();
    assert_eq!(
        (&last["op"], &last["kernel"]),
        (&"optimiser".into(), &"sgd".into())
    );
    assert!(json["once"].as_array().unwrap().is_empty());
}

#[test]
fn the_peak_is_a_number() {
    let text = succeed(
        folder().path(),
        &["bench", "--peak", "--seconds", "0", "--json"],
    );
    let peak = &objects(&text)[0];
    assert!(peak["gflops"].as_f64().unwrap() > 0.0);
}

#[test]
fn instructions_can_be_masked() {
    let folder = folder();
    let peak = ["bench", "--peak", "--seconds", "0", "--json"];
    let run = crate::invoke::command(folder.path(), &peak)
        .env("CONVOLVE_ISA", "portable")
        .output();
    let text = String::from_utf8(run.unwrap().stdout).unwrap();
    assert_eq!(objects(&text)[0]["peak"], "portable");
}

#[test]
fn what_cannot_be_measured_is_wrong_usage() {
    let folder = folder();
    let problem = "conv:n1c3h8w8:o4k3";
    let refused: [(&[&str], &str); 18] = [
        (&["bench"], "--problem"),
        (&["bench", "vgg99"], "no model is called 'vgg99'"),
        (&["bench", "nothing-alike"], "`convolve models` lists"),
        (
            &[
                "bench",
                "--problem",
                "conv-deformable:n1c4h8w8:o4k3",
                "--algorithm",
                "direct",
            ],
            "--algorithm direct is for plain, transposed and separable",
        ),
        (
            &["bench", "--problem", problem, "--direction=backward-mask"],
            "the problem has no --mask, only --input, --weight",
        ),
        (
            &["bench", "lenet5", "--precision", "bf16"],
            "f32 is the only precision yet",
        ),
        (&["bench", "lenet5", "--seconds", "-1"], "seconds"),
        (
            &["bench", "lenet5", "--profile", "--peak-gflops", "0"],
            "GFLOP/s above 0",
        ),
        (&["bench", "lenet5", "--peak-gflops", "9"], "--profile"),
        (&["bench", "--peak", "--train"], "--train"),
        (&["bench", "--peak", "--batch", "4"], "--batch"),
        (&["bench", "--problem", problem, "--batch", "4"], "--batch"),
        (
            &["bench", "--peak", "--direction", "forward"],
            "--direction",
        ),
        (
            &["bench", "lenet5", "--direction", "forward"],
            "--direction",
        ),
        (&["bench", "lenet5", "--algorithm", "direct"], "--algorithm"),
        (&["bench", "--peak", "--algorithm", "direct"], "--algorithm"),
        (
            &[
                "bench",
                "--problem",
                "conv:n1c3h8w8:o4k3",
                "--problem",
                "conv:x",
            ],
            "conv:x",
        ),
        (
            &["bench", "--problem", "pool-max:n1c3h8w8:k9"],
            "kernel larger than padded input",
        ),
    ];
    for (arguments, word) in refused {
        fail(folder.path(), 2, arguments, &[word]);
    }
}
