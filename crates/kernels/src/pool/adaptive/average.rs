//! The average of each bin.

use geometry::{AdaptiveGeometry, Bins};
use tensor::Layout;

use super::{Block, check, collect, planes, reduce};
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Real};

/// `y` = the mean of each bin. The rounding error does not grow with the bins.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &AdaptiveGeometry,
    x: &[T],
    y: &mut [T],
) {
    check("adaptive average pool", geometry, x.len(), y.len());
    reduce(
        context,
        layout,
        geometry,
        x,
        y,
        #[inline(always)]
        |x| x,
        #[inline(always)]
        |total, bin, _| T::of(total / bin.volume() as f64),
    );
}

/// `dx`: each bin spreads its gradient evenly over its elements; where bins overlap, the shares add
/// up in the order of the bins.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &AdaptiveGeometry,
    dy: &[T],
    dx: &mut [T],
) {
    check(
        "adaptive average pool backward",
        geometry,
        dx.len(),
        dy.len(),
    );
    let planes = planes(geometry);
    let (image, pooled, channels) = (planes.image, planes.pooled, planes.channels);
    match layout {
        Layout::Nchw => {
            let disjoint = geometry.bins.iter().all(Bins::are_disjoint);
            let out = Shared::new(dx);
            for_rows(context.team, planes.batch * channels, image, |range| {
                for plane in range {
                    // SAFETY: every plane belongs to one task.
                    let dx = unsafe { out.slice(plane * image, image) };
                    let dy = &dy[plane * pooled..][..pooled];
                    T::vectorised(
                        context.isa,
                        #[inline(always)]
                        || spread_plane(geometry, disjoint, dy, dx),
                    );
                }
            });
        }
        Layout::Nhwc => collect(
            context,
            geometry,
            dx,
            #[inline(always)]
            |dx, _, bin, volume| {
                let divisor = T::of(volume as f64);
                for (dx, &dy) in dx.iter_mut().zip(&dy[bin * channels..]) {
                    *dx += dy / divisor;
                }
            },
        ),
    }
}

#[inline(always)]
fn spread_plane<T: Real>(geometry: &AdaptiveGeometry, disjoint: bool, dy: &[T], dx: &mut [T]) {
    if !disjoint {
        dx.fill(T::zero());
    }
    for (bin, &dy) in dy.iter().enumerate() {
        let block = Block::of(geometry, bin);
        let share = dy / T::of(block.volume() as f64);
        block.for_each_run(
            #[inline(always)]
            |run| {
                let dx = &mut dx[run];
                if disjoint {
                    // Every element is in one bin: nothing to add it to.
                    dx.fill(share);
                } else {
                    dx.iter_mut().for_each(|dx| *dx += share);
                }
            },
        );
    }
}
