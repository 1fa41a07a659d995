//! Graph → steps over buffers.
//!
//! Nodes are lowered one by one, in the graph's order. Each takes its operands in the layout its
//! kernel wants ([`Lowering::feature`], [`Lowering::plain`]), makes its results
//! ([`Lowering::result`]) and emits steps. Nothing has an address yet: that comes from the
//! [memory plan](place), when it is known from where to where every buffer lives.
//!
//! **Prologue.** What depends on parameters and states alone, and on states that no run moves on,
//! is the same in every run. In a graph without gradients such steps (folding norms, packing
//! weights) go to a prologue that runs only after parameters or states changed, and what they make
//! stays. A training graph changes its parameters at every step, so there they run in their turn
//! and their memory is given back at once.
//!
//! **Layouts.** A value of three or more axes lies in the layout of the node that made it, mostly the
//! program's, where a kernel made it as a feature map, and channels first where it is an input, a parameter or the gradient of one.
//! Whoever needs the other order gets a reordered copy, made once. Where there is one channel or
//! one pixel the orders are the same.

mod call;
mod chain;
mod convolution;
pub(crate) mod deformable;
mod edges;
mod elementwise;
mod growing;
mod loss;
mod normalisation;
mod place;
mod pooling;
mod rearrange;

use std::collections::{HashMap, HashSet};

use graph::{Graph, Node, Op, Role, ValueId};
use tensor::Layout;

use crate::memory::Span;
use crate::regions::Regions;
use crate::slots;
use crate::step::{BufferId, Map, Step, Work};
use crate::{RuntimeError, RuntimeOptions};

/// A graph as steps with addresses.
#[derive(Debug)]
pub(crate) struct Lowered {
    /// Steps to run once after parameters or states changed.
    pub(crate) prologue: Vec<Step>,
    /// Steps of every run.
    pub(crate) main: Vec<Step>,
    /// Nodes that need no step.
    pub(crate) idle: Vec<Idle>,
    /// Where each buffer lies in the program's block.
    pub(crate) spans: Vec<Span>,
    /// Elements of the arena.
    pub(crate) arena: usize,
    /// Elements of the arena if no two buffers shared memory.
    pub(crate) unshared: usize,
}

/// A node whose result is there already: another order of the same elements, or a value whose maker put
/// it in its place. Or one that is made together with a later one.
#[derive(Clone, Debug)]
pub(crate) struct Idle {
    /// The main steps before it.
    pub(crate) after: usize,
    pub(crate) layer: String,
    pub(crate) op: &'static str,
}

/// Lowers a verified graph.
pub(crate) fn lower<'g>(
    graph: &'g Graph,
    regions: &Regions,
    options: &RuntimeOptions,
    threads: usize,
    layout: &'g dyn Fn(&Node) -> Layout,
) -> Result<Lowered, RuntimeError> {
    let mut lowering = Lowering::new(graph, regions, options, threads, layout);
    let mut index = 0;
    while let Some(node) = graph.nodes.get(index) {
        lowering.options.layout = layout(node);
        let last = match lowering.chain_from(index) {
            Some((places, chain)) => {
                lowering.chain(&places, chain)?;
                places.last().copied().unwrap_or(index)
            }
            None => {
                let steps = lowering.prologue.len() + lowering.main.len();
                lowering.node(node)?;
                if steps == lowering.prologue.len() + lowering.main.len() {
                    lowering.needs_no_step(node);
                }
                index
            }
        };
        index = last + 1;
    }
    lowering.finish();
    lowering.place().ok_or_else(|| RuntimeError::Unaddressable {
        network: graph.name.clone(),
    })
}

/// A buffer that has no address yet.
#[derive(Clone, Copy, Debug)]
struct Buffer {
    len: usize,
    home: Home,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// In a region of its own.
    Fixed(Span),
    /// Wherever the memory plan puts it.
    Arena,
}

/// Where a value is.
#[derive(Clone, Copy, Debug)]
struct Placed {
    buffer: BufferId,
    lies: Layout,
}

struct Lowering<'g> {
    graph: &'g Graph,
    /// With the layout of the node being lowered.
    options: RuntimeOptions,
    threads: usize,
    /// Behind the regions.
    arena_start: usize,
    buffers: Vec<Buffer>,
    /// Reads of each buffer that are still to come, by nodes and at the end of the run.
    pending: Vec<usize>,
    /// By value.
    placed: Vec<Option<Placed>>,
    /// Reads of each value.
    uses: Vec<usize>,
    /// Whether a value is the same in every run until parameters or states are changed.
    constant: Vec<bool>,
    /// The region a value is made in, where it is a gradient or an output.
    reserved: HashMap<ValueId, Span>,
    reordered: HashMap<(ValueId, Layout), BufferId>,
    /// Concatenations that are made as the shuffle behind them leaves them.
    shuffled: HashSet<ValueId>,
    /// Beginnings of a concatenation that grows in one buffer, with the channels that this will have.
    grown: HashMap<ValueId, usize>,
    /// The nodes that read a value, once for each time.
    readers: Vec<Vec<usize>>,
    /// The layout each node computes in.
    layout: &'g dyn Fn(&Node) -> Layout,
    /// Regions to be filled at the end: gradients and outputs.
    edges: Vec<(ValueId, Span)>,
    prologue: Vec<Step>,
    main: Vec<Step>,
    idle: Vec<Idle>,
    /// The node being lowered.
    layer: String,
    op: &'static str,
    node_is_constant: bool,
}

impl<'g> Lowering<'g> {
    fn new(
        graph: &'g Graph,
        regions: &Regions,
        options: &RuntimeOptions,
        threads: usize,
        layout: &'g dyn Fn(&Node) -> Layout,
    ) -> Self {
        let count = graph.values().len();
        let mut uses = vec![0; count];
        let by_nodes = graph.nodes.iter().flat_map(|node| &node.inputs);
        let at_the_end = graph
            .gradients
            .iter()
            .chain(&graph.updates)
            .map(|(_, new)| new);
        for id in by_nodes.chain(&graph.outputs).chain(at_the_end) {
            uses[id.index()] += 1;
        }
        let mut readers = vec![Vec::new(); count];
        for (index, node) in graph.nodes.iter().enumerate() {
            for id in &node.inputs {
                readers[id.index()].push(index);
            }
        }
        let mut lowering = Self {
            graph,
            options: *options,
            threads,
            arena_start: regions.end,
            buffers: Vec::new(),
            pending: Vec::new(),
            placed: vec![None; count],
            uses,
            constant: vec![false; count],
            reserved: HashMap::new(),
            reordered: HashMap::new(),
            shuffled: HashSet::new(),
            grown: HashMap::new(),
            readers,
            layout,
            edges: Vec::new(),
            prologue: Vec::new(),
            main: Vec::new(),
            idle: Vec::new(),
            layer: String::new(),
            op: "",
            node_is_constant: false,
        };
        lowering.place_given(regions);
        lowering.reserve(regions);
        lowering
    }

    /// Puts inputs, parameters and states where they are given, channels first.
    fn place_given(&mut self, regions: &Regions) {
        let graph = self.graph;
        let moved: HashSet<_> = graph.updates.iter().map(|&(state, _)| state).collect();
        let kept = graph.gradients.is_empty();
        let homes = edges::given(graph, regions);
        for (id, span) in homes {
            let buffer = self.buffer(span.len, Home::Fixed(span));
            self.place_at(id, buffer, Layout::Nchw);
            self.constant[id.index()] = match graph.value(id).role {
                Role::Parameter { .. } => kept,
                Role::State { .. } => kept && !moved.contains(&id),
                Role::Input | Role::Computed => false,
            };
        }
    }

    /// Notes which regions are to be filled, and which value is made in each right away.
    fn reserve(&mut self, regions: &Regions) {
        self.edges = edges::wanted(self.graph, regions);
        for &(id, span) in &self.edges {
            self.reserved.entry(id).or_insert(span);
        }
    }

    /// Notes that no step is done for a node by itself.
    fn needs_no_step(&mut self, node: &Node) {
        self.idle.push(Idle {
            after: self.main.len(),
            layer: node.layer.clone(),
            op: node.op.name(),
        });
    }

    /// Turns to a node: its inputs are read once more, but for those `between` it and another node that no
    /// memory holds.
    fn begin(&mut self, node: &Node, between: &[ValueId]) {
        self.layer.clone_from(&node.layer);
        self.op = node.op.name();
        let of_constants = node.inputs.iter().all(|id| self.constant[id.index()]);
        self.node_is_constant = of_constants && !matches!(node.op, Op::Dropout { .. });
        for &output in &node.outputs {
            self.constant[output.index()] = self.node_is_constant;
        }
        for &input in node.inputs.iter().filter(|id| !between.contains(id)) {
            let buffer = self.at(input).buffer;
            self.pending[buffer.index()] -= 1;
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), RuntimeError> {
        self.begin(node, &[]);
        match &node.op {
            Op::Conv { .. }
            | Op::ConvBackwardData { .. }
            | Op::ConvBackwardWeights { .. }
            | Op::ChannelSum
            | Op::Linear { .. }
            | Op::LinearBackwardData
            | Op::LinearBackwardWeights
            | Op::Transposed(_) => self.convolution(node),
            Op::Pool { .. }
            | Op::PoolBackward { .. }
            | Op::GlobalAveragePool
            | Op::GlobalAveragePoolBackward { .. } => self.pooling(node),
            Op::BatchNormTraining { .. }
            | Op::BatchNormBackward { .. }
            | Op::BatchNormInference { .. }
            | Op::FoldBatchNorm { .. } => self.normalisation(node),
            Op::Activation(_) | Op::ActivationBackward(_) | Op::Add | Op::Dropout { .. } => {
                self.elementwise(node)
            }
            Op::Concat | Op::ChannelSlice { .. } | Op::Flatten | Op::Unflatten { .. } => {
                self.rearrange(node)
            }
            Op::Softmax | Op::CrossEntropy { .. } | Op::CrossEntropyBackward { .. } => {
                self.loss(node)
            }
            Op::Deformable(op) => self.deformable(node, op),
            Op::Rearrange(_) if self.shuffled.contains(&node.inputs[0]) => {
                let Placed { buffer, lies } = self.at(node.inputs[0]);
                self.place_at(node.outputs[0], buffer, lies);
                Ok(())
            }
            _ => self.call(node),
        }
    }

    fn not_lowered(&self) -> RuntimeError {
        RuntimeError::NotLowered {
            layer: self.layer.clone(),
            op: self.op,
        }
    }

    fn buffer(&mut self, len: usize, home: Home) -> BufferId {
        let id = BufferId(u32::try_from(self.buffers.len()).expect("fewer than 2^32 buffers"));
        self.buffers.push(Buffer { len, home });
        self.pending.push(0);
        id
    }

    /// Memory for the step to come.
    fn scratch(&mut self, len: usize) -> BufferId {
        self.buffer(len, Home::Arena)
    }

    /// Says where a value is, and that its readers are readers of that buffer.
    fn place_at(&mut self, id: ValueId, buffer: BufferId, lies: Layout) {
        self.pending[buffer.index()] += self.uses[id.index()];
        self.placed[id.index()] = Some(Placed { buffer, lies });
    }

    fn only_reader(&self, id: ValueId) -> Option<&'g Node> {
        match self.readers[id.index()].as_slice() {
            &[index] if self.uses[id.index()] == 1 => Some(&self.graph.nodes[index]),
            _ => None,
        }
    }

    fn at(&self, id: ValueId) -> Placed {
        self.placed[id.index()].expect("a verified graph makes values before it reads them")
    }

    /// A result of the node, to be made in the layout it is asked for: in the region of a gradient
    /// or an output where it is one.
    fn result(&mut self, id: ValueId, lies: Layout) -> BufferId {
        let value = self.graph.value(id);
        let channels_first = lies == Layout::Nchw || self.map(id).is_orderless();
        let home = match self.reserved.get(&id) {
            Some(&span) if channels_first => Home::Fixed(span),
            _ => Home::Arena,
        };
        let buffer = self.buffer(slots::len(value), home);
        self.place_at(id, buffer, lies);
        buffer
    }

    /// A result in the node's layout.
    fn feature_result(&mut self, id: ValueId) -> BufferId {
        self.result(id, self.options.layout)
    }

    /// A value in the node's layout.
    fn feature(&mut self, id: ValueId) -> BufferId {
        self.in_layout(id, self.options.layout)
    }

    /// A value in the order of its shape: weights, vectors, matrices.
    fn plain(&mut self, id: ValueId) -> BufferId {
        self.in_layout(id, Layout::Nchw)
    }

    fn in_layout(&mut self, id: ValueId, layout: Layout) -> BufferId {
        let Placed { buffer, lies } = self.at(id);
        let map = self.map(id);
        if lies == layout || map.is_orderless() {
            return buffer;
        }
        if let Some(&reordered) = self.reordered.get(&(id, layout)) {
            return reordered;
        }
        let y = self.buffer(map.len(), Home::Arena);
        self.reordered.insert((id, layout), y);
        let work = Work::Reorder {
            map: Map {
                layout: lies,
                ..map
            },
            to: layout,
            x: buffer,
            y,
        };
        self.emit(self.constant[id.index()], work);
        y
    }

    /// The buffer of a value that the node being lowered may overwrite with its result `into`:
    /// nobody reads it any more, nothing else keeps it, and the result has no region of its own.
    fn dying(&self, id: ValueId, into: ValueId) -> Option<BufferId> {
        let Placed { buffer, .. } = self.at(id);
        let free = self.pending[buffer.index()] == 0
            && self.buffers[buffer.index()].home == Home::Arena
            && !self.constant[id.index()]
            && !self.reserved.contains_key(&into);
        free.then_some(buffer)
    }

    /// A value as a feature map in the node's layout; a matrix is one of single pixels.
    fn map(&self, id: ValueId) -> Map {
        let shape = &self.graph.value(id).shape;
        let map = Map {
            layout: self.options.layout,
            batch: shape.first().copied().unwrap_or(1),
            channels: shape.get(1).copied().unwrap_or(1),
            area: shape.iter().skip(2).product(),
        };
        // Kernels are quicker with channels last, so pixels by themselves are told to be so.
        let layout = if map.area == 1 {
            Layout::Nhwc
        } else {
            map.layout
        };
        Map { layout, ..map }
    }

    /// A step of the node being lowered.
    fn push(&mut self, work: Work) {
        self.emit(self.node_is_constant, work);
    }

    fn emit(&mut self, constant: bool, work: Work) {
        let step = Step {
            layer: self.layer.clone(),
            op: self.op,
            work,
        };
        let steps = if constant {
            &mut self.prologue
        } else {
            &mut self.main
        };
        steps.push(step);
    }
}

impl Map {
    /// Whether both layouts are the same order.
    fn is_orderless(self) -> bool {
        self.channels == 1 || self.area == 1
    }
}
