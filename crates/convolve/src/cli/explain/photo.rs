//! The image as the network reads it, and the same piece of the picture in finer pixels to lay maps over.

use figures::Bitmap;
use formats::{Picture, Preprocess};

/// The least pixels along the shorter side of a picture that is looked at.
const FINE: usize = 224;
/// The most along the longer side, for that.
const MOST: usize = 1024;

/// An image, prepared.
pub(super) struct Photo {
    /// What the network reads: `[channels, height, width]`.
    pub(super) numbers: Vec<f32>,
    /// The same in colours.
    pub(super) read: Bitmap,
    /// The same piece of the picture, finer where the network's pixels are coarse.
    pub(super) fine: Bitmap,
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
        })
    }
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
