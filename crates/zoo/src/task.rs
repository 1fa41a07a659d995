//! What a network is for.

use std::fmt;

/// What a network makes of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Logits of a picture, `[n, channels, h, w] → [n, classes]`.
    Classification,
    /// Logits of every pixel, `[n, channels, h, w] → [n, classes, h, w]`.
    Segmentation,
    /// A picture out of a random vector, `[n, channels, 1, 1] → [n, classes, h, w]`: what stands for
    /// classes are the channels of the picture, and its values lie in ±1.
    Generation,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classification => "classification",
            Self::Segmentation => "segmentation",
            Self::Generation => "generation",
        })
    }
}
