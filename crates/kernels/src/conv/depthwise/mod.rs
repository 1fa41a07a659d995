//! Depthwise convolution, channels-last: vectors over channels, bound by memory.
//!
//! Nothing is summed over channels, so there is no reuse for a matrix product to find. Each output
//! pixel multiplies a few input pixels by the weights of their taps, all channels side by side.
//! Borders need no case of their own: along each axis, every target index has a list of the taps
//! that reach it and the source indices they read. Forward and backward-data differ only in those
//! lists. Neighbours of a row that have the same taps form a [`Run`], and a tile of a few of them
//! is summed at once, so that a weight is loaded once for all.

mod sweep;
mod weights;

use geometry::{ConvGeometry, Window};

use super::{Direction, Epilogue, Refusal};
use crate::shared::Shared;
use crate::simd::dispatch;
use crate::{Context, Isa};

/// Why the depthwise path does not serve a problem, if so.
pub(super) fn refuse(geometry: &ConvGeometry) -> Option<Refusal> {
    let depthwise = geometry.is_depthwise() && geometry.out_channels == geometry.in_channels;
    (!depthwise).then_some(Refusal::NotDepthwise)
}

/// One direction, planned.
#[derive(Clone, Debug)]
pub(super) struct DepthwisePlan {
    geometry: ConvGeometry,
    isa: Isa,
    /// Rows of all depths: the two outer axes are one.
    rows: AxisTaps,
    columns: AxisTaps,
    /// The targets of a row, run by run.
    runs: Vec<Run>,
    /// Accumulators of the backward-weights direction; fixed by the problem alone.
    partitions: usize,
}

/// For each target index along an axis, the taps that reach it.
#[derive(Clone, Debug)]
struct AxisTaps {
    source: usize,
    target: usize,
    /// `starts[i] .. starts[i + 1]` of `taps` belong to target index `i`.
    starts: Vec<usize>,
    /// (tap of the kernel, source index)
    taps: Vec<(usize, usize)>,
}

impl AxisTaps {
    fn new(window: &Window, direction: Direction) -> Self {
        let backward = direction == Direction::BackwardData;
        let (source, target) = if backward {
            (window.output, window.input)
        } else {
            (window.input, window.output)
        };
        let mut starts = vec![0];
        let mut taps = Vec::new();
        for index in 0..target {
            taps.extend((0..window.kernel).filter_map(|tap| {
                let from = if backward {
                    window.target(index, tap)
                } else {
                    window.source(index, tap)
                };
                from.map(|from| (tap, from))
            }));
            starts.push(taps.len());
        }
        Self {
            source,
            target,
            starts,
            taps,
        }
    }

    /// This axis and the next inner one, of kernel `inner`, as a single one: the rows of all slices.
    fn of_rows(&self, rows: &Self, inner: &Window) -> Self {
        let mut starts = vec![0];
        let mut taps = Vec::new();
        for (slice, row) in (0..self.target).flat_map(|s| (0..rows.target).map(move |r| (s, r))) {
            for &(tap, from) in self.at(slice) {
                let row = rows.at(row).iter();
                taps.extend(row.map(|&(tap_row, from_row)| {
                    (tap * inner.kernel + tap_row, from * rows.source + from_row)
                }));
            }
            starts.push(taps.len());
        }
        Self {
            source: self.source * rows.source,
            target: self.target * rows.target,
            starts,
            taps,
        }
    }

    /// The target indices in runs. A phase of a backward pass has a stride between its targets, and
    /// they read neighbouring elements; forward it is the other way round.
    fn runs(&self, window: &Window, direction: Direction) -> Vec<Run> {
        let (step, shift) = match direction {
            Direction::BackwardData => (window.stride, 1),
            Direction::Forward | Direction::BackwardWeights => (1, window.stride),
        };
        let mut runs = Vec::new();
        for phase in 0..step.min(self.target) {
            let mut first = phase;
            while first < self.target {
                let mut count = 1;
                while self.follows(first, first + count * step, count * shift) {
                    count += 1;
                }
                runs.push(Run {
                    first,
                    step,
                    count,
                    shift,
                });
                first += count * step;
            }
        }
        runs
    }

    /// Whether target `index` exists and has the taps of `first`, each `shift` elements further on.
    fn follows(&self, first: usize, index: usize, shift: usize) -> bool {
        index < self.target && {
            let shifted = self
                .at(first)
                .iter()
                .map(|&(tap, from)| (tap, from + shift));
            shifted.eq(self.at(index).iter().copied())
        }
    }

    fn at(&self, index: usize) -> &[(usize, usize)] {
        &self.taps[self.starts[index]..self.starts[index + 1]]
    }
}

/// Targets of a row that one tile can walk over: `first`, `first + step`, …, `count` of them. All have
/// the taps of the first, and each reads `shift` source elements behind the one before.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: usize,
    step: usize,
    count: usize,
    shift: usize,
}

/// Images that share an accumulator of the weights' gradient, so that few are needed.
const PARTITIONS: usize = 32;

/// Channels that one task of the weights' gradient takes: whole cache lines, several a pixel.
const BAND: usize = 128;

impl DepthwisePlan {
    pub(super) fn new(geometry: &ConvGeometry, direction: Direction, isa: Isa) -> Self {
        let [depth, height, width] = &geometry.windows;
        let columns = AxisTaps::new(width, direction);
        Self {
            geometry: *geometry,
            isa,
            rows: AxisTaps::new(depth, direction)
                .of_rows(&AxisTaps::new(height, direction), height),
            runs: columns.runs(width, direction),
            columns,
            partitions: match direction {
                Direction::BackwardWeights => geometry.batch.clamp(1, PARTITIONS),
                _ => 0,
            },
        }
    }

    pub(super) fn packed_len(&self) -> usize {
        if self.partitions > 0 {
            return 0;
        }
        self.geometry.weight_count()
    }

    pub(super) fn scratch_len(&self) -> usize {
        self.partitions * self.geometry.weight_count()
    }

    /// `[c, 1, kernel…]` → `[kernel…, c]`
    pub(super) fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        if packed.is_empty() {
            return;
        }
        let (channels, taps) = (self.geometry.in_channels, self.geometry.kernel_area());
        for (tap, row) in packed.chunks_exact_mut(channels).enumerate() {
            for (channel, out) in row.iter_mut().enumerate() {
                *out = weight[channel * taps + tap];
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
                    plan: &DepthwisePlan, source: &[f32], packed: &[f32], epilogue: Epilogue<'_>,
                    target: Shared<'_>, task: usize,
                ));
            });
    }

    /// The gradient of the weight `[c, 1, kernel…]`.
    pub(super) fn backward_weights(
        &self,
        ctx: &Context<'_>,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (channels, taps) = (self.geometry.in_channels, self.geometry.kernel_area());
        let len = channels * taps;
        let bands = channels.div_ceil(BAND);
        let scratch = &mut scratch[..self.scratch_len()];
        let partials = Shared::new(scratch);
        let plan = self;
        ctx.team.for_each(self.partitions * bands, |task, _| {
            // SAFETY: `isa` proves the family; lengths were checked by the caller; a task has a band
            // of one accumulator to itself.
            dispatch!(self.isa => weights::band(
                plan: &DepthwisePlan, x: &[f32], dy: &[f32], task: usize, partials: Shared<'_>,
            ));
        });
        let scratch = &*scratch;
        let dw = Shared::new(dw);
        ctx.team.for_each(bands, |band, _| {
            let first = band * BAND;
            let band = first..channels.min(first + BAND);
            // SAFETY: the weights of these channels are this task's alone.
            let dw = unsafe { dw.slice(first * taps, band.len() * taps) };
            for (channel, dw) in band.zip(dw.chunks_exact_mut(taps)) {
                for (tap, dw) in dw.iter_mut().enumerate() {
                    *dw = (0..self.partitions)
                        .map(|partition| scratch[partition * len + tap * channels + channel])
                        .sum();
                }
            }
        });
    }
}
