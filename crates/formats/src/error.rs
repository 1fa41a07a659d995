//! What can be wrong with a picture or a data set. Every message names the file and the numbers.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tensor::MemoryError;

/// A picture or a data set that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The operating system refused a file or folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Nothing lies at the path.
    #[error("{}: no such file or folder", path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// A folder without any entry.
    #[error("{}: the folder is empty", path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder tree without a single JPEG, PNG, WebP or BMP file.
    #[error("{}: no images (.jpg .jpeg .png .webp .bmp) below this folder", path.display())]
    NoImages {
        /// The folder.
        path: PathBuf,
    },
    /// Images lie directly in the folder, so their classes are unknown.
    #[error("{}: the images must lie in one folder per class, as CLASS/picture.jpg", path.display())]
    NoClassFolders {
        /// The folder.
        path: PathBuf,
    },
    /// Training needs at least two classes.
    #[error("{name}: only one class (`{class}`); training needs at least two")]
    OneClass {
        /// The data set.
        name: String,
        /// The only class.
        class: String,
    },
    /// A held-out class that training never sees.
    #[error("{}: class `{class}` is not among the {train_classes} classes of the training folder", path.display())]
    UnknownClass {
        /// The class folder.
        path: PathBuf,
        /// Its name.
        class: String,
        /// How many classes the training folder has.
        train_classes: usize,
    },
    /// A class folder whose name is not valid UTF-8 or holds control characters; class names are stored in
    /// checkpoints as text and shown in terminals.
    #[error("{path:?}: the name of a class folder must be valid UTF-8 without control characters")]
    ClassName {
        /// The class folder, shown with replacement characters.
        path: PathBuf,
    },
    /// An image that cannot be decoded: damaged, truncated, or of another format.
    #[error("{name}: {reason}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the decoder said.
        reason: String,
    },
    /// An image with more pixels than [`Picture::MAX_PIXELS`](crate::Picture::MAX_PIXELS).
    #[error(
        "{name}: {height}×{width} pixels (height×width) are more than the {limit} that are allowed"
    )]
    TooManyPixels {
        /// The file.
        name: String,
        /// Declared width.
        width: u32,
        /// Declared height.
        height: u32,
        /// The limit.
        limit: u64,
    },
    /// A file larger than any sensible one of its kind; refused before it is read.
    #[error("{}: {bytes} bytes are more than the {limit} that are allowed", path.display())]
    TooManyBytes {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The memory for a picture, or for the pictures of a file, could not be had.
    #[error("{name}: {source}")]
    Memory {
        /// The file.
        name: String,
        /// How much was wanted.
        source: MemoryError,
    },
    /// More than a twentieth of the pictures were unreadable.
    #[error(
        "{count} of {total} pictures are unreadable, more than 5 % of the whole data set; the first is {first}: {reason}"
    )]
    TooManySkipped {
        /// Unreadable pictures.
        count: usize,
        /// All pictures.
        total: usize,
        /// Name of the first unreadable one.
        first: String,
        /// What was wrong with it.
        reason: String,
    },
    /// An IDX file that begins with another magic number.
    #[error("{}: magic number {found:#010x}, expected {expected:#010x} ({meaning})", path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// The first four bytes, big-endian.
        found: u32,
        /// What they should be.
        expected: u32,
        /// What such a file holds.
        meaning: &'static str,
    },
    /// A file whose length contradicts its header or its record size.
    #[error("{}: {problem}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Both numbers, in words.
        problem: String,
    },
    /// Images and labels of an IDX pair differ in number.
    #[error("{}: {labels} labels for the {images} images of {}", labels_path.display(), images_path.display())]
    LabelCount {
        /// The images file.
        images_path: PathBuf,
        /// The labels file.
        labels_path: PathBuf,
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },
    /// No labels file beside an IDX images file.
    #[error("{}: no labels file beside it (looked for {expected})", path.display())]
    NoLabels {
        /// The images file.
        path: PathBuf,
        /// The name looked for.
        expected: String,
    },
    /// A label outside the classes of the format.
    #[error("record {record} of {}: label {label}, but there are only {classes} classes", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// Index of the record, from 0.
        record: usize,
        /// The label found.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A data set without a single picture.
    #[error("{name}: holds no pictures")]
    NoPictures {
        /// The data set.
        name: String,
    },
    /// A held-out fraction outside (0, 1).
    #[error("a held-out fraction of {fraction} is not between 0 and 1")]
    Fraction {
        /// The fraction as given.
        fraction: f64,
    },
    /// An index past the end of a data set.
    #[error("picture {index} of a data set of {len}")]
    Index {
        /// The index asked for.
        index: usize,
        /// Number of pictures.
        len: usize,
    },
}

impl DataError {
    /// Attaches the path to what the operating system said; a file that is not there has its own variant.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            // Nor is anything below what is no folder.
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing { path },
            _ => Self::Io { path, source },
        }
    }

    /// What is wrong with a picture, for where its name stands beside: messages of files begin with the file's name.
    pub fn reason(&self, name: &str) -> String {
        let text = self.to_string();
        let alone = text
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(": "));
        alone.map(str::to_owned).unwrap_or(text)
    }
}
