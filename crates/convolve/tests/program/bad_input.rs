//! Whatever is wrong: one line that says what and where, the right exit code, and nothing half written.

use std::path::Path;

use crate::fixture::{bmp, cifar, folder, names};
#[cfg(target_os = "linux")]
use crate::invoke::below_limit;
use crate::invoke::{command, fail};

#[test]
fn problems_without_meaning() {
    let folder = folder();
    let problems = [
        ("conv:n1c3h0w8:o4k3", "height must be at least 1, not 0"),
        ("pool-max:n1c3h8w0:k3", "width must be at least 1, not 0"),
        ("conv-transpose:n1c3h8w8:o4k3", "expected conv-transposed:"),
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
    let small = "conv:n1c3h8w8:o4k3";
    let words = [problem, "the input needs 1000000000000000 numbers"];
    let bench = [
        "bench",
        "--seconds",
        "0",
        "--problem",
        small,
        "--problem",
        problem,
    ];
    fail(folder.path(), 1, &bench, &words);
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
    let settings: [(&[&str], &str); 15] = [
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
        (&["-j", "-1"], "-1 is not in 1..=1024"),
        (&["--epochs", "-1"], "invalid value '-1' for '--epochs"),
        (
            &["--epochs", "3", "--warmup-epochs", "4"],
            "warm-up: 4 epochs, but the run has only 3",
        ),
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
fn networks_that_are_none_are_called_what_they_are() {
    let folder = folder();
    let path = folder.path();
    std::fs::write(path.join("p.png"), [0; 100]).unwrap();
    for verb in ["summary", "rf", "doctor"] {
        fail(
            path,
            2,
            &[verb, "p.png"],
            &["p.png is a picture, and no network"],
        );
        fail(
            path,
            2,
            &[verb, "runs/none"],
            &["runs/none: no such file or folder"],
        );
    }
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
            line.starts_with("error: standard output: ") && line.lines().count() == 1,
            "{line}"
        );
    }
}

/// No thread has room for so large a stack.
#[test]
fn threads_that_do_not_start_are_an_error() {
    let folder = folder();
    for class in ["cat", "dog"] {
        let below = folder.path().join(class);
        std::fs::create_dir(&below).unwrap();
        for index in 0..4 {
            bmp(&below.join(format!("{index}.bmp")), 32, [index, 2, 3]);
        }
    }
    let train = ["train", "--data", ".", "--model", "lenet5", "-o", "run"];
    let cases = [
        ("1", "could not start a loader thread"),
        ("2", "could not start 2 threads"),
    ];
    for (threads, words) in cases {
        let mut program = command(
            folder.path(),
            &[&train[..], &["-q", "-j", threads]].concat(),
        );
        let output = program
            .env("RUST_MIN_STACK", (1_u64 << 46).to_string())
            .output()
            .unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(
            line.starts_with("error: ") && line.contains(words),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1, "{line}");
        // Nothing was learned, so the folder holds settings at most.
        let _ = std::fs::remove_dir_all(folder.path().join("run"));
    }
}

/// A PNG header that declares so many pixels, with its checksum, and nothing behind it.
fn declared(side: u32, checksum: [u8; 4]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend([side, side].map(u32::to_be_bytes).concat());
    bytes.extend([8, 2, 0, 0, 0]);
    bytes.extend(checksum);
    bytes
}

#[test]
fn pictures_that_are_too_large() {
    let folder = folder();
    let path = folder.path();
    std::fs::write(path.join("huge.png"), declared(100_000, [39, 48, 156, 159])).unwrap();
    let words = [
        "huge.png: 100000×100000 pixels (height×width) are more than the 100000000 that are allowed",
    ];
    fail(path, 1, &["predict", "huge.png"], &words);

    #[cfg(target_os = "linux")]
    {
        std::fs::write(path.join("large.png"), declared(10_000, [53, 44, 245, 112])).unwrap();
        let predict = ["predict", "large.png", "-j", "1"];
        let output = below_limit(path, "ulimit -v 600000", &predict)
            .output()
            .unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}");
        let words = "bytes of memory are needed, which the system does not give";
        assert!(
            line.starts_with("error: large.png: ") && line.contains(words),
            "{line}"
        );
    }
    // Of a data set, the path of the first bad picture is told once.
    for class in ["cat", "dog"] {
        std::fs::create_dir(path.join(class)).unwrap();
        std::fs::copy(path.join("huge.png"), path.join(class).join("0.png")).unwrap();
    }
    let train = ["train", "--data", ".", "--model", "lenet5", "-q"];
    let words = ["the first is ./cat/0.png: 100000×100000 pixels"];
    fail(path, 1, &train, &words);
}

#[test]
fn a_folder_to_write_to_is_one() {
    let folder = folder();
    let path = folder.path();
    crate::fixture::npy(&path.join("x.npy"), &[1, 3, 8, 8], &[0.0; 192]);
    for output in ["x.npy", "x.npy/below"] {
        let run = ["run", "resnet20", "--input", "x.npy", "--output", output];
        fail(path, 2, &run, &["x.npy: exists and is no folder"]);
    }
}
