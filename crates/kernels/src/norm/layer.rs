//! Layer normalisation (Ba et al. 2016): rows of contiguous memory, each with its own statistics, as
//! PyTorch's `LayerNorm` over the trailing axes of a tensor in the order of its shape.
//!
//! `y = γ·(x − μ)·r + β` with `r = 1/√(σ² + ε)`, μ and σ² of the row; γ and β one an element of it.
//!
//! Backwards, with `x̂ = (x − μ)·r`, `g = γ·dy` and means over the `m` elements of the row:
//! `dx = r·(g − Σ g/m − x̂·Σ g·x̂/m)`, `dγ = Σ dy·x̂` and `dβ = Σ dy` over the rows.

use std::ops::Range;

use super::rows::{Piece, Rows, SIDE};
use crate::blocks::{BLOCK, for_rows};
use crate::runs::{LANES, sums};
use crate::shared::Shared;
use crate::vectors::add_vectors;
use crate::{Context, Isa, Real};

/// Elements of rows that are dealt with side by side: they stay in the first cache, or close to it.
const SIDE_ELEMENTS: usize = 8 * 1024;

/// A tensor as rows of what is normalised together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerGeometry {
    /// Rows.
    pub rows: usize,
    /// Elements of a row.
    pub len: usize,
}

impl LayerGeometry {
    /// Elements of `scratch` that [`forward`] needs.
    pub fn forward_scratch_len(&self) -> usize {
        self.as_rows().scratch_len()
    }

    /// Elements of `scratch` that [`backward`] needs.
    pub fn backward_scratch_len(&self) -> usize {
        let rows = self.as_rows();
        // One slope for each element, where there is no γ; the sums of pieces and of rows; the
        // gradients of γ and β by chunk.
        self.len + self.rows * (rows.pieces() + 1) * 2 + self.chunks() * 2 * self.len
    }

    fn as_rows(&self) -> Rows {
        Rows {
            rows: self.rows,
            len: self.len,
        }
    }

    /// Rows of a chunk, whose gradients of γ and β are summed in the element type: so many that a chunk
    /// is worth a task.
    fn chunk(&self) -> usize {
        (2 * BLOCK / self.len.max(1)).clamp(8, 64)
    }

    fn chunks(&self) -> usize {
        self.rows.div_ceil(self.chunk())
    }

    fn check(&self, maps: &[usize], vectors: &[Option<usize>], statistics: &[usize]) {
        let is = |len: usize| move |given: &usize| *given == len;
        assert!(
            maps.iter().all(is(self.rows * self.len)),
            "layer norm: lengths of maps {maps:?} for {self:?}"
        );
        assert!(
            vectors.iter().flatten().all(is(self.len)),
            "layer norm: lengths of vectors {vectors:?} for {self:?}"
        );
        assert!(
            statistics.iter().all(is(self.rows)),
            "layer norm: lengths of statistics {statistics:?} for {self:?}"
        );
    }
}

/// Normalises every row. Without γ it is 1, without β 0. `saved_mean` and `saved_inv_std`, one a row,
/// receive what the backward pass needs.
///
/// ```
/// use kernels::norm::layer::{LayerGeometry, forward};
/// use kernels::{Context, Isa, Team};
///
/// let team = Team::new(1).unwrap();
/// let context = Context { team: &team, isa: Isa::chosen() };
/// let geometry = LayerGeometry { rows: 2, len: 2 };
/// let (mut y, mut mean, mut inv_std) = ([0.0; 4], [0.0; 2], [0.0; 2]);
/// let mut scratch = vec![0.0; geometry.forward_scratch_len()];
/// forward(
///     &context, &geometry, 0.0, &[1.0f64, 3.0, 10.0, 30.0], Some(&[1.0, 2.0]), None,
///     &mut y, &mut mean, &mut inv_std, &mut scratch,
/// );
/// assert_eq!(y, [-1.0, 2.0, -1.0, 2.0]);
/// assert_eq!((mean, inv_std), ([2.0, 20.0], [1.0, 0.1]));
/// ```
///
/// # Panics
/// When a map does not hold `rows · len` elements, a vector not `len`, the statistics not `rows`, or
/// `scratch` is shorter than [`LayerGeometry::forward_scratch_len`].
pub fn forward<T: Real>(
    context: &Context<'_>,
    geometry: &LayerGeometry,
    epsilon: f32,
    x: &[T],
    gamma: Option<&[T]>,
    beta: Option<&[T]>,
    y: &mut [T],
    saved_mean: &mut [T],
    saved_inv_std: &mut [T],
    scratch: &mut [T],
) {
    geometry.check(
        &[x.len(), y.len()],
        &[gamma.map(<[T]>::len), beta.map(<[T]>::len)],
        &[saved_mean.len(), saved_inv_std.len()],
    );
    geometry.as_rows().normalise(
        context,
        epsilon,
        x,
        y,
        saved_mean,
        saved_inv_std,
        scratch,
        #[inline(always)]
        |piece| {
            let Piece {
                from,
                x,
                y,
                mean,
                inv_std,
                ..
            } = piece;
            let gamma = gamma.map(|gamma| &gamma[from..][..x.len()]);
            let beta = beta.map(|beta| &beta[from..][..x.len()]);
            let pairs = y.iter_mut().zip(x);
            match (gamma, beta) {
                (Some(gamma), Some(beta)) => {
                    for ((y, &x), (&gamma, &beta)) in pairs.zip(gamma.iter().zip(beta)) {
                        *y = (x - mean) * inv_std * gamma + beta;
                    }
                }
                (Some(gamma), None) => {
                    for ((y, &x), &gamma) in pairs.zip(gamma) {
                        *y = (x - mean) * inv_std * gamma;
                    }
                }
                (None, Some(beta)) => {
                    for ((y, &x), &beta) in pairs.zip(beta) {
                        *y = (x - mean) * inv_std + beta;
                    }
                }
                (None, None) => {
                    for (y, &x) in pairs {
                        *y = (x - mean) * inv_std;
                    }
                }
            }
        },
    );
}

/// The gradients of [`forward`]; those of γ and β only where they are asked for.
///
/// # Panics
/// As [`forward`], with [`LayerGeometry::backward_scratch_len`].
pub fn backward<T: Real>(
    context: &Context<'_>,
    geometry: &LayerGeometry,
    x: &[T],
    gamma: Option<&[T]>,
    saved_mean: &[T],
    saved_inv_std: &[T],
    dy: &[T],
    dx: &mut [T],
    dgamma: Option<&mut [T]>,
    dbeta: Option<&mut [T]>,
    scratch: &mut [T],
) {
    geometry.check(
        &[x.len(), dy.len(), dx.len()],
        &[
            gamma.map(<[T]>::len),
            dgamma.as_ref().map(|dgamma| dgamma.len()),
            dbeta.as_ref().map(|dbeta| dbeta.len()),
        ],
        &[saved_mean.len(), saved_inv_std.len()],
    );
    let rows = geometry.as_rows();
    let (len, pieces) = (geometry.len, rows.pieces());
    let (ones, scratch) = scratch.split_at_mut(len);
    let (partials, scratch) = scratch.split_at_mut(geometry.rows * pieces * 2);
    let (shares, scratch) = scratch.split_at_mut(geometry.rows * 2);
    let parameters = &mut scratch[..geometry.chunks() * 2 * len];
    let gamma = match gamma {
        Some(gamma) => gamma,
        None => {
            ones.fill(T::one());
            &*ones
        }
    };
    let backward = Backward {
        isa: context.isa,
        len,
        x,
        gamma,
        mean: saved_mean,
        inv_std: saved_inv_std,
        dy,
    };
    let partials = Shared::new(partials);
    let shares = Shared::new(shares);
    // A row of one piece is summed where it is used, a moment later.
    let at_once = pieces <= 1;
    // Of short ones several are, as one's sums are waited for; they are still in the cache when used.
    let side = if at_once {
        (SIDE_ELEMENTS / len.max(1)).clamp(1, SIDE)
    } else {
        1
    };
    if !at_once {
        context.team.for_each(geometry.rows * pieces, |index, _| {
            let (row, piece) = (index / pieces, index % pieces);
            let at = rows.piece(piece);
            // SAFETY: every piece belongs to one task.
            let partial = unsafe { partials.slice(index * 2, 2) };
            let sums = backward.sums(row, at.start, at.end);
            partial.copy_from_slice(&sums.map(T::of));
        });
        context.team.for_each(geometry.rows, |row, _| {
            // SAFETY: the pieces have been summed, and every row belongs to one task.
            let (partials, share) = unsafe {
                (
                    partials.read(row * pieces * 2, pieces * 2),
                    shares.slice(row * 2, 2),
                )
            };
            let sum = |k: usize| {
                partials
                    .iter()
                    .skip(k)
                    .step_by(2)
                    .map(|sum| sum.wide())
                    .sum()
            };
            share.copy_from_slice(&backward.shares(backward.inv_std[row], [sum(0), sum(1)]));
        });
    }
    let out = Shared::new(dx);
    let by_chunk = Shared::new(&mut *parameters);
    let chunk_rows = geometry.chunk();
    let tasks = geometry.chunks() * pieces;
    for_rows(context.team, tasks, chunk_rows * len.min(BLOCK), |tasks| {
        for task in tasks {
            let (chunk, piece) = (task / pieces, task % pieces);
            let at = rows.piece(piece);
            // SAFETY: every piece of a chunk belongs to one task.
            let [first, second] = [0, 1]
                .map(|k| unsafe { by_chunk.slice((chunk * 2 + k) * len + at.start, at.len()) });
            first.fill(T::zero());
            second.fill(T::zero());
            let from = chunk * chunk_rows;
            let to = (from + chunk_rows).min(geometry.rows);
            for row in (from..to).step_by(side) {
                let side = row..(row + side).min(to);
                let share = if at_once {
                    backward.side_shares(side.clone())
                } else {
                    // SAFETY: the shares have been written.
                    let share = unsafe { shares.read(row * 2, 2) };
                    [[share[0], share[1]]; SIDE]
                };
                backward.apply(side, at.start, &share, out, first, second);
            }
        }
    });
    let (chunks, parameters) = (geometry.chunks(), &*parameters);
    if let Some(dbeta) = dbeta {
        add_vectors(context, parameters, chunks, |k| 2 * k * len, dbeta);
    }
    if let Some(dgamma) = dgamma {
        add_vectors(context, parameters, chunks, |k| (2 * k + 1) * len, dgamma);
    }
}

/// The operands of the backward pass.
struct Backward<'a, T> {
    isa: Isa,
    len: usize,
    x: &'a [T],
    gamma: &'a [T],
    mean: &'a [T],
    inv_std: &'a [T],
    dy: &'a [T],
}

impl<T: Real> Backward<'_, T> {
    /// `Σ g` and `Σ g·(x − μ)` over places `from .. to` of a row.
    fn sums(&self, row: usize, from: usize, to: usize) -> [f64; 2] {
        T::vectorised(
            self.isa,
            #[inline(always)]
            || self.row_sums(row, from, to),
        )
    }

    #[inline(always)]
    fn row_sums(&self, row: usize, from: usize, to: usize) -> [f64; 2] {
        let at = row * self.len + from..row * self.len + to;
        let (x, dy, gamma) = (&self.x[at.clone()], &self.dy[at], &self.gamma[from..to]);
        let mean = self.mean[row];
        sums(
            [x, dy, gamma],
            #[inline(always)]
            |[x, dy, gamma]| {
                let g = dy * gamma;
                [g, g * (x - mean)]
            },
        )
    }

    /// What is added to `r·g` in every element of a row: a constant, and a multiple of `x − μ`.
    #[inline(always)]
    fn shares(&self, inv_std: T, [sum, product]: [f64; 2]) -> [T; 2] {
        let inv_std = inv_std.wide();
        let share = -inv_std / self.len as f64;
        [
            T::of(share * sum),
            T::of(share * inv_std * inv_std * product),
        ]
    }

    /// The shares of up to [`SIDE`] rows.
    fn side_shares(&self, rows: Range<usize>) -> [[T; 2]; SIDE] {
        T::vectorised(
            self.isa,
            #[inline(always)]
            || {
                let mut totals = [[0.0; 2]; SIDE];
                for (total, row) in totals.iter_mut().zip(rows.clone()) {
                    *total = self.row_sums(row, 0, self.len);
                }
                let mut shares = [[T::zero(); 2]; SIDE];
                let inv_std = &self.inv_std[rows];
                for ((share, total), &inv_std) in shares.iter_mut().zip(totals).zip(inv_std) {
                    *share = self.shares(inv_std, total);
                }
                shares
            },
        )
    }

    /// Neighbouring places of a row: `x`, `dy` and `dx`, which is the caller's to write.
    #[inline(always)]
    fn places<'b>(
        &'b self,
        row: usize,
        from: usize,
        width: usize,
        dx: Shared<'b, T>,
    ) -> (&'b [T], &'b [T], &'b mut [T]) {
        let start = row * self.len + from;
        // SAFETY: every piece of a row belongs to one task.
        let dx = unsafe { dx.slice(start, width) };
        (&self.x[start..][..width], &self.dy[start..][..width], dx)
    }

    /// Writes `dx` of some rows at the places from `from` on that the gradients of β and γ are given of, and
    /// adds to these.
    fn apply(
        &self,
        rows: Range<usize>,
        from: usize,
        shares: &[[T; 2]],
        dx: Shared<'_, T>,
        dbeta: &mut [T],
        dgamma: &mut [T],
    ) {
        let gamma = &self.gamma[from..][..dbeta.len()];
        T::vectorised(
            self.isa,
            #[inline(always)]
            || {
                // Lanes that stay in registers from row to row, and the rest.
                let (dbeta, rest_of_dbeta) = dbeta.as_chunks_mut::<LANES>();
                let (dgamma, rest_of_dgamma) = dgamma.as_chunks_mut::<LANES>();
                let (gamma, rest_of_gamma) = gamma.as_chunks::<LANES>();
                let rest = dbeta.len() * LANES;
                let lanes = dbeta.iter_mut().zip(dgamma).zip(gamma);
                for (index, ((dbeta, dgamma), gamma)) in lanes.enumerate() {
                    let mut sums = [*dbeta, *dgamma];
                    for (row, &[constant, of_input]) in rows.clone().zip(shares) {
                        let (x, dy, dx) = self.places(row, from + index * LANES, LANES, dx);
                        let (mean, inv_std) = (self.mean[row], self.inv_std[row]);
                        let mut result = [T::zero(); LANES];
                        for lane in 0..LANES {
                            let (centred, dy) = (x[lane] - mean, dy[lane]);
                            result[lane] =
                                dy * gamma[lane] * inv_std + (centred * of_input + constant);
                            sums[0][lane] += dy;
                            sums[1][lane] += dy * (centred * inv_std);
                        }
                        dx.copy_from_slice(&result);
                    }
                    [*dbeta, *dgamma] = sums;
                }
                if rest_of_gamma.is_empty() {
                    return;
                }
                for (row, &[constant, of_input]) in rows.zip(shares) {
                    let (x, dy, dx) = self.places(row, from + rest, rest_of_gamma.len(), dx);
                    let (mean, inv_std) = (self.mean[row], self.inv_std[row]);
                    let reads = x.iter().zip(dy).zip(rest_of_gamma);
                    let sums = rest_of_dbeta.iter_mut().zip(&mut *rest_of_dgamma);
                    for ((dx, ((&x, &dy), &gamma)), (dbeta, dgamma)) in
                        dx.iter_mut().zip(reads).zip(sums)
                    {
                        let centred = x - mean;
                        *dx = dy * gamma * inv_std + (centred * of_input + constant);
                        *dbeta += dy;
                        *dgamma += dy * (centred * inv_std);
                    }
                }
            },
        );
    }
}
