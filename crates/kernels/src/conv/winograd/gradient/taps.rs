//! Sums at the points, brought back to taps and put into place.

use super::{GradientPlan, Piece};
use crate::conv::winograd::points::MOST_TAPS;
use crate::conv::winograd::transform::{self, TapGradients};
use crate::shared::Shared;
use crate::simd::{Vector, turn};

/// Elements of a row of the weight that are made before they are put into place, for as many output channels
/// as a vector has lanes.
const GATHERED: usize = 256;
/// Lanes of the widest vector.
const MAX_LANES: usize = 16;
const _: () = assert!(GATHERED >= MOST_TAPS * MOST_TAPS);

/// Adds up the sums of a piece, of all partitions in order, and brings them to the weight `[o, c, kernel…]`. They
/// are all there are, or those of a task that makes them at once.
///
/// Sums run along output channels, the weight along taps and input channels: what is made of them is
/// turned in registers on its way.
///
/// # Safety
/// `V` is the vector of the plan's family and its instructions exist; sums and weight have the lengths of the
/// plan; no other task has the piece.
#[inline(always)]
pub(super) unsafe fn from_points<V: Vector>(
    plan: &GradientPlan,
    piece: Piece,
    sums: &[f32],
    dw: Shared<'_>,
) {
    let (rows, columns) = plan.grid.lines();
    let area = rows.taps * columns.taps;
    let width = columns.inputs();
    let row_len = piece.vectors * V::LANES;
    let by_point = plan.sums_at_point(piece);
    let channels = plan.channels(piece);
    let start = match plan.at_once() {
        true => 0,
        false => plan.sums_start(piece),
    };
    let by_target = plan.sources * area;
    let at_once = GATHERED / area;
    let mut taps = [0.0f32; GATHERED * MAX_LANES];
    for vector in 0..piece.vectors {
        let target = (piece.first + vector) * V::LANES;
        let used = V::LANES.min(plan.targets - target);
        for first in channels.clone().step_by(at_once) {
            let some = first..(first + at_once).min(channels.end);
            for (index, channel) in some.clone().enumerate() {
                let start = start + (channel - channels.start) * row_len + vector * V::LANES;
                let last = (plan.partitions - 1) * plan.sums_len();
                let points = (plan.grid.points() - 1) * by_point;
                assert!(start + last + points + V::LANES <= sums.len(), "sums");
                // SAFETY: a vector of the sums of every partition at every point, and one of the taps.
                unsafe {
                    let from = sums.as_ptr().add(start);
                    let to = taps.as_mut_ptr().add(index * area * V::LANES);
                    transform::whole_tile::<TapGradients, V>(
                        (rows, columns),
                        #[inline(always)]
                        |row, column| {
                            let from = from.add((row * width + column) * by_point);
                            let mut sum = V::load(from);
                            for partition in 1..plan.partitions {
                                sum = sum.add(V::load(from.add(partition * plan.sums_len())));
                            }
                            sum
                        },
                        #[inline(always)]
                        |row, column, sum| {
                            sum.store(to.add((row * columns.taps + column) * V::LANES))
                        },
                    );
                }
            }
            // SAFETY: these elements of these output channels lie within the weight.
            unsafe {
                let to = dw.as_mut_ptr().add(target * by_target + first * area);
                turn::<V>(
                    taps.as_ptr(),
                    V::LANES,
                    (some.len() * area, used),
                    to,
                    by_target,
                );
            }
        }
    }
}
