//! The receptive field: what part of the input an output element sees.

use crate::{GeometryError, Rational, Window};

/// The receptive field along one axis of a layer of any depth: output element `u` sees no input
/// element but those from `first + u·jump` to `last + u·jump`.
///
/// It is the affine form of the recurrence of Araujo, Norris and Sim (*Computing Receptive Fields of
/// Convolutional Neural Networks*, 2019): their r is [`Field::size`], S is [`Field::jump`] and P is
/// [`Field::padding`]. Without dilation and upsampling every element in between is seen; where a layer
/// widens the map the jump is a fraction, and an element sees the whole ones that lie inside.
///
/// ```
/// use geometry::{ConvDesc, Field, PoolDesc};
///
/// // The stem of a ResNet: 7×7 in steps of 2, then the pool, 3×3 in steps of 2.
/// let conv = ConvDesc::new(64, 7).stride(2).padding(3).resolve(&[1, 3, 224, 224])?;
/// let pool = PoolDesc::max(3).stride(2).padding(1).resolve(&conv.output_shape())?;
/// let field = Field::of_windows([&conv.windows[1], &pool.windows[1]])?;
/// assert_eq!([field.size(), field.jump(), field.padding()].map(|x| x.to_string()), ["11", "4", "5"]);
/// # Ok::<(), geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    first: Rational,
    last: Rational,
    size: Rational,
    centre: Rational,
    jump: Rational,
}

impl Field {
    /// The field of the input itself: each element sees itself.
    pub const INPUT: Self = Self {
        first: Rational::ZERO,
        last: Rational::ZERO,
        size: Rational::ONE,
        centre: Rational::ZERO,
        jump: Rational::ONE,
    };

    /// From the first to the last element that output element 0 may see, and how much further its
    /// neighbour's field lies.
    ///
    /// # Errors
    /// Numbers too large to be kept.
    pub fn new(first: Rational, last: Rational, jump: Rational) -> Result<Self, GeometryError> {
        let numbers = || {
            let size = last.minus(first)?.plus(Rational::ONE)?;
            let centre = first.plus(last)?.times(Rational::new(1, 2)?)?;
            Rational::ZERO.minus(first)?;
            Ok(Self {
                first,
                last,
                size,
                centre,
                jump,
            })
        };
        numbers().map_err(too_large)
    }

    /// The field of windows that follow each other, over the input of the first one.
    ///
    /// # Errors
    /// As [`Field::new`].
    pub fn of_windows<'a>(
        windows: impl IntoIterator<Item = &'a Window>,
    ) -> Result<Self, GeometryError> {
        let mut windows = windows.into_iter();
        windows.try_fold(Self::INPUT, |before, window| before.then(&window.field()?))
    }

    /// The field of a layer over the input of this one, where `next` is its field over this layer's
    /// output.
    ///
    /// # Errors
    /// As [`Field::new`].
    pub fn then(&self, next: &Self) -> Result<Self, GeometryError> {
        // Of a map that is read backwards the last element lies first.
        let (near, far) = match self.jump < Rational::ZERO {
            true => (next.last, next.first),
            false => (next.first, next.last),
        };
        let place = |end: Rational, at: Rational| end.plus(self.jump.times(at)?);
        let ends = || {
            let ends = (place(self.first, near)?, place(self.last, far)?);
            Ok((ends.0, ends.1, self.jump.times(next.jump)?))
        };
        let (first, last, jump) = ends().map_err(too_large)?;
        Self::new(first, last, jump)
    }

    /// The first element that output element 0 sees; negative where it sees padding.
    pub fn first(&self) -> Rational {
        self.first
    }

    /// The last one.
    pub fn last(&self) -> Rational {
        self.last
    }

    /// How many elements that is, padding among them.
    pub fn size(&self) -> Rational {
        self.size
    }

    /// The middle of the field of output element 0.
    pub fn centre(&self) -> Rational {
        self.centre
    }

    /// Input elements between the fields of two neighbours.
    pub fn jump(&self) -> Rational {
        self.jump
    }

    /// How far the field of output element 0 reaches over the beginning of the input; negative where
    /// it begins inside.
    pub fn padding(&self) -> Rational {
        Rational::ZERO.minus(self.first).unwrap_or(Rational::ZERO)
    }

    /// Whether this and another field lie around the same centre, for every output element.
    pub fn is_aligned_with(&self, other: &Self) -> bool {
        (self.jump, self.centre) == (other.jump, other.centre)
    }
}

impl Window {
    /// What a placement sees of the input; the padding is counted in, whatever it holds.
    ///
    /// # Errors
    /// As [`Field::new`].
    pub fn field(&self) -> Result<Field, GeometryError> {
        // Extents are far below what fits. Strides need not be: a window that is placed once may have any.
        let first = Rational::ZERO.minus(Rational::whole(self.before as i128)?)?;
        let last = first.plus(Rational::whole(self.effective_kernel() as i128 - 1)?)?;
        Field::new(
            first,
            last,
            Rational::whole(self.stride as i128).map_err(too_large)?,
        )
    }
}

fn too_large(_: GeometryError) -> GeometryError {
    GeometryError::Overflow {
        what: "the receptive field",
    }
}
