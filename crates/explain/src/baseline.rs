//! What stands in for pixels that are taken away.

use crate::error::ExplainError;

/// The colour of what is taken away, as the network takes images: one number for all channels, or one a channel. By
/// default 0, which of images standardised channel by channel is their mean.
///
/// ```
/// use explain::Baseline;
/// let grey = Baseline::from(0.5);
/// let sky = Baseline::from(vec![0.3, 0.5, 0.9]);
/// assert_ne!(grey, sky);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline(Vec<f32>);

impl Default for Baseline {
    fn default() -> Self {
        Self::from(0.0)
    }
}

impl From<f32> for Baseline {
    fn from(value: f32) -> Self {
        Self(vec![value])
    }
}

impl From<Vec<f32>> for Baseline {
    fn from(channels: Vec<f32>) -> Self {
        Self(channels)
    }
}

impl Baseline {
    /// Its number in each of so many channels.
    pub(crate) fn of_channels(&self, channels: usize) -> Result<Vec<f32>, ExplainError> {
        match self.0[..] {
            [one] => Ok(vec![one; channels]),
            _ if self.0.len() == channels => Ok(self.0.clone()),
            _ => Err(ExplainError::Baseline {
                given: self.0.len(),
                channels,
            }),
        }
    }
}
