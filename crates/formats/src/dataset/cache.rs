//! Decodes a small data set once, on several threads, and keeps it.
//!
//! A 32×32 JPEG takes longer to open and decode than to augment, and a run visits it once an epoch. When the
//! decoded pictures fit the limit they are all held; otherwise the data set is handed back as it came.
//!
//! Pictures of one size (the usual case for small ones) go straight to their place in **one** buffer, so no
//! second copy ever exists. The buffer is cut into runs of pictures, and each thread takes the next free run.
//! Whether all sizes are equal is only known at the end: a stranger stops the attempt, and the set is decoded
//! again into separate pictures. Unreadable pictures leave gaps, which are closed afterwards.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Builder;

use tensor::memory::try_zeros;

use super::memory::{MemoryDataset, Pixels};
use crate::{DataError, Dataset, Picture, Skipped};

/// Pictures that one thread takes at a time.
const RUN: usize = 128;

/// Pictures decoded beforehand to guess sizes, spread evenly over the data set.
const PROBES: usize = 16;

/// Holds the data set decoded in memory if its pixels take at most `limit_bytes`, decoding on `threads` threads.
///
/// Returns the data set to use and what was left out of it. A set that is already in memory, too large, or larger
/// than the memory that the system gives comes back unchanged with nothing skipped; its user then skips unreadable pictures one by one, with the same
/// bookkeeping. The result does not depend on the number of threads.
///
/// How many unreadable pictures are too many is for the caller to say ([`Skipped::check`]), who knows whether this is
/// a whole data set or a part of one. Even a set without a single readable picture comes back, empty.
///
/// ```
/// use convolve_formats::{Dataset, OpenOptions, Source, cache, open};
/// let splits = open(&Source::Shapes, &OpenOptions { shapes_train: 200, ..Default::default() })?;
/// let (train, skipped) = cache(splits.train, 1 << 30, 2);
/// assert!(train.in_memory() && skipped.is_empty());
/// # Ok::<(), convolve_formats::DataError>(())
/// ```
pub fn cache(
    dataset: Arc<dyn Dataset>,
    limit_bytes: u64,
    threads: usize,
) -> (Arc<dyn Dataset>, Skipped) {
    let nothing = Skipped::new(dataset.len());
    if dataset.in_memory() || dataset.is_empty() {
        return (dataset, nothing);
    }
    let probes = probe(&*dataset);
    let bytes: u64 = probes
        .iter()
        .map(|picture| picture.pixels.len() as u64)
        .sum();
    // Without a single readable probe the estimate is 0: decoding goes on and finds out how bad it is.
    let estimate = bytes / probes.len().max(1) as u64 * dataset.len() as u64;
    // A guess from a sample may be off; the mixed attempt counts for itself and gives up at the limit.
    if estimate > limit_bytes.saturating_mul(2) {
        return (dataset, nothing);
    }
    let equal = probes
        .first()
        .filter(|first| probes.iter().all(|other| size(other) == size(first)));
    if let Some(first) = equal {
        if estimate > limit_bytes {
            return (dataset, nothing);
        }
        let (height, width, channels) = size(first);
        let Ok(room) = try_zeros(dataset.len() * height * width * channels) else {
            return (dataset, nothing);
        };
        if let Some(decoded) = decode_equal(&*dataset, size(first), room, threads) {
            return keep(dataset, decoded);
        }
    }
    match decode_mixed(&*dataset, limit_bytes, threads) {
        Some(decoded) => keep(dataset, decoded),
        None => (dataset, nothing),
    }
}

/// Height, width, channels.
type Size = (usize, usize, usize);

fn size(picture: &Picture) -> Size {
    (picture.height, picture.width, picture.channels)
}

fn probe(dataset: &dyn Dataset) -> Vec<Picture> {
    let count = dataset.len().min(PROBES);
    (0..count)
        .filter_map(|probe| dataset.picture(probe * dataset.len() / count).ok())
        .collect()
}

/// The readable pictures in order, and the index and reason of each unreadable one.
struct Decoded {
    pixels: Pixels,
    unreadable: Vec<(usize, DataError)>,
}

/// Decodes into one buffer with room for all; `None` as soon as a picture has another size, or there is no memory for
/// it.
fn decode_equal(
    dataset: &dyn Dataset,
    size: Size,
    mut bytes: Vec<u8>,
    threads: usize,
) -> Option<Decoded> {
    let (height, width, channels) = size;
    let length = height * width * channels;
    let runs = Mutex::new(bytes.chunks_mut(RUN * length).enumerate());
    let stranger = AtomicBool::new(false);
    let unreadable = on_threads(threads, || {
        let mut unreadable = Vec::new();
        while !stranger.load(Ordering::Relaxed)
            && let Some((run, places)) = next(&runs)
        {
            for (offset, place) in places.chunks_exact_mut(length).enumerate() {
                let index = run * RUN + offset;
                match dataset.picture(index) {
                    Ok(picture) if self::size(&picture) == size => {
                        place.copy_from_slice(&picture.pixels);
                    }
                    Ok(_) | Err(DataError::Memory { .. }) => {
                        stranger.store(true, Ordering::Relaxed);
                    }
                    Err(error) => unreadable.push((index, error)),
                }
            }
        }
        unreadable
    });
    if stranger.into_inner() {
        return None;
    }
    close_gaps(&mut bytes, length, &unreadable);
    let pixels = Pixels::Equal {
        height,
        width,
        channels,
        bytes,
    };
    Some(Decoded { pixels, unreadable })
}

/// Moves the pictures after each unreadable one forwards; `unreadable` is sorted.
fn close_gaps(bytes: &mut Vec<u8>, length: usize, unreadable: &[(usize, DataError)]) {
    let total = bytes.len() / length;
    for (gaps, (index, _)) in unreadable.iter().enumerate() {
        let end = unreadable.get(gaps + 1).map_or(total, |(next, _)| *next);
        bytes.copy_within((index + 1) * length..end * length, (index - gaps) * length);
    }
    bytes.truncate((total - unreadable.len()) * length);
    bytes.shrink_to_fit();
}

/// Decodes into separate pictures; `None` once they take more than the limit, or than the system gives.
fn decode_mixed(dataset: &dyn Dataset, limit_bytes: u64, threads: usize) -> Option<Decoded> {
    let indices = Mutex::new(0..dataset.len());
    let (taken, full) = (AtomicU64::new(0), AtomicBool::new(false));
    let results = on_threads(threads, || {
        let mut results = Vec::new();
        while !full.load(Ordering::Relaxed)
            && let Some(index) = next(&indices)
        {
            let result = dataset.picture(index);
            let bytes = match &result {
                Ok(picture) => picture.pixels.len() as u64,
                Err(_) => 0,
            };
            let before = taken.fetch_add(bytes, Ordering::Relaxed);
            if before + bytes > limit_bytes || matches!(result, Err(DataError::Memory { .. })) {
                full.store(true, Ordering::Relaxed);
            }
            results.push((index, result));
        }
        results
    });
    if full.into_inner() {
        return None;
    }
    let mut pictures = Vec::new();
    let mut unreadable = Vec::new();
    for (index, result) in results {
        match result {
            Ok(picture) => pictures.push(picture),
            Err(error) => unreadable.push((index, error)),
        }
    }
    let pixels = Pixels::Mixed(pictures);
    Some(Decoded { pixels, unreadable })
}

/// The next piece of work. A poisoned lock means another worker panicked; its panic is what the caller sees.
fn next<I: Iterator>(work: &Mutex<I>) -> Option<I::Item> {
    work.lock().ok()?.next()
}

/// Runs one worker per thread, the calling one among them, and returns what they found, sorted by index. Where the
/// system refuses a thread, those that are there share its work.
fn on_threads<T: Send>(
    threads: usize,
    worker: impl Fn() -> Vec<(usize, T)> + Sync,
) -> Vec<(usize, T)> {
    let mut found: Vec<(usize, T)> = std::thread::scope(|scope| {
        let start = |_| Builder::new().spawn_scoped(scope, &worker).ok();
        let others: Vec<_> = (1..threads).map_while(start).collect();
        let mut found = worker();
        for other in others {
            match other.join() {
                Ok(more) => found.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        found
    });
    found.sort_by_key(|(index, _)| *index);
    found
}

fn keep(dataset: Arc<dyn Dataset>, decoded: Decoded) -> (Arc<dyn Dataset>, Skipped) {
    let mut skipped = Skipped::new(dataset.len());
    let mut dropped = vec![false; dataset.len()];
    for (index, error) in &decoded.unreadable {
        let name = dataset.name(*index);
        let reason = error.reason(&name);
        skipped.add(name, reason);
        dropped[*index] = true;
    }
    let kept: Vec<u32> = (0..dataset.len())
        .filter(|index| !dropped[*index])
        .map(|index| index as u32)
        .collect();
    let labels = kept
        .iter()
        .map(|index| dataset.label(*index as usize) as u32)
        .collect();
    let classes = dataset.classes().to_vec();
    let naming = Box::new(move |position: usize| dataset.name(kept[position] as usize));
    let memory = MemoryDataset::new(decoded.pixels, labels, classes, naming);
    (Arc::new(memory), skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Picture `i` is filled with the byte `i`; those in `bad` are unreadable, those in `wide` twice as wide.
    struct Numbered {
        count: usize,
        bad: Vec<usize>,
        wide: Vec<usize>,
        classes: Vec<String>,
    }

    fn numbered(count: usize, bad: &[usize], wide: &[usize]) -> Arc<dyn Dataset> {
        Arc::new(Numbered {
            count,
            bad: bad.to_vec(),
            wide: wide.to_vec(),
            classes: vec!["even".into(), "odd".into()],
        })
    }

    impl Dataset for Numbered {
        fn len(&self) -> usize {
            self.count
        }
        fn classes(&self) -> &[String] {
            &self.classes
        }
        fn label(&self, index: usize) -> usize {
            index % 2
        }
        fn picture(&self, index: usize) -> Result<Picture, DataError> {
            if self.bad.contains(&index) {
                let (name, reason) = (self.name(index), "torn".to_owned());
                return Err(DataError::Unreadable { name, reason });
            }
            let width = if self.wide.contains(&index) { 4 } else { 2 };
            let pixels = vec![index as u8; width * 3];
            Ok(Picture {
                height: 1,
                width,
                channels: 3,
                pixels,
            })
        }
        fn name(&self, index: usize) -> String {
            format!("number {index}")
        }
        fn fixed_size(&self) -> Option<(usize, usize)> {
            None
        }
        fn channels(&self) -> usize {
            3
        }
    }

    /// Every kept picture must still carry its own number, label and name.
    fn check(cached: &dyn Dataset, kept: &[usize]) {
        assert!(cached.in_memory());
        assert_eq!(cached.len(), kept.len());
        for (position, index) in kept.iter().enumerate() {
            let picture = cached.picture(position).unwrap();
            assert!(picture.pixels.iter().all(|byte| *byte == *index as u8));
            assert_eq!(cached.label(position), index % 2);
            assert_eq!(cached.name(position), format!("number {index}"));
        }
        assert!(matches!(
            cached.picture(kept.len()),
            Err(DataError::Index { .. })
        ));
    }

    #[test]
    fn gaps_of_unreadable_pictures_close() {
        let bad = [0, 1, 77, 130, 131, 249];
        let kept: Vec<usize> = (0..250).filter(|index| !bad.contains(index)).collect();
        for threads in [1, 3] {
            let (cached, skipped) = cache(numbered(250, &bad, &[]), 10_000, threads);
            check(&*cached, &kept);
            assert_eq!(cached.fixed_size(), Some((1, 2)));
            assert_eq!((skipped.count, skipped.total), (6, 250));
            assert_eq!(skipped.first[2], ("number 77".into(), "torn".into()));
        }
    }

    #[test]
    fn a_picture_of_another_size_makes_the_set_mixed() {
        let kept: Vec<usize> = (0..250).filter(|index| *index != 30).collect();
        for threads in [1, 3] {
            let (cached, skipped) = cache(numbered(250, &[30], &[201]), 10_000, threads);
            check(&*cached, &kept);
            assert_eq!(cached.fixed_size(), None);
            assert_eq!(cached.picture(200).unwrap().width, 4);
            assert_eq!(skipped.count, 1);
        }
    }

    #[test]
    fn the_limit_counts_every_byte() {
        // 250 pictures of 6 bytes, one of them 12.
        assert!(cache(numbered(250, &[], &[]), 1_500, 2).0.in_memory());
        assert!(!cache(numbered(250, &[], &[]), 1_499, 2).0.in_memory());
        assert!(cache(numbered(250, &[], &[9]), 1_506, 2).0.in_memory());
        assert!(!cache(numbered(250, &[], &[9]), 1_505, 2).0.in_memory());
        assert!(!cache(numbered(250, &[], &[]), 100, 2).0.in_memory());
    }

    #[test]
    fn more_than_a_twentieth_unreadable_is_told() {
        let bad: Vec<usize> = (0..13).collect();
        let skipped = |bad| cache(numbered(250, bad, &[]), 10_000, 2).1;
        assert!(skipped(&bad[..12]).check().is_ok());
        let error = skipped(&bad).check().unwrap_err().to_string();
        assert!(error.starts_with("13 of 250 pictures"), "{error}");
        let all: Vec<usize> = (0..250).collect();
        let (none, skipped) = cache(numbered(250, &all, &[]), 10_000, 2);
        assert!(none.is_empty() && skipped.check().is_err());
    }
}
