//! A graph computed in f64, for gradient checks and as a judge of f32.

use std::sync::Arc;

use graph::passes::pad_first;
use graph::{ElementType, Graph, Role, Value, ValueId};
use kernels::{Context, Isa, Team};
use tensor::Layout;

use crate::calls::{Kernel, Operands, Shapes, Source, Target, kernel};
use crate::{Program, Run, RuntimeError};

/// A graph computed in f64, node by node, by the kernels written for all precisions. It keeps every
/// value and is not made to be quick.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::NetworkBuilder;
/// use runtime::{Evaluation, Run};
///
/// let mut network = NetworkBuilder::new("sum", [1, 1, 2, 2]);
/// let x = network.input();
/// let y = network.conv("conv", x, ConvDesc::new(1, 2), false)?;
/// let network = network.finish(y)?;
/// let (weight, _) = network.parameters().next().unwrap();
///
/// let mut evaluation = Evaluation::new(&network)?;
/// evaluation.set(x, &[1.0, 2.0, 3.0, 4.0]);
/// evaluation.set(weight, &[0.1; 4]);
/// evaluation.run(Run::default());
/// assert!((evaluation.value(y)[0] - 1.0).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Evaluation {
    graph: Graph,
    team: Team,
    /// One a node, with its scratch memory.
    kernels: Vec<(Arc<dyn Kernel>, Vec<f64>)>,
    /// By value, channels first.
    values: Vec<Elements>,
}

#[derive(Clone, Debug)]
enum Elements {
    Real(Vec<f64>),
    Index(Vec<u32>),
}

impl Elements {
    /// Zeros for a value; `None` where the memory cannot be had.
    fn zeroed(value: &Value) -> Option<Self> {
        let len = value.shape.iter().product();
        Some(match value.element {
            ElementType::Real => Self::Real(zeros(len)?),
            ElementType::Index => Self::Index(zeros(len)?),
        })
    }
}

fn zeros<T: Clone + Default>(len: usize) -> Option<Vec<T>> {
    let mut elements = Vec::new();
    elements.try_reserve_exact(len).ok()?;
    elements.resize(len, T::default());
    Some(elements)
}

impl Evaluation {
    /// Prepares a graph. Inputs and parameters start at zero, states as the graph says.
    ///
    /// # Errors
    /// A graph that does not hold together, an operator that only a pass can turn into something to
    /// run, or memory that cannot be had.
    pub fn new(graph: &Graph) -> Result<Self, RuntimeError> {
        graph.verify()?;
        let graph = &pad_first(graph)?;
        let memory = || RuntimeError::Memory {
            network: graph.name.clone(),
            bytes: graph
                .values()
                .iter()
                .map(|value| value.shape.iter().product::<usize>().saturating_mul(8))
                .fold(0, usize::saturating_add),
        };
        let mut kernels = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            let inputs: Vec<_> = node.inputs.iter().map(|&id| graph.value(id)).collect();
            let outputs: Vec<_> = node.outputs.iter().map(|&id| graph.value(id)).collect();
            let kernel = kernel(&node.op, Shapes::new(&inputs, &outputs));
            let kernel = kernel.map_err(|_| memory())?;
            let kernel = kernel.ok_or_else(|| RuntimeError::NotLowered {
                layer: node.layer.clone(),
                op: node.op.name(),
            })?;
            let scratch = zeros(kernel.scratch_len(1)).ok_or_else(memory)?;
            kernels.push((kernel, scratch));
        }
        let mut values = Vec::with_capacity(graph.values().len());
        for value in graph.values() {
            let mut elements = Elements::zeroed(value).ok_or_else(memory)?;
            if let (Role::State { init }, Elements::Real(elements)) = (value.role, &mut elements) {
                elements.fill(init.into());
            }
            values.push(elements);
        }
        Ok(Self {
            graph: graph.clone(),
            team: Team::new(1)?,
            kernels,
            values,
        })
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Takes over the parameters and states of a program by their names.
    pub fn load(&mut self, program: &Program) {
        let given: Vec<_> = program.kept().collect();
        for (value, elements) in self.graph.values().iter().zip(&mut self.values) {
            let learned = matches!(value.role, Role::Parameter { .. } | Role::State { .. });
            let source = given
                .iter()
                .find(|(name, _)| learned && *name == value.name);
            if let (Some((_, source)), Elements::Real(elements)) = (source, elements) {
                for (element, &source) in elements.iter_mut().zip(*source) {
                    *element = source.into();
                }
            }
        }
    }

    /// Gives an input, a parameter or a state its elements, channels first.
    ///
    /// # Panics
    /// When the value holds indices or another number of elements.
    pub fn set(&mut self, value: ValueId, elements: &[f64]) {
        self.value_mut(value).copy_from_slice(elements);
    }

    /// Gives an input its indices.
    ///
    /// # Panics
    /// When the value holds no indices or another number of them.
    pub fn set_index(&mut self, value: ValueId, indices: &[u32]) {
        match &mut self.values[value.index()] {
            Elements::Index(elements) => elements.copy_from_slice(indices),
            Elements::Real(_) => panic!("'{}' holds no indices", self.graph.value(value).name),
        }
    }

    /// The elements of a value, to be changed.
    ///
    /// # Panics
    /// When the value holds indices.
    pub fn value_mut(&mut self, value: ValueId) -> &mut [f64] {
        match &mut self.values[value.index()] {
            Elements::Real(elements) => elements,
            Elements::Index(_) => panic!("'{}' holds indices", self.graph.value(value).name),
        }
    }

    /// The elements of a value, as the last run left them.
    ///
    /// # Panics
    /// When the value holds indices.
    pub fn value(&self, value: ValueId) -> &[f64] {
        match &self.values[value.index()] {
            Elements::Real(elements) => elements,
            Elements::Index(_) => panic!("'{}' holds indices", self.graph.value(value).name),
        }
    }

    /// The indices of a value, as the last run left them.
    ///
    /// # Panics
    /// When the value holds no indices.
    pub fn indices(&self, value: ValueId) -> &[u32] {
        match &self.values[value.index()] {
            Elements::Index(elements) => elements,
            Elements::Real(_) => panic!("'{}' holds no indices", self.graph.value(value).name),
        }
    }

    /// Computes every node, and moves the states on.
    pub fn run(&mut self, run: Run) {
        let ctx = Context {
            team: &self.team,
            isa: Isa::best(),
        };
        for (node, (kernel, scratch)) in self.graph.nodes.iter().zip(&mut self.kernels) {
            // What a node makes is taken out of the list while it reads from it.
            let mut made: Vec<_> = node
                .outputs
                .iter()
                .map(|id| std::mem::replace(&mut self.values[id.index()], Elements::Index(vec![])))
                .collect();
            let inputs: Vec<_> = node
                .inputs
                .iter()
                .map(|id| match &self.values[id.index()] {
                    Elements::Real(elements) => Source::Real(&elements[..]),
                    Elements::Index(elements) => Source::Index(&elements[..]),
                })
                .collect();
            let mut outputs: Vec<_> = made
                .iter_mut()
                .map(|elements| match elements {
                    Elements::Real(elements) => Target::Real(&mut elements[..]),
                    Elements::Index(elements) => Target::Index(&mut elements[..]),
                })
                .collect();
            let operands = Operands {
                inputs: &inputs,
                outputs: &mut outputs,
                scratch,
                layout: Layout::Nchw,
                run,
            };
            kernel.run_f64(&ctx, operands);
            for (id, elements) in node.outputs.iter().zip(made) {
                self.values[id.index()] = elements;
            }
        }
        for &(state, new) in &self.graph.updates {
            self.values[state.index()] = self.values[new.index()].clone();
        }
    }
}
