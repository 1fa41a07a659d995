//! One coordinate of a grid: which elements along its axis it reads, with which weights.

use geometry::{GridInterpolation, GridPadding, GridSampleDesc};

use crate::Real;
use crate::sampling::cubic;

/// Free coefficient of the cubic kernel, as in PyTorch and ONNX.
const COEFFICIENT: f64 = -0.75;

/// The place of an element that is not on the image.
pub(super) const OUTSIDE: usize = usize::MAX;

/// What one coordinate reads: `A` elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct AxisTaps<T, const A: usize> {
    /// Element, or [`OUTSIDE`].
    pub(super) place: [usize; A],
    pub(super) weight: [T; A],
    /// Slope of the weight by the coordinate of the grid.
    pub(super) slope: [T; A],
}

impl<T: Real, const A: usize> AxisTaps<T, A> {
    /// The only element of an axis that the problem does not have.
    #[inline(always)]
    pub(super) fn unit() -> Self {
        let mut taps = Self::nothing();
        taps.place[0] = 0;
        taps.weight[0] = T::one();
        taps
    }

    #[inline(always)]
    fn nothing() -> Self {
        Self {
            place: [OUTSIDE; A],
            weight: [T::zero(); A],
            slope: [T::zero(); A],
        }
    }

    /// What `coordinate`, −1 to 1 over the image, reads of an axis of `size` elements.
    #[inline(always)]
    pub(super) fn at(desc: GridSampleDesc, size: usize, coordinate: T) -> Self {
        let axis = Axis {
            padding: desc.padding,
            align_corners: desc.align_corners,
            size: T::of(size as f64),
        };
        let (position, scale) = axis.position(coordinate);
        match desc.interpolation {
            GridInterpolation::Nearest => axis.nearest(position),
            GridInterpolation::Linear => axis.linear(position, scale),
            GridInterpolation::Cubic => axis.cubic(position, scale),
        }
    }
}

/// One axis of the image. Element `i` lies at position `i`.
#[derive(Clone, Copy)]
struct Axis<T> {
    padding: GridPadding,
    align_corners: bool,
    size: T,
}

impl<T: Real> Axis<T> {
    /// Position of a coordinate, and its slope.
    #[inline(always)]
    fn position(self, coordinate: T) -> (T, T) {
        let (one, two) = (T::one(), T::of(2.0));
        if self.align_corners {
            let last = self.size - one;
            ((coordinate + one) / two * last, last / two)
        } else {
            (
                ((coordinate + one) * self.size - one) / two,
                self.size / two,
            )
        }
    }

    /// The position that padding puts in the place of one outside the image, and its slope.
    #[inline(always)]
    fn folded(self, position: T) -> (T, T) {
        match self.padding {
            GridPadding::Zeros => (position, T::one()),
            GridPadding::Border => self.clipped(position),
            GridPadding::Reflection => {
                let (reflected, sign) = self.reflected(position);
                let (clipped, slope) = self.clipped(reflected);
                (clipped, slope * sign)
            }
        }
    }

    /// Not a number is clipped to the first element, as PyTorch does.
    #[inline(always)]
    fn clipped(self, position: T) -> (T, T) {
        let last = self.size - T::one();
        if position >= last {
            (last, T::zero())
        } else if position > T::zero() {
            (position, T::one())
        } else {
            (T::zero(), T::zero())
        }
    }

    /// Mirrored at both ends as often as it takes. An infinite position becomes not a number.
    #[inline(always)]
    fn reflected(self, position: T) -> (T, T) {
        let (one, half) = (T::one(), T::of(0.5));
        let (low, span) = if self.align_corners {
            (T::zero(), self.size - one)
        } else {
            (-half, self.size)
        };
        if span <= T::zero() {
            return (T::zero(), T::zero());
        }
        let offset = position - low;
        let (distance, sign) = if offset < T::zero() {
            (-offset, -one)
        } else {
            (offset, one)
        };
        let rest = distance % span;
        let flips = (distance / span).floor();
        if (flips * half).floor() == flips * half {
            (rest + low, sign)
        } else {
            (span - rest + low, -sign)
        }
    }

    /// The element at a whole position.
    #[inline(always)]
    fn place(self, position: T) -> usize {
        if position >= T::zero() && position < self.size {
            position.wide() as usize
        } else {
            OUTSIDE
        }
    }

    #[inline(always)]
    fn nearest<const A: usize>(self, position: T) -> AxisTaps<T, A> {
        let (position, _) = self.folded(position);
        let mut taps = AxisTaps::nothing();
        taps.place[0] = self.place(half_to_even(position));
        taps.weight[0] = T::one();
        taps
    }

    #[inline(always)]
    fn linear<const A: usize>(self, position: T, scale: T) -> AxisTaps<T, A> {
        let (position, slope) = self.folded(position);
        let low = position.floor();
        let part = position - low;
        let slope = slope * scale;
        let mut taps = AxisTaps::nothing();
        (taps.place[0], taps.weight[0], taps.slope[0]) = (self.place(low), T::one() - part, -slope);
        (taps.place[1], taps.weight[1], taps.slope[1]) = (self.place(low + T::one()), part, slope);
        taps
    }

    /// Padding works on each element that is read, not on the position: so the weights know nothing
    /// of the edge.
    #[inline(always)]
    fn cubic<const A: usize>(self, position: T, scale: T) -> AxisTaps<T, A> {
        let mut taps = AxisTaps::nothing();
        if !position.is_finite() {
            // There is no part of it between two elements.
            taps.place[0] = self.place(self.folded(position).0);
            taps.weight[0] = T::one();
            return taps;
        }
        let a = T::of(COEFFICIENT);
        let low = position.floor();
        let part = position - low;
        for tap in 0..A {
            let offset = T::of(tap as f64 - 1.0);
            taps.place[tap] = self.place(self.folded(low + offset).0);
            taps.weight[tap] = cubic::kernel(a, part - offset);
            taps.slope[tap] = cubic::slope(a, part - offset) * scale;
        }
        taps
    }
}

/// The nearest whole number; halves go to the even one (`nearbyint` in C).
#[inline(always)]
fn half_to_even<T: Real>(value: T) -> T {
    let (half, one) = (T::of(0.5), T::one());
    let low = value.floor();
    let part = value - low;
    let even = (low * half).floor() == low * half;
    if part > half || (part == half && !even) {
        low + one
    } else {
        low
    }
}
