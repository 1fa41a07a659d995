//! Whatever is wrong: one line that says what and where, the right exit code, and nothing half written.

use std::path::Path;

use crate::fixture::{bmp, cifar, folder, names};
#[cfg(target_os = "linux")]
use crate::invoke::command;
use crate::invoke::fail;

#[test]
fn problems_without_meaning() {
    let folder = folder();
    let problems = [
        ("conv:n1c3h8w8:o4k3s0", "stride must be at least 1, not 0"),
        ("conv:n1c3h8w8:o4k3d0", "dilation must be at least 1, not 0"),
        ("conv:n1c3h8w8:o4k9", "kernel larger than padded input"),
        (
            "conv:n1c3h8w8:o4k3g2",
            "3 input channels do not divide into 2 groups",
        ),
        (
            "conv:n1c4h8w8:o3k3g2",
            "3 output channels do not divide into 2 groups",
        ),
        ("conv:n99999999c99999999h9999w9999:o4k3", "overflow"),
        ("conv:n1c3h99999999999999999999w8:o4k3", "number too large"),
        ("conv:n1c3h8w8", "position"),
        ("convolution", "position"),
        ("", "position"),
    ];
    for (problem, words) in problems {
        let op = [
            "op", problem, "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy",
        ];
        fail(folder.path(), 2, &op, &[words]);
        fail(folder.path(), 2, &["bench", "--problem", problem], &[words]);
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn sizes_that_no_machine_has() {
    let folder = folder();
    let problem = "conv:n1c1000000h100000w10000:o4k3";
    fail(
        folder.path(),
        1,
        &["bench", "--problem", problem],
        &["the input needs 1000000000000000 numbers"],
    );
}

/// `train` on something must fail before it makes a run folder.
#[track_caller]
fn refuse_to_train(folder: &Path, code: i32, data: &str, words: &[&str]) {
    fail(
        folder,
        code,
        &["train", "--data", data, "--model", "lenet5", "-q"],
        words,
    );
    assert!(!folder.join("runs").exists());
}

#[test]
fn data_that_cannot_be_learned_from() {
    let folder = folder();
    let path = folder.path();
    let make = |name: &str| std::fs::create_dir_all(path.join(name)).unwrap();
    refuse_to_train(path, 2, "none", &["none: no such file or folder"]);
    make("empty");
    refuse_to_train(path, 1, "empty", &["empty: the folder is empty"]);

    make("one/cat");
    for index in 0..3 {
        bmp(&path.join(format!("one/cat/{index}.bmp")), 8, [1, 2, 3]);
    }
    refuse_to_train(path, 1, "one", &["only one class (`cat`)"]);

    make("torn/cat");
    make("torn/dog");
    for index in 0..10 {
        bmp(&path.join(format!("torn/cat/{index}.bmp")), 8, [1, 2, 3]);
        std::fs::write(path.join(format!("torn/dog/{index}.bmp")), b"BM").unwrap();
    }
    refuse_to_train(
        path,
        1,
        "torn",
        &["pictures are unreadable, more than 5 %", ".bmp"],
    );

    std::fs::write(path.join("t-images-idx3-ubyte"), [0, 0, 9, 3, 0, 0, 0, 0]).unwrap();
    refuse_to_train(
        path,
        1,
        "t-images-idx3-ubyte",
        &["magic number 0x00000903, expected"],
    );

    let records = cifar(path, 20);
    let bytes = std::fs::read(&records).unwrap();
    std::fs::write(&records, &bytes[..bytes.len() - 1]).unwrap();
    refuse_to_train(path, 1, "records.bin", &["records.bin"]);
}

#[test]
fn settings_without_meaning() {
    let folder = folder();
    let settings: [(&[&str], &str); 12] = [
        (&["--model", "resnet21"], "no model is called 'resnet21'"),
        (&["--epochs", "0"], "epochs: 0"),
        (&["--batch-size", "1"], "batch size: 1"),
        (&["--lr", "NaN"], "learning rate: NaN"),
        (&["--val-fraction", "-0.5"], "val fraction: -0.5"),
        (&["--label-smoothing", "1"], "label smoothing: 1"),
        (&["--optimizer", "sdg"], "sgd, rmsprop, adam, adamw"),
        (&["--optimizer", "adam", "--momentum", "0.9"], "betas"),
        (
            &["--schedule", "linear"],
            "constant, step, exponential, cosine, one-cycle",
        ),
        (&["--layout", "chwn"], "neither nchw nor nhwc"),
        (&["--threads", "0"], "--threads"),
        (&["--crop", "round"], "random-resized"),
    ];
    for (setting, words) in settings {
        fail(folder.path(), 2, &[&["train"], setting].concat(), &[words]);
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn weights_that_are_none() {
    let folder = folder();
    let path = folder.path();
    bmp(&path.join("picture.bmp"), 32, [1, 2, 3]);
    std::fs::write(path.join("damaged.safetensors"), b"no weights").unwrap();
    let mut foreign = formats::weights::TensorFile::default();
    foreign.push("fc.weight", &[2, 2], vec![0.0; 4]).unwrap();
    let precision = formats::weights::Precision::F32;
    foreign
        .save(&path.join("foreign.safetensors"), precision)
        .unwrap();

    let files = [
        (2, "none.safetensors", "no such file or folder"),
        (1, "damaged.safetensors", "not a whole safetensors file"),
        (1, "foreign.safetensors", ""),
    ];
    for (code, file, words) in files {
        let verbs: [&[&str]; 4] = [
            &["eval", file, "--data", "shapes"],
            &["predict", file, "picture.bmp"],
            &["summary", file],
            &["export", file, "out.safetensors"],
        ];
        for arguments in verbs {
            fail(path, code, arguments, &[file, words]);
        }
    }
    let words = "no network of the zoo has these tensors";
    fail(path, 1, &["summary", "foreign.safetensors"], &[words]);
    let export = ["export", "foreign.safetensors", "out.safetensors"];
    fail(path, 1, &export, &["not a checkpoint of this program"]);
    assert!(!path.join("out.safetensors").exists());
    fail(
        path,
        2,
        &["train", "--resume", "none"],
        &["none: no run to resume here"],
    );
}

#[test]
fn a_fraction_lies_strictly_between_its_ends() {
    for fraction in ["0", "1", "-0.5", "NaN", "half"] {
        let arguments = ["eval", "none", "--val-fraction", fraction];
        fail(folder().path(), 2, &arguments, &[fraction, "in (0, 1)"]);
    }
}

#[test]
fn a_tip_is_set_apart() {
    let words = "'--bach' found; tip: a similar argument exists: '--batch'";
    fail(folder().path(), 2, &["bench", "lenet5", "--bach"], &[words]);
}

#[cfg(target_os = "linux")]
#[test]
fn data_that_cannot_be_written_are_a_failure() {
    let folder = folder();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["op", "--help"],
        &["models"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let mut program = command(folder.path(), arguments);
        let output = program.stdout(full.unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(
            line.starts_with("error: ") && line.lines().count() == 1,
            "{line}"
        );
    }
}
