//! Constants that become parameters and states of the graph.

use std::collections::HashMap;

use graph::{ElementType, Graph, Init, ParameterKind, Role, Stored, Value, ValueId};

use super::Origin;
use crate::onnx::budget::{Budget, piece};
use crate::onnx::names::Names;
use crate::onnx::{Element, Elements, OnnxError};

/// What a constant is to an operator that reads it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Purpose {
    /// A weight, bias or scale: it learns.
    Learned(ParameterKind),
    /// A running statistic: it moves in training, but does not learn.
    Statistic,
    /// A number of the model that stays as it is.
    Fixed,
}

/// Where the elements of a parameter lie, what they are, and its shape.
type Key = ((*const u8, u64), Element, Vec<usize>);

/// The parameters and states made so far.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// What they hold, by name, in the order they were made.
    pub(super) elements: Vec<(String, Elements)>,
    /// A constant that two nodes read is one parameter.
    made: HashMap<Key, ValueId>,
    names: Names,
    /// Every layer has biases, scales and statistics of its own. Exporters write equal ones once, as those of a network
    /// that has not learned yet are, and each of them learns something else.
    untied: bool,
}

impl Parameters {
    /// No parameters yet; those of a network that `learns` are untied.
    pub(super) fn new(learns: bool) -> Self {
        Self {
            untied: learns,
            ..Self::default()
        }
    }
    /// What a name in use takes besides its letters: its place in a table, and while that grows, in the old one.
    pub(super) const NAME: usize = 4 * size_of::<(String, usize)>();

    /// What a parameter takes besides its name and shape: its places in two lists and in a table.
    const PLACES: usize = 3 * size_of::<(String, Elements)>()
        + 4 * size_of::<(Key, ValueId)>()
        + 3 * size_of::<(ValueId, Stored)>();

    /// The parameter that holds a constant: one, however often it is read with that shape.
    pub(super) fn make(
        &mut self,
        graph: &mut Graph,
        budget: &mut Budget,
        elements: &Elements,
        origin: &Origin,
        layer: &str,
        purpose: Purpose,
    ) -> Result<ValueId, OnnxError> {
        let shared = match purpose {
            Purpose::Learned(ParameterKind::Weight) | Purpose::Fixed => true,
            Purpose::Learned(_) | Purpose::Statistic => !self.untied,
        };
        // The elements stay where they are as long as `elements` holds them.
        let key = (
            elements.identity(),
            elements.element(),
            elements.shape().to_vec(),
        );
        if shared && let Some(&id) = self.made.get(&key) {
            return Ok(id);
        }
        let name = origin.name.as_deref();
        let wanted = name.map_or_else(|| format!("{layer}.constant"), str::to_owned);
        // The name is kept twice and in use, and so is the name that was wanted; the shape is kept three times.
        let kept = 5 * piece(wanted.len() + 8) + 3 * piece(size_of_val(elements.shape()));
        budget.take(kept + 2 * Self::NAME + Self::PLACES)?;
        let name = self.names.free(wanted);
        let role = match purpose {
            Purpose::Statistic => Role::State { init: 0.0 },
            Purpose::Learned(kind) => Role::parameter(kind, Init::Constant(0.0)),
            Purpose::Fixed => Role::Parameter {
                kind: ParameterKind::Bias,
                init: Init::Constant(0.0),
                regulariser: None,
                trainable: false,
            },
        };
        let id = graph.add_value(Value {
            name: name.clone(),
            shape: elements.shape().to_vec(),
            element: ElementType::Real,
            role,
        });
        self.elements.push((name, elements.clone()));
        // What learns by itself is there by itself.
        if let Some(stored) = origin.stored.filter(|_| !self.untied) {
            graph.keep_stored(id, stored);
        }
        if shared {
            self.made.insert(key, id);
        }
        Ok(id)
    }

    /// Keeps a name from being taken by a parameter.
    pub(super) fn reserve(&mut self, name: &str) {
        self.names.reserve(name);
    }
}
