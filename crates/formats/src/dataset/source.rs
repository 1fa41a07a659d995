//! What `--data` may name, and how it is told apart.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::folder::FolderDataset;
use super::shapes::{Part, Shapes};
use super::split::{Subset, stratified};
use super::{cifar, idx};
use crate::{DataError, Dataset};

/// Where pictures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The built-in procedural data set. A folder of that name is written `./shapes`.
    Shapes,
    /// A folder or a file; see [`open`].
    Path(PathBuf),
}

impl Source {
    /// The same pictures by a path that leads to them from any folder. As it stands where nothing is there, or
    /// where the path is not Unicode and could not be written down.
    pub fn absolute(&self) -> Self {
        match self {
            Self::Shapes => Self::Shapes,
            Self::Path(path) => {
                let found = path.canonicalize().ok();
                let found = found.filter(|path| path.to_str().is_some());
                Self::Path(found.unwrap_or_else(|| path.clone()))
            }
        }
    }
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "shapes" => Self::Shapes,
            path => Self::Path(path.into()),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shapes => f.write_str("shapes"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// How to open a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenOptions {
    /// The part to hold out of a source that has no held-out part of its own, between 0 and 1.
    pub val_fraction: Option<f64>,
    /// Decides which pictures are held out, and what the pictures of `shapes` show.
    pub seed: u64,
    /// Training pictures of `shapes`.
    pub shapes_train: usize,
    /// Held-out pictures of `shapes`.
    pub shapes_held_out: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            val_fraction: None,
            seed: 0,
            shapes_train: 8_000,
            shapes_held_out: 2_000,
        }
    }
}

/// Where the held-out pictures come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeldOut {
    /// The source has a held-out part of its own (`val/`, `t10k-…`, `test_batch.bin`); a fraction that was asked
    /// for is not used.
    Own,
    /// This fraction of every class was taken from the training pictures.
    Fraction(f64),
    /// There are none.
    None,
}

/// A data set, divided.
#[derive(Clone)]
pub struct Splits {
    /// Pictures to train on.
    pub train: Arc<dyn Dataset>,
    /// Pictures to measure on, with the same classes; `None` rather than a set without pictures.
    pub held_out: Option<Arc<dyn Dataset>>,
    /// Where the held-out pictures come from.
    pub held_out_from: HeldOut,
}

/// Opens a data set. What a path is, is told by what lies there:
///
/// | path | data set |
/// |---|---|
/// | folder with `train/` and one of `val/`, `valid/`, `validation/`, `test/` | images in class folders |
/// | folder with `train/` alone, or with the class folders themselves | the same, held out by `val_fraction` |
/// | folder with `train-images-idx3-ubyte` (or `.gz`) | MNIST; `t10k-…` is held out |
/// | folder with `data_batch_1.bin` … | CIFAR-10; `test_batch.bin` is held out |
/// | a `.bin` file | records of CIFAR-10 |
/// | another file | IDX images, the labels file beside it |
///
/// Folders of images are listed but not decoded; [`cache`](crate::cache) does that. IDX and CIFAR files are read
/// whole.
///
/// # Errors
/// Whatever [`DataError`] names: nothing there, nothing in it, one class only, a held-out class that training
/// does not have, damaged files.
pub fn open(source: &Source, options: &OpenOptions) -> Result<Splits, DataError> {
    let mut splits = match source {
        Source::Shapes => {
            let part =
                |part, len| Arc::new(Shapes::new(options.seed, part, len)) as Arc<dyn Dataset>;
            Splits {
                train: part(Part::Train, options.shapes_train),
                held_out: Some(part(Part::HeldOut, options.shapes_held_out)),
                held_out_from: HeldOut::Own,
            }
        }
        Source::Path(path) if path.is_dir() => open_folder(path, options)?,
        Source::Path(path) => open_file(path, options)?,
    };
    check_trainable(&*splits.train, source)?;
    if splits.held_out.as_ref().is_some_and(|set| set.is_empty()) {
        splits.held_out = None;
        splits.held_out_from = HeldOut::None;
    }
    Ok(splits)
}

fn open_folder(folder: &Path, options: &OpenOptions) -> Result<Splits, DataError> {
    if let Some(images) = idx::images_in(folder) {
        return open_idx(&images, options);
    }
    let batches = cifar::batches_in(folder);
    if !batches.is_empty() {
        let held_out = cifar::test_batch_in(folder);
        return open_cifar(&batches, held_out, options);
    }
    let train_folder = folder.join("train");
    if !train_folder.is_dir() {
        return open_images(folder, None, options);
    }
    let held_out = ["val", "valid", "validation", "test"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_dir());
    open_images(&train_folder, held_out, options)
}

fn open_file(path: &Path, options: &OpenOptions) -> Result<Splits, DataError> {
    if path.extension().is_some_and(|extension| extension == "bin") {
        open_cifar(&[path.to_path_buf()], None, options)
    } else {
        open_idx(path, options)
    }
}

fn open_images(
    train: &Path,
    held_out: Option<PathBuf>,
    options: &OpenOptions,
) -> Result<Splits, DataError> {
    let train = Arc::new(FolderDataset::open(train)?);
    let held_out = held_out
        .map(|folder| FolderDataset::open(&folder)?.with_classes_of(&train))
        .transpose()?
        .map(|set| Arc::new(set) as Arc<dyn Dataset>);
    divide(
        train.clone(),
        held_out,
        |index| train.relative_name(index),
        options,
    )
}

fn open_idx(images: &Path, options: &OpenOptions) -> Result<Splits, DataError> {
    let train = idx::Pair::open(images)?;
    let held_out = idx::held_out_beside(images)
        .map(|path| idx::Pair::open(&path))
        .transpose()?;
    let classes = held_out
        .as_ref()
        .map_or(0, idx::Pair::classes)
        .max(train.classes());
    let held_out = held_out.map(|pair| Arc::new(pair.into_dataset(classes)) as Arc<dyn Dataset>);
    divide(
        Arc::new(train.into_dataset(classes)),
        held_out,
        record_key,
        options,
    )
}

fn open_cifar(
    batches: &[PathBuf],
    held_out: Option<PathBuf>,
    options: &OpenOptions,
) -> Result<Splits, DataError> {
    let held_out = held_out
        .map(|path| cifar::open(&[path]))
        .transpose()?
        .map(|set| Arc::new(set) as Arc<dyn Dataset>);
    divide(
        Arc::new(cifar::open(batches)?),
        held_out,
        record_key,
        options,
    )
}

/// Records have no names that stay the same wherever the file lies; their index does.
fn record_key(index: usize) -> String {
    index.to_string()
}

/// Uses the source's own held-out part, or takes the fraction asked for, or none.
fn divide(
    train: Arc<dyn Dataset>,
    own: Option<Arc<dyn Dataset>>,
    key: impl Fn(usize) -> String,
    options: &OpenOptions,
) -> Result<Splits, DataError> {
    let (held_out_from, fraction) = match (&own, options.val_fraction) {
        (Some(_), _) => (HeldOut::Own, None),
        (None, Some(fraction)) => (HeldOut::Fraction(fraction), Some(fraction)),
        (None, None) => (HeldOut::None, None),
    };
    let Some(fraction) = fraction else {
        return Ok(Splits {
            train,
            held_out: own,
            held_out_from,
        });
    };
    let labels: Vec<usize> = (0..train.len()).map(|index| train.label(index)).collect();
    let (kept, taken) = stratified(&labels, key, fraction, options.seed)?;
    Ok(Splits {
        train: Arc::new(Subset::new(train.clone(), kept)?),
        held_out: Some(Arc::new(Subset::new(train, taken)?)),
        held_out_from,
    })
}

/// A network that can only ever answer one class learns nothing.
fn check_trainable(train: &dyn Dataset, source: &Source) -> Result<(), DataError> {
    let present: BTreeSet<usize> = (0..train.len()).map(|index| train.label(index)).collect();
    let name = source.to_string();
    match present.first() {
        None => Err(DataError::NoPictures { name }),
        Some(only) if present.len() == 1 => Err(DataError::OneClass {
            name,
            class: train.classes()[*only].clone(),
        }),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
