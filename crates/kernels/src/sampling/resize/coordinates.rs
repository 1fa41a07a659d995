//! Where an output element of a resizing lies on the input (ONNX Resize-19, PyTorch `interpolate`).

use geometry::{NearestRounding, ResizeCoordinates};

/// One axis of a resizing. Input element `i` lies at position `i`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) coordinates: ResizeCoordinates,
    pub(super) input: usize,
    pub(super) output: usize,
    /// Output elements an input element, where it was given; else it follows from the sizes.
    pub(super) scale: Option<f64>,
    /// Start and end of the box, 0 to 1 over the input, with [`ResizeCoordinates::CropAndResize`].
    pub(super) crop: (f64, f64),
}

impl Axis {
    /// Input elements an output element.
    pub(super) fn step(&self) -> f64 {
        match self.scale {
            Some(scale) => 1.0 / scale,
            None => self.input as f64 / self.output as f64,
        }
    }

    /// The position of output element `index`; `None` where it lies outside what may be read.
    ///
    /// Without a scale, every rule is one division of whole numbers: so what should fall on an
    /// element, or in the middle of two, does.
    pub(super) fn position(&self, index: usize) -> Option<f64> {
        let (o, input, output) = (index as f64, self.input as f64, self.output as f64);
        let half_pixel = || match self.scale {
            Some(scale) => (o + 0.5) / scale - 0.5,
            None => ((2.0 * o + 1.0) * input - output) / (2.0 * output),
        };
        let length = self.scale.map_or(output, |scale| input * scale);
        Some(match self.coordinates {
            ResizeCoordinates::HalfPixel => half_pixel(),
            ResizeCoordinates::HalfPixelSymmetric => match self.scale {
                Some(scale) => (2.0 * o + 1.0 - output) / (2.0 * scale) + (input - 1.0) / 2.0,
                None => half_pixel(),
            },
            ResizeCoordinates::PytorchHalfPixel if self.output == 1 => 0.0,
            ResizeCoordinates::PytorchHalfPixel => half_pixel(),
            ResizeCoordinates::AlignCorners if index == 0 => 0.0,
            ResizeCoordinates::AlignCorners => o * (input - 1.0) / (length - 1.0),
            ResizeCoordinates::Asymmetric => match self.scale {
                Some(scale) => o / scale,
                None => o * input / output,
            },
            ResizeCoordinates::CropAndResize => {
                let ((start, end), last) = (self.crop, input - 1.0);
                let position = if self.output == 1 {
                    (start + end) * last / 2.0
                } else {
                    start * last + o * (end - start) * last / (output - 1.0)
                };
                return (0.0..=last).contains(&position).then_some(position);
            }
        })
    }

    /// The element a position stands for; that of the edge beyond it.
    pub(super) fn nearest(&self, rounding: NearestRounding, position: f64) -> usize {
        let whole = match rounding {
            NearestRounding::HalfDown => (position - 0.5).ceil(),
            NearestRounding::HalfUp => (position + 0.5).floor(),
            NearestRounding::Floor => position.floor(),
            NearestRounding::Ceil => position.ceil(),
        };
        // Below zero it saturates.
        (whole as usize).min(self.input - 1)
    }
}
