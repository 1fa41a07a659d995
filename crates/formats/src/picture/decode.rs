//! Bytes of an image file → RGB picture, within limits.

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbaImage};

use super::{Picture, jpeg_end};
use crate::DataError;

/// No photograph within [`Picture::MAX_PIXELS`] needs a longer file: this is ten bytes a pixel.
const MAX_FILE_BYTES: u64 = 1_000_000_000;

/// What a decoder may take: eight bytes a pixel (RGBA of 16 bits) and some room of its own.
const MAX_DECODER_BYTES: u64 = 1 << 30;

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
    let unreadable = |reason: String| DataError::Unreadable {
        name: name.to_owned(),
        reason,
    };
    let format = match image::guess_format(bytes) {
        Ok(
            format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Bmp),
        ) => format,
        _ => return Err(unreadable("not a JPEG, PNG, WebP or BMP image".into())),
    };
    if format == ImageFormat::Jpeg && !jpeg_end::is_complete(bytes) {
        return Err(unreadable(format!(
            "truncated JPEG: {} bytes without an end-of-image marker",
            bytes.len()
        )));
    }

    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader
        .into_decoder()
        .map_err(|error| unreadable(error.to_string()))?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(unreadable(format!("{width}×{height} pixels")));
    }
    if u64::from(width) * u64::from(height) > Picture::MAX_PIXELS {
        return Err(DataError::TooManyPixels {
            name: name.to_owned(),
            width,
            height,
            limit: Picture::MAX_PIXELS,
        });
    }

    let orientation = orientation(&mut decoder, format, bytes);
    let mut image =
        DynamicImage::from_decoder(decoder).map_err(|error| unreadable(error.to_string()))?;
    image.apply_orientation(orientation);
    Ok(Picture {
        height: image.height() as usize,
        width: image.width() as usize,
        channels: 3,
        pixels: to_rgb(image),
    })
}

/// The EXIF orientation; upright when there is none or it is damaged, since the pixels are still good.
///
/// Asking the JPEG decoder makes it read all headers again, a third of the time a 32×32 photo takes. Files
/// without the letters that begin an EXIF block are spared that.
fn orientation(decoder: &mut impl ImageDecoder, format: ImageFormat, bytes: &[u8]) -> Orientation {
    if format == ImageFormat::Jpeg && !bytes.windows(4).any(|letters| letters == b"Exif") {
        return Orientation::NoTransforms;
    }
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn to_rgb(image: DynamicImage) -> Vec<u8> {
    if image.color().has_alpha() {
        over_white(&image.into_rgba8())
    } else {
        image.into_rgb8().into_raw()
    }
}

/// Lays a picture with transparency over white: `c·α + 255·(255 − α)`, divided by 255 and rounded.
fn over_white(image: &RgbaImage) -> Vec<u8> {
    image
        .pixels()
        .flat_map(|pixel| {
            let [r, g, b, alpha] = pixel.0.map(u32::from);
            [r, g, b].map(|c| ((c * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
        })
        .collect()
}
