//! The three directions of a convolution.

use std::fmt;
use std::str::FromStr;

use geometry::ConvGeometry;

/// Which derivative of a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `x, w → y`
    Forward,
    /// `dy, w → dx`; also what a transposed convolution computes.
    BackwardData,
    /// `x, dy → dw`
    BackwardWeights,
}

impl Direction {
    /// All directions.
    pub const ALL: [Self; 3] = [Self::Forward, Self::BackwardData, Self::BackwardWeights];
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "forward",
            Self::BackwardData => "backward-data",
            Self::BackwardWeights => "backward-weights",
        })
    }
}

impl FromStr for Direction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|direction| direction.to_string() == text)
            .ok_or_else(|| format!("'{text}' is none of forward, backward-data, backward-weights"))
    }
}

impl Direction {
    /// Channels of the map that is read and of the one that is made, all groups together; of the gradient of the weights
    /// those of the input and of the output.
    pub(super) fn channels(self, geometry: &ConvGeometry) -> (usize, usize) {
        match self {
            Self::BackwardData => (geometry.out_channels, geometry.in_channels),
            Self::Forward | Self::BackwardWeights => (geometry.in_channels, geometry.out_channels),
        }
    }
}
