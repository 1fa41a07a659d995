//! Labelled pictures with random access: the interface, and one file per kind of source.

pub(crate) mod cache;
mod cifar;
pub(crate) mod folder;
mod idx;
pub(crate) mod memory;
pub(crate) mod shapes;
pub(crate) mod skipped;
pub(crate) mod source;
pub(crate) mod split;

use crate::{DataError, Picture};

/// Labelled pictures, read one by one and from several threads at once.
///
/// Methods that take an index expect one below [`len`](Dataset::len); [`picture`](Dataset::picture) answers
/// anything else with an error, [`label`](Dataset::label) and [`name`](Dataset::name) panic as a slice would.
pub trait Dataset: Send + Sync {
    /// Number of pictures.
    fn len(&self) -> usize;

    /// True without pictures; what [`open`](crate::open) returns never is.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of the classes; a label is an index into them.
    fn classes(&self) -> &[String];

    /// The class of a picture.
    fn label(&self, index: usize) -> usize;

    /// Reads or makes a picture.
    ///
    /// # Errors
    /// A damaged or missing file, or an index past the end.
    fn picture(&self, index: usize) -> Result<Picture, DataError>;

    /// What messages call the picture: its path, or `record 17 of FILE`.
    fn name(&self, index: usize) -> String;

    /// `(height, width)` of every picture, where all are equal and this is known without decoding them.
    fn fixed_size(&self) -> Option<(usize, usize)>;

    /// Channels of every picture: 1 (grey) or 3 (RGB).
    fn channels(&self) -> usize;

    /// True when the pictures lie decoded in memory, so that [`cache`](crate::cache) would gain nothing.
    fn in_memory(&self) -> bool {
        false
    }
}

/// The class names that numbers stand for when a format has none: `0`, `1`, ….
fn numbered_classes(count: usize) -> Vec<String> {
    (0..count).map(|class| class.to_string()).collect()
}
