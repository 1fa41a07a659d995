//! What sampling between pixels comes to once corners and weights are known: three loops over
//! channels, each with a quick form for channels that lie side by side.
//!
//! A *corner* is the element of the first channel at one of the four pixels around a sampling point.

use crate::Real;
use crate::shared::Shared;

/// Independent chains of a sum over channels: a register of the widest family.
const LANES: usize = 16;

/// Channels of a pixel, or of a bin: the first one's element, the distance to the next one's, and how
/// many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channels {
    pub(crate) first: usize,
    pub(crate) step: usize,
    pub(crate) count: usize,
}

impl Channels {
    /// These channels as a slice, where they lie side by side.
    #[inline(always)]
    fn contiguous<'a, T>(&self, x: &'a [T]) -> Option<&'a [T]> {
        (self.step == 1).then(|| &x[self.first..][..self.count])
    }

    #[inline(always)]
    fn at(&self, index: usize) -> usize {
        self.first + index * self.step
    }
}

/// `y = factor · Σ weights[k] · x[k]` over four rows of channels.
#[inline(always)]
pub(crate) fn interpolate<T: Real>(y: &mut [T], x: [&[T]; 4], weights: [T; 4], factor: T) {
    let [a, b, c, d] = x.map(|row| &row[..y.len()]);
    for (i, y) in y.iter_mut().enumerate() {
        let sum = weights[0] * a[i] + weights[1] * b[i] + weights[2] * c[i] + weights[3] * d[i];
        *y = factor * sum;
    }
}

/// `y += Σ weights[k] · x[k]`, where `y` lies as `to` says and `x[k]` is the pixel `corners[k]`, its
/// channels `step` apart.
#[inline(always)]
pub(crate) fn add_interpolated<T: Real>(
    y: &mut [T],
    to: Channels,
    x: &[T],
    corners: [usize; 4],
    step: usize,
    weights: [T; 4],
) {
    if to.step == 1 && step == 1 {
        let y = &mut y[to.first..][..to.count];
        let [a, b, c, d] = corners.map(|corner| &x[corner..][..to.count]);
        for (i, y) in y.iter_mut().enumerate() {
            *y += weights[0] * a[i] + weights[1] * b[i] + weights[2] * c[i] + weights[3] * d[i];
        }
        return;
    }
    for i in 0..to.count {
        let [a, b, c, d] = corners.map(|corner| x[corner + i * step]);
        y[to.at(i)] += weights[0] * a + weights[1] * b + weights[2] * c + weights[3] * d;
    }
}

/// `dx[pixel] += factor · dy`: the share of one corner in a gradient.
///
/// # Safety
/// No other task touches these elements of `dx`.
#[inline(always)]
pub(crate) unsafe fn spread<T: Real>(
    dx: Shared<'_, T>,
    pixel: Channels,
    factor: T,
    dy: &[T],
    from: Channels,
) {
    if let (1, Some(dy)) = (pixel.step, from.contiguous(dy)) {
        // SAFETY: the caller's promise.
        let dx = unsafe { dx.slice(pixel.first, dy.len()) };
        for (dx, dy) in dx.iter_mut().zip(dy) {
            *dx += factor * *dy;
        }
        return;
    }
    for i in 0..from.count {
        // SAFETY: the caller's promise.
        let dx = unsafe { dx.slice(pixel.at(i), 1) };
        dx[0] += factor * dy[from.at(i)];
    }
}

/// `Σ dy · x[k]` for each of four rows of channels, in a fixed order. They say how a loss changes with
/// the weight of each corner.
#[inline(always)]
pub(crate) fn dots<T: Real>(dy: &[T], x: [&[T]; 4]) -> [T; 4] {
    let mut sums = [[T::zero(); LANES]; 4];
    let (body, tail) = dy.as_chunks::<LANES>();
    for (sums, x) in sums.iter_mut().zip(x) {
        let (x_body, x_tail) = x[..dy.len()].as_chunks::<LANES>();
        for (dy, x) in body.iter().zip(x_body) {
            for lane in 0..LANES {
                sums[lane] += dy[lane] * x[lane];
            }
        }
        for ((sum, dy), x) in sums.iter_mut().zip(tail).zip(x_tail) {
            *sum += *dy * *x;
        }
    }
    sums.map(
        #[inline(always)]
        |mut sums| {
            let mut width = LANES / 2;
            while width > 0 {
                for lane in 0..width {
                    let other = sums[lane + width];
                    sums[lane] += other;
                }
                width /= 2;
            }
            sums[0]
        },
    )
}

/// [`dots`] where channels may lie apart.
#[inline(always)]
pub(crate) fn dots_of<T: Real>(
    dy: &[T],
    from: Channels,
    x: &[T],
    corners: [usize; 4],
    step: usize,
) -> [T; 4] {
    if let (1, Some(dy)) = (step, from.contiguous(dy)) {
        return dots(dy, corners.map(|corner| &x[corner..][..dy.len()]));
    }
    let mut sums = [T::zero(); 4];
    for i in 0..from.count {
        let dy = dy[from.at(i)];
        for (sum, corner) in sums.iter_mut().zip(corners) {
            *sum += dy * x[corner + i * step];
        }
    }
    sums
}
