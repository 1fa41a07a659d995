//! A graph as boxes: an operator with what is applied to its result and to nothing else.

use std::collections::HashMap;

use figures::diagram::{Node, Role};
use geometry::{ConvDesc, PoolDesc, PoolKind};
use graph::{
    Activation, ArithmeticOp, BinaryOp, DeformableOp, Graph, Op, RearrangeOp, SoftmaxOp,
    TransposedOp, UnaryOp, ValueId, passes,
};

use crate::table::extents;

/// A box of a picture.
pub(super) struct Block {
    pub(super) node: Node,
    /// The layer it begins with.
    pub(super) layer: String,
    /// What tells it apart from other boxes, channels that come in left out.
    pub(super) kind: String,
    /// The boxes whose results it reads.
    pub(super) reads: Vec<usize>,
}

/// The boxes of a forward graph in an order in which each follows what it reads. Heads for training only are left out.
pub(super) fn boxes(graph: &Graph) -> Vec<Block> {
    let mut graph = graph.clone();
    graph.auxiliary.clear();
    let graph = passes::remove_dead(&graph);
    let mut users: HashMap<ValueId, usize> = HashMap::new();
    let read = graph.nodes.iter().flat_map(|node| &node.inputs);
    for &value in read.chain(&graph.outputs) {
        *users.entry(value).or_default() += 1;
    }
    let mut drawn = Drawn {
        graph: &graph,
        users,
        blocks: Vec::new(),
        made_by: HashMap::new(),
        constants: HashMap::new(),
    };
    for &input in &graph.inputs {
        drawn.input(input);
    }
    for place in 0..graph.nodes.len() {
        drawn.node(place);
    }
    drawn.blocks
}

struct Drawn<'a> {
    graph: &'a Graph,
    /// How many nodes read a value.
    users: HashMap<ValueId, usize>,
    blocks: Vec<Block>,
    /// The box that made a value.
    made_by: HashMap<ValueId, usize>,
    /// Values that are the same number everywhere.
    constants: HashMap<ValueId, f32>,
}

impl Drawn<'_> {
    fn input(&mut self, id: ValueId) {
        let value = self.graph.value(id);
        let size = size(&value.shape);
        self.made_by.insert(id, self.blocks.len());
        self.blocks.push(Block {
            kind: format!("input {size}"),
            node: Node {
                title: "input".to_owned(),
                lines: vec![size],
                role: Role::Edge,
            },
            layer: value.name.clone(),
            reads: Vec::new(),
        });
    }

    fn node(&mut self, place: usize) {
        let node = &self.graph.nodes[place];
        if let (Op::Fill { value, .. }, Some(&id)) = (&node.op, node.outputs.first()) {
            self.constants.insert(id, *value);
            return;
        }
        let data: Vec<ValueId> = node
            .inputs
            .iter()
            .copied()
            .filter(|id| self.made_by.contains_key(id))
            .collect();
        let shape = node
            .outputs
            .first()
            .map(|&id| self.graph.value(id).shape.clone())
            .unwrap_or_default();
        if let (Some(word), [only]) = (self.word(place), data.as_slice())
            && self.users.get(only) == Some(&1)
            && let Some(&before) = self.made_by.get(only)
            && takes(&self.blocks[before].node, &node.op)
        {
            let block = &mut self.blocks[before];
            // The size stays the last line.
            let size_line = block.node.lines.pop();
            match block.node.lines.last_mut() {
                Some(words) if block.kind.ends_with('…') => *words = format!("{words} · {word}"),
                _ => block.node.lines.push(word.clone()),
            }
            block.node.lines.extend(size_line);
            block.kind = format!("{} {word}…", block.kind.trim_end_matches('…'));
            for &output in &node.outputs {
                self.made_by.insert(output, before);
            }
            return;
        }
        let mut reads: Vec<usize> = data.iter().map(|id| self.made_by[id]).collect();
        reads.dedup();
        let (title, line, role) = self.describe(place);
        let mut lines = Vec::new();
        lines.extend(line);
        // Channels that come in do not tell boxes apart: in a dense block they grow from layer to layer.
        let settings = lines
            .first()
            .map_or("", |line: &String| line.rsplit('→').next().unwrap_or(line));
        let space = shape.get(2..).unwrap_or_default();
        let kind = format!("{title} {settings} {space:?}");
        lines.push(size(&shape));
        for &output in &node.outputs {
            self.made_by.insert(output, self.blocks.len());
        }
        self.blocks.push(Block {
            node: Node { title, lines, role },
            layer: node.layer.clone(),
            kind,
            reads,
        });
    }

    /// What a node does to the result of the one before, in a word; nothing of one that has a box of its own.
    fn word(&self, place: usize) -> Option<String> {
        let node = &self.graph.nodes[place];
        Some(match &node.op {
            Op::BatchNorm { .. } | Op::BatchNormInference { .. } => "BN".to_owned(),
            Op::Activation(Activation::Relu) => "ReLU".to_owned(),
            Op::Activation(Activation::Relu6) => "ReLU6".to_owned(),
            Op::Unary(UnaryOp::Apply(function)) => function.name().to_owned(),
            Op::Dropout { rate, .. } => format!("dropout {rate}"),
            Op::Softmax | Op::Softmaxes(SoftmaxOp::Along { .. }) => "softmax".to_owned(),
            Op::Flatten => "flatten".to_owned(),
            Op::Arithmetic(ArithmeticOp::Binary(BinaryOp::Mul)) => {
                let factor = node.inputs.iter().find_map(|id| self.constants.get(id))?;
                format!("× {factor}")
            }
            _ => return None,
        })
    }

    /// Title, line of settings and role of a box.
    fn describe(&self, place: usize) -> (String, Option<String>, Role) {
        let node = &self.graph.nodes[place];
        let shape = |id: Option<&ValueId>| {
            id.map(|&id| self.graph.value(id).shape.as_slice())
                .unwrap_or_default()
        };
        let (input, output) = (shape(node.inputs.first()), shape(node.outputs.first()));
        let channels = |shape: &[usize]| shape.get(1).copied().unwrap_or(0);
        let (c, o) = (channels(input), channels(output));
        match &node.op {
            Op::Conv { desc, .. } => convolution("conv", desc, c, o, Role::Convolution),
            Op::Transposed(TransposedOp::Conv { desc, .. }) => {
                convolution("transposed", &desc.conv, c, o, Role::Sampling)
            }
            Op::Deformable(DeformableOp::Conv { desc, .. }) => {
                let name = if desc.modulated {
                    "modulated deformable"
                } else {
                    "deformable"
                };
                convolution(name, &desc.conv, c, o, Role::Sampling)
            }
            Op::Pool { desc, .. } => pool(desc),
            Op::GlobalAveragePool => ("global average pool".to_owned(), None, Role::Pool),
            Op::Linear { .. } => {
                let line = format!("{} → {o}", input.iter().skip(1).product::<usize>());
                ("linear".to_owned(), Some(line), Role::Linear)
            }
            Op::Add => ("+".to_owned(), None, Role::Join),
            Op::Arithmetic(ArithmeticOp::Binary(op)) => {
                let sign = match op {
                    BinaryOp::Add => "+",
                    BinaryOp::Sub => "−",
                    BinaryOp::Mul => "×",
                    BinaryOp::Div => "/",
                    _ => node.op.name(),
                };
                (sign.to_owned(), None, Role::Join)
            }
            Op::Concat | Op::Rearrange(RearrangeOp::Concat { .. }) => {
                ("concat".to_owned(), None, Role::Join)
            }
            Op::ChannelSlice { start, count } => {
                let line = format!("channels {start} to {}", start + count - 1);
                ("slice".to_owned(), Some(line), Role::Other)
            }
            Op::Rearrange(RearrangeOp::Slice { desc }) => {
                let line = desc.resolve(input).ok().and_then(|slice| {
                    let axis = slice.axes().get(1)?;
                    (axis.count < axis.input && axis.count > 0).then(|| {
                        format!("channels {} to {}", axis.first, axis.first + axis.count - 1)
                    })
                });
                ("slice".to_owned(), line, Role::Other)
            }
            Op::Rearrange(RearrangeOp::ChannelShuffle { groups }) => (
                "channel shuffle".to_owned(),
                Some(format!("{groups} groups")),
                Role::Join,
            ),
            _ => {
                let word = self.word(place);
                (
                    word.unwrap_or_else(|| node.op.name().to_owned()),
                    None,
                    Role::Other,
                )
            }
        }
    }
}

/// Whether a box says too what is applied to its result. A norm belongs to a convolution, and what comes together in a
/// concatenation goes ways of its own.
fn takes(node: &Node, op: &Op) -> bool {
    let is_norm = matches!(op, Op::BatchNorm { .. } | Op::BatchNormInference { .. });
    match node.role {
        Role::Edge => false,
        Role::Join => !is_norm && node.title != "concat",
        Role::Pool | Role::Other => !is_norm,
        _ => true,
    }
}

/// `conv 3×3` with `64 → 128, stride 2`.
fn convolution(
    name: &str,
    desc: &ConvDesc,
    c: usize,
    o: usize,
    role: Role,
) -> (String, Option<String>, Role) {
    let kernel = desc.kernel.as_slice();
    let is_pointwise = kernel.iter().all(|&taps| taps == 1);
    let is_depthwise = desc.groups > 1 && desc.groups == c;
    let (name, role) = match role {
        Role::Convolution if is_depthwise => ("depthwise", Role::Grouped),
        Role::Convolution if desc.groups > 1 => (name, Role::Grouped),
        Role::Convolution if is_pointwise => (name, Role::Pointwise),
        role => (name, role),
    };
    let mut line = if is_depthwise && c == o {
        format!("{c} channels")
    } else {
        format!("{c} → {o}")
    };
    if desc.stride.as_slice().iter().any(|&stride| stride > 1) {
        line = format!("{line}, stride {}", axes(desc.stride.as_slice()));
    }
    if desc
        .dilation
        .as_slice()
        .iter()
        .any(|&dilation| dilation > 1)
    {
        line = format!("{line}, dilation {}", axes(desc.dilation.as_slice()));
    }
    if desc.groups > 1 && !is_depthwise {
        line = format!("{line}, {} groups", desc.groups);
    }
    (format!("{name} {}", square(kernel)), Some(line), role)
}

fn pool(desc: &PoolDesc) -> (String, Option<String>, Role) {
    let name = match desc.kind {
        PoolKind::Max => "max pool",
        PoolKind::Average { .. } => "average pool",
        PoolKind::Lp { .. } => "norm pool",
    };
    let stride = desc.stride.as_slice();
    let line = stride
        .iter()
        .any(|&stride| stride > 1)
        .then(|| format!("stride {}", axes(stride)));
    (
        format!("{name} {}", square(desc.kernel.as_slice())),
        line,
        Role::Pool,
    )
}

/// A kernel: `3×3` where one number stands for both axes.
fn square(kernel: &[usize]) -> String {
    match kernel {
        [side] => format!("{side}×{side}"),
        sides => extents(sides),
    }
}

/// A stride: `2` where both axes agree.
fn axes(values: &[usize]) -> String {
    match values.windows(2).all(|pair| pair[0] == pair[1]) {
        true => values.first().map(usize::to_string).unwrap_or_default(),
        false => extents(values),
    }
}

/// Extents of one image.
fn size(shape: &[usize]) -> String {
    extents(shape.get(1..).unwrap_or_default())
}
