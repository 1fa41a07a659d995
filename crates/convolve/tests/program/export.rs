//! Networks as ONNX files.

use std::path::Path;

use formats::onnx::Model;
use formats::weights::{Precision, TensorFile};
use tensor::NpyFile;

use crate::fixture::{folder, npy};
use crate::invoke::{convolve, fail, objects, succeed};

/// A classifier whose batch, height and width are open; `imported/make.py` made it.
pub(crate) const OPEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/program/imported/open.onnx"
);

const TRAINED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../program/assets/classifier.safetensors"
);

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

/// Weights that came from elsewhere are written under their published names, and say from then on what they are.
#[test]
fn weights_are_handed_on_under_their_published_names() {
    let folder = folder();
    let path = folder.path();
    let own = TensorFile::open(Path::new(TRAINED)).unwrap();
    let model = own.metadata["model"].as_str();
    succeed(path, &["export", TRAINED, "trained.onnx", "-q"]);
    let mut bare = own.clone();
    bare.metadata.clear();
    bare.save(&path.join("bare.safetensors"), Precision::F32)
        .unwrap();
    for from in ["trained.onnx", "bare.safetensors", TRAINED] {
        let to = ["export", model, "w.safetensors", "--weights", from];
        let answer = convolve(path, &to);
        assert_eq!(answer.code, 0, "{from}: {}", answer.err);
        let written = TensorFile::open(&path.join("w.safetensors")).unwrap();
        assert_eq!(written.metadata["model"], model);
        assert_eq!(written.tensors.len(), own.tensors.len());
        for tensor in &own.tensors {
            assert_eq!(written.get(&tensor.name), Some(tensor), "{from}");
        }
    }
    let half = [
        "export",
        model,
        "half.safetensors",
        "--weights",
        TRAINED,
        "--half",
    ];
    succeed(path, &half);
    let size = |name: &str| path.join(name).metadata().unwrap().len();
    assert!(size("half.safetensors") < size("w.safetensors") * 2 / 3);
    let other = ["export", "lenet5", "x.safetensors", "--weights", TRAINED];
    fail(path, 1, &other, &["classifier.safetensors", "lenet5"]);
    let none = ["export", model, "x.safetensors"];
    fail(path, 2, &none, &["a network without weights; --weights"]);
    let twice = ["export", TRAINED, "x.safetensors", "--weights", TRAINED];
    fail(path, 2, &twice, &["has weights of its own"]);
    assert!(!path.join("x.safetensors").exists());
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
    let cases: [(&[&str], &str); 8] = [
        (
            &["lenet5", "x.onnx", "--opset", "12"],
            "--opset: operator set 12 is not written; 13 to 25 are",
        ),
        (
            &["lenet5", "x.onnx", "--half"],
            "--half is for .safetensors files",
        ),
        (
            &["lenet5", "x.safetensors", "--opset", "17"],
            "--opset is for .onnx files",
        ),
        (
            &["net.onnx", "x.safetensors"],
            "net.onnx: an ONNX model is exported to an .onnx file",
        ),
        (
            &["lenet5", "x.pt", "--weights", "w"],
            "x.pt: the name of a weights file ends in",
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

/// What nobody can train again must not go for a copy with less in it.
#[test]
fn what_is_exported_is_not_written_over() {
    let folder = folder();
    let path = folder.path();
    std::fs::create_dir(path.join("run")).unwrap();
    for file in ["own.safetensors", "run/best.safetensors"] {
        std::fs::copy(TRAINED, path.join(file)).unwrap();
    }
    std::fs::copy(OPEN, path.join("own.onnx")).unwrap();
    for (network, file) in [
        ("own.safetensors", "./own.safetensors"),
        ("run", "run/best.safetensors"),
        ("own.onnx", "run/../own.onnx"),
    ] {
        let before = std::fs::read(path.join(file)).unwrap();
        let words = [file, ": is what is exported; name another file to write"];
        fail(path, 2, &["export", network, file], &words);
        assert_eq!(std::fs::read(path.join(file)).unwrap(), before);
    }
}

#[test]
fn names_and_sizes_of_a_model_are_kept() {
    let folder = folder();
    let path = folder.path();
    std::fs::copy(OPEN, path.join("open.onnx")).unwrap();
    for verb in [
        &["export", "open.onnx", "x.onnx"][..],
        &["summary", "open.onnx"],
        &["bench", "open.onnx"],
    ] {
        let words = [
            "open.onnx: input `pixels`",
            "say how large it is with --input CxHxW",
        ];
        fail(path, 2, verb, &words);
    }
    let export = ["export", "open.onnx", "x.onnx", "--input", "3x20x24", "-q"];
    succeed(path, &export);
    assert_eq!(edges(&path.join("x.onnx")), ["pixels", "logits"]);
    npy(
        &path.join("x.npy"),
        &[2, 3, 20, 24],
        &[0.25; 2 * 3 * 20 * 24],
    );
    let (own, written) = (logits(path, "open.onnx"), logits(path, "x.onnx"));
    assert_eq!(own.len(), 4);
    for (own, written) in std::iter::zip(own, written) {
        assert!((own - written).abs() < 1e-5, "{own} {written}");
    }
}

#[test]
fn a_random_head_is_told_apart_from_a_random_network() {
    let folder = folder();
    let export = ["export", "resnet20", "x.onnx", "--num-classes", "3"];
    let weights = ["--weights", TRAINED];
    let random = convolve(folder.path(), &export);
    assert!(
        random.err.contains("; --weights takes others"),
        "{}",
        random.err
    );
    let model =
        objects(&succeed(folder.path(), &["summary", TRAINED, "--json"]))[0]["model"].clone();
    let mut export = export;
    export[1] = model.as_str().unwrap();
    let head = convolve(folder.path(), &[&export[..], &weights].concat());
    assert_eq!(head.code, 0, "{}", head.err);
    let words = "are random: 3 classes are asked for, and ";
    assert!(
        head.err.contains(words) && head.err.contains(" tells 10 apart"),
        "{}",
        head.err
    );
}

/// Names of the inputs and outputs of a model.
pub(crate) fn edges(file: &Path) -> Vec<String> {
    let model = Model::open(file).unwrap();
    let edges = model.inputs().iter().chain(model.outputs());
    edges.map(|edge| edge.name.clone()).collect()
}
