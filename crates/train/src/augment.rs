//! Random changes of training pictures, so that a network meets every picture in many guises.
//!
//! ```text
//! picture ─▶ random-resized crop ─▶ resize, normalise ─▶ padded crop, flip ─▶ cutout ─▶ [c, h, w]
//!            (bytes)                (formats::Preprocess)   (planes of f32)
//! ```
//!
//! Borders and holes are filled with zero **after** normalisation, which is the mean colour of the training set.
//! What happens to a picture is a function of the seed, the epoch and the picture's index alone.

mod cutout;
mod resized_crop;
mod shifted;

use formats::{Picture, Preprocess, PreprocessError};
use serde::{Deserialize, Serialize};
use tensor::memory::try_copy;

use crate::random::{Draw, Purpose};

/// Which random changes are made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Mirror every other picture.
    pub flip: bool,
    /// What part of a picture is shown.
    pub crop: Crop,
    /// Side of a square hole at a random place (DeVries and Taylor 2017); 0 for none.
    pub cutout: usize,
}

/// What part of a picture is shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Crop {
    /// All of it; the centre, where the aspect differs.
    Whole,
    /// A window of the input's size in the picture with a border around it (He et al. 2015).
    Padded {
        /// Width of the border in pixels.
        pad: usize,
    },
    /// A box of random area and aspect, resized to the input (Szegedy et al. 2014); torchvision's
    /// `RandomResizedCrop`.
    RandomResized {
        /// Smallest part of the picture's area; the largest is 1.
        min_area: f64,
        /// Largest ratio of width to height; the smallest is its inverse.
        max_aspect: f64,
    },
}

impl Default for Augment {
    /// What suits photos of 32 pixels: flip and a window in a border of 4.
    fn default() -> Self {
        Self {
            flip: true,
            crop: Crop::Padded { pad: 4 },
            cutout: 0,
        }
    }
}

impl Augment {
    /// No changes at all.
    pub const NONE: Self = Self {
        flip: false,
        crop: Crop::Whole,
        cutout: 0,
    };

    /// What suits large photos: flip and a random-resized crop.
    pub const LARGE_PHOTOS: Self = Self {
        flip: true,
        crop: Crop::RandomResized {
            min_area: 0.25,
            max_aspect: 4.0 / 3.0,
        },
        cutout: 0,
    };

    /// The first setting that makes no sense, if there is one.
    pub(crate) fn fault(&self) -> Option<String> {
        match self.crop {
            Crop::RandomResized {
                min_area,
                max_aspect,
            } if !(min_area > 0.0 && min_area <= 1.0 && (1.0..=100.0).contains(&max_aspect)) => {
                Some(format!(
                    "crop: a random-resized crop of at least {min_area} of the area and aspect at most {max_aspect}"
                ))
            }
            Crop::Padded { pad } if pad > Preprocess::MAX_SIDE => Some(format!(
                "crop: a border of {pad} pixels, must be at most {}",
                Preprocess::MAX_SIDE
            )),
            _ if self.cutout > Preprocess::MAX_SIDE => Some(format!(
                "cutout: {} pixels, must be at most {}",
                self.cutout,
                Preprocess::MAX_SIDE
            )),
            _ => None,
        }
    }
}

/// Makes the input of a network from a picture of the training set.
///
/// ```
/// use train::{Augment, Augmenter};
/// use formats::{CropMode, Interpolation, Picture, Preprocess};
/// let preprocess = Preprocess {
///     input: (2, 2),
///     channels: 1,
///     mean: vec![0.0],
///     std: vec![1.0],
///     crop_fraction: 1.0,
///     interpolation: Interpolation::Bilinear,
///     crop_mode: CropMode::Center,
/// };
/// let augmenter = Augmenter { augment: Augment::NONE, preprocess, seed: 1 };
/// let picture = Picture { height: 2, width: 2, channels: 1, pixels: vec![0, 51, 102, 255] };
/// let mut input = [0.0; 4];
/// augmenter.apply(&picture, 0, 17, &mut input)?;
/// assert_eq!(input, [0.0, 0.2, 0.4, 1.0]);
/// # Ok::<(), formats::PreprocessError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Augmenter {
    /// Which changes are made.
    pub augment: Augment,
    /// Size, channels, mean and deviation of the input.
    pub preprocess: Preprocess,
    /// Seed of the run.
    pub seed: u64,
}

impl Augmenter {
    /// Fills `out`, `[channels, height, width]`, with picture `index` as `epoch` shows it.
    ///
    /// # Errors
    /// As [`Preprocess::apply`].
    pub fn apply(
        &self,
        picture: &Picture,
        epoch: u64,
        index: usize,
        out: &mut [f32],
    ) -> Result<(), PreprocessError> {
        let mut draw = Draw::new(self.seed, Purpose::Augment, epoch, index as u64);
        let (height, width) = self.preprocess.input;
        let mirrored = self.augment.flip && draw.coin();
        let mut shift = (0, 0);
        match self.augment.crop {
            Crop::Whole => self.preprocess.apply(picture, out)?,
            Crop::Padded { pad } => {
                let offset = |draw: &mut Draw| draw.below(2 * pad + 1) as isize - pad as isize;
                shift = (offset(&mut draw), offset(&mut draw));
                self.preprocess.apply(picture, out)?;
            }
            Crop::RandomResized {
                min_area,
                max_aspect,
            } => {
                let picture = picture.to_channels(self.preprocess.channels)?;
                let part = resized_crop::draw(
                    &mut draw,
                    (picture.height, picture.width),
                    min_area,
                    max_aspect,
                );
                let picture = resized_crop::resize(&picture, part, (height, width))?;
                self.preprocess.apply(&picture, out)?;
            }
        }
        if mirrored || shift != (0, 0) {
            let whole = try_copy(out)?;
            let planes = whole.chunks_exact(height * width);
            for (from, to) in planes.zip(out.chunks_exact_mut(height * width)) {
                shifted::copy(from, to, width, shift, mirrored);
            }
        }
        if self.augment.cutout > 0 {
            let hole = cutout::draw(&mut draw, (height, width), self.augment.cutout);
            for plane in out.chunks_exact_mut(height * width) {
                cutout::clear(plane, width, &hole);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
