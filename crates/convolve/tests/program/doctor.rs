//! `doctor`: of networks by name, of weights, and on pictures.

use std::path::Path;

use geometry::ConvDesc;
use serde_json::Value;

use crate::fixture::{cifar, folder, names, onnx};
use crate::invoke::{convolve, fail, objects, succeed};

/// The weights of the network inside the program, with one filter of the first layer set to zero if asked for.
fn weights(path: &Path, dead: Option<usize>) {
    let asset =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../program/assets/classifier.safetensors");
    let mut bytes = std::fs::read(asset).unwrap();
    if let Some(filter) = dead {
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        let tensor = &header["conv1.weight"];
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        let [start, end] = [0, 1].map(|place| number(&tensor["data_offsets"][place]));
        let filters = number(&tensor["shape"][0]);
        let size = (end - start) / filters;
        let start = 8 + length + start + filter * size;
        bytes[start..start + size].fill(0);
    }
    std::fs::write(path, bytes).unwrap();
}

#[track_caller]
fn diagnosis(folder: &Path, arguments: &[&str]) -> Value {
    let arguments = [&["doctor"], arguments, &["--json", "-q"]].concat();
    let mut objects = objects(&succeed(folder, &arguments));
    assert_eq!(objects.len(), 1, "{arguments:?}");
    objects.remove(0)
}

/// The layers that a check found something in.
fn found(diagnosis: &Value, check: &str) -> Vec<String> {
    let findings = diagnosis["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|finding| finding["check"] == check);
    findings
        .map(|finding| finding["layer"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_network_by_name_is_examined_for_its_shape() {
    let folder = folder();
    let text = succeed(folder.path(), &["doctor", "resnet18"]);
    let last = text.lines().last().unwrap();
    assert_eq!(last, "0 warnings, 0 notes by 2 checks");
    assert!(
        text.contains("not checked (needs trained weights): dead filters"),
        "{text}"
    );

    let small = ["doctor", "vgg16", "--input", "3x32x32"];
    let text = succeed(folder.path(), &small);
    assert!(
        text.contains("warning: fields beyond the input in "),
        "{text}"
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let answer = convolve(folder.path(), &[&small[..], &["--strict"]].concat());
    assert_eq!((answer.code, answer.out), (1, text));
    assert_eq!(answer.err, "error: 1 warning\n");
    succeed(folder.path(), &["doctor", "vgg16", "--strict"]);
}

#[test]
fn pictures_for_a_network_without_weights_are_told_not_to_be_looked_at() {
    let folder = folder();
    let answer = convolve(folder.path(), &["doctor", "lenet5", "--data", "photos"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert_eq!(
        answer.err,
        "warning: the pictures of photos are not looked at: lenet5 is without weights, which --weights names\n"
    );
}

#[test]
fn weights_are_examined_without_pictures() {
    let folder = folder();
    weights(&folder.path().join("whole.safetensors"), None);
    weights(&folder.path().join("torn.safetensors"), Some(4));
    let whole = diagnosis(folder.path(), &["whole.safetensors"]);
    assert_eq!(found(&whole, "dead filters"), [""; 0]);
    assert_eq!(whole["checked"].as_array().unwrap().len(), 5);
    assert_eq!(whole["left_out"][0]["reason"], "needs pictures");
    assert_eq!(whole["pictures"], Value::Null);
    let torn = diagnosis(folder.path(), &["torn.safetensors"]);
    assert_eq!(found(&torn, "dead filters"), ["conv1"]);
    let finding = &torn["findings"][0];
    assert_eq!(finding["channels"], serde_json::json!([4]));
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["numbers"]["dead"], 1.0);
}

/// Textures are no photographs: the statistics of the training are not theirs.
#[test]
fn weights_are_examined_on_pictures() {
    let folder = folder();
    weights(&folder.path().join("net.safetensors"), None);
    cifar(folder.path(), 100);
    let arguments = [
        "net.safetensors",
        "--data",
        "records.bin",
        "--pictures",
        "64",
    ];
    let found_all = diagnosis(folder.path(), &arguments);
    assert_eq!(found_all["pictures"], 64);
    assert!(found_all["accuracy"].is_number());
    let made = found_all["checked"].as_array().unwrap().len();
    let left_out = found_all["left_out"].as_array().unwrap().len();
    assert_eq!(made + left_out, 11, "{found_all}");
    assert_eq!(found(&found_all, "norm statistics").len(), 1, "{found_all}");
    let text = succeed(folder.path(), &[&["doctor"], &arguments[..]].concat());
    assert!(text.contains(" % of 64 pictures right"), "{text}");
}

#[test]
fn a_run_brings_its_own_pictures() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 120);
    let train = [
        "train",
        "--data",
        "records.bin",
        "--model",
        "lenet5",
        "--val-fraction",
        "0.2",
        "--epochs",
        "1",
        "--batch-size",
        "16",
        "--threads",
        "1",
        "--output",
        "run",
        "-q",
    ];
    succeed(path, &train);
    let answer = convolve(path, &["doctor", "run", "--pictures", "20"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let words = "looking at 20 of 24 pictures, the 20 % that were held out, from ";
    assert!(answer.err.starts_with(words), "{}", answer.err);
    assert!(answer.err.ends_with("records.bin\n"), "{}", answer.err);
    assert_eq!(answer.err.lines().count(), 1, "{}", answer.err);
    assert!(
        answer
            .out
            .contains("not checked (the network has no batch norms)"),
        "{}",
        answer.out
    );
    let answer = convolve(path, &["doctor", "run", "--input", "3x32x32"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let told = "the pictures of the run are not looked at, as --input names";
    assert!(answer.err.contains(told), "{}", answer.err);
    // Where they have gone, the weights are still there.
    std::fs::remove_file(path.join("records.bin")).unwrap();
    let answer = convolve(path, &["doctor", "run"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(
        answer.err.contains("records.bin: no such file"),
        "{}",
        answer.err
    );
    assert!(
        answer.out.contains("not checked (needs pictures)"),
        "{}",
        answer.out
    );
    fail(
        path,
        2,
        &["doctor", "run", "--data", "gone"],
        &["gone: no such file"],
    );
}

#[test]
fn pictures_that_were_learned_from_are_told() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 40);
    let train = "train --data records.bin --model lenet5 --val-fraction 0 --epochs 1 -b 16 --threads 1 -o run -q";
    succeed(path, &train.split(' ').collect::<Vec<_>>());
    let answer = convolve(path, &["doctor", "run"]);
    let words = "looking at 40 of 40 pictures, none held out, from ";
    let learned = "records.bin\nthe network was trained on these pictures: none were held out\n";
    assert!(answer.err.starts_with(words), "{}", answer.err);
    assert!(answer.err.ends_with(learned), "{}", answer.err);
}

#[test]
fn the_first_layer_is_drawn() {
    let folder = folder();
    weights(&folder.path().join("net.safetensors"), None);
    let drawn = ["doctor", "net.safetensors", "-o", "stem.png"];
    let answer = convolve(folder.path(), &drawn);
    assert_eq!((answer.code, answer.err.as_str()), (0, "wrote stem.png\n"));
    let bytes = std::fs::read(folder.path().join("stem.png")).unwrap();
    assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n");
    let refused = ["doctor", "net.safetensors", "-o", "stem.txt"];
    fail(folder.path(), 2, &refused, &["stem.txt", ".svg"]);
    let nothing = ["doctor", "resnet18", "-o", "other.png"];
    fail(folder.path(), 2, &nothing, &["resnet18", "without weights"]);
    assert_eq!(names(folder.path()), ["net.safetensors", "stem.png"]);
}

#[test]
fn what_cannot_be_examined_is_one_line() {
    let folder = folder();
    let path = folder.path();
    weights(&path.join("net.safetensors"), None);
    let refused: [(&[&str], &[&str]); 8] = [
        (&[], &["<MODEL|RUN>"]),
        (
            &["--data", "photos"],
            &["no network is named: convolve doctor RUN --data DIR"],
        ),
        (&["resnet19"], &["did you mean resnet18"]),
        (&["none.safetensors"], &["none.safetensors: no such file"]),
        (
            &["net.safetensors", "--weights", "net.safetensors"],
            &["has weights of its own"],
        ),
        (
            &["net.safetensors", "--data", "none"],
            &["none: no such file"],
        ),
        (
            &["net.safetensors", "--data", "shapes", "--input", "3x32x32"],
            &["--input", "--data"],
        ),
        (&["net.safetensors", "--pictures", "1"], &["--pictures"]),
    ];
    for (arguments, words) in refused {
        fail(path, 2, &[&["doctor"], arguments].concat(), words);
    }
    std::fs::write(path.join("torn.safetensors"), "x").unwrap();
    fail(
        path,
        1,
        &["doctor", "torn.safetensors"],
        &["torn.safetensors"],
    );
    fail(
        path,
        1,
        &["doctor", "net.safetensors", "--data", "shapes"],
        &["class"],
    );
}

#[test]
fn a_stem_behind_a_transpose_is_the_first_layer() {
    let folder = folder();
    let path = folder.path();
    let imported = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/imported");
    std::fs::copy(imported.join("channels_last.onnx"), path.join("net.onnx")).unwrap();
    let told = diagnosis(path, &["net.onnx"]);
    // It is found and measured, and what it holds is noise.
    let left_out = told["left_out"].as_array().unwrap();
    let stem = left_out
        .iter()
        .find(|left_out| left_out["check"] == "aliasing stem");
    let reason = stem.expect("a stem of noise")["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("the filters of 1/Conv are still noise"),
        "{told}"
    );
    let text = succeed(path, &["doctor", "net.onnx", "-o", "stem.svg"]);
    assert!(!text.contains("reads the picture's channels"), "{text}");
    assert_eq!(names(path), ["net.onnx", "stem.svg"]);
}

#[test]
fn classes_without_names_are_taken_by_their_order_as_eval_does() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 40);
    crate::fixture::onnx(&path.join("net.onnx"), &[1, 3, 32, 32], |network, x| {
        let conv = geometry::ConvDesc::new(6, 5).stride(3);
        let x = network.conv("conv1", x, conv, true)?;
        let x = network.relu(x)?;
        let x = network.flatten(x)?;
        Ok(vec![network.linear("fc", x, 10)?])
    });
    let line =
        "the network's classes have no names: they are taken to be in the order of the data's\n";
    let mut accuracies = Vec::new();
    for verb in ["doctor", "eval"] {
        let answer = convolve(path, &[verb, "net.onnx", "--data", "records.bin", "--json"]);
        assert_eq!(answer.code, 0, "{verb}: {}", answer.err);
        assert!(answer.err.contains(line), "{verb}: {}", answer.err);
        accuracies.push(objects(&answer.out)[0]["accuracy"].as_f64().unwrap());
    }
    assert_eq!(accuracies[0], accuracies[1]);
}

#[test]
fn filters_dilated_beyond_measure_are_left_out() {
    let folder = folder();
    for dilation in [1 << 30, 1 << 40] {
        onnx(&folder.path().join("wide.onnx"), &[1, 3, 8, 8], |net, x| {
            let desc = ConvDesc::new(4, 3).dilation(dilation).padding(dilation);
            Ok(vec![net.conv("conv", x, desc, false)?])
        });
        let told = succeed(folder.path(), &["doctor", "wide.onnx"]);
        let words = "the filters of the first convolution are dilated too far to be measured";
        assert!(told.contains(words), "{told}");
    }
}
