//! The end of a gradient of weights: partitions are added up, and the sums put into place.
//!
//! Accumulators run along output channels, the weight along input channels and kernel. Elements put
//! into place one by one would be strewn over as many rows of the weight, often a power of two apart;
//! so a block is added up first and turned in registers on its way.

use std::ops::Range;

use super::WeightsPlan;
use crate::Context;
use crate::shared::Shared;
use crate::simd::{Vector, dispatch, turn};

/// Elements of a row of the weight whose gradients one task adds up and puts into place.
const GATHERED: usize = 128;
/// Lanes of the widest vector.
const MAX_LANES: usize = 16;

/// Adds the partitions up, in order, and writes `[o, c/g, kernel…]`.
pub(super) fn gather(plan: &WeightsPlan, ctx: &Context<'_>, partials: &[f32], dw: &mut [f32]) {
    let row = plan.walk.depth();
    let blocks = row.div_ceil(GATHERED);
    let dw = Shared::new(dw);
    let vectors = plan.walk.groups * plan.vectors;
    ctx.team.for_each(vectors * blocks, |task, _| {
        let (vector, block) = (task / blocks, task % blocks);
        let elements = block * GATHERED..row.min((block + 1) * GATHERED);
        // SAFETY: `isa` proves the family; lengths are the plan's; no other task writes these
        // elements of these output channels.
        dispatch!(plan.isa => gather_block(
            plan: &WeightsPlan, partials: &[f32], vector: usize,
            elements: Range<usize>, dw: Shared<'_>,
        ));
    });
}

/// Adds up and writes some elements `[c/g, kernel…]` of a vector of output channels.
///
/// # Safety
/// `V`'s instructions exist; the slices have the plan's lengths; no other task has this part of `dw`.
#[inline(always)]
unsafe fn gather_block<V: Vector>(
    plan: &WeightsPlan,
    partials: &[f32],
    vector: usize,
    elements: Range<usize>,
    dw: Shared<'_>,
) {
    let g = &plan.geometry;
    let (o, c, area) = (
        g.out_channels_per_group(),
        g.in_channels_per_group(),
        g.kernel_area(),
    );
    let (group, vector) = (vector / plan.vectors, vector % plan.vectors);
    let first = vector * V::LANES;
    // The panel of the vector, and its place there.
    let (panel, within) = (vector / plan.wide * plan.wide, vector % plan.wide);
    let wide = plan.panel_width(panel);
    let start = plan.sums(group, panel) + within * V::LANES;
    let mut sums = [0.0f32; GATHERED * MAX_LANES];
    for (sums, element) in sums.chunks_exact_mut(V::LANES).zip(elements.clone()) {
        // A forward walk has every tap, in the order of the kernel.
        let (channel, tap) = (element / area, element % area);
        let at = start + plan.place(tap * c + channel) * wide * V::LANES;
        // SAFETY: a vector of every accumulator, and one of the sums.
        unsafe {
            let mut sum = V::zero();
            for partial in partials.chunks_exact(plan.accumulator_len()) {
                sum = sum.add(V::load(partial[at..].as_ptr()));
            }
            sum.store(sums.as_mut_ptr());
        }
    }
    let outputs = V::LANES.min(o - first);
    let row = c * area;
    // SAFETY: these elements of these output channels lie within the weight.
    unsafe {
        let to = dw
            .as_mut_ptr()
            .add((group * o + first) * row + elements.start);
        turn::<V>(sums.as_ptr(), V::LANES, (elements.len(), outputs), to, row);
    }
}
