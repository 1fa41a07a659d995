//! A region of a picture, resized with antialiasing.

use std::borrow::Cow;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use tensor::memory::{check_room, try_zeros};

use crate::{Interpolation, Picture, PreprocessError};

/// A rectangle of a picture, in pixels; its borders may fall between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Rows above it.
    pub top: f64,
    /// Columns left of it.
    pub left: f64,
    /// Rows.
    pub height: f64,
    /// Columns.
    pub width: f64,
}

/// How far the wider of the filters sees on either side, in rows of the result, or of the picture where it is enlarged.
const FILTER_REACH: f64 = 2.0;

/// A region of a picture as a picture of `height × width` with as many channels. The filter sees the pixels around the
/// region too, so the result is that of resizing the whole picture and cutting the region out.
///
/// Grey is resized as RGB with three equal channels, and comes back exactly: the resizer is the largest piece of code
/// in this crate, and one kind of pixel compiles in half the time of two.
///
/// # Errors
/// [`PreprocessError::Config`] for an empty region or one that leaves the picture, [`PreprocessError::Memory`].
pub fn resize(
    picture: &Picture,
    region: Region,
    (height, width): (usize, usize),
    interpolation: Interpolation,
) -> Result<Picture, PreprocessError> {
    let fault = |error: &dyn std::fmt::Display| PreprocessError::Config(error.to_string());
    let filter = match interpolation {
        Interpolation::Bilinear => FilterType::Bilinear,
        Interpolation::Bicubic => FilterType::CatmullRom,
    };
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .crop(region.left, region.top, region.width, region.height);
    let rgb = picture.to_channels(3)?;
    // Between its two passes the resizer keeps the rows that the second one reads, without asking for memory.
    let around = 2.0 * FILTER_REACH * (region.height / height as f64).max(1.0);
    let rows = (region.height + around).ceil().min(rgb.height as f64);
    check_room(rows as usize * width * 3)?;
    let from = TypedImageRef::<U8x3>::from_buffer(rgb.width as u32, rgb.height as u32, &rgb.pixels)
        .map_err(|error| fault(&error))?;
    let mut pixels = try_zeros(height * width * 3)?;
    let mut to = TypedImage::<U8x3>::from_buffer(width as u32, height as u32, &mut pixels)
        .map_err(|error| fault(&error))?;
    Resizer::new()
        .resize_typed(&from, &mut to, &options)
        .map_err(|error| fault(&error))?;
    let resized = Picture {
        height,
        width,
        channels: 3,
        pixels,
    };
    match resized.to_channels(picture.channels)? {
        Cow::Owned(grey) => Ok(grey),
        Cow::Borrowed(_) => Ok(resized),
    }
}
