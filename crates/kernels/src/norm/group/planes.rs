//! Channels first: a group is contiguous, and so is each of its channels.

use super::{Affine, Backward, GroupGeometry};
use crate::blocks::BLOCK;
use crate::norm::phases::in_phases;
use crate::norm::rows::{Piece, Rows};
use crate::runs::sums;
use crate::shared::Shared;
use crate::{Context, Real};

fn rows(geometry: &GroupGeometry) -> Rows {
    Rows {
        rows: geometry.units(),
        len: geometry.count(),
    }
}

pub(super) fn forward_scratch_len(geometry: &GroupGeometry) -> usize {
    rows(geometry).scratch_len()
}

pub(super) fn forward<T: Real>(
    context: &Context<'_>,
    geometry: &GroupGeometry,
    epsilon: f32,
    affine: Affine<'_, T>,
    x: &[T],
    y: &mut [T],
    mean: &mut [T],
    inv_std: &mut [T],
    scratch: &mut [T],
) {
    let area = geometry.area;
    rows(geometry).normalise(
        context,
        epsilon,
        x,
        y,
        mean,
        inv_std,
        scratch,
        #[inline(always)]
        |piece| {
            let Piece {
                row,
                from,
                x,
                y,
                mean,
                inv_std,
            } = piece;
            let first = row % geometry.groups * geometry.width();
            let mut at = 0;
            while at < x.len() {
                // To the end of the plane, or of the piece.
                let channel = first + (from + at) / area;
                let end = x.len().min(at + area - (from + at) % area);
                let scale = affine.gamma(channel) * inv_std;
                let shift = affine.beta(channel);
                for (y, &x) in y[at..end].iter_mut().zip(&x[at..end]) {
                    *y = (x - mean) * scale + shift;
                }
                at = end;
            }
        },
    );
}

/// Pieces that a plane is cut into.
fn pieces(geometry: &GroupGeometry) -> usize {
    geometry.area.div_ceil(BLOCK)
}

pub(super) fn backward_scratch_len(geometry: &GroupGeometry) -> usize {
    geometry.batch * geometry.channels * pieces(geometry) * 2
}

pub(super) fn backward<T: Real>(backward: &Backward<'_, T>, partials: &mut [T], dx: &mut [T]) {
    let (context, geometry) = (backward.context, backward.geometry);
    let (width, area, pieces) = (geometry.width(), geometry.area, pieces(geometry));
    let chunks = width * pieces;
    let partials = Shared::new(&mut partials[..geometry.units() * chunks * 2]);
    let out = Shared::new(dx);
    // A chunk is a piece of a plane: where it starts in the map, and its length.
    let chunk = |unit: usize, index: usize| {
        let (plane, from) = (unit * width + index / pieces, index % pieces * BLOCK);
        (plane * area + from, BLOCK.min(area - from))
    };
    in_phases(
        context.team,
        geometry.units(),
        chunks,
        geometry.count(),
        |unit, index| {
            let (start, len) = chunk(unit, index);
            let (x, dy) = (&backward.x[start..][..len], &backward.dy[start..][..len]);
            let mean = backward.mean[unit];
            let sums = T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    sums(
                        [x, dy],
                        #[inline(always)]
                        |[x, dy]| [dy, dy * (x - mean)],
                    )
                },
            );
            // SAFETY: every chunk belongs to one task.
            let partial = unsafe { partials.slice((unit * chunks + index) * 2, 2) };
            partial.copy_from_slice(&sums.map(T::of));
        },
        |unit| {
            let chunk_sums = |place: usize| {
                let start = (unit * width + place) * pieces * 2;
                // SAFETY: the chunks of the group have been summed.
                let partials = unsafe { partials.read(start, pieces * 2) };
                let mut sums = [0.0; 2];
                for partial in partials.chunks_exact(2) {
                    sums = [0, 1].map(|k| sums[k] + partial[k].wide());
                }
                sums
            };
            // SAFETY: every group belongs to one task.
            unsafe { backward.settle(unit / geometry.groups, unit % geometry.groups, chunk_sums) };
        },
        |unit, index| {
            let (start, len) = chunk(unit, index);
            let (x, dy) = (&backward.x[start..][..len], &backward.dy[start..][..len]);
            let (mean, inv_std) = (backward.mean[unit], backward.inv_std[unit]);
            let channel = start / area % geometry.channels;
            let of_gradient = backward.affine.gamma(channel) * inv_std;
            // SAFETY: the group has been summed, and every chunk belongs to one task.
            let ([constant, of_input], dx) =
                unsafe { (backward.shares(unit), out.slice(start, len)) };
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    for (dx, (&x, &dy)) in dx.iter_mut().zip(x.iter().zip(dy)) {
                        *dx = dy * of_gradient + ((x - mean) * of_input + constant);
                    }
                },
            );
        },
    );
}
