//! An ONNX file from the outside: trained further, measured, asked, handed on.

use crate::export::{OPEN, edges};
use crate::fixture::{bmp, cifar, folder};
use crate::invoke::{convolve, fail, objects, succeed};

/// What PyTorch exports in training mode: five classes, images of 12×12, a batch of 1.
const NETWORK: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../train/tests/imported/training.onnx"
);

#[test]
fn a_file_is_trained_and_its_run_is_used() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 60);
    bmp(&path.join("picture.bmp"), 20, [40, 90, 200]);
    std::fs::copy(NETWORK, path.join("net.onnx")).unwrap();
    let arguments = "train --data records.bin --val-fraction 0.2 --model net.onnx --epochs 2 \
                     --batch-size 16 --threads 1";
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let answer = convolve(path, &arguments);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.err.contains("net.onnx on "), "{}", answer.err);
    assert!(
        answer.err.contains("; the head starts anew\n"),
        "{}",
        answer.err
    );
    std::fs::remove_file(path.join("net.onnx")).unwrap();

    let run = "runs/net-records-1";
    let finished = convolve(path, &["train", "--resume", run]);
    assert!(
        finished
            .err
            .contains("finished: all of its 2 epochs are done"),
        "{}",
        finished.err
    );
    let [measured] = &objects(&succeed(path, &["eval", run, "--json"]))[..] else {
        panic!("one object")
    };
    assert_eq!(measured["pictures"], 12);
    let summary = succeed(path, &["summary", run]);
    assert!(
        summary.contains("nothing missing and nothing left over"),
        "{summary}"
    );
    let own = succeed(path, &["predict", run, "picture.bmp", "--json"]);

    // By itself its weights say nothing; as a model they say it all.
    let words = ["net.onnx", "export it to an .onnx file"];
    fail(path, 2, &["export", run, "x.safetensors"], &words);
    succeed(path, &["export", run, "x.onnx", "-q"]);
    let handed_on = succeed(path, &["predict", "x.onnx", "picture.bmp", "--json"]);
    let top = |text: &str| objects(text)[0]["top"].clone();
    for (one, other) in std::iter::zip(
        top(&own).as_array().unwrap(),
        top(&handed_on).as_array().unwrap(),
    ) {
        assert_eq!(one["label"], other["label"]);
        let [one, other] = [one, other].map(|guess| guess["probability"].as_f64().unwrap());
        assert!((one - other).abs() < 1e-5, "{one} {other}");
    }
    let again = objects(&succeed(
        path,
        &["eval", "x.onnx", "--data", "records.bin", "--json"],
    ));
    assert_eq!(again[0]["pictures"], 60);
}

#[test]
fn files_that_cannot_be_trained_are_refused_in_a_line() {
    let folder = folder();
    let path = folder.path();
    let train = |model| ["train", "--data", "shapes", "--model", model];
    fail(
        path,
        2,
        &train("none.onnx"),
        &["none.onnx: no such file or folder"],
    );
    std::fs::write(path.join("x.onnx"), "weights").unwrap();
    fail(
        path,
        1,
        &train("x.onnx"),
        &["x.onnx: not a whole ONNX file"],
    );
    assert!(!path.join("runs").exists());
}

#[test]
fn a_run_keeps_the_names_of_its_model() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 20);
    std::fs::copy(OPEN, path.join("open.onnx")).unwrap();
    let arguments =
        "train --data records.bin --model open.onnx --epochs 1 -b 8 --threads 1 -o run -q";
    succeed(path, &arguments.split_whitespace().collect::<Vec<_>>());
    succeed(path, &["export", "run", "x.onnx", "-q"]);
    assert_eq!(edges(&path.join("x.onnx")), ["pixels", "logits"]);

    let fixed = [
        "train",
        "--data",
        "records.bin",
        "--model",
        NETWORK,
        "--img-size",
        "20",
    ];
    fail(path, 2, &fixed, &["--img-size: ", "training.onnx", "20"]);
}
