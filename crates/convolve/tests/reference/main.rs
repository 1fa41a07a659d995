//! Every operator that PyTorch or torchvision has too, held against what they make of small problems.
//!
//! The problems and the answers lie in `FAMILY.safetensors`, which `make.py` writes. Every case of a file is
//! replayed: forward and the gradients of all operands, in both precisions and both layouts, alone and as a graph
//! with parameters.

mod cases;
mod operators;
mod replay;

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::path::Path;

use cases::{folder, read};

/// The families and how many cases each has, so that one that gets lost is missed.
const FAMILIES: &[(&str, usize)] = &[
    ("arithmetic", 73),
    ("convolutions", 90),
    ("functions", 66),
    ("norms", 37),
    ("pooling", 84),
    ("rearrange", 54),
    ("regions", 36),
    ("sampling", 78),
];

/// Replays a family and says how many cases of each operator there were.
#[expect(clippy::print_stdout, reason = "a summary for those who ask for it")]
fn replay(family: &str) {
    let mut counts = BTreeMap::<String, usize>::new();
    let mut wrong = Vec::new();
    for case in read(family) {
        // All cases are tried before the first that differs ends the test.
        if catch_unwind(|| replay::replay(&case)).is_err() {
            wrong.push(case.name);
        }
        *counts.entry(case.op).or_default() += 1;
    }
    let total: usize = counts.values().sum();
    let each: Vec<_> = counts.iter().map(|(op, n)| format!("{op} {n}")).collect();
    println!("{family}: {total} cases: {}", each.join(", "));
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let expected = FAMILIES.iter().find(|(name, _)| *name == family);
    assert_eq!(Some(&(family, total)), expected, "cases of {family}");
}

#[test]
fn no_family_is_lost() {
    let files = std::fs::read_dir(folder()).unwrap();
    let paths = files.map(|entry| entry.unwrap().path());
    let is_family = |path: &Path| path.extension().is_some_and(|kind| kind == "safetensors");
    let mut found: Vec<_> = paths
        .filter(|path| is_family(path))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    let families: Vec<_> = FAMILIES.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, families);
    let total: usize = FAMILIES.iter().map(|(_, cases)| cases).sum();
    assert!(total >= 500, "{total} cases in all");
}

#[test]
fn arithmetic() {
    replay("arithmetic");
}

#[test]
fn convolutions() {
    replay("convolutions");
}

#[test]
fn functions() {
    replay("functions");
}

#[test]
fn norms() {
    replay("norms");
}

#[test]
fn pooling() {
    replay("pooling");
}

#[test]
fn rearrange() {
    replay("rearrange");
}

#[test]
fn regions() {
    replay("regions");
}

#[test]
fn sampling() {
    replay("sampling");
}
