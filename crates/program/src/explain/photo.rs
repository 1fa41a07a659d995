//! The image as the network reads it, and the same piece of the picture in finer pixels to lay maps over.

use std::ops::Range;

use figures::Bitmap;
use formats::{CropMode, Picture, Preprocess};

/// The least pixels along the shorter side of a picture that is looked at.
const FINE: usize = 224;
/// The most along the longer side, for that.
const MOST: usize = 1024;

/// The most pixels along the longer side of a picture that is shown whole.
const WHOLE: usize = 512;

/// A picture of which the network reads a part.
pub(super) struct Whole {
    pub(super) bitmap: Bitmap,
    /// Rows and columns of the picture.
    pub(super) extents: [usize; 2],
    /// Those that are read.
    pub(super) seen: [Range<usize>; 2],
}

/// An image, prepared.
pub(super) struct Photo {
    /// What the network reads: `[channels, height, width]`.
    pub(super) numbers: Vec<f32>,
    /// The same in colours.
    pub(super) read: Bitmap,
    /// The same piece of the picture, finer where the network's pixels are coarse.
    pub(super) fine: Bitmap,
    /// All of the picture, where it is not all read.
    pub(super) whole: Option<Whole>,
}

impl Photo {
    /// Prepares a picture.
    pub(super) fn new(picture: &Picture, preprocess: &Preprocess) -> anyhow::Result<Self> {
        let (height, width) = preprocess.input;
        let numbers = prepared(picture, preprocess)?;
        let read = bitmap(&numbers, preprocess)?;
        let times = FINE.div_ceil(height.min(width));
        let times = times.min(MOST / height.max(width)).max(1);
        let fine = match times {
            1 => read.clone(),
            times => {
                let finer = Preprocess {
                    input: (height * times, width * times),
                    ..preprocess.clone()
                };
                bitmap(&prepared(picture, &finer)?, &finer)?
            }
        };
        Ok(Self {
            numbers,
            read,
            fine,
            whole: whole(picture, preprocess)?,
        })
    }
}

/// The whole picture with what is read of it, where that is less.
fn whole(picture: &Picture, preprocess: &Preprocess) -> anyhow::Result<Option<Whole>> {
    let (height, width) = (picture.height, picture.width);
    let region = preprocess.region(picture)?;
    let axis = |start: f64, extent: f64, most: usize| {
        (start.round() as usize).min(most)..((start + extent).round() as usize).min(most)
    };
    let seen = [
        axis(region.top, region.height, height),
        axis(region.left, region.width, width),
    ];
    if seen == [0..height, 0..width] {
        return Ok(None);
    }
    let shrink = (WHOLE as f64 / height.max(width) as f64).min(1.0);
    let side = |side: usize| ((side as f64 * shrink).round() as usize).max(1);
    let all = Preprocess {
        input: (side(height), side(width)),
        crop_fraction: 1.0,
        crop_mode: CropMode::Squash,
        ..preprocess.clone()
    };
    Ok(Some(Whole {
        bitmap: bitmap(&prepared(picture, &all)?, &all)?,
        extents: [height, width],
        seen,
    }))
}

/// What a network reads of a picture.
pub(crate) fn prepared(picture: &Picture, preprocess: &Preprocess) -> anyhow::Result<Vec<f32>> {
    let mut numbers = vec![0.0; preprocess.check()?];
    preprocess.apply(picture, &mut numbers)?;
    Ok(numbers)
}

/// Prepared numbers as the colours that they were.
fn bitmap(numbers: &[f32], preprocess: &Preprocess) -> anyhow::Result<Bitmap> {
    let (height, width) = preprocess.input;
    Ok(patch(numbers, preprocess, [height, width])?)
}

/// The colours of `extents` pixels, channels first.
pub(super) fn patch(
    numbers: &[f32],
    preprocess: &Preprocess,
    [height, width]: [usize; 2],
) -> Result<Bitmap, figures::FigureError> {
    let plane = height * width;
    let byte = |channel: usize, place: usize| {
        let value = numbers[channel * plane + place] * preprocess.std[channel];
        ((value + preprocess.mean[channel]) * 255.0).round() as u8
    };
    // Grey is a colour too.
    let channels: [usize; 3] = std::array::from_fn(|channel| channel.min(preprocess.channels - 1));
    let colours = (0..plane).flat_map(|place| channels.map(|channel| byte(channel, place)));
    Bitmap::new(width, height, &colours.collect::<Vec<u8>>())
}
