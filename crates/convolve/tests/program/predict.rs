//! `predict`, with the network inside the program.

use crate::fixture::{bmp, folder};
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
    assert_eq!(lines[1..], ["error: 1 picture could not be read"]);

    let answer = convolve(folder.path(), &["predict", "none.png", "good.bmp"]);
    assert_eq!(answer.code, 2, "{}", answer.err);
    assert!(answer.err.contains("none.png: no such file or folder"));
    assert!(answer.out.starts_with("good.bmp: "));
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
