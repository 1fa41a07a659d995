//! The gradient of max pooling.
//!
//! The plain way is to scatter: take the windows one after the other and add each one's gradient to
//! the element it remembers. Channels last, the places of neighbouring channels differ, so a vector of
//! gradients would have to be added to as many different pixels, and every element goes alone.
//!
//! Small windows that overlap are gathered instead, pixel by pixel of the input:
//!
//! ```text
//! for each window over the pixel, in the order of the windows
//!     dx[c] += dy[c]  where places[c] is the pixel
//! ```
//!
//! This compares every place with each pixel under its window, sixteen channels at a time, and writes
//! the gradient once. Each element adds the same numbers in the same order, so both ways agree to the
//! last bit. A place outside its own window, which no forward pass makes, is never met; so what was
//! handed out is counted, and where something is left over, its channels are scattered after all.

use std::ops::Range;

use geometry::{PoolGeometry, Window};
use tensor::Layout;

use super::super::places::{NO_SOURCE, Planes};
use super::super::{BAND, OfBand, areas, for_each_band};
use crate::shared::Shared;
use crate::{Context, Real};

/// Taps of the largest window that is gathered: beyond it a vector of comparisons costs more than
/// sixteen elements one by one.
const MOST_TAPS: usize = 16;

/// Whether gathering is quicker: windows are small, and so many that most pixels lie under several.
fn gathers(geometry: &PoolGeometry) -> bool {
    let taps: usize = geometry.windows.iter().map(|w| w.kernel).product();
    let (input, output) = areas(geometry);
    taps <= MOST_TAPS && output > input / 2
}

/// `dx`: each window hands its gradient to its maximum, at the place the forward pass noted in
/// `indices`; where windows overlap, the gradients add up in their order.
///
/// # Panics
/// When a slice has not the size the geometry gives, or an index lies outside the plane.
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &PoolGeometry,
    dy: &[T],
    indices: &[u32],
    dx: &mut [T],
) {
    let planes = Planes::of(geometry);
    if layout == Layout::Nchw || !gathers(geometry) {
        planes.scatter(context, layout, dy, indices, dx, |dx, dy| *dx += dy);
        return;
    }
    planes.check(dy.len(), indices.len(), dx.len());
    let channels = geometry.channels;
    let bands = channels.div_ceil(BAND);
    let dx = Shared::new(dx);
    context.team.for_each(geometry.batch * bands, |task, _| {
        let (image, first) = (task / bands, task % bands * BAND);
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                let mut gather = Gather {
                    geometry,
                    planes,
                    image,
                    first,
                    dy,
                    indices,
                    dx,
                };
                for_each_band(BAND.min(channels - first), &mut gather);
            },
        );
    });
}

/// The gradient of a band of channels of an image.
struct Gather<'a, T> {
    geometry: &'a PoolGeometry,
    planes: Planes,
    image: usize,
    /// First channel of the band, which belongs to one task.
    first: usize,
    dy: &'a [T],
    indices: &'a [u32],
    dx: Shared<'a, T>,
}

/// Placements that put some tap on an input element, or starts of their rows, in ascending order.
struct Over {
    places: [usize; MOST_TAPS],
    count: usize,
}

impl Over {
    const NONE: Self = Self {
        places: [0; MOST_TAPS],
        count: 0,
    };

    #[inline(always)]
    fn push(&mut self, place: usize) {
        self.places[self.count] = place;
        self.count += 1;
    }

    #[inline(always)]
    fn get(&self) -> &[usize] {
        &self.places[..self.count]
    }
}

/// The placements that put some tap on an input element, in ascending order.
#[inline(always)]
fn over(window: &Window, input: usize) -> impl Iterator<Item = usize> {
    let taps = (0..window.kernel).rev();
    taps.filter_map(move |tap| window.target(input, tap))
}

impl<T: Real> OfBand for Gather<'_, T> {
    const WIDEST: usize = BAND;

    #[inline(always)]
    fn of_band<const W: usize>(&mut self, first: usize) {
        let first = self.first + first;
        let [d, h, w] = &self.geometry.windows;
        let channels = self.geometry.channels;
        let (input, output) = areas(self.geometry);
        let (mut left, start) = ([0u32; W], self.image * output);
        for pixel in start..start + output {
            for (left, &place) in left
                .iter_mut()
                .zip(&self.indices[pixel * channels + first..])
            {
                *left += u32::from(place != NO_SOURCE);
            }
        }
        let mut place = 0;
        for depth in 0..d.input {
            for row in 0..h.input {
                let mut rows = Over::NONE;
                for depth in over(d, depth) {
                    over(h, row).for_each(|row| rows.push((depth * h.output + row) * w.output));
                }
                for column in 0..w.input {
                    let mut columns = Over::NONE;
                    over(w, column).for_each(|column| columns.push(column));
                    let mut sums = [T::zero(); W];
                    for row in rows.get() {
                        for column in columns.get() {
                            let at = (start + row + column) * channels + first;
                            let own = self.indices[at..][..W].iter().zip(&self.dy[at..][..W]);
                            for ((sum, left), (&own, &dy)) in
                                sums.iter_mut().zip(&mut left).zip(own)
                            {
                                let hit = own == place;
                                *sum = if hit { *sum + dy } else { *sum };
                                *left -= u32::from(hit);
                            }
                        }
                    }
                    let at = (self.image * input + place as usize) * channels + first;
                    // SAFETY: a band of an image's channels belongs to one task.
                    let dx = unsafe { self.dx.slice(at, W) };
                    for (dx, &sum) in dx.iter_mut().zip(&sums) {
                        *dx = sum;
                    }
                    place += 1;
                }
            }
        }
        if left != [0; W] {
            self.scatter(first..first + W);
        }
    }
}

impl<T: Real> Gather<'_, T> {
    fn scatter(&self, band: Range<usize>) {
        let Self {
            planes, image, dx, ..
        } = self;
        // SAFETY: a band of an image's channels belongs to one task.
        unsafe {
            planes.scatter_band(*image, band, self.dy, self.indices, *dx, &|dx, dy| {
                *dx += dy
            });
        }
    }
}
