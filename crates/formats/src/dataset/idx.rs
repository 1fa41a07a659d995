//! IDX files, the format of MNIST (`.gz` or plain), as its page describes them:
//!
//! ```text
//! 0x00 0x00 │ element type: 0x08 = unsigned byte │ rank │ u32 big-endian per dimension │ elements, last fastest
//! ```
//!
//! The header declares the size, and hostile headers declare terabytes. A plain file must have exactly the
//! declared length. Of a packed one the length is unknown until it is unpacked, but DEFLATE shrinks by at most
//! 1032 : 1, so a declared size beyond that is refused at once, and no more than the declared size is unpacked.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use tensor::memory::try_room;

use super::memory::{MemoryDataset, Pixels};
use super::numbered_classes;
use crate::{DataError, Dataset};

/// Magic number of unsigned bytes without the rank.
const UNSIGNED_BYTES: u32 = 0x0000_0800;

/// DEFLATE codes at most 258 bytes in two bits: 1032 times the packed length.
const MOST_SHRINKAGE: u64 = 1032;

/// Greyscale images and labels, not yet a data set: the number of classes depends on the held-out labels too.
pub(super) struct Pair {
    path: PathBuf,
    dimensions: [usize; 3],
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Pair {
    /// Reads an images file and the labels file beside it.
    pub(super) fn open(images_path: &Path) -> Result<Self, DataError> {
        let (dimensions, pixels) = read::<3>(images_path, "images: bytes in three dimensions")?;
        if pixels.is_empty() {
            return Err(DataError::NoPictures {
                name: images_path.display().to_string(),
            });
        }
        let labels_path = labels_beside(images_path)?;
        let ([count], labels) = read::<1>(&labels_path, "labels: bytes in one dimension")?;
        if count != dimensions[0] {
            return Err(DataError::LabelCount {
                images_path: images_path.to_path_buf(),
                labels_path,
                images: dimensions[0],
                labels: count,
            });
        }
        Ok(Self {
            path: images_path.to_path_buf(),
            dimensions,
            pixels,
            labels,
        })
    }

    /// The number of classes that the labels ask for: the greatest and one, but at least two.
    pub(super) fn classes(&self) -> usize {
        let greatest = self.labels.iter().max().copied().unwrap_or(0);
        (usize::from(greatest) + 1).max(2)
    }

    pub(super) fn into_dataset(self, classes: usize) -> impl Dataset {
        let [_, height, width] = self.dimensions;
        let pixels = Pixels::Equal {
            height,
            width,
            channels: 1,
            bytes: self.pixels,
        };
        let labels = self.labels.iter().map(|label| u32::from(*label)).collect();
        let path = self.path;
        let naming = Box::new(move |index| format!("record {index} of {}", path.display()));
        MemoryDataset::new(pixels, labels, numbered_classes(classes), naming)
    }
}

/// The training images of MNIST in a folder, if it holds them.
pub(super) fn images_in(folder: &Path) -> Option<PathBuf> {
    ["train-images-idx3-ubyte", "train-images.idx3-ubyte"]
        .iter()
        .flat_map(|name| [folder.join(name), folder.join(format!("{name}.gz"))])
        .find(|path| path.is_file())
}

/// The held-out images that belong to training images: `t10k-` for MNIST, `test-` for EMNIST.
pub(super) fn held_out_beside(images_path: &Path) -> Option<PathBuf> {
    let name = images_path.file_name()?.to_str()?;
    if !name.contains("train") {
        return None;
    }
    ["t10k", "test"]
        .iter()
        .find_map(|part| existing(images_path, &name.replace("train", part)))
}

/// The labels of an images file lie beside it: `…images-idx3-ubyte` and `…labels-idx1-ubyte`.
fn labels_beside(images_path: &Path) -> Result<PathBuf, DataError> {
    let name = images_path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let expected = name.replace("images", "labels").replace("idx3", "idx1");
    // A name without the word would lead back to the images file itself.
    let found = (expected != *name).then(|| existing(images_path, &expected));
    found.flatten().ok_or_else(|| DataError::NoLabels {
        path: images_path.to_path_buf(),
        expected: match expected == *name {
            true => "the same name with `labels` for `images`".into(),
            false => expected,
        },
    })
}

/// The file of that name beside another, packed or not.
fn existing(beside: &Path, name: &str) -> Option<PathBuf> {
    let plain = name.strip_suffix(".gz").unwrap_or(name);
    [name.to_owned(), plain.to_owned(), format!("{plain}.gz")]
        .into_iter()
        .map(|name| beside.with_file_name(name))
        .find(|path| path.is_file())
}

/// Reads an IDX file of unsigned bytes of the given rank: its dimensions and elements.
fn read<const RANK: usize>(
    path: &Path,
    meaning: &'static str,
) -> Result<([usize; RANK], Vec<u8>), DataError> {
    let io = |source| DataError::io(path, source);
    let file = tensor::regular::open(path).map_err(io)?;
    let file_length = file.metadata().map_err(io)?.len();
    let packed = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let file = BufReader::new(file);
    let mut reader: Box<dyn Read> = if packed {
        Box::new(GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let length_error = |problem: String| DataError::Length {
        path: path.to_path_buf(),
        problem,
    };
    let mut word = || -> Result<u32, DataError> {
        let mut bytes = [0; 4];
        reader
            .read_exact(&mut bytes)
            .map_err(|error| length_error(format!("the header is cut short ({error})")))?;
        Ok(u32::from_be_bytes(bytes))
    };

    let (found, expected) = (word()?, UNSIGNED_BYTES | RANK as u32);
    if found != expected {
        return Err(DataError::Magic {
            path: path.to_path_buf(),
            found,
            expected,
            meaning,
        });
    }
    let mut dimensions = [0; RANK];
    for dimension in &mut dimensions {
        *dimension = word()? as usize;
    }
    let shape = dimensions.map(|dimension| dimension.to_string()).join("×");
    let declared = dimensions
        .iter()
        .try_fold(1_u64, |product, dimension| {
            product.checked_mul(*dimension as u64)
        })
        .ok_or_else(|| {
            length_error(format!(
                "the product of the declared sizes {shape} overflows"
            ))
        })?;

    let header = 4 * (1 + RANK as u64);
    let most = match packed {
        true => file_length.saturating_mul(MOST_SHRINKAGE),
        false => file_length.saturating_sub(header),
    };
    if declared > most || (!packed && declared < most) {
        let kind = if packed {
            "the file can hold at most"
        } else {
            "the file holds"
        };
        return Err(length_error(format!(
            "the header declares {shape} = {declared} bytes, but {kind} {most}"
        )));
    }
    let mut elements = try_room(declared as usize).map_err(|source| DataError::Memory {
        name: path.display().to_string(),
        source,
    })?;
    // One byte more than declared would show that the file goes on.
    let got = reader
        .take(declared + 1)
        .read_to_end(&mut elements)
        .map_err(|error| length_error(format!("cannot be unpacked ({error})")))?;
    if got as u64 != declared {
        let got = if got as u64 > declared {
            "more".into()
        } else {
            format!("only {got}")
        };
        return Err(length_error(format!(
            "the header declares {shape} = {declared} bytes, but there are {got}"
        )));
    }
    Ok((dimensions, elements))
}

#[cfg(test)]
mod tests;
