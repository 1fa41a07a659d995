//! Which elements a resized axis is made of, in whole numbers.

use std::ops::Range;

use crate::rational::gcd;
use crate::{Field, GeometryError, NearestRounding, Rational, ResizeCoordinates, ResizeFilter};

/// One axis of a resizing whose scale is a fraction: `scale.0` output elements for `scale.1` of the
/// input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResizeAxis {
    /// Input elements, at least 1.
    pub input: usize,
    /// Output elements, at least 1.
    pub output: usize,
    /// Output elements, and input elements for them; neither is 0.
    pub scale: (usize, usize),
    /// What an output element is made of.
    pub filter: ResizeFilter,
    /// Where it lies on the input.
    pub coordinates: ResizeCoordinates,
    /// Elements outside the input are left out, instead of those of the edge.
    pub exclude_outside: bool,
}

/// A straight line over whole numbers: `(slope·o + start) / under`.
#[derive(Clone, Copy)]
struct Line {
    slope: i128,
    start: i128,
    under: i128,
}

impl ResizeAxis {
    /// The input elements that output element `output` is made of: those with a weight that is not 0.
    ///
    /// ```
    /// use geometry::{ResizeAxis, ResizeCoordinates, ResizeFilter};
    ///
    /// // Twice as many: each is made of two neighbours, three quarters of one and a quarter of another.
    /// let axis = ResizeAxis {
    ///     input: 4,
    ///     output: 8,
    ///     scale: (8, 4),
    ///     filter: ResizeFilter::Linear { antialias: false },
    ///     coordinates: ResizeCoordinates::HalfPixel,
    ///     exclude_outside: false,
    /// };
    /// assert_eq!([axis.sources(0)?, axis.sources(1)?, axis.sources(2)?], [0..1, 0..2, 0..2]);
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    /// Numbers too large to be kept.
    pub fn sources(&self, output: usize) -> Result<Range<usize>, GeometryError> {
        let line = self.line()?;
        let (first, last) = match self.filter {
            ResizeFilter::Nearest(rounding) => {
                let at = match rounding.up_from(line)? {
                    (line, true) => line.at(output)?.ceil(),
                    (line, false) => line.at(output)?.floor(),
                };
                (at, at)
            }
            _ => {
                let (position, reach) = (line.at(output)?, self.reach()?);
                // Weights are 0 at the ends of the filter.
                let first = position.minus(reach)?.floor() + 1;
                let last = position.plus(reach)?.ceil() - 1;
                match position.is_whole() && !self.is_widened() {
                    true => (position.floor(), position.floor()),
                    false => (first, last),
                }
            }
        };
        let end = self.input as i64;
        let outside = self.exclude_outside && !matches!(self.filter, ResizeFilter::Nearest(_));
        let (first, last) = match outside {
            true => (first.max(0), last.min(end - 1)),
            false => (first.clamp(0, end - 1), last.clamp(0, end - 1)),
        };
        // A filter narrower than the gap between elements still takes one.
        let last = last.max(first);
        Ok(first as usize..last as usize + 1)
    }

    /// The field over the input, its ends beyond the input not cut off.
    ///
    /// How far the elements that are read lie from where an output element does is one of a few numbers, a step of the
    /// grid apart: the field reaches to the farthest of them on either side.
    pub(crate) fn field(&self) -> Result<Field, GeometryError> {
        let line = self.line()?;
        let (start, jump) = (line.at(0)?, Rational::new(line.slope, line.under)?);
        let (first, last) = match self.filter {
            ResizeFilter::Nearest(rounding) => {
                let (line, up) = rounding.up_from(line)?;
                let (grid, past) = line.grid()?;
                let most = Rational::ONE.minus(grid)?;
                let behind = match (up, past == Rational::ZERO) {
                    (false, _) => Rational::ZERO,
                    (true, true) => most,
                    (true, false) => Rational::ONE,
                };
                let last = line.at(0)?.minus(past)?.plus(behind)?;
                (last.minus(most)?, last)
            }
            // Weights are 0 at whole numbers of elements.
            _ if start.is_whole() && jump.is_whole() && !self.is_widened() => (start, start),
            _ => {
                let ((grid, past), reach) = (line.grid()?, self.reach()?);
                let steps = Rational::whole(grid.denominator().into())?;
                // Within the filter, whose weights are 0 at its ends.
                let before = past.minus(reach)?.times(steps)?.floor() + 1;
                let behind = past.plus(reach)?.times(steps)?.ceil() - 1;
                let at = |step: i64| {
                    let from = grid.times(Rational::whole(step.into())?)?;
                    start.minus(past)?.plus(from)
                };
                (at(before)?, at(behind)?)
            }
        };
        Field::new(first, last, jump)
    }

    /// Whether the filter is stretched.
    fn is_widened(&self) -> bool {
        let antialias = match self.filter {
            ResizeFilter::Nearest(_) => false,
            ResizeFilter::Linear { antialias } | ResizeFilter::Cubic { antialias, .. } => antialias,
        };
        antialias && self.scale.0 < self.scale.1
    }

    /// Half the extent of the filter.
    fn reach(&self) -> Result<Rational, GeometryError> {
        let taps = match self.filter {
            ResizeFilter::Cubic { .. } => 2,
            _ => 1,
        };
        match self.is_widened() {
            true => Rational::new(taps * self.scale.1 as i128, self.scale.0 as i128),
            false => Rational::whole(taps),
        }
    }

    /// The position of output elements on the input (ONNX Resize-19), element `i` of which lies at `i`.
    fn line(&self) -> Result<Line, GeometryError> {
        let [input, output] = [self.input, self.output].map(|n| n as i128);
        let (over, under) = (self.scale.0 as i128, self.scale.1 as i128);
        let line = |slope: Option<i128>, start: Option<i128>, under: Option<i128>| {
            let all = (slope, start, under);
            let (Some(slope), Some(start), Some(under)) = all else {
                return Err(overflow());
            };
            Ok(Line {
                slope,
                start,
                under,
            })
        };
        // ((2o + 1)·under − over) / (2·over)
        let half_pixel = || line(Some(2 * under), Some(under - over), Some(2 * over));
        match self.coordinates {
            ResizeCoordinates::HalfPixel => half_pixel(),
            ResizeCoordinates::HalfPixelSymmetric => line(
                Some(2 * under),
                ((1 - output).checked_mul(under))
                    .zip((input - 1).checked_mul(over))
                    .and_then(|(a, b)| a.checked_add(b)),
                Some(2 * over),
            ),
            ResizeCoordinates::PytorchHalfPixel if self.output == 1 => {
                line(Some(0), Some(0), Some(1))
            }
            ResizeCoordinates::PytorchHalfPixel => half_pixel(),
            ResizeCoordinates::AlignCorners if self.output == 1 => line(Some(0), Some(0), Some(1)),
            ResizeCoordinates::AlignCorners => line(
                (input - 1).checked_mul(under),
                Some(0),
                input.checked_mul(over).map(|length| length - under),
            ),
            ResizeCoordinates::Asymmetric => line(Some(under), Some(0), Some(over)),
            ResizeCoordinates::CropAndResize if self.output == 1 => {
                line(Some(0), Some(input - 1), Some(2))
            }
            ResizeCoordinates::CropAndResize => line(Some(input - 1), Some(0), Some(output - 1)),
        }
    }
}

impl Line {
    /// The position of element `o`.
    fn at(&self, o: usize) -> Result<Rational, GeometryError> {
        let over = self.slope.checked_mul(o as i128);
        let over = over.and_then(|over| over.checked_add(self.start));
        Rational::new(over.ok_or_else(overflow)?, self.under)
    }

    /// The fraction of an element by which positions differ, or which they differ by a multiple of, and how far each lies
    /// behind a multiple of it.
    fn grid(&self) -> Result<(Rational, Rational), GeometryError> {
        let [slope, under] = [self.slope, self.under].map(i128::unsigned_abs);
        let shared = gcd(slope, under) as i128;
        let past = Rational::new(self.start.rem_euclid(shared), self.under)?;
        Ok((Rational::new(shared, self.under)?, past))
    }

    /// The same half an element before (−1) or behind (1).
    fn moved(&self, halves: i128) -> Result<Self, GeometryError> {
        let twice = |number: i128| number.checked_mul(2).ok_or_else(overflow);
        let start = twice(self.start)?.checked_add(halves * self.under);
        Ok(Self {
            slope: twice(self.slope)?,
            start: start.ok_or_else(overflow)?,
            under: twice(self.under)?,
        })
    }
}

impl NearestRounding {
    /// Rounding as a line to be rounded up (`true`) or down (`false`).
    fn up_from(self, line: Line) -> Result<(Line, bool), GeometryError> {
        Ok(match self {
            Self::HalfDown => (line.moved(-1)?, true),
            Self::HalfUp => (line.moved(1)?, false),
            Self::Floor => (line, false),
            Self::Ceil => (line, true),
        })
    }
}

fn overflow() -> GeometryError {
    GeometryError::Overflow {
        what: "the positions of a resizing",
    }
}
