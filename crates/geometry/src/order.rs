//! The order of an Lp norm, without a float.

use std::fmt;
use std::str::FromStr;

use crate::GeometryError;

/// Millionths of one.
const ONE: u64 = 1_000_000;

/// The order p ≥ 1 of an Lp norm, `(Σ|x|ᵖ)^(1/p)`: a decimal of at most six places, kept exactly.
///
/// It prints and reads as a number is written: `2`, `1.5`.
/// ```
/// use geometry::NormOrder;
///
/// let order: NormOrder = "1.50".parse()?;
/// assert_eq!(order.to_string(), "1.5");
/// assert_eq!(order.millionths(), 1_500_000);
/// assert!(NormOrder::from_millionths(999_999).is_err());
/// # Ok::<(), geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NormOrder(u64);

impl NormOrder {
    /// The sum of magnitudes.
    pub const ONE: Self = Self(ONE);
    /// The Euclidean norm, ONNX's default.
    pub const TWO: Self = Self(2 * ONE);

    /// A whole order.
    ///
    /// # Errors
    /// [`GeometryError::NormOrder`] for 0.
    pub fn whole(order: u32) -> Result<Self, GeometryError> {
        Self::from_millionths(u64::from(order) * ONE)
    }

    /// An order in millionths: 1.5 is 1 500 000.
    ///
    /// # Errors
    /// [`GeometryError::NormOrder`] below one (it would be no norm) or above 2³²−1.
    pub fn from_millionths(millionths: u64) -> Result<Self, GeometryError> {
        if (ONE..=u64::from(u32::MAX) * ONE).contains(&millionths) {
            Ok(Self(millionths))
        } else {
            Err(GeometryError::NormOrder {
                given: decimal(millionths),
            })
        }
    }

    /// The order in millionths.
    pub fn millionths(self) -> u64 {
        self.0
    }
}

impl fmt::Display for NormOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.0))
    }
}

fn decimal(millionths: u64) -> String {
    let text = format!("{}.{:06}", millionths / ONE, millionths % ONE);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl FromStr for NormOrder {
    type Err = GeometryError;

    fn from_str(text: &str) -> Result<Self, GeometryError> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        let millionths = || {
            let places = places.trim_end_matches('0');
            let whole: u64 = whole.parse::<u32>().ok()?.into();
            let places: u64 = match places.len() {
                0..=6 => format!("{places:0<6}").parse().ok()?,
                _ => return None,
            };
            Some(whole * ONE + places)
        };
        Some(())
            .filter(|()| digits(whole) && digits(places))
            .and_then(|()| millionths())
            .ok_or_else(|| GeometryError::NormOrder {
                given: text.to_owned(),
            })
            .and_then(Self::from_millionths)
    }
}
