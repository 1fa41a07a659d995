//! `op --cases`: one answer a line, whatever the line holds.

use tensor::read_npy;
use testkit::ConvCase;
use testkit::compare::assert_exact;

use crate::fixture::{folder, names};
use crate::invoke::{fail, objects, succeed};
use crate::op::prepare;

#[test]
fn every_case_is_answered_in_turn() {
    let folder = folder();
    let below = folder.path().join("below");
    std::fs::create_dir(&below).unwrap();
    let case = ConvCase::new(2, 4, 6, [9, 7], [3, 2]).stride([2, 1]);
    let prepared = prepare(&below, &case, 3);
    let problem = &prepared.problem;
    let lines = [
        format!(
            r#"{{"problem": "{problem}", "input": "x.npy", "weight": "w.npy", "bias": "b.npy", "output": "y.npy"}}"#
        ),
        format!(
            r#"{{"problem": "{problem}", "input": "x.npy", "weight": "none.npy", "output": "n.npy"}}"#
        ),
        r#"{"problem": "conv:n1c3h8w8:o4k3s0", "output": "n.npy"}"#.to_owned(),
        r#"{"problem": "pool-max:n1c3h8w8:k2", "output": "n.npy"}"#.to_owned(),
        "not JSON".to_owned(),
        String::new(),
        format!(
            r#"{{"problem": "{problem}", "direction": "backward-data", "layout": "nchw", "algorithm": "reference", "threads": 1, "weight": "w.npy", "grad": "dy.npy", "output": "dx.npy"}}"#
        ),
        format!(
            r#"{{"problem": "{problem}", "algorithm": "depthwise", "input": "x.npy", "weight": "w.npy", "output": "n.npy"}}"#
        ),
        format!(
            r#"{{"problem": "{problem}", "direction": "backward-weights", "input": "x.npy", "grad": "dy.npy", "output": "dw.npy"}}"#
        ),
        format!(r#"{{"problem": "{problem}", "grad": "dy.npy", "typo": 1, "output": "n.npy"}}"#),
    ];
    std::fs::write(below.join("cases.jsonl"), lines.join("\n")).unwrap();
    let answers = objects(&succeed(
        folder.path(),
        &["op", "--cases", "below/cases.jsonl"],
    ));

    let expected = [
        Ok("y.npy"),
        Err("none.npy"),
        Err("stride must be at least 1"),
        Err("forward needs --input"),
        Err("expected"),
        Ok("dx.npy"),
        Err("depthwise"),
        Ok("dw.npy"),
        Err("unknown field `typo`"),
    ];
    assert_eq!(answers.len(), expected.len());
    // The sixth line is blank.
    let numbers = [1, 2, 3, 4, 5, 7, 8, 9, 10];
    for ((answer, expected), line) in answers.iter().zip(expected).zip(numbers) {
        assert_eq!(answer["line"], line);
        match expected {
            Ok(path) => assert_eq!(answer, &serde_json::json!({ "line": line, "output": path })),
            Err(words) => assert!(
                answer["error"].as_str().unwrap().contains(words),
                "{answer}"
            ),
        }
    }
    let results = [
        ("y.npy", &prepared.forward),
        ("dx.npy", &prepared.backward_data),
        ("dw.npy", &prepared.backward_weights),
    ];
    for (name, want) in results {
        assert_exact(
            name,
            read_npy::<f32>(&below.join(name)).unwrap().data(),
            want,
        );
    }
    assert!(!names(&below).contains(&"n.npy".to_owned()));
}

/// The errors that a file of cases is answered with.
#[track_caller]
fn errors(cases: &[u8]) -> Vec<String> {
    let folder = folder();
    std::fs::write(folder.path().join("cases.jsonl"), cases).unwrap();
    let answers = objects(&succeed(folder.path(), &["op", "--cases", "cases.jsonl"]));
    answers
        .iter()
        .map(|answer| answer["error"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn errors_name_the_line_of_the_file() {
    let lines: [&[u8]; 5] = [
        br#"{"problem": "conv:n1c3h0w8:o4k3", "output": "n.npy"}"#,
        b"",
        b" [\"conv:n1c3h8w8:o4k3\"]",
        b"{\"problem\": \"\xff\"}",
        br#"{"problem": "conv:n1c3h8w8:o4k3"}"#,
    ];
    let answers = errors(&lines.join(&b'\n'));
    assert_eq!(answers.len(), 4, "{answers:?}");
    assert!(!answers[0].contains("line"), "{answers:?}");
    assert_eq!(
        answers[1],
        "line 3 column 2: a case is a JSON object, not an array"
    );
    assert_eq!(answers[2], "line 4 column 14: not UTF-8");
    assert!(answers[3].starts_with("line 5 column "), "{answers:?}");
    assert!(
        answers[3].ends_with("missing field `output`"),
        "{answers:?}"
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_case() {
    let answers = errors("\u{feff}{\"problem\": \"conv:x\", \"output\": \"n.npy\"}\r\n".as_bytes());
    assert_eq!(answers.len(), 1);
    assert!(answers[0].contains("conv:x"), "{answers:?}");
    let answers = errors("{}\n\u{feff}{}".as_bytes());
    assert!(answers[1].starts_with("line 2 column 1: "), "{answers:?}");
}

#[test]
fn threads_have_the_bounds_of_the_flag() {
    for threads in ["0", "-1", "1025", "999999999"] {
        let case = format!(
            r#"{{"problem": "conv:n1c3h8w8:o4k3", "threads": {threads}, "output": "n.npy"}}"#
        );
        let words = format!("{threads} is not in 1..=1024");
        assert_eq!(errors(case.as_bytes()), [format!("threads: {words}")]);
        let flag = format!("--threads={threads}");
        let arguments = ["op", "conv:n1c3h8w8:o4k3", "--output", "n.npy", &flag];
        fail(folder().path(), 2, &arguments, &[&words]);
    }
}

#[test]
fn a_missing_file_of_cases_is_wrong_usage() {
    let folder = folder();
    fail(
        folder.path(),
        2,
        &["op", "--cases", "none.jsonl"],
        &["none.jsonl: no such file or folder"],
    );
}
