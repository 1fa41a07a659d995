//! Filters of a first layer as small pictures.
//!
//! A filter of three channels is a picture in red, green and blue itself: grey is a weight of nothing, a bright colour
//! one that adds up that colour. Of any other number of channels the mean is drawn, from blue over white to orange.

use crate::bitmap::Bitmap;
use crate::colormap::{Colormap, Scale};
use crate::{FigureError, Rgb};

/// The weights `[filters, channels, height, width]` of a convolution over rows and columns, or over columns alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filters<'a> {
    channels: usize,
    height: usize,
    width: usize,
    weights: &'a [f32],
}

impl<'a> Filters<'a> {
    /// Filters of a shape.
    ///
    /// ```
    /// use figures::filters::Filters;
    ///
    /// let filters = Filters::new(&[2, 1, 1, 3], &[-1.0, 0.0, 1.0, 2.0, 0.0, -2.0])?;
    /// assert_eq!((filters.count(), filters.extents()), (2, [1, 3]));
    /// assert_eq!(filters.peak(1), 2.0);
    /// assert_eq!(filters.colour(0, [0, 0], 1.0), figures::Colormap::Diverging.colour(0.0));
    /// # Ok::<(), figures::FigureError>(())
    /// ```
    ///
    /// # Errors
    /// A convolution over three axes, or another number of weights than the shape has.
    pub fn new(shape: &[usize], weights: &'a [f32]) -> Result<Self, FigureError> {
        let (channels, height, width) = match *shape {
            [_, channels, width] => (channels, 1, width),
            [_, channels, height, width] => (channels, height, width),
            [_, _, _, _, _] => return Err(FigureError::Depth),
            _ => (0, 0, 0),
        };
        let wanted = shape
            .iter()
            .try_fold(1usize, |all, &one| all.checked_mul(one));
        let empty = channels == 0 || height == 0 || width == 0;
        match wanted == Some(weights.len()) && !empty {
            true => Ok(Self {
                channels,
                height,
                width,
                weights,
            }),
            false => Err(FigureError::Shape {
                what: "filters",
                given: vec![weights.len()],
                wanted: shape.to_vec(),
            }),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.weights.len() / (self.channels * self.height * self.width)
    }

    /// Rows and columns of each.
    pub fn extents(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// Whether filters are pictures in red, green and blue.
    pub fn are_coloured(&self) -> bool {
        self.channels == 3
    }

    /// The largest number that a filter is drawn of, without its sign.
    pub fn peak(&self, filter: usize) -> f64 {
        let places = (0..self.height * self.width).map(|at| [at / self.width, at % self.width]);
        let numbers = places.flat_map(|at| match self.are_coloured() {
            true => [0, 1, 2].map(|channel| self.weight(filter, channel, at)),
            false => [self.mean(filter, at); 3],
        });
        numbers.fold(0.0, |peak, number| f64::max(peak, number.abs()))
    }

    /// The colour of a place, where `peak` is drawn as strongly as can be.
    pub fn colour(&self, filter: usize, at: [usize; 2], peak: f64) -> Rgb {
        let share = |number: f64| match peak > 0.0 {
            true => 0.5 + (number / peak).clamp(-1.0, 1.0) / 2.0,
            false => 0.5,
        };
        match self.are_coloured() {
            true => Rgb([0, 1, 2]
                .map(|channel| (share(self.weight(filter, channel, at)) * 255.0).round() as u8)),
            false => Colormap::Diverging.colour(share(self.mean(filter, at))),
        }
    }

    /// A filter as pixels.
    ///
    /// # Errors
    /// Too many pixels.
    pub fn bitmap(&self, filter: usize, peak: f64) -> Result<Bitmap, FigureError> {
        let rows = 0..self.height;
        let places = rows.flat_map(|row| (0..self.width).map(move |column| [row, column]));
        let colours = places.map(|at| self.colour(filter, at, peak));
        Bitmap::from_colours(self.width, self.height, colours)
    }

    /// The scale of filters that are not coloured, in shares of their peak.
    pub fn scale() -> Scale {
        Scale::between(Colormap::Diverging, -1.0, 1.0)
    }

    fn weight(&self, filter: usize, channel: usize, [row, column]: [usize; 2]) -> f64 {
        let plane = filter * self.channels + channel;
        f64::from(self.weights[(plane * self.height + row) * self.width + column])
    }

    fn mean(&self, filter: usize, at: [usize; 2]) -> f64 {
        let channels = 0..self.channels;
        let sum: f64 = channels
            .map(|channel| self.weight(filter, channel, at))
            .sum();
        sum / self.channels as f64
    }
}
