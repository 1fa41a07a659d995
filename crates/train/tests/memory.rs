//! What reading a hostile checkpoint takes at most: twice the file and 64 MB, the file counted in.

use std::collections::BTreeMap;

use formats::weights::{Precision, TensorFile};
use testkit::counting::{Counting, peak};
use train::Checkpoint;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PREPROCESS: &str = r#"{"input":[32,32],"channels":3,"mean":[0.5,0.5,0.5],"std":[0.25,0.25,0.25],
    "crop_fraction":1.0,"interpolation":"bilinear","crop_mode":"center"}"#;

/// A checkpoint without weights, with these entries in place of, or besides, the usual ones.
fn file(entries: &[(&str, &str)]) -> Vec<u8> {
    let usual = [
        ("format", "convolve-checkpoint"),
        ("format_version", "1"),
        ("model", "lenet5"),
        ("classes", r#"["cat", "dog"]"#),
        ("preprocess", PREPROCESS),
    ];
    let all = usual.iter().chain(entries);
    let metadata: BTreeMap<_, _> = all
        .map(|&(key, text)| (key.to_owned(), text.to_owned()))
        .collect();
    let tensors = Vec::new();
    let file = TensorFile { tensors, metadata };
    file.to_bytes(Precision::F32).unwrap()
}

#[track_caller]
fn read(what: &str, file: Vec<u8>) -> Result<usize, String> {
    let len = file.len();
    let (done, peak) = peak(file, |file| {
        let read = Checkpoint::from_bytes(&file, "hostile");
        read.map(|checkpoint| checkpoint.card.classes.len())
            .map_err(|error| error.to_string())
    });
    let limit = 2 * len + (64 << 20);
    assert!(
        peak <= limit,
        "{what}: {peak} bytes for a file of {len}, {limit} at most"
    );
    done
}

#[test]
fn entries_that_are_long_lists() {
    assert_eq!(read("as it should be", file(&[])), Ok(2));
    let list = |one: &str, count: usize| format!("[{}]", vec![one; count].join(","));
    let names = list("\"\"", 1_500_000);
    assert_eq!(read("classes", file(&[("classes", &names)])), Ok(1_500_000));
    let names = list("\"a\"", 1_300_000);
    assert_eq!(read("names", file(&[("classes", &names)])), Ok(1_300_000));
    let deep = "[".repeat(4_000_000);
    for key in ["classes", "preprocess", "progress", "score"] {
        assert!(read(key, file(&[(key, &deep)])).is_err(), "{key}");
    }
    let means = PREPROCESS.replacen("[0.5", &format!("[{}0.5", "0,".repeat(3_000_000)), 1);
    assert!(read("means", file(&[("preprocess", &means)])).is_err());
    let model = "n".repeat(7_000_000);
    assert_eq!(read("a name", file(&[("model", &model)])), Ok(2));
}

#[test]
fn damaged_headers() {
    let whole = file(&[]);
    for length in 0..whole.len() {
        let error = read("truncated", whole[..length].to_vec()).unwrap_err();
        assert!(error.len() < 1 << 10, "{error}");
    }
    for length in [u64::MAX, u64::MAX - 7, 1 << 40, whole.len() as u64] {
        let mut file = whole.clone();
        file[..8].copy_from_slice(&length.to_le_bytes());
        let error = read("a length", file).unwrap_err();
        assert!(error.contains(&format!("{length} bytes")), "{error}");
    }
}
