//! One node of the graph that is being written: what it reads, and the model that grows by it.

use graph::{Node, Op, ValueId};

use super::attribute;
use super::{DOMAIN, ExportError, Exporter};
use crate::onnx::proto::tensor_proto::DataType;
use crate::onnx::proto::{AttributeProto, NodeProto};

/// A node of the graph, and the model it is to be part of.
pub(super) struct Draft<'e, 'g, 'w> {
    exporter: &'e mut Exporter<'g, 'w>,
    node: &'g Node,
    first: usize,
}

impl<'e, 'g, 'w> Draft<'e, 'g, 'w> {
    pub(super) fn new(exporter: &'e mut Exporter<'g, 'w>, node: &'g Node) -> Self {
        let first = exporter.nodes.len();
        Self {
            exporter,
            node,
            first,
        }
    }

    pub(super) fn op(&self) -> &'g Op {
        &self.node.op
    }

    /// Version of the standard operators.
    pub(super) fn opset(&self) -> i64 {
        self.exporter.opset
    }

    // What it reads.

    pub(super) fn inputs(&self) -> usize {
        self.node.inputs.len()
    }

    /// The name of an input.
    pub(super) fn input(&mut self, place: usize) -> Result<String, ExportError> {
        self.value(self.node.inputs[place])
    }

    fn value(&mut self, id: ValueId) -> Result<String, ExportError> {
        match self.exporter.name(id)? {
            Some(name) => Ok(name),
            None => {
                let value = &self.exporter.graph.value(id).name;
                self.unsupported(format!("reads `{value}`, which no model has"))
            }
        }
    }

    pub(super) fn shape(&self, place: usize) -> &'g [usize] {
        &self.exporter.graph.value(self.node.inputs[place]).shape
    }

    /// Shape of the first result.
    pub(super) fn made(&self) -> &'g [usize] {
        &self.exporter.graph.value(self.node.outputs[0]).shape
    }

    /// Whether the first axis of an input is the open batch.
    pub(super) fn is_open(&self, place: usize) -> bool {
        self.exporter.is_open(self.node.inputs[place])
    }

    /// Whether anything reads a result.
    pub(super) fn is_read(&self, place: usize) -> bool {
        let made = self.node.outputs.get(place);
        made.is_some_and(|id| self.exporter.read[id.index()])
    }

    /// What the node reads that folded a normalisation into the weight at `place`, and whether it had a bias.
    pub(super) fn fold(&mut self, place: usize) -> Result<Option<Fold>, ExportError> {
        let graph = self.exporter.graph;
        let Some(&index) = self.exporter.folds.get(&self.node.inputs[place]) else {
            return Ok(None);
        };
        let fold = &graph.nodes[index];
        let Op::FoldBatchNorm { epsilon, bias } = fold.op else {
            return Ok(None);
        };
        let both = self.node.inputs.get(place..place + 2);
        if both != Some(&fold.outputs[..]) {
            return self.unsupported("reads a folded weight without its bias");
        }
        let mut names = Vec::with_capacity(fold.inputs.len());
        for &id in &fold.inputs {
            names.push(self.value(id)?);
        }
        let statistics = names.split_off(1 + usize::from(bias));
        Ok(Some(Fold {
            epsilon,
            weights: names,
            statistics,
        }))
    }

    // Refusals.

    fn place(&self) -> (String, &'static str) {
        (self.node.layer.clone(), self.node.op.name())
    }

    /// What ONNX has no form for.
    pub(super) fn unsupported<T>(&self, what: impl Into<String>) -> Result<T, ExportError> {
        let (layer, op) = self.place();
        Err(ExportError::Unsupported {
            layer,
            op,
            what: what.into(),
        })
    }

    /// What belongs to a training step.
    pub(super) fn training<T>(&self) -> Result<T, ExportError> {
        let (layer, op) = self.place();
        Err(ExportError::Training { layer, op })
    }

    /// Refuses what the operator set does not have yet.
    pub(super) fn needs(&self, needed: i64, what: &str) -> Result<(), ExportError> {
        let (layer, op) = self.place();
        let opset = self.opset();
        match opset >= needed {
            true => Ok(()),
            false => Err(ExportError::Older {
                layer,
                op,
                what: what.to_owned(),
                needed,
                opset,
            }),
        }
    }

    /// What a descriptor comes to. The graph was verified, so it comes to something.
    pub(super) fn resolved<T, E: std::fmt::Display>(
        &self,
        result: Result<T, E>,
    ) -> Result<T, ExportError> {
        result.or_else(|error| self.unsupported(error.to_string()))
    }

    // What becomes of it.

    /// Adds a node of one result and gives its name.
    pub(super) fn add(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.add_all(op, inputs, attributes, 1).remove(0)
    }

    /// Adds a node and gives the names of its results.
    pub(super) fn add_all(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
        results: usize,
    ) -> Vec<String> {
        let wanted = match self.exporter.nodes.len() == self.first {
            true => self.node.layer.clone(),
            false => format!("{}/{op}", self.node.layer),
        };
        let taken = &mut self.exporter.taken;
        let outputs = (0..results).map(|_| taken.free(format!("{}/{op}", self.node.layer)));
        let outputs: Vec<_> = outputs.collect();
        self.exporter.nodes.push(NodeProto {
            op_type: Some(op.to_owned()),
            name: Some(self.exporter.taken_by_nodes.free(wanted)),
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: outputs.clone(),
            attribute: attributes,
            ..NodeProto::default()
        });
        outputs
    }

    /// Adds a node of an operator that ONNX does not have.
    pub(super) fn add_custom(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let made = self.add(op, inputs, attributes);
        if let Some(node) = self.exporter.nodes.last_mut() {
            node.domain = Some(DOMAIN.to_owned());
        }
        self.exporter.custom = true;
        made
    }

    /// A list of integers.
    pub(super) fn ints(&mut self, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        let dims = vec![values.len() as i64];
        self.exporter
            .constant(DataType::Int64, dims, bytes.collect())
    }

    /// One number.
    pub(super) fn number(&mut self, value: f32) -> String {
        self.numbers(&[], &[value])
    }

    /// Numbers of a shape.
    pub(super) fn numbers(&mut self, shape: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        let dims = shape.iter().map(|&extent| extent as i64).collect();
        self.exporter
            .constant(DataType::Float, dims, bytes.collect())
    }

    /// The same number everywhere.
    pub(super) fn filled(&mut self, shape: &[usize], value: f32) -> String {
        let count = shape.iter().product();
        self.numbers(shape, &vec![value; count])
    }

    /// The same elements with other extents; of an open batch, which must stay the first axis, the first one is not
    /// said.
    pub(super) fn reshape(&mut self, x: &str, shape: &[usize], open: bool) -> String {
        let mut extents: Vec<_> = shape.iter().map(|&extent| extent as i64).collect();
        if let Some(batch) = extents.first_mut().filter(|_| open) {
            // As many as there are.
            *batch = 0;
        }
        // An axis without elements would be one whose extent is not said.
        let empty = extents[usize::from(open).min(extents.len())..].contains(&0);
        let attributes = match empty && !open && self.opset() >= 14 {
            true => vec![attribute::int("allowzero", 1)],
            false => vec![],
        };
        let shape = self.ints(&extents);
        self.add("Reshape", &[x, &shape], attributes)
    }

    /// A parameter of the channels, as one that is broadcast against maps of `spatial` axes.
    pub(super) fn by_channel(
        &mut self,
        parameter: &str,
        channels: usize,
        spatial: usize,
    ) -> String {
        let shape = [&[channels], &*vec![1; spatial]].concat();
        self.reshape(parameter, &shape, false)
    }

    /// Axes in another order.
    pub(super) fn transpose(&mut self, x: &str, axes: &[usize]) -> String {
        let order = attribute::sizes("perm", axes.iter().copied());
        self.add("Transpose", &[x], vec![order])
    }

    /// Some elements of some axes: axis, start, stop, step.
    pub(super) fn slice(&mut self, x: &str, ranges: &[[i64; 4]]) -> String {
        let lists = [1, 2, 0, 3].map(|part| {
            let list: Vec<_> = ranges.iter().map(|range| range[part]).collect();
            self.ints(&list)
        });
        let [starts, stops, axes, steps] = &lists;
        self.add("Slice", &[x, starts, stops, axes, steps], vec![])
    }

    /// Parts side by side.
    pub(super) fn concat(&mut self, parts: &[String], axis: i64) -> String {
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        self.add("Concat", &parts, vec![attribute::int("axis", axis)])
    }

    /// Axes brought down to one element each, by `ReduceMean` and the like.
    pub(super) fn reduce(&mut self, op: &str, x: &str, axes: &[usize]) -> String {
        if axes.is_empty() {
            return x.to_owned();
        }
        // A sum has its axes as an input earlier than the others.
        if op == "ReduceSum" || self.opset() >= 18 {
            let axes: Vec<_> = axes.iter().map(|&axis| axis as i64).collect();
            let axes = self.ints(&axes);
            return self.add(op, &[x, &axes], vec![]);
        }
        let axes = attribute::sizes("axes", axes.iter().copied());
        self.add(op, &[x], vec![axes])
    }

    /// Elements of another type.
    pub(super) fn cast(&mut self, x: &str, to: DataType) -> String {
        self.add("Cast", &[x], vec![attribute::int("to", to as i64)])
    }

    /// An operation with one number.
    pub(super) fn with_number(&mut self, op: &str, x: &str, number: f32) -> String {
        let number = self.number(number);
        self.add(op, &[x, &number], vec![])
    }
}

/// A normalisation that was folded into a convolution.
pub(super) struct Fold {
    pub(super) epsilon: f32,
    /// Weight and bias of the convolution before it.
    pub(super) weights: Vec<String>,
    /// Gamma, beta, mean and variance.
    pub(super) statistics: Vec<String>,
}
