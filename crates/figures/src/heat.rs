//! Maps of numbers as pixels: one by one, or laid over a photo.

use crate::bitmap::Bitmap;
use crate::colormap::Scale;
use crate::{FigureError, Rgb};

/// A map of numbers over an image, row by row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Map<'a> {
    rows: usize,
    columns: usize,
    values: &'a [f64],
}

/// What stands for a number that is none.
const NO_NUMBER: Rgb = Rgb([128, 128, 128]);

/// How much of a map is seen over a photo at the low end of its scale, and at the high end.
const COVER: [f64; 2] = [0.25, 0.8];

impl<'a> Map<'a> {
    /// A map of `rows · columns` numbers.
    ///
    /// # Errors
    /// Another number of them, or none.
    pub fn new(rows: usize, columns: usize, values: &'a [f64]) -> Result<Self, FigureError> {
        let fits = rows.checked_mul(columns) == Some(values.len()) && !values.is_empty();
        match fits {
            true => Ok(Self {
                rows,
                columns,
                values,
            }),
            false => Err(FigureError::Shape {
                what: "a map",
                given: vec![values.len()],
                wanted: vec![rows, columns],
            }),
        }
    }

    /// A pixel for each number. Numbers that are not finite are grey.
    ///
    /// ```
    /// use figures::{Scale, heat::Map};
    ///
    /// let map = [0.0, 1.0, 2.0, 4.0];
    /// let drawn = Map::new(2, 2, &map)?.bitmap(Scale::of(&map))?;
    /// assert_eq!(drawn.colour(0, 0), figures::Colormap::Viridis.colour(0.0));
    /// assert_eq!(drawn.colour(1, 0), figures::Colormap::Viridis.colour(0.5));
    /// # Ok::<(), figures::FigureError>(())
    /// ```
    ///
    /// # Errors
    /// Too many pixels.
    pub fn bitmap(&self, scale: Scale) -> Result<Bitmap, FigureError> {
        let colours = self.values.iter().map(|&value| match value.is_finite() {
            true => scale.colour(value),
            false => NO_NUMBER,
        });
        Bitmap::from_colours(self.columns, self.rows, colours)
    }

    /// The map in colour over a grey photo, smoothly stretched over all of it. What is far from the low end of the
    /// scale (of one around zero: from its middle) covers the photo most.
    ///
    /// # Errors
    /// Too many pixels.
    pub fn over(&self, photo: &Bitmap, scale: Scale) -> Result<Bitmap, FigureError> {
        let (width, height) = (photo.width(), photo.height());
        let places = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        let colours = places.map(|(row, column)| {
            let value = self.between([row, column], [height, width]);
            let Rgb(parts) = photo.colour(row, column);
            let [r, g, b] = parts.map(f64::from);
            let grey = 0.299 * r + 0.587 * g + 0.114 * b;
            let (Rgb(colour), cover) = match value.is_finite() {
                true => (scale.colour(value), scale.strength(value)),
                false => (NO_NUMBER, 1.0),
            };
            let cover = COVER[0] + (COVER[1] - COVER[0]) * cover;
            Rgb(colour.map(|part| (grey + (f64::from(part) - grey) * cover).round() as u8))
        });
        Bitmap::from_colours(width, height, colours)
    }

    /// The map at the middle of a pixel of a larger image, straight between its own numbers (as half-pixel resizing).
    fn between(&self, at: [usize; 2], of: [usize; 2]) -> f64 {
        let own = [self.rows, self.columns];
        let along = [0, 1].map(|axis| {
            let place = (at[axis] as f64 + 0.5) * own[axis] as f64 / of[axis] as f64 - 0.5;
            let place = place.clamp(0.0, (own[axis] - 1) as f64);
            let first = place as usize;
            (first, (first + 1).min(own[axis] - 1), place - first as f64)
        });
        let [(top, bottom, down), (left, right, across)] = along;
        let value = |row: usize, column: usize| self.values[row * self.columns + column];
        let mix = |a: f64, b: f64, part: f64| if part == 0.0 { a } else { a + (b - a) * part };
        let upper = mix(value(top, left), value(top, right), across);
        let lower = mix(value(bottom, left), value(bottom, right), across);
        mix(upper, lower, down)
    }
}
