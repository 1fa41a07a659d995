//! The size that the pictures of a data set share.

use formats::Dataset;

/// Pictures looked at.
const SAMPLE: usize = 64;

/// `(height, width)` of the pictures, if they are of one size: as the data set knows it, or as 64 pictures (all of a
/// smaller set), spread evenly, agree on. Unreadable ones are passed over.
///
/// The answer depends on the pictures alone, so it is asked before they are taken into memory: whether that happens
/// must not decide what network is trained.
pub(crate) fn common_size(dataset: &dyn Dataset) -> Option<(usize, usize)> {
    if let Some(size) = dataset.fixed_size() {
        return Some(size);
    }
    let sample = dataset.len().min(SAMPLE);
    let mut sizes = (0..sample)
        .filter_map(|place| dataset.picture(place * dataset.len() / sample).ok())
        .map(|picture| (picture.height, picture.width));
    let first = sizes.next()?;
    sizes.all(|size| size == first).then_some(first)
}
