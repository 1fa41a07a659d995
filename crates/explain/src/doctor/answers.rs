//! What a network answers to pictures, and how right it is.

use graph::passes;
use runtime::{Program, Run};

use super::{Parameters, Patient, Sample};

/// How a network does on a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Pictures it was asked about.
    pub pictures: usize,
    /// Part of them whose class has the greatest logit.
    pub accuracy: f64,
}

/// A network ready to be asked.
pub(super) struct Answers {
    program: Program,
    batch: usize,
}

/// The class answered to each picture.
#[derive(Debug)]
pub(super) struct Given(pub(super) Vec<u32>);

impl Answers {
    pub(super) fn of(patient: &Patient<'_>, parameters: &Parameters) -> Result<Self, String> {
        let graph = passes::inference(patient.network).map_err(|error| error.to_string())?;
        Ok(Self {
            program: patient.program(graph, parameters)?,
            batch: patient.batch(),
        })
    }

    /// Asks about all pictures, each value of which is changed before; `change` is told its channel.
    pub(super) fn ask(&mut self, sample: &Sample, change: impl Fn(usize, f32) -> f32) -> Given {
        self.ask_channels(sample, |channel| channel, change)
    }

    /// The same with the channels of a picture taken from other places first.
    pub(super) fn ask_channels(
        &mut self,
        sample: &Sample,
        taken_from: impl Fn(usize) -> usize,
        change: impl Fn(usize, f32) -> f32,
    ) -> Given {
        let (picture, channels) = (sample.picture(), sample.mean.len());
        let (plane, classes) = (picture / channels, sample.classes.len());
        let mut given = Vec::with_capacity(sample.len());
        for images in sample.images.chunks_exact(self.batch * picture) {
            let input = self.program.input_f32(0);
            for (out, image) in input
                .chunks_exact_mut(picture)
                .zip(images.chunks_exact(picture))
            {
                for (channel, out) in out.chunks_exact_mut(plane).enumerate() {
                    let from = &image[taken_from(channel) * plane..][..plane];
                    for (out, &value) in out.iter_mut().zip(from) {
                        *out = change(channel, value);
                    }
                }
            }
            self.program.run(Run::default());
            given.extend(self.program.output(0).chunks_exact(classes).map(likeliest));
        }
        Given(given)
    }
}

/// The first of the largest; a number that is none is never it.
fn likeliest(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (class, logit) in logits.iter().enumerate() {
        if *logit > logits[best] || logits[best].is_nan() {
            best = class;
        }
    }
    best as u32
}

impl Given {
    pub(super) fn score(&self, sample: &Sample) -> Score {
        let right = self.right(sample).filter(|&right| right).count();
        Score {
            pictures: sample.len(),
            accuracy: right as f64 / sample.len().max(1) as f64,
        }
    }

    /// Whether the answer to each picture is its label.
    pub(super) fn right<'a>(&'a self, sample: &'a Sample) -> impl Iterator<Item = bool> + 'a {
        self.0.iter().zip(&sample.labels).map(|(a, b)| a == b)
    }
}

/// Of two ways to answer the same pictures: how many more the second gets right, and whether that is no chance. What
/// both get right or wrong says nothing; of the rest each is a toss (McNemar 1947).
pub(super) fn gain(
    first: impl Iterator<Item = bool>,
    second: impl Iterator<Item = bool>,
) -> (i64, bool) {
    let (mut won, mut lost) = (0_i64, 0_i64);
    for (first, second) in first.zip(second) {
        won += i64::from(second && !first);
        lost += i64::from(first && !second);
    }
    let gain = won - lost;
    (gain, gain as f64 > 3.0 * ((won + lost) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_of_a_few_pictures_is_chance() {
        let answers = |right: usize| (0..20).map(move |place| place < right);
        assert_eq!(gain(answers(2), answers(8)), (6, false));
        assert_eq!(gain(answers(2), answers(18)), (16, true));
    }

    #[test]
    fn what_is_no_number_is_not_likeliest() {
        assert_eq!(likeliest(&[f32::NAN, 1.0, 2.0]), 2);
        assert_eq!(likeliest(&[1.0, f32::NAN, 0.5]), 0);
    }
}
