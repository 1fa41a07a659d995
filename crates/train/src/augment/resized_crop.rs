//! A box of random area and aspect, resized to the network's input.

use formats::{Interpolation, Picture, PreprocessError, Region};

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
    let region = Region {
        top: part.top as f64,
        left: part.left as f64,
        height: part.height as f64,
        width: part.width as f64,
    };
    formats::resize(picture, region, size, Interpolation::Bilinear)
}
