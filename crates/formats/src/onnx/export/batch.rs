//! Which values have the batch as their first axis, so that it can be left open.
//!
//! A graph is made for one batch, a model need not be. The analysis follows the first axis of the inputs from operator
//! to operator. It ends without an answer where the batch would become part of something else: a reshape that takes it
//! in, a permutation that moves it, a sum with a constant of as many rows.

use geometry::Reduction;
use graph::{
    ArithmeticOp, DeformableOp, Graph, Node, NormOp, Op, PoolingOp, RearrangeOp, RegionOp,
    SamplingOp, SoftmaxOp, TransposedOp, UnaryOp,
};

/// Of every value whether its first axis is the batch; nothing if the batch cannot be left open.
pub(super) fn open(graph: &Graph, live: &[bool]) -> Option<Vec<bool>> {
    let mut open = vec![false; graph.values().len()];
    let batch = *graph.value(*graph.inputs.first()?).shape.first()?;
    for &id in &graph.inputs {
        open[id.index()] = graph.value(id).shape.first() == Some(&batch);
    }
    let nodes = || graph.nodes.iter().zip(live).filter(|(_, live)| **live);
    // Regions of all images lie in one list.
    for (node, _) in nodes() {
        if let Op::Region(_) = node.op {
            for id in &node.inputs[1..] {
                open[id.index()] = false;
            }
        }
    }
    for (node, _) in nodes() {
        let reader = Reader {
            graph,
            node,
            open: &open,
        };
        let made = reader.made()?;
        for id in &node.outputs {
            open[id.index()] = made;
        }
    }
    Some(open)
}

/// A node, and what is known of its inputs.
struct Reader<'a> {
    graph: &'a Graph,
    node: &'a Node,
    open: &'a [bool],
}

impl Reader<'_> {
    fn open(&self, place: usize) -> bool {
        self.open[self.node.inputs[place].index()]
    }

    fn shape(&self, place: usize) -> &[usize] {
        &self.graph.value(self.node.inputs[place]).shape
    }

    /// Whether the batch is the first axis of what the node makes; nothing if it is somewhere else.
    fn made(&self) -> Option<bool> {
        let last = self.node.inputs.len().saturating_sub(1);
        match &self.node.op {
            Op::Conv { residual: true, .. }
            | Op::Transposed(TransposedOp::Conv { residual: true, .. })
            | Op::BatchNormInference { residual: true, .. } => self.maps(&[0, last]),
            Op::Conv { .. }
            | Op::Transposed(TransposedOp::Conv { .. })
            | Op::BatchNorm { .. }
            | Op::BatchNormInference { .. }
            | Op::Linear { .. }
            | Op::Pool { .. }
            | Op::GlobalAveragePool
            | Op::Activation(_)
            | Op::ChannelSlice { .. }
            | Op::Flatten
            | Op::Dropout { .. }
            | Op::Softmax
            | Op::Norm(NormOp::Group { .. } | NormOp::Channel { .. } | NormOp::LocalResponse(_))
            | Op::Pooling(PoolingOp::Adaptive { .. })
            | Op::Unary(UnaryOp::Apply(_) | UnaryOp::Prelu)
            | Op::Sampling(SamplingOp::Resize { .. } | SamplingOp::AffineGrid { .. })
            | Op::Rearrange(
                RearrangeOp::PixelShuffle { .. }
                | RearrangeOp::PixelUnshuffle { .. }
                | RearrangeOp::ChannelShuffle { .. },
            ) => self.maps(&[0]),
            Op::Norm(NormOp::Layer { axis, .. }) => self.unless(*axis == 0),
            Op::Softmaxes(SoftmaxOp::Along { axis, .. }) => self.unless(*axis == 0),
            Op::Concat => self.maps(&(0..=last).collect::<Vec<_>>()),
            Op::Add | Op::Arithmetic(ArithmeticOp::Binary(_) | ArithmeticOp::Select) => {
                self.broadcast()
            }
            Op::Arithmetic(ArithmeticOp::Reduce { axes, .. }) => {
                let reduction = Reduction::resolve(axes, self.shape(0)).ok()?;
                self.unless(reduction.input_shape().is_empty() || reduction.is_reduced(0))
            }
            Op::Unflatten { shape } | Op::Rearrange(RearrangeOp::Reshape { shape }) => {
                let rows = |shape: &[usize]| shape.first().copied();
                self.unless(rows(shape) != rows(self.shape(0)))
            }
            Op::Rearrange(RearrangeOp::Pad { desc, .. }) => {
                self.unless(desc.amounts.first() != Some(&(0, 0)))
            }
            Op::Rearrange(RearrangeOp::Slice { desc }) => {
                let geometry = desc.resolve(self.shape(0)).ok()?;
                let whole = |axis: &geometry::SliceAxis| axis.count == axis.input && axis.step == 1;
                self.unless(!geometry.axes().first().is_some_and(whole))
            }
            Op::Rearrange(RearrangeOp::Concat { axis }) => {
                let open = self.maps(&(0..=last).collect::<Vec<_>>())?;
                let first = *axis == 0 || *axis == -(self.shape(0).len() as i64);
                (!(open && first)).then_some(open)
            }
            Op::Rearrange(RearrangeOp::Permute { axes }) => self.unless(axes.first() != Some(&0)),
            Op::Pooling(PoolingOp::MaxUnpool { desc }) => {
                let open = self.maps(&[0, 1])?;
                (!(open && desc.output.is_some())).then_some(open)
            }
            Op::Deformable(DeformableOp::Conv { desc, .. }) => match desc.modulated {
                true => self.maps(&[0, 1, 2]),
                false => self.maps(&[0, 1]),
            },
            Op::Sampling(SamplingOp::GridSample { .. }) => self.maps(&[0, 1]),
            Op::Region(
                RegionOp::Align { .. } | RegionOp::Max { .. } | RegionOp::Average { .. },
            ) => {
                // A row of the result is a region.
                let regions = 1..=last;
                regions
                    .into_iter()
                    .all(|place| !self.open(place))
                    .then_some(false)
            }
            Op::Fill { .. } => Some(false),
            _ => self
                .node
                .inputs
                .iter()
                .all(|id| !self.open[id.index()])
                .then_some(false),
        }
    }

    /// The inputs at these places are maps, all with the batch or all without; the others are parameters, which
    /// have none.
    fn maps(&self, places: &[usize]) -> Option<bool> {
        let open = self.open(*places.first()?);
        let fits = |place| self.open(place) == (open && places.contains(&place));
        (0..self.node.inputs.len()).all(fits).then_some(open)
    }

    /// One map, whose batch may not be there if `lost`.
    fn unless(&self, lost: bool) -> Option<bool> {
        let open = self.maps(&[0])?;
        (!(open && lost)).then_some(open)
    }

    /// Operands that are broadcast against each other, aligned at their last axes.
    fn broadcast(&self) -> Option<bool> {
        let places = 0..self.node.inputs.len();
        let rank = places.clone().map(|place| self.shape(place).len()).max()?;
        let open = places.clone().any(|place| self.open(place));
        let fits = |place| {
            let shape = self.shape(place);
            match self.open(place) {
                true => shape.len() == rank,
                false => shape.len() < rank || shape.first().is_none_or(|&rows| rows == 1),
            }
        };
        (!open || places.clone().all(fits)).then_some(open)
    }
}
