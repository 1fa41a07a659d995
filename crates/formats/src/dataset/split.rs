//! Holding out a part of a data set: stratified, seeded, and stable.

use std::sync::Arc;

use crate::{DataError, Dataset, Picture};

/// Some pictures of another data set, in an order of its own.
pub struct Subset {
    source: Arc<dyn Dataset>,
    indices: Vec<usize>,
}

impl Subset {
    /// The pictures of `source` at `indices`.
    ///
    /// # Errors
    /// [`DataError::Index`] for an index past the end of `source`.
    pub fn new(source: Arc<dyn Dataset>, indices: Vec<usize>) -> Result<Self, DataError> {
        let len = source.len();
        match indices.iter().find(|index| **index >= len) {
            Some(&index) => Err(DataError::Index { index, len }),
            None => Ok(Self { source, indices }),
        }
    }
}

impl Dataset for Subset {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn classes(&self) -> &[String] {
        self.source.classes()
    }

    fn label(&self, index: usize) -> usize {
        self.source.label(self.indices[index])
    }

    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        let len = self.len();
        let inner = self.indices.get(index);
        self.source
            .picture(*inner.ok_or(DataError::Index { index, len })?)
    }

    fn name(&self, index: usize) -> String {
        self.source.name(self.indices[index])
    }

    fn fixed_size(&self) -> Option<(usize, usize)> {
        self.source.fixed_size()
    }

    fn channels(&self) -> usize {
        self.source.channels()
    }

    fn in_memory(&self) -> bool {
        self.source.in_memory()
    }
}

/// Indices that stay for training and indices that are held out, both ascending.
///
/// Every class gives the same share, rounded, but keeps at least one picture for training and, if it has two,
/// gives at least one. Which ones depends on their keys and the seed alone: each picture draws a lot from its
/// key, and the lowest lots of a class are held out. So the split is the same on every machine, whatever order a
/// folder is read in, and a picture added later moves few others across.
///
/// # Errors
/// [`DataError::Fraction`] outside (0, 1).
pub(crate) fn stratified(
    labels: &[usize],
    key: impl Fn(usize) -> String,
    fraction: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>), DataError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(DataError::Fraction { fraction });
    }
    let classes = labels.iter().max().map_or(0, |last| last + 1);
    let mut members = vec![Vec::new(); classes];
    for (index, label) in labels.iter().enumerate() {
        members[*label].push((lot(&key(index), seed), index));
    }
    let mut held_out = vec![false; labels.len()];
    for class in &mut members {
        class.sort_unstable();
        let share = (class.len() as f64 * fraction).round() as usize;
        let most = class.len().saturating_sub(1);
        for (_, index) in &class[..share.clamp(most.min(1), most)] {
            held_out[*index] = true;
        }
    }
    Ok((0..labels.len()).partition(|index| !held_out[*index]))
}

/// A lot of 64 bits: FNV-1a over the key, then the finaliser of SplitMix64 so that the seed reaches every bit.
/// Written out because the split of a data set must never change with a library's version.
fn lot(key: &str, seed: u64) -> u64 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut bits = hash.wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(index: usize) -> String {
        format!("class/{index}.png")
    }

    #[test]
    fn every_class_gives_its_share_and_nothing_is_lost() {
        let labels: Vec<usize> = (0..1000)
            .map(|index| usize::from(index % 10 >= 7))
            .collect();
        let (train, held_out) = stratified(&labels, key, 0.1, 3).unwrap();
        let of_class = |set: &[usize], class| set.iter().filter(|i| labels[**i] == class).count();
        assert_eq!((of_class(&held_out, 0), of_class(&held_out, 1)), (70, 30));
        let mut all = [train, held_out].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn the_split_follows_names_and_seed_only() {
        let labels = vec![0; 200];
        let (_, forwards) = stratified(&labels, key, 0.2, 7).unwrap();
        let (_, backwards) = stratified(&labels, |i| key(199 - i), 0.2, 7).unwrap();
        let mut mirrored: Vec<_> = backwards.iter().map(|index| 199 - index).collect();
        mirrored.sort_unstable();
        assert_eq!(forwards, mirrored);
        let (_, other) = stratified(&labels, key, 0.2, 8).unwrap();
        let shared = other
            .iter()
            .filter(|index| forwards.contains(index))
            .count();
        assert!(shared < 20, "{shared} of 40 shared between two seeds");
    }

    #[test]
    fn small_classes_keep_one_and_give_one() {
        let held_out = |count, fraction| {
            stratified(&vec![0; count], key, fraction, 0)
                .unwrap()
                .1
                .len()
        };
        assert_eq!(held_out(1, 0.5), 0);
        assert_eq!(held_out(2, 0.01), 1);
        assert_eq!(held_out(2, 0.99), 1);
        assert_eq!(held_out(0, 0.5), 0);
    }

    #[test]
    fn fractions_outside_the_open_interval_are_refused() {
        for fraction in [0.0, 1.0, -0.1, 2.0, f64::NAN] {
            assert!(matches!(
                stratified(&[0, 1], key, fraction, 0),
                Err(DataError::Fraction { .. })
            ));
        }
    }
}
