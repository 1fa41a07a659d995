//! Named tensors in a file: safetensors, or the initializers of an ONNX model.

use std::collections::HashMap;

use formats::onnx::Elements;
use formats::weights::WeightsReader;

use crate::checkpoint::{is_checkpoint, is_of_optimiser};
use crate::{CheckpointError, OnnxNetwork, OnnxNetworkError};

/// Where the numbers of weights are.
#[derive(Debug)]
pub(super) enum Tensors {
    /// In a safetensors file, whose header was read.
    File(WeightsReader),
    /// In an ONNX model, which was opened.
    Model {
        origin: String,
        /// In the order in which the graph reads them.
        elements: Vec<(String, Elements)>,
        places: HashMap<String, usize>,
    },
}

impl Tensors {
    /// The parameters and statistics of a model.
    pub(super) fn of_model(network: &OnnxNetwork) -> Result<Self, OnnxNetworkError> {
        let elements = network.elements()?;
        let places = elements.iter().enumerate();
        let places = places.map(|(place, (name, _))| (name.clone(), place));
        Ok(Self::Model {
            origin: network.path().to_string_lossy().into_owned(),
            places: places.collect(),
            elements,
        })
    }

    pub(super) fn origin(&self) -> &str {
        match self {
            Self::File(reader) => reader.origin(),
            Self::Model { origin, .. } => origin,
        }
    }

    /// Shape of a tensor, if it is there.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        match self {
            Self::File(reader) => reader.shape(name),
            Self::Model {
                elements, places, ..
            } => Some(elements[*places.get(name)?].1.shape()),
        }
    }

    /// What a network is compared with: all but PyTorch's counters and what only a continued training needs.
    pub(super) fn named(&self) -> Box<dyn Iterator<Item = (&str, &[usize])> + '_> {
        match self {
            Self::File(reader) => {
                let own = is_checkpoint(reader.metadata());
                Box::new(reader.tensors().filter(move |(name, _)| {
                    let counter =
                        *name == "num_batches_tracked" || name.ends_with(".num_batches_tracked");
                    let average = own && is_of_optimiser(name);
                    !(counter || average)
                }))
            }
            Self::Model { elements, .. } => {
                let elements = elements.iter();
                Box::new(elements.map(|(name, elements)| (name.as_str(), elements.shape())))
            }
        }
    }

    /// Reads the numbers of a tensor, all of which must be finite.
    pub(super) fn read(&mut self, name: &str, values: &mut [f32]) -> Result<(), CheckpointError> {
        match self {
            Self::File(reader) => reader.read_into(name, values)?,
            Self::Model {
                origin,
                elements,
                places,
            } => {
                let elements = places.get(name).map(|place| &elements[*place].1);
                if let Some(elements) = elements {
                    let written = elements.write_f32(values);
                    written.map_err(|source| OnnxNetworkError::Model {
                        path: origin.as_str().into(),
                        source: Box::new(source),
                    })?;
                }
            }
        }
        match values.iter().find(|value| !value.is_finite()) {
            None => Ok(()),
            Some(value) => Err(CheckpointError::NotFinite {
                origin: self.origin().to_owned(),
                tensor: name.to_owned(),
                value: *value,
            }),
        }
    }
}
