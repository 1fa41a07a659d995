//! Images of noise, and weights without what was learned.

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

/// Puts numbers into an order that all are equally likely to be (Fisher and Yates 1938). Streams of a seed are
/// independent.
pub(crate) fn shuffle(numbers: &mut [f32], seed: u64, stream: u64) {
    let mut source = ChaCha8Rng::seed_from_u64(seed);
    source.set_stream(stream);
    for last in (1..numbers.len()).rev() {
        // The high half of a product is below the factor; what it is off by is less than one in 2³².
        let place = (u128::from(source.next_u64()) * (last as u128 + 1)) >> 64;
        numbers.swap(last, place as usize);
    }
}
