//! PNG, through `png`.

use std::io::Cursor;

use png::{Decoder, Limits, Transformations};
use tensor::memory::try_zeros;

use super::{Decoded, Fault, MAX_DECODER_BYTES, check_size, reason};

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, Fault> {
    let limits = Limits {
        bytes: MAX_DECODER_BYTES,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    // Palettes and fewer bits are expanded; of 16 bits the upper eight are kept.
    decoder.set_transformations(Transformations::normalize_to_color8());
    // Before the decoder looks for the pixels: it has a limit of its own, which says no numbers.
    let header = decoder.read_header_info().map_err(reason)?;
    let (width, height) = (header.width as usize, header.height as usize);
    check_size(width, height)?;
    let mut reader = decoder.read_info().map_err(reason)?;
    let exif = reader
        .info()
        .exif_metadata
        .as_ref()
        .map(|exif| exif.to_vec());
    let too_large = || Fault::Reason("the pixels overflow memory".into());
    let mut samples = try_zeros(reader.output_buffer_size().ok_or_else(too_large)?)?;
    let frame = reader.next_frame(&mut samples).map_err(reason)?;
    let channels = frame.color_type.samples();
    // The first frame of an animation may be smaller than the canvas.
    if (frame.width as usize, frame.height as usize) != (width, height) {
        return Err(Fault::Reason(
            "the first frame does not fill the picture".into(),
        ));
    }
    samples.truncate(frame.buffer_size());
    Ok(Decoded {
        height,
        width,
        channels,
        samples,
        exif,
    })
}
