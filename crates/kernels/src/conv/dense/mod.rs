//! The dense path: matrix products.
//!
//! As a rule the direct algorithm builds no matrix of columns. A strip of source rows, zero-padded where it
//! must be, *is* the left factor: each pixel's sum runs over a few stretches of it. Only pixels that evict each
//! other from the nearest cache are copied apart. Im2col makes the
//! matrix of a block at a time out of such strips, and in any number of axes; the rest is the same.
//! Sums run channels last; channels first, strips are turned on their way in and out of the cache.
//! See [`walk`] for what is summed, [`cut`] for the strips, [`columns`] for the matrix, [`panels`] for
//! the right factor, [`tile`] for the inner loop, [`sweep`] for the loops around it, and [`weights`]
//! for the gradient of the weights.

mod chunk;
mod columns;
mod cut;
mod panels;
mod pass;
mod slide;
mod sweep;
mod tile;
mod walk;
mod weights;

use geometry::{ConvGeometry, Window};
use tensor::Layout;

pub(super) use self::cut::{Fetch, fits};
pub(super) use self::panels::{Panel, cut_panels};
use self::slide::slides;
pub(super) use self::sweep::wanted_tasks;
use self::sweep::{Operands, Sweep};
pub(super) use self::tile::{OfShape, Part, Target, Weights, of_shape, tile};
pub(super) use self::walk::{Segment, Walk, leave_gaps};
pub(super) use self::weights::{Ask, Pass, Pixels, WeightsPlan, tile_width};
use super::finish::empty_sums;
use super::{Direction, Epilogue, Refusal};
use crate::shared::Shared;
use crate::{Context, Isa};

/// Why the direct algorithm does not serve a problem, if so.
pub(super) fn refuse(geometry: &ConvGeometry, direction: Direction) -> Option<Refusal> {
    if geometry.windows[0] != Window::UNIT {
        return Some(Refusal::Depth);
    }
    refuse_columns(geometry, direction)
}

/// Why im2col does not serve a problem, if so.
pub(super) fn refuse_columns(geometry: &ConvGeometry, direction: Direction) -> Option<Refusal> {
    // Where a strip is read in place it reaches within the source, so the layout does not matter.
    let walks = Walk::all(geometry, direction, Layout::Nchw);
    (!walks.iter().all(fits)).then_some(Refusal::Reach)
}

/// Share of the peak that sums of so many vectors of target channels reach, with a kernel of this width, as far as no memory
/// holds them up.
pub(super) fn share_of_peak(vectors: usize, width: &Window) -> f64 {
    match vectors {
        1 if slides(width) => 0.9,
        1 => 0.7,
        _ => 0.93,
    }
}

/// Forward or backward-data, planned: one sweep for forward, one for each stride phase backwards.
#[derive(Clone, Debug)]
pub(super) struct SweepPlan {
    geometry: ConvGeometry,
    direction: Direction,
    layout: Layout,
    isa: Isa,
    /// Sweeps, each with its first task and the start of its packed weights.
    sweeps: Vec<(usize, usize, Sweep)>,
    tasks: usize,
    /// All sweeps have as many.
    alike: bool,
    packed_len: usize,
    /// Some target elements belong to no sweep: no tap reaches them.
    gaps: bool,
}

impl SweepPlan {
    pub(super) fn new(
        geometry: &ConvGeometry,
        direction: Direction,
        layout: Layout,
        isa: Isa,
        fetch: Fetch,
    ) -> Self {
        let (mut tasks, mut packed_len) = (0, 0);
        let walks = Walk::all(geometry, direction, layout);
        let gaps = leave_gaps(&walks, geometry, direction);
        // Phases have different work, as some have fewer taps, but are cut alike.
        let macs = walks
            .iter()
            .fold(0usize, |sum, walk| sum.saturating_add(walk.macs()));
        let wanted = sweep::wanted_tasks(macs).div_ceil(walks.len().max(1));
        let sweeps: Vec<_> = walks
            .into_iter()
            .map(|walk| {
                let sweep = Sweep::new(walk, geometry, isa, fetch, wanted);
                let entry = (tasks, packed_len, sweep);
                tasks += entry.2.tasks();
                packed_len += entry.2.panels.len();
                entry
            })
            .collect();
        Self {
            geometry: *geometry,
            direction,
            layout,
            isa,
            alike: sweeps
                .iter()
                .all(|(.., sweep): &(_, _, Sweep)| sweep.tasks() * sweeps.len() == tasks),
            sweeps,
            tasks,
            packed_len,
            gaps,
        }
    }

    pub(super) fn packed_len(&self) -> usize {
        self.packed_len
    }

    pub(super) fn scratch_per_worker(&self) -> usize {
        self.sweeps
            .iter()
            .map(|(.., sweep)| sweep.scratch_len())
            .max()
            .unwrap_or(0)
    }

    pub(super) fn pack(&self, ctx: &Context<'_>, weight: &[f32], packed: &mut [f32]) {
        for (_, start, sweep) in &self.sweeps {
            let packed = &mut packed[*start..][..sweep.panels.len()];
            sweep.panels.pack(
                ctx,
                self.isa,
                &self.geometry,
                self.direction,
                weight,
                packed,
            );
        }
    }

    /// The sweep of a task, and its number there. Sweeps of equally many tasks take turns: their tasks of one number
    /// read the same source rows and write to the same target rows.
    fn place(&self, task: usize) -> (usize, usize) {
        if self.alike {
            return (task % self.sweeps.len(), task / self.sweeps.len());
        }
        let index = self.sweeps.partition_point(|(first, ..)| *first <= task) - 1;
        (index, task - self.sweeps[index].0)
    }

    /// `source` and `target` are the forward pass's input and output, or the gradients of its
    /// output and input. The caller has checked every length.
    pub(super) fn run(
        &self,
        ctx: &Context<'_>,
        source: &[f32],
        packed: &[f32],
        epilogue: Epilogue<'_>,
        target: &mut [f32],
        scratch: &mut [f32],
    ) {
        if self.gaps {
            let g = &self.geometry;
            let map = (g.batch, g.in_channels, g.input_area());
            empty_sums(ctx, self.layout, map, epilogue, target);
        }
        let target = Shared::new(target);
        let per_worker = self.scratch_per_worker();
        let scratch = Shared::new(scratch);
        ctx.team.for_each(self.tasks, |task, worker| {
            let (index, task) = self.place(task);
            let (_, packed_start, sweep) = &self.sweeps[index];
            let operands = Operands {
                source,
                packed: &packed[*packed_start..][..sweep.panels.len()],
                target,
                bias: epilogue.bias,
                residual: epilogue.residual,
                activation: epilogue.activation,
            };
            // SAFETY: a worker runs one task at a time.
            let scratch = unsafe { scratch.slice(worker * per_worker, per_worker) };
            sweep.run(self.isa, task, operands, scratch);
        });
    }
}
