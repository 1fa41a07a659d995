//! Whether a JPEG file is all there.
//!
//! Decoders fill the missing part of a truncated photo with grey and report success, which suits a browser and
//! spoils a training set. A whole file ends with the end-of-image marker, but looking for its two bytes is not
//! enough: a thumbnail inside the EXIF block has one of its own. So the markers are walked in order (ITU-T T.81,
//! annex B): a segment is skipped by its declared length, and within entropy-coded data the next `FF` that is
//! neither stuffed (`FF 00`) nor a restart (`FF D0`–`FF D7`) begins the next marker.

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const TEMPORARY: u8 = 0x01;

/// True when the walk over the markers meets the end of the image.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(distance) = bytes[at..].iter().position(|byte| *byte == 0xff) {
        at += distance + 1;
        // Any number of FF may fill the space before a marker.
        while bytes.get(at) == Some(&0xff) {
            at += 1;
        }
        let Some(marker) = bytes.get(at) else {
            return false;
        };
        at += 1;
        match *marker {
            END_OF_IMAGE => return true,
            0x00 | TEMPORARY | 0xd0..=0xd7 | START_OF_IMAGE => {}
            _ => {
                let Some(length) = bytes.get(at..at + 2) else {
                    return false;
                };
                at += usize::from(u16::from_be_bytes([length[0], length[1]]));
                if at > bytes.len() {
                    return false;
                }
            }
        }
    }
    false
}
