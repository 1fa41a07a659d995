//! `predict`, with the network inside the program.

use crate::fixture::{bmp, folder, weights_with_class};
use crate::invoke::{convolve, fail, objects, succeed};

const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

#[test]
fn every_picture_has_a_line_of_probabilities() {
    let folder = folder();
    let below = folder.path().join("pictures/more");
    std::fs::create_dir_all(&below).unwrap();
    bmp(&folder.path().join("single.bmp"), 32, [200, 120, 10]);
    bmp(&below.join("a.bmp"), 57, [20, 120, 10]);
    bmp(&folder.path().join("pictures/z.bmp"), 16, [0, 0, 255]);
    let arguments = ["predict", "single.bmp", "pictures", "--json", "--top", "10"];
    let answers = objects(&succeed(folder.path(), &arguments));
    let images: Vec<_> = answers
        .iter()
        .map(|answer| answer["image"].as_str().unwrap())
        .collect();
    assert_eq!(
        images,
        ["single.bmp", "pictures/more/a.bmp", "pictures/z.bmp"]
    );
    for answer in &answers {
        let top = answer["top"].as_array().unwrap();
        let probability = |guess: &serde_json::Value| guess["probability"].as_f64().unwrap();
        let total: f64 = top.iter().map(probability).sum();
        assert!((total - 1.0).abs() < 1e-9, "{answer}");
        assert!(
            top.is_sorted_by(|a, b| probability(a) >= probability(b)),
            "{answer}"
        );
        let mut labels: Vec<_> = top
            .iter()
            .map(|guess| guess["label"].as_str().unwrap())
            .collect();
        labels.sort_unstable();
        assert_eq!(labels, CLASSES);
    }
    let text = succeed(folder.path(), &["predict", "single.bmp", "--top", "2"]);
    assert!(
        text.starts_with("single.bmp: ") && text.matches(" %").count() == 2,
        "{text}"
    );
}

#[test]
fn a_bad_picture_does_not_keep_the_others_from_an_answer() {
    let folder = folder();
    bmp(&folder.path().join("good.bmp"), 32, [1, 2, 3]);
    std::fs::write(folder.path().join("torn.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let answer = convolve(
        folder.path(),
        &["predict", "torn.png", "good.bmp", "--json"],
    );
    assert_eq!(answer.code, 1, "{}", answer.err);
    assert_eq!(objects(&answer.out).len(), 1);
    let lines: Vec<_> = answer.err.lines().collect();
    assert!(lines[0].starts_with("error: torn.png: "), "{lines:?}");
    assert_eq!(
        lines[1..],
        [
            "answered by the network inside the program",
            "error: 1 of 2 could not be classified"
        ]
    );

    let answer = convolve(folder.path(), &["predict", "none.png", "good.bmp"]);
    assert_eq!(answer.code, 2, "{}", answer.err);
    assert!(answer.err.contains("none.png: no such file or folder"));
    assert!(answer.out.starts_with("good.bmp: "));
}

#[test]
fn no_other_network_answers_for_one_that_is_missing() {
    let folder = folder();
    bmp(&folder.path().join("good.bmp"), 32, [1, 2, 3]);
    for network in ["runs/misspelt-1", "misspelt.safetensors"] {
        let arguments = ["predict", network, "good.bmp"];
        fail(folder.path(), 2, &arguments, &[network, "no such file"]);
    }
    std::fs::create_dir_all(folder.path().join("empty")).unwrap();
    std::fs::create_dir_all(folder.path().join("runs/shapes-1")).unwrap();
    for bare in ["empty", "runs"] {
        let words = format!("{bare}: the folder holds neither weights nor pictures");
        fail(folder.path(), 2, &["predict", bare, "good.bmp"], &[&words]);
    }
}

#[test]
fn one_thing_that_cannot_be_classified_is_one_line() {
    let folder = folder();
    let path = folder.path();
    std::fs::create_dir_all(path.join("empty")).unwrap();
    std::fs::create_dir_all(path.join("texts/more")).unwrap();
    std::fs::create_dir_all(path.join("single")).unwrap();
    std::fs::write(path.join("texts/a.txt"), "text").unwrap();
    std::fs::write(path.join("single/torn.png"), b"\x89PNG").unwrap();
    fail(path, 2, &["predict", "none.png"], &["none.png: no such"]);
    fail(path, 1, &["predict", "empty"], &["empty: the folder is"]);
    fail(path, 1, &["predict", "texts"], &["texts: no images"]);
    fail(path, 1, &["predict", "texts/a.txt"], &["texts/a.txt: "]);
    fail(path, 1, &["predict", "single"], &["single/torn.png: "]);

    bmp(&path.join("single/good.bmp"), 8, [1, 2, 3]);
    let answer = convolve(path, &["-q", "predict", "single", "empty"]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.out.starts_with("single/good.bmp: "),
        "{}",
        answer.out
    );
    let lines: Vec<_> = answer.err.lines().collect();
    assert!(
        lines[0].starts_with("error: single/torn.png: "),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("error: empty: "), "{lines:?}");
    assert_eq!(lines[2..], ["error: 2 of 3 could not be classified"]);
}

#[test]
fn weights_of_other_programs_are_not_taken_for_pictures() {
    let folder = folder();
    bmp(&folder.path().join("good.bmp"), 8, [1, 2, 3]);
    for name in ["e.h5", "g.gguf"] {
        std::fs::write(folder.path().join(name), "weights").unwrap();
        fail(
            folder.path(),
            2,
            &["predict", name, "good.bmp"],
            &[name, "a run folder or a .safetensors file"],
        );
    }
    std::fs::write(folder.path().join("b.onnx"), "weights").unwrap();
    let words = ["b.onnx: not a whole ONNX file"];
    fail(folder.path(), 1, &["predict", "b.onnx", "good.bmp"], &words);
}

#[cfg(unix)]
#[test]
fn devices_are_no_pictures() {
    let words = "/dev/zero: neither a regular file nor a folder";
    fail(folder().path(), 1, &["predict", "/dev/zero"], &[words]);
}

#[cfg(unix)]
#[test]
fn names_cannot_command_the_terminal() {
    let folder = folder();
    let name = "a\x1b[2J\nb.bmp";
    bmp(&folder.path().join(name), 8, [1, 2, 3]);
    weights_with_class(&folder.path().join("w.safetensors"), "c\x1b\nt");
    let arguments = ["predict", "w.safetensors", name, "--top", "10"];
    let text = succeed(folder.path(), &arguments);
    assert!(text.starts_with(r"a\u{1b}[2J\nb.bmp: "), "{text}");
    assert!(text.contains(r" c\u{1b}\nt "), "{text}");
    assert_eq!(text.matches(char::is_control).count(), 1, "{text}");
    let answer = &objects(&succeed(folder.path(), &["predict", name, "--json"]))[0];
    assert_eq!(answer["image"], name);

    std::fs::write(folder.path().join("\x1b[2J.png"), "torn").unwrap();
    fail(
        folder.path(),
        1,
        &["predict", "\x1b[2J.png"],
        &[r"\u{1b}[2J.png"],
    );
}

#[test]
fn a_network_by_name_has_no_weights() {
    let folder = folder();
    let answer = convolve(folder.path(), &["predict", "resnet20"]);
    assert_eq!(answer.code, 2);
    assert!(
        answer.err.contains("resnet20: a network without weights"),
        "{}",
        answer.err
    );
    fail(folder.path(), 2, &["predict"], &["IMAGE"]);
}
