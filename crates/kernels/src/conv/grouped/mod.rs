//! Convolution of small groups, channels last: vectors over the channels of several groups.
//!
//! In a depthwise convolution nothing is summed over channels, so there is no reuse for a matrix
//! product to find: each output pixel multiplies a few input pixels by the weights of their taps, all
//! channels side by side. Groups of a few channels are the same once a source pixel is seen as often
//! as a group has source channels: in view `j` every lane holds the `j`-th channel of its own group.
//! A view is a permutation of the pixel's vector, made in registers ([`lanes`]); with it a small
//! group costs its own multiply-adds, where a matrix product would leave most lanes of its tile idle.
//!
//! Borders need no case of their own: along each axis, every target index has a list of the taps
//! that reach it and the source indices they read ([`taps`]). Forward and backward-data differ only
//! in those lists. Neighbours of a row that have the same taps form a [`Run`], and a tile of a few
//! of them is summed at once, so that a weight is loaded once for all.

mod lanes;
mod slide;
mod sweep;
mod taps;
mod weights;

use geometry::{ConvGeometry, Window};

use self::lanes::Lanes;
use self::slide::Slide;
use self::taps::{AxisTaps, Run};
use super::dense::wanted_tasks;
use super::{Direction, Epilogue, Refusal};
use crate::shared::Shared;
use crate::simd::dispatch;
use crate::{Context, Isa};

/// Why the problem is not depthwise as kernels see it, if so.
pub(super) fn refuse_depthwise(geometry: &ConvGeometry) -> Option<Refusal> {
    let depthwise = geometry.is_depthwise() && geometry.out_channels == geometry.in_channels;
    if !depthwise {
        return Some(Refusal::NotDepthwise);
    }
    refuse_long_lists(geometry)
}

/// Why groups do not share vectors, if so.
pub(super) fn refuse(geometry: &ConvGeometry, isa: Isa) -> Option<Refusal> {
    if geometry.groups == 1 {
        return Some(Refusal::OneGroup);
    }
    let shared = Lanes::new(geometry, Direction::Forward, isa).are_shared();
    if !shared {
        return Some(Refusal::WideGroups);
    }
    refuse_long_lists(geometry)
}

/// Most entries of a list of taps, one for every element of an axis and tap.
const MOST_TAPS: u128 = 1 << 24;

/// A map of billions of rows, if only of an empty batch, wants lists as long.
fn refuse_long_lists(geometry: &ConvGeometry) -> Option<Refusal> {
    let length = |window: &Window| window.input.max(window.output) as u128 * window.kernel as u128;
    let [depth, height, width] = geometry.windows.each_ref().map(length);
    (depth * height > MOST_TAPS || width > MOST_TAPS).then_some(Refusal::Reach)
}

/// One direction, planned.
#[derive(Clone, Debug)]
pub(super) struct GroupedPlan {
    geometry: ConvGeometry,
    direction: Direction,
    isa: Isa,
    lanes: Lanes,
    /// Rows of all depths: the two outer axes are one.
    rows: AxisTaps,
    columns: AxisTaps,
    /// How the kernel slides over a row, if it does.
    slide: Option<Slide>,
    /// The targets of a row, run by run; for the gradient of the weights those that no tile of the slide has.
    runs: Vec<Run>,
    /// The rows of the target in short runs, for the gradient of the weights.
    row_runs: Vec<Run>,
    /// Accumulators of the backward-weights direction; fixed by the problem alone.
    partitions: usize,
}

/// Tasks of the weights' gradient, and the most parts of the rows of all images that have an accumulator each.
const PARTITIONS: usize = 8;

/// Pixels of a patch at most, as far as whole rows go: a first-level cache holds a vector of each, of both maps.
const PATCH: usize = 256;
/// Lanes that one task of the weights' gradient takes: whole cache lines, several a pixel.
const BAND: usize = 128;

impl GroupedPlan {
    pub(super) fn new(geometry: &ConvGeometry, direction: Direction, isa: Isa) -> Self {
        let [depth, height, width] = &geometry.windows;
        let columns = AxisTaps::new(width, direction);
        let rows = AxisTaps::new(depth, direction);
        let rows = rows.of_rows(&AxisTaps::new(height, direction), height);
        let row_runs = match direction {
            Direction::BackwardWeights => {
                let runs = rows.runs(height, direction).into_iter();
                let most = (PATCH / columns.target.max(1)).max(2);
                runs.flat_map(|run| run.pieces(most)).collect()
            }
            _ => Vec::new(),
        };
        let lanes = Lanes::new(geometry, direction, isa);
        // With fewer registers its sums and taps would not stay in them.
        let slides = lanes.are_in_place() && isa != Isa::Portable;
        let slide = slides.then(|| Slide::new(width, direction)).flatten();
        // The sums of five taps a row are too many to stay in registers with the gradients: that pays only for the order
        // in which maps beyond the second-level cache are read.
        let near = direction == Direction::BackwardWeights && !weights::is_far(geometry);
        let slide = slide.filter(|_| width.kernel == 3 || !near);
        let mut runs = columns.runs(width, direction);
        if let (Some(slide), Direction::BackwardWeights) = (&slide, direction) {
            let covered = slide.whole_tiles().len() * slide.pixels;
            runs = runs
                .into_iter()
                .filter_map(|run| run.behind(covered))
                .collect();
        }
        let mut plan = Self {
            slide,
            runs,
            geometry: *geometry,
            direction,
            isa,
            lanes,
            rows,
            row_runs,
            columns,
            partitions: 0,
        };
        if direction == Direction::BackwardWeights {
            // Where there is a single band, few images are cut too.
            let wanted = match plan.bands() {
                0 | 1 => wanted_tasks(geometry.macs()).min(PARTITIONS),
                _ => 1,
            };
            let images = geometry.batch.min(PARTITIONS);
            plan.partitions = wanted.max(images).min(plan.pieces()).max(1);
        }
        plan
    }

    /// Runs of rows of all images.
    fn pieces(&self) -> usize {
        self.geometry.batch * self.row_runs.len()
    }

    /// Blocks of a band of the weights' gradient.
    fn per_band(&self) -> usize {
        BAND / self.lanes.width
    }

    fn bands(&self) -> usize {
        self.lanes.blocks.div_ceil(self.per_band())
    }

    /// Channels of source and target.
    fn channels(&self) -> (usize, usize) {
        self.direction.channels(&self.geometry)
    }

    /// Weights, or sums of their gradients, in the order `[block, kernel…, j, lane]`, where `j` is
    /// the source channel within its group.
    fn lane_weights(&self) -> usize {
        self.lanes.blocks * self.block_weights()
    }

    /// Those of one block.
    fn block_weights(&self) -> usize {
        self.geometry.kernel_area() * self.lanes.source * self.lanes.width
    }

    /// The element of `[o, c/g, kernel…]` at a place of a block, if the lane is used.
    fn weight_at(&self, block: usize, place: usize) -> Option<usize> {
        let (place, lane) = (place / self.lanes.width, place % self.lanes.width);
        let (tap, channel) = (place / self.lanes.source, place % self.lanes.source);
        let (source, target) = self.lanes.channels(block, lane, channel)?;
        let per_group = self.geometry.in_channels / self.geometry.groups;
        let (output, input) = match self.direction {
            Direction::BackwardData => (source, target),
            Direction::Forward | Direction::BackwardWeights => (target, source),
        };
        Some((output * per_group + input % per_group) * self.geometry.kernel_area() + tap)
    }

    pub(super) fn packed_len(&self) -> usize {
        if self.partitions > 0 {
            return 0;
        }
        self.lane_weights()
    }

    pub(super) fn scratch_len(&self) -> usize {
        self.partitions * self.lane_weights()
    }

    /// `[o, c/g, kernel…]` → `[block, kernel…, j, lane]`; zeros in lanes without a channel.
    pub(super) fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        if packed.is_empty() {
            return;
        }
        for (block, packed) in packed.chunks_exact_mut(self.block_weights()).enumerate() {
            for (place, packed) in packed.iter_mut().enumerate() {
                *packed = self.weight_at(block, place).map_or(0.0, |at| weight[at]);
            }
        }
    }

    /// Forward and backward-data.
    pub(super) fn sweep(
        &self,
        ctx: &Context<'_>,
        source: &[f32],
        packed: &[f32],
        epilogue: Epilogue<'_>,
        target: &mut [f32],
    ) {
        let target = Shared::new(target);
        let plan = self;
        ctx.team
            .for_each(self.geometry.batch * self.rows.target, |task, _| {
                // SAFETY: `isa` proves the family; lengths were checked by the caller; a task
                // writes one row of one image.
                dispatch!(self.isa => sweep::row(
                    plan: &GroupedPlan, source: &[f32], packed: &[f32], epilogue: Epilogue<'_>,
                    target: Shared<'_>, task: usize,
                ));
            });
    }

    /// The gradient of the weight `[o, c/g, kernel…]`.
    pub(super) fn backward_weights(
        &self,
        ctx: &Context<'_>,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (per_band, bands) = (self.per_band(), self.bands());
        let scratch = &mut scratch[..self.scratch_len()];
        let partials = Shared::new(scratch);
        let plan = self;
        ctx.team.for_each(self.partitions * bands, |task, _| {
            let (partition, band) = (task / bands, task % bands);
            let blocks = band * per_band..self.lanes.blocks.min((band + 1) * per_band);
            // SAFETY: `isa` proves the family; lengths were checked by the caller; a task has a band
            // of one accumulator to itself.
            dispatch!(self.isa => weights::band(
                plan: &GroupedPlan, x: &[f32], dy: &[f32], partition: usize,
                blocks: std::ops::Range<usize>, partials: Shared<'_>,
            ));
        });
        let (len, taps) = (self.block_weights(), self.geometry.kernel_area());
        let dw = Shared::new(dw);
        ctx.team.for_each(self.lanes.blocks, |block, _| {
            let of = |partition: usize| (partition * self.lanes.blocks + block) * len;
            // SAFETY: a task reads and writes one block of every accumulator.
            let sums = unsafe { partials.slice(of(0), len) };
            for partition in 1..self.partitions {
                // SAFETY: as above.
                let more = unsafe { partials.slice(of(partition), len) };
                for (sum, more) in sums.iter_mut().zip(more) {
                    *sum += *more;
                }
            }
            // The taps of a lane and source channel are neighbours in the weight.
            let lanes = len / taps.max(1);
            for first in 0..lanes {
                let Some(at) = self.weight_at(block, first) else {
                    continue;
                };
                // SAFETY: an element of the weight stands at one place of one block.
                let dw = unsafe { dw.slice(at, taps) };
                for (tap, dw) in dw.iter_mut().enumerate() {
                    *dw = sums[tap * lanes + first];
                }
            }
        });
    }
}
