//! Weights in safetensors files.

use convolve_formats::weights::TensorFile;
use testkit::counting::peak;

use crate::limit;

#[track_caller]
fn refused(what: &str, file: Vec<u8>, word: &str) {
    let error = read(what, file).expect_err(what);
    assert!(error.contains(word), "{what}: {error}");
}

fn read(what: &str, file: Vec<u8>) -> Result<usize, String> {
    let len = file.len();
    let (done, peak) = peak(file, |file| {
        let read = TensorFile::from_bytes(&file, "hostile");
        read.map(|file| file.tensors.len())
            .map_err(|error| error.to_string())
    });
    let limit = limit(len);
    assert!(
        peak <= limit,
        "{what}: {peak} bytes for a file of {len}, {limit} at most"
    );
    if let Err(text) = &done {
        assert!(text.len() < 1 << 20, "{what}: {} bytes of text", text.len());
    }
    done
}

/// A file of a header and so many bytes of numbers.
fn file(header: &str, numbers: usize) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length, header.as_bytes(), &vec![0; numbers]].concat()
}

#[test]
fn headers_of_any_length() {
    for length in [9, 1 << 31, 1 << 40, u64::MAX - 7, u64::MAX] {
        let header = [&length.to_le_bytes()[..], b"{}"].concat();
        refused("a length", header, &format!("{length} bytes"));
    }
}

#[test]
fn tensors_that_overlap_leave_holes_or_overflow() {
    let one = |shape: &str, from: u64, to: u64| {
        format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}"#)
    };
    let two = |a: String, b: String| format!(r#"{{"a":{a},"b":{b}}}"#);
    for (what, header) in [
        ("overlap", two(one("[2]", 0, 8), one("[2]", 4, 12))),
        ("hole", two(one("[1]", 0, 4), one("[1]", 8, 12))),
        ("end", two(one("[1]", 0, 4), one("[1]", 4, 8))),
        (
            "overflow",
            two(one("[4294967296,4294967296]", 0, 0), one("[3]", 0, 12)),
        ),
        ("backwards", two(one("[1]", 4, 0), one("[3]", 0, 12))),
        (
            "far",
            two(one("[3]", 0, 12), one("[3]", u64::MAX - 11, u64::MAX)),
        ),
    ] {
        assert!(read(what, file(&header, 12)).is_err(), "{what}");
    }
}

#[test]
fn large_headers() {
    let mut header = String::from("{");
    for at in 0..140_000 {
        header += &format!(r#""{at}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}},"#);
    }
    header.pop();
    header.push('}');
    assert_eq!(read("tensors", file(&header, 0)), Ok(140_000));

    let axes = format!("[{}1]", "1,".repeat(4_000_000));
    let header = format!(r#"{{"a":{{"dtype":"F32","shape":{axes},"data_offsets":[0,4]}}}}"#);
    assert!(read("extents", file(&header, 4)).is_err());

    let name = "n".repeat(8_000_000);
    let header = format!(r#"{{"{name}":{{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}}}"#);
    assert!(read("a name", file(&header, 4)).is_err());

    let mut header = String::from(r#"{"__metadata__":{"#);
    for at in 0..600_000 {
        header += &format!(r#""{at}":"","#);
    }
    header.pop();
    header += "}}";
    assert_eq!(read("text entries", file(&header, 0)), Ok(0));
    let deep = "[".repeat(1_000_000);
    assert!(read("lists within lists", file(&format!(r#"{{"a":{deep}"#), 0)).is_err());
}
