//! Chance that depends on what it is for and on nothing else.
//!
//! Every decision of a run (the order of an epoch, the crop of a picture) is drawn from a generator whose key holds
//! the run's seed, the purpose, the epoch and the picture. No state is carried along, so a resumed run, another
//! number of threads or another order of work draws the same.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What chance decides; purposes never share a sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The order of an epoch.
    Order = 1,
    /// The augmentation of a picture.
    Augment = 2,
}

/// A sequence of draws.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// The sequence of one item in one epoch.
    pub(crate) fn new(seed: u64, purpose: Purpose, epoch: u64, item: u64) -> Self {
        let mut key = [0; 32];
        let words = [seed, purpose as u64, epoch, item];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in [0, 1), with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in [`from`, `to`).
    pub(crate) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// Uniform below `end`, which is not 0. The product's upper word is biased by less than `end / 2^64`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.0.next_u64()) * end as u128) >> 64) as usize
    }

    /// Heads or tails.
    pub(crate) fn coin(&mut self) -> bool {
        self.0.next_u32() & 1 == 1
    }
}
