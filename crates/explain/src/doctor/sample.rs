//! Pictures that a network is asked about.

use graph::Graph;

/// Prepared pictures with their labels: whole batches of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// `[n, channels, height, width]`, as the network reads them.
    pub images: Vec<f32>,
    /// The place of each picture's class among the logits, `[n]`.
    pub labels: Vec<u32>,
    /// What was subtracted of each channel, in units of the white level.
    pub mean: Vec<f32>,
    /// What each channel was divided by.
    pub std: Vec<f32>,
    /// Names of the classes in the order of the logits.
    pub classes: Vec<String>,
}

/// Pictures that are not for a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// No whole number of batches, or none.
    #[error("{pictures} pictures with {values} values are no batches of {shape:?}")]
    Batches {
        /// Labels given.
        pictures: usize,
        /// Values given.
        values: usize,
        /// What the network reads.
        shape: Vec<usize>,
    },
    /// Not one mean and deviation a channel.
    #[error("{means} means and {stds} deviations for {channels} channels")]
    Channels {
        /// Means given.
        means: usize,
        /// Deviations given.
        stds: usize,
        /// Channels of the images.
        channels: usize,
    },
    /// Logits for other classes, or a label beyond them.
    #[error("{classes} classes with labels up to {label} for an output of {shape:?}")]
    Classes {
        /// Classes given.
        classes: usize,
        /// The largest label.
        label: u32,
        /// What the network makes.
        shape: Vec<usize>,
    },
}

impl Sample {
    /// How many pictures there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Values of one picture.
    pub(super) fn picture(&self) -> usize {
        self.images.len() / self.labels.len().max(1)
    }

    /// Whether it is made of batches of a network, and its classes are the logits.
    pub(super) fn fits(&self, network: &Graph) -> Result<(), SampleError> {
        let shape = |ids: &[graph::ValueId]| {
            let first = ids.first();
            first.map_or(Vec::new(), |&id| network.value(id).shape.clone())
        };
        let (input, output) = (shape(&network.inputs), shape(&network.outputs));
        let batch = input.first().copied().unwrap_or(0);
        let values = input.iter().skip(1).product::<usize>();
        let whole = batch > 0
            && !self.is_empty()
            && self.len().is_multiple_of(batch)
            && self.len().checked_mul(values) == Some(self.images.len());
        if !whole || input.len() != 4 {
            return Err(SampleError::Batches {
                pictures: self.len(),
                values: self.images.len(),
                shape: input,
            });
        }
        let (means, stds, channels) = (self.mean.len(), self.std.len(), input[1]);
        if means != channels || stds != channels {
            return Err(SampleError::Channels {
                means,
                stds,
                channels,
            });
        }
        let label = self.labels.iter().copied().max().unwrap_or(0);
        let classes = self.classes.len();
        if output != [batch, classes] || label as usize >= classes {
            return Err(SampleError::Classes {
                classes,
                label,
                shape: output,
            });
        }
        Ok(())
    }
}
