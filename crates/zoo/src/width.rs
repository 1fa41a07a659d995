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
}

impl Default for Width {
    fn default() -> Self {
        Self(1.0)
    }
}
