//! Sets of elements of a tensor, as they come of walking back through a network.
//!
//! Along one axis an operator reads a set of places for a set of places. Over several axes the result
//! is a product of such sets, and where branches meet a union of products: a cross, a staircase, a
//! sieve. A [`Region`] holds any of them exactly.

use std::ops::Range;

use crate::{GeometryError, IndexSet};

/// A set of elements of a tensor of any number of axes: bands along the first axis, each with the
/// elements of the other axes that it holds.
///
/// Bands ascend, are not empty, and neighbours that hold the same are one, so that equal sets are equal
/// values.
///
/// ```
/// use geometry::{IndexSet, Region};
///
/// let rows = Region::product(&[IndexSet::from(2..3), IndexSet::from(0..5)])?;
/// let columns = Region::product(&[IndexSet::from(0..5), IndexSet::from(2..3)])?;
/// let cross = rows.union(columns)?;
/// assert_eq!(cross.len(), 9);
/// assert!(cross.contains(&[4, 2]) && !cross.contains(&[4, 3]));
/// # Ok::<(), geometry::GeometryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// The one element of a tensor without axes.
    Element,
    /// Bands along the first axis.
    Bands(Vec<Band>),
}

/// Some neighbouring places along an axis, and what they all hold of the axes behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Band {
    /// The places.
    pub places: Range<usize>,
    /// The elements along the other axes.
    pub inner: Region,
}

/// What the places of an axis are made of.
pub type Source<'a> = dyn Fn(Range<usize>) -> Result<IndexSet, GeometryError> + 'a;

impl Region {
    /// The most pieces that are kept of a set.
    pub const PIECES: usize = 1 << 22;

    /// All elements whose places along each axis are among those of that axis' set.
    ///
    /// # Errors
    /// [`GeometryError::Overflow`] beyond [`Region::PIECES`].
    pub fn product(sets: &[IndexSet]) -> Result<Self, GeometryError> {
        let Some((set, inner)) = sets.split_first() else {
            return Ok(Self::Element);
        };
        Self::stack(set, Self::product(inner)?)
    }

    /// Nothing, of a tensor with axes.
    pub fn empty() -> Self {
        Self::Bands(Vec::new())
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Bands(bands) if bands.is_empty())
    }

    /// How many axes the tensor has; of nothing it is not known, and counted as one.
    pub fn axes(&self) -> usize {
        match self {
            Self::Element => 0,
            Self::Bands(bands) => 1 + bands.first().map_or(0, |band| band.inner.axes()),
        }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Element => 1,
            Self::Bands(bands) => bands.iter().fold(0, |sum: usize, band| {
                sum.saturating_add(band.places.len().saturating_mul(band.inner.len()))
            }),
        }
    }

    /// Whether the element at a place, one number an axis, is there.
    pub fn contains(&self, place: &[usize]) -> bool {
        match (self, place) {
            (Self::Element, []) => true,
            (Self::Bands(bands), [first, rest @ ..]) => bands
                .iter()
                .find(|band| band.places.contains(first))
                .is_some_and(|band| band.inner.contains(rest)),
            _ => false,
        }
    }

    /// The bands along the first axis.
    pub fn bands(&self) -> &[Band] {
        match self {
            Self::Element => &[],
            Self::Bands(bands) => bands,
        }
    }

    /// The boxes that it is made of, each with a run of places an axis; none shares an element with
    /// another.
    pub fn boxes(&self) -> Vec<Vec<Range<usize>>> {
        match self {
            Self::Element => vec![Vec::new()],
            Self::Bands(bands) => {
                let each = bands.iter().flat_map(|band| {
                    let inner = band.inner.boxes().into_iter();
                    inner.map(|inner| [vec![band.places.clone()], inner].concat())
                });
                each.collect()
            }
        }
    }

    /// The smallest box around it, one run an axis.
    pub fn bounds(&self) -> Option<Vec<Range<usize>>> {
        let Self::Bands(bands) = self else {
            return Some(Vec::new());
        };
        let first = bands.first()?.places.start..bands.last()?.places.end;
        let inner = bands.iter().filter_map(|band| band.inner.bounds());
        let around = inner.reduce(|a, b| {
            let pairs = a.into_iter().zip(b);
            pairs
                .map(|(a, b)| a.start.min(b.start)..a.end.max(b.end))
                .collect()
        });
        Some([vec![first], around.unwrap_or_default()].concat())
    }

    /// What is left of some axes, which ascend: elements that any places along the others hold.
    ///
    /// ```
    /// use geometry::{IndexSet, Region};
    ///
    /// let all = Region::product(&[IndexSet::from(0..2), IndexSet::from(3..5), IndexSet::from(0..7)])?;
    /// assert_eq!(all.onto(&[1])?, Region::product(&[IndexSet::from(3..5)])?);
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Region::product`].
    pub fn onto(&self, axes: &[usize]) -> Result<Self, GeometryError> {
        self.onto_from(0, axes)
    }

    /// The same of the axes from `first` on.
    fn onto_from(&self, first: usize, axes: &[usize]) -> Result<Self, GeometryError> {
        let (Self::Bands(bands), false) = (self, axes.is_empty()) else {
            return Ok(match self.is_empty() {
                true => Self::empty(),
                false => Self::Element,
            });
        };
        let (kept, inner) = match axes.split_first() {
            Some((&axis, rest)) if axis == first => (true, rest),
            _ => (false, axes),
        };
        let bands = bands.iter().map(|band| {
            let left = band.inner.onto_from(first + 1, inner)?;
            match kept {
                true => Self::stack(&band.places.clone().into(), left),
                false => Ok(left),
            }
        });
        Self::unite(bands.collect::<Result<_, _>>()?)
    }

    /// Elements of either.
    ///
    /// # Errors
    /// As [`Region::product`].
    pub fn union(self, other: Self) -> Result<Self, GeometryError> {
        let united = self.united_with(other);
        match united.pieces() > Self::PIECES {
            true => Err(too_many()),
            false => Ok(united),
        }
    }

    /// Elements of any.
    ///
    /// # Errors
    /// As [`Region::product`].
    pub fn unite(mut regions: Vec<Self>) -> Result<Self, GeometryError> {
        // Halves of halves, so that no large set is gone through for every small one.
        while regions.len() > 1 {
            let mut pairs = regions.into_iter();
            let mut halved = Vec::with_capacity(pairs.len().div_ceil(2));
            while let Some(first) = pairs.next() {
                halved.push(match pairs.next() {
                    Some(second) => first.union(second)?,
                    None => first,
                });
            }
            regions = halved;
        }
        Ok(regions.pop().unwrap_or_else(Self::empty))
    }

    /// What this is made of, where the places of every axis are made of places of the same axis.
    ///
    /// # Errors
    /// As [`Region::product`], and those of the sources.
    pub fn image(&self, sources: &[&Source<'_>]) -> Result<Self, GeometryError> {
        let (Self::Bands(bands), Some((source, inner))) = (self, sources.split_first()) else {
            return Ok(self.clone());
        };
        let images = bands
            .iter()
            .map(|band| Self::stack(&source(band.places.clone())?, band.inner.image(inner)?));
        Self::unite(images.collect::<Result<_, _>>()?)
    }

    /// The same elements at each of some places of a further axis before them.
    fn stack(set: &IndexSet, inner: Self) -> Result<Self, GeometryError> {
        if inner.is_empty() {
            return Ok(Self::empty());
        }
        let runs = set.runs();
        let pieces = runs.len().checked_mul(inner.pieces());
        if pieces.is_none_or(|pieces| pieces > Self::PIECES) {
            return Err(too_many());
        }
        let band = |places: &Range<usize>| Band {
            places: places.clone(),
            inner: inner.clone(),
        };
        Ok(Self::Bands(runs.iter().map(band).collect()))
    }

    /// Boxes it is made of.
    fn pieces(&self) -> usize {
        match self {
            Self::Element => 1,
            Self::Bands(bands) => bands.iter().map(|band| band.inner.pieces()).sum(),
        }
    }

    fn united_with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Bands(a), Self::Bands(b)) if a.is_empty() || a == b => Self::Bands(b),
            (Self::Bands(a), Self::Bands(b)) if b.is_empty() => Self::Bands(a),
            (Self::Bands(a), Self::Bands(b)) => Self::Bands(merged(&a, &b)),
            _ => Self::Element,
        }
    }
}

/// The bands of two lists, cut where either begins or ends a band.
fn merged(a: &[Band], b: &[Band]) -> Vec<Band> {
    let ends = |band: &Band| [band.places.start, band.places.end];
    let mut cuts: Vec<usize> = a.iter().chain(b).flat_map(ends).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut bands: Vec<Band> = Vec::new();
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    for pair in cuts.windows(2) {
        let places = pair[0]..pair[1];
        let mut holding = [&mut left, &mut right].map(|list| {
            while list
                .next_if(|band| band.places.end <= places.start)
                .is_some()
            {}
            let first = list.peek().filter(|band| band.places.start <= places.start);
            first.map(|band| &band.inner)
        });
        let inner = match (holding[0].take(), holding[1].take()) {
            (Some(a), Some(b)) if a == b => a.clone(),
            (Some(a), Some(b)) => a.clone().united_with(b.clone()),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => continue,
        };
        match bands.last_mut() {
            Some(last) if last.places.end == places.start && last.inner == inner => {
                last.places.end = places.end;
            }
            _ => bands.push(Band { places, inner }),
        }
    }
    bands
}

fn too_many() -> GeometryError {
    GeometryError::Overflow {
        what: "the number of pieces of a set of elements",
    }
}
