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
            Layout::Nhwc => threads * (self.padded() + self.channels),
        }
    }

    /// Elements of `scratch` that [`backward`] needs.
    pub fn backward_scratch_len(&self, threads: usize) -> usize {
        match self.layout {
            Layout::Nchw => threads * 2 * self.channels * BAND,
            Layout::Nhwc => threads * (self.padded() + 2 * self.channels),
        }
    }

    /// The channels of a pixel between zeros for the windows to overlap.
    fn padded(&self) -> usize {
        self.channels + self.size() - 1
    }

    /// The channels that a window reaching `before` and `after` covers.
    fn window(&self, channel: usize, before: usize, after: usize) -> Range<usize> {
        channel.saturating_sub(before)..channel.saturating_add(after + 1).min(self.channels)
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

    /// Runs `task(worker, pixels)` for ranges of channels-last pixels.
    fn for_each_pixels(&self, context: &Context<'_>, task: impl Fn(usize, Range<usize>) + Sync) {
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

    /// `s^(−β)`
    #[inline(always)]
    fn factor(self, scale: T) -> T {
        (self.power * scale.logarithm()).exponential()
    }
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
                            *y = x * numbers.factor(numbers.scale(sum));
                        }
                    },
                );
            }
        }),
        Layout::Nhwc => {
            let padded = geometry.padded();
            let stride = padded + channels;
            let len = geometry.forward_scratch_len(context.team.threads());
            let scratch = Shared::new(&mut scratch[..len]);
            geometry.for_each_pixels(context, |worker, pixels| {
                // SAFETY: a worker runs one task at a time.
                let scratch = unsafe { scratch.slice(worker * stride, stride) };
                let (squares, sums) = scratch.split_at_mut(padded);
                squares.fill(T::zero());
                for pixel in pixels {
                    let x = &x[pixel * channels..][..channels];
                    // SAFETY: every pixel belongs to one task.
                    let y = unsafe { out.slice(pixel * channels, channels) };
                    T::vectorised(
                        context.isa,
                        #[inline(always)]
                        || {
                            for (square, &x) in squares[geometry.before..].iter_mut().zip(x) {
                                *square = x * x;
                            }
                            add_windows(squares, geometry.size(), sums);
                            for ((y, &x), &sum) in y.iter_mut().zip(x).zip(&*sums) {
                                *y = x * numbers.factor(numbers.scale(sum));
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
                            let scale = numbers.scale(sum);
                            *factor = numbers.factor(scale);
                            *term = dy * x * *factor / scale;
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
            let padded = geometry.padded();
            let stride = padded + 2 * channels;
            geometry.for_each_pixels(context, |worker, pixels| {
                // SAFETY: a worker runs one task at a time.
                let scratch = unsafe { scratch.slice(worker * stride, stride) };
                let (row, scratch) = scratch.split_at_mut(padded);
                let (sums, factors) = scratch.split_at_mut(channels);
                for pixel in pixels {
                    let at = pixel * channels..(pixel + 1) * channels;
                    let (x, dy) = (&x[at.clone()], &dy[at.clone()]);
                    // SAFETY: every pixel belongs to one task.
                    let dx = unsafe { out.slice(at.start, channels) };
                    T::vectorised(
                        context.isa,
                        #[inline(always)]
                        || {
                            row.fill(T::zero());
                            for (square, &x) in row[geometry.before..].iter_mut().zip(x) {
                                *square = x * x;
                            }
                            add_windows(row, geometry.size(), sums);
                            row.fill(T::zero());
                            let results = row[geometry.after..].iter_mut().zip(&mut *factors);
                            let operands = x.iter().zip(dy).zip(&*sums);
                            for ((term, factor), ((&x, &dy), &sum)) in results.zip(operands) {
                                let scale = numbers.scale(sum);
                                *factor = numbers.factor(scale);
                                *term = dy * x * *factor / scale;
                            }
                            add_windows(row, geometry.size(), sums);
                            let operands = x.iter().zip(dy);
                            let lanes = factors.iter().zip(&*sums);
                            for ((dx, (&x, &dy)), (&factor, &sum)) in
                                dx.iter_mut().zip(operands).zip(lanes)
                            {
                                *dx = dy * factor + numbers.back * x * sum;
                            }
                        },
                    );
                }
            });
        }
    }
}

/// `sums[c]` = the sum of `size` elements of `row` from `c` on.
#[inline(always)]
fn add_windows<T: Real>(row: &[T], size: usize, sums: &mut [T]) {
    sums.copy_from_slice(&row[..sums.len()]);
    for tap in 1..size {
        for (sum, &value) in sums.iter_mut().zip(&row[tap..]) {
            *sum += value;
        }
    }
}
