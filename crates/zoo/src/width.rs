//! The width multiplier.

/// A positive factor on the channels of every hidden layer (Howard et al. 2017); 1 by default.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Width(f64);

impl Width {
    /// A factor, if it is a positive number.
    pub fn new(factor: f64) -> Option<Self> {
        (factor.is_finite() && factor > 0.0).then_some(Self(factor))
    }

    /// The factor.
    pub fn factor(self) -> f64 {
        self.0
    }

    /// `round(channels · width)`, a half to the even side, and at least one.
    pub fn channels(self, channels: usize) -> usize {
        // A product beyond usize saturates, and geometry then refuses the layer.
        ((channels as f64 * self.0).round_ties_even() as usize).max(1)
    }

    /// `channels · width` as a multiple of `divisor`, the nearest, a half up, but at least one and never
    /// less than 90 % of the product (Sandler et al. 2018, whose channels are multiples of eight). For
    /// layers whose channels are split into groups.
    ///
    /// ```
    /// let width = zoo::Width::new(0.35).unwrap();
    /// // 8.4 would be 8; 11.2 would be 8 too, which is less than 10.08.
    /// assert_eq!([24, 32].map(|channels| width.multiple(channels, 8)), [8, 16]);
    /// ```
    pub fn multiple(self, channels: usize, divisor: usize) -> usize {
        let (wanted, step) = (channels as f64 * self.0, divisor.max(1) as f64);
        let nearest = ((wanted + step / 2.0) / step).floor().max(1.0) * step;
        match nearest < 0.9 * wanted {
            true => (nearest + step) as usize,
            false => nearest as usize,
        }
    }

    /// The factor, or 1 where it is smaller: for layers that may become wider but not thinner.
    pub fn at_least_one(self) -> Self {
        Self(self.0.max(1.0))
    }
}

impl Default for Width {
    fn default() -> Self {
        Self(1.0)
    }
}
