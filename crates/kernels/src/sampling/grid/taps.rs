//! One point of a grid: which elements of a plane it reads, with which weights.

use geometry::GridSampleGeometry;

use super::axis::{AxisTaps, OUTSIDE};
use crate::{Isa, Real};

/// What one point reads: `K` elements of a plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taps<T, const K: usize> {
    /// Place in the plane, or [`OUTSIDE`].
    pub(super) place: [usize; K],
    pub(super) weight: [T; K],
}

/// Slopes of the weights by `x`, `y` and `z` of the point.
pub(super) type Slopes<T, const K: usize> = [[T; K]; 3];

impl<T: Real, const K: usize> Taps<T, K> {
    /// Elements on the image, and their weights.
    #[inline(always)]
    pub(super) fn inside(&self) -> impl Iterator<Item = (usize, T)> + Clone {
        let taps = self.place.iter().copied().zip(self.weight.iter().copied());
        taps.filter(|&(place, _)| place != OUTSIDE)
    }
}

/// What the point at `coordinates`, `(x, y)` or `(x, y, z)`, reads, in the order of depth, height,
/// width: `D` elements along the depth, `A` along height and width, `K` in all.
///
/// A function of its own, as [`slopes`]: within each of the loops that ask for it, it was a quarter of what the compiler had to do for
/// all operators that are generic.
#[inline(never)]
pub(super) fn taps<T: Real, const D: usize, const A: usize, const K: usize>(
    isa: Isa,
    g: &GridSampleGeometry,
    coordinates: &[T],
) -> Taps<T, K> {
    T::vectorised(
        isa,
        #[inline(always)]
        || taps_and_slopes::<T, D, A, K>(g, coordinates).0,
    )
}

/// How the weights of [`taps`] change with the point.
#[inline(never)]
pub(super) fn slopes<T: Real, const D: usize, const A: usize, const K: usize>(
    isa: Isa,
    g: &GridSampleGeometry,
    coordinates: &[T],
) -> Slopes<T, K> {
    T::vectorised(
        isa,
        #[inline(always)]
        || taps_and_slopes::<T, D, A, K>(g, coordinates).1,
    )
}

#[inline(always)]
fn taps_and_slopes<T: Real, const D: usize, const A: usize, const K: usize>(
    g: &GridSampleGeometry,
    coordinates: &[T],
) -> (Taps<T, K>, Slopes<T, K>) {
    const { assert!(D * A * A == K) };
    let [depth, height, width] = g.input;
    let x = AxisTaps::<T, A>::at(g.desc, width, coordinates[0]);
    let y = AxisTaps::<T, A>::at(g.desc, height, coordinates[1]);
    let z = match coordinates.get(2) {
        Some(&z) => AxisTaps::<T, D>::at(g.desc, depth, z),
        None => AxisTaps::<T, D>::unit(),
    };
    let mut taps = Taps {
        place: [OUTSIDE; K],
        weight: [T::zero(); K],
    };
    let mut slopes = [[T::zero(); K]; 3];
    for (k, place) in taps.place.iter_mut().enumerate() {
        let (d, h, w) = (k / (A * A), k / A % A, k % A);
        let places = [z.place[d], y.place[h], x.place[w]];
        if !places.contains(&OUTSIDE) {
            *place = (places[0] * height + places[1]) * width + places[2];
            taps.weight[k] = x.weight[w] * y.weight[h] * z.weight[d];
            slopes[0][k] = x.slope[w] * y.weight[h] * z.weight[d];
            slopes[1][k] = x.weight[w] * y.slope[h] * z.weight[d];
            slopes[2][k] = x.weight[w] * y.weight[h] * z.slope[d];
        }
    }
    (taps, slopes)
}

/// Calls `$body::<T, D, A, K>` with the numbers of taps of a geometry.
macro_rules! by_taps {
    ($g:expr => $body:ident::<$t:ident>($($arg:expr),* $(,)?)) => {{
        use geometry::GridInterpolation::{Cubic, Linear, Nearest};
        match ($g.rank, $g.desc.interpolation) {
            (_, Nearest) => $body::<$t, 1, 1, 1>($($arg),*),
            (3, Linear) => $body::<$t, 2, 2, 8>($($arg),*),
            (_, Linear) => $body::<$t, 1, 2, 4>($($arg),*),
            // Geometry allows it on two axes only.
            (_, Cubic) => $body::<$t, 1, 4, 16>($($arg),*),
        }
    }};
}

pub(super) use by_taps;
