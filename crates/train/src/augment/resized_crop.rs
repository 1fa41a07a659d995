//! A box of random area and aspect, resized to the network's input.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{InnerPixel, U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use formats::{Picture, PreprocessError};

use crate::random::Draw;

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) top: usize,
    pub(super) left: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

/// Draws a box as torchvision's `RandomResizedCrop.get_params` does: area uniform, aspect uniform in its
/// logarithm, ten attempts to fit, and otherwise the largest centred box of an allowed aspect.
pub(super) fn draw(
    draw: &mut Draw,
    (height, width): (usize, usize),
    min_area: f64,
    max_aspect: f64,
) -> Part {
    let bound = max_aspect.ln();
    for _ in 0..10 {
        let area = (height * width) as f64 * draw.between(min_area, 1.0);
        let aspect = draw.between(-bound, bound).exp();
        let box_width = (area * aspect).sqrt().round() as usize;
        let box_height = (area / aspect).sqrt().round() as usize;
        if (1..=width).contains(&box_width) && (1..=height).contains(&box_height) {
            return Part {
                top: draw.below(height - box_height + 1),
                left: draw.below(width - box_width + 1),
                height: box_height,
                width: box_width,
            };
        }
    }
    let longest = |side: usize, other: usize| {
        let limit = (other as f64 * max_aspect).round() as usize;
        side.min(limit.max(1))
    };
    let (box_height, box_width) = (longest(height, width), longest(width, height));
    Part {
        top: (height - box_height) / 2,
        left: (width - box_width) / 2,
        height: box_height,
        width: box_width,
    }
}

/// The part as a picture of `height × width`, bilinear and antialiased.
pub(super) fn resize(
    picture: &Picture,
    part: Part,
    size: (usize, usize),
) -> Result<Picture, PreprocessError> {
    let pixels = match picture.channels {
        1 => resize_pixels::<U8>(picture, part, size),
        _ => resize_pixels::<U8x3>(picture, part, size),
    }?;
    Ok(Picture {
        height: size.0,
        width: size.1,
        channels: picture.channels,
        pixels,
    })
}

fn resize_pixels<P>(
    picture: &Picture,
    part: Part,
    (height, width): (usize, usize),
) -> Result<Vec<u8>, PreprocessError>
where
    P: PixelTrait + InnerPixel<Component = u8>,
{
    let fault = |error: &dyn std::fmt::Display| PreprocessError::Config(error.to_string());
    let from = TypedImageRef::<P>::from_buffer(
        picture.width as u32,
        picture.height as u32,
        &picture.pixels,
    )
    .map_err(|error| fault(&error))?;
    let mut pixels = vec![0; height * width * picture.channels];
    let mut to = TypedImage::<P>::from_buffer(width as u32, height as u32, &mut pixels)
        .map_err(|error| fault(&error))?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .crop(
            part.left as f64,
            part.top as f64,
            part.width as f64,
            part.height as f64,
        );
    Resizer::new()
        .resize_typed(&from, &mut to, &options)
        .map_err(|error| fault(&error))?;
    Ok(pixels)
}
