//! CIFAR-10 in its binary form: records of 3073 bytes, a label and the red, green and blue planes of 32×32.
//!
//! Source: <https://www.cs.toronto.edu/~kriz/cifar.html>, "Binary version".

use std::path::{Path, PathBuf};

use tensor::MemoryError;

use super::memory::{MemoryDataset, Pixels};
use crate::{DataError, Dataset};

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
const RECORD: usize = 1 + 3 * PLANE;

/// In the order of `batches.meta.txt`.
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

/// The whole of CIFAR-10 is six files of 30 MB; a file of more than this is something else.
const MAX_FILE_BYTES: u64 = 2_000_000_000;

/// The training batches in a folder, in order; empty when it is no CIFAR-10 folder.
pub(super) fn batches_in(folder: &Path) -> Vec<PathBuf> {
    (1..=5)
        .map(|batch| folder.join(format!("data_batch_{batch}.bin")))
        .filter(|path| path.is_file())
        .collect()
}

/// The held-out batch of a folder.
pub(super) fn test_batch_in(folder: &Path) -> Option<PathBuf> {
    Some(folder.join("test_batch.bin")).filter(|path| path.is_file())
}

/// Reads record files one after the other into one data set.
pub(super) fn open(files: &[PathBuf]) -> Result<impl Dataset + use<>, DataError> {
    let mut labels = Vec::new();
    let mut bytes = Vec::new();
    let mut starts = Vec::new();
    for path in files {
        starts.push((labels.len(), path.clone()));
        read(path, &mut labels, &mut bytes)?;
    }
    let pixels = Pixels::Equal {
        height: SIDE,
        width: SIDE,
        channels: 3,
        bytes,
    };
    let classes = CLASSES.map(str::to_owned).to_vec();
    let naming = Box::new(move |index| {
        let file = starts.partition_point(|(start, _)| *start <= index) - 1;
        let (start, path) = &starts[file];
        format!("record {} of {}", index - start, path.display())
    });
    Ok(MemoryDataset::new(pixels, labels, classes, naming))
}

/// Appends the labels and the pixels, planes turned into HWC, of one file.
fn read(path: &Path, labels: &mut Vec<u32>, pixels: &mut Vec<u8>) -> Result<(), DataError> {
    let io = |source| DataError::io(path, source);
    let length = std::fs::metadata(path).map_err(io)?.len();
    if length > MAX_FILE_BYTES {
        return Err(DataError::TooManyBytes {
            path: path.to_path_buf(),
            bytes: length,
            limit: MAX_FILE_BYTES,
        });
    }
    if length == 0 || length % RECORD as u64 != 0 {
        return Err(DataError::Length {
            path: path.to_path_buf(),
            problem: format!("{length} bytes are not a whole number of {RECORD}-byte records"),
        });
    }
    let content = std::fs::read(path).map_err(io)?;
    let more = content.len() / RECORD * 3 * PLANE;
    if pixels.try_reserve_exact(more).is_err() {
        return Err(DataError::Memory {
            name: path.display().to_string(),
            source: MemoryError {
                bytes: pixels.len() + more,
            },
        });
    }
    for (record, bytes) in content.chunks_exact(RECORD).enumerate() {
        let label = bytes[0];
        if usize::from(label) >= CLASSES.len() {
            return Err(DataError::Label {
                path: path.to_path_buf(),
                record,
                label: label.into(),
                classes: CLASSES.len(),
            });
        }
        labels.push(label.into());
        let (red, rest) = bytes[1..].split_at(PLANE);
        let (green, blue) = rest.split_at(PLANE);
        for ((r, g), b) in red.iter().zip(green).zip(blue) {
            pixels.extend([*r, *g, *b]);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn record(label: u8, red: u8) -> Vec<u8> {
        let mut bytes = vec![label];
        bytes.extend((0..PLANE).map(|place| red.wrapping_add(place as u8)));
        bytes.extend([100; PLANE]);
        bytes.extend([200; PLANE]);
        bytes
    }

    #[test]
    fn records_of_several_files_follow_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = [1, 2].map(|n| folder.path().join(format!("data_batch_{n}.bin")));
        fs::write(&first, [record(9, 10), record(0, 20)].concat()).unwrap();
        fs::write(&second, record(3, 30)).unwrap();
        let files = batches_in(folder.path());
        assert_eq!(files, [first, second.clone()]);
        assert_eq!(test_batch_in(folder.path()), None);

        let set = open(&files).unwrap();
        assert_eq!(
            (set.len(), set.fixed_size(), set.channels()),
            (3, Some((32, 32)), 3)
        );
        assert_eq!((set.label(0), set.label(1), set.label(2)), (9, 0, 3));
        assert_eq!(
            (&*set.classes()[0], &*set.classes()[9]),
            ("airplane", "truck")
        );
        assert_eq!(
            set.picture(2).unwrap().pixels[..6],
            [30, 100, 200, 31, 100, 200]
        );
        assert_eq!(set.name(2), format!("record 0 of {}", second.display()));
        assert!(set.name(1).starts_with("record 1 of "));
    }

    #[test]
    fn odd_lengths_and_labels_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.bin");
        for length in [0, 1, RECORD - 1, RECORD + 1] {
            fs::write(&path, vec![0; length]).unwrap();
            let Err(error) = open(std::slice::from_ref(&path)) else {
                panic!("{length} accepted")
            };
            assert!(
                error
                    .to_string()
                    .contains(&format!("{length} bytes are not")),
                "{error}"
            );
        }
        fs::write(&path, [record(9, 0), record(10, 0)].concat()).unwrap();
        let Err(error) = open(std::slice::from_ref(&path)) else {
            panic!("label 10 accepted")
        };
        assert!(error.to_string().starts_with("record 1 of "), "{error}");
        assert!(
            error
                .to_string()
                .ends_with("label 10, but there are only 10 classes"),
            "{error}"
        );
        fs::remove_file(&path).unwrap();
        assert!(matches!(open(&[path]), Err(DataError::Missing { .. })));
    }
}
