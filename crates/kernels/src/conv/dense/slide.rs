//! A register tile for a single vector of target channels, over pixels side by side.
//!
//! The [`tile`](super::tile) loads an element of the source for each vector of its panel, and with one vector that is a load for
//! every multiply-add, besides the pointers of its pixels, which the registers for addresses cannot all hold: it comes to two
//! thirds of the peak. Where the taps of a kernel's row are neighbours, a pixel's element meets the
//! taps of as many targets. So it is loaded once here and multiplied by the weights of all of them:
//!
//! ```text
//! for each row of the kernel
//!     for each source channel
//!         load K vectors of weights
//!         for each of P + K − 1 source pixels
//!             broadcast the pixel's element, multiply by each tap that meets it, add to that target's accumulator
//! ```
//!
//! Weights are packed as for the tile. A sum takes up the channels of a row of taps before the next channel where
//! the tile takes up those of a tap, so it is rounded otherwise; which of them makes a pixel
//! follows from the problem alone.

use geometry::Window;

use super::tile::{Target, write};
use super::walk::Segment;
use crate::conv::finish::Finish;
use crate::simd::Vector;

/// Elements of a cache line.
const LINE: usize = 16;
/// Taps of a row.
const TAPS: usize = 3;

/// Whether a kernel slides over the rows along an axis: neighbours of the target read neighbours, with neighbouring taps.
pub(super) fn slides(window: &Window) -> bool {
    window.kernel == TAPS && window.stride == 1 && window.dilation == 1
}

/// Pixels of the tiles for rows of so many, if there are enough: those that leave the fewest to be made
/// twice, as the last tile of a row is moved back to end with it.
pub(super) fn pixels<V: Vector>(width: usize) -> Option<usize> {
    let sizes: &[usize] = if V::REGISTERS >= 32 {
        &[16, 14, 8, 7]
    } else {
        &[8, 7]
    };
    let fits = sizes.iter().copied().filter(|&pixels| pixels <= width);
    // A tile costs about as much as two of its pixels beside them.
    fits.min_by_key(|&pixels| width.div_ceil(pixels) * (pixels + 2))
}

/// What a tile reads.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// The element that the first target's first tap meets.
    pub(super) start: *const f32,
    /// Channels: elements from a pixel to the next.
    pub(super) channels: usize,
    /// A stretch for each row of the kernel: its taps of all channels.
    pub(super) segments: &'a [Segment],
    /// The panel.
    pub(super) weights: *const f32,
    /// Where the maps are larger than the caches: what a later tile reads of the source, as many elements as this one's
    /// pixels have. Then the target too has to be fetched before it can be written.
    pub(super) ahead: Option<*const f32>,
}

/// Sums and writes the tile of `P` pixels.
///
/// # Safety
/// `V`'s instructions exist. Each segment has [`TAPS`] times the channels; the source is readable at every element of the
/// segments for each of the pixels; there are that many vectors of weights. `target.start + targets[p]` is
/// writable for `target.channels` elements, and so is the residual readable; the bias holds that many.
#[inline(always)]
pub(super) unsafe fn slide<V: Vector, const P: usize>(
    source: Source<'_>,
    targets: &[usize; P],
    target: Target,
    finish: Finish,
) {
    let channels = source.channels;
    let mut weights = source.weights;
    // SAFETY: the contract of this function, element by element.
    unsafe {
        let mut sums = [[V::zero(); 1]; P];
        if let Some(ahead) = source.ahead {
            for &offset in targets {
                V::prefetch_write(target.start.wrapping_add(offset));
            }
            for element in (0..P * channels).step_by(LINE) {
                V::prefetch(ahead.wrapping_add(element));
            }
        }
        for segment in source.segments {
            let row = source.start.add(segment.offset);
            for channel in 0..channels {
                let taps: [V; TAPS] = std::array::from_fn(|tap| {
                    V::load(weights.add((tap * channels + channel) * V::LANES))
                });
                let pixels = Pixels {
                    row: row.add(channel),
                    channels,
                };
                // Written out: sums stay in registers only where their places are known.
                macro_rules! meet {
                    ($($pixel:literal)*) => {
                        $(if $pixel < P + TAPS - 1 {
                            pixels.meet::<V, P>($pixel, &taps, &mut sums);
                        })*
                    };
                }
                const { assert!(P + TAPS - 1 <= 18, "pixels") };
                meet!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17);
            }
            weights = weights.add(TAPS * channels * V::LANES);
        }
        write(sums, targets, target, finish);
    }
}

/// The pixels of a source row.
#[derive(Clone, Copy)]
struct Pixels {
    row: *const f32,
    channels: usize,
}

impl Pixels {
    /// Multiplies the element of a pixel by the taps that meet it.
    ///
    /// # Safety
    /// `V`'s instructions exist; the pixel is readable.
    #[inline(always)]
    unsafe fn meet<V: Vector, const P: usize>(
        &self,
        pixel: usize,
        taps: &[V; TAPS],
        sums: &mut [[V; 1]; P],
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            let x = V::splat(*self.row.add(pixel * self.channels));
            for (tap, &w) in taps.iter().enumerate() {
                if (tap..tap + P).contains(&pixel) {
                    let sum = &mut sums[pixel - tap][0];
                    *sum = x.mul_add(w, *sum);
                }
            }
        }
    }
}
