//! JPEG, through `zune-jpeg`.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Decoded, Fault, check_size, jpeg_end, reason};

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, Fault> {
    if !jpeg_end::is_complete(bytes) {
        let length = bytes.len();
        return Err(Fault::Reason(format!(
            "truncated JPEG: {length} bytes without an end-of-image marker"
        )));
    }
    // The format's own limit; the product is checked below.
    let longest = usize::from(u16::MAX);
    let options = DecoderOptions::default()
        .set_max_width(longest)
        .set_max_height(longest)
        .set_strict_mode(false)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(reason)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    check_size(width, height)?;
    let samples = decoder.decode().map_err(reason)?;
    Ok(Decoded {
        height,
        width,
        channels: 3,
        samples,
        exif: decoder.exif().cloned(),
    })
}
