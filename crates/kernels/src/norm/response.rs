//! Local response normalisation across neighbouring channels (Krizhevsky et al. 2012), as ONNX's `LRN`
//! and PyTorch's `LocalResponseNorm` have it.
//!
//! `y = x·s^(−β)` with `s = k + α/n · Σ x²` over a window of `n` channels around each; channels outside the
//! map count as 0, and `n` with them.
//!
//! Backwards: `dx = dy·s^(−β) − 2αβ/n · x · Σ dy·x·s^(−β−1)` over the channels whose windows the element is in.
//! `s` is computed again: it costs less than to be kept.

use std::ops::Range;

use tensor::Layout;

use crate::bands::BAND;
use crate::blocks::BLOCK;
use crate::shared::Shared;
use crate::{Context, Real};

/// Elements of pixels that go side by side.
const SIDE_ELEMENTS: usize = 2048;

/// Channels whose windows are summed at a time: too many to become scalars each of its own.
const LANES: usize = 128;

/// The feature map that is normalised, and by what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResponseGeometry {
    /// Images.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Positions of a map.
    pub area: usize,
    /// How the map lies in memory.
    pub layout: Layout,
    /// Channels of the window before the one in question. Of a window of `n`, ONNX has `(n − 1)/2` there,
    /// PyTorch `n/2`; they differ where `n` is even.
    pub before: usize,
    /// Channels of the window behind it.
    pub after: usize,
    /// α
    pub alpha: f32,
    /// β
    pub beta: f32,
    /// k
    pub k: f32,
}

impl ResponseGeometry {
    /// Channels of the window.
    pub fn size(&self) -> usize {
        self.before + 1 + self.after
    }

    /// Elements of `scratch` that [`forward`] needs.
    pub fn forward_scratch_len(&self, threads: usize) -> usize {
        match self.layout {
            Layout::Nchw => 0,
            Layout::Nhwc => threads * self.side() * self.padded(),
        }
    }

    /// Elements of `scratch` that [`backward`] needs.
    pub fn backward_scratch_len(&self, threads: usize) -> usize {
        match self.layout {
            Layout::Nchw => threads * 2 * self.channels * BAND,
            Layout::Nhwc => threads * self.side() * (2 * self.padded() + self.channels),
        }
    }

    /// The channels of a pixel between zeros for the windows to overlap.
    fn padded(&self) -> usize {
        self.channels + self.size() - 1
    }

    /// Channels-last pixels that go step by step together: what a step stores has then reached the cache, where
    /// the windows of the next one begin anywhere in it.
    fn side(&self) -> usize {
        (SIDE_ELEMENTS / self.padded().max(1)).clamp(1, 32)
    }

    /// The channels that a window reaching `before` and `after` covers.
    fn window(&self, channel: usize, before: usize, after: usize) -> Range<usize> {
        channel.saturating_sub(before)..channel.saturating_add(after + 1).min(self.channels)
    }

    /// Whether `s^(−β)` is a power of a root of `s`, which is never below `k` then.
    fn by_roots(&self) -> bool {
        self.beta == 0.75 && self.k >= f32::MIN_POSITIVE && self.alpha >= 0.0
    }

    fn numbers<T: Real>(&self) -> Numbers<T> {
        let alpha = f64::from(self.alpha) / self.size() as f64;
        Numbers {
            share: T::of(alpha),
            power: T::of(-f64::from(self.beta)),
            k: T::of(self.k.into()),
            back: T::of(-2.0 * alpha * f64::from(self.beta)),
        }
    }

    fn check(&self, maps: &[usize]) {
        let len = self.batch * self.channels * self.area;
        assert!(
            maps.iter().all(|&map| map == len),
            "local response norm: lengths of maps {maps:?} for {self:?}"
        );
    }

    /// Runs `task(worker, start, width)` for bands of neighbouring pixels of channels-first images.
    fn for_each_band(&self, context: &Context<'_>, task: impl Fn(usize, usize, usize) + Sync) {
        let bands = self.area.div_ceil(BAND);
        context.team.for_each(self.batch * bands, |index, worker| {
            let (image, first) = (index / bands, index % bands * BAND);
            let start = image * self.channels * self.area + first;
            task(worker, start, BAND.min(self.area - first));
        });
    }

    /// Runs `task(worker, pixels)` for ranges of channels-last pixels, where these have channels.
    fn for_each_pixels(&self, context: &Context<'_>, task: impl Fn(usize, Range<usize>) + Sync) {
        if self.channels == 0 {
            return;
        }
        let (pixels, step) = (
            self.batch * self.area,
            (BLOCK / self.channels.max(1)).max(1),
        );
        context
            .team
            .for_each(pixels.div_ceil(step), |index, worker| {
                let start = index * step;
                task(worker, start..(start + step).min(pixels));
            });
    }
}

/// What the formulas are made of, in the element type.
#[derive(Clone, Copy)]
struct Numbers<T> {
    /// `α/n`
    share: T,
    /// `−β`
    power: T,
    k: T,
    /// `−2αβ/n`
    back: T,
}

impl<T: Real> Numbers<T> {
    /// `s`, from a sum of squares.
    #[inline(always)]
    fn scale(self, squares: T) -> T {
        self.k + self.share * squares
    }

    /// `s^(−β)` and `s^(−β−1)`
    #[inline(always)]
    fn powers(self, scale: T) -> [T; 2] {
        let factor = (self.power * scale.logarithm()).exponential();
        [factor, factor / scale]
    }
}

/// [`Numbers::powers`] where β is ¾, as in most networks that have this norm.
#[inline(always)]
fn powers_of_three_quarters<T: Real>(scale: T) -> [T; 2] {
    let root = scale.inverse_fourth_root();
    let square = root * root;
    let factor = root * square;
    [factor, factor * square * square]
}

/// Normalises every element by its neighbours in other channels.
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, or `scratch` is shorter than
/// [`ResponseGeometry::forward_scratch_len`].
pub fn forward<T: Real>(
    context: &Context<'_>,
    geometry: &ResponseGeometry,
    x: &[T],
    y: &mut [T],
    scratch: &mut [T],
) {
    geometry.check(&[x.len(), y.len()]);
    if geometry.by_roots() {
        forward_by(context, geometry, powers_of_three_quarters, x, y, scratch);
    } else {
        let numbers = geometry.numbers::<T>();
        forward_by(
            context,
            geometry,
            #[inline(always)]
            |scale| numbers.powers(scale),
            x,
            y,
            scratch,
        );
    }
}

fn forward_by<T: Real>(
    context: &Context<'_>,
    geometry: &ResponseGeometry,
    powers: impl Fn(T) -> [T; 2] + Sync,
    x: &[T],
    y: &mut [T],
    scratch: &mut [T],
) {
    let numbers = geometry.numbers::<T>();
    let channels = geometry.channels;
    let out = Shared::new(y);
    match geometry.layout {
        Layout::Nchw => geometry.for_each_band(context, |_, start, width| {
            let of = |channel: usize| &x[start + channel * geometry.area..][..width];
            for channel in 0..channels {
                // SAFETY: every band belongs to one task.
                let y = unsafe { out.slice(start + channel * geometry.area, width) };
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || {
                        let mut sum = [T::zero(); BAND];
                        let window = geometry.window(channel, geometry.before, geometry.after);
                        for other in window {
                            for (sum, &x) in sum.iter_mut().zip(of(other)) {
                                *sum += x * x;
                            }
                        }
                        for ((y, &x), &sum) in y.iter_mut().zip(of(channel)).zip(&sum) {
                            *y = x * powers(numbers.scale(sum))[0];
                        }
                    },
                );
            }
        }),
        Layout::Nhwc => {
            let (padded, side) = (geometry.padded(), geometry.side());
            let len = geometry.forward_scratch_len(context.team.threads());
            let scratch = Shared::new(&mut scratch[..len]);
            geometry.for_each_pixels(context, |worker, pixels| {
                // SAFETY: a worker runs one task at a time.
                let squares = unsafe { scratch.slice(worker * side * padded, side * padded) };
                squares.fill(T::zero());
                for pixel in pixels.clone().step_by(side) {
                    let end = pixels.end.min(pixel + side);
                    let at = pixel * channels..end * channels;
                    let x = &x[at.clone()];
                    // SAFETY: every pixel belongs to one task.
                    let y = unsafe { out.slice(at.start, at.len()) };
                    T::vectorised(
                        context.isa,
                        #[inline(always)]
                        || {
                            geometry.square(x, squares);
                            let rows = x.chunks_exact(channels).zip(y.chunks_exact_mut(channels));
                            for ((x, y), squares) in rows.zip(squares.chunks_exact(padded)) {
                                for_each_window(
                                    squares,
                                    geometry.size(),
                                    channels,
                                    #[inline(always)]
                                    |first, sums| {
                                        let pairs = y[first..].iter_mut().zip(&x[first..]);
                                        for ((y, &x), &sum) in pairs.zip(sums) {
                                            *y = x * powers(numbers.scale(sum))[0];
                                        }
                                    },
                                );
                            }
                        },
                    );
                }
            });
        }
    }
}

/// The gradient of [`forward`]; `x` is its input.
///
/// # Panics
/// As [`forward`], with [`ResponseGeometry::backward_scratch_len`].
pub fn backward<T: Real>(
    context: &Context<'_>,
    geometry: &ResponseGeometry,
    x: &[T],
    dy: &[T],
    dx: &mut [T],
    scratch: &mut [T],
) {
    geometry.check(&[x.len(), dy.len(), dx.len()]);
    if geometry.by_roots() {
        let powers = powers_of_three_quarters;
        backward_by(context, geometry, powers, x, dy, dx, scratch);
    } else {
        let numbers = geometry.numbers::<T>();
        backward_by(
            context,
            geometry,
            #[inline(always)]
            |scale| numbers.powers(scale),
            x,
            dy,
            dx,
            scratch,
        );
    }
}

fn backward_by<T: Real>(
    context: &Context<'_>,
    geometry: &ResponseGeometry,
    powers: impl Fn(T) -> [T; 2] + Sync,
    x: &[T],
    dy: &[T],
    dx: &mut [T],
    scratch: &mut [T],
) {
    let numbers = geometry.numbers::<T>();
    let channels = geometry.channels;
    let len = geometry.backward_scratch_len(context.team.threads());
    let scratch = Shared::new(&mut scratch[..len]);
    let out = Shared::new(dx);
    match geometry.layout {
        Layout::Nchw => geometry.for_each_band(context, |worker, start, width| {
            let len = 2 * channels * BAND;
            // SAFETY: a worker runs one task at a time.
            let scratch = unsafe { scratch.slice(worker * len, len) };
            let (factors, terms) = scratch.split_at_mut(channels * BAND);
            let of = |channel: usize| {
                let start = start + channel * geometry.area;
                start..start + width
            };
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    for channel in 0..channels {
                        let mut sum = [T::zero(); BAND];
                        let window = geometry.window(channel, geometry.before, geometry.after);
                        for other in window {
                            for (sum, &x) in sum.iter_mut().zip(&x[of(other)]) {
                                *sum += x * x;
                            }
                        }
                        let at = channel * BAND..channel * BAND + width;
                        let results = factors[at.clone()].iter_mut().zip(&mut terms[at]);
                        let operands = x[of(channel)].iter().zip(&dy[of(channel)]);
                        for (((factor, term), (&x, &dy)), &sum) in results.zip(operands).zip(&sum) {
                            let [power, next] = powers(numbers.scale(sum));
                            *factor = power;
                            *term = dy * x * next;
                        }
                    }
                    for channel in 0..channels {
                        let mut sum = [T::zero(); BAND];
                        // An element is in the windows of the channels that it would have in a window
                        // turned around.
                        let window = geometry.window(channel, geometry.after, geometry.before);
                        for other in window {
                            for (sum, &term) in sum.iter_mut().zip(&terms[other * BAND..][..width])
                            {
                                *sum += term;
                            }
                        }
                        let at = of(channel);
                        // SAFETY: every band belongs to one task.
                        let dx = unsafe { out.slice(at.start, width) };
                        let operands = x[at.clone()].iter().zip(&dy[at]);
                        let lanes = factors[channel * BAND..].iter().zip(&sum);
                        for ((dx, (&x, &dy)), (&factor, &sum)) in
                            dx.iter_mut().zip(operands).zip(lanes)
                        {
                            *dx = dy * factor + numbers.back * x * sum;
                        }
                    }
                },
            );
        }),
        Layout::Nhwc => {
            let (padded, side) = (geometry.padded(), geometry.side());
            let stride = side * (2 * padded + channels);
            geometry.for_each_pixels(context, |worker, pixels| {
                // SAFETY: a worker runs one task at a time.
                let scratch = unsafe { scratch.slice(worker * stride, stride) };
                let (padding, factors) = scratch.split_at_mut(side * 2 * padded);
                padding.fill(T::zero());
                let (squares, terms) = padding.split_at_mut(side * padded);
                for pixel in pixels.clone().step_by(side) {
                    let end = pixels.end.min(pixel + side);
                    let at = pixel * channels..end * channels;
                    let (x, dy) = (&x[at.clone()], &dy[at.clone()]);
                    // SAFETY: every pixel belongs to one task.
                    let dx = unsafe { out.slice(at.start, at.len()) };
                    T::vectorised(
                        context.isa,
                        #[inline(always)]
                        || {
                            geometry.square(x, squares);
                            for row in 0..end - pixel {
                                let at = row * channels..(row + 1) * channels;
                                let (x, dy) = (&x[at.clone()], &dy[at.clone()]);
                                let factors = &mut factors[at];
                                // An element is in the windows of the channels that it would have in a
                                // window turned around.
                                let terms = &mut terms[row * padded + geometry.after..][..channels];
                                for_each_window(
                                    &squares[row * padded..][..padded],
                                    geometry.size(),
                                    channels,
                                    #[inline(always)]
                                    |first, sums| {
                                        let results =
                                            factors[first..].iter_mut().zip(&mut terms[first..]);
                                        let operands = x[first..].iter().zip(&dy[first..]);
                                        for (((factor, term), (&x, &dy)), &sum) in
                                            results.zip(operands).zip(sums)
                                        {
                                            let [power, next] = powers(numbers.scale(sum));
                                            *factor = power;
                                            *term = dy * x * next;
                                        }
                                    },
                                );
                            }
                            for row in 0..end - pixel {
                                let at = row * channels..(row + 1) * channels;
                                let (x, dy) = (&x[at.clone()], &dy[at.clone()]);
                                let (dx, factors) = (&mut dx[at.clone()], &factors[at]);
                                for_each_window(
                                    &terms[row * padded..][..padded],
                                    geometry.size(),
                                    channels,
                                    #[inline(always)]
                                    |first, sums| {
                                        let operands = x[first..].iter().zip(&dy[first..]);
                                        let lanes = factors[first..].iter().zip(sums);
                                        for ((dx, (&x, &dy)), (&factor, &sum)) in
                                            dx[first..].iter_mut().zip(operands).zip(lanes)
                                        {
                                            *dx = dy * factor + numbers.back * x * sum;
                                        }
                                    },
                                );
                            }
                        },
                    );
                }
            });
        }
    }
}

impl ResponseGeometry {
    /// Squares the elements of some pixels into rows padded in front and behind.
    #[inline(always)]
    fn square<T: Real>(&self, x: &[T], squares: &mut [T]) {
        let rows = squares.chunks_exact_mut(self.padded());
        for (x, squares) in x.chunks_exact(self.channels).zip(rows) {
            for (square, &x) in squares[self.before..].iter_mut().zip(x) {
                *square = x * x;
            }
        }
    }
}

/// Calls `apply(c, sums)` for channels from `c` on, where `sums` are those of the `size` elements of `row` from
/// each channel on.
#[inline(always)]
fn for_each_window<T: Real>(
    row: &[T],
    size: usize,
    channels: usize,
    mut apply: impl FnMut(usize, &[T]),
) {
    for first in (0..channels).step_by(LANES) {
        let width = LANES.min(channels - first);
        let mut sums = [T::zero(); LANES];
        for tap in 0..size {
            for (sum, &value) in sums.iter_mut().zip(&row[first + tap..][..width]) {
                *sum += value;
            }
        }
        apply(first, &sums[..width]);
    }
}
