//! The register tile: a block of pixels by a few vectors of output channels.
//!
//! All time of a dense convolution is spent here, in one loop:
//!
//! ```text
//! for each stretch of the summation
//!     for k in stretch
//!         load NV vectors of weights                    (packed: the next NV·LANES elements)
//!         for each of MR pixels
//!             broadcast the pixel's element k, multiply, add to its NV accumulators
//! ```
//!
//! `MR·NV` accumulators live in registers for the whole summation, so the output is written once and
//! never read. The shapes follow from three limits. The accumulators, the weights and one broadcast
//! must fit the registers (32 zmm, 16 ymm). Two multiply-add ports with four cycles of latency need
//! at least eight independent accumulators. And loads per multiply-add, `1/MR + 1/NV` (a broadcast
//! straight from memory counts as a load), should stay near one half, as processors load twice a
//! cycle: 14×2 has 0.57, 9×3 0.44. A higher MR reads weights less often, which matters since a panel
//! of weights streams from the second-level cache.

use super::walk::Segment;
use crate::conv::finish::Finish;
use crate::simd::{Vector, Work};

/// Channels of the widest tile: four vectors of sixteen.
const MAX_TILE_ROW: usize = 64;

/// Work over pixels by a panel, done in register tiles of `MR` pixels, or `HALF` for a short rest, by `NV`
/// vectors.
pub(in crate::conv) trait OfShape {
    /// # Safety
    /// `V`'s instructions exist, and whatever the work itself needs.
    unsafe fn run<V: Vector, const MR: usize, const HALF: usize, const NV: usize>(&self);
}

/// Runs the work in the tallest tiles that the registers of `V` hold for a panel of `vectors`.
///
/// # Safety
/// As [`OfShape::run`].
#[inline(always)]
pub(in crate::conv) unsafe fn of_shape<V: Vector>(vectors: usize, work: &impl OfShape) {
    // SAFETY: the contract of this function.
    unsafe {
        if V::HOLDS_32 {
            match vectors {
                1 => V::apart(&Shaped::<_, 14, 7, 1>(work)),
                2 => V::apart(&Shaped::<_, 14, 7, 2>(work)),
                3 => V::apart(&Shaped::<_, 9, 5, 3>(work)),
                _ => V::apart(&Shaped::<_, 6, 3, 4>(work)),
            }
        } else if V::HOLDS_16 {
            match vectors {
                1 => V::apart(&Shaped::<_, 12, 6, 1>(work)),
                2 => V::apart(&Shaped::<_, 6, 3, 2>(work)),
                _ => V::apart(&Shaped::<_, 4, 2, 3>(work)),
            }
        } else {
            V::apart(&Shaped::<_, 3, 1, 1>(work));
        }
    }
}

/// Work in tiles of one shape, which is a function of its own.
struct Shaped<'a, W, const MR: usize, const HALF: usize, const NV: usize>(&'a W);

impl<W: OfShape, const MR: usize, const HALF: usize, const NV: usize> Work
    for Shaped<'_, W, MR, HALF, NV>
{
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        // SAFETY: the contract of this function.
        unsafe { self.0.run::<V, MR, HALF, NV>() }
    }
}

/// Target memory of a tile.
#[derive(Clone, Copy)]
pub(in crate::conv) struct Target {
    /// First channel of the panel in the target's first pixel.
    pub(in crate::conv) start: *mut f32,
    /// Channels of the panel, at most `NV·LANES`.
    pub(in crate::conv) channels: usize,
    /// Sums end before the lines they go to are there: these are asked for beforehand.
    pub(in crate::conv) is_late: bool,
}

/// The weights of a tile.
#[derive(Clone, Copy)]
pub(in crate::conv) struct Weights {
    /// The panel.
    start: *const f32,
    /// What is asked for meanwhile, weights of the panel to come or else what is read later: each product asks for a
    /// vector.
    ahead: *const f32,
}

impl Weights {
    /// The weights of a panel at `start`, for the tile `index` of its tiles; `next` is the panel to come.
    ///
    /// All tiles of a task read the same panel. The first waits for memory, the others find it in cache
    /// and leave the way to memory idle: so the first `NV` of them ask for the next panel meanwhile, a
    /// part each. Those behind them ask for what lies at `later`.
    #[inline(always)]
    pub(in crate::conv) fn new<V: Vector, const NV: usize>(
        start: *const f32,
        next: *const f32,
        later: Option<*const f32>,
        depth: usize,
        index: usize,
    ) -> Self {
        let part = |of: *const f32, index: usize| of.wrapping_add(index * depth * V::LANES);
        let ahead = match (index < NV, later) {
            (true, _) => part(next, index),
            (false, Some(later)) => part(later, index - NV),
            // Enough: what has just been read costs nothing to ask for.
            (false, None) => start,
        };
        Self { start, ahead }
    }
}

/// The part of a sum that a tile computes, when the whole is too long for one go.
#[derive(Clone, Copy)]
pub(in crate::conv) struct Part {
    /// Memory for the sums of the tile between its parts.
    pub(in crate::conv) sums: *mut f32,
    /// Goes on from these sums, not from zero.
    pub(in crate::conv) resumes: bool,
    /// Leaves the sums there for the next part.
    pub(in crate::conv) stops: bool,
}

impl Part {
    /// All of it.
    pub(in crate::conv) const WHOLE: Self = Self {
        sums: std::ptr::null_mut(),
        resumes: false,
        stops: false,
    };
}

/// Sums and writes one tile of `MR` pixels by `NV` vectors of channels.
///
/// # Safety
/// `V`'s instructions exist. Every `sources[r]` is readable at every element of `segments`; `panel`
/// starts with `NV·LANES` weights for each of them. `target.start + targets[r]` is writable for
/// `target.channels` elements, and so is the residual readable; the bias holds that many. With `PARTS`, a part that
/// resumes or stops has memory for the sums of the tile.
#[inline(always)]
pub(in crate::conv) unsafe fn tile<
    V: Vector,
    const MR: usize,
    const NV: usize,
    const PARTS: bool,
>(
    sources: &[*const f32; MR],
    segments: &[Segment],
    panel: Weights,
    targets: &[usize; MR],
    target: Target,
    finish: Finish,
    part: Part,
) {
    // SAFETY: the contract of this function, element by element.
    unsafe {
        if target.is_late {
            for &offset in targets.iter().filter(|_| !(PARTS && part.stops)) {
                for v in 0..NV {
                    V::prefetch_write(target.start.wrapping_add(offset + v * V::LANES));
                }
            }
        }
        let mut sums = [[V::zero(); NV]; MR];
        let kept = |r: usize, v: usize| part.sums.wrapping_add((r * NV + v) * V::LANES);
        if PARTS && part.resumes {
            sums = std::array::from_fn(|r| std::array::from_fn(|v| V::load(kept(r, v))));
        }
        let Weights {
            start: mut weights,
            mut ahead,
        } = panel;
        for segment in segments {
            // The pixels' pointers stay as they are: a stretch is but another range of the index they share.
            for k in segment.offset..segment.offset + segment.len {
                let w: [V; NV] = std::array::from_fn(|v| V::load(weights.add(v * V::LANES)));
                for (source, sums) in sources.iter().zip(&mut sums) {
                    let x = V::splat(*source.add(k));
                    for (sum, w) in sums.iter_mut().zip(w) {
                        *sum = x.mul_add(w, *sum);
                    }
                }
                weights = weights.add(NV * V::LANES);
                V::prefetch(ahead);
                ahead = ahead.wrapping_add(V::LANES);
            }
        }
        if PARTS && part.stops {
            for (r, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    sum.store(kept(r, v));
                }
            }
            return;
        }
        write(sums, targets, target, finish);
    }
}

/// Writes the finished sums of a tile.
///
/// # Safety
/// `V`'s instructions exist. `target.start + targets[r]` is writable for `target.channels` elements, and so is the residual
/// readable; the bias holds that many.
#[inline(always)]
pub(super) unsafe fn write<V: Vector, const MR: usize, const NV: usize>(
    mut sums: [[V; NV]; MR],
    targets: &[usize; MR],
    target: Target,
    finish: Finish,
) {
    // SAFETY: the contract of this function.
    unsafe {
        if target.channels == NV * V::LANES {
            finish.apply(&mut sums, |row| targets[row]);
            for (sums, &offset) in sums.iter().zip(targets) {
                for (v, &sum) in sums.iter().enumerate() {
                    sum.store(target.start.add(offset + v * V::LANES));
                }
            }
            return;
        }
        // The sums leave the registers here. A loop too long to unroll that read them where they
        // are would make the compiler keep them in memory all through the summation.
        let mut finished = [[0.0f32; MAX_TILE_ROW]; MR];
        for (sums, row) in sums.iter().zip(&mut finished) {
            for (v, &sum) in sums.iter().enumerate() {
                sum.store(row.as_mut_ptr().add(v * V::LANES));
            }
        }
        for (row, &offset) in finished.iter().zip(targets) {
            for v in 0..NV {
                let channel = v * V::LANES;
                let count = target.channels.saturating_sub(channel).min(V::LANES);
                let sum = V::load(row.as_ptr().add(channel));
                finish.write(sum, target.start, offset + channel, channel, count);
            }
        }
    }
}
