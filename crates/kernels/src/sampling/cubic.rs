//! The cubic convolution kernel (Keys 1981, "Cubic convolution interpolation for digital image
//! processing").

use crate::Real;

/// The kernel with free coefficient `a` at `distance` from its middle.
#[inline(always)]
pub(super) fn kernel<T: Real>(a: T, distance: T) -> T {
    let (d, one, two) = (distance.abs(), T::one(), T::of(2.0));
    if d <= one {
        ((a + two) * d - (a + T::of(3.0))) * d * d + one
    } else if d < two {
        ((a * d - T::of(5.0) * a) * d + T::of(8.0) * a) * d - T::of(4.0) * a
    } else {
        T::zero()
    }
}

/// Its slope at `distance`, which is signed.
#[inline(always)]
pub(super) fn slope<T: Real>(a: T, distance: T) -> T {
    let (d, two, three) = (distance.abs(), T::of(2.0), T::of(3.0));
    let slope = if d <= T::one() {
        (three * (a + two) * d - two * (a + three)) * d
    } else if d < two {
        (three * a * d - T::of(10.0) * a) * d + T::of(8.0) * a
    } else {
        T::zero()
    };
    if distance < T::zero() { -slope } else { slope }
}
