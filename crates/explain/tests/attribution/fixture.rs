//! The file that `make.py` writes, and the networks with its weights.

use std::path::Path;

use explain::Subject;
use graph::{Graph, GraphError, passes};
use runtime::{Program, RuntimeOptions};
use safetensors::SafeTensors;

use crate::networks::{self, IMAGE};

/// What `make.py` explains.
pub(crate) const CLASS: usize = 3;
pub(crate) const CHANNEL: usize = 4;
pub(crate) const WINDOW: [usize; 2] = [7, 6];
pub(crate) const STRIDE: [usize; 2] = [4, 5];
pub(crate) const BASELINE: [f32; 3] = [0.3, -0.2, 0.1];

/// A network of the file.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) build: fn(usize) -> Result<Graph, GraphError>,
    /// Its last feature map.
    pub(crate) last: &'static str,
    /// A layer in its middle.
    pub(crate) middle: &'static str,
}

pub(crate) const CASES: [Case; 2] = [
    Case {
        name: "plain",
        build: networks::plain,
        last: "relu_2",
        middle: "relu_1",
    },
    Case {
        name: "residual",
        build: networks::residual,
        last: "layer2.relu_1",
        middle: "layer1.relu_1",
    },
];

/// One thread: the machine has other tests to run.
pub(crate) fn options() -> RuntimeOptions {
    RuntimeOptions {
        threads: 1,
        ..RuntimeOptions::default()
    }
}

impl Case {
    /// A tensor of the file.
    pub(crate) fn tensor(&self, what: &str) -> Vec<f32> {
        self.find(what)
            .unwrap_or_else(|| panic!("{} has no {what}", self.name))
    }

    fn find(&self, what: &str) -> Option<Vec<f32>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attribution/maps.safetensors");
        let bytes = std::fs::read(path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let view = file.tensor(&format!("{}.{what}", self.name)).ok()?;
        let numbers = view.data().as_chunks().0.iter();
        Some(numbers.map(|&number| f32::from_le_bytes(number)).collect())
    }

    /// An image of the file.
    pub(crate) fn image(&self, place: usize) -> Vec<f32> {
        let len = IMAGE.iter().product();
        self.tensor("images")
            .chunks_exact(len)
            .nth(place)
            .unwrap()
            .to_vec()
    }

    /// A program of a graph of the network, with the weights of the file.
    pub(crate) fn program(&self, graph: Graph) -> Program {
        let mut program = Program::new(graph, &options()).unwrap();
        for slot in program.slots().to_vec() {
            let values = self.tensor(&format!("weights.{}", slot.name));
            program.parameters_mut()[slot.range].copy_from_slice(&values);
        }
        for slot in program.states().to_vec() {
            let values = self.tensor(&format!("weights.{}", slot.name));
            program.state_mut()[slot.range].copy_from_slice(&values);
        }
        program
    }

    /// The network, ready to be looked into.
    pub(crate) fn subject(&self) -> Subject {
        let build = self.build;
        let graph = passes::inference(&build(1).unwrap()).unwrap();
        Subject::new(
            move |batch| Ok(build(batch)?),
            self.program(graph),
            &options(),
        )
        .unwrap()
    }
}

/// The norm of the difference over the norm of what is right.
pub(crate) fn relative_error(found: &[f32], right: &[f32]) -> f64 {
    assert_eq!(found.len(), right.len());
    let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    let pairs = found.iter().zip(right);
    let off = norm(&mut pairs.map(|(&a, &b)| f64::from(a) - f64::from(b)));
    off / norm(&mut right.iter().copied().map(f64::from))
}
