//! Values that move between a map and remembered places of another one: the gradient of every max
//! pooling, and max unpooling.

use std::ops::Range;

use geometry::PoolGeometry;
use tensor::Layout;

use super::{BAND, areas};
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Real};

/// The place of a window that lies wholly in the padding: no place at all.
pub const NO_SOURCE: u32 = u32::MAX;

/// A map of `pooled` elements a plane, each with a place in a plane of `image` elements.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    pub(super) batch: usize,
    pub(super) channels: usize,
    pub(super) image: usize,
    pub(super) pooled: usize,
}

impl Planes {
    /// The planes of a pooling over windows.
    pub(super) fn of(geometry: &PoolGeometry) -> Self {
        let (image, pooled) = areas(geometry);
        Self {
            batch: geometry.batch,
            channels: geometry.channels,
            image,
            pooled,
        }
    }

    /// Asserts that places of the image fit a u32, with [`NO_SOURCE`] left over.
    pub(super) fn check_reach(&self) {
        let image = self.image;
        assert!(
            image < NO_SOURCE as usize,
            "places in a plane of {image} elements"
        );
    }

    pub(super) fn check(&self, pooled: usize, places: usize, image: usize) {
        let planes = self.batch * self.channels;
        assert_eq!(pooled, planes * self.pooled, "length of the pooled map");
        assert_eq!(places, pooled, "length of the places");
        assert_eq!(image, planes * self.image, "length of the image's map");
    }

    /// Clears the image and calls `put(element, value)` for every value at its place, in the order
    /// of the values in a plane. Values without a place are dropped.
    ///
    /// # Panics
    /// When a place lies outside the plane.
    pub(super) fn scatter<T: Real>(
        &self,
        context: &Context,
        layout: Layout,
        values: &[T],
        places: &[u32],
        image: &mut [T],
        put: impl Fn(&mut T, T) + Sync,
    ) {
        self.check(values.len(), places.len(), image.len());
        let Self {
            batch, channels, ..
        } = *self;
        let (area, pooled) = (self.image, self.pooled);
        let out = Shared::new(image);
        match layout {
            Layout::Nchw => for_rows(context.team, batch * channels, area, |range| {
                for plane in range {
                    // SAFETY: every plane belongs to one task.
                    let image = unsafe { out.slice(plane * area, area) };
                    image.fill(T::zero());
                    let own = plane * pooled..(plane + 1) * pooled;
                    for (&place, &value) in places[own.clone()].iter().zip(&values[own]) {
                        if place != NO_SOURCE {
                            put(&mut image[place as usize], value);
                        }
                    }
                }
            }),
            Layout::Nhwc => {
                let bands = channels.div_ceil(BAND);
                context.team.for_each(batch * bands, |task, _| {
                    let (n, first) = (task / bands, task % bands * BAND);
                    let band = first..channels.min(first + BAND);
                    // SAFETY: a band of an image's channels belongs to one task.
                    unsafe { self.scatter_band(n, band, values, places, out, &put) };
                });
            }
        }
    }

    /// [`scatter`](Self::scatter) for some channels of an image, channels last.
    ///
    /// # Safety
    /// No other task may touch these channels of the image.
    ///
    /// # Panics
    /// When a place lies outside the plane.
    pub(super) unsafe fn scatter_band<T: Real>(
        &self,
        n: usize,
        band: Range<usize>,
        values: &[T],
        places: &[u32],
        image: Shared<T>,
        put: &impl Fn(&mut T, T),
    ) {
        let (area, pooled, channels) = (self.image, self.pooled, self.channels);
        for pixel in n * area..(n + 1) * area {
            // SAFETY: as this function's.
            let band = unsafe { image.slice(pixel * channels + band.start, band.len()) };
            band.fill(T::zero());
        }
        for pixel in n * pooled..(n + 1) * pooled {
            for channel in band.clone() {
                let from = pixel * channels + channel;
                let (place, value) = (places[from], values[from]);
                if place != NO_SOURCE {
                    let place = place as usize;
                    assert!(place < area, "place {place} in a plane of {area}");
                    let to = (n * area + place) * channels + channel;
                    // SAFETY: as this function's.
                    put(&mut unsafe { image.slice(to, 1) }[0], value);
                }
            }
        }
    }

    /// The reverse: every value is the image's element at its place, 0 where it has none.
    ///
    /// # Panics
    /// When a place lies outside the plane.
    pub(super) fn gather<T: Real>(
        &self,
        context: &Context,
        layout: Layout,
        image: &[T],
        places: &[u32],
        values: &mut [T],
    ) {
        self.check(values.len(), places.len(), image.len());
        let Self {
            batch, channels, ..
        } = *self;
        let (area, pooled) = (self.image, self.pooled);
        let at = |image: &[T], place: u32, step: usize| match place {
            NO_SOURCE => T::zero(),
            place => image[place as usize * step],
        };
        let out = Shared::new(values);
        match layout {
            Layout::Nchw => for_rows(context.team, batch * channels, pooled, |range| {
                for plane in range {
                    let own = plane * pooled..(plane + 1) * pooled;
                    // SAFETY: every plane belongs to one task.
                    let values = unsafe { out.slice(own.start, pooled) };
                    let image = &image[plane * area..][..area];
                    for (value, &place) in values.iter_mut().zip(&places[own]) {
                        *value = at(image, place, 1);
                    }
                }
            }),
            Layout::Nhwc => for_rows(context.team, batch * pooled, channels, |range| {
                for pixel in range {
                    let own = pixel * channels..(pixel + 1) * channels;
                    // SAFETY: every pixel belongs to one task.
                    let values = unsafe { out.slice(own.start, channels) };
                    let image = &image[pixel / pooled * area * channels..][..area * channels];
                    let places = &places[own];
                    for (channel, (value, &place)) in values.iter_mut().zip(places).enumerate() {
                        *value = at(&image[channel..], place, channels);
                    }
                }
            }),
        }
    }
}
