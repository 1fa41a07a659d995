//! What an import takes, put to account as it grows.

use graph::{ArithmeticOp, Node, Op, Value, ValueId};

use super::{Constant, Importer, Places, Value as Known};
use crate::onnx::OnnxError;
use crate::onnx::budget::piece;
use crate::onnx::error::Fault;

/// Values that one node makes at most, or that are added beside it.
const AT_ONCE: usize = 16;

/// Bytes of a constant that are put to account with it. Who makes a larger one books its elements before.
const SMALL: usize = 512;

impl Importer<'_> {
    /// Adds a node and gives its results.
    pub(super) fn append(
        &mut self,
        op: Op,
        layer: &str,
        inputs: Vec<ValueId>,
    ) -> Result<Vec<ValueId>, Fault> {
        self.make_room()?;
        let made = self.graph.append(op, layer, inputs)?;
        if let Some(node) = self.graph.nodes.last() {
            let mut bytes = piece(node.layer.len()) + lists(&node.op, self.graph.value(made[0]));
            bytes += piece(size_of_val(&*node.inputs)) + piece(size_of_val(&*node.outputs));
            for &id in &made {
                bytes += of_value(self.graph.value(id));
            }
            self.budget.take(bytes)?;
        }
        Ok(made)
    }

    /// Makes room for one more node and what it makes, a quarter more at a time: a list that doubles would for a
    /// moment be there three times.
    pub(super) fn make_room(&mut self) -> Result<(), OnnxError> {
        let (nodes, values) = (self.graph.nodes.len(), self.graph.values().len());
        if nodes < self.room.0 && values + AT_ONCE <= self.room.1 {
            return Ok(());
        }
        let room = (nodes + nodes / 4 + 16, values + values / 4 + 2 * AT_ONCE);
        let room = (room.0.max(self.room.0), room.1.max(self.room.1));
        let size = |(nodes, values)| nodes * size_of::<Node>() + values * size_of::<Value>();
        // While a list moves, the old one is still there.
        self.budget.check(size(room))?;
        self.budget.take(size(room) - size(self.room))?;
        self.graph.reserve(room.0 - nodes, room.1 - values);
        self.room = room;
        Ok(())
    }

    /// Makes room for so many nodes of one value each, if there may be so much.
    pub(super) fn expect_nodes(&mut self, count: usize) {
        let room = (count, count.saturating_add(2 * AT_ONCE));
        let bytes = room.0.saturating_mul(size_of::<Node>());
        let bytes = bytes.saturating_add(room.1.saturating_mul(size_of::<Value>()));
        if self.budget.take(bytes).is_ok() {
            self.graph.reserve(room.0, room.1);
            self.room = room;
        }
    }
}

/// What it takes to keep a value of the model, without the elements of a large constant: who makes these books them.
pub(super) fn of_kept(value: &Known) -> usize {
    match value {
        Known::Constant(constant) => {
            let small = match constant.elements.bytes() {
                _ if constant.elements.is_in_file() => 0,
                // A count of those who share them stands beside the elements.
                small @ 0..=SMALL => piece(small) + piece(24),
                _ => 0,
            };
            piece(size_of::<Constant>()) + piece(size_of_val(constant.elements.shape())) + small
        }
        Known::Places(places) => {
            let plane = size_of_val(&*places.numbering.plane);
            piece(size_of::<Places>()) + piece(plane)
        }
        Known::Input(_) | Known::Tensor(_) => 0,
    }
}

/// What goes with the last one who has the elements of a large constant.
pub(super) fn of_elements(value: &Known) -> usize {
    match value {
        Known::Constant(constant) => {
            let own = match constant.elements.bytes() {
                large if large > SMALL && constant.elements.is_alone() => large,
                _ => 0,
            };
            let read = constant.read.as_ref().filter(|read| read.is_alone());
            own + read.map_or(0, |read| read.bytes().len())
        }
        _ => 0,
    }
}

/// What a value of the graph points to.
fn of_value(value: &Value) -> usize {
    piece(value.name.len()) + piece(size_of_val(&*value.shape))
}

/// What the lists of an operator take: windows have some numbers for every axis.
fn lists(op: &Op, made: &Value) -> usize {
    match op {
        Op::Add | Op::Unary(_) | Op::Activation(_) => 0,
        Op::Arithmetic(ArithmeticOp::Binary(_)) => 0,
        _ => 6 * piece(size_of_val(&*made.shape)) + 128,
    }
}
