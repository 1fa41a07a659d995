//! Taps side by side: the gradients of a few pixels stay in registers while the source goes by.
//!
//! Every sum is of one tap, and neighbouring taps read the same source elements for neighbouring pixels. So
//! the gradients of a tile of pixels are loaded first; then each source element of the rows under it is loaded once and
//! multiplied by all gradients that it meets, into the sum of the tap between the two.
//!
//! A tile goes through all blocks of its band before the next one comes. The sums then wait in the first-level cache, which
//! costs a few loads and stores; but both maps are read in the order in which they lie in memory as far as the band
//! goes. From beyond the second-level cache that is two or three times as fast as a vector of every pixel, one
//! after the other, where many channels lie between one pixel and the next.

use super::{Block, own_function};
use crate::conv::grouped::Run;
use crate::conv::grouped::slide::{Elements, Slide};
use crate::simd::{Vector, Work};

/// All taps of some rows of the gradient, as far as the tiles of the slide go.
///
/// # Safety
/// `V`'s instructions exist; the slide and the rows are the plan's, the blocks of one image of it; their channels exist.
#[inline(always)]
pub(super) unsafe fn rows<'a, V: Vector>(
    slide: &Slide,
    rows: &Run,
    blocks: impl Iterator<Item = Block<'a>> + Clone,
) {
    // SAFETY: the contract of this function; the shapes are the slide's.
    unsafe {
        match (slide.kernel, slide.stride, slide.pixels) {
            (3, 1, 7) => own_function::<V>(&Tiles::<_, 3, 1, 7>(slide, rows, blocks)),
            (3, 1, _) => own_function::<V>(&Tiles::<_, 3, 1, 8>(slide, rows, blocks)),
            (3, _, 7) => own_function::<V>(&Tiles::<_, 3, 2, 7>(slide, rows, blocks)),
            (3, _, _) => own_function::<V>(&Tiles::<_, 3, 2, 8>(slide, rows, blocks)),
            (_, 1, 7) => own_function::<V>(&Tiles::<_, 5, 1, 7>(slide, rows, blocks)),
            (_, 1, _) => own_function::<V>(&Tiles::<_, 5, 1, 8>(slide, rows, blocks)),
            (_, _, 7) => own_function::<V>(&Tiles::<_, 5, 2, 7>(slide, rows, blocks)),
            (_, _, _) => own_function::<V>(&Tiles::<_, 5, 2, 8>(slide, rows, blocks)),
        }
    }
}

/// The tiles of some rows, of so many pixels each, by all blocks.
struct Tiles<'a, B, const K: usize, const S: usize, const P: usize>(&'a Slide, &'a Run, B);

impl<'b, B: Iterator<Item = Block<'b>> + Clone, const K: usize, const S: usize, const P: usize> Work
    for Tiles<'_, B, K, S, P>
{
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        // Copied, so that no sum that is stored can have changed them.
        let (slide, rows, blocks) = (*self.0, self.1, self.2.clone());
        for row in rows.pieces(1) {
            for first in slide.whole_tiles() {
                let tile = Tile {
                    slide: &slide,
                    row: row.first,
                    first,
                };
                for block in blocks.clone() {
                    // SAFETY: the contract of `rows`.
                    unsafe {
                        // A part of a vector is as quick as a whole one where registers are many: they have masks.
                        if V::HOLDS_32 {
                            tile.taps::<V, K, S, P, false>(&block);
                        } else if block.sources == V::LANES && block.targets == V::LANES {
                            tile.taps::<V, K, S, P, true>(&block);
                        } else {
                            tile.taps::<V, K, S, P, false>(&block);
                        }
                    }
                }
            }
        }
    }
}

/// Neighbouring pixels of a row.
struct Tile<'a> {
    slide: &'a Slide,
    row: usize,
    first: usize,
}

impl Tile<'_> {
    /// All taps of a block, by as many rows of them at a time as leave registers for the gradients. `FULL` says that the block uses
    /// all lanes.
    ///
    /// # Safety
    /// As [`rows`]; `K`, `S` and `P` are the slide's, `FULL` is the block's.
    #[inline(always)]
    unsafe fn taps<V: Vector, const K: usize, const S: usize, const P: usize, const FULL: bool>(
        &self,
        block: &Block<'_>,
    ) {
        let mut rest = block.plan.rows.at(self.row);
        // SAFETY: the contract of this function; each call is given as many rows of taps as it sums.
        unsafe {
            if V::HOLDS_32 {
                while K == 3 && rest.len() >= 3 {
                    let last = rest.len() == 3;
                    self.tap_rows::<V, K, S, P, 3, FULL>(block, rest, block.is_far && last);
                    rest = &rest[3..];
                }
                while rest.len() >= 2 {
                    let last = rest.len() == 2;
                    self.tap_rows::<V, K, S, P, 2, FULL>(block, rest, block.is_far && last);
                    rest = &rest[2..];
                }
            }
            while !rest.is_empty() {
                self.tap_rows::<V, K, S, P, 1, FULL>(block, rest, block.is_far && rest.len() == 1);
                rest = &rest[1..];
            }
        }
    }

    /// The first `T` rows of taps; `ask` for what the next row of gradients reads.
    ///
    /// # Safety
    /// As [`Self::taps`]; there are that many.
    #[inline(always)]
    unsafe fn tap_rows<
        V: Vector,
        const K: usize,
        const S: usize,
        const P: usize,
        const T: usize,
        const FULL: bool,
    >(
        &self,
        block: &Block<'_>,
        tap_rows: &[(usize, usize)],
        ask: bool,
    ) {
        let plan = block.plan;
        let (from, to) = plan.channels();
        let width = plan.columns.source;
        // SAFETY: the contract of this function; the tile and the elements that are read are in their rows.
        unsafe {
            let dy = self.row * plan.columns.target + self.first;
            let dy = block.dy.add(dy * to);
            let gradient: [V; P] =
                std::array::from_fn(|p| load::<V, FULL>(dy.add(p * to), block.targets));
            let elements: [Elements; T] = std::array::from_fn(|t| {
                let row = block.x.wrapping_add(tap_rows[t].1 * width * from);
                self.slide.elements(row, from, width, self.first)
            });
            if ask {
                // The row below, of both maps: as long as a tile's row takes, memory takes to answer.
                for p in 0..P {
                    V::prefetch(dy.wrapping_add((plan.columns.target + p) * to));
                }
                for row in 1..=S {
                    for element in 0..P * S {
                        let element = row * width + (K - 1) / 2 + element;
                        V::prefetch(elements[T - 1].at(element));
                    }
                }
            }
            let at: [*mut f32; T] =
                std::array::from_fn(|t| block.partial.add(tap_rows[t].0 * K * V::LANES));
            let mut sums: [[V; K]; T] = std::array::from_fn(|t| {
                std::array::from_fn(|tap| V::load(at[t].add(tap * V::LANES)))
            });
            // Written out: sums stay in registers only where their places are known.
            macro_rules! steps {
                ($($step:literal)*) => {
                    $(if $step < P + (K - 1) / S {
                        let (rows, sources) = (&elements, block.sources);
                        meet::<V, K, S, P, T, FULL>(rows, sources, $step, &gradient, &mut sums);
                    })*
                };
            }
            const { assert!(P + (K - 1) / S <= 12, "steps") };
            steps!(0 1 2 3 4 5 6 7 8 9 10 11);
            for (sums, at) in sums.iter().zip(at) {
                for (tap, sum) in sums.iter().enumerate() {
                    sum.store(at.add(tap * V::LANES));
                }
            }
        }
    }
}

/// Multiplies the elements of a step, of every row of taps, by the gradients that they meet.
///
/// # Safety
/// `V`'s instructions exist; so many lanes of the elements that are in their row are readable, all if `FULL`.
#[inline(always)]
unsafe fn meet<
    V: Vector,
    const K: usize,
    const S: usize,
    const P: usize,
    const T: usize,
    const FULL: bool,
>(
    rows: &[Elements; T],
    lanes: usize,
    step: usize,
    gradient: &[V; P],
    sums: &mut [[V; K]; T],
) {
    for phase in 0..S {
        let element = step * S + phase;
        if !rows[0].has::<K, S, P>(element) {
            continue;
        }
        for (row, sums) in rows.iter().zip(&mut *sums) {
            // SAFETY: the contract of this function.
            unsafe {
                let x = load::<V, FULL>(row.at(element), lanes);
                for (tap, sum) in sums.iter_mut().enumerate().skip(phase).step_by(S) {
                    if (tap / S..tap / S + P).contains(&step) {
                        *sum = x.mul_add(gradient[step - tap / S], *sum);
                    }
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
        match FULL || (!V::HOLDS_32 && count == V::LANES) {
            true => V::load(from),
            false => V::load_partial(from, count),
        }
    }
}
