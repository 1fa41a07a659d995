//! RoI average pooling: the mean over the pixels of each bin, usually of channels of its own.
//!
//! A region's corners are rounded to pixels, halves away from 0; its last row and column do not belong
//! to it. As in torchvision's `ps_roi_pool`, bins stop one short of the map's last row and column. The
//! gradient here is that of this very function; torchvision's spreads over the last row and column too.

use geometry::RegionsGeometry;
use tensor::Layout;

use super::windows::{Ends, Windows};
use super::{Maps, Owned};
use crate::bilinear::spread;
use crate::shared::Shared;
use crate::{Context, Real};

/// `y`, a map `[r, c, kh, kw]` in the layout of `x`: the mean of each bin, 0 for one without pixels.
/// `scale` is the pixels of the map for a unit of the regions' coordinates.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &RegionsGeometry,
    scale: f64,
    regions: &[T],
    x: &[T],
    y: &mut [T],
) {
    let maps = Maps::new(layout, geometry);
    maps.check("RoI average", geometry, [regions.len(), x.len(), y.len()]);
    let out = Shared::new(y);
    ctx.team.for_each(geometry.regions, |index, _| {
        let len = maps.region_len();
        // SAFETY: every region belongs to one task.
        let y = unsafe { out.slice(index * len, len) };
        y.fill(T::zero());
        let windows = Windows::new(geometry, scale, regions, index, Ends::Excluded);
        let Some(windows) = windows else {
            return;
        };
        let x = &x[windows.image * maps.image_len()..][..maps.image_len()];
        for bin in 0..maps.bins {
            T::vectorised(
                ctx.isa,
                #[inline(always)]
                || mean(&maps, &windows, bin, x, y),
            );
        }
    });
}

#[inline(always)]
fn mean<T: Real>(maps: &Maps, windows: &Windows<T>, bin: usize, x: &[T], y: &mut [T]) {
    let from = maps.inputs(bin, 0, maps.out_channels);
    let to = maps.outputs(bin, 0, maps.out_channels);
    windows.for_each(
        bin,
        #[inline(always)]
        |pixel| {
            let start = from.first + pixel * maps.pixel_step();
            if (from.step, to.step) == (1, 1) {
                let (x, y) = (&x[start..][..to.count], &mut y[to.first..][..to.count]);
                for (y, &x) in y.iter_mut().zip(x) {
                    *y += x;
                }
                return;
            }
            for channel in 0..to.count {
                y[to.first + channel * to.step] += x[start + channel * from.step];
            }
        },
    );
    let divisor = T::of(windows.area(bin).max(1) as f64);
    for channel in 0..to.count {
        y[to.first + channel * to.step] /= divisor;
    }
}

/// `dx`, the gradient of the feature map: each bin spreads its gradient evenly over its pixels.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &RegionsGeometry,
    scale: f64,
    regions: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    let maps = Maps::new(layout, geometry);
    maps.check("RoI average", geometry, [regions.len(), dx.len(), dy.len()]);
    let dx = Shared::new(dx);
    ctx.team
        .for_each(Owned::<T>::tasks(&maps, geometry), |task, _| {
            // SAFETY: tasks have different indices.
            let owned = unsafe { Owned::cleared(&maps, dx, task) };
            for index in 0..geometry.regions {
                let windows = Windows::new(geometry, scale, regions, index, Ends::Excluded);
                let Some(windows) = windows.filter(|windows| windows.image == owned.image) else {
                    continue;
                };
                let dy = &dy[index * maps.region_len()..][..maps.region_len()];
                for bin in (0..maps.bins).filter(|&bin| windows.area(bin) > 0) {
                    let from = maps.outputs(bin, owned.first, owned.count);
                    let share = T::one() / T::of(windows.area(bin) as f64);
                    T::vectorised(
                        ctx.isa,
                        #[inline(always)]
                        || {
                            windows.for_each(
                                bin,
                                #[inline(always)]
                                |pixel| {
                                    let pixel = owned.pixel(&maps, bin, pixel);
                                    // SAFETY: the task's own channels of its own image.
                                    unsafe { spread(owned.dx, pixel, share, dy, from) };
                                },
                            );
                        },
                    );
                }
            }
        });
}
