//! RoI max pooling: the largest pixel of each bin.
//!
//! A region's corners are rounded to pixels, halves away from 0, and its last row and column belong to
//! it. Bins cover whole pixels; neighbours share one where the region does not divide.

use geometry::RegionsGeometry;
use tensor::Layout;

use super::windows::{Ends, Windows};
use super::{Maps, Owned, Region};
use crate::bilinear::Channels;
use crate::pool::max::NO_SOURCE;
use crate::shared::Shared;
use crate::{Context, Real};

/// `y`, a map `[r, c, kh, kw]` in the layout of `x`: the maximum of each bin, and where asked for,
/// `indices` = its place in the plane of its channel, row · width + column, lying as `y` does.
///
/// The first of equal pixels wins. A bin without pixels is 0 and has [`NO_SOURCE`]. As in torchvision, a
/// NaN never wins, and a bin of nothing but NaN or −∞ is the lowest finite number and has no source.
/// `scale` is the pixels of the map for a unit of the regions' coordinates.
///
/// # Panics
/// When a slice has not the size the geometry gives, or a plane is too large for the indices.
pub fn forward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &RegionsGeometry,
    scale: f64,
    regions: &[T],
    x: &[T],
    y: &mut [T],
    indices: Option<&mut [u32]>,
) {
    let maps = Maps::new(layout, geometry);
    maps.check("RoI max", geometry, [regions.len(), x.len(), y.len()]);
    let indices = indices.map(|indices| {
        assert_eq!(indices.len(), y.len(), "RoI max: length of the indices");
        assert!(maps.area <= NO_SOURCE as usize, "RoI max: plane too large");
        Shared::new(indices)
    });
    let out = Shared::new(y);
    ctx.team.for_each(geometry.regions, |index, _| {
        let len = maps.region_len();
        // SAFETY: every region belongs to one task.
        let y = unsafe { out.slice(index * len, len) };
        // SAFETY: as above.
        let mut indices = indices.map(|all| unsafe { all.slice(index * len, len) });
        y.fill(T::zero());
        if let Some(indices) = &mut indices {
            indices.fill(NO_SOURCE);
        }
        let windows = Windows::new(geometry, scale, regions, index, Ends::Included);
        let Some(windows) = windows else {
            return;
        };
        let x = &x[windows.image * maps.image_len()..][..maps.image_len()];
        for bin in (0..maps.bins).filter(|&bin| windows.area(bin) > 0) {
            let to = maps.outputs(bin, 0, maps.out_channels);
            for channel in 0..to.count {
                y[to.first + channel * to.step] = T::min_value();
            }
            T::vectorised(
                ctx.isa,
                #[inline(always)]
                || {
                    windows.for_each(
                        bin,
                        #[inline(always)]
                        |pixel| raise(&maps, bin, pixel, to, x, y, indices.as_deref_mut()),
                    );
                },
            );
        }
    });
}

/// Raises the maxima of a bin to the values of a pixel.
#[inline(always)]
fn raise<T: Real>(
    maps: &Maps,
    bin: usize,
    pixel: usize,
    to: Channels,
    x: &[T],
    y: &mut [T],
    indices: Option<&mut [u32]>,
) {
    let from = maps.inputs(bin, 0, to.count);
    let start = from.first + pixel * maps.pixel_step();
    if (from.step, to.step) == (1, 1) {
        let (x, y) = (&x[start..][..to.count], &mut y[to.first..][..to.count]);
        let Some(indices) = indices else {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = if x > *y { x } else { *y };
            }
            return;
        };
        let indices = &mut indices[to.first..][..to.count];
        for ((y, index), &x) in y.iter_mut().zip(indices).zip(x) {
            let wins = x > *y;
            *y = if wins { x } else { *y };
            *index = if wins { pixel as u32 } else { *index };
        }
        return;
    }
    let mut indices = indices;
    for channel in 0..to.count {
        let (x, at) = (x[start + channel * from.step], to.first + channel * to.step);
        if x > y[at] {
            y[at] = x;
            if let Some(indices) = &mut indices {
                indices[at] = pixel as u32;
            }
        }
    }
}

/// `dx`, the gradient of the feature map: each bin hands its gradient to its maximum, at the place the
/// forward pass noted in `indices`.
///
/// # Panics
/// When a slice has not the size the geometry gives, or an index lies outside the plane.
pub fn backward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &RegionsGeometry,
    regions: &[T],
    dy: &[T],
    indices: &[u32],
    dx: &mut [T],
) {
    let maps = Maps::new(layout, geometry);
    maps.check("RoI max", geometry, [regions.len(), dx.len(), dy.len()]);
    assert_eq!(indices.len(), dy.len(), "RoI max: length of the indices");
    let dx = Shared::new(dx);
    ctx.team
        .for_each(Owned::<T>::tasks(&maps, geometry), |task, _| {
            // SAFETY: tasks have different indices.
            let owned = unsafe { Owned::cleared(&maps, dx, task) };
            for index in 0..geometry.regions {
                let region = Region::read(regions, index, geometry.batch);
                if region.is_none_or(|region| region.image != owned.image) {
                    continue;
                }
                let len = maps.region_len();
                let (dy, indices) = (&dy[index * len..][..len], &indices[index * len..][..len]);
                for bin in 0..maps.bins {
                    let from = maps.outputs(bin, owned.first, owned.count);
                    for channel in 0..from.count {
                        let at = from.first + channel * from.step;
                        if indices[at] == NO_SOURCE {
                            continue;
                        }
                        let place = indices[at] as usize;
                        assert!(place < maps.area, "RoI max: index {place}");
                        let pixel = owned.pixel(&maps, bin, place);
                        // SAFETY: the task's own channels of its own image.
                        let dx = unsafe { dx.slice(pixel.first + channel * pixel.step, 1) };
                        dx[0] += dy[at];
                    }
                }
            }
        });
}
