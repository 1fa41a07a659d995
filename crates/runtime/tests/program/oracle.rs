//! A network graph, as its author wrote it, evaluated in f64 with the operators of `testkit`.
//!
//! It reads forward graphs only. Gradients follow from differences of the loss, so autodiff, fusion,
//! folding, layouts and memory are all on the other side of the comparison.

use std::collections::HashMap;

use geometry::{ConvDesc, PoolDesc, PoolKind, Window};
use graph::{Activation, Graph, Op, Role};
use runtime::Program;
use testkit::loss::CrossEntropy;
use testkit::normalise::{BatchNorm, Statistics};
use testkit::{ConvCase, PoolCase, activation, compare};

/// Which statistics normalise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Training,
    Inference,
}

/// What is given to a network, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(pub(crate) HashMap<String, Vec<f64>>);

impl Given {
    /// The parameters and states of a program.
    pub(crate) fn of(program: &Program) -> Self {
        let mut given = HashMap::new();
        for slot in program.slots() {
            let values = &program.parameters()[slot.range.clone()];
            given.insert(slot.name.clone(), compare::widen(values));
        }
        for slot in program.states() {
            let values = &program.state()[slot.range.clone()];
            given.insert(slot.name.clone(), compare::widen(values));
        }
        Self(given)
    }

    /// With the network's images.
    pub(crate) fn images(mut self, images: &[f32]) -> Self {
        self.0.insert("images".to_owned(), compare::widen(images));
        self
    }
}

/// Every value of a network, and the running statistics after it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) values: Vec<Vec<f64>>,
    pub(crate) states: HashMap<String, Vec<f64>>,
}

impl Answer {
    /// The first output.
    pub(crate) fn output(&self, network: &Graph) -> &[f64] {
        &self.values[network.outputs[0].index()]
    }
}

/// Evaluates a network.
pub(crate) fn evaluate(network: &Graph, given: &Given, mode: Mode) -> Answer {
    let mut answer = Answer {
        values: vec![Vec::new(); network.values().len()],
        states: HashMap::new(),
    };
    for (id, value) in network.iter_values() {
        if value.role != Role::Computed {
            // What the passes took away, because no output depends on it, is nothing here.
            let nothing = || vec![0.0; value.shape.iter().product()];
            let values = given.0.get(&value.name).cloned();
            answer.values[id.index()] = values.unwrap_or_else(nothing);
        }
    }
    for node in &network.nodes {
        let x = |index: usize| &answer.values[node.inputs[index].index()];
        let shape = |index: usize| &network.value(node.inputs[index]).shape;
        let y = match &node.op {
            Op::Conv {
                desc,
                bias,
                residual: false,
                activation: None,
            } => {
                let bias = bias.then(|| x(2).as_slice());
                conv(desc, shape(0)).forward(x(0), x(1), bias)
            }
            Op::Linear { bias } => {
                let case = testkit::dense::DenseCase {
                    batch: shape(0)[0],
                    inputs: shape(0)[1],
                    outputs: shape(1)[0],
                };
                case.forward(x(0), x(1), bias.then(|| x(2).as_slice()))
            }
            Op::Pool { desc, .. } => match desc.kind {
                PoolKind::Max => pool(desc, shape(0)).max_forward(x(0)).values,
                PoolKind::Average { count_padding } => {
                    pool(desc, shape(0)).average_forward(x(0), count_padding)
                }
                PoolKind::Lp { order } => {
                    let p = order.millionths() as f64 / 1e6;
                    pool(desc, shape(0)).lp_forward(x(0), p)
                }
            },
            Op::GlobalAveragePool => {
                let area: usize = shape(0)[2..].iter().product();
                let planes = x(0).chunks_exact(area);
                planes
                    .map(|p| p.iter().sum::<f64>() / area as f64)
                    .collect()
            }
            Op::BatchNorm { epsilon, momentum } => {
                let norm = BatchNorm {
                    batch: shape(0)[0],
                    channels: shape(0)[1],
                    spatial: shape(0)[2..].iter().product(),
                    epsilon: f64::from(*epsilon),
                };
                let running = Statistics {
                    mean: x(3).clone(),
                    variance: x(4).clone(),
                };
                let used = match mode {
                    Mode::Training => norm.statistics(x(0)),
                    Mode::Inference => running.clone(),
                };
                let y = norm.forward(x(0), x(1), x(2), &used);
                if mode == Mode::Training {
                    let next = norm.running(&running, &used, f64::from(*momentum));
                    let name = |index: usize| network.value(node.inputs[index]).name.clone();
                    let next = [(name(3), next.mean), (name(4), next.variance)];
                    answer.states.extend(next);
                }
                y
            }
            Op::Activation(Activation::Relu) => activation::relu(x(0)),
            Op::Activation(Activation::Relu6) => activation::relu6(x(0)),
            Op::Add => x(0).iter().zip(x(1)).map(|(a, b)| a + b).collect(),
            Op::Concat => {
                let batch = shape(0)[0];
                let image = |index: usize, n: usize| {
                    let len = x(index).len() / batch;
                    &x(index)[n * len..(n + 1) * len]
                };
                (0..batch)
                    .flat_map(|n| (0..node.inputs.len()).map(move |index| (index, n)))
                    .flat_map(|(index, n)| image(index, n).iter().copied())
                    .collect()
            }
            Op::Flatten => x(0).clone(),
            Op::Softmax => testkit::loss::softmax(x(0), shape(0)[1]),
            other => panic!("a network holds no {other:?}"),
        };
        answer.values[node.outputs[0].index()] = y;
    }
    answer
}

/// The mean cross-entropy of a network in training.
pub(crate) fn loss(network: &Graph, given: &Given, labels: &[usize], smoothing: f64) -> f64 {
    loss_in(Mode::Training, network, given, labels, smoothing)
}

/// The mean cross-entropy of a network in either mode.
pub(crate) fn loss_in(
    mode: Mode,
    network: &Graph,
    given: &Given,
    labels: &[usize],
    smoothing: f64,
) -> f64 {
    let answer = evaluate(network, given, mode);
    let cross_entropy = CrossEntropy {
        classes: network.value(network.outputs[0]).shape[1],
        labels,
        smoothing,
    };
    cross_entropy.loss(answer.output(network))
}

fn conv(desc: &ConvDesc, input: &[usize]) -> ConvCase {
    let geometry = desc.resolve(input).expect("a verified network");
    let axis = |of: fn(&Window) -> usize| geometry.spatial().iter().map(of).collect::<Vec<_>>();
    ConvCase::new(
        input[0],
        input[1],
        desc.out_channels,
        &input[2..],
        axis(|w| w.kernel),
    )
    .stride(axis(|w| w.stride))
    .dilation(axis(|w| w.dilation))
    .padding_sides(axis(|w| w.before), axis(|w| w.after))
    .groups(desc.groups)
}

fn pool(desc: &PoolDesc, input: &[usize]) -> PoolCase {
    let geometry = desc.resolve(input).expect("a verified network");
    let windows = &geometry.windows[3 - geometry.rank..];
    let axis = |of: fn(&Window) -> usize| windows.iter().map(of).collect::<Vec<_>>();
    let case = PoolCase::new(input[0], input[1], &input[2..], axis(|w| w.kernel))
        .stride(axis(|w| w.stride))
        .dilation(axis(|w| w.dilation))
        .padding_sides(axis(|w| w.before), axis(|w| w.after));
    if desc.ceil { case.ceil() } else { case }
}
