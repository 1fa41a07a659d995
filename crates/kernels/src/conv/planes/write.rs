//! Rows of sums on their way to the target, channels last.

use crate::conv::finish::Finish;
use crate::simd::{Vector, turn};

/// Where the positions of a row lie in the target.
pub(super) struct Place {
    /// The first pixel.
    pub(super) first: usize,
    /// Pixels between neighbours.
    pub(super) step: usize,
    pub(super) count: usize,
}

impl Place {
    /// Turns rows of sums, one for every channel, to pixels, finishes and writes them.
    ///
    /// # Safety
    /// `V`'s instructions exist; the target, and what `finish` reads, are valid for all channels of every pixel.
    ///
    /// # Panics
    /// When the sums are fewer than the rows say, or `pixels` has no room for them.
    #[inline(always)]
    pub(super) unsafe fn write<V: Vector>(
        &self,
        (sums, row): (&[f32], usize),
        channels: usize,
        pixels: &mut [f32],
        finish: Finish,
        target: *mut f32,
    ) {
        let sums = &sums[..channels * row];
        let pixels = &mut pixels[..channels * self.count];
        // SAFETY: both sides have just been bounded; the rest is the contract of this function.
        unsafe {
            let size = (channels, self.count);
            turn::<V>(sums.as_ptr(), row, size, pixels.as_mut_ptr(), channels);
            for index in 0..self.count {
                let pixel = &pixels[index * channels..][..channels];
                let at = (self.first + index * self.step) * channels;
                for channel in (0..channels).step_by(V::LANES) {
                    let count = V::LANES.min(channels - channel);
                    let sum = V::load_partial(pixel[channel..].as_ptr(), count);
                    finish.write(sum, target, at + channel, channel, count);
                }
            }
        }
    }
}
