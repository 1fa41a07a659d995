//! The average of a whole plane: `[n, c, spatial…]` to `[n, c]`, the same in both layouts.
//!
//! It is [adaptive pooling](super::adaptive) with a single bin; maxima and norms of whole planes are
//! had there too, with [`whole_planes`].

use geometry::{AdaptiveGeometry, AdaptiveKind, Bins};
use tensor::Layout;

use super::adaptive::average;
use crate::{Context, Real};

/// Pooling of whole planes of `area` elements.
pub fn whole_planes(
    kind: AdaptiveKind,
    batch: usize,
    channels: usize,
    area: usize,
) -> AdaptiveGeometry {
    let plane = Bins {
        input: area,
        output: 1,
    };
    AdaptiveGeometry {
        kind,
        batch,
        channels,
        rank: 1,
        bins: [Bins::UNIT, Bins::UNIT, plane],
    }
}

/// `y[n, c] = Σ x[n, c, ·] / area`. The rounding error does not grow with the area.
///
/// # Panics
/// When `x` does not hold `batch · channels · area` elements, or `y` not `batch · channels`.
pub fn forward<T: Real>(
    context: &Context,
    layout: Layout,
    batch: usize,
    channels: usize,
    area: usize,
    x: &[T],
    y: &mut [T],
) {
    let geometry = whole_planes(AdaptiveKind::Average, batch, channels, area);
    average::forward(context, layout, &geometry, x, y);
}

/// `dx[n, c, ·] = dy[n, c] / area`
///
/// # Panics
/// When `dx` does not hold `batch · channels · area` elements, or `dy` not `batch · channels`.
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    batch: usize,
    channels: usize,
    area: usize,
    dy: &[T],
    dx: &mut [T],
) {
    let geometry = whole_planes(AdaptiveKind::Average, batch, channels, area);
    average::backward(context, layout, &geometry, dy, dx);
}
