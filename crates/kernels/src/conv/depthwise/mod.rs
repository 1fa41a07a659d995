//! Depthwise convolution, channels-last: vectors over channels, bound by memory.
//!
//! Nothing is summed over channels, so there is no reuse for a matrix product to find. Each output
//! pixel multiplies a few input pixels by the weights of their taps, all channels side by side.
//! Borders need no case of their own: along each axis, every target index has a list of the taps
//! that reach it and the source indices they read. Forward and backward-data differ only in those
//! lists.

mod sweep;
mod weights;

use geometry::{ConvGeometry, Window};

use super::{Direction, Epilogue, Refusal};
use crate::shared::Shared;
use crate::simd::dispatch;
use crate::{Context, Isa};

/// Why the depthwise path does not serve a problem, if so.
pub(super) fn refuse(geometry: &ConvGeometry) -> Option<Refusal> {
    if geometry.windows[0] != Window::UNIT {
        return Some(Refusal::Depth);
    }
    let depthwise = geometry.is_depthwise() && geometry.out_channels == geometry.in_channels;
    (!depthwise).then_some(Refusal::NotDepthwise)
}

/// One direction, planned.
#[derive(Clone, Debug)]
pub(super) struct DepthwisePlan {
    geometry: ConvGeometry,
    isa: Isa,
    rows: AxisTaps,
    columns: AxisTaps,
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

    fn at(&self, index: usize) -> &[(usize, usize)] {
        &self.taps[self.starts[index]..self.starts[index + 1]]
    }
}

/// Images that share an accumulator of the weights' gradient, so that few are needed.
const PARTITIONS: usize = 32;

impl DepthwisePlan {
    pub(super) fn new(geometry: &ConvGeometry, direction: Direction, isa: Isa) -> Self {
        let [_, height, width] = &geometry.windows;
        Self {
            geometry: *geometry,
            isa,
            rows: AxisTaps::new(height, direction),
            columns: AxisTaps::new(width, direction),
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

    /// `[c, 1, kh, kw]` → `[kh, kw, c]`
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

    /// The gradient of the weight `[c, 1, kh, kw]`.
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
        let partials = Shared::new(&mut scratch[..self.scratch_len()]);
        let plan = self;
        ctx.team.for_each(self.partitions, |partition, _| {
            // SAFETY: each partition has an accumulator of its own.
            let partial = unsafe { partials.slice(partition * len, len) };
            // SAFETY: `isa` proves the family; lengths were checked by the caller.
            dispatch!(self.isa => weights::partition(
                plan: &DepthwisePlan, x: &[f32], dy: &[f32], partition: usize, partial: &mut [f32],
            ));
        });
        for channel in 0..channels {
            for tap in 0..taps {
                dw[channel * taps + tap] = (0..self.partitions)
                    .map(|partition| scratch[partition * len + tap * channels + channel])
                    .sum();
            }
        }
    }
}
