//! One node that is being imported: its attributes, its inputs, and the graph that grows by it.

use geometry::PermuteGeometry;
use graph::{
    ArithmeticOp, BinaryOp, ElementType, Op, ParameterKind, RearrangeOp, ReduceOp, UnaryOp, ValueId,
};
use tensor::Unary;

use super::parameters::Purpose;
use super::{Importer, Numbering, Source, Tensor, Value, fold};
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::external::External;
use crate::onnx::proto::{AttributeProto, NodeProto};
use crate::onnx::{Array, Element, Extent, OnnxError, initializer};

/// A node, and the import it is part of.
pub(super) struct Call<'c, 'm> {
    importer: &'c mut Importer<'m>,
    node: &'m NodeProto,
    name: String,
}

impl<'c, 'm> Call<'c, 'm> {
    pub(super) fn new(importer: &'c mut Importer<'m>, node: &'m NodeProto, index: usize) -> Self {
        let name = match node.name().trim_start_matches('/') {
            "" => format!("{}_{index}", node.op_type()),
            name => name.to_owned(),
        };
        Self {
            importer,
            node,
            name,
        }
    }

    /// The layer's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn op(&self) -> &'m str {
        self.node.op_type()
    }

    pub(super) fn domain(&self) -> &'m str {
        self.node.domain()
    }

    /// Version of the standard operators.
    pub(super) fn opset(&self) -> i64 {
        self.importer.model.opset
    }

    pub(super) fn outputs(&self) -> usize {
        self.node.output.len()
    }

    /// The batch that the model says, and another one that takes its place.
    pub(super) fn rebatch(&self) -> Option<(usize, usize)> {
        let bindings = self.importer.bindings;
        let declared = self.importer.model.inputs().first()?.shape.as_deref()?;
        match (declared.first()?, bindings.batch) {
            (&Extent::Known(fixed), Some(asked)) if bindings.rebatch => Some((fixed, asked)),
            _ => None,
        }
    }

    /// Whether the model is to be trained, so that its layers in training mode are the passes' business.
    pub(super) fn learns(&self) -> bool {
        self.importer.bindings.learns
    }

    /// Whether a node or the model reads an output of a model that is to be trained.
    pub(super) fn is_read(&self, place: usize) -> bool {
        let output = self.node.output.get(place);
        output.is_some_and(|name| self.importer.read.contains(name.as_str()))
    }

    /// Whether an output has a name, so that somebody may read it.
    pub(super) fn makes(&self, place: usize) -> bool {
        let output = self.node.output.get(place);
        output.is_some_and(|name| !name.is_empty())
    }

    // Attributes.

    fn attribute(&self, name: &str) -> Option<&'m AttributeProto> {
        self.node.attribute.iter().find(|a| a.name() == name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name)
            .and_then(|attribute| attribute.i)
            .unwrap_or(default)
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name, default.into()) != 0
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        let attribute = self.attribute(name);
        attribute.and_then(|a| a.f).unwrap_or(default)
    }

    pub(super) fn text(&self, name: &str, default: &'static str) -> &'m str {
        let attribute = self.attribute(name).and_then(|a| a.s.as_ref());
        attribute
            .and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or(default)
    }

    pub(super) fn ints(&self, name: &str) -> Option<&'m [i64]> {
        self.attribute(name).map(|attribute| &*attribute.ints)
    }

    pub(super) fn floats(&self, name: &str) -> Option<&'m [f32]> {
        self.attribute(name).map(|attribute| &*attribute.floats)
    }

    /// A list of extents, none of them negative.
    pub(super) fn sizes(&self, name: &str) -> Result<Option<Vec<usize>>, Fault> {
        self.ints(name).map(|ints| sizes(name, ints)).transpose()
    }

    /// An attribute that is a tensor.
    pub(super) fn array(&self, name: &str) -> Result<Option<Array>, Fault> {
        let Some(tensor) = self.attribute(name).and_then(|a| a.t.as_ref()) else {
            return Ok(None);
        };
        let array = initializer::array(&mut tensor.clone(), &mut External::default())?;
        Ok(Some(array))
    }

    // Inputs.

    /// How many inputs the node lists, those left out in between among them.
    pub(super) fn inputs(&self) -> usize {
        self.node.input.len()
    }

    pub(super) fn given(&self, place: usize) -> bool {
        let input = self.node.input.get(place);
        input.is_some_and(|name| !name.is_empty())
    }

    /// An input, if there is one.
    pub(super) fn value(&self, place: usize) -> Option<&Value> {
        let name = self.node.input.get(place).filter(|name| !name.is_empty())?;
        self.importer.values.get(name.as_str())
    }

    fn needed(&self, place: usize) -> Result<Value, Fault> {
        match self.value(place) {
            Some(value) => Ok(value.clone()),
            None => wrong(format!("input {place} is missing")),
        }
    }

    /// Elements of an input in the model.
    pub(super) fn element(&self, place: usize) -> Result<Element, Fault> {
        Ok(match self.needed(place)? {
            Value::Constant(array, _) => array.element(),
            Value::Input(index) => self.importer.inputs[index].element,
            Value::Tensor(tensor) => tensor.element,
            Value::Places(..) => Element::I64,
        })
    }

    /// Extents of an input.
    pub(super) fn shape_of(&self, place: usize) -> Result<Vec<usize>, Fault> {
        Ok(match self.needed(place)? {
            Value::Constant(array, _) => array.shape().to_vec(),
            Value::Input(index) => self.importer.inputs[index].shape.clone(),
            Value::Tensor(tensor) => self.shape(tensor.id).to_vec(),
            Value::Places(id, _) => self.shape(id).to_vec(),
        })
    }

    /// An input that is known without a run: a constant of the model.
    pub(super) fn constant(&self, place: usize) -> Option<&Array> {
        match self.value(place) {
            Some(Value::Constant(array, _)) => Some(array),
            _ => None,
        }
    }

    /// An input whose elements the operator must know before a run: a constant, or an input of the model that
    /// the bindings know; nothing if it is not given.
    pub(super) fn known(&self, place: usize) -> Result<Option<Array>, Fault> {
        match self.value(place) {
            None => Ok(None),
            Some(Value::Constant(array, _)) => Ok(Some(array.clone())),
            Some(Value::Input(index)) => {
                let edge = &self.importer.inputs[*index];
                let bound = self.importer.bindings.values.get(&edge.name);
                match bound {
                    Some(array) => Ok(Some(array.clone())),
                    None => unsupported(format!(
                        "input `{}` must be known before the model is run",
                        edge.name
                    )),
                }
            }
            Some(_) => unsupported(format!(
                "input {place} must be known before the model is run, and is computed by it"
            )),
        }
    }

    pub(super) fn known_ints(&self, place: usize) -> Result<Option<Vec<i64>>, Fault> {
        let known = self.known(place)?;
        Ok(known.map(|array| array.integers().collect()))
    }

    pub(super) fn known_reals(&self, place: usize) -> Result<Option<Vec<f64>>, Fault> {
        let known = self.known(place)?;
        Ok(known.map(|array| array.reals().collect()))
    }

    /// One number, if it is given.
    pub(super) fn known_scalar(&self, place: usize) -> Result<Option<f64>, Fault> {
        match self.known(place)? {
            None => Ok(None),
            Some(array) if array.len() == 1 => Ok(array.reals().next()),
            Some(array) if array.is_empty() => Ok(None),
            Some(array) => wrong(format!(
                "input {place} has shape {:?}, which is not one number",
                array.shape()
            )),
        }
    }

    /// A list that newer operator sets have as an input and older ones as an attribute.
    pub(super) fn list(&self, place: usize, attribute: &str) -> Result<Option<Vec<i64>>, Fault> {
        match self.ints(attribute) {
            Some(list) => Ok(Some(list.to_vec())),
            None => self.known_ints(place),
        }
    }

    /// Whether every input is known without a run.
    pub(super) fn is_constant(&self) -> bool {
        let places = (0..self.inputs()).filter(|&place| self.given(place));
        places.clone().count() > 0
            && places
                .into_iter()
                .all(|place| self.constant(place).is_some())
    }

    /// An input as a value of the graph. A constant becomes a parameter that does not learn.
    pub(super) fn tensor(&mut self, place: usize) -> Result<Tensor, Fault> {
        self.tensor_for(place, Purpose::Fixed)
    }

    /// The same of an optional input.
    pub(super) fn maybe_tensor(&mut self, place: usize) -> Result<Option<Tensor>, Fault> {
        match self.given(place) {
            true => Ok(Some(self.tensor(place)?)),
            false => Ok(None),
        }
    }

    /// An input that, where it is a constant of the model, learns.
    pub(super) fn learned(&mut self, place: usize, kind: ParameterKind) -> Result<ValueId, Fault> {
        Ok(self.tensor_for(place, Purpose::Learned(kind))?.id)
    }

    pub(super) fn tensor_for(&mut self, place: usize, purpose: Purpose) -> Result<Tensor, Fault> {
        match self.needed(place)? {
            Value::Tensor(tensor) => Ok(tensor),
            Value::Input(index) => Ok(self.importer.input(index, &self.name)?),
            Value::Constant(array, name) => {
                let element = array.element();
                let id = self.parameter(&array, name.as_deref(), purpose);
                Ok(Tensor { id, element })
            }
            Value::Places(..) => unsupported(format!(
                "input {place} are the places of maxima, which only MaxUnpool reads"
            )),
        }
    }

    /// A constant as a parameter, in a form in which an initializer may not stand in the file.
    pub(super) fn parameter(
        &mut self,
        array: &Array,
        name: Option<&str>,
        purpose: Purpose,
    ) -> ValueId {
        let Importer {
            graph, parameters, ..
        } = &mut *self.importer;
        parameters.make(graph, array, name, &self.name, purpose)
    }

    /// A matrix turned round; a constant is turned here and now.
    pub(super) fn transposed_weight(&mut self, place: usize) -> Result<ValueId, Fault> {
        let purpose = Purpose::Learned(ParameterKind::Weight);
        match self.needed(place)? {
            Value::Constant(array, name) if array.shape().len() == 2 => {
                let turned = fold::permute(&array, &[1, 0])?;
                Ok(self.parameter(&turned, name.as_deref(), purpose))
            }
            _ => {
                let x = self.tensor(place)?.id;
                self.permute(x, &[1, 0])
            }
        }
    }

    /// An input of the model, or the result of a max pool, as places within planes of these extents.
    pub(super) fn places(&mut self, place: usize, plane: &[usize]) -> Result<ValueId, Fault> {
        let numbering = Numbering {
            plane: plane.to_vec(),
            column_major: false,
        };
        match self.needed(place)? {
            Value::Places(id, given) if given.plane == plane => Ok(id),
            Value::Places(_, given) => unsupported(format!(
                "places within planes of {:?} as those within {plane:?}",
                given.plane
            )),
            Value::Input(index) => {
                let edge = &self.importer.inputs[index];
                match &edge.source {
                    Source::Unread => {}
                    Source::Index(at, same) if *same == numbering => {
                        return Ok(self.importer.graph.inputs[*at]);
                    }
                    _ => return unsupported("indices that are read as numbers too"),
                }
                let id = self.importer.add_input(index, ElementType::Index);
                let at = self.importer.graph.inputs.len() - 1;
                self.importer.inputs[index].source = Source::Index(at, numbering);
                Ok(id)
            }
            _ => unsupported("indices other than those of a max pool or given to the model"),
        }
    }

    /// The plane that places were found in, if the input is what a max pool gives.
    pub(super) fn plane_of(&self, place: usize) -> Option<&[usize]> {
        match self.value(place) {
            Some(Value::Places(_, numbering)) => Some(&numbering.plane),
            _ => None,
        }
    }

    // The graph.

    pub(super) fn shape(&self, id: ValueId) -> &[usize] {
        &self.importer.graph.value(id).shape
    }

    pub(super) fn rank(&self, id: ValueId) -> usize {
        self.shape(id).len()
    }

    /// Adds a node and gives its first result.
    pub(super) fn push(&mut self, op: Op, inputs: Vec<ValueId>) -> Result<ValueId, Fault> {
        Ok(self.push_all(op, inputs)?[0])
    }

    /// Adds a node and gives all its results.
    pub(super) fn push_all(&mut self, op: Op, inputs: Vec<ValueId>) -> Result<Vec<ValueId>, Fault> {
        Ok(self.importer.graph.append(op, self.name.clone(), inputs)?)
    }

    pub(super) fn unary(&mut self, f: Unary, x: ValueId) -> Result<ValueId, Fault> {
        self.push(Op::Unary(UnaryOp::Apply(f)), vec![x])
    }

    /// An operation with broadcasting; an addition of equal shapes in the form that can be fused.
    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        a: ValueId,
        b: ValueId,
    ) -> Result<ValueId, Fault> {
        let op = match op {
            BinaryOp::Add if self.shape(a) == self.shape(b) => Op::Add,
            op => Op::Arithmetic(ArithmeticOp::Binary(op)),
        };
        self.push(op, vec![a, b])
    }

    /// An operation with one number.
    pub(super) fn scalar(
        &mut self,
        op: BinaryOp,
        x: ValueId,
        number: f32,
    ) -> Result<ValueId, Fault> {
        let number = self.fill(&[], number)?;
        self.binary(op, x, number)
    }

    pub(super) fn fill(&mut self, shape: &[usize], value: f32) -> Result<ValueId, Fault> {
        let shape = shape.to_vec();
        self.push(Op::Fill { shape, value }, vec![])
    }

    pub(super) fn reshape(&mut self, x: ValueId, shape: &[usize]) -> Result<ValueId, Fault> {
        if self.shape(x) == shape {
            return Ok(x);
        }
        // The form that knows about layouts.
        let flat = match *self.shape(x) {
            [batch, _, _, ..] => *shape == [batch, self.shape(x)[1..].iter().product()],
            _ => false,
        };
        let op = match flat {
            true => Op::Flatten,
            false => Op::Rearrange(RearrangeOp::Reshape {
                shape: shape.to_vec(),
            }),
        };
        self.push(op, vec![x])
    }

    pub(super) fn permute(&mut self, x: ValueId, axes: &[usize]) -> Result<ValueId, Fault> {
        PermuteGeometry::resolve(axes, self.shape(x))?;
        let axes = axes.to_vec();
        self.push(Op::Rearrange(RearrangeOp::Permute { axes }), vec![x])
    }

    /// Repeats elements until the shape is this one, as far as broadcasting goes.
    pub(super) fn expand(&mut self, x: ValueId, shape: &[usize]) -> Result<ValueId, Fault> {
        if self.shape(x) == shape {
            return Ok(x);
        }
        // Times one keeps every number, negative zeros too.
        let ones = self.fill(shape, 1.0)?;
        self.binary(BinaryOp::Mul, x, ones)
    }

    /// A reduction of axes, which stay with extent 1.
    pub(super) fn reduce(
        &mut self,
        op: ReduceOp,
        x: ValueId,
        axes: &[usize],
    ) -> Result<ValueId, Fault> {
        if axes.is_empty() {
            return Ok(x);
        }
        let axes = axes.iter().map(|&axis| axis as i64).collect();
        self.push(Op::Arithmetic(ArithmeticOp::Reduce { op, axes }), vec![x])
    }

    /// The number of a dropout.
    pub(super) fn next_dropout(&mut self) -> u32 {
        self.importer.dropouts += 1;
        self.importer.dropouts - 1
    }

    /// A constant that takes memory of its own.
    pub(super) fn keep(&mut self, array: Array) -> Result<Value, Fault> {
        self.book(array.bytes().len())?;
        Ok(Value::Constant(array, None))
    }

    /// Takes bytes off what constants may take.
    pub(super) fn book(&mut self, bytes: usize) -> Result<(), Fault> {
        let budget = &mut self.importer.budget;
        match budget.checked_sub(bytes) {
            Some(left) => {
                *budget = left;
                Ok(())
            }
            None => Err(Fault::Other(OnnxError::Memory {
                bytes: self.importer.model.bytes,
                needed: bytes,
                limit: *budget,
            })),
        }
    }

    /// An axis counted from the front.
    pub(super) fn axis(&self, axis: i64, rank: usize) -> Result<usize, Fault> {
        axis_of(axis, rank)
    }
}

/// An axis counted from the front; a negative one counts from the end.
pub(super) fn axis_of(axis: i64, rank: usize) -> Result<usize, Fault> {
    let counted = if axis < 0 {
        axis.saturating_add(rank as i64)
    } else {
        axis
    };
    match usize::try_from(counted) {
        Ok(place) if place < rank => Ok(place),
        _ => wrong(format!("axis {axis} of a tensor of {rank} axes")),
    }
}

/// Extents, none of them negative.
pub(super) fn sizes(what: &str, ints: &[i64]) -> Result<Vec<usize>, Fault> {
    let sizes = ints.iter().map(|&int| usize::try_from(int));
    match sizes.collect() {
        Ok(sizes) => Ok(sizes),
        Err(_) => wrong(format!("{what} is {ints:?}")),
    }
}
