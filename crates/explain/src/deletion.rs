//! Whether a map names the pixels that matter (Petsiuk, Das and Saenko 2018, "RISE").

use crate::baseline::Baseline;
use crate::batches::run_all;
use crate::error::ExplainError;
use crate::map::Map;
use crate::subject::Subject;

/// How the probability of a class falls as pixels are taken away, those first that a map says matter most. The faster it
/// falls, the better the map: the area under the curve says how fast in one number.
///
/// ```no_run
/// use explain::{Baseline, Deletion, ExplainError, Map, Subject, saliency};
///
/// fn how_good(subject: &Subject, image: &[f32]) -> Result<f64, ExplainError> {
///     let map = Map::magnitude(&saliency(subject, image, 207)?)?;
///     let grey = Baseline::default();
///     Ok(Deletion::of(subject, image, 207, &map, 50, &grey, &mut |_, _| {})?.area())
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Deletion {
    /// Share of the pixels that are gone, from 0 to 1.
    pub removed: Vec<f64>,
    /// The probability of the class then.
    pub probabilities: Vec<f32>,
}

impl Deletion {
    /// Takes the pixels away in `steps` equal parts.
    ///
    /// # Errors
    /// A class that there is not, a map or baseline of another image, more steps than pixels, [`ExplainError::NotFinite`],
    /// and a network that cannot be run.
    pub fn of(
        subject: &Subject,
        image: &[f32],
        class: usize,
        map: &Map,
        steps: usize,
        baseline: &Baseline,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, ExplainError> {
        subject.check_class(class)?;
        subject.check_image(image)?;
        let [channels, height, width] = subject.image();
        if map.extents() != [height, width] {
            return Err(ExplainError::MapSize {
                given: map.extents(),
                image: [height, width],
            });
        }
        let pixels = height * width;
        if steps == 0 || steps > pixels {
            return Err(ExplainError::Setting {
                setting: "a number of steps",
                given: steps,
                what: "pixels",
                extent: pixels,
            });
        }
        let baseline = baseline.of_channels(channels)?;
        let order = map.descending()?;
        // A u128, as steps times pixels may be more than a usize holds.
        let gone = |step: usize| (step as u128 * pixels as u128 / steps as u128) as usize;
        let mut probabilities = Vec::with_capacity(steps + 1);
        run_all(
            subject,
            &[],
            steps + 1,
            |step, place| {
                place.copy_from_slice(image);
                for (channel, &value) in place.chunks_exact_mut(pixels).zip(&baseline) {
                    for &pixel in &order[..gone(step)] {
                        channel[pixel] = value;
                    }
                }
            },
            |forward, place, _| {
                probabilities.push(forward.probabilities(place)?[class]);
                Ok(())
            },
            progress,
        )?;
        let share = |step| gone(step) as f64 / pixels as f64;
        Ok(Self {
            removed: (0..=steps).map(share).collect(),
            probabilities,
        })
    }

    /// The area under the curve, between 0 and 1.
    pub fn area(&self) -> f64 {
        let steps = self.removed.windows(2).zip(self.probabilities.windows(2));
        let trapezium =
            |(x, y): (&[f64], &[f32])| (x[1] - x[0]) * (f64::from(y[0]) + f64::from(y[1])) / 2.0;
        steps.map(trapezium).sum()
    }
}
