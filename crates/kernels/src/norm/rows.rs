//! Rows of contiguous memory, each normalised by its own mean and deviation.

use std::ops::Range;

use super::phases::in_phases;
use super::statistics::Moments;
use crate::blocks::BLOCK;
use crate::runs::{DEPTH, LANES, sums};
use crate::shared::Shared;
use crate::{Context, Isa, Real};

/// Numbers kept of each piece of a row: the mean as an unevaluated sum of two, and the sum of squared
/// distances from it.
const PARTIALS: usize = 3;

/// Elements of which a mean is known before the distances from it are squared: they are in the first
/// cache then.
const PIECE: usize = DEPTH * LANES;

/// `rows` rows of `len` elements, cut into pieces that may be shared out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub(super) rows: usize,
    pub(super) len: usize,
}

/// A piece of a row that is to be normalised.
pub(super) struct Piece<'a, T> {
    pub(super) row: usize,
    /// Place in the row of the first element.
    pub(super) from: usize,
    pub(super) x: &'a [T],
    pub(super) y: &'a mut [T],
    pub(super) mean: T,
    pub(super) inv_std: T,
}

impl Rows {
    pub(super) fn pieces(&self) -> usize {
        self.len.div_ceil(BLOCK)
    }

    /// Places in the row.
    pub(super) fn piece(&self, index: usize) -> Range<usize> {
        index * BLOCK..((index + 1) * BLOCK).min(self.len)
    }

    /// Elements of `scratch` that [`Rows::normalise`] needs.
    pub(super) fn scratch_len(&self) -> usize {
        self.rows * self.pieces() * PARTIALS
    }

    /// Finds `mean` and `inv_std` of every row, and calls `apply`, which writes `y`, for every piece.
    /// It runs inside a loop compiled for the processor.
    pub(super) fn normalise<T: Real>(
        &self,
        context: &Context<'_>,
        epsilon: f32,
        x: &[T],
        y: &mut [T],
        mean: &mut [T],
        inv_std: &mut [T],
        scratch: &mut [T],
        apply: impl Fn(Piece<'_, T>) + Sync,
    ) {
        let pieces = self.pieces();
        let partials = Shared::new(&mut scratch[..self.scratch_len()]);
        let [y, mean, inv_std] = [y, mean, inv_std].map(Shared::new);
        in_phases(
            context.team,
            self.rows,
            pieces,
            self.len,
            |row, index| {
                let at = self.piece(index);
                let moments = moments(context.isa, &x[row * self.len..][at]);
                // SAFETY: every piece belongs to one task.
                let partial = unsafe { partials.slice((row * pieces + index) * PARTIALS, 3) };
                partial[0] = T::of(moments.mean);
                partial[1] = T::of(moments.mean - partial[0].wide());
                partial[2] = T::of(moments.squares);
            },
            |row| {
                // SAFETY: every row belongs to one task, and its pieces have been seen to.
                let (partials, mean, inv_std) = unsafe {
                    (
                        partials.read(row * pieces * PARTIALS, pieces * PARTIALS),
                        mean.slice(row, 1),
                        inv_std.slice(row, 1),
                    )
                };
                let moments = partials
                    .chunks_exact(PARTIALS)
                    .enumerate()
                    .map(|(index, partial)| {
                        let count = self.piece(index).len();
                        let mean = partial[0].wide() + partial[1].wide();
                        Moments::new(count, mean, partial[2].wide())
                    })
                    .fold(Moments::NONE, Moments::join);
                mean[0] = T::of(moments.mean);
                inv_std[0] = inverse_deviation(moments.biased_variance(), epsilon);
            },
            |row, index| {
                let at = self.piece(index);
                let start = row * self.len + at.start;
                // SAFETY: every piece belongs to one task, and its row has been measured.
                let (y, mean, inv_std) = unsafe {
                    (
                        y.slice(start, at.len()),
                        mean.read(row, 1)[0],
                        inv_std.read(row, 1)[0],
                    )
                };
                let piece = Piece {
                    row,
                    from: at.start,
                    x: &x[start..][..at.len()],
                    y,
                    mean,
                    inv_std,
                };
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || apply(piece),
                );
            },
        );
    }
}

/// `1/√(σ² + ε)`
pub(super) fn inverse_deviation<T: Real>(variance: f64, epsilon: f32) -> T {
    T::of(1.0 / (variance + f64::from(epsilon)).sqrt())
}

/// The moments of some values, however far from 0 they lie: the sum of squares is taken of distances
/// from the mean, and what the mean was rounded by is taken off again.
fn moments<T: Real>(isa: Isa, x: &[T]) -> Moments {
    T::vectorised(
        isa,
        #[inline(always)]
        || {
            x.chunks(PIECE).fold(
                Moments::NONE,
                #[inline(always)]
                |before, x| {
                    let count = x.len() as f64;
                    let [sum] = sums(
                        [x],
                        #[inline(always)]
                        |term| term,
                    );
                    let mean = T::of(sum / count);
                    let [near, squares] = sums(
                        [x],
                        #[inline(always)]
                        |[x]| {
                            let distance = x - mean;
                            [distance, distance * distance]
                        },
                    );
                    // Rounding may take the difference of equal numbers below zero.
                    let squares = squares - near * near / count;
                    let squares = if squares < 0.0 { 0.0 } else { squares };
                    before.join(Moments::new(x.len(), mean.wide() + near / count, squares))
                },
            )
        },
    )
}
