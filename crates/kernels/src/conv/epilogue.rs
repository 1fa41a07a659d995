//! What becomes of a sum on its way to memory.

use crate::Real;
use crate::activation::Activation;

/// What a forward or backward-data pass does to each sum before writing it:
/// `activation(sum + bias[channel] + residual)`. Backwards it makes a layer of a transposed
/// convolution.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a, T = f32> {
    /// One value a channel of the result.
    pub bias: Option<&'a [T]>,
    /// A tensor as large as the result, in its layout.
    pub residual: Option<&'a [T]>,
    /// Applied last.
    pub activation: Option<Activation>,
}

impl<T: Real> Epilogue<'_, T> {
    /// Asserts that it fits a result of `len` elements in `channels` channels.
    pub(super) fn check(&self, channels: usize, len: usize) {
        let fits = |given: Option<&[T]>, len| given.is_none_or(|given| given.len() == len);
        assert!(fits(self.bias, channels), "bias length");
        assert!(fits(self.residual, len), "residual length");
    }
}
