//! Fractions, for places that fall between two elements.

use std::cmp::Ordering;
use std::fmt;

use crate::GeometryError;

/// A fraction in lowest terms. Its parts stay within 62 bits, so that two of them can always be compared.
///
/// It prints as a decimal where it is one of few places, else as a fraction:
/// ```
/// use geometry::Rational;
///
/// let half = Rational::new(2, 4)?;
/// assert_eq!((half.numerator(), half.denominator()), (1, 2));
/// assert_eq!(half.to_string(), "0.5");
/// assert_eq!(Rational::new(-7, 3)?.to_string(), "-7/3");
/// assert_eq!((Rational::new(-7, 3)?.floor(), Rational::new(-7, 3)?.ceil()), (-3, -2));
/// # Ok::<(), geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rational {
    numerator: i64,
    denominator: i64,
}

/// The largest numerator and denominator.
const MOST: i128 = 1 << 62;

impl Rational {
    /// Nothing.
    pub const ZERO: Self = Self {
        numerator: 0,
        denominator: 1,
    };
    /// One element.
    pub const ONE: Self = Self {
        numerator: 1,
        denominator: 1,
    };

    /// `numerator / denominator`
    ///
    /// # Errors
    /// A denominator of 0, or parts that do not fit.
    pub fn new(numerator: i128, denominator: i128) -> Result<Self, GeometryError> {
        let overflow = GeometryError::Overflow { what: "a fraction" };
        if denominator == 0 || numerator == i128::MIN || denominator == i128::MIN {
            return Err(overflow);
        }
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()) as i128;
        let (n, d) = (numerator / divisor, denominator.abs() / divisor);
        let n = if denominator < 0 { -n } else { n };
        if n.abs() > MOST || d > MOST {
            return Err(overflow);
        }
        Ok(Self {
            numerator: n as i64,
            denominator: d as i64,
        })
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn whole(number: i128) -> Result<Self, GeometryError> {
        Self::new(number, 1)
    }

    /// The part above the line; it has the sign.
    pub fn numerator(self) -> i64 {
        self.numerator
    }

    /// The part below the line, at least 1.
    pub fn denominator(self) -> i64 {
        self.denominator
    }

    /// Whether it is a whole number.
    pub fn is_whole(self) -> bool {
        self.denominator == 1
    }

    /// The largest whole number that is not larger.
    pub fn floor(self) -> i64 {
        self.numerator.div_euclid(self.denominator)
    }

    /// The smallest whole number that is not smaller.
    pub fn ceil(self) -> i64 {
        -(-self.numerator).div_euclid(self.denominator)
    }

    /// The sum.
    ///
    /// # Errors
    /// When it does not fit; so for the others.
    pub fn plus(self, other: Self) -> Result<Self, GeometryError> {
        let [a, b] = [self, other].map(|x| i128::from(x.numerator));
        let [c, d] = [self, other].map(|x| i128::from(x.denominator));
        // Each product is below 2¹²⁴.
        Self::new(a * d + b * c, c * d)
    }

    /// The difference.
    ///
    /// # Errors
    /// As [`Rational::plus`].
    pub fn minus(self, other: Self) -> Result<Self, GeometryError> {
        self.plus(Self {
            numerator: -other.numerator,
            ..other
        })
    }

    /// The product.
    ///
    /// # Errors
    /// As [`Rational::plus`].
    pub fn times(self, other: Self) -> Result<Self, GeometryError> {
        Self::new(
            i128::from(self.numerator) * i128::from(other.numerator),
            i128::from(self.denominator) * i128::from(other.denominator),
        )
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = i128::from(self.numerator) * i128::from(other.denominator);
        left.cmp(&(i128::from(other.numerator) * i128::from(self.denominator)))
    }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Places that a reader takes in at a glance.
        for (places, scale) in [(0, 1), (1, 10), (2, 100), (3, 1000)] {
            if scale % self.denominator == 0 {
                let scaled = i128::from(self.numerator) * i128::from(scale / self.denominator);
                let (magnitude, scale) = (scaled.unsigned_abs(), scale as u128);
                let sign = if scaled < 0 { "-" } else { "" };
                write!(f, "{sign}{}", magnitude / scale)?;
                return match places {
                    0 => Ok(()),
                    _ => write!(f, ".{:0places$}", magnitude % scale),
                };
            }
        }
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// Euclid's, of two numbers that are not both 0.
pub(crate) fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
