//! The gradient of grouped weights: for every tap, the products of two feature maps, summed.
//!
//! All taps of a window share a pixel's gradient. So the sums of up to nine of them are held in
//! registers while a patch of pixels goes by, a run of rows by a run of columns: one load of the gradient, then
//! a multiply-add a tap straight from the source. The accumulator stays in the first-level cache between patches.

mod slide;

use std::ops::Range;

use geometry::ConvGeometry;

use super::{GroupedPlan, Run};
use crate::share::share;
use crate::shared::Shared;
use crate::simd::{Vector, Work};

/// Sums the rows of a partition, of as many images as it has, over some blocks into that part of the accumulator
/// `[partition, block, kernel…, j, lane]`.
///
/// # Safety
/// `V`'s instructions exist; the slices have the plan's lengths; no other task has this part.
#[inline(always)]
pub(super) unsafe fn band<V: Vector>(
    plan: &GroupedPlan,
    x: &[f32],
    dy: &[f32],
    partition: usize,
    blocks: Range<usize>,
    partials: Shared<'_>,
) {
    let g = &plan.geometry;
    let len = plan.block_weights();
    let (from, to) = plan.channels();
    // SAFETY: these blocks of this accumulator are this task's alone.
    let partial = unsafe {
        let first = partition * plan.lanes.blocks + blocks.start;
        partials.slice(first * len, blocks.len() * len)
    };
    partial.fill(0.0);
    let partial = partial.as_mut_ptr();
    let is_far = is_far(g);
    for piece in share(plan.pieces(), partition, plan.partitions) {
        let (image, rows) = (piece / plan.row_runs.len(), piece % plan.row_runs.len());
        let rows = &plan.row_runs[rows];
        let x = &x[image * g.input_area() * from..][..g.input_area() * from];
        let dy = &dy[image * g.output_area() * to..][..g.output_area() * to];
        let first = blocks.start;
        let block_at = move |block: usize| {
            let (source, sources) = plan.lanes.sources(block);
            let (target, targets) = plan.lanes.targets(block);
            Block {
                plan,
                x: x[source..].as_ptr(),
                sources,
                dy: dy[target..].as_ptr(),
                targets,
                partial: partial.wrapping_add((block - first) * len),
                is_far,
            }
        };
        // A family of fewer registers has no slide: this spares the compiler its shapes.
        if V::HOLDS_16
            && let Some(slide) = &plan.slide
        {
            // SAFETY: a plan has a slide only of its own; so many channels are left in every pixel.
            unsafe { slide::rows::<V>(slide, rows, blocks.clone().map(block_at)) };
        }
        let mut next = blocks.start;
        while next < blocks.end && !plan.runs.is_empty() {
            let block = block_at(next);
            let in_place = plan.lanes.are_in_place();
            let full = in_place && block.sources == V::LANES && block.targets == V::LANES;
            // Two full ones at a time, if the registers hold their sums.
            let pair = full && V::HOLDS_32 && next + 2 <= blocks.end.min(plan.lanes.full_blocks());
            next += if pair { 2 } else { 1 };
            for columns in &plan.runs {
                let patch = Patch { rows, columns };
                // SAFETY: so many channels are left in every pixel on both sides.
                unsafe {
                    if pair {
                        if V::HOLDS_32 {
                            own_function::<V>(&Part::<2, false, true>(&block, patch, 0));
                        }
                    } else if full {
                        own_function::<V>(&Part::<1, false, true>(&block, patch, 0));
                    } else if in_place {
                        own_function::<V>(&Part::<1, false, false>(&block, patch, 0));
                    } else {
                        for view in 0..plan.lanes.source {
                            own_function::<V>(&Part::<1, true, false>(&block, patch, view));
                        }
                    }
                }
            }
        }
    }
}

/// Some work in a function of its own: within one function for all shapes the compiler takes a minute for sixteen lanes, ten
/// seconds for eight. A family of few registers has few shapes.
///
/// # Safety
/// As of the work, besides `V`.
#[inline(always)]
unsafe fn own_function<V: Vector>(work: &impl Work) {
    // SAFETY: the contract of this function.
    unsafe {
        if V::HOLDS_16 {
            V::apart(work);
        } else {
            work.run::<V>();
        }
    }
}

/// Pixels of the gradient that have the same taps.
#[derive(Clone, Copy)]
struct Patch<'a> {
    rows: &'a Run,
    columns: &'a Run,
}

/// The channels of one block, of one image.
struct Block<'a> {
    plan: &'a GroupedPlan,
    /// The image, from the block's first source channel.
    x: *const f32,
    sources: usize,
    /// The gradient, from the block's first channel.
    dy: *const f32,
    targets: usize,
    partial: *mut f32,
    /// The maps are read from beyond the second-level cache.
    is_far: bool,
}

/// Elements of both maps together that no second-level cache holds.
const FAR: usize = 512 * 1024;

/// Whether the maps are read from beyond the second-level cache.
pub(super) fn is_far(geometry: &ConvGeometry) -> bool {
    let input = geometry.input_area() * geometry.in_channels;
    let output = geometry.output_area() * geometry.out_channels;
    geometry.batch * (input + output) >= FAR
}

/// Blocks ahead of the one at hand whose channels are asked for: pixels lie too far apart for the processor to
/// foresee the next.
const AHEAD: usize = 2;
/// Taps that are summed at once.
const MOST: usize = 9;

/// The taps of a patch from one source channel of every group on.
struct Part<'a, const NV: usize, const PICK: bool, const FULL: bool>(
    &'a Block<'a>,
    Patch<'a>,
    usize,
);

impl<const NV: usize, const PICK: bool, const FULL: bool> Work for Part<'_, NV, PICK, FULL> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let &Self(block, patch, view) = self;
        // SAFETY: the contract of `Block::patch`.
        unsafe { block.patch::<V, NV, PICK, FULL>(patch, view) }
    }
}

impl Block<'_> {
    /// All taps of a patch of pixels, for source channel `view` of every group. `PICK` says that lanes
    /// read other source channels than that of their own place, `FULL` that all lanes are used.
    ///
    /// # Safety
    /// The patch, `PICK` and `FULL` are the plan's; the channels exist.
    #[inline(always)]
    unsafe fn patch<V: Vector, const NV: usize, const PICK: bool, const FULL: bool>(
        &self,
        patch: Patch<'_>,
        view: usize,
    ) {
        let plan = self.plan;
        let (from, _) = plan.channels();
        let width = plan.geometry.windows[2].kernel;
        let rows = plan.rows.at(patch.rows.first).iter();
        let columns = plan.columns.at(patch.columns.first);
        let mut places = rows.flat_map(|row| columns.iter().map(move |column| (row, column)));
        // Where each tap's sum lies, and the first pixel it multiplies.
        let mut taps = [(std::ptr::null_mut(), std::ptr::null()); MOST];
        loop {
            let mut filled = 0;
            for (taps, place) in taps.iter_mut().zip(places.by_ref()) {
                let (&(tap_row, source_row), &(tap_column, source_column)) = place;
                let pixel = source_row * plan.columns.source + source_column;
                let tap = tap_row * width + tap_column;
                // SAFETY: taps and pixels are in range by the plan's lists.
                *taps = unsafe {
                    let place = (tap * plan.lanes.source + view) * V::LANES;
                    (self.partial.add(place), self.x.add(pixel * from))
                };
                filled += 1;
            }
            if filled == 0 {
                return;
            }
            // SAFETY: as above.
            unsafe { self.some_taps::<V, NV, PICK, FULL>(&taps[..filled], patch, view) };
        }
    }

    /// Some taps of a patch, at most [`MOST`], as many at a time as there is a shape for.
    ///
    /// # Safety
    /// As [`Self::taps`].
    #[inline(always)]
    unsafe fn some_taps<V: Vector, const NV: usize, const PICK: bool, const FULL: bool>(
        &self,
        taps: &[(*mut f32, *const f32)],
        patch: Patch<'_>,
        view: usize,
    ) {
        let mut rest = taps;
        // SAFETY: the contract of this function; each call is given as many taps as it sums.
        unsafe {
            if V::HOLDS_16 {
                if rest.len() == MOST {
                    return self.taps::<V, MOST, NV, PICK, FULL>(rest, patch, view);
                }
                if let Some(six) = rest.get(..6) {
                    self.taps::<V, 6, NV, PICK, FULL>(six, patch, view);
                    rest = &rest[6..];
                }
            }
            while rest.len() >= 4 {
                self.taps::<V, 4, NV, PICK, FULL>(rest, patch, view);
                rest = &rest[4..];
            }
            if V::HOLDS_16 {
                while rest.len() >= 2 {
                    self.taps::<V, 2, NV, PICK, FULL>(rest, patch, view);
                    rest = &rest[2..];
                }
            }
            while !rest.is_empty() {
                self.taps::<V, 1, NV, PICK, FULL>(rest, patch, view);
                rest = &rest[1..];
            }
        }
    }

    /// The first `N` taps of a patch.
    ///
    /// # Safety
    /// There are that many, and their pointers are good for the whole patch.
    #[inline(always)]
    unsafe fn taps<
        V: Vector,
        const N: usize,
        const NV: usize,
        const PICK: bool,
        const FULL: bool,
    >(
        &self,
        taps: &[(*mut f32, *const f32)],
        Patch { rows, columns }: Patch<'_>,
        view: usize,
    ) {
        let plan = self.plan;
        let (from, to) = plan.channels();
        let pitch = columns.shift * from;
        let row_pitch = rows.shift * plan.columns.source * from;
        let first = rows.first * plan.columns.target + columns.first;
        // Pixels apart leave lines between them unread.
        let ask = self.is_far && columns.shift == 1;
        // SAFETY: the contract of this function.
        unsafe {
            let taps: &[(*mut f32, *const f32); N] = &*taps.as_ptr().cast();
            let len = plan.block_weights();
            let pick = &plan.lanes.picks()[view];
            let mut sums = [[V::zero(); NV]; N];
            for (sums, (at, _)) in sums.iter_mut().zip(taps) {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(at.add(v * len));
                }
            }
            for row in 0..rows.count {
                let dy = self.dy.add((first + row * plan.columns.target) * to);
                for p in 0..columns.count {
                    let (dy, moved) = (dy.add(p * to), row * row_pitch + p * pitch);
                    if ask {
                        for from in [dy, taps[0].1.add(moved), taps[N - 1].1.add(moved)] {
                            for v in 0..NV {
                                V::prefetch(from.wrapping_add((AHEAD + v) * V::LANES));
                            }
                        }
                    }
                    let mut gradient = [V::zero(); NV];
                    for (v, gradient) in gradient.iter_mut().enumerate() {
                        *gradient = load::<V, FULL>(dy.add(v * V::LANES), self.targets);
                    }
                    for (sums, (_, x)) in sums.iter_mut().zip(taps) {
                        for (v, sum) in sums.iter_mut().enumerate() {
                            let x = x.add(moved + v * V::LANES);
                            let x = load::<V, FULL>(x, self.sources);
                            let x = if PICK { x.pick(pick) } else { x };
                            *sum = x.mul_add(gradient[v], *sum);
                        }
                    }
                }
            }
            for (sums, (at, _)) in sums.iter().zip(taps) {
                for (v, sum) in sums.iter().enumerate() {
                    sum.store(at.add(v * len));
                }
            }
        }
    }
}

/// The channels of a pixel, of which there are so many: all lanes where it is `FULL`.
///
/// # Safety
/// `V`'s instructions exist, and the channels do.
#[inline(always)]
unsafe fn load<V: Vector, const FULL: bool>(from: *const f32, count: usize) -> V {
    // SAFETY: the contract of this function.
    unsafe {
        if FULL || count == V::LANES {
            V::load(from)
        } else {
            V::load_partial(from, count)
        }
    }
}
