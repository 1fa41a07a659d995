//! Pipes where files are wanted: nobody may ever write to them, so they are not opened at all.

use std::fs::{File, remove_file};
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

use crate::fixture::{cifar, folder, npy, onnx, text};
use crate::invoke::{convolve, fail, succeed};

/// A named pipe, in place of the file that was there. Who opens it for reading reads nothing, and is not kept waiting: what
/// the program says then shows that it has opened it.
struct Pipe<'a> {
    path: &'a Path,
    writer: Option<JoinHandle<()>>,
}

impl<'a> Pipe<'a> {
    fn at(path: &'a Path) -> Self {
        let _ = remove_file(path);
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
        let end = path.to_path_buf();
        // Opening waits for a reader.
        let writer = std::thread::spawn(move || drop(File::options().write(true).open(end)));
        Self {
            path,
            writer: Some(writer),
        }
    }
}

impl Drop for Pipe<'_> {
    fn drop(&mut self) {
        // Both ends at once: opening them waits for nobody, and lets the writer go.
        let both = File::options().read(true).write(true).open(self.path);
        let ended = self.writer.take().map(JoinHandle::join);
        drop((both, ended));
    }
}

const WORDS: &str = "not a regular file; only those are read";

#[test]
fn pipes_are_not_read() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    npy(&at("x.npy"), &[1, 1, 4, 4], &[0.0; 16]);
    npy(&at("w.npy"), &[1, 1, 3, 3], &[0.0; 9]);
    onnx(&at("net.onnx"), &[1, 3, 8, 8], |net, x| {
        Ok(vec![net.relu(x)?])
    });
    let op = [
        "op",
        "conv:n1c1h4w4:o1k3",
        "--input",
        "x.npy",
        "--weight",
        "w.npy",
        "--output",
        "y.npy",
    ];
    succeed(folder.path(), &op);
    succeed(folder.path(), &["rf", "net.onnx"]);
    npy(&at("image.npy"), &[1, 3, 8, 8], &[1.0; 192]);
    let run = ["run", "net.onnx", "--input", "image.npy", "--output", "."];
    let refused = [&run[..3], &["./0.npy", "--output", "."]].concat();
    std::fs::rename(at("image.npy"), at("0.npy")).unwrap();
    fail(folder.path(), 2, &refused, &["0.npy: it is read"]);
    std::fs::rename(at("0.npy"), at("image.npy")).unwrap();
    {
        let place = at("0.npy");
        let _pipe = Pipe::at(&place);
        fail(folder.path(), 2, &run, &["0.npy: "]);
    }
    let cases: [(&str, &[&str], &str); 5] = [
        ("x.npy", &op, WORDS),
        ("net.onnx", &["rf", "net.onnx"], WORDS),
        ("net.onnx", &["summary", "net.onnx"], WORDS),
        (
            "lenet5.safetensors",
            &["summary", "lenet5", "--weights", "lenet5.safetensors"],
            "neither a regular file nor a folder",
        ),
        (
            "labels-idx1-ubyte",
            &[
                "train",
                "--data",
                "labels-idx1-ubyte",
                "--model",
                "lenet5",
                "--output",
                "run",
            ],
            WORDS,
        ),
    ];
    for (name, arguments, words) in cases {
        let path = at(name);
        let _pipe = Pipe::at(&path);
        fail(folder.path(), 1, arguments, &[name, words]);
    }
}

#[test]
fn a_run_with_pipes_is_told_as_far_as_it_goes() {
    let folder = folder();
    let data = cifar(folder.path(), 12);
    let train = [
        "train",
        "--data",
        text(&data),
        "--model",
        "lenet5",
        "--lr",
        "0.01",
        "--threads",
        "1",
        "--epochs",
        "1",
        "--output",
        "run",
    ];
    succeed(folder.path(), &train);
    let report = ["report", "run", "-o", "report.html"];
    let at = |name: &str| folder.path().join("run").join(name);
    for (name, what) in [
        ("metrics.jsonl", "The metrics could not be read"),
        ("history.safetensors", "The history could not be read"),
    ] {
        let path = at(name);
        assert!(path.is_file(), "{name}");
        let kept = std::fs::read(&path).unwrap();
        let pipe = Pipe::at(&path);
        let answer = convolve(folder.path(), &report);
        assert_eq!(answer.code, 0, "{name}: {}", answer.err);
        let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
        assert!(page.contains(what) && page.contains(WORDS), "{name}");
        drop(pipe);
        remove_file(&path).unwrap();
        std::fs::write(&path, kept).unwrap();
    }
    // Weights that are none are passed by: there are two files of them.
    for name in ["best.safetensors", "last.safetensors"] {
        let path = at(name);
        let kept = std::fs::read(&path).unwrap();
        let pipe = Pipe::at(&path);
        let answer = convolve(folder.path(), &report);
        assert_eq!(answer.code, 0, "{name}: {}", answer.err);
        drop(pipe);
        remove_file(&path).unwrap();
        std::fs::write(&path, kept).unwrap();
    }
    let path = at("config.toml");
    assert!(path.is_file());
    let _pipe = Pipe::at(&path);
    fail(folder.path(), 1, &report, &["config.toml", WORDS]);
}
