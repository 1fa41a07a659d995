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
        format!(r#"{{"problem": "{problem}", "algorithm": "depthwise", "output": "n.npy"}}"#),
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
        Err("only conv: problems are"),
        Err("expected"),
        Ok("dx.npy"),
        Err("depthwise"),
        Ok("dw.npy"),
        Err("unknown field `typo`"),
    ];
    assert_eq!(answers.len(), expected.len());
    for (answer, expected) in answers.iter().zip(expected) {
        match expected {
            Ok(path) => assert_eq!(answer, &serde_json::json!({ "output": path })),
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
        assert_exact(name, read_npy(&below.join(name)).unwrap().data(), want);
    }
    assert!(!names(&below).contains(&"n.npy".to_owned()));
}

#[test]
fn a_missing_file_of_cases_is_wrong_usage() {
    let folder = folder();
    fail(
        folder.path(),
        2,
        &["op", "--cases", "none.jsonl"],
        &["none.jsonl"],
    );
}
