//! Networks as ONNX files.

use std::path::Path;

use tensor::NpyFile;

use crate::fixture::{folder, npy};
use crate::invoke::{convolve, fail, objects, succeed};

const TRAINED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/classifier.safetensors");

/// What a network makes of the images of a folder.
fn logits(folder: &Path, network: &str) -> Vec<f32> {
    let arguments = ["run", network, "--input", "x.npy", "--output", "out", "-q"];
    succeed(folder, &arguments);
    let bytes = NpyFile::open(&folder.join("out/0.npy"))
        .unwrap()
        .read_bytes(4)
        .unwrap();
    let numbers = bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    numbers.collect()
}

#[test]
fn a_trained_network_computes_the_same_as_an_onnx_file() {
    let folder = folder();
    let path = folder.path();
    let shape = [2, 3, 32, 32];
    let pixels = (0..shape.iter().product()).map(|at: usize| (at * 37 % 101) as f32 / 50.0 - 1.0);
    npy(&path.join("x.npy"), &shape, &pixels.collect::<Vec<_>>());
    let answer = convolve(path, &["export", TRAINED, "trained.onnx"]);
    let next = "next: convolve run trained.onnx --input X.npy --output DIR\n";
    assert_eq!((answer.code, answer.err.as_str()), (0, next));
    // Written anew in another operator set.
    succeed(
        path,
        &[
            "export",
            "trained.onnx",
            "again.onnx",
            "--opset",
            "21",
            "-q",
        ],
    );
    let expected = logits(path, TRAINED);
    for file in ["trained.onnx", "again.onnx"] {
        let found = logits(path, file);
        assert_eq!(found.len(), 20);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= 1e-4,
                "{file}: {found} {expected}"
            );
        }
    }
}

#[test]
fn a_network_without_weights_is_written_with_a_warning() {
    let folder = folder();
    let path = folder.path();
    let answer = convolve(
        path,
        &["export", "lenet5", "lenet5.onnx", "--num-classes", "3"],
    );
    assert_eq!(answer.code, 0);
    assert!(
        answer
            .err
            .starts_with("warning: the weights of lenet5 are random"),
        "{}",
        answer.err
    );
    let summary = succeed(path, &["summary", "lenet5.onnx", "--json"]);
    assert!(objects(&summary)[0]["parameters"].as_u64().unwrap() > 10_000);
}

#[test]
fn settings_that_do_not_go_with_a_file_are_refused() {
    let folder = folder();
    let path = folder.path();
    let cases: [(&[&str], &str); 6] = [
        (
            &["lenet5", "x.onnx", "--opset", "12"],
            "operator set 12 is not written; 13 to 25 are",
        ),
        (
            &["lenet5", "x.onnx", "--half"],
            "--half is for .safetensors files",
        ),
        (
            &["lenet5", "x.safetensors", "--opset", "17"],
            "--opset is for .onnx files",
        ),
        (&["lenot5", "x.onnx"], "no model is called 'lenot5'"),
        (&["none.onnx", "x.onnx"], "none.onnx"),
        (
            &[TRAINED, "x.onnx", "--weights", "w"],
            "--weights goes with a network",
        ),
    ];
    for (arguments, words) in cases {
        fail(path, 2, &[&["export"][..], arguments].concat(), &[words]);
    }
    assert!(!path.join("x.onnx").exists());
}
