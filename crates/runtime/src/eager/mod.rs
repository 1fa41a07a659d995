//! Single operators on tensors, without a network around them.
//!
//! An [`Eager`] applies any operator of a graph to tensors, and carries gradients back through it.
//! Every call checks the operands, plans and packs: to apply the same operator again and again,
//! build a graph and keep its [`Program`]. Tensors are channels first whatever
//! layout the engine computes in.

mod arithmetic;
mod convolution;
mod deformable;
mod functions;
mod layers;
mod loss;
mod normalisation;
mod pooling;
mod rearrange;
mod regions;
mod sampling;

use std::sync::Arc;

use bytemuck::Pod;
use graph::{ElementType, Graph, Op, Role, Value, ValueId, pullback};
use kernels::{Real, Team};
use tensor::Tensor;

use crate::{Evaluation, Program, Run, RuntimeError, RuntimeOptions};

pub use layers::NormalisedBatch;
pub use normalisation::Parameters;

/// Applies operators to tensors.
///
/// ```
/// use graph::Op;
/// use runtime::{Eager, RuntimeOptions};
/// use tensor::Tensor;
///
/// let eager = Eager::new(RuntimeOptions::default())?;
/// let a = Tensor::from_slice(&[1, 2], &[1.0f32, 2.0])?;
/// let b = Tensor::from_slice(&[1, 2], &[10.0f32, 20.0])?;
/// let sum = eager.apply(Op::Add, &[(&a).into(), (&b).into()])?.remove(0).real();
/// assert_eq!(sum.data(), [11.0, 22.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Eager {
    options: RuntimeOptions,
    team: Arc<Team>,
    run: Run,
}

/// A tensor that an operator reads.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a, T> {
    /// Of floating-point numbers.
    Real(&'a Tensor<T>),
    /// Of indices.
    Index(&'a Tensor<u32>),
}

/// A tensor that an operator made.
#[derive(Clone, Debug)]
pub enum Made<T> {
    /// Of floating-point numbers.
    Real(Tensor<T>),
    /// Of indices.
    Index(Tensor<u32>),
}

impl<'a, T> From<&'a Tensor<T>> for Given<'a, T>
where
    T: Real,
{
    fn from(tensor: &'a Tensor<T>) -> Self {
        Self::Real(tensor)
    }
}

impl<T: Pod> Given<'_, T> {
    fn dims(&self) -> &[usize] {
        match self {
            Self::Real(tensor) => tensor.dims(),
            Self::Index(tensor) => tensor.dims(),
        }
    }

    fn element(&self) -> ElementType {
        match self {
            Self::Real(_) => ElementType::Real,
            Self::Index(_) => ElementType::Index,
        }
    }
}

impl<T> Made<T> {
    /// The floating-point tensor.
    ///
    /// # Panics
    /// When it holds indices.
    pub fn real(self) -> Tensor<T> {
        match self {
            Self::Real(tensor) => tensor,
            Self::Index(_) => panic!("a tensor of indices"),
        }
    }

    /// The tensor of indices.
    ///
    /// # Panics
    /// When it holds floating-point numbers.
    pub fn index(self) -> Tensor<u32> {
        match self {
            Self::Index(tensor) => tensor,
            Self::Real(_) => panic!("a tensor of floating-point numbers"),
        }
    }
}

/// An element type that eager operators compute in: f32 by a [`Program`], f64 by an [`Evaluation`].
pub trait Element: Real + Pod {
    /// Runs a graph on the elements of its inputs and gives those of its outputs.
    #[doc(hidden)]
    fn compute(
        eager: &Eager,
        graph: Graph,
        inputs: &[Option<Given<'_, Self>>],
    ) -> Result<Vec<Made<Self>>, RuntimeError>;
}

impl Eager {
    /// An engine with threads of its own.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn new(options: RuntimeOptions) -> Result<Self, RuntimeError> {
        Ok(Self::with_team(
            options,
            Arc::new(Team::new(options.threads)?),
        ))
    }

    /// An engine on threads that others use too; `options.threads` does not count.
    pub fn with_team(options: RuntimeOptions, team: Arc<Team>) -> Self {
        Self {
            options,
            team,
            run: Run::default(),
        }
    }

    /// The same engine with another seed for operators that draw, such as dropout.
    pub fn seeded(self, run: Run) -> Self {
        Self { run, ..self }
    }

    /// Applies an operator to the tensors it reads; gives those it makes.
    ///
    /// # Errors
    /// Tensors that do not fit the operator, with the numbers, or memory that cannot be had.
    pub fn apply<T: Element>(
        &self,
        op: Op,
        inputs: &[Given<'_, T>],
    ) -> Result<Vec<Made<T>>, RuntimeError> {
        let (mut graph, _, outputs) = single(op, inputs)?;
        graph.outputs = outputs;
        self.run(graph, &all(inputs))
    }

    /// Runs a graph on its inputs and gives its outputs. An input that is not given is zero.
    ///
    /// # Errors
    /// A graph that does not hold together or cannot be run, tensors that are not what its inputs ask for, or memory that
    /// cannot be had.
    pub fn run<T: Element>(
        &self,
        graph: Graph,
        inputs: &[Option<Given<'_, T>>],
    ) -> Result<Vec<Made<T>>, RuntimeError> {
        check(&graph, inputs)?;
        T::compute(self, graph, inputs)
    }

    /// Whether [`Eager::run`] in f32 can run a graph, before its inputs are at hand.
    ///
    /// # Errors
    /// As there, but for inputs and memory.
    pub fn check(&self, graph: &Graph) -> Result<(), RuntimeError> {
        Program::check(graph, &self.options, self.team.threads())
    }

    /// Carries `upstream`, a gradient of the operator's first output, back to the inputs at the places
    /// `wanted`: one tensor each.
    ///
    /// # Errors
    /// As [`Eager::apply`], or an operator that has no gradient.
    pub fn pullback<T: Element>(
        &self,
        op: Op,
        inputs: &[Given<'_, T>],
        upstream: &Tensor<T>,
        wanted: &[usize],
    ) -> Result<Vec<Tensor<T>>, RuntimeError> {
        let (graph, places, outputs) = single(op, inputs)?;
        let wanted: Vec<_> = wanted.iter().map(|&place| places[place]).collect();
        let made = graph.value(outputs[0]);
        if made.shape != upstream.dims() {
            return Err(RuntimeError::Given {
                what: format!(
                    "the upstream gradient has shape {:?}, but {} makes {:?}",
                    upstream.dims(),
                    graph.nodes[0].op.name(),
                    made.shape
                ),
            });
        }
        let grown = pullback(&graph, outputs[0], &wanted)?;
        let grown = graph::passes::remove_dead(&grown);
        // Inputs stay, read or not.
        let given: Vec<_> = inputs
            .iter()
            .copied()
            .chain([Given::Real(upstream)])
            .collect();
        let made = self.run(grown, &all(&given))?;
        Ok(made.into_iter().map(Made::real).collect())
    }
}

fn all<'a, T: Copy>(inputs: &[Given<'a, T>]) -> Vec<Option<Given<'a, T>>> {
    inputs.iter().copied().map(Some).collect()
}

/// Holds what is given against what the graph's inputs ask for.
fn check<T: Element>(graph: &Graph, inputs: &[Option<Given<'_, T>>]) -> Result<(), RuntimeError> {
    if graph.inputs.len() != inputs.len() {
        return Err(RuntimeError::Given {
            what: format!(
                "{} reads {} tensors, not {}",
                graph.name,
                graph.inputs.len(),
                inputs.len()
            ),
        });
    }
    for (&id, given) in graph.inputs.iter().zip(inputs) {
        let value = graph.value(id);
        let Some(given) = given else { continue };
        if given.dims() != value.shape || given.element() != value.element {
            return Err(RuntimeError::Given {
                what: format!(
                    "{}: a tensor {:?} of {:?} elements for '{}', which is {:?} of {:?}",
                    graph.name,
                    given.dims(),
                    given.element(),
                    value.name,
                    value.shape,
                    value.element
                ),
            });
        }
    }
    Ok(())
}

/// A graph of one operator, the places of its inputs and of what it makes.
fn single<T: Element>(
    op: Op,
    inputs: &[Given<'_, T>],
) -> Result<(Graph, Vec<ValueId>, Vec<ValueId>), RuntimeError> {
    let mut graph = Graph::new(op.name());
    let places: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(place, given)| {
            graph.add_value(Value {
                name: format!("input {place}"),
                shape: given.dims().to_vec(),
                element: given.element(),
                role: Role::Input,
            })
        })
        .collect();
    graph.inputs.clone_from(&places);
    let layer = op.name();
    let outputs = graph.append(op, layer, places.clone())?;
    Ok((graph, places, outputs))
}

impl Element for f32 {
    fn compute(
        eager: &Eager,
        graph: Graph,
        inputs: &[Option<Given<'_, Self>>],
    ) -> Result<Vec<Made<Self>>, RuntimeError> {
        let mut program = Program::with_team(graph, &eager.options, Arc::clone(&eager.team))?;
        for (place, given) in inputs.iter().enumerate() {
            match given {
                Some(Given::Real(tensor)) => {
                    program.input_f32(place).copy_from_slice(tensor.data());
                }
                Some(Given::Index(tensor)) => {
                    program.input_index(place).copy_from_slice(tensor.data());
                }
                None => {}
            }
        }
        program.run(eager.run);
        let outputs = program.graph().outputs.iter().enumerate();
        outputs
            .map(|(place, &id)| {
                let value = program.graph().value(id);
                Ok(match value.element {
                    ElementType::Real => Made::Real(tensor(&value.shape, program.output(place))?),
                    ElementType::Index => {
                        Made::Index(tensor(&value.shape, program.output_index(place))?)
                    }
                })
            })
            .collect()
    }
}

impl Element for f64 {
    fn compute(
        eager: &Eager,
        graph: Graph,
        inputs: &[Option<Given<'_, Self>>],
    ) -> Result<Vec<Made<Self>>, RuntimeError> {
        let mut evaluation = Evaluation::new(&graph)?;
        for (&id, given) in graph.inputs.iter().zip(inputs) {
            match given {
                Some(Given::Real(tensor)) => evaluation.set(id, tensor.data()),
                Some(Given::Index(tensor)) => evaluation.set_index(id, tensor.data()),
                None => {}
            }
        }
        evaluation.run(eager.run);
        let outputs = graph.outputs.iter();
        outputs
            .map(|&id| {
                let value = graph.value(id);
                Ok(match value.element {
                    ElementType::Real => Made::Real(tensor(&value.shape, evaluation.value(id))?),
                    ElementType::Index => {
                        Made::Index(tensor(&value.shape, evaluation.indices(id))?)
                    }
                })
            })
            .collect()
    }
}

fn tensor<T: Pod>(dims: &[usize], elements: &[T]) -> Result<Tensor<T>, RuntimeError> {
    Tensor::from_slice(dims, elements).map_err(|error| RuntimeError::Given {
        what: error.to_string(),
    })
}
