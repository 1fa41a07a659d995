//! Many variants of an image through the network.

use crate::error::ExplainError;
use crate::forward::Forward;
use crate::subject::Subject;

/// The most images that are run at once: more gain no speed and take memory.
pub(crate) const MOST: usize = 16;

/// Bytes that a run of several images may take: images, maps, scratch and packed weights, as the program plans them. 16
/// images of 224 × 224 stay below it in the networks of the zoo; of larger images fewer are run at once, down to one,
/// which is run whatever it takes.
pub(crate) const BUDGET: usize = 1 << 30;

/// How many of `images` to run at once, of `most` at the most: what leaves the fewest places of the last run empty, of
/// equal ones the most.
pub(crate) fn batch_of(images: usize, most: usize) -> usize {
    let runs_of = |batch: &usize| images.div_ceil(*batch) * batch;
    let sizes = (most.div_ceil(2).max(1)..=most).rev();
    match images <= most {
        true => images.max(1),
        false => sizes.min_by_key(runs_of).unwrap_or(1),
    }
}

/// Runs the network on `count` images, several at once. `write` puts the image of a number in its place; `read` gets the
/// run, the image's place in it and its number, in order.
pub(crate) fn run_all(
    subject: &Subject,
    layers: &[&str],
    count: usize,
    mut write: impl FnMut(usize, &mut [f32]),
    mut read: impl FnMut(&Forward<'_>, usize, usize) -> Result<(), ExplainError>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), ExplainError> {
    let mut forward = Forward::for_many(subject, count, layers)?;
    let mut done = 0;
    progress(0, count);
    while done < count {
        let now = forward.batch().min(count - done);
        for place in 0..now {
            write(done + place, forward.image_mut(place));
        }
        forward.run_as_written();
        for place in 0..now {
            read(&forward, place, done + place)?;
        }
        done += now;
        progress(done, count);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_places_are_left_empty() {
        for (images, most) in [
            (1, 1),
            (16, 16),
            (17, 18),
            (50, 50),
            (226, 230),
            (1000, 1005),
        ] {
            let batch = batch_of(images, MOST);
            assert!(
                batch <= MOST && images.div_ceil(batch) * batch <= most,
                "{images}"
            );
        }
        assert_eq!([4, 3, 2, 1].map(|most| batch_of(9, most)), [3, 3, 1, 1]);
    }
}
