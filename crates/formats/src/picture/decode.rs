//! Bytes of an image file → RGB picture, within limits: one file per format, and what they have in common.

mod bmp;
mod jpeg;
mod jpeg_end;
mod orientation;
mod png;
mod webp;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use tensor::MemoryError;
use tensor::memory::{check_room, try_room};

use super::Picture;
use crate::DataError;

/// No photograph within [`Picture::MAX_PIXELS`] needs a longer file: this is ten bytes a pixel.
const MAX_FILE_BYTES: u64 = 1_000_000_000;

/// What a decoder that asks may take for itself: eight bytes a pixel (RGBA of 16 bits) and some room.
const MAX_DECODER_BYTES: usize = 1 << 30;

/// What a decoder that does not ask may take for a picture: eight bytes a pixel here too, and its tables.
const DECODER_BYTES: (usize, usize) = (8, 1 << 18);

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
    /// The memory could not be had.
    Memory(MemoryError),
}

impl From<MemoryError> for Fault {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

/// Takes the words of any decoder's error.
fn reason(error: impl std::fmt::Debug + std::fmt::Display) -> Fault {
    Fault::Reason(error.to_string())
}

/// Must stand between reading the header and taking memory for the pixels. A decoder takes its own without asking, and
/// ends the program where there is none; so it is asked here whether there is.
fn check_size(width: usize, height: usize) -> Result<(), Fault> {
    let capped = |side| u32::try_from(side).unwrap_or(u32::MAX);
    let (width, height) = (capped(width), capped(height));
    match u64::from(width) * u64::from(height) {
        0 => Err(Fault::Reason(format!(
            "{height}×{width} pixels (height×width)"
        ))),
        pixels @ 1..=Picture::MAX_PIXELS => {
            let (each, tables) = DECODER_BYTES;
            Ok(check_room(pixels as usize * each + tables)?)
        }
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

/// Decodes a whole file of one format.
type Decoder = fn(&[u8]) -> Result<Decoded, Fault>;

/// The decoder for a file that begins with such bytes, if it is an image.
fn decoder_for(start: &[u8]) -> Option<Decoder> {
    match start {
        [0xff, 0xd8, 0xff, ..] => Some(jpeg::decode),
        [0x89, b'P', b'N', b'G', ..] => Some(png::decode),
        [b'R', b'I', b'F', b'F', _, _, _, _, rest @ ..] if rest.starts_with(b"WEBP") => {
            Some(webp::decode)
        }
        [b'B', b'M', ..] => Some(bmp::decode),
        _ => None,
    }
}

/// Whether a file that can be read begins as an image does.
pub(super) fn begins_as_image(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(12).read_to_end(&mut start));
    read.is_ok() && decoder_for(&start).is_some()
}

pub(super) fn decode(bytes: &[u8], name: &str) -> Result<Picture, DataError> {
    decode_upright(bytes).map_err(|fault| match fault {
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
        Fault::Memory(source) => DataError::Memory {
            name: name.to_owned(),
            source,
        },
    })
}

fn decode_upright(bytes: &[u8]) -> Result<Picture, Fault> {
    let decode = decoder_for(bytes)
        .ok_or_else(|| Fault::Reason("not a JPEG, PNG, WebP or BMP image".into()))?;
    let decoded = decode(bytes)?;
    let upright = decoded.exif.as_deref().map_or(1, orientation::read);
    let picture = Picture {
        height: decoded.height,
        width: decoded.width,
        channels: 3,
        pixels: to_rgb(decoded.samples, decoded.channels)?,
    };
    Ok(orientation::apply(picture, upright)?)
}

fn to_rgb(samples: Vec<u8>, channels: usize) -> Result<Vec<u8>, MemoryError> {
    if channels == 3 {
        return Ok(samples);
    }
    let mut pixels = try_room(samples.len() / channels * 3)?;
    match channels {
        1 => pixels.extend(samples.iter().flat_map(|grey| [*grey; 3])),
        2 => pixels.extend(
            (samples.as_chunks::<2>().0.iter())
                .flat_map(|[grey, alpha]| [over_white(*grey, *alpha); 3]),
        ),
        _ => pixels.extend(
            (samples.as_chunks::<4>().0.iter())
                .flat_map(|[r, g, b, alpha]| [r, g, b].map(|sample| over_white(*sample, *alpha))),
        ),
    }
    Ok(pixels)
}

/// A sample laid over white: `c·α + 255·(255 − α)`, divided by 255 and rounded.
fn over_white(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    ((sample * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}
