//! One number a pixel.

use tensor::memory::{try_room, try_zeros};
use tensor::{MemoryError, Tensor};

/// One number a place of a plane, row by row: over an image, how much each pixel counts.
///
/// ```
/// use explain::Map;
/// let map = Map::new(2, 2, vec![1.0, -3.0, 2.0, 0.0]).unwrap();
/// assert_eq!(map.at(1, 0), 2.0);
/// assert_eq!(map.range(), (-3.0, 2.0));
/// assert_eq!(map.descending()?, [2, 0, 3, 1]);
/// # Ok::<(), tensor::MemoryError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl Map {
    /// A map of `height` rows; nothing where `values` are not `height × width`.
    pub fn new(height: usize, width: usize, values: Vec<f32>) -> Option<Self> {
        (height.checked_mul(width) == Some(values.len())).then_some(Self {
            height,
            width,
            values,
        })
    }

    /// At each pixel the largest magnitude among the channels of a gradient `[channels, height, width]` (Simonyan et al.
    /// 2014, 3.1).
    ///
    /// # Errors
    /// Memory that cannot be had.
    pub fn magnitude(gradient: &Tensor) -> Result<Self, MemoryError> {
        Self::over_channels(gradient, |most, x| x.abs().max(most))
    }

    /// At each pixel the sum of the channels of a gradient `[channels, height, width]`, signs and all.
    ///
    /// # Errors
    /// Memory that cannot be had.
    pub fn sum(gradient: &Tensor) -> Result<Self, MemoryError> {
        Self::over_channels(gradient, |sum, x| sum + x)
    }

    /// Folds the channels of `[channels, height, width]`, pixel by pixel, beginning with 0.
    fn over_channels(
        gradient: &Tensor,
        fold: impl Fn(f32, f32) -> f32,
    ) -> Result<Self, MemoryError> {
        let &[height, width] = gradient.dims().last_chunk().unwrap_or(&[0, 0]);
        let mut values = try_zeros(height * width)?;
        for channel in gradient.data().chunks_exact((height * width).max(1)) {
            for (value, &x) in values.iter_mut().zip(channel) {
                *value = fold(*value, x);
            }
        }
        Ok(Self {
            height,
            width,
            values,
        })
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height and width.
    pub fn extents(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// The numbers, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The number in a row and a column.
    ///
    /// # Panics
    /// Outside the map.
    pub fn at(&self, row: usize, column: usize) -> f32 {
        assert!(row < self.height && column < self.width);
        self.values[row * self.width + column]
    }

    /// The least and the largest number; `(0, 0)` of an empty map.
    pub fn range(&self) -> (f32, f32) {
        let values = || self.values.iter().copied();
        let least = values().reduce(f32::min).unwrap_or(0.0);
        (least, values().reduce(f32::max).unwrap_or(0.0))
    }

    /// The places of the pixels, `row · width + column`, the largest number first and of equal ones the earlier.
    ///
    /// # Errors
    /// Memory that cannot be had.
    pub fn descending(&self) -> Result<Vec<usize>, MemoryError> {
        let mut places = try_room(self.values.len())?;
        places.extend(0..self.values.len());
        let key = |&place: &usize| self.values[place];
        places.sort_unstable_by(|a, b| key(b).total_cmp(&key(a)).then(a.cmp(b)));
        Ok(places)
    }
}
