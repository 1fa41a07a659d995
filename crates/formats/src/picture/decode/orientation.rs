//! The EXIF orientation: cameras store the sensor's rows and note how the camera was held.

use exif::{In, Reader, Tag};
use tensor::MemoryError;
use tensor::memory::try_room;

use crate::Picture;

/// The orientation in an EXIF block, 1 to 8; 1, upright, when there is none or the block is damaged, since the
/// pixels are still good.
pub(super) fn read(block: &[u8]) -> u32 {
    // WebP files often repeat the letters that JPEG puts in front.
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    Reader::new()
        .read_raw(block.to_vec())
        .ok()
        .and_then(|exif| {
            exif.get_field(Tag::Orientation, In::PRIMARY)?
                .value
                .get_uint(0)
        })
        .filter(|orientation| (1..=8).contains(orientation))
        .unwrap_or(1)
}

/// Turns an RGB picture so that it stands as a viewer shows it.
///
/// The number says where the stored row 0 and column 0 belong (EXIF 2.32, tag 274): from 5 on rows and columns
/// are swapped, 2, 3, 7 and 8 run backwards through the stored columns, 3, 4, 6 and 7 through the stored rows.
///
/// # Errors
/// No memory for a second picture.
pub(super) fn apply(picture: Picture, orientation: u32) -> Result<Picture, MemoryError> {
    if orientation == 1 {
        return Ok(picture);
    }
    let (rows, columns) = (picture.height, picture.width);
    let swapped = orientation >= 5;
    let mirrored_columns = matches!(orientation, 2 | 3 | 7 | 8);
    let mirrored_rows = matches!(orientation, 3 | 4 | 6 | 7);
    let (height, width) = if swapped {
        (columns, rows)
    } else {
        (rows, columns)
    };
    let mut pixels = try_room(picture.pixels.len())?;
    for y in 0..height {
        for x in 0..width {
            let (row, column) = if swapped { (x, y) } else { (y, x) };
            let row = if mirrored_rows { rows - 1 - row } else { row };
            let column = if mirrored_columns {
                columns - 1 - column
            } else {
                column
            };
            let from = (row * columns + column) * 3;
            pixels.extend_from_slice(&picture.pixels[from..from + 3]);
        }
    }
    Ok(Picture {
        height,
        width,
        channels: 3,
        pixels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::DynamicImage;
    use image::metadata::Orientation;

    /// Against the `image` crate, for all eight.
    #[test]
    fn every_orientation_agrees_with_a_peer() {
        let pixels: Vec<u8> = (0..5 * 3 * 3).collect();
        for orientation in 1..=8_u8 {
            let picture = Picture {
                height: 3,
                width: 5,
                channels: 3,
                pixels: pixels.clone(),
            };
            let turned = apply(picture, u32::from(orientation)).unwrap();
            let image = image::RgbImage::from_raw(5, 3, pixels.clone()).unwrap();
            let mut peer = DynamicImage::from(image);
            peer.apply_orientation(Orientation::from_exif(orientation).unwrap());
            assert_eq!(
                (turned.height, turned.width),
                (peer.height() as usize, peer.width() as usize)
            );
            assert_eq!(turned.pixels, peer.as_bytes(), "orientation {orientation}");
        }
    }
}
