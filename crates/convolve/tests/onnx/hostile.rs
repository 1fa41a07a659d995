//! Models that cannot be run: the program ends with one line and the exit code of what went wrong.

use std::path::Path;
use std::process::Command;

use safetensors::SafeTensors;

use crate::cases::here;

/// Runs a model without inputs, which must fail: the exit code, and the one line.
fn refusal(verb: &str, model: &Path) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_convolve"));
    program.arg(verb).arg(model);
    if verb == "run" {
        program.arg("--output").arg(folder.path().join("out"));
    }
    let answer = program.output().unwrap();
    let line = String::from_utf8(answer.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.starts_with("error: "), "{line}");
    (answer.status.code(), line)
}

#[test]
fn nothing_there() {
    for verb in ["run", "summary", "bench"] {
        let (code, line) = refusal(verb, Path::new("nothing.onnx"));
        assert_eq!(code, Some(2), "{line}");
        assert!(line.contains("nothing.onnx"), "{line}");
    }
}

#[test]
fn half_a_model() {
    let bytes = std::fs::read(here().join("node.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let model = file.tensor("0.model").unwrap().data().to_vec();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.onnx");
    std::fs::write(&path, &model[..model.len() / 2]).unwrap();
    for verb in ["run", "summary", "bench"] {
        let (code, line) = refusal(verb, &path);
        assert_eq!(code, Some(1), "{line}");
        assert!(line.contains("half.onnx"), "{line}");
    }
}

#[test]
fn inputs_are_counted_and_named() {
    let bytes = std::fs::read(here().join("node.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.onnx");
    std::fs::write(&path, file.tensor("0.model").unwrap().data()).unwrap();
    let (code, line) = refusal("run", &path);
    assert_eq!(code, Some(2), "{line}");
    assert!(line.contains("0 inputs are given"), "{line}");
}
