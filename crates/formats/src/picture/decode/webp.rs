//! WebP, lossy and lossless, through `image-webp`.

use std::io::Cursor;

use image_webp::WebPDecoder;
use tensor::memory::try_zeros;

use super::{Decoded, Fault, MAX_DECODER_BYTES, check_size, reason};

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, Fault> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(reason)?;
    decoder.set_memory_limit(MAX_DECODER_BYTES);
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height)?;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let mut samples = try_zeros(width * height * channels)?;
    decoder.read_image(&mut samples).map_err(reason)?;
    Ok(Decoded {
        height,
        width,
        channels,
        samples,
        // A damaged block costs no more than the orientation.
        exif: decoder.exif_metadata().ok().flatten(),
    })
}
