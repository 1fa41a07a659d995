//! Convolutions that are made together, row by row: see [`ChainPlan`].

use std::collections::HashSet;
use std::sync::Arc;

use geometry::ConvGeometry;
use graph::{Node, Op, ValueId};
use kernels::conv::{ChainPlan, ConvOptions};
use tensor::Layout;

use super::Lowering;
use crate::RuntimeError;
use crate::step::{ChainLink, Work};

impl Lowering<'_> {
    /// The chain that begins with a node, if making its maps together is expected to pay: the places of
    /// its nodes. Between them stands nothing but what makes their weights.
    pub(super) fn chain_from(&self, index: usize) -> Option<(Vec<usize>, ChainPlan)> {
        if self.options.algorithm.is_some() {
            return None;
        }
        let mut made: HashSet<ValueId> = HashSet::new();
        let (mut places, mut geometries) = (Vec::new(), Vec::new());
        for (place, node) in self.graph.nodes.iter().enumerate().skip(index) {
            let is_constant = |id: &ValueId| self.constant[id.index()] || made.contains(id);
            let joins = places.last().is_none_or(|&last| self.joins(last, node));
            if let Some(link) = self.link(node, is_constant).filter(|_| joins) {
                places.push(place);
                geometries.push(link);
                if places.len() == ChainPlan::MOST_LINKS {
                    break;
                }
            } else if !places.is_empty() && node.inputs.iter().all(is_constant) {
                made.extend(&node.outputs);
            } else {
                break;
            }
        }
        let options = ConvOptions {
            isa: self.options.isa,
            ..ConvOptions::default()
        };
        // The chain whose result is the smallest: that one goes through memory. The longest of several.
        let mut counts: Vec<usize> = (2..=places.len()).collect();
        let left = |count: &usize| {
            let last = &geometries[count - 1];
            (last.out_channels * last.output_area(), usize::MAX - count)
        };
        counts.sort_by_key(left);
        counts.into_iter().find_map(|count| {
            let links = &geometries[..count];
            let chain = ChainPlan::pays(links).then(|| ChainPlan::new(links, options));
            Some((places[..count].to_vec(), chain.flatten()?))
        })
    }

    /// A convolution channels last whose weight stays the same from run to run.
    fn link(&self, node: &Node, is_constant: impl Fn(&ValueId) -> bool) -> Option<ConvGeometry> {
        let Op::Conv { desc, .. } = &node.op else {
            return None;
        };
        let (x, weight) = (&node.inputs[0], &node.inputs[1]);
        let fits = (self.layout)(node) == Layout::Nhwc && is_constant(weight) && !is_constant(x);
        let shape = &self.graph.value(*x).shape;
        fits.then(|| desc.resolve(shape).ok()).flatten()
    }

    /// Nothing but the second node reads what the first one makes, and that as its map.
    fn joins(&self, first: usize, second: &Node) -> bool {
        let first = &self.graph.nodes[first];
        let between = first.outputs[0];
        let reader = self.only_reader(between);
        reader.is_some_and(|reader| std::ptr::eq(reader, second))
            && second.inputs[0] == between
            && !self.reserved.contains_key(&between)
            && !matches!(first.op, Op::Conv { residual: true, .. })
    }

    /// Makes the nodes of a chain in one step, which goes by the name of the last; what stands between
    /// them is made before.
    pub(super) fn chain(&mut self, places: &[usize], plan: ChainPlan) -> Result<(), RuntimeError> {
        let graph = self.graph;
        let (start, end) = (places[0], places[places.len() - 1]);
        for place in (start..=end).filter(|place| !places.contains(place)) {
            self.node(&graph.nodes[place])?;
        }
        let nodes: Vec<_> = places.iter().map(|&place| &graph.nodes[place]).collect();
        let between: Vec<_> = nodes[1..].iter().map(|node| node.inputs[0]).collect();
        let mut links = Vec::new();
        let mut residual = None;
        for (index, node) in nodes.iter().enumerate() {
            self.begin(node, &between);
            let link = Arc::new(plan.plan(index).clone());
            let packed = self.packed(node.inputs[1], &link);
            let epilogue = self.epilogue(node, Layout::Nhwc);
            residual = epilogue.residual;
            links.push(ChainLink {
                packed,
                bias: epilogue.bias,
                activation: epilogue.activation,
            });
        }
        let (first, last) = (nodes[0], nodes[nodes.len() - 1]);
        for node in &nodes[..nodes.len() - 1] {
            self.needs_no_step(node);
        }
        let x = self.in_layout(first.inputs[0], Layout::Nhwc);
        let y = self.result(last.outputs[0], Layout::Nhwc);
        let scratch = self.scratch(plan.scratch_len(self.threads));
        self.push(Work::ConvChain {
            plan: Arc::new(plan),
            x,
            links,
            residual,
            y,
            scratch,
        });
        Ok(())
    }
}
