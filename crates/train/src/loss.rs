//! A loss as it is read.

use std::fmt;

/// From here on a loss is written with a power of ten.
const LARGE: f64 = 1e4;

/// A loss with four decimals; one that has grown out of all bounds with a power of ten instead of all its digits.
///
/// ```
/// use train::Loss;
/// let shown = [0.10447, 2.0, 9999.9, 1.2345678e17, f64::NAN].map(|loss| Loss(loss).to_string());
/// assert_eq!(shown, ["0.1045", "2.0000", "9999.9000", "1.2346e17", "NaN"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss(pub f64);

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_finite() && self.0.abs() >= LARGE {
            true => write!(f, "{:.4e}", self.0),
            false => write!(f, "{:.4}", self.0),
        }
    }
}
