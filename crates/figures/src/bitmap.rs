//! Pixels as a part of a picture: a photo, or a map with a colour for each number.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tiny_skia::{FilterQuality, PixmapMut, PixmapPaint, PixmapRef, Transform};

use crate::png;
use crate::raster::MOST_PIXELS;
use crate::{FigureError, Rgb};

/// Pixels of red, green and blue, row by row. A copy shares them.
///
/// ```
/// use figures::{Bitmap, Item, Scene, at};
///
/// let two = Bitmap::new(2, 1, &[255, 0, 0, 0, 0, 255])?;
/// let mut scene = Scene::new("Two pixels", "A red one and a blue one.");
/// scene.ground.push(Item::bitmap(at(0.0, 0.0), 40.0, 20.0, two));
/// scene.fit(40.0, 20.0);
/// assert!(figures::svg::write(&scene).contains("data:image/png;base64,"));
/// # Ok::<(), figures::FigureError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Bitmap {
    width: usize,
    height: usize,
    /// Red, green, blue and 255.
    rgba: Arc<[u8]>,
    /// The same as a PNG file.
    file: Arc<[u8]>,
}

impl Bitmap {
    /// A bitmap of `height · width · 3` bytes.
    ///
    /// # Errors
    /// No pixels or more than [`MOST_PIXELS`], and another number of bytes.
    pub fn new(width: usize, height: usize, rgb: &[u8]) -> Result<Self, FigureError> {
        let count = width.checked_mul(height);
        if !count.is_some_and(|count| (1..=MOST_PIXELS).contains(&count)) {
            return Err(FigureError::TooManyPixels {
                width,
                height,
                most: MOST_PIXELS,
            });
        }
        if rgb.len() != width * height * 3 {
            return Err(FigureError::Shape {
                what: "a bitmap",
                given: vec![rgb.len()],
                wanted: vec![height, width, 3],
            });
        }
        let rgba = rgb
            .chunks_exact(3)
            .flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]);
        Ok(Self {
            width,
            height,
            rgba: rgba.collect(),
            file: png::encode_rgb(width, height, rgb)?.into(),
        })
    }

    /// A bitmap of a colour for each place, row by row.
    ///
    /// # Errors
    /// As [`Bitmap::new`].
    pub fn from_colours(
        width: usize,
        height: usize,
        colours: impl Iterator<Item = Rgb>,
    ) -> Result<Self, FigureError> {
        let rgb: Vec<u8> = colours.flat_map(|Rgb(parts)| parts).collect();
        Self::new(width, height, &rgb)
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The colour of a pixel.
    pub fn colour(&self, row: usize, column: usize) -> Rgb {
        let start = (row * self.width + column) * 4;
        Rgb([self.rgba[start], self.rgba[start + 1], self.rgba[start + 2]])
    }

    /// The pixels as an address that holds them.
    pub(crate) fn uri(&self) -> String {
        format!(
            "data:image/png;base64,{}",
            BASE64_STANDARD.encode(&self.file)
        )
    }

    /// Draws it where a transform puts the unit square of each of its pixels.
    pub(crate) fn draw(&self, pixels: &mut PixmapMut<'_>, transform: Transform, smooth: bool) {
        let (width, height) = (self.width as u32, self.height as u32);
        // The bytes are as many as the extents ask for.
        let Some(own) = PixmapRef::from_bytes(&self.rgba, width, height) else {
            return;
        };
        let paint = PixmapPaint {
            quality: match smooth {
                true => FilterQuality::Bilinear,
                false => FilterQuality::Nearest,
            },
            ..PixmapPaint::default()
        };
        pixels.draw_pixmap(0, 0, own, &paint, transform, None);
    }
}

impl fmt::Debug for Bitmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bitmap of {}×{} pixels", self.width, self.height)
    }
}
