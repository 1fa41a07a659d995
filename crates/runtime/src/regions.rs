//! The fixed part of a program's memory: what lives from run to run or passes its edges.

use std::ops::Range;

use graph::Graph;

use crate::memory::{Row, Span};
use crate::slots::{self, Slot, StateSlot};

/// The regions in front of the arena.
#[derive(Clone, Debug)]
pub(crate) struct Regions {
    pub(crate) slots: Vec<Slot>,
    pub(crate) states: Vec<StateSlot>,
    pub(crate) parameters: Span,
    /// As long as the parameters, or empty where the graph has no gradients.
    pub(crate) gradients: Span,
    pub(crate) state: Span,
    /// One an input, channels first.
    pub(crate) inputs: Vec<Span>,
    /// One an output, channels first.
    pub(crate) outputs: Vec<Span>,
    /// Where the arena starts.
    pub(crate) end: usize,
}

impl Regions {
    /// The regions of a verified graph; `None` past what can be addressed.
    pub(crate) fn of(graph: &Graph) -> Option<Self> {
        let (slots, parameters) = slots::parameters(graph)?;
        let (states, state) = slots::states(graph)?;
        let gradients = if graph.gradients.is_empty() {
            0
        } else {
            parameters
        };
        let mut row = Row::default();
        let parameters = row.push(parameters)?;
        let gradients = row.push(gradients)?;
        let state = row.push(state)?;
        let mut spans = |ids: &[graph::ValueId]| {
            ids.iter()
                .map(|&id| row.push(slots::len(graph.value(id))))
                .collect::<Option<Vec<_>>>()
        };
        let inputs = spans(&graph.inputs)?;
        let outputs = spans(&graph.outputs)?;
        Some(Self {
            slots,
            states,
            parameters,
            gradients,
            state,
            inputs,
            outputs,
            end: row.end(),
        })
    }

    /// Elements of the inputs and the outputs together.
    pub(crate) fn edges(&self) -> usize {
        let both = self.inputs.iter().chain(&self.outputs);
        both.map(|span| span.len).sum()
    }
}

/// The part of a region that a slot's range names.
pub(crate) fn within(region: Span, range: &Range<usize>) -> Span {
    Span {
        start: region.start + range.start,
        len: range.len(),
    }
}
