//! Where each parameter and each state lies in its flat buffer.

use std::ops::Range;

use graph::{Graph, Init, ParameterKind, Role, Value};

use crate::memory::Row;

/// A parameter in [`Program::parameters`](crate::Program::parameters); its gradient has the same
/// range in [`Program::gradients`](crate::Program::gradients).
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Full name, such as `layer1.0.conv1.weight`.
    pub name: String,
    /// Extents, OIHW for the weight of a convolution.
    pub shape: Vec<usize>,
    /// Its elements in the flat buffer. It starts on a cache line; the gap after it is zero.
    pub range: Range<usize>,
    /// What it is for.
    pub kind: ParameterKind,
    /// How it starts.
    pub init: Init,
    /// It learns; a frozen one has a gradient of zero and is to be left as it is.
    pub trainable: bool,
}

/// A running statistic in [`Program::state`](crate::Program::state).
#[derive(Clone, Debug, PartialEq)]
pub struct StateSlot {
    /// Full name, such as `bn1.running_mean`.
    pub name: String,
    /// Extents.
    pub shape: Vec<usize>,
    /// Its elements in the flat buffer.
    pub range: Range<usize>,
    /// How every element starts.
    pub init: f32,
}

/// The slots of all parameters, in the graph's order, and the length of the flat buffer; `None`
/// past what can be addressed.
pub(crate) fn parameters(graph: &Graph) -> Option<(Vec<Slot>, usize)> {
    let mut row = Row::default();
    let mut slots = Vec::new();
    for (_, value) in graph.parameters() {
        if let Role::Parameter {
            kind,
            init,
            trainable,
            ..
        } = value.role
        {
            slots.push(Slot {
                name: value.name.clone(),
                shape: value.shape.clone(),
                range: row.push(len(value))?.range(),
                kind,
                init,
                trainable,
            });
        }
    }
    Some((slots, row.end()))
}

/// The slots of all states, as [`parameters`].
pub(crate) fn states(graph: &Graph) -> Option<(Vec<StateSlot>, usize)> {
    let mut row = Row::default();
    let mut slots = Vec::new();
    for (_, value) in graph.states() {
        if let Role::State { init } = value.role {
            slots.push(StateSlot {
                name: value.name.clone(),
                shape: value.shape.clone(),
                range: row.push(len(value))?.range(),
                init,
            });
        }
    }
    Some((slots, row.end()))
}

/// Elements of a value of a verified graph.
pub(crate) fn len(value: &Value) -> usize {
    value.shape.iter().product()
}
