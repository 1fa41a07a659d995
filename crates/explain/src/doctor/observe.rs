//! What passes through a network on pictures: the statistics of channels, summed up by the network itself.
//!
//! To a copy of the network nodes are added that bring the maps of interest down to a few numbers a channel. So the
//! memory of a run stays that of the network, however many maps are looked at.

use std::collections::HashMap;

use graph::{ArithmeticOp, BinaryOp, Graph, GraphError, Op, ReduceOp, UnaryOp, ValueId, passes};
use runtime::Run;
use tensor::Unary;

use super::{Parameters, Patient, Sample};

/// The statistics of each channel of a value `[n, c, …]`, over all pictures and places.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statistics {
    pub(super) mean: Vec<f64>,
    /// Biased, as batch norms have it.
    pub(super) variance: Vec<f64>,
    pub(super) least: Vec<f64>,
    pub(super) largest: Vec<f64>,
}

impl Statistics {
    /// Whether there are numbers among them that are infinite or none. Squares may be too large to be summed up.
    fn overflows(&self) -> bool {
        let ends = self.least.iter().chain(&self.largest);
        ends.copied().any(|end| !end.is_finite()) || self.mean.iter().any(|mean| mean.is_nan())
    }
}

/// Statistics of values of a network.
#[derive(Debug, Default)]
pub(super) struct Observed {
    statistics: HashMap<ValueId, Statistics>,
}

impl Observed {
    pub(super) fn get(&self, id: ValueId) -> Option<&Statistics> {
        self.statistics.get(&id)
    }

    /// What activations made, with the layer, in the order of execution.
    pub(super) fn of_activations<'a>(
        &'a self,
        network: &'a Graph,
    ) -> impl Iterator<Item = (&'a graph::Node, &'a Statistics)> {
        let nodes = network.nodes.iter().filter(|node| is_activation(&node.op));
        nodes.filter_map(|node| Some((node, self.get(*node.outputs.first()?)?)))
    }
}

/// Whether it is the non-linearity of a layer.
pub(super) fn is_activation(op: &Op) -> bool {
    match op {
        Op::Activation(_) | Op::Unary(UnaryOp::Prelu) => true,
        Op::Unary(UnaryOp::Apply(function)) => matches!(
            function,
            Unary::Relu
                | Unary::LeakyRelu { .. }
                | Unary::Elu { .. }
                | Unary::Selu { .. }
                | Unary::Celu { .. }
                | Unary::ThresholdedRelu { .. }
                | Unary::Sigmoid
                | Unary::HardSigmoid { .. }
                | Unary::HardSwish
                | Unary::Tanh
                | Unary::Softplus
                | Unary::Softsign
                | Unary::Gelu
                | Unary::GeluTanh
                | Unary::Mish
                | Unary::Swish { .. }
                | Unary::HardTanh { .. }
        ),
        _ => false,
    }
}

/// Runs a network on the pictures and sums up what its activations make, what its batch norms read, and its answers.
///
/// # Errors
/// Why it cannot be run, or says nothing.
pub(super) fn observe(
    patient: &Patient<'_>,
    parameters: &Parameters,
    sample: &Sample,
) -> Result<Observed, String> {
    let network = patient.network;
    let wanted = wanted(network);
    let probe = probe(network, &wanted).map_err(|error| error.to_string())?;
    let mut program = patient.program(probe, parameters)?;
    let batch = patient.batch();
    let mut sums: Vec<Sums> = wanted.iter().map(|_| Sums::default()).collect();
    for images in sample.images.chunks_exact(batch * sample.picture()) {
        program.input_f32(0).copy_from_slice(images);
        program.run(Run::default());
        for (place, sums) in sums.iter_mut().enumerate() {
            sums.add([0, 1, 2, 3].map(|number| program.output(4 * place + number)));
        }
    }
    let made = wanted.into_iter().zip(sums);
    let made: Vec<(ValueId, Statistics)> = made.map(|(id, sums)| (id, sums.finish())).collect();
    match made.iter().find(|(_, statistics)| statistics.overflows()) {
        Some(&(id, _)) => Err(format!(
            "{} makes numbers on the pictures that 32 bits do not hold: its weights, or those before it, are too large",
            network.value(id).name
        )),
        None => Ok(Observed {
            statistics: made.into_iter().collect(),
        }),
    }
}

/// The values to be summed up.
fn wanted(network: &Graph) -> Vec<ValueId> {
    let of_nodes = network.nodes.iter().filter_map(|node| match &node.op {
        Op::BatchNorm { .. } | Op::BatchNormInference { .. } => node.inputs.first(),
        op if is_activation(op) => node.outputs.first(),
        _ => None,
    });
    let mut wanted: Vec<ValueId> = Vec::new();
    for &id in of_nodes.chain(network.outputs.first()) {
        if network.value(id).shape.len() >= 2 && !wanted.contains(&id) {
            wanted.push(id);
        }
    }
    wanted
}

/// A network that makes the means, the means of the squares, the maxima and those of the negatives of values.
fn probe(network: &Graph, wanted: &[ValueId]) -> Result<Graph, GraphError> {
    let mut probe = network.clone();
    probe.auxiliary.clear();
    probe.outputs.clear();
    for &id in wanted {
        let rank = probe.value(id).shape.len() as i64;
        let axes: Vec<i64> = (0..rank).filter(|&axis| axis != 1).collect();
        let reduce = |graph: &mut Graph, op, x| -> Result<(), GraphError> {
            let axes = axes.clone();
            let op = Op::Arithmetic(ArithmeticOp::Reduce { op, axes });
            let made = graph.append(op, "statistics", vec![x])?;
            graph.outputs.push(made[0]);
            Ok(())
        };
        let square = Op::Arithmetic(ArithmeticOp::Binary(BinaryOp::Mul));
        let negative = Op::Unary(UnaryOp::Apply(Unary::Neg));
        reduce(&mut probe, ReduceOp::Mean, id)?;
        let square = probe.append(square, "square", vec![id, id])?[0];
        reduce(&mut probe, ReduceOp::Mean, square)?;
        reduce(&mut probe, ReduceOp::Max, id)?;
        let negative = probe.append(negative, "negative", vec![id])?[0];
        reduce(&mut probe, ReduceOp::Max, negative)?;
    }
    passes::inference(&probe)
}

/// Statistics on the way.
#[derive(Default)]
struct Sums {
    batches: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
    largest: Vec<f64>,
    /// The negatives of the least.
    negative: Vec<f64>,
}

impl Sums {
    fn add(&mut self, [mean, square, largest, negative]: [&[f32]; 4]) {
        self.batches += 1.0;
        let sum = |sums: &mut Vec<f64>, new: &[f32]| {
            sums.resize(new.len(), 0.0);
            let both = sums.iter_mut().zip(new);
            both.for_each(|(sum, &new)| *sum += f64::from(new));
        };
        let keep = |most: &mut Vec<f64>, new: &[f32]| {
            most.resize(new.len(), f64::NEG_INFINITY);
            let both = most.iter_mut().zip(new);
            both.for_each(|(most, &new)| *most = most.max(f64::from(new)));
        };
        sum(&mut self.mean, mean);
        sum(&mut self.square, square);
        keep(&mut self.largest, largest);
        keep(&mut self.negative, negative);
    }

    fn finish(self) -> Statistics {
        let mean: Vec<f64> = self.mean.iter().map(|sum| sum / self.batches).collect();
        let squares = self.square.iter().zip(&mean);
        Statistics {
            variance: squares
                .map(|(sum, mean)| (sum / self.batches - mean * mean).max(0.0))
                .collect(),
            mean,
            least: self.negative.into_iter().map(|most| -most).collect(),
            largest: self.largest,
        }
    }
}
