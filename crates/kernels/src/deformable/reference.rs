//! The definition, sample by sample, for every element type and both layouts.
//!
//! Slow beside a [`DeformablePlan`](super::DeformablePlan), needs neither plan nor scratch, and takes
//! its samples from the same place. Sums run in the element type in a fixed order.

use geometry::DeformableGeometry;
use tensor::Layout;

use super::sample::{Map, OUTSIDE, SampleMaps, Sampler};
use super::{Gradients, Sources};
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Real};

/// What the three directions need to know of a problem.
struct Problem {
    input: Map,
    output: Map,
    /// Input channels of a weight group and of an offset group, output channels of a weight group.
    per_group: usize,
    per_offset_group: usize,
    out_per_group: usize,
    taps: usize,
    input_area: usize,
    output_area: usize,
}

impl Problem {
    fn new(geometry: &DeformableGeometry, layout: Layout) -> Self {
        let conv = &geometry.conv;
        let (input_area, output_area) = (conv.input_area(), conv.output_area());
        Self {
            input: Map::new(layout, conv.in_channels, input_area),
            output: Map::new(layout, conv.out_channels, output_area),
            per_group: conv.in_channels_per_group(),
            per_offset_group: geometry.channels_per_offset_group(),
            out_per_group: conv.out_channels_per_group(),
            taps: conv.kernel_area(),
            input_area,
            output_area,
        }
    }

    /// The element of the input at a corner of a sample of output pixel `pixel`.
    fn corner(&self, pixel: usize, corner: usize, channel: usize) -> usize {
        let image = pixel / self.output_area;
        self.input.at(image * self.input_area + corner, channel)
    }

    /// The input's values at the corners, 0 off the map.
    fn values<T: Real>(
        &self,
        x: &[T],
        pixel: usize,
        corners: [usize; 4],
        channel: usize,
    ) -> [T; 4] {
        corners.map(|corner| match corner {
            OUTSIDE => T::zero(),
            corner => x[self.corner(pixel, corner, channel)],
        })
    }

    fn channels(&self, offset_group: usize) -> std::ops::Range<usize> {
        offset_group * self.per_offset_group..(offset_group + 1) * self.per_offset_group
    }

    /// Output channels that see an input channel, each with its weight under a tap.
    fn outputs(&self, channel: usize, tap: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (group, within) = (channel / self.per_group, channel % self.per_group);
        let (per_group, taps) = (self.per_group, self.taps);
        (group * self.out_per_group..(group + 1) * self.out_per_group)
            .map(move |out| (out, (out * per_group + within) * taps + tap))
    }
}

/// `Σ weights[k] · values[k]`
fn interpolated<T: Real>(weights: [T; 4], values: [T; 4]) -> T {
    weights[0] * values[0]
        + weights[1] * values[1]
        + weights[2] * values[2]
        + weights[3] * values[3]
}

/// `y = deformable(x, w) + bias`; the weight is `[o, c/g, kh, kw]`.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &DeformableGeometry,
    sources: Sources<'_, T>,
    weight: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
) {
    let conv = &geometry.conv;
    let (pixels, channels) = (conv.batch * conv.output_area(), conv.out_channels);
    sources.check(geometry);
    assert_eq!(weight.len(), conv.weight_count(), "weight length");
    assert!(bias.is_none_or(|b| b.len() == channels), "bias length");
    assert_eq!(y.len(), pixels * channels, "output length");
    let problem = Problem::new(geometry, layout);
    let sampler = Sampler::new(geometry, layout, &sources);
    let out = Shared::new(y);
    for_rows(ctx.team, pixels, conv.weight_count(), |range| {
        for pixel in range {
            let y = |channel: usize| {
                // SAFETY: every pixel belongs to one task, which holds one element at a time.
                let y = unsafe { out.slice(problem.output.at(pixel, channel), 1) };
                &mut y[0]
            };
            for channel in 0..channels {
                *y(channel) = bias.map_or(T::zero(), |bias| bias[channel]);
            }
            sampler.for_each(pixel, |group, tap, sample, mask| {
                for channel in problem.channels(group) {
                    let corners = sample.value_corners();
                    let values = problem.values(sources.x, pixel, corners, channel);
                    let value = mask * interpolated(sample.weights, values);
                    for (out, at) in problem.outputs(channel, tap) {
                        *y(out) += value * weight[at];
                    }
                }
            });
        }
    });
}

/// The gradients of input, offsets and mask, from that of the output.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward_data<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &DeformableGeometry,
    sources: Sources<'_, T>,
    dy: &[T],
    weight: &[T],
    gradients: Gradients<'_, T>,
) {
    let conv = &geometry.conv;
    let area = conv.output_area();
    sources.check(geometry);
    gradients.check(&sources);
    assert_eq!(weight.len(), conv.weight_count(), "weight length");
    let len = conv.batch * conv.out_channels * area;
    assert_eq!(dy.len(), len, "gradient length");
    let problem = Problem::new(geometry, layout);
    let maps = SampleMaps::new(geometry, layout);
    let sampler = Sampler::new(geometry, layout, &sources);
    let dx = Shared::new(gradients.x);
    let (doffset, dmask) = (
        Shared::new(gradients.offset),
        gradients.mask.map(Shared::new),
    );
    let input_len = conv.in_channels * conv.input_area();
    let element = |map: &Shared<'_, T>, at: usize, value: T, add: bool| {
        // SAFETY: an image belongs to one task, which holds one element at a time.
        let element = unsafe { map.slice(at, 1) };
        element[0] = if add { element[0] + value } else { value };
    };
    ctx.team.for_each(conv.batch, |image, _| {
        // SAFETY: the image is this task's alone.
        unsafe { dx.slice(image * input_len, input_len) }.fill(T::zero());
        for pixel in image * area..(image + 1) * area {
            sampler.for_each(pixel, |group, tap, sample, mask| {
                let mut dots = [T::zero(); 4];
                for channel in problem.channels(group) {
                    let column: T = problem
                        .outputs(channel, tap)
                        .map(|(out, at)| dy[problem.output.at(pixel, out)] * weight[at])
                        .sum();
                    let values = problem.values(sources.x, pixel, sample.corners, channel);
                    for (dot, value) in dots.iter_mut().zip(values) {
                        *dot += column * value;
                    }
                    for (&corner, &share) in sample.corners.iter().zip(&sample.weights) {
                        if corner != OUTSIDE && share != T::zero() {
                            let at = problem.corner(pixel, corner, channel);
                            element(&dx, at, mask * share * column, true);
                        }
                    }
                }
                let [value, down, across] = sample.gains(dots);
                let index = group * problem.taps + tap;
                let at = |axis: usize| maps.offset.at(pixel, 2 * index + axis);
                element(&doffset, at(0), mask * down, false);
                element(&doffset, at(1), mask * across, false);
                if let Some(dmask) = &dmask {
                    element(dmask, maps.mask.at(pixel, index), value, false);
                }
            });
        }
    });
}

/// The gradient of the weight `[o, c/g, kh, kw]`.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward_weights<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &DeformableGeometry,
    sources: Sources<'_, T>,
    dy: &[T],
    dw: &mut [T],
) {
    let conv = &geometry.conv;
    let pixels = conv.batch * conv.output_area();
    sources.check(geometry);
    assert_eq!(dy.len(), pixels * conv.out_channels, "gradient length");
    assert_eq!(dw.len(), conv.weight_count(), "weight length");
    let problem = Problem::new(geometry, layout);
    let sampler = Sampler::new(geometry, layout, &sources);
    dw.fill(T::zero());
    let out = Shared::new(dw);
    ctx.team.for_each(conv.in_channels, |channel, _| {
        for pixel in 0..pixels {
            let group = channel / problem.per_offset_group;
            sampler.for_group(pixel, group, |tap, sample, mask| {
                let corners = sample.value_corners();
                let values = problem.values(sources.x, pixel, corners, channel);
                let value = mask * interpolated(sample.weights, values);
                for (o, at) in problem.outputs(channel, tap) {
                    // SAFETY: the weights of an input channel belong to one task.
                    let dw = unsafe { out.slice(at, 1) };
                    dw[0] += value * dy[problem.output.at(pixel, o)];
                }
            });
        }
    });
}
