//! What enters and leaves a run: given values, gradients, outputs, new states.

use graph::{Graph, ValueId};
use tensor::Layout;

use super::{Home, Lowering, Placed};
use crate::memory::Span;
use crate::regions::{Regions, within};
use crate::step::{Map, Work};

/// Where inputs, parameters and states are given.
pub(super) fn given(graph: &Graph, regions: &Regions) -> Vec<(ValueId, Span)> {
    let inputs = graph
        .inputs
        .iter()
        .copied()
        .zip(regions.inputs.iter().copied());
    let parameters = graph.parameters().zip(&regions.slots);
    let states = graph.states().zip(&regions.states);
    inputs
        .chain(parameters.map(|((id, _), slot)| (id, within(regions.parameters, &slot.range))))
        .chain(states.map(|((id, _), slot)| (id, within(regions.state, &slot.range))))
        .collect()
}

/// Where gradients and outputs are wanted.
pub(super) fn wanted(graph: &Graph, regions: &Regions) -> Vec<(ValueId, Span)> {
    let mut wanted = Vec::new();
    for ((id, _), slot) in graph.parameters().zip(&regions.slots) {
        let gradient = graph
            .gradients
            .iter()
            .find(|&&(parameter, _)| parameter == id);
        wanted.extend(gradient.map(|&(_, new)| (new, within(regions.gradients, &slot.range))));
    }
    wanted.extend(
        graph
            .outputs
            .iter()
            .copied()
            .zip(regions.outputs.iter().copied()),
    );
    wanted
}

impl Lowering<'_> {
    /// Brings to the edges what was not made there: gradients, outputs, and the states last, so
    /// that whatever reads a state reads the old one.
    pub(super) fn finish(&mut self) {
        for (id, span) in std::mem::take(&mut self.edges) {
            self.deliver(id, span, "output");
        }
        for &(state, new) in &self.graph.updates {
            if let Home::Fixed(span) = self.buffers[self.at(state).buffer.index()].home {
                self.deliver(new, span, "update");
            }
        }
    }

    fn deliver(&mut self, id: ValueId, span: Span, op: &'static str) {
        let Placed { buffer: x, lies } = self.at(id);
        if self.buffers[x.index()].home == Home::Fixed(span) {
            return;
        }
        self.layer.clone_from(&self.graph.value(id).name);
        self.op = op;
        let y = self.buffer(span.len, Home::Fixed(span));
        let map = self.map(id);
        let work = if lies == Layout::Nchw || map.is_orderless() {
            Work::Copy { x, y }
        } else {
            Work::Reorder {
                map: Map {
                    layout: lies,
                    ..map
                },
                to: Layout::Nchw,
                x,
                y,
            }
        };
        self.emit(false, work);
    }
}
