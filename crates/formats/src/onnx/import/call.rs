//! One node that is being imported: its attributes, its inputs, and the graph that grows by it.

use geometry::PermuteGeometry;
use graph::{
    ArithmeticOp, BinaryOp, ElementType, Op, ParameterKind, RearrangeOp, ReduceOp, UnaryOp, ValueId,
};
use tensor::Unary;

use super::parameters::Purpose;
use super::{Constant, Importer, Numbering, Origin, Source, Tensor, Value, fold};
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::external::External;
use crate::onnx::node::{Attribute, Branch, Node};
use crate::onnx::{Array, Element, Elements, Extent, initializer};

/// A node, and the import it is part of.
pub(super) struct Call<'c, 'm> {
    importer: &'c mut Importer<'m>,
    node: &'c Node<'m>,
    name: String,
}

impl<'c, 'm> Call<'c, 'm> {
    pub(super) fn new(importer: &'c mut Importer<'m>, node: &'c Node<'m>, index: usize) -> Self {
        let name = node.called(index);
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
        self.node.op
    }

    pub(super) fn domain(&self) -> &'m str {
        self.node.domain
    }

    /// Version of the standard operators.
    pub(super) fn opset(&self) -> i64 {
        self.importer.model.opset
    }

    pub(super) fn outputs(&self) -> usize {
        self.node.outputs.len()
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

    /// Whether a node or the model reads an output.
    pub(super) fn is_read(&self, place: usize) -> bool {
        let output = self.node.outputs.get(place);
        let slot = output.and_then(|name| self.importer.values.get(name));
        slot.is_some_and(|slot| slot.reads > 0)
    }

    /// Whether an output has a name, so that somebody may read it.
    pub(super) fn makes(&self, place: usize) -> bool {
        let output = self.node.outputs.get(place);
        output.is_some_and(|name| !name.is_empty())
    }

    /// The import that the node is part of.
    pub(super) fn importer(&mut self) -> &mut Importer<'m> {
        self.importer
    }

    // Attributes.

    fn attribute(&self, name: &str) -> Option<Attribute<'m>> {
        self.node.attribute(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        let attribute = self.attribute(name);
        attribute.and_then(Attribute::int).unwrap_or(default)
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name, default.into()) != 0
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        let attribute = self.attribute(name);
        attribute.and_then(Attribute::float).unwrap_or(default)
    }

    pub(super) fn text(&self, name: &str, default: &'static str) -> &'m str {
        let attribute = self.attribute(name);
        attribute.and_then(Attribute::text).unwrap_or(default)
    }

    pub(super) fn ints(&self, name: &str) -> Result<Option<Vec<i64>>, Fault> {
        let Some(attribute) = self.attribute(name) else {
            return Ok(None);
        };
        let count = attribute.ints().count();
        if count == 0 && attribute.floats().next().is_some() {
            return wrong(format!(
                "attribute {name} has the wrong type: floats, where integers are wanted"
            ));
        }
        listed(name, count)?;
        Ok(Some(attribute.ints().collect()))
    }

    pub(super) fn floats(&self, name: &str) -> Result<Option<Vec<f32>>, Fault> {
        let Some(attribute) = self.attribute(name) else {
            return Ok(None);
        };
        listed(name, attribute.floats().count())?;
        Ok(Some(attribute.floats().collect()))
    }

    /// A list of extents, none of them negative.
    pub(super) fn sizes(&self, name: &str) -> Result<Option<Vec<usize>>, Fault> {
        self.ints(name)?.map(|ints| sizes(name, &ints)).transpose()
    }

    /// An attribute that is a graph.
    pub(super) fn branch(&self, name: &str) -> Option<Branch<'m>> {
        self.attribute(name)?.branch()
    }

    /// An attribute that is a tensor.
    pub(super) fn elements(&mut self, name: &str) -> Result<Option<Elements>, Fault> {
        let Some(tensor) = self.attribute(name).and_then(Attribute::tensor) else {
            return Ok(None);
        };
        let (outline, budget) = (self.importer.model.outline(), &mut self.importer.budget);
        let (_, elements) =
            initializer::elements(tensor, outline, &mut External::default(), budget)?;
        Ok(Some(elements))
    }

    /// An attribute that is a list of numbers, as a constant of one axis.
    pub(super) fn list_as_array(&mut self, name: &str) -> Result<Option<Array>, Fault> {
        let Some(attribute) = self.attribute(name) else {
            return Ok(None);
        };
        let (ints, floats) = (attribute.ints().count(), attribute.floats().count());
        self.book(ints.saturating_mul(8))?;
        self.book(floats.saturating_mul(4))?;
        let array = match floats {
            0 => Array::from_integers(Element::I64, &[ints], attribute.ints())?,
            _ => {
                let reals = attribute.floats().map(f64::from);
                Array::from_reals(Element::F32, &[floats], reals)?
            }
        };
        Ok(Some(array))
    }

    // Inputs.

    /// How many inputs the node lists, those left out in between among them.
    pub(super) fn inputs(&self) -> usize {
        self.node.inputs.len()
    }

    pub(super) fn given(&self, place: usize) -> bool {
        let input = self.node.inputs.get(place);
        input.is_some_and(|name| !name.is_empty())
    }

    /// An input, if there is one.
    pub(super) fn value(&self, place: usize) -> Option<&Value> {
        let name = self
            .node
            .inputs
            .get(place)
            .filter(|name| !name.is_empty())?;
        self.importer.values.get(*name)?.value.as_ref()
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
            Value::Constant(constant) => constant.elements.element(),
            Value::Input(index) => self.importer.inputs[index].element,
            Value::Tensor(tensor) => tensor.element,
            Value::Places(..) => Element::I64,
        })
    }

    /// Extents of an input.
    pub(super) fn shape_of(&self, place: usize) -> Result<Vec<usize>, Fault> {
        Ok(match self.needed(place)? {
            Value::Constant(constant) => constant.elements.shape().to_vec(),
            Value::Input(index) => self.importer.inputs[index].shape.clone(),
            Value::Tensor(tensor) => self.shape(tensor.id).to_vec(),
            Value::Places(places) => self.shape(places.id).to_vec(),
        })
    }

    /// An input that is known without a run: a constant of the model.
    pub(super) fn constant(&self, place: usize) -> Option<&Elements> {
        match self.value(place) {
            Some(Value::Constant(constant)) => Some(&constant.elements),
            _ => None,
        }
    }

    /// The elements of such a constant, to be computed with.
    pub(super) fn read(&mut self, place: usize) -> Result<Array, Fault> {
        let Importer { values, budget, .. } = &mut *self.importer;
        let slot = self.node.inputs.get(place);
        let slot = slot.and_then(|name| values.get_mut(name)?.value.as_mut());
        match slot {
            Some(Value::Constant(constant)) => Ok(constant.read(budget)?),
            _ => wrong(format!("input {place} is missing")),
        }
    }

    /// An input whose elements the operator must know before a run: a constant, or an input of the model that
    /// the bindings know; nothing if it is not given.
    pub(super) fn known(&self, place: usize) -> Result<Option<Array>, Fault> {
        match self.value(place) {
            None => Ok(None),
            Some(Value::Constant(constant)) => {
                let read = &constant.read;
                Ok(Some(match read {
                    Some(read) => read.clone(),
                    None => constant.elements.read()?,
                }))
            }
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
        let Some(known) = self.known(place)? else {
            return Ok(None);
        };
        listed(&format!("input {place}"), known.len())?;
        Ok(Some(known.integers().collect()))
    }

    pub(super) fn known_reals(&self, place: usize) -> Result<Option<Vec<f64>>, Fault> {
        let Some(known) = self.known(place)? else {
            return Ok(None);
        };
        listed(&format!("input {place}"), known.len())?;
        Ok(Some(known.reals().collect()))
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
        match self.ints(attribute)? {
            Some(list) => Ok(Some(list)),
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
            Value::Constant(constant) => {
                let Constant {
                    elements, origin, ..
                } = *constant;
                let element = elements.element();
                let id = self.parameter(&elements, &origin, purpose)?;
                Ok(Tensor { id, element })
            }
            Value::Places(..) => unsupported(format!(
                "input {place} are the places of maxima, which only MaxUnpool reads"
            )),
        }
    }

    /// A constant as a parameter, in a form in which it may not stand in the file.
    pub(super) fn parameter(
        &mut self,
        elements: &Elements,
        origin: &Origin,
        purpose: Purpose,
    ) -> Result<ValueId, Fault> {
        self.importer.make_room()?;
        let Importer {
            graph,
            parameters,
            budget,
            ..
        } = &mut *self.importer;
        Ok(parameters.make(graph, budget, elements, origin, &self.name, purpose)?)
    }

    /// A matrix turned round; a constant is turned here and now.
    pub(super) fn transposed_weight(&mut self, place: usize) -> Result<ValueId, Fault> {
        let purpose = Purpose::Learned(ParameterKind::Weight);
        match self.needed(place)? {
            Value::Constant(constant) if constant.elements.shape().len() == 2 => {
                let array = self.read(place)?;
                self.book(array.bytes().len())?;
                let turned = fold::permute(&array, &[1, 0])?;
                self.parameter(&turned.into(), &constant.origin, purpose)
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
            Value::Places(places) if places.numbering.plane == plane => Ok(places.id),
            Value::Places(places) => unsupported(format!(
                "places within planes of {:?} as those within {plane:?}",
                places.numbering.plane
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
                let id = self.importer.add_input(index, ElementType::Index)?;
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
            Some(Value::Places(places)) => Some(&places.numbering.plane),
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
        self.importer.append(op, &self.name, inputs)
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
        Ok(Value::constant(array))
    }

    /// Puts the memory of a constant to account.
    pub(super) fn book(&mut self, bytes: usize) -> Result<(), Fault> {
        Ok(self.importer.budget.take(bytes)?)
    }

    /// Puts memory to account while `make` has it, and what it makes for as long as the import lasts.
    pub(super) fn passing(
        &mut self,
        bytes: usize,
        make: impl FnOnce(&Self) -> Result<Array, Fault>,
    ) -> Result<Array, Fault> {
        self.book(bytes)?;
        let made = make(self)?;
        self.importer.budget.give_back(bytes);
        self.book(made.bytes().len())?;
        Ok(made)
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

/// Longest list of numbers that says how something is computed; constants may have any length.
const LONGEST_LIST: usize = 1 << 16;

/// Refuses a list that no operator has a use for.
fn listed(what: &str, len: usize) -> Result<(), Fault> {
    match len {
        ..=LONGEST_LIST => Ok(()),
        _ => wrong(format!(
            "{what} has {len} numbers, more than {LONGEST_LIST}"
        )),
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
