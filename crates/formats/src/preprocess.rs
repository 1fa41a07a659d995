//! Pictures → network input for prediction: resize, crop, normalise, as timm and torchvision do it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tensor::MemoryError;

use crate::Picture;
use crate::resize::{Region, resize};

/// The filter of a resize. Both widen with the step when shrinking (antialiasing), as Pillow's do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// A tent, two pixels wide.
    Bilinear,
    /// The cubic of Keys with a = −1/2, four pixels wide.
    #[default]
    Bicubic,
}

/// How the resized picture and the input come to one size, in timm's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CropMode {
    /// The picture covers the input, and its centre is cut out.
    #[default]
    Center,
    /// The picture is resized to the input's aspect, whatever its own.
    Squash,
    /// The whole picture is shown, with a border of the mean colour.
    Border,
}

impl CropMode {
    fn is_center(&self) -> bool {
        *self == Self::Center
    }
}

/// How a picture becomes the input of a network: what a model was trained to expect.
///
/// The short side is resized to `input / crop_fraction`, rounded down, with the aspect kept (unless the [`CropMode`]
/// says otherwise); the centre is cut out; bytes become `(byte / 255 − mean) / std`. Networks of small pictures use a `crop_fraction` of 1, ImageNet
/// networks usually 0.875.
///
/// ```
/// use convolve_formats::{CropMode, Interpolation, Picture, Preprocess};
/// let preprocess = Preprocess {
///     input: (2, 2),
///     channels: 3,
///     mean: vec![0.5; 3],
///     std: vec![0.25; 3],
///     crop_fraction: 1.0,
///     interpolation: Interpolation::Bilinear,
///     crop_mode: CropMode::Center,
/// };
/// let picture = Picture { height: 4, width: 7, channels: 1, pixels: vec![255; 28] };
/// let mut input = [0.0; 12];
/// preprocess.apply(&picture, &mut input)?;
/// assert_eq!(input, [2.0; 12]);
/// # Ok::<(), convolve_formats::PreprocessError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Height and width of the input.
    pub input: (usize, usize),
    /// Channels of the input: 1 or 3. Pictures are converted.
    pub channels: usize,
    /// Subtracted per channel, in units of the white level.
    pub mean: Vec<f32>,
    /// Divided by per channel, in units of the white level.
    pub std: Vec<f32>,
    /// The part of the resized picture's short side that the crop keeps, in (0, 1].
    #[serde(alias = "crop_pct")]
    pub crop_fraction: f64,
    /// The filter of the resize.
    pub interpolation: Interpolation,
    /// What becomes of a picture of another aspect.
    #[serde(default, skip_serializing_if = "CropMode::is_center")]
    pub crop_mode: CropMode,
}

/// A preprocessing that cannot be carried out.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum PreprocessError {
    /// A field that makes no sense.
    #[error("preprocessing: {0}")]
    Config(String),
    /// A picture without pixels, or whose pixels do not fit its size.
    #[error(
        "a picture of {height}×{width} pixels (height×width) and {channels} channels with {bytes} bytes"
    )]
    Picture {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Channels.
        channels: usize,
        /// Length of the pixel buffer.
        bytes: usize,
    },
    /// The memory for a resized or converted picture could not be had.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// An output buffer of another length.
    #[error("room for {found} values, but the input has {expected}")]
    Room {
        /// `channels · height · width`.
        expected: usize,
        /// Length of the buffer.
        found: usize,
    },
}

impl Preprocess {
    /// Longest side that an input may have.
    pub const MAX_SIDE: usize = 1 << 14;

    /// Number of values of one input: `channels · height · width`.
    ///
    /// # Errors
    /// [`PreprocessError::Config`] for a field that makes no sense (sizes, a `std` that is not positive, …).
    pub fn check(&self) -> Result<usize, PreprocessError> {
        let (height, width) = self.input;
        let fault = |text: String| Err(PreprocessError::Config(text));
        let sides = 1..=Self::MAX_SIDE;
        if !sides.contains(&height) || !sides.contains(&width) {
            return fault(format!("an input of {height}×{width} pixels"));
        }
        if self.channels != 1 && self.channels != 3 {
            return fault(format!("{} channels; 1 or 3 are possible", self.channels));
        }
        let (means, stds) = (self.mean.len(), self.std.len());
        if means != self.channels || stds != self.channels {
            let channels = self.channels;
            return fault(format!(
                "{means} means and {stds} stds for {channels} channels"
            ));
        }
        if let Some(mean) = self.mean.iter().find(|mean| !mean.is_finite()) {
            return fault(format!("a mean of {mean}"));
        }
        if let Some(std) = self
            .std
            .iter()
            .find(|std| !(std.is_finite() && **std > 0.0))
        {
            return fault(format!("a std of {std}"));
        }
        if !(self.crop_fraction >= 0.01 && self.crop_fraction <= 1.0) {
            return fault(format!("a crop fraction of {}", self.crop_fraction));
        }
        Ok(self.channels * height * width)
    }

    /// Fills `out` with the input made of a picture, in CHW order.
    ///
    /// # Errors
    /// [`PreprocessError`]: see its variants.
    pub fn apply(&self, picture: &Picture, out: &mut [f32]) -> Result<(), PreprocessError> {
        let expected = self.check()?;
        if out.len() != expected {
            let found = out.len();
            return Err(PreprocessError::Room { expected, found });
        }
        check_picture(picture)?;
        let same_size = (picture.height, picture.width) == self.input && self.crop_fraction == 1.0;
        let whole = picture.to_channels(self.channels)?;
        let ready = match same_size {
            true => whole,
            false => Cow::Owned(self.resize_and_crop(&whole)?),
        };
        let plane = self.input.0 * self.input.1;
        for (channel, values) in out.chunks_exact_mut(plane).enumerate() {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            let bytes = ready.pixels.iter().skip(channel).step_by(self.channels);
            for (value, byte) in values.iter_mut().zip(bytes) {
                *value = (f32::from(*byte) / 255.0 - mean) / std;
            }
        }
        Ok(())
    }

    /// The part of a picture that becomes the input. Its borders may fall between pixels.
    ///
    /// # Errors
    /// [`PreprocessError`]: see its variants.
    ///
    /// ```
    /// use convolve_formats::{CropMode, Interpolation, Picture, Preprocess, Region};
    /// let preprocess = Preprocess {
    ///     input: (224, 224),
    ///     channels: 3,
    ///     mean: vec![0.5; 3],
    ///     std: vec![0.25; 3],
    ///     crop_fraction: 0.875,
    ///     interpolation: Interpolation::Bilinear,
    ///     crop_mode: CropMode::Center,
    /// };
    /// let picture = Picture { height: 512, width: 1024, channels: 1, pixels: vec![0; 512 * 1024] };
    /// let region = preprocess.region(&picture)?;
    /// assert_eq!(region, Region { top: 32.0, left: 288.0, height: 448.0, width: 448.0 });
    /// # Ok::<(), convolve_formats::PreprocessError>(())
    /// ```
    pub fn region(&self, picture: &Picture) -> Result<Region, PreprocessError> {
        self.check()?;
        check_picture(picture)?;
        Ok(self.cut_of(picture.height, picture.width).0)
    }

    /// What is cut out of a picture, and the height and width that it is resized to.
    fn cut_of(&self, rows: usize, columns: usize) -> (Region, (usize, usize)) {
        let resized = self.resized_size(rows, columns);
        // Both sides of the input, but for a picture with a border.
        let (height, width) = (self.input.0.min(resized.0), self.input.1.min(resized.1));
        let top = crop_start(resized.0, height);
        let left = crop_start(resized.1, width);
        let step_y = rows as f64 / resized.0 as f64;
        let step_x = columns as f64 / resized.1 as f64;
        let region = Region {
            top: top as f64 * step_y,
            left: left as f64 * step_x,
            height: (height as f64 * step_y).min(rows as f64 - top as f64 * step_y),
            width: (width as f64 * step_x).min(columns as f64 - left as f64 * step_x),
        };
        (region, (height, width))
    }

    /// Cuts the centre out of the resized picture. Only the pixels of the crop are computed: the crop is carried
    /// back to a box in the picture, whose borders may fall between pixels, and the box is resized. The filter
    /// still sees the pixels around the box, so the result is that of resizing everything first, without ever
    /// holding it: a picture of 1 × 100,000,000 pixels needs no more room than any other.
    fn resize_and_crop(&self, picture: &Picture) -> Result<Picture, PreprocessError> {
        let (region, (height, width)) = self.cut_of(picture.height, picture.width);
        let cut = resize(picture, region, (height, width), self.interpolation)?;
        Ok(self.with_border(cut))
    }

    /// A picture no larger than the input in the middle of one of its size, the rest the mean colour.
    fn with_border(&self, picture: Picture) -> Picture {
        let (height, width) = self.input;
        if (picture.height, picture.width) == (height, width) {
            return picture;
        }
        let colour: Vec<u8> = (self.mean.iter().map(|mean| (255.0 * mean).round() as u8)).collect();
        let mut pixels = colour.repeat(height * width);
        let (top, left) = ((height - picture.height) / 2, (width - picture.width) / 2);
        let row = picture.width * self.channels;
        for (y, from) in picture.pixels.chunks_exact(row).enumerate() {
            let start = ((top + y) * width + left) * self.channels;
            pixels[start..start + row].copy_from_slice(from);
        }
        Picture {
            height,
            width,
            channels: self.channels,
            pixels,
        }
    }

    /// Height and width after the resize. At the centre both sides are at least `input / crop_fraction`, one of them
    /// exactly, the other in proportion and rounded down, as torchvision's `Resize` does; with a border both are at
    /// most that and rounded, as timm's `ResizeKeepRatio` does.
    fn resized_size(&self, height: usize, width: usize) -> (usize, usize) {
        let grown = |side: usize| (side as f64 / self.crop_fraction).floor() as usize;
        let (target_height, target_width) = (grown(self.input.0), grown(self.input.1));
        // Products of two sides below 2^32 fit in 64 bits.
        let is_taller = height as u64 * target_width as u64 > width as u64 * target_height as u64;
        match self.crop_mode {
            CropMode::Squash => (target_height, target_width),
            CropMode::Center if is_taller => {
                let in_proportion = height as u64 * target_width as u64 / width as u64;
                (in_proportion as usize, target_width)
            }
            CropMode::Center => {
                let in_proportion = width as u64 * target_height as u64 / height as u64;
                (target_height, in_proportion as usize)
            }
            CropMode::Border => {
                let shrink = if is_taller {
                    target_height as f64 / height as f64
                } else {
                    target_width as f64 / width as f64
                };
                let side = |side: usize| ((side as f64 * shrink).round_ties_even() as usize).max(1);
                (side(height), side(width))
            }
        }
    }
}

/// Where a centre crop starts; halves go to the even side, as Python rounds.
fn crop_start(resized: usize, kept: usize) -> usize {
    let spare = resized - kept;
    let half = spare / 2;
    if spare % 2 == 1 {
        half + half % 2
    } else {
        half
    }
}

fn check_picture(picture: &Picture) -> Result<(), PreprocessError> {
    let &Picture {
        height,
        width,
        channels,
        ref pixels,
    } = picture;
    let declared = height
        .checked_mul(width)
        .and_then(|plane| plane.checked_mul(channels));
    let small = u32::try_from(height).is_ok() && u32::try_from(width).is_ok();
    if !small || pixels.is_empty() || declared != Some(pixels.len()) || ![1, 3].contains(&channels)
    {
        let bytes = pixels.len();
        return Err(PreprocessError::Picture {
            height,
            width,
            channels,
            bytes,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
