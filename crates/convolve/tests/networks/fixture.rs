//! The files that `make.py` writes, and networks to hold against them.

use std::collections::BTreeMap;
use std::path::Path;

use graph::Graph;
use runtime::{Program, RuntimeOptions};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use zoo::BuildOptions;

use crate::weights;

/// What a network was run on.
#[derive(Deserialize)]
pub(crate) struct Settings {
    /// Batch, channels, height, width.
    pub(crate) images: [usize; 4],
    /// Factor on the weights.
    pub(crate) gain: f64,
    /// Of gradients only: the error of PyTorch's own in 32 bits where it is largest.
    pub(crate) single: Option<f64>,
}

/// A file: results by name, settings by network.
pub(crate) struct Fixture {
    bytes: Vec<u8>,
    pub(crate) networks: BTreeMap<String, Settings>,
}

impl Fixture {
    pub(crate) fn read(file: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks");
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let list = &header.metadata().as_ref().unwrap()["networks"];
        let networks = serde_json::from_str(list).unwrap();
        Self { bytes, networks }
    }

    /// Shape and numbers of a tensor, if it is there.
    pub(crate) fn tensor(&self, name: &str) -> Option<(Vec<usize>, Vec<f64>)> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let view = file.tensor(name).ok()?;
        let bytes = view.data();
        let numbers = match view.dtype() {
            Dtype::F32 => bytes
                .as_chunks()
                .0
                .iter()
                .map(|&number| f32::from_le_bytes(number).into())
                .collect(),
            Dtype::F64 => bytes
                .as_chunks()
                .0
                .iter()
                .map(|&number| f64::from_le_bytes(number))
                .collect(),
            other => panic!("{name} holds {other:?}"),
        };
        Some((view.shape().to_vec(), numbers))
    }

    /// The names of all tensors.
    pub(crate) fn names(&self) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        file.names().into_iter().map(str::to_owned).collect()
    }
}

impl Settings {
    /// The network for these images.
    pub(crate) fn build(&self, name: &str, classes: usize) -> Graph {
        let [batch, channels, height, width] = self.images;
        let options = BuildOptions {
            batch,
            channels,
            height,
            width,
            classes,
        };
        zoo::build(name, &options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A program with the images and weights of the formula.
    pub(crate) fn program(&self, graph: Graph) -> Program {
        let options = RuntimeOptions {
            threads: 2,
            ..RuntimeOptions::default()
        };
        let mut program = Program::new(graph, &options).unwrap();
        let pixel = weights::signed("input");
        for (index, value) in program.input_f32(0).iter_mut().enumerate() {
            *value = pixel(index) as f32;
        }
        for slot in program.slots().to_vec() {
            let values = &mut program.parameters_mut()[slot.range];
            weights::fill(&slot.name, &slot.shape, self.gain, values);
        }
        for slot in program.states().to_vec() {
            let values = &mut program.state_mut()[slot.range];
            weights::fill(&slot.name, &slot.shape, self.gain, values);
        }
        program
    }
}

/// The norm of a vector.
pub(crate) fn norm(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().map(|x| x * x).sum::<f64>().sqrt()
}
