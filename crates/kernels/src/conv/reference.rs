//! The definition, element by element, in both layouts and with a depth axis.
//!
//! Slow, accepts everything, stands last in the list. Sums run in f32 in the order of the
//! definition; each output element is one task's, so threads change nothing.

use geometry::{ConvGeometry, Window};
use tensor::Layout;

use super::Epilogue;
use crate::Context;
use crate::shared::Shared;

/// Where element (image, channel, position) of a feature map lies.
#[derive(Clone, Copy)]
struct Map {
    channels: usize,
    area: usize,
    layout: Layout,
}

impl Map {
    fn at(self, image: usize, channel: usize, position: usize) -> usize {
        match self.layout {
            Layout::Nchw => (image * self.channels + channel) * self.area + position,
            Layout::Nhwc => (image * self.area + position) * self.channels + channel,
        }
    }
}

fn maps(g: &ConvGeometry, layout: Layout) -> (Map, Map) {
    let map = |channels, area| Map {
        channels,
        area,
        layout,
    };
    (
        map(g.in_channels, g.input_area()),
        map(g.out_channels, g.output_area()),
    )
}

/// `index` as a place along depth, height and width.
fn unravel(index: usize, extent: impl Fn(&Window) -> usize, windows: &[Window; 3]) -> [usize; 3] {
    let [_, height, width] = windows.each_ref().map(extent);
    [
        index / (height * width),
        index / width % height,
        index % width,
    ]
}

/// Every (tap, other position) that `pair` finds for a position, each as a flat index: `pair` gives
/// the partner along one axis under one tap, if there is one.
fn partners(
    windows: &[Window; 3],
    place: [usize; 3],
    pair: impl Fn(&Window, usize, usize) -> Option<usize> + Copy,
    extent: impl Fn(&Window) -> usize + Copy,
    mut visit: impl FnMut(usize, usize),
) {
    let [d, h, w] = windows;
    for td in 0..d.kernel {
        let Some(pd) = pair(d, place[0], td) else {
            continue;
        };
        for th in 0..h.kernel {
            let Some(ph) = pair(h, place[1], th) else {
                continue;
            };
            for tw in 0..w.kernel {
                let Some(pw) = pair(w, place[2], tw) else {
                    continue;
                };
                let tap = (td * h.kernel + th) * w.kernel + tw;
                visit(tap, (pd * extent(h) + ph) * extent(w) + pw);
            }
        }
    }
}

pub(super) fn forward(
    ctx: &Context<'_>,
    g: &ConvGeometry,
    layout: Layout,
    x: &[f32],
    weight: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [f32],
) {
    let (input, output) = maps(g, layout);
    let (c, o, taps) = (
        g.in_channels_per_group(),
        g.out_channels_per_group(),
        g.kernel_area(),
    );
    let shared = Shared::new(y);
    ctx.team.for_each(g.batch * g.out_channels, |task, _| {
        let (image, out) = (task / g.out_channels, task % g.out_channels);
        for position in 0..output.area {
            let mut sum = 0.0f32;
            let place = unravel(position, |w| w.output, &g.windows);
            partners(
                &g.windows,
                place,
                Window::source,
                |w| w.input,
                |tap, from| {
                    for channel in 0..c {
                        sum += x[input.at(image, out / o * c + channel, from)]
                            * weight[(out * c + channel) * taps + tap];
                    }
                },
            );
            let at = output.at(image, out, position);
            sum += epilogue.bias.map_or(0.0, |bias| bias[out]);
            sum += epilogue.residual.map_or(0.0, |residual| residual[at]);
            if let Some(activation) = epilogue.activation {
                sum = activation.apply(sum);
            }
            // SAFETY: this channel of this image is this task's alone.
            unsafe { shared.slice(at, 1)[0] = sum };
        }
    });
}

pub(super) fn backward_data(
    ctx: &Context<'_>,
    g: &ConvGeometry,
    layout: Layout,
    dy: &[f32],
    weight: &[f32],
    epilogue: Epilogue<'_>,
    dx: &mut [f32],
) {
    let (input, output) = maps(g, layout);
    let (c, o, taps) = (
        g.in_channels_per_group(),
        g.out_channels_per_group(),
        g.kernel_area(),
    );
    let shared = Shared::new(dx);
    ctx.team.for_each(g.batch * g.in_channels, |task, _| {
        let (image, channel) = (task / g.in_channels, task % g.in_channels);
        for position in 0..input.area {
            let mut sum = 0.0f32;
            let place = unravel(position, |w| w.input, &g.windows);
            partners(
                &g.windows,
                place,
                Window::target,
                |w| w.output,
                |tap, from| {
                    for out in channel / c * o..(channel / c + 1) * o {
                        sum += dy[output.at(image, out, from)]
                            * weight[(out * c + channel % c) * taps + tap];
                    }
                },
            );
            let at = input.at(image, channel, position);
            sum += epilogue.bias.map_or(0.0, |bias| bias[channel]);
            sum += epilogue.residual.map_or(0.0, |residual| residual[at]);
            if let Some(activation) = epilogue.activation {
                sum = activation.apply(sum);
            }
            // SAFETY: this channel of this image is this task's alone.
            unsafe { shared.slice(at, 1)[0] = sum };
        }
    });
}

pub(super) fn backward_weights(
    ctx: &Context<'_>,
    g: &ConvGeometry,
    layout: Layout,
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
) {
    let (input, output) = maps(g, layout);
    let (c, o, taps) = (
        g.in_channels_per_group(),
        g.out_channels_per_group(),
        g.kernel_area(),
    );
    let shared = Shared::new(dw);
    ctx.team.for_each(g.out_channels * c, |task, _| {
        let (out, channel) = (task / c, task % c);
        // SAFETY: these taps are this task's alone.
        let dw = unsafe { shared.slice(task * taps, taps) };
        dw.fill(0.0);
        for image in 0..g.batch {
            for position in 0..output.area {
                let gradient = dy[output.at(image, out, position)];
                let place = unravel(position, |w| w.output, &g.windows);
                partners(
                    &g.windows,
                    place,
                    Window::source,
                    |w| w.input,
                    |tap, from| {
                        dw[tap] += x[input.at(image, out / o * c + channel, from)] * gradient;
                    },
                );
            }
        }
    });
}
