//! `shapes`: a built-in data set of ten classes, drawn when asked for.
//!
//! One object lies on a cluttered ground: position, size, turn, colours, gradient, lines, blobs and noise are all
//! drawn by lot, so no pixel by itself says much (a linear classifier stays far below 40 %), while the outline is
//! always clear to see. Nothing is stored: the seed, the part and the index of a picture are the key of a
//! counter-based generator (ChaCha with 8 rounds, one stream per picture), so any picture can be drawn at any
//! time, on any thread. Only additions, products, quotients and square roots are used, which IEEE 754 rounds the
//! same way everywhere: a picture is the same, to the bit, on every machine.

mod outline;
mod scene;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{DataError, Dataset, Picture};

/// Height and width of every picture.
pub(crate) const SIDE: usize = 32;

/// Which of two disjoint sequences of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Pictures to train on.
    Train,
    /// Pictures to measure on; none of them occurs in training.
    HeldOut,
}

/// The procedural data set: 32×32 RGB pictures, ten classes in turn (`label = index mod 10`).
///
/// ```
/// use convolve_formats::{Dataset, Part, Shapes};
/// let shapes = Shapes::new(7, Part::Train, 1000);
/// assert_eq!(shapes.classes()[shapes.label(13)], "star");
/// assert_eq!(shapes.picture(13)?, Shapes::new(7, Part::Train, 14).picture(13)?);
/// # Ok::<(), convolve_formats::DataError>(())
/// ```
pub struct Shapes {
    key: ChaCha8Rng,
    part: Part,
    len: usize,
    classes: Vec<String>,
}

impl Shapes {
    /// The first `len` pictures of a part.
    pub fn new(seed: u64, part: Part, len: usize) -> Self {
        Self {
            key: ChaCha8Rng::seed_from_u64(seed),
            part,
            len,
            classes: outline::CLASSES.map(|(name, _)| name.to_owned()).to_vec(),
        }
    }
}

impl Dataset for Shapes {
    fn len(&self) -> usize {
        self.len
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn label(&self, index: usize) -> usize {
        index % self.classes.len()
    }

    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        if index >= self.len {
            let len = self.len;
            return Err(DataError::Index { index, len });
        }
        // Training pictures use the even streams, held-out ones the odd.
        let mut random = self.key.clone();
        random.set_stream(index as u64 * 2 + u64::from(self.part == Part::HeldOut));
        let (_, distance) = outline::CLASSES[self.label(index)];
        Ok(Picture {
            height: SIDE,
            width: SIDE,
            channels: 3,
            pixels: scene::draw(distance, &mut Lots(random)),
        })
    }

    fn name(&self, index: usize) -> String {
        let part = match self.part {
            Part::Train => "training",
            Part::HeldOut => "held-out",
        };
        format!("{part} shape {index}")
    }

    fn fixed_size(&self) -> Option<(usize, usize)> {
        Some((SIDE, SIDE))
    }

    fn channels(&self) -> usize {
        3
    }
}

/// What a scene draws by lot.
struct Lots(ChaCha8Rng);

impl Lots {
    /// Evenly from `[low, high)`.
    fn between(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32;
        low + (high - low) * unit
    }

    /// Evenly from `low..=high`.
    fn count(&mut self, low: u32, high: u32) -> u32 {
        low + self.0.next_u32() % (high - low + 1)
    }

    /// A direction of length 1, evenly over the circle: a point of the disc, stretched. Sine and cosine would do
    /// the same, but are not rounded alike everywhere.
    fn direction(&mut self) -> [f32; 2] {
        loop {
            let [x, y] = [self.between(-1.0, 1.0), self.between(-1.0, 1.0)];
            let length = (x * x + y * y).sqrt();
            if (0.1..=1.0).contains(&length) {
                return [x / length, y / length];
            }
        }
    }

    /// Nearly normal, mean 0 and standard deviation 1: the sum of four bytes, centred and scaled.
    fn normal(&mut self) -> f32 {
        let sum: u32 = self.0.next_u32().to_le_bytes().map(u32::from).iter().sum();
        // Four even bytes have the mean 4 · 127.5 and the variance 4 · (256² − 1) / 12 = 147.8².
        (sum as f32 - 510.0) / 147.8
    }
}

#[cfg(test)]
mod tests;
