//! A network as a table: a row a layer, and totals.

use std::collections::{HashMap, HashSet};

use geometry::{InputShape, Problem};

use crate::cost::elements;
use crate::families::{PoolingOp, TransposedOp};
use crate::per_image::PerImage;
use crate::traffic::Traffic;
use crate::{Graph, Node, Op, Role, ValueId};

/// One layer of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSummary {
    /// Its name.
    pub layer: String,
    /// Its operator.
    pub op: &'static str,
    /// The shape it makes.
    pub output: Vec<usize>,
    /// That of one image: without the axis of the batch, wherever it lies.
    pub of_image: Vec<usize>,
    /// Settings of a window operation as the problem notation writes them (`o64k7s2p3`), else empty.
    pub kernel: String,
    /// Learned numbers; of those that layers share, the first layer has them all.
    pub parameters: u64,
    /// Multiply-accumulates on one image; nothing where the operator's work is not counted.
    pub macs: Option<u64>,
    /// Bytes it moves for one image; see [`Traffic::bytes_moved`].
    pub bytes: u64,
    /// It belongs to an auxiliary head: it is computed in training only.
    pub auxiliary: bool,
}

impl LayerSummary {
    /// Operations for each byte that is moved, two for every multiply-accumulate: below the processor's
    /// own ratio of both, memory is what a layer waits for (Williams et al. 2009). Nothing where
    /// multiply-accumulates are not the work.
    pub fn intensity(&self) -> Option<f64> {
        let macs = self.macs.filter(|_| self.bytes > 0)?;
        Some(2.0 * macs as f64 / self.bytes as f64)
    }
}

/// A network as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// A row a layer, in the order of execution.
    pub rows: Vec<LayerSummary>,
    /// Learned numbers, running statistics not among them.
    pub parameters: u64,
    /// Those of them that only auxiliary heads read.
    pub auxiliary_parameters: u64,
    /// Multiply-accumulates of a forward run on one image, without auxiliary heads.
    pub macs: u64,
    /// Those that auxiliary heads add to a forward run in training.
    pub auxiliary_macs: u64,
    /// Operators in the network whose work is not counted, each once.
    pub not_counted: Vec<&'static str>,
}

/// The table of a forward graph.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::{NetworkBuilder, summary};
///
/// let mut network = NetworkBuilder::new("stem", [8, 3, 224, 224]);
/// let x = network.input();
/// let x = network.conv("conv1", x, ConvDesc::new(64, 7).stride(2).padding(3), false)?;
/// let table = summary(&network.finish(x)?);
/// assert_eq!(table.rows[0].kernel, "o64k7s2p3");
/// assert_eq!((table.parameters, table.macs), (9_408, 118_013_952));
/// # Ok::<(), graph::GraphError>(())
/// ```
pub fn summary(network: &Graph) -> Summary {
    let mut counted = Counted::default();
    let (per_image, traffic) = (PerImage::of(network), Traffic::of(network));
    let mut summary = Summary {
        rows: Vec::new(),
        parameters: 0,
        auxiliary_parameters: 0,
        macs: 0,
        auxiliary_macs: 0,
        not_counted: Vec::new(),
    };
    let auxiliary = only_auxiliary(network);
    for (node, auxiliary) in network.nodes.iter().zip(auxiliary) {
        let inputs: Vec<_> = node.inputs.iter().map(|&id| network.value(id)).collect();
        let parameters = node
            .inputs
            .iter()
            .filter(|&&id| matches!(network.value(id).role, Role::Parameter { .. }))
            .map(|&id| counted.new_of(network, id))
            .fold(0, u64::saturating_add);
        let macs = node.op.macs(&inputs);
        let macs = macs.map(|macs| macs.saturating_mul(per_image.runs(network, node)));
        let add = |total: &mut u64, count| *total = total.saturating_add(count);
        add(&mut summary.parameters, parameters);
        if auxiliary {
            add(&mut summary.auxiliary_parameters, parameters);
            add(&mut summary.auxiliary_macs, macs.unwrap_or(0));
        } else {
            add(&mut summary.macs, macs.unwrap_or(0));
        }
        if macs.is_none() && !summary.not_counted.contains(&node.op.name()) {
            summary.not_counted.push(node.op.name());
        }
        let output = node.outputs.first().copied();
        summary.rows.push(LayerSummary {
            layer: node.layer.clone(),
            op: node.op.name(),
            output: (output.map(|id| network.value(id).shape.clone())).unwrap_or_default(),
            of_image: (output.map(|id| per_image.shape(network, id))).unwrap_or_default(),
            kernel: kernel(network, node).unwrap_or_default(),
            parameters,
            macs,
            bytes: traffic.bytes_moved(node),
            auxiliary,
        });
    }
    summary
}

/// The parameters that were counted. Of numbers that are stored once those of a second parameter are no more.
#[derive(Default)]
struct Counted {
    parameters: HashSet<ValueId>,
    /// What is left to be counted of stored tensors.
    left: HashMap<u32, u64>,
}

impl Counted {
    /// Numbers of a parameter that were not counted yet.
    fn new_of(&mut self, network: &Graph, id: ValueId) -> u64 {
        if !self.parameters.insert(id) {
            return 0;
        }
        let numbers = elements(&network.value(id).shape).unwrap_or(0);
        let Some(stored) = network.stored_as(id) else {
            return numbers;
        };
        let left = self.left.entry(stored.tensor).or_insert(stored.numbers);
        let new = numbers.min(*left);
        *left -= new;
        new
    }
}

/// For every node whether auxiliary heads alone need it.
pub(crate) fn only_auxiliary(network: &Graph) -> Vec<bool> {
    let heads = network.auxiliary.iter().map(|&(logits, _)| logits);
    let by_heads = network.needed_for(heads).into_iter();
    let both = by_heads.zip(network.needed_for(network.outputs.iter().copied()));
    both.map(|(head, output)| head && !output).collect()
}

/// The settings part of the problem that a window operation is.
fn kernel(network: &Graph, node: &Node) -> Option<String> {
    let input = InputShape::new(&network.value(*node.inputs.first()?).shape).ok()?;
    let problem = match &node.op {
        Op::Conv { desc, .. } => Problem::Conv(input, desc.clone()),
        Op::Pool { desc, .. } => Problem::Pool(input, desc.clone()),
        Op::Pooling(PoolingOp::Adaptive { desc, .. }) => Problem::AdaptivePool(input, desc.clone()),
        Op::Transposed(TransposedOp::Conv { desc, .. }) => {
            Problem::ConvTransposed(input, desc.clone())
        }
        _ => return None,
    };
    let text = problem.to_string();
    text.rsplit(':').next().map(str::to_owned)
}
