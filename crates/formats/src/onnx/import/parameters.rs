//! Constants that become parameters and states of the graph.

use std::collections::HashMap;

use graph::{ElementType, Graph, Init, ParameterKind, Role, Value, ValueId};

use crate::onnx::Array;
use crate::onnx::names::Names;

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

/// The parameters and states made so far.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// What they hold, by name, in the order they were made.
    pub(super) elements: Vec<(String, Array)>,
    /// By where the elements lie and their shape: a constant that two nodes read is one parameter.
    made: HashMap<(*const u8, Vec<usize>), ValueId>,
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

    /// The parameter that holds a constant: one, however often it is read with that shape.
    pub(super) fn make(
        &mut self,
        graph: &mut Graph,
        array: &Array,
        name: Option<&str>,
        layer: &str,
        purpose: Purpose,
    ) -> ValueId {
        let shared = match purpose {
            Purpose::Learned(ParameterKind::Weight) | Purpose::Fixed => true,
            Purpose::Learned(_) | Purpose::Statistic => !self.untied,
        };
        // The elements stay where they are as long as `elements` holds them.
        let key = (array.bytes().as_ptr(), array.shape().to_vec());
        if shared && let Some(&id) = self.made.get(&key) {
            return id;
        }
        let wanted = name.map_or_else(|| format!("{layer}.constant"), str::to_owned);
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
            shape: array.shape().to_vec(),
            element: ElementType::Real,
            role,
        });
        self.elements.push((name, array.clone()));
        if shared {
            self.made.insert(key, id);
        }
        id
    }

    /// Keeps a name from being taken by a parameter.
    pub(super) fn reserve(&mut self, name: &str) {
        self.names.reserve(name);
    }
}
