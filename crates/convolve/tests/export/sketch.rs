//! Small graphs, and numbers for them that follow from names.

use std::collections::HashMap;

use graph::{ElementType, Graph, Init, Op, ParameterKind, Role, Value, ValueId};

/// A graph that is being drawn, for a batch of so many.
pub(crate) struct Sketch {
    pub(crate) graph: Graph,
    pub(crate) batch: usize,
}

impl Sketch {
    pub(crate) fn new(batch: usize) -> Self {
        let graph = Graph::new("sketch");
        Self { graph, batch }
    }

    fn value(&mut self, name: &str, shape: &[usize], role: Role) -> ValueId {
        self.graph.add_value(Value {
            name: name.to_owned(),
            shape: shape.to_vec(),
            element: ElementType::Real,
            role,
        })
    }

    /// An input whose first axis is the batch.
    pub(crate) fn input(&mut self, rest: &[usize]) -> ValueId {
        let shape = [&[self.batch], rest].concat();
        self.fixed_input(&shape)
    }

    /// An input of a shape that does not follow the batch.
    pub(crate) fn fixed_input(&mut self, shape: &[usize]) -> ValueId {
        let name = format!("x{}", self.graph.inputs.len());
        let id = self.value(&name, shape, Role::Input);
        self.graph.inputs.push(id);
        id
    }

    pub(crate) fn parameter(&mut self, name: &str, shape: &[usize]) -> ValueId {
        let role = Role::parameter(ParameterKind::Weight, Init::Constant(0.0));
        self.value(name, shape, role)
    }

    pub(crate) fn state(&mut self, name: &str, shape: &[usize]) -> ValueId {
        self.value(name, shape, Role::State { init: 0.0 })
    }

    /// Adds a node and gives its first result.
    pub(crate) fn op(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        self.all(op, inputs)[0]
    }

    /// Adds a node and gives all its results.
    pub(crate) fn all(&mut self, op: Op, inputs: &[ValueId]) -> Vec<ValueId> {
        let layer = format!("layer{}", self.graph.nodes.len());
        self.graph.append(op, layer, inputs.to_vec()).unwrap()
    }
}

/// What every parameter and state of a graph holds.
pub(crate) fn weights(graph: &Graph) -> HashMap<String, Vec<f32>> {
    let values = graph.parameters().chain(graph.states());
    values
        .map(|(_, value)| {
            let name = &value.name;
            let mut numbers = numbers(name, value.shape.iter().product());
            // A deep network stays in range by weights of the size that training starts from.
            let fan: usize = value.shape.iter().skip(1).product();
            for number in &mut numbers {
                *number = match name.contains("var")
                    || value.shape.len() == 1 && name.ends_with("weight")
                {
                    true => 1.0 + 0.5 * *number,
                    false => *number * (3.0 / fan.max(1) as f32).sqrt(),
                };
            }
            (name.clone(), numbers)
        })
        .collect()
}

/// Numbers in −1 .. 1 that follow from a name (a linear congruential generator, Knuth's constants).
pub(crate) fn numbers(name: &str, count: usize) -> Vec<f32> {
    let seed = name.bytes().fold(0x2545_F491_4F6C_DD1D_u64, |seed, byte| {
        (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
