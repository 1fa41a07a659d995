//! Images of noise.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Independent numbers, evenly spread within `±√3`, so that their variance is 1.
pub(crate) fn image(len: usize, seed: u64) -> Vec<f32> {
    let mut source = ChaCha8Rng::seed_from_u64(seed);
    let bound = 3f64.sqrt();
    let mut draw = || {
        let unit = f64::from(source.next_u32()) / f64::from(u32::MAX);
        (bound * (2.0 * unit - 1.0)) as f32
    };
    (0..len).map(|_| draw()).collect()
}
