//! What different programs mean by the operations of a network.

use std::fmt;
use std::str::FromStr;

use geometry::ResizeFilter;

use crate::cost::elements;
use crate::families::{
    Affine, DeformableOp, NormOp, PoolingOp, SamplingOp, SoftmaxOp, TransposedOp, UnaryOp,
};
use crate::per_image::PerImage;
use crate::{Activation, Graph, Node, Op, Value};

/// Whose operations are counted. Networks are counted as they stand, a batch norm as one, without heads
/// for training.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::{Counting, NetworkBuilder};
///
/// let mut network = NetworkBuilder::new("biased", [1, 3, 8, 8]);
/// let x = network.input();
/// let y = network.conv("conv", x, ConvDesc::new(4, 3), true)?;
/// let network = network.finish(y)?;
/// let count = |counting: Counting| counting.operations(&network, &network.nodes[0]);
/// assert_eq!(count(Counting::Convolve), Some(36 * 4 * 27));
/// assert_eq!(count(Counting::Ptflops), Some(36 * 4 * (27 + 1)));
/// assert_eq!(count(Counting::Torch), Some(2 * 36 * 4 * 27));
/// # Ok::<(), graph::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Counting {
    /// This program's: [`Op::macs`].
    #[default]
    Convolve,
    /// `fvcore.nn.FlopCountAnalysis` 0.1.5, whose flop is a multiply-accumulate: no biases; norms,
    /// resizing and adaptive averages by the element.
    Fvcore,
    /// `torchinfo.summary` 1.8, "mult-adds": every parameter once for each place of the output of a
    /// convolution, and once in all of another layer. A transposed convolution counts at its output.
    Torchinfo,
    /// `ptflops.get_model_complexity_info` 0.7.5 with the PyTorch backend, "MACs": biases, norms, pools
    /// and activations are counted, and a ReLU, a pool and a resizing that are modules twice: the module,
    /// and the function it calls. A graph does not tell the two apart; every one is taken for a module.
    Ptflops,
    /// `torch.utils.flop_counter.FlopCounterMode`: two for each multiply-accumulate of convolutions and
    /// matrix products, and nothing else.
    Torch,
}

/// The operations of a network by one way of counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Those of each node, in the order of [`Graph::nodes`]; nothing where none are counted.
    pub nodes: Vec<Option<u64>>,
    /// Their sum, without heads for training.
    pub total: u64,
}

impl Counting {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Convolve,
        Self::Fvcore,
        Self::Torchinfo,
        Self::Ptflops,
        Self::Torch,
    ];

    /// What is counted, in words.
    pub fn convention(self) -> &'static str {
        match self {
            Self::Convolve => {
                "multiply-accumulates of one image, products with padding counted, biases not; \
                 a FLOP count is twice that"
            }
            Self::Fvcore => {
                "as fvcore counts flops: multiply-accumulates, no biases; 2 an element of a batch norm, \
                 5 of another norm, 1 of an adaptive average's input, 1 or 4 of what is resized"
            }
            Self::Torchinfo => {
                "as torchinfo counts mult-adds: each parameter, biases too, once for every place of a \
                 convolution's output, and once of other layers"
            }
            Self::Ptflops => {
                "as ptflops counts MACs: multiply-accumulates and biases; 2 an element of a norm, of a pool's \
                 input, of a ReLU and of what is resized, which it counts as modules and as functions"
            }
            Self::Torch => {
                "as torch's FlopCounterMode counts flops: two for each multiply-accumulate of \
                 convolutions and matrix products"
            }
        }
    }

    /// The operations of a forward node for the batch its graph was built for (this program's own: for
    /// one image); nothing where none are counted.
    pub fn operations(self, network: &Graph, node: &Node) -> Option<u64> {
        self.operations_of(network, &PerImage::of(network), node)
    }

    fn operations_of(self, network: &Graph, per_image: &PerImage, node: &Node) -> Option<u64> {
        let inputs: Vec<&Value> = node.inputs.iter().map(|&id| network.value(id)).collect();
        let macs = || node.op.macs(&inputs);
        let runs = per_image.runs(network, node);
        if self == Self::Convolve {
            return macs().map(|macs| macs.saturating_mul(runs));
        }
        let input = inputs.first().map(|value| value.shape.as_slice());
        let output = network.value(*node.outputs.first()?).shape.as_slice();
        let batch = output.first().map_or(1, |&batch| batch as u64);
        let case = Case {
            op: &node.op,
            macs: macs().map(|macs| macs.saturating_mul(batch)),
            input: input.and_then(elements).unwrap_or(0),
            output: elements(output).unwrap_or(0),
            images: batch / runs.max(1),
            parameters: learned(network, node),
        };
        match self {
            Self::Convolve => case.macs,
            Self::Fvcore => case.fvcore(),
            Self::Torchinfo => case.torchinfo(output),
            Self::Ptflops => case.ptflops(),
            Self::Torch => case.torch(),
        }
    }

    /// Counts a whole network.
    pub fn count(self, network: &Graph) -> Count {
        let per_image = PerImage::of(network);
        let nodes: Vec<_> = network
            .nodes
            .iter()
            .map(|node| self.operations_of(network, &per_image, node))
            .collect();
        let auxiliary = crate::summary::only_auxiliary(network);
        let counted = nodes
            .iter()
            .zip(auxiliary)
            .filter(|(_, training)| !training);
        let total = counted.fold(0u64, |sum, (count, _)| {
            sum.saturating_add(count.unwrap_or(0))
        });
        Count { nodes, total }
    }
}

/// Learned numbers that a node reads.
fn learned(network: &Graph, node: &Node) -> u64 {
    let values = node.inputs.iter().map(|&id| network.value(id));
    let learned = values.filter(|value| matches!(value.role, crate::Role::Parameter { .. }));
    learned.filter_map(|value| elements(&value.shape)).sum()
}

/// A node, and the numbers that all rules are made of.
struct Case<'a> {
    op: &'a Op,
    /// Of the whole batch.
    macs: Option<u64>,
    input: u64,
    output: u64,
    /// Those that lie in the first axis: a layer of vectors may read the places of a map as its batch.
    images: u64,
    parameters: u64,
}

impl Case<'_> {
    fn is_convolution(&self) -> bool {
        matches!(
            self.op,
            Op::Conv { .. } | Op::Transposed(TransposedOp::Conv { .. })
        )
    }

    fn has_bias(&self) -> bool {
        matches!(
            self.op,
            Op::Conv { bias: true, .. }
                | Op::Linear { bias: true }
                | Op::Transposed(TransposedOp::Conv { bias: true, .. })
                | Op::Deformable(DeformableOp::Conv { bias: true, .. })
        )
    }

    fn fvcore(&self) -> Option<u64> {
        match self.op {
            Op::Conv { .. } | Op::Linear { .. } | Op::Transposed(TransposedOp::Conv { .. }) => {
                self.macs
            }
            Op::BatchNorm { .. } => Some(2 * self.input),
            Op::Norm(NormOp::Group { affine, .. } | NormOp::Layer { affine, .. }) => {
                let each = if *affine == Affine::None { 4 } else { 5 };
                Some(each * self.input)
            }
            Op::GlobalAveragePool => Some(self.input),
            Op::Pooling(PoolingOp::Adaptive { desc, .. })
                if desc.kind == geometry::AdaptiveKind::Average =>
            {
                Some(self.input)
            }
            Op::Sampling(SamplingOp::Resize { resizing }) => match resizing.desc.filter {
                ResizeFilter::Nearest(_) => Some(self.output),
                ResizeFilter::Linear { antialias: false } => Some(4 * self.output),
                _ => None,
            },
            Op::Sampling(SamplingOp::GridSample { .. }) => Some(4 * self.output),
            _ => None,
        }
    }

    fn torchinfo(&self, output: &[usize]) -> Option<u64> {
        if self.parameters == 0 {
            return None;
        }
        let places = match self.is_convolution() || matches!(self.op, Op::Deformable(_)) {
            true => output.iter().skip(2).map(|&n| n as u64).product(),
            false => 1,
        };
        Some(
            self.parameters
                .saturating_mul(places)
                .saturating_mul(self.images),
        )
    }

    fn ptflops(&self) -> Option<u64> {
        // It counts the module, and once more the function that the module calls.
        const TWICE: u64 = 2;
        let bias = if self.has_bias() { self.output } else { 0 };
        match self.op {
            Op::Conv { .. } | Op::Linear { .. } | Op::Transposed(TransposedOp::Conv { .. }) => {
                self.macs.map(|macs| macs.saturating_add(bias))
            }
            Op::BatchNorm { .. } => Some(2 * self.input),
            Op::Norm(NormOp::Group { affine, .. } | NormOp::Layer { affine, .. }) => {
                let each = if *affine == Affine::None { 1 } else { 2 };
                Some(each * self.input)
            }
            Op::Pool { .. } | Op::GlobalAveragePool | Op::Pooling(PoolingOp::Adaptive { .. }) => {
                Some(TWICE * self.input)
            }
            Op::Activation(Activation::Relu) | Op::Unary(UnaryOp::Prelu) => {
                Some(TWICE * self.output)
            }
            Op::Activation(Activation::Relu6) => Some(self.output),
            Op::Unary(UnaryOp::Apply(f)) => match f.name() {
                "elu" | "gelu" => Some(TWICE * self.output),
                "leaky relu" => Some(self.output),
                _ => None,
            },
            Op::Softmax | Op::Softmaxes(SoftmaxOp::Along { .. }) => Some(self.input),
            Op::Sampling(SamplingOp::Resize { .. }) => Some(TWICE * self.output),
            _ => None,
        }
    }

    fn torch(&self) -> Option<u64> {
        let counted = self.is_convolution() || matches!(self.op, Op::Linear { .. });
        self.macs.filter(|_| counted).map(|macs| 2 * macs)
    }
}

impl fmt::Display for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Convolve => "convolve",
            Self::Fvcore => "fvcore",
            Self::Torchinfo => "torchinfo",
            Self::Ptflops => "ptflops",
            Self::Torch => "torch",
        })
    }
}

impl FromStr for Counting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|way| way.to_string() == text);
        found.ok_or_else(|| {
            format!("'{text}' is none of convolve, fvcore, torchinfo, ptflops, torch")
        })
    }
}
