//! A graph made ready to run: everything checked, chosen and allocated.

mod inference;
mod kept;

use std::fmt;
use std::sync::Arc;

use graph::passes::pad_first;
use graph::{ElementType, Graph, Node};
use kernels::{Isa, Team};
use tensor::Layout;

use crate::execute::{Machine, execute};
use crate::lower::{Lowered, lower};
use crate::memory::{Block, Span};
use crate::regions::Regions;
use crate::{Run, RuntimeError, RuntimeOptions, Slot, StateSlot};

pub use inference::InferenceProgram;

/// A graph lowered to steps on the CPU. It owns its parameters, and a run allocates nothing.
///
/// ```
/// use geometry::ConvDesc;
/// use graph::{NetworkBuilder, passes};
/// use runtime::{Program, Run, RuntimeOptions, initialise};
///
/// let mut network = NetworkBuilder::new("tiny", [1, 3, 8, 8]);
/// let x = network.input();
/// let x = network.conv("conv1", x, ConvDesc::new(4, 3).padding(1), true)?;
/// let x = network.global_average_pool(x)?;
/// let x = network.flatten(x)?;
/// let logits = network.linear("fc", x, 2)?;
/// let network = network.finish(logits)?;
///
/// let mut program = Program::new(passes::inference(&network)?, &RuntimeOptions::default())?;
/// initialise(&mut program, 7);
/// program.input_f32(0).fill(0.5);
/// program.run(Run::default());
/// assert_eq!(program.output(0).len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Program {
    graph: Graph,
    team: Arc<Team>,
    isa: Isa,
    regions: Regions,
    lowered: Lowered,
    block: Block,
    /// Whether what the prologue computes fits the parameters and states.
    prepared: bool,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("network", &self.graph.name)
            .field("memory", &self.memory())
            .finish_non_exhaustive()
    }
}

/// Bytes a program holds, by purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryReport {
    /// Parameters.
    pub parameters: usize,
    /// Their gradients; nothing in an inference program.
    pub gradients: usize,
    /// Running statistics.
    pub states: usize,
    /// Inputs and outputs.
    pub edges: usize,
    /// Everything inside a run: feature maps, packed weights, scratch.
    pub arena: usize,
    /// What the arena would need if no two buffers shared memory.
    pub unshared: usize,
}

impl MemoryReport {
    fn of(regions: &Regions, lowered: &Lowered) -> Self {
        // More than can be addressed is refused where memory is taken.
        let bytes = |elements: usize| elements.saturating_mul(size_of::<f32>());
        Self {
            parameters: bytes(regions.parameters.len),
            gradients: bytes(regions.gradients.len),
            states: bytes(regions.state.len),
            edges: bytes(regions.edges()),
            arena: bytes(lowered.arena),
            unshared: bytes(lowered.unshared),
        }
    }

    /// All bytes.
    pub fn total(&self) -> usize {
        self.parameters + self.gradients + self.states + self.edges + self.arena
    }
}

impl Program {
    /// Lowers a graph for a team of its own. Parameters start at zero, states as the graph says; see
    /// [`initialise`](crate::initialise).
    ///
    /// # Errors
    /// A graph that does not hold together, an algorithm that does not serve it, or memory that
    /// cannot be had: sizes are checked before it is taken.
    pub fn new(graph: Graph, options: &RuntimeOptions) -> Result<Self, RuntimeError> {
        Self::with_team(graph, options, Arc::new(Team::new(options.threads)?))
    }

    /// Lowers a graph for threads that other programs use too; `options.threads` does not count.
    ///
    /// # Errors
    /// As [`Program::new`].
    pub fn with_team(
        graph: Graph,
        options: &RuntimeOptions,
        team: Arc<Team>,
    ) -> Result<Self, RuntimeError> {
        Self::with_layouts(graph, options, team, |_| options.layout)
    }

    /// Lowers a graph each of whose nodes computes in a layout of its own, in the place of
    /// `options.layout`. Where a node reads what another made in the other layout, a step of the
    /// program reorders it, which the [profile](Program::profile) shows with what it costs.
    ///
    /// A backward node belongs to the layer of its forward node, so a choice by
    /// [`layer`](graph::Node::layer) holds in both directions.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use geometry::ConvDesc;
    /// use graph::{NetworkBuilder, passes};
    /// use kernels::Team;
    /// use runtime::{Program, Run, RuntimeOptions, initialise};
    /// use tensor::Layout;
    ///
    /// let mut network = NetworkBuilder::new("two", [1, 8, 6, 6]);
    /// let x = network.input();
    /// let x = network.conv("first", x, ConvDesc::new(8, 3), false)?;
    /// let y = network.conv("second", x, ConvDesc::new(8, 3), false)?;
    /// let graph = passes::inference(&network.finish(y)?)?;
    ///
    /// let team = Arc::new(Team::new(1)?);
    /// let options = RuntimeOptions::default();
    /// let mut program = Program::with_layouts(graph, &options, team, |node| {
    ///     if node.layer == "first" { Layout::Nchw } else { Layout::Nhwc }
    /// })?;
    /// initialise(&mut program, 0);
    /// let rows = program.profile(Run::default(), 1);
    /// assert!(rows.iter().any(|row| row.layer == "second" && row.kernel.starts_with("reorder")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Program::new`].
    pub fn with_layouts(
        graph: Graph,
        options: &RuntimeOptions,
        team: Arc<Team>,
        layout: impl Fn(&Node) -> Layout,
    ) -> Result<Self, RuntimeError> {
        let (graph, regions, lowered) = plan(&graph, options, team.threads(), &layout)?;
        let unaddressable = || RuntimeError::Unaddressable {
            network: graph.name.clone(),
        };
        let len = regions
            .end
            .checked_add(lowered.arena)
            .ok_or_else(unaddressable)?;
        let block = Block::zeroed(len).map_err(|bytes| RuntimeError::Memory {
            network: graph.name.clone(),
            bytes,
        })?;
        let mut program = Self {
            graph,
            team,
            isa: options.isa.min(Isa::best()),
            regions,
            lowered,
            block,
            prepared: false,
        };
        for slot in program.regions.states.clone() {
            program.state_mut()[slot.range].fill(slot.init);
        }
        Ok(program)
    }

    /// Whether a graph can become a program, before anything is read or memory is taken for it.
    ///
    /// # Errors
    /// As [`Program::new`], but for memory.
    pub fn check(
        graph: &Graph,
        options: &RuntimeOptions,
        threads: usize,
    ) -> Result<(), RuntimeError> {
        Self::planned(graph, options, threads).map(drop)
    }

    /// Bytes that the program of a graph would hold, before memory is taken for them.
    ///
    /// # Errors
    /// As [`Program::check`].
    pub fn planned(
        graph: &Graph,
        options: &RuntimeOptions,
        threads: usize,
    ) -> Result<MemoryReport, RuntimeError> {
        let (_, regions, lowered) = plan(graph, options, threads, &|_| options.layout)?;
        Ok(MemoryReport::of(&regions, &lowered))
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The threads.
    pub fn team(&self) -> &Arc<Team> {
        &self.team
    }

    /// Input `index` of the graph, channels first; kept until written again.
    ///
    /// # Panics
    /// When there is no such input or it holds indices.
    pub fn input_f32(&mut self, index: usize) -> &mut [f32] {
        self.input(index, ElementType::Real)
    }

    /// Input `index` of the graph, which holds indices, such as labels; kept until written again.
    ///
    /// # Panics
    /// When there is no such input or it holds floating-point numbers.
    pub fn input_index(&mut self, index: usize) -> &mut [u32] {
        bytemuck::cast_slice_mut(self.input(index, ElementType::Index))
    }

    fn input(&mut self, index: usize, element: ElementType) -> &mut [f32] {
        let value = self.graph.value(self.graph.inputs[index]);
        assert_eq!(value.element, element, "elements of input '{}'", value.name);
        self.block.write(self.regions.inputs[index])
    }

    /// Runs the graph on its inputs: fills the outputs and gradients, and moves the states on.
    ///
    /// Allocates nothing and waits for no lock. What depends on parameters alone, such as packed
    /// weights and folded norms of an inference graph, is computed in the first run after they changed.
    ///
    /// # Panics
    /// When a label is not below the number of classes.
    pub fn run(&mut self, run: Run) {
        let prepared = std::mem::replace(&mut self.prepared, true);
        let lowered = &self.lowered;
        let machine = Machine {
            team: &self.team,
            isa: self.isa,
            view: self.block.view(),
            spans: &lowered.spans,
        };
        self.team.enter(move || {
            if !prepared {
                execute(&machine, &lowered.prologue, run);
            }
            execute(&machine, &lowered.main, run);
        });
    }

    /// Output `index` of the graph as the last run left it, channels first.
    ///
    /// # Panics
    /// When there is no such output or it holds indices.
    pub fn output(&self, index: usize) -> &[f32] {
        self.read_output(index, ElementType::Real)
    }

    /// Output `index` of the graph, which holds indices, such as the places of maxima.
    ///
    /// # Panics
    /// When there is no such output or it holds floating-point numbers.
    pub fn output_index(&self, index: usize) -> &[u32] {
        bytemuck::cast_slice(self.read_output(index, ElementType::Index))
    }

    fn read_output(&self, index: usize, element: ElementType) -> &[f32] {
        let value = self.graph.value(self.graph.outputs[index]);
        assert_eq!(
            value.element, element,
            "elements of output '{}'",
            value.name
        );
        self.block.read(self.regions.outputs[index])
    }

    /// The parameters and where they lie in [`Program::parameters`], in the graph's order.
    pub fn slots(&self) -> &[Slot] {
        &self.regions.slots
    }

    /// All parameters.
    pub fn parameters(&self) -> &[f32] {
        self.block.read(self.regions.parameters)
    }

    /// All parameters, to be changed. The next run sees the change.
    pub fn parameters_mut(&mut self) -> &mut [f32] {
        self.prepared = false;
        self.block.write(self.regions.parameters)
    }

    /// The gradients of the last run, in the ranges of [`Program::slots`]. Empty if the graph has
    /// none; zero for a parameter that the loss does not depend on or that is frozen.
    pub fn gradients(&self) -> &[f32] {
        self.block.read(self.regions.gradients)
    }

    /// The gradients, to be scaled or clipped.
    pub fn gradients_mut(&mut self) -> &mut [f32] {
        self.block.write(self.regions.gradients)
    }

    /// The parameters, to be changed, beside their gradients: what an optimiser needs.
    pub fn parameters_and_gradients(&mut self) -> (&mut [f32], &[f32]) {
        self.prepared = false;
        let (parameters, gradients) = (self.regions.parameters, self.regions.gradients);
        let both = self.block.write(Span {
            start: parameters.start,
            len: gradients.start + gradients.len - parameters.start,
        });
        let (left, right) = both.split_at_mut(gradients.start - parameters.start);
        (&mut left[..parameters.len], right)
    }

    /// The states and where they lie in [`Program::state`], in the graph's order.
    pub fn states(&self) -> &[StateSlot] {
        &self.regions.states
    }

    /// All states.
    pub fn state(&self) -> &[f32] {
        self.block.read(self.regions.state)
    }

    /// All states, to be changed. The next run sees the change.
    pub fn state_mut(&mut self) -> &mut [f32] {
        self.prepared = false;
        self.block.write(self.regions.state)
    }

    /// Bytes of the arena: everything inside a run.
    pub fn arena_bytes(&self) -> usize {
        self.memory().arena
    }

    /// Bytes the program holds, by purpose.
    pub fn memory(&self) -> MemoryReport {
        MemoryReport::of(&self.regions, &self.lowered)
    }

    /// The steps of a run, the machine to run them on, and what must run once before them.
    pub(crate) fn parts(&mut self) -> (Machine<'_>, &Lowered) {
        let machine = Machine {
            team: &self.team,
            isa: self.isa,
            view: self.block.view(),
            spans: &self.lowered.spans,
        };
        (machine, &self.lowered)
    }
}

/// A graph checked and lowered, and where its values lie. Takes no memory for them.
fn plan(
    graph: &Graph,
    options: &RuntimeOptions,
    threads: usize,
    layout: &dyn Fn(&Node) -> Layout,
) -> Result<(Graph, Regions, Lowered), RuntimeError> {
    graph.verify()?;
    let graph = pad_first(graph)?;
    let regions = Regions::of(&graph).ok_or_else(|| RuntimeError::Unaddressable {
        network: graph.name.clone(),
    })?;
    let lowered = lower(&graph, &regions, options, threads, layout)?;
    Ok((graph, regions, lowered))
}
