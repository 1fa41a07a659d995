use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn idx(dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    for dimension in dimensions {
        bytes.extend(dimension.to_be_bytes());
    }
    bytes.extend(elements);
    bytes
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Three 2×2 images with labels 4, 0, 2.
fn write_pair(folder: &Path, part: &str, packed: bool) -> PathBuf {
    let elements: Vec<u8> = (0..12).collect();
    let images = idx(&[3, 2, 2], &elements);
    let labels = idx(&[3], &[4, 0, 2]);
    let suffix = if packed { ".gz" } else { "" };
    let code = |bytes: Vec<u8>| if packed { gz(&bytes) } else { bytes };
    let path = folder.join(format!("{part}-images-idx3-ubyte{suffix}"));
    fs::write(&path, code(images)).unwrap();
    fs::write(
        folder.join(format!("{part}-labels-idx1-ubyte{suffix}")),
        code(labels),
    )
    .unwrap();
    path
}

#[test]
fn plain_and_packed_files_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    for packed in [false, true] {
        let pair = Pair::open(&write_pair(folder.path(), "train", packed)).unwrap();
        assert_eq!(pair.classes(), 5);
        let set = pair.into_dataset(5);
        assert_eq!(
            (set.len(), set.channels(), set.fixed_size()),
            (3, 1, Some((2, 2)))
        );
        assert_eq!(set.classes(), ["0", "1", "2", "3", "4"]);
        assert_eq!(
            (0..3).map(|index| set.label(index)).collect::<Vec<_>>(),
            [4, 0, 2]
        );
        assert_eq!(set.picture(1).unwrap().pixels, [4, 5, 6, 7]);
        assert!(set.name(2).starts_with("record 2 of "));
    }
}

#[test]
fn companions_are_found_by_name() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(images_in(folder.path()), None);
    let train = write_pair(folder.path(), "train", true);
    assert_eq!(held_out_beside(&train), None);
    let test = write_pair(folder.path(), "t10k", false);
    assert_eq!(images_in(folder.path()), Some(train.clone()));
    assert_eq!(held_out_beside(&train), Some(test.clone()));
    assert_eq!(held_out_beside(&test), None);
    fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let Err(error) = Pair::open(&test) else {
        panic!("no labels")
    };
    assert!(
        error
            .to_string()
            .ends_with("(looked for t10k-labels-idx1-ubyte)"),
        "{error}"
    );
    let other = folder.path().join("digits.idx");
    fs::write(&other, idx(&[1, 1, 1], &[0])).unwrap();
    assert!(matches!(
        Pair::open(&other),
        Err(DataError::NoLabels { .. })
    ));
}

/// The error of an images file with these bytes.
fn refusal(bytes: &[u8], packed: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = write_pair(folder.path(), "train", packed);
    fs::write(&path, bytes).unwrap();
    let Err(error) = Pair::open(&path) else {
        panic!("accepted")
    };
    let message = error.to_string();
    assert!(message.contains("train-images-idx3-ubyte"), "{message}");
    message
}

#[test]
fn a_wrong_magic_number_is_named_with_the_right_one() {
    let message = refusal(&idx(&[3], &[4, 0, 2]), false);
    assert!(
        message.ends_with(
            "magic number 0x00000801, expected 0x00000803 (images: bytes in three dimensions)"
        ),
        "{message}"
    );
    assert!(refusal(b"\x89PNG\r\n\x1a\n0123456789", false).contains("0x89504e47"));
}

#[test]
fn lengths_that_contradict_the_header_are_errors() {
    let whole = idx(&[3, 2, 2], &[0; 12]);
    for kept in 0..whole.len() {
        refusal(&whole[..kept], false);
        refusal(&gz(&whole[..kept]), true);
    }
    let longer = idx(&[3, 2, 2], &[0; 13]);
    assert!(refusal(&longer, false).contains("declares 3×2×2 = 12 bytes, but the file holds 13"));
    assert!(refusal(&gz(&longer), true).contains("but there are more"));
    let packed = gz(&whole);
    for kept in 0..packed.len() - 8 {
        refusal(&packed[..kept], true);
    }
    assert!(refusal(&idx(&[0, 28, 28], &[]), false).ends_with("holds no pictures"));
}

/// Were memory taken for what these declare, the test process would die.
#[test]
fn huge_declared_sizes_take_no_memory() {
    let vast = idx(&[u32::MAX, 60_000, 1_000], &[0; 100]);
    assert!(refusal(&vast, false).contains("but the file holds 100"));
    assert!(refusal(&gz(&vast), true).contains("can hold at most"));
    let overflowing = idx(&[u32::MAX, u32::MAX, u32::MAX], &[]);
    assert!(refusal(&overflowing, false).contains("overflows"));
    // A bomb: small, unpacks to far more than declared; only one byte beyond is ever unpacked.
    let bomb = idx(&[1, 2, 2], &vec![0; 5_000_000]);
    assert!(refusal(&gz(&bomb), true).contains("but there are more"));
}

#[test]
fn as_many_labels_as_images() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_pair(folder.path(), "train", false);
    fs::write(
        folder.path().join("train-labels-idx1-ubyte"),
        idx(&[2], &[1, 1]),
    )
    .unwrap();
    let Err(error) = Pair::open(&path) else {
        panic!("accepted")
    };
    assert!(
        error.to_string().contains("2 labels for the 3 images"),
        "{error}"
    );
}
