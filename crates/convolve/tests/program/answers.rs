//! What networks from elsewhere are taken to say, by what they end in and what they read.

use std::path::Path;

use geometry::ConvDesc;
use graph::{GraphError, NetworkBuilder, ValueId};
use serde_json::Value;

use crate::fixture::{folder, names, onnx, textured};
use crate::invoke::{convolve, fail, objects, succeed};

/// How a network ends.
#[derive(Clone, Copy)]
enum End {
    Logits,
    Softmax,
    Sigmoid,
}

/// Writes `NAME.onnx`, which reads pictures of 3×12×12, and a picture `a.bmp`.
fn network(folder: &Path, name: &str, classes: usize, end: End) -> String {
    textured(&folder.join("a.bmp"), 16);
    let file = format!("{name}.onnx");
    onnx(&folder.join(&file), &[1, 3, 12, 12], |network, x| {
        let x = network.conv("conv1", x, ConvDesc::new(6, 3).stride(2), true)?;
        let x = network.relu(x)?;
        let x = network.flatten(x)?;
        let x = network.linear("fc", x, classes)?;
        Ok(vec![match end {
            End::Logits => x,
            End::Softmax => network.softmax_along(x, 1)?,
            End::Sigmoid => network.sigmoid(x)?,
        }])
    });
    file
}

/// Labels, probabilities and logits of `predict`, in the order of the classes.
fn predicted(folder: &Path, file: &str) -> (String, Vec<(String, f64, f64)>) {
    let arguments = ["predict", file, "a.bmp", "--json", "--top", "9", "-q"];
    let answer = objects(&succeed(folder, &arguments)).remove(0);
    let number = |guess: &Value, key: &str| guess[key].as_f64().unwrap();
    let guesses = answer["top"].as_array().unwrap().iter().map(|guess| {
        (
            guess["label"].as_str().unwrap().to_owned(),
            number(guess, "probability"),
            number(guess, "logit"),
        )
    });
    let mut guesses: Vec<_> = guesses.collect();
    assert!(guesses.is_sorted_by(|a, b| a.1 >= b.1), "{guesses:?}");
    guesses.sort_by(|a, b| a.0.cmp(&b.0));
    (answer["activation"].as_str().unwrap().to_owned(), guesses)
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

#[test]
fn probabilities_are_those_that_a_network_ends_in() {
    let folder = folder();
    let path = folder.path();
    let plain = network(path, "plain", 4, End::Logits);
    let softmax = network(path, "softmax", 4, End::Softmax);
    let several = network(path, "several", 4, End::Sigmoid);

    let (activation, logits) = predicted(path, &plain);
    assert_eq!(activation, "softmax");
    let sum: f64 = logits.iter().map(|(_, _, logit)| logit.exp()).sum();
    // A softmax at the end is not made a second time.
    for file in [&plain, &softmax] {
        for ((_, found, _), (_, _, logit)) in predicted(path, file).1.iter().zip(&logits) {
            assert!((found - logit.exp() / sum).abs() < 1e-6, "{file}: {found}");
        }
    }
    // Nor is one put on sigmoids: classes have probabilities of their own.
    let (activation, own) = predicted(path, &several);
    assert_eq!(activation, "sigmoid");
    for ((_, found, kept), (_, _, logit)) in own.iter().zip(&logits) {
        assert!((found - sigmoid(*logit)).abs() < 1e-6, "{found} of {logit}");
        assert!((kept - logit).abs() < 1e-6, "{kept} of {logit}");
    }
    let said = convolve(path, &["predict", &several, "a.bmp"]).err;
    assert_eq!(
        said,
        "answered by several.onnx: a sigmoid of each class by itself\n"
    );

    // `explain` says the same, and goes back from the same logits.
    let explain = |file: &str| {
        let methods = "saliency,occlusion";
        let arguments = [
            "explain",
            file,
            "a.bmp",
            "--class",
            "2",
            "--methods",
            methods,
            "--json",
        ];
        objects(&succeed(path, &arguments)).remove(0)
    };
    let [of_plain, of_several] = [&plain, &several].map(|file| explain(file));
    assert_eq!(
        of_plain["shown"]["saliency"],
        of_several["shown"]["saliency"]
    );
    for (answer, expected, activation) in [
        (&of_plain, logits[2].1, "softmax"),
        (&of_several, own[2].1, "sigmoid"),
    ] {
        assert_eq!(answer["activation"], activation);
        let whole = &answer["shown"]["occlusion"]["whole"];
        for found in [&answer["explained"]["probability"], whole] {
            assert!((found.as_f64().unwrap() - expected).abs() < 1e-6, "{found}");
        }
    }
}

#[test]
fn a_single_logit_is_shown_with_its_sigmoid() {
    let folder = folder();
    let path = folder.path();
    for end in [End::Logits, End::Sigmoid] {
        let file = network(path, "one", 1, end);
        let (activation, found) = predicted(path, &file);
        let [(label, probability, logit)] = &found[..] else {
            panic!("one class")
        };
        assert_eq!(
            (activation.as_str(), label.as_str()),
            ("sigmoid", "class 0")
        );
        assert!(*logit != 0.0 && (probability - sigmoid(*logit)).abs() < 1e-6);
        let answer = convolve(path, &["predict", &file, "a.bmp"]);
        let line = format!(
            "a.bmp: class 0 {:.1} % (logit {})\n",
            100.0 * probability,
            *logit as f32
        );
        assert_eq!(answer.out, line);
        let how = "answered by one.onnx: the sigmoid of its only logit\n";
        assert_eq!(answer.err, how);
        let arguments = [
            "explain",
            &file,
            "a.bmp",
            "--methods",
            "saliency",
            "-o",
            "x.svg",
        ];
        let text = succeed(path, &arguments);
        assert!(
            text.starts_with(&format!("a.bmp: class 0 {:.1} %\n", 100.0 * probability)),
            "{text}"
        );
        let board = std::fs::read_to_string(path.join("x.svg")).unwrap();
        assert!(board.contains("The sigmoid of the only logit"));
    }
}

/// A network whose input is no picture.
fn of_arrays(network: &mut NetworkBuilder, x: ValueId) -> Result<Vec<ValueId>, GraphError> {
    let x = network.conv("conv1", x, ConvDesc::new(4, 3), true)?;
    let x = network.flatten(x)?;
    Ok(vec![network.linear("fc", x, 5)?])
}

#[test]
fn inputs_that_are_no_pictures_are_named_with_what_can_be_done() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), 16);
    let inputs: [(&[usize], &str); 5] = [
        (&[1, 2, 8, 8], "[N, 2, 8, 8]"),
        (&[1, 4, 8, 8], "[N, 4, 8, 8]"),
        (&[1, 12, 8, 8], "[N, 12, 8, 8]"),
        (&[1, 3, 40], "[N, 3, 40]"),
        (&[1, 3, 6, 8, 8], "[N, 3, 6, 8, 8]"),
    ];
    for (input, shown) in inputs {
        onnx(&path.join("net.onnx"), input, of_arrays);
        let words = [
            "net.onnx: input ",
            shown,
            "pictures are [n, 1 or 3, height, width]",
            "`convolve run` takes arrays in .npy files",
        ];
        for arguments in [
            &["predict", "net.onnx", "a.bmp"][..],
            &["explain", "net.onnx", "a.bmp", "-o", "x.svg"],
            &[
                "draw", "net.onnx", "a.bmp", "--layer", "conv1", "-o", "x.svg",
            ],
            &["doctor", "net.onnx", "--data", "shapes"],
            &["eval", "net.onnx", "--data", "shapes"],
            &["train", "--model", "net.onnx", "--data", "shapes"],
        ] {
            fail(path, 1, arguments, &words);
        }
        // What can be done is done.
        let numbers = vec![0.5; input.iter().product()];
        crate::fixture::npy(&path.join("x.npy"), input, &numbers);
        let run = [
            "run", "net.onnx", "--input", "x.npy", "--output", "out", "-q",
        ];
        succeed(path, &run);
    }
    assert_eq!(names(path), ["a.bmp", "net.onnx", "out", "x.npy"]);
}

#[test]
fn several_outputs_are_counted_with_what_can_be_done() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), 16);
    onnx(&path.join("two.onnx"), &[1, 3, 8, 8], |network, x| {
        let x = network.conv("conv1", x, ConvDesc::new(4, 3), true)?;
        let x = network.flatten(x)?;
        Ok(vec![network.linear("a", x, 5)?, network.linear("b", x, 2)?])
    });
    let words = [
        "two.onnx: is no classifier of pictures: it has 2 outputs, [1, 5], [1, 2]",
        "`convolve run`",
    ];
    for arguments in [
        &["predict", "two.onnx", "a.bmp"][..],
        &["explain", "two.onnx", "a.bmp", "-o", "x.svg"],
        &[
            "draw", "two.onnx", "a.bmp", "--layer", "conv1", "-o", "x.svg",
        ],
        &["eval", "two.onnx", "--data", "shapes"],
    ] {
        fail(path, 1, arguments, &words);
    }
    // What asks no answers takes it as it is.
    for arguments in [
        &["doctor", "two.onnx"][..],
        &["rf", "two.onnx", "--at", "conv1"],
        &["draw", "two.onnx", "-o", "two.svg"],
    ] {
        succeed(path, arguments);
    }
    assert_eq!(names(path), ["a.bmp", "two.onnx", "two.svg"]);
}

#[test]
fn a_network_without_maps_is_explained_by_its_pixels() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), 16);
    onnx(&path.join("mlp.onnx"), &[1, 3, 8, 8], |network, x| {
        let x = network.flatten(x)?;
        let x = network.linear("fc1", x, 16)?;
        let x = network.relu(x)?;
        Ok(vec![network.linear("fc2", x, 3)?])
    });
    let arguments = ["explain", "mlp.onnx", "a.bmp", "-o", "x.svg", "--json"];
    let answer = convolve(path, &arguments);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let found = &objects(&answer.out)[0];
    let reason = "has no layer whose maps have more than one place";
    for method in ["occlusion", "saliency", "guided"] {
        let map = found["shown"][method]["values"].as_array().unwrap();
        assert_eq!(map.len(), 8, "{method}");
    }
    let left_out: Vec<&str> = found["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left_out| {
            assert!(left_out["reason"].as_str().unwrap().ends_with(reason));
            left_out["method"].as_str().unwrap()
        })
        .collect();
    assert_eq!(left_out, ["grad-cam", "deconvnet", "maps"]);
    assert!(found["layer"].is_null() && found["channel"].is_null());
    let sentence = "Left out (grad-cam, deconvnet, maps): ";
    assert!(
        answer.err.starts_with(sentence) && answer.err.contains(reason),
        "{}",
        answer.err
    );
    let told: Vec<&str> = answer.err.lines().skip(1).collect();
    assert_eq!(told, ["wrote x.svg"]);
    let board = std::fs::read_to_string(path.join("x.svg")).unwrap();
    assert!(board.contains(sentence));
    // Deletion and randomisation go with the maps that there are.
    let all = [
        "explain",
        "mlp.onnx",
        "a.bmp",
        "--methods",
        "all",
        "--json",
        "-q",
    ];
    let found = objects(&succeed(path, &all)).remove(0);
    assert!(found["shown"]["saliency"]["deletion"]["area"].is_number());
    // Without pictures to look in, patches are left out, and not silently.
    let left_out = found["left_out"].as_array().unwrap();
    let patches = left_out.iter().rfind(|of| of["method"] == "patches");
    assert!(
        patches.unwrap()["reason"]
            .as_str()
            .unwrap()
            .contains("--data")
    );

    for (arguments, words) in [
        (&["--methods", "saliency,field"][..], "--methods field: "),
        (&["--channel", "0"], "no layer whose maps"),
    ] {
        let arguments = [&["explain", "mlp.onnx", "a.bmp", "-o", "y.svg"], arguments].concat();
        fail(path, 2, &arguments, &[words, reason]);
    }
    assert_eq!(names(path), ["a.bmp", "mlp.onnx", "x.svg"]);
}

#[test]
fn what_reads_bytes_or_makes_no_row_is_told_so() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), 16);
    let imported = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/imported");
    for (file, words) in [
        (
            "bytes.onnx",
            "bytes.onnx: `bytes` holds uint8, and pictures are read as floating-point numbers",
        ),
        (
            "single.onnx",
            "single.onnx: is no classifier of pictures: it makes [1] of [1, 3, 8, 8], not a row of logits for each \
             picture, [n, classes], for a single logit [n, 1]",
        ),
    ] {
        std::fs::copy(imported.join(file), path.join(file)).unwrap();
        fail(path, 1, &["predict", file, "a.bmp"], &[words]);
        fail(
            path,
            1,
            &["explain", file, "a.bmp", "-o", "x.svg"],
            &[words],
        );
    }
}
