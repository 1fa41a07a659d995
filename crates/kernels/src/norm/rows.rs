//! Rows of contiguous memory, each normalised by its own mean and deviation.
//!
//! Long rows are cut into pieces. Of short ones several are measured side by side, step by step: adding up
//! lanes, dividing and taking a root are long chains, and the chain of one row need not wait for another's.

use std::ops::Range;

use super::phases::in_phases;
use super::statistics::Moments;
use crate::blocks::{BLOCK, for_rows};
use crate::runs::{DEPTH, LANES, sums};
use crate::shared::Shared;
use crate::{Context, Isa, Real};

/// Numbers kept of each piece of a row: the mean as an unevaluated sum of two, and the sum of squared
/// distances from it.
const PARTIALS: usize = 3;

/// Most rows that are measured side by side: two vectors of f64.
pub(super) const SIDE: usize = 16;

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
        if self.len <= PIECE {
            return 0;
        }
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
        if self.len <= PIECE {
            return self.normalise_short(context, epsilon, x, y, mean, inv_std, apply);
        }
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

    /// [`Rows::normalise`] where no row is longer than a [`PIECE`].
    fn normalise_short<T: Real>(
        &self,
        context: &Context<'_>,
        epsilon: f32,
        x: &[T],
        y: &mut [T],
        mean: &mut [T],
        inv_std: &mut [T],
        apply: impl Fn(Piece<'_, T>) + Sync,
    ) {
        let len = self.len;
        let [y, mean, inv_std] = [y, mean, inv_std].map(Shared::new);
        for_rows(context.team, self.rows, len, |range| {
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    for first in range.clone().step_by(SIDE) {
                        let rows = SIDE.min(range.end - first);
                        let x = &x[first * len..][..rows * len];
                        // SAFETY: every row belongs to one task.
                        let (y, mean, inv_std) = unsafe {
                            (
                                y.slice(first * len, rows * len),
                                mean.slice(first, rows),
                                inv_std.slice(first, rows),
                            )
                        };
                        short_moments(x, len, epsilon, mean, inv_std);
                        for row in 0..rows {
                            apply(Piece {
                                row: first + row,
                                from: 0,
                                x: &x[row * len..][..len],
                                y: &mut y[row * len..][..len],
                                mean: mean[row],
                                inv_std: inv_std[row],
                            });
                        }
                    }
                },
            );
        });
    }
}

/// Mean and inverse deviation of up to [`SIDE`] rows of `len` elements, as [`moments`] finds them of one.
#[inline(always)]
fn short_moments<T: Real>(x: &[T], len: usize, epsilon: f32, mean: &mut [T], inv_std: &mut [T]) {
    let share = 1.0 / len.max(1) as f64;
    let (mut near, mut squares) = ([0.0; SIDE], [0.0; SIDE]);
    for row in 0..mean.len() {
        let [sum] = sums(
            [&x[row * len..][..len]],
            #[inline(always)]
            |term| term,
        );
        mean[row] = T::of(sum * share);
    }
    for row in 0..mean.len() {
        let mean = mean[row];
        [near[row], squares[row]] = sums(
            [&x[row * len..][..len]],
            #[inline(always)]
            |[x]| {
                let distance = x - mean;
                [distance, distance * distance]
            },
        );
    }
    let moments = near.iter().zip(&squares);
    for ((mean, inv_std), (&near, &squares)) in mean.iter_mut().zip(inv_std).zip(moments) {
        let near = near * share;
        // Rounding may take the difference of equal numbers below zero.
        let variance = squares * share - near * near;
        let variance = if variance < 0.0 { 0.0 } else { variance };
        *mean = T::of(mean.wide() + near);
        *inv_std = inverse_deviation(variance, epsilon);
    }
}

/// `1/√(σ² + ε)`
#[inline(always)]
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
            let mut total = Moments::NONE;
            for x in x.chunks(PIECE) {
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
                total = total.join(Moments::new(x.len(), mean.wide() + near / count, squares));
            }
            total
        },
    )
}
