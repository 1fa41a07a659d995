//! BMP, through `zune-bmp`.

use zune_bmp::BmpDecoder;
use zune_bmp::zune_core::bytestream::ZCursor;
use zune_bmp::zune_core::options::DecoderOptions;

use super::{Decoded, Fault, check_size, reason};

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, Fault> {
    // No limit per side: a thin picture may be long, and the product is checked below.
    let options = DecoderOptions::default()
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = BmpDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| Fault::Reason(format!("{error:?}")))?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    check_size(width, height)?;
    let channels = decoder
        .colorspace()
        .map_or(0, |space| space.num_components());
    let samples = decoder
        .decode()
        .map_err(|error| Fault::Reason(format!("{error:?}")))?;
    if !(1..=4).contains(&channels) || samples.len() != width * height * channels {
        return Err(reason("an unknown kind of pixel"));
    }
    Ok(Decoded {
        height,
        width,
        channels,
        samples,
        exif: None,
    })
}
