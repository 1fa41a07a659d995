//! A rectifier whose slope below 0 is learned, one a channel or one for all (He et al. 2015).

use tensor::Layout;

use crate::blocks::for_rows;
use crate::pixels::{LANES, Pixels};
use crate::runs::sums;
use crate::shared::Shared;
use crate::vectors::add_vectors;
use crate::{Context, Real};

/// The feature map, and how its channels share slopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PreluGeometry {
    /// Images.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Positions of a map.
    pub area: usize,
    /// One slope for all channels instead of one a channel.
    pub shared: bool,
    /// How the map lies in memory.
    pub layout: Layout,
}

/// What the loops run over.
enum View {
    /// Planes, each with a slope.
    Planes,
    /// Pixels, whose lanes have slopes. Under one slope the whole map is a single channel.
    Pixels(Pixels),
}

impl PreluGeometry {
    /// Elements of the slope.
    pub fn slopes(&self) -> usize {
        if self.shared { 1 } else { self.channels }
    }

    /// Elements of `scratch` that [`backward`] needs.
    pub fn scratch_len(&self) -> usize {
        match self.view() {
            View::Planes => self.batch * self.channels,
            View::Pixels(pixels) => pixels.chunks() * pixels.width(),
        }
    }

    fn view(&self) -> View {
        let pixels = self.batch * self.area;
        match self.layout {
            _ if self.shared => View::Pixels(Pixels::new(1, pixels * self.channels)),
            Layout::Nchw => View::Planes,
            Layout::Nhwc => View::Pixels(Pixels::new(self.channels, pixels)),
        }
    }

    fn check(&self, what: &str, maps: &[usize], slopes: &[usize]) {
        let len = self.batch * self.channels * self.area;
        assert!(
            maps.iter().all(|&map| map == len),
            "{what}: lengths of maps {maps:?} for {self:?}"
        );
        assert!(
            slopes.iter().all(|&slope| slope == self.slopes()),
            "{what}: lengths of slopes {slopes:?} for {self:?}"
        );
    }
}

/// `y = x` above 0, else `slope·x`.
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, or `slope` not
/// [`PreluGeometry::slopes`].
pub fn forward<T: Real>(
    context: &Context<'_>,
    geometry: &PreluGeometry,
    x: &[T],
    slope: &[T],
    y: &mut [T],
) {
    geometry.check("prelu", &[x.len(), y.len()], &[slope.len()]);
    let (channels, area) = (geometry.channels, geometry.area);
    let out = Shared::new(y);
    match geometry.view() {
        View::Planes => for_rows(context.team, geometry.batch * channels, area, |range| {
            for plane in range {
                let slope = slope[plane % channels];
                let x = &x[plane * area..][..area];
                // SAFETY: every plane belongs to one task.
                let y = unsafe { out.slice(plane * area, area) };
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || {
                        for (y, &x) in y.iter_mut().zip(x) {
                            *y = bent(x, x, slope);
                        }
                    },
                );
            }
        }),
        View::Pixels(pixels) => pixels.for_each_chunk(context, 1, |_, chunk| {
            let at = pixels.elements(chunk);
            // SAFETY: every chunk belongs to one task.
            let y = unsafe { out.slice(at.start, at.len()) };
            let x = &x[at];
            let mut store = [T::zero(); LANES];
            let slopes = pixels.lanes(slope, &mut store);
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_mut(slopes.len()).zip(x.chunks(slopes.len())) {
                        for ((y, &x), &slope) in y.iter_mut().zip(x).zip(slopes) {
                            *y = bent(x, x, slope);
                        }
                    }
                },
            );
        }),
    }
}

/// `dx = dy` above 0, else `slope·dy`; `dslope = Σ dy·x` over what is not above 0, of a channel or of
/// all. `x` is the input of the forward pass.
///
/// # Panics
/// As [`forward`], and when `scratch` is shorter than [`PreluGeometry::scratch_len`].
pub fn backward<T: Real>(
    context: &Context<'_>,
    geometry: &PreluGeometry,
    x: &[T],
    slope: &[T],
    dy: &[T],
    dx: &mut [T],
    dslope: &mut [T],
    scratch: &mut [T],
) {
    geometry.check(
        "prelu backward",
        &[x.len(), dy.len(), dx.len()],
        &[slope.len(), dslope.len()],
    );
    let (batch, channels, area) = (geometry.batch, geometry.channels, geometry.area);
    let partials = &mut scratch[..geometry.scratch_len()];
    let out = Shared::new(dx);
    let sum = Shared::new(&mut *partials);
    match geometry.view() {
        View::Planes => {
            for_rows(context.team, batch * channels, area, |range| {
                for plane in range {
                    let slope = slope[plane % channels];
                    let at = plane * area..(plane + 1) * area;
                    // SAFETY: every plane belongs to one task.
                    let (dx, sum) = unsafe { (out.slice(at.start, area), sum.slice(plane, 1)) };
                    let (x, dy) = (&x[at.clone()], &dy[at]);
                    T::vectorised(
                        context.isa,
                        #[inline(always)]
                        || {
                            for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
                                *dx = bent(x, dy, slope);
                            }
                            let [total] = sums(
                                [x, dy],
                                #[inline(always)]
                                |[x, dy]| [below(x, dy)],
                            );
                            sum[0] = T::of(total);
                        },
                    );
                }
            });
            add_vectors(context, partials, batch, |n| n * channels, dslope);
        }
        View::Pixels(pixels) => {
            let width = pixels.width();
            pixels.for_each_chunk(context, 1, |_, chunk| {
                let at = pixels.elements(chunk);
                // SAFETY: every chunk belongs to one task.
                let dx = unsafe { out.slice(at.start, at.len()) };
                // SAFETY: as above.
                let sum = unsafe { sum.slice(chunk * width, width) };
                let (x, dy) = (&x[at.clone()], &dy[at]);
                let mut store = [T::zero(); LANES];
                let slopes = pixels.lanes(slope, &mut store);
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || {
                        sum.fill(T::zero());
                        let rows = dx.chunks_mut(width).zip(x.chunks(width));
                        for ((dx, x), dy) in rows.zip(dy.chunks(width)) {
                            for ((dx, (&x, &dy)), (sum, &slope)) in dx
                                .iter_mut()
                                .zip(x.iter().zip(dy))
                                .zip(sum.iter_mut().zip(slopes))
                            {
                                *dx = bent(x, dy, slope);
                                *sum += below(x, dy);
                            }
                        }
                    },
                );
            });
            let (fold, len) = (pixels.fold(), dslope.len());
            let count = pixels.chunks() * fold;
            // The parts of a row lie side by side.
            add_vectors(context, partials, count, |k| k * len, dslope);
        }
    }
}

/// `value` where `x` is above 0, else `slope·value`.
#[inline(always)]
fn bent<T: Real>(x: T, value: T, slope: T) -> T {
    if x > T::zero() { value } else { slope * value }
}

/// What an element gives to the gradient of its slope.
#[inline(always)]
fn below<T: Real>(x: T, dy: T) -> T {
    if x > T::zero() { T::zero() } else { dy * x }
}
