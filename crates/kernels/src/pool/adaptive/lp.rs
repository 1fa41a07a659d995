//! The norm `(Σ|x|ᵖ)^(1/p)` of each bin; see [`pool::lp`](crate::pool::lp) for the definition.

use geometry::{AdaptiveGeometry, AdaptiveKind, NormOrder};
use tensor::Layout;

use super::{Block, check, collect, planes, reduce};
use crate::blocks::for_rows;
use crate::pool::order::{Order, for_order, norm};
use crate::shared::Shared;
use crate::{Context, Real};

/// `y` = the norm of each bin. The rounding error does not grow with the bins.
///
/// # Panics
/// When a slice has not the size the geometry gives, or its kind is another than
/// [`AdaptiveKind::Lp`].
pub fn forward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &AdaptiveGeometry,
    x: &[T],
    y: &mut [T],
) {
    check("adaptive Lp pool", geometry, x.len(), y.len());
    for_order!(order_of(geometry), |order| reduce(
        context,
        layout,
        geometry,
        x,
        y,
        #[inline(always)]
        |x| order.term(x),
        #[inline(always)]
        |total, bin, plane| norm(order, Real::of(total), bin, plane),
    ));
}

fn order_of(geometry: &AdaptiveGeometry) -> NormOrder {
    match geometry.kind {
        AdaptiveKind::Lp(order) => order,
        kind => panic!("adaptive Lp pool: a pool of kind {kind:?}"),
    }
}

/// `dx = Σ dy·sign(x)·(|x|/y)^(p−1)` over the bins an element is in, in their order; `y` is the output
/// of the forward pass. A bin of norm 0 hands on nothing.
///
/// # Panics
/// As [`forward`].
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &AdaptiveGeometry,
    x: &[T],
    y: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    check("adaptive Lp pool backward", geometry, dx.len(), dy.len());
    check("adaptive Lp pool backward", geometry, x.len(), y.len());
    for_order!(order_of(geometry), |order| slopes(
        order, context, layout, geometry, x, y, dy, dx
    ));
}

fn slopes<T: Real, O: Order<T>>(
    order: O,
    context: &Context,
    layout: Layout,
    geometry: &AdaptiveGeometry,
    x: &[T],
    y: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    let planes = planes(geometry);
    let (image, pooled, channels) = (planes.image, planes.pooled, planes.channels);
    match layout {
        Layout::Nchw => {
            let out = Shared::new(dx);
            for_rows(context.team, planes.batch * channels, image, |range| {
                for plane in range {
                    // SAFETY: every plane belongs to one task.
                    let dx = unsafe { out.slice(plane * image, image) };
                    let x = &x[plane * image..][..image];
                    let own = plane * pooled..(plane + 1) * pooled;
                    let (y, dy) = (&y[own.clone()], &dy[own]);
                    T::vectorised(
                        context.isa,
                        #[inline(always)]
                        || spread_plane(order, geometry, x, y, dy, dx),
                    );
                }
            });
        }
        Layout::Nhwc => collect(
            context,
            geometry,
            dx,
            #[inline(always)]
            |dx, pixel, bin, _| {
                let x = &x[pixel * channels..][..channels];
                let bin = bin * channels..(bin + 1) * channels;
                let norms = y[bin.clone()].iter().zip(&dy[bin]);
                for ((&x, dx), (&y, &dy)) in x.iter().zip(dx).zip(norms) {
                    *dx += dy * order.slope(x, order.prepare(y));
                }
            },
        ),
    }
}

#[inline(always)]
fn spread_plane<T: Real, O: Order<T>>(
    order: O,
    geometry: &AdaptiveGeometry,
    x: &[T],
    y: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    dx.fill(T::zero());
    for (bin, (&y, &dy)) in y.iter().zip(dy).enumerate() {
        let prepared = order.prepare(y);
        Block::of(geometry, bin).for_each_run(
            #[inline(always)]
            |run| {
                for (dx, &x) in dx[run.clone()].iter_mut().zip(&x[run]) {
                    *dx += dy * order.slope(x, prepared);
                }
            },
        );
    }
}
