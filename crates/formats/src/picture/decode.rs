//! Bytes of an image file → RGB picture, within limits: one file per format, and what they have in common.

mod bmp;
mod jpeg;
mod jpeg_end;
mod orientation;
mod png;
mod webp;

use std::path::Path;

use super::Picture;
use crate::DataError;

/// No photograph within [`Picture::MAX_PIXELS`] needs a longer file: this is ten bytes a pixel.
const MAX_FILE_BYTES: u64 = 1_000_000_000;

/// What a decoder that asks may take for itself: eight bytes a pixel (RGBA of 16 bits) and some room.
const MAX_DECODER_BYTES: usize = 1 << 30;

/// What a decoder hands back.
struct Decoded {
    height: usize,
    width: usize,
    /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    channels: usize,
    samples: Vec<u8>,
    /// The EXIF block, from its TIFF header on.
    exif: Option<Vec<u8>>,
}

/// Why a file could not be decoded; the name of the file is added once, in [`decode`].
enum Fault {
    /// The words of the decoder.
    Reason(String),
    /// Declared width and height.
    TooManyPixels(u32, u32),
}

/// Takes the words of any decoder's error.
fn reason(error: impl std::fmt::Debug + std::fmt::Display) -> Fault {
    Fault::Reason(error.to_string())
}

/// Must stand between reading the header and taking memory for the pixels.
fn check_size(width: usize, height: usize) -> Result<(), Fault> {
    let capped = |side| u32::try_from(side).unwrap_or(u32::MAX);
    let (width, height) = (capped(width), capped(height));
    match u64::from(width) * u64::from(height) {
        0 => Err(Fault::Reason(format!("{width}×{height} pixels"))),
        1..=Picture::MAX_PIXELS => Ok(()),
        _ => Err(Fault::TooManyPixels(width, height)),
    }
}

pub(super) fn open(path: &Path) -> Result<Picture, DataError> {
    let io = |source| DataError::io(path, source);
    let bytes = std::fs::metadata(path).map_err(io)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(DataError::TooManyBytes {
            path: path.to_path_buf(),
            bytes,
            limit: MAX_FILE_BYTES,
        });
    }
    decode(&std::fs::read(path).map_err(io)?, &path.to_string_lossy())
}

pub(super) fn decode(bytes: &[u8], name: &str) -> Result<Picture, DataError> {
    let decoded = match bytes {
        [0xff, 0xd8, 0xff, ..] => jpeg::decode(bytes),
        [0x89, b'P', b'N', b'G', ..] => png::decode(bytes),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => webp::decode(bytes),
        [b'B', b'M', ..] => bmp::decode(bytes),
        _ => Err(Fault::Reason("not a JPEG, PNG, WebP or BMP image".into())),
    };
    let decoded = decoded.map_err(|fault| match fault {
        Fault::Reason(reason) => DataError::Unreadable {
            name: name.to_owned(),
            // One failure, one line, whatever the decoder writes.
            reason: reason.split_whitespace().collect::<Vec<_>>().join(" "),
        },
        Fault::TooManyPixels(width, height) => DataError::TooManyPixels {
            name: name.to_owned(),
            width,
            height,
            limit: Picture::MAX_PIXELS,
        },
    })?;
    let upright = decoded.exif.as_deref().map_or(1, orientation::read);
    let picture = Picture {
        height: decoded.height,
        width: decoded.width,
        channels: 3,
        pixels: to_rgb(decoded.samples, decoded.channels),
    };
    Ok(orientation::apply(picture, upright))
}

fn to_rgb(samples: Vec<u8>, channels: usize) -> Vec<u8> {
    match channels {
        1 => samples.into_iter().flat_map(|grey| [grey; 3]).collect(),
        2 => (samples.as_chunks::<2>().0.iter())
            .flat_map(|[grey, alpha]| [over_white(*grey, *alpha); 3])
            .collect(),
        3 => samples,
        _ => (samples.as_chunks::<4>().0.iter())
            .flat_map(|[r, g, b, alpha]| [r, g, b].map(|sample| over_white(*sample, *alpha)))
            .collect(),
    }
}

/// A sample laid over white: `c·α + 255·(255 − α)`, divided by 255 and rounded.
fn over_white(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    ((sample * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}
