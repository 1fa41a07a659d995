//! A depthwise kernel that slides over a row: taps side by side.
//!
//! The tiles of [`sweep`](super::sweep) know nothing of their taps and load a source vector for every multiply-add; the
//! processor loads no more than two a cycle, as many as it could multiply. Where the taps of a row are neighbours and
//! so are the targets of a tile, they read the same elements: a source vector is loaded once here
//! and multiplied by each tap that meets it, into the sums of as many targets.
//!
//! A sum takes up its taps in the order of their source elements, as in the other tiles, and leaves out what lies in the
//! padding: results are bitwise the same.

use geometry::Window;

use super::sweep::Row;
use crate::conv::Direction;
use crate::simd::{Vector, Work};

/// Targets of a short row, which the processor does not foresee the end of.
const SHORT: usize = 32;

/// How the kernel of a plan slides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slide {
    /// Taps of a row, three or five.
    pub(super) kernel: usize,
    /// Source elements from a target to the next, one or two.
    pub(super) stride: usize,
    /// Source elements that the first target's first tap lies before the first element.
    before: isize,
    /// The last tap meets the first element: backwards.
    turned: bool,
    /// Targets of a tile, seven or eight.
    pub(super) pixels: usize,
    /// Those of a row.
    targets: usize,
}

impl Slide {
    /// Nothing if the taps lie apart, the targets of a tile have gaps between them, or there are not enough of them.
    pub(super) fn new(window: &Window, direction: Direction) -> Option<Self> {
        let (kernel, stride) = (window.kernel, window.stride);
        let (before, turned, source, targets) = match direction {
            Direction::Forward | Direction::BackwardWeights => {
                (window.before as isize, false, window.input, window.output)
            }
            Direction::BackwardData => {
                let before = kernel as isize - 1 - window.before as isize;
                (before, true, window.output, window.input)
            }
        };
        let most = if turned { 1 } else { 2 };
        if !matches!(kernel, 3 | 5) || window.dilation != 1 || stride > most || targets < 7 {
            return None;
        }
        // At either end a window stands in the row with one tap at least.
        let end = ((targets - 1) * stride + kernel) as isize - before;
        if before.max(end - source as isize) >= kernel as isize {
            return None;
        }
        // What is more work: the last tile is moved back to end with the row, and so makes some sums twice. The gradient of the
        // weights leaves the rest of a row to its other way, which is as good for long rows throughout.
        let extra = |pixels: usize| match direction {
            Direction::BackwardWeights => targets % pixels,
            _ => targets.next_multiple_of(pixels) - targets,
        };
        if direction == Direction::BackwardWeights && targets > SHORT {
            return None;
        }
        let pixels = if targets < 8 || extra(7) < extra(8) {
            7
        } else {
            8
        };
        Some(Self {
            kernel,
            stride,
            before,
            turned,
            pixels,
            targets,
        })
    }

    /// The first targets of the tiles of a row that do not overlap.
    pub(super) fn whole_tiles(&self) -> impl ExactSizeIterator<Item = usize> {
        let (pixels, tiles) = (self.pixels, self.targets / self.pixels);
        (0..tiles).map(move |tile| tile * pixels)
    }

    /// What the taps of a tile meet in a row of the source.
    pub(super) fn elements(
        &self,
        row: *const f32,
        channels: usize,
        width: usize,
        first: usize,
    ) -> Elements {
        let origin = (first * self.stride) as isize - self.before;
        Elements {
            x: row.wrapping_offset(origin * channels as isize),
            channels,
            inside: (-origin, width as isize - origin),
        }
    }

    /// Makes a row of targets.
    ///
    /// # Safety
    /// `V`'s instructions exist; the row is that of a depthwise plan which this is of.
    #[inline(always)]
    pub(super) unsafe fn run<V: Vector>(&self, row: &Row<'_>) {
        // SAFETY: the contract of this function.
        unsafe {
            match (self.kernel, self.stride, self.pixels) {
                (3, 1, 7) => V::apart(&Tiles::<3, 1, 7>(self, row)),
                (3, 1, _) => V::apart(&Tiles::<3, 1, 8>(self, row)),
                (3, _, 7) => V::apart(&Tiles::<3, 2, 7>(self, row)),
                (3, _, _) => V::apart(&Tiles::<3, 2, 8>(self, row)),
                (_, 1, 7) => V::apart(&Tiles::<5, 1, 7>(self, row)),
                (_, 1, _) => V::apart(&Tiles::<5, 1, 8>(self, row)),
                (_, _, 7) => V::apart(&Tiles::<5, 2, 7>(self, row)),
                (_, _, _) => V::apart(&Tiles::<5, 2, 8>(self, row)),
            }
        }
    }

    /// `P` targets by `NV` blocks.
    ///
    /// # Safety
    /// As [`Self::run`]; `K`, `S` and `P` are this slide's, the targets are in the row, the blocks in the plan; of more than
    /// one all are full.
    #[inline(always)]
    unsafe fn tile<V: Vector, const K: usize, const S: usize, const P: usize, const NV: usize>(
        &self,
        row: &Row<'_>,
        first: usize,
        block: usize,
    ) {
        let channel = block * V::LANES;
        let lanes = V::LANES.min(row.from - channel);
        let width = row.plan.columns.source;
        let origin = (first * S) as isize - self.before;
        let elements = self.elements(row.source.wrapping_add(channel), row.from, width, first);
        // SAFETY: the contract of this function; elements that are read are inside.
        unsafe {
            // Backwards the last tap comes first.
            let w = row.packed.add(block * row.by_block);
            let (w, by_tap) = match self.turned {
                true => (w.add((K - 1) * V::LANES), -(V::LANES as isize)),
                false => (w, V::LANES as isize),
            };
            let mut sums = [[V::zero(); NV]; P];
            // What the next rows read, asked for in parts: all at once it would hold up what this one reads.
            let (below, reads) = ((origin + K as isize - 1).max(0) as usize, P * S);
            let part = reads.div_ceil(K);
            for (number, &(tap_row, source_row)) in row.taps.iter().enumerate() {
                let columns = number * part..reads.min((number + 1) * part);
                let columns = below + columns.start..below + columns.end;
                row.prefetch_below::<V, NV>(S, columns, channel);
                let w = w.add(tap_row * K * V::LANES);
                let w: [[V; NV]; K] = std::array::from_fn(|tap| {
                    let w = w.offset(tap as isize * by_tap);
                    std::array::from_fn(|v| V::load(w.add(v * row.by_block)))
                });
                let elements = elements.moved(source_row * width * row.from);
                // Written out: sums stay in registers only where their places are known.
                macro_rules! steps {
                    ($($step:literal)*) => {
                        $(if $step < P + (K - 1) / S {
                            elements.meet::<V, K, S, P, NV>(lanes, $step, &w, &mut sums);
                        })*
                    };
                }
                const { assert!(P + (K - 1) / S <= 12, "steps") };
                steps!(0 1 2 3 4 5 6 7 8 9 10 11);
            }
            row.finish::<V, P, NV>(sums, block, first, 1);
        }
    }
}

/// A row of targets, in tiles of `P` by all channels.
struct Tiles<'a, const K: usize, const S: usize, const P: usize>(&'a Slide, &'a Row<'a>);

impl<const K: usize, const S: usize, const P: usize> Work for Tiles<'_, K, S, P> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        // Copied, so that no sum that is stored can have changed them.
        let (slide, row) = (*self.0, *self.1);
        let targets = row.plan.columns.target;
        let (full_blocks, blocks) = (row.plan.lanes.full_blocks(), row.plan.lanes.blocks);
        for at in (0..targets).step_by(P) {
            let first = at.min(targets - P);
            let mut block = 0;
            // SAFETY: blocks stay below their number, the targets within the row.
            unsafe {
                // As many sums as leave registers for the taps and an element.
                if V::HOLDS_32 {
                    while block + 2 <= full_blocks {
                        slide.tile::<V, K, S, P, 2>(&row, first, block);
                        block += 2;
                    }
                }
                while block < blocks {
                    slide.tile::<V, K, S, P, 1>(&row, first, block);
                    block += 1;
                }
            }
        }
    }
}

/// The elements of a source row that the taps of a tile meet.
#[derive(Clone, Copy)]
pub(super) struct Elements {
    /// The first, inside the row or not.
    x: *const f32,
    /// From an element to the next.
    channels: usize,
    /// The first that is in the row, and the one past the last.
    inside: (isize, isize),
}

impl Elements {
    /// Multiplies the elements of a step, one for each target that the stride leaves out, by the taps that meet them.
    /// So many channels are of a vector, all if there are several vectors.
    ///
    /// # Safety
    /// `V`'s instructions exist; the elements that are inside are readable.
    #[inline(always)]
    unsafe fn meet<V: Vector, const K: usize, const S: usize, const P: usize, const NV: usize>(
        &self,
        lanes: usize,
        step: usize,
        w: &[[V; NV]; K],
        sums: &mut [[V; NV]; P],
    ) {
        for phase in 0..S {
            let element = step * S + phase;
            if !self.has::<K, S, P>(element) {
                continue;
            }
            for v in 0..NV {
                let x = self.at(element).wrapping_add(v * V::LANES);
                // SAFETY: the contract of this function.
                unsafe {
                    let x = match NV > 1 || lanes == V::LANES {
                        true => V::load(x),
                        false => V::load_partial(x, lanes),
                    };
                    for (tap, w) in w.iter().enumerate().skip(phase).step_by(S) {
                        if (tap / S..tap / S + P).contains(&step) {
                            let sum = &mut sums[step - tap / S][v];
                            *sum = x.mul_add(w[v], *sum);
                        }
                    }
                }
            }
        }
    }

    /// Whether an element of a tile is in the row: those between its ends are, as [`Slide::new`] has seen to.
    #[inline(always)]
    pub(super) fn has<const K: usize, const S: usize, const P: usize>(
        &self,
        element: usize,
    ) -> bool {
        let at_an_end = element + 1 < K || element > (P - 1) * S;
        let within = self.inside.0..self.inside.1;
        !at_an_end || within.contains(&(element as isize))
    }

    /// The same so many elements of the maps further on.
    #[inline(always)]
    fn moved(self, by: usize) -> Self {
        Self {
            x: self.x.wrapping_add(by),
            ..self
        }
    }

    #[inline(always)]
    pub(super) fn at(&self, element: usize) -> *const f32 {
        self.x.wrapping_add(element * self.channels)
    }
}
