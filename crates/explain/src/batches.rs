//! Many variants of an image through the network.

use crate::error::ExplainError;
use crate::forward::Forward;
use crate::subject::Subject;

/// The most images that are run at once: more gain no speed and take memory.
const MOST: usize = 16;

/// How many of `images` to run at once: what leaves the fewest places of the last run empty, of equal ones the most.
pub(crate) fn batch_of(images: usize) -> usize {
    let runs_of = |batch: &usize| images.div_ceil(*batch) * batch;
    let sizes = (MOST.div_ceil(2)..=MOST).rev();
    match images <= MOST {
        true => images.max(1),
        false => sizes.min_by_key(runs_of).unwrap_or(MOST),
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
    let mut forward = Forward::for_many(subject, batch_of(count), layers)?;
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
            let batch = batch_of(images);
            assert!(
                batch <= MOST && images.div_ceil(batch) * batch <= most,
                "{images}"
            );
        }
    }
}
