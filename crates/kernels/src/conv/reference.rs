//! The definition, element by element, in both layouts and with a depth axis.
//!
//! Slow, accepts everything, every padding mode too, and is there in f32 and f64. It stands last in
//! the list. Sums run in the element type in the order of the definition; each output element is one
//! task's, so threads change nothing. Weights are `[o, c/g, kernel…]`.

use geometry::{ConvGeometry, PaddingMode, Window};
use tensor::Layout;

use super::Epilogue;
use crate::map::Map;
use crate::shared::Shared;
use crate::{Context, Real};

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

/// Asserts that the operands have the sizes the geometry gives.
fn check(g: &ConvGeometry, x: usize, weight: usize, y: usize) {
    let input = g.batch * g.in_channels * g.input_area();
    let output = g.batch * g.out_channels * g.output_area();
    assert_eq!(x, input, "conv: length of the input's map");
    assert_eq!(weight, g.weight_count(), "conv: length of the weight");
    assert_eq!(y, output, "conv: length of the output's map");
}

impl<T: Real> Epilogue<'_, T> {
    /// What becomes of the sum for the element at `at` in `channel`.
    fn finish(&self, mut sum: T, channel: usize, at: usize) -> T {
        sum += self.bias.map_or(T::zero(), |bias| bias[channel]);
        sum += self.residual.map_or(T::zero(), |residual| residual[at]);
        match self.activation {
            Some(activation) => activation.apply(sum),
            None => sum,
        }
    }
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

/// The input place that a tap of the window at `output` looks at, if it is not a zero.
fn source(mode: PaddingMode, window: &Window, output: usize, tap: usize) -> Option<usize> {
    let position = output * window.stride + tap * window.dilation;
    mode.source(window.input, position as isize - window.before as isize)
}

/// The windows whose tap looks at `input`, which may stand in the padding again.
fn targets(
    mode: PaddingMode,
    window: Window,
    input: usize,
    tap: usize,
) -> impl Iterator<Item = usize> {
    let [len, before, after] = [window.input, window.before, window.after];
    let padded = Window {
        input: before + len + after,
        before: 0,
        after: 0,
        ..window
    };
    let positions = match mode {
        PaddingMode::Zeros => before + input..before + input + 1,
        _ => 0..padded.input,
    };
    positions
        .filter(move |&at| mode.source(len, at as isize - before as isize) == Some(input))
        .filter_map(move |at| padded.target(at, tap))
}

/// Every (tap, other position) that `pairs` finds for a position, each as a flat index: `pairs` gives
/// the partners along one axis under one tap.
fn partners<I: IntoIterator<Item = usize>>(
    windows: &[Window; 3],
    place: [usize; 3],
    pairs: impl Fn(&Window, usize, usize) -> I + Copy,
    extent: impl Fn(&Window) -> usize + Copy,
    mut visit: impl FnMut(usize, usize),
) {
    let [d, h, w] = windows;
    for td in 0..d.kernel {
        for pd in pairs(d, place[0], td) {
            for th in 0..h.kernel {
                for ph in pairs(h, place[1], th) {
                    for tw in 0..w.kernel {
                        for pw in pairs(w, place[2], tw) {
                            let tap = (td * h.kernel + th) * w.kernel + tw;
                            visit(tap, (pd * extent(h) + ph) * extent(w) + pw);
                        }
                    }
                }
            }
        }
    }
}

/// `y = activation(conv(x, w) + bias + residual)`
///
/// ```
/// use geometry::ConvDesc;
/// use kernels::conv::{Epilogue, reference};
/// use kernels::{Context, Isa, Team};
/// use tensor::Layout;
///
/// let geometry = ConvDesc::new(1, 2).resolve(&[1, 1, 2, 2])?;
/// let team = Team::new(2)?;
/// let ctx = Context { team: &team, isa: Isa::best() };
/// let (x, w) = ([1.0, 2.0, 3.0, 4.0], [1e9, 1.0, 1e-3, 1e-6]);
/// let mut y = [0.0f64];
/// reference::forward(&ctx, Layout::Nchw, &geometry, &x, &w, Epilogue::default(), &mut y);
/// assert_eq!(y, [1e9 + 2.0 + 3e-3 + 4e-6]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    g: &ConvGeometry,
    x: &[T],
    weight: &[T],
    epilogue: Epilogue<'_, T>,
    y: &mut [T],
) {
    check(g, x.len(), weight.len(), y.len());
    epilogue.check(g.out_channels, y.len());
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
            let mut sum = T::zero();
            let place = unravel(position, |w| w.output, &g.windows);
            partners(
                &g.windows,
                place,
                |window, output, tap| source(g.padding_mode, window, output, tap),
                |w| w.input,
                |tap, from| {
                    for channel in 0..c {
                        sum += x[input.at(image, out / o * c + channel, from)]
                            * weight[(out * c + channel) * taps + tap];
                    }
                },
            );
            let at = output.at(image, out, position);
            // SAFETY: this channel of this image is this task's alone.
            unsafe { shared.slice(at, 1)[0] = epilogue.finish(sum, out, at) };
        }
    });
}

/// The gradient of the input, from that of the output; with an epilogue, a layer of a transposed
/// convolution.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward_data<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    g: &ConvGeometry,
    dy: &[T],
    weight: &[T],
    epilogue: Epilogue<'_, T>,
    dx: &mut [T],
) {
    check(g, dx.len(), weight.len(), dy.len());
    epilogue.check(g.in_channels, dx.len());
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
            let mut sum = T::zero();
            let place = unravel(position, |w| w.input, &g.windows);
            partners(
                &g.windows,
                place,
                |window, input, tap| targets(g.padding_mode, *window, input, tap),
                |w| w.output,
                |tap, from| {
                    for out in channel / c * o..(channel / c + 1) * o {
                        sum += dy[output.at(image, out, from)]
                            * weight[(out * c + channel % c) * taps + tap];
                    }
                },
            );
            let at = input.at(image, channel, position);
            // SAFETY: this channel of this image is this task's alone.
            unsafe { shared.slice(at, 1)[0] = epilogue.finish(sum, channel, at) };
        }
    });
}

/// The gradient of the weight.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward_weights<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    g: &ConvGeometry,
    x: &[T],
    dy: &[T],
    dw: &mut [T],
) {
    check(g, x.len(), dw.len(), dy.len());
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
        dw.fill(T::zero());
        for image in 0..g.batch {
            for position in 0..output.area {
                let gradient = dy[output.at(image, out, position)];
                let place = unravel(position, |w| w.output, &g.windows);
                partners(
                    &g.windows,
                    place,
                    |window, output, tap| source(g.padding_mode, window, output, tap),
                    |w| w.input,
                    |tap, from| {
                        dw[tap] += x[input.at(image, out / o * c + channel, from)] * gradient;
                    },
                );
            }
        }
    });
}
