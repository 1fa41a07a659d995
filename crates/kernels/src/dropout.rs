//! Dropout with a mask that is never stored.

use crate::blocks::for_blocks;
use crate::shared::Shared;
use crate::{Context, Real};

/// What a mask is drawn from. Equal keys give equal masks, so the backward pass and a resumed run
/// draw the mask of the forward pass again instead of keeping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DropoutKey {
    /// The seed of the run.
    pub seed: u64,
    /// The training step.
    pub step: u64,
    /// Which dropout of the network.
    pub stream: u32,
}

/// Sets each element to zero with probability `rate` and multiplies the others by `1/(1 − rate)`
/// (Srivastava et al. 2014, inverted). Applied to `dy` with the same key it is its own backward.
///
/// The mask is a pure function of the key and the element's index in memory, whatever the element
/// type. With `rate` 0 the result is `x`, with 1 it is zero. A NaN stays NaN even where it is
/// dropped, as in PyTorch.
///
/// # Panics
/// When the slices differ in length, or `rate` is not in `0.0..=1.0`.
pub fn dropout<T: Real>(context: &Context, x: &[T], rate: f32, key: DropoutKey, y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "dropout: x and y differ in length");
    assert!(
        (0.0..=1.0).contains(&rate),
        "dropout: rate {rate} is not between 0 and 1"
    );
    // An element is dropped when its 32 random bits fall below the threshold.
    let threshold = (f64::from(rate) * 2f64.powi(32)).round() as u64;
    let kept = if rate < 1.0 {
        T::one() / (T::one() - T::of(f64::from(rate)))
    } else {
        T::zero()
    };
    let threshold = u32::try_from(threshold).unwrap_or(u32::MAX);
    let out = Shared::new(y);
    for_blocks(context.team, x.len(), |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let y = unsafe { out.slice(range.start, range.len()) };
        let x = &x[range.clone()];
        // Blocks are shorter than 2³² and never cross a multiple of it.
        let [first, second] = key.words((range.start as u64) >> 32);
        let start = range.start as u32;
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                for (offset, (y, x)) in (0u32..).zip(y.iter_mut().zip(x)) {
                    let bits = mix(mix(start.wrapping_add(offset).wrapping_add(first)) ^ second);
                    *y = *x * if bits < threshold { T::zero() } else { kept };
                }
            },
        );
    });
}

impl DropoutKey {
    /// The two words that key the masks of 2³² consecutive elements.
    fn words(self, high: u64) -> [u32; 2] {
        let hashed = [self.seed, self.step, u64::from(self.stream), high]
            .into_iter()
            .fold(0, |hash, word| splitmix(hash ^ word));
        [hashed as u32, (hashed >> 32) as u32]
    }
}

/// One draw of SplitMix64 (Steele, Lea & Flood 2014).
fn splitmix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A bijection of 32 bits in which every input bit flips every output bit with probability close to
/// a half ("lowbias32", Wellons's hash prospector 2018). Two rounds with a key between them: with
/// the key only in front, the masks of two steps would be one mask shifted.
#[inline(always)]
fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}
