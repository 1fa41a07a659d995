//! What a problem computes, as a graph of one operator or a few.

use geometry::{AdaptiveKind, ConvDesc, PoolKind, Problem};
use graph::{
    DeformableOp, ElementType, Graph, GraphError, Op, PoolingOp, Role, TransposedOp, Value,
    ValueId, passes::remove_dead, pullback,
};
use kernels::conv::Algorithm;

use super::direction::{Array, Direction};

/// A graph that computes one problem in one direction, and what its inputs and outputs are.
pub(crate) struct Operator {
    pub(crate) graph: Graph,
    /// The arrays behind the graph's inputs, in their order; nothing where the direction does not
    /// read one.
    pub(crate) reads: Vec<Option<Array>>,
    /// The arrays of the problem forwards.
    arrays: Vec<Array>,
    /// Backwards, the places of maxima can be read instead of the input.
    pub(crate) has_places: bool,
    /// The operator forwards, where only a gradient is asked for.
    passed: Option<&'static str>,
}

/// What is asked for besides problem and direction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// Forward, add a bias.
    pub(crate) bias: bool,
    /// Forward, also give the places of maxima; backwards, read them instead of the input.
    pub(crate) indices: bool,
    /// Compute the convolutions in this way.
    pub(crate) algorithm: Option<Algorithm>,
}

impl Operator {
    /// Checks a problem and builds the graph of a direction.
    ///
    /// # Errors
    /// A problem without meaning, one that has no such direction, or one that no algorithm can be chosen for.
    pub(crate) fn new(
        problem: &Problem,
        direction: Direction,
        asked: Asked,
    ) -> Result<Self, String> {
        if let (
            Some(algorithm),
            Problem::Pool(..) | Problem::AdaptivePool(..) | Problem::ConvDeformable(..),
        ) = (asked.algorithm, problem)
        {
            return Err(format!(
                "problem '{problem}': --algorithm {algorithm} is for plain, transposed and separable convolutions"
            ));
        }
        let forward = Forward::of(problem, asked)?;
        let arrays = forward.draft.arrays.iter().map(|&(array, _)| array);
        let (arrays, has_places) = (arrays.collect(), forward.places.is_some());
        Ok(Self {
            arrays,
            has_places,
            ..Self::in_direction(problem, forward, direction, asked)?
        })
    }

    fn in_direction(
        problem: &Problem,
        forward: Forward,
        direction: Direction,
        asked: Asked,
    ) -> Result<Self, String> {
        let Some(wanted) = direction.gradient_of() else {
            return Ok(forward.outputs(asked));
        };
        let text = |error: GraphError| error.to_string();
        let from_places = match problem {
            _ if !asked.indices || wanted != Array::Input => None,
            Problem::Pool(shape, desc) => Some(Op::PoolBackward {
                desc: desc.clone(),
                input: shape.dims.clone(),
            }),
            Problem::AdaptivePool(shape, desc) => Some(Op::Pooling(PoolingOp::AdaptiveBackward {
                desc: desc.clone(),
                input: shape.dims.clone(),
            })),
            _ => None,
        };
        let Some(op) = from_places else {
            return forward.gradient(wanted, direction);
        };
        let output = forward.draft.graph.value(forward.y).shape.clone();
        let mut draft = Draft::new();
        let dy = draft.array(Array::Grad, &output, ElementType::Real);
        let places = draft.array(Array::Indices, &output, ElementType::Index);
        draft.graph.outputs = draft.apply(op, vec![dy, places]).map_err(text)?;
        Ok(draft.finish(None))
    }
}

impl Operator {
    /// Whether the work of a step for the operator `op` is what was asked for: a gradient may need
    /// that the operator itself has run.
    pub(crate) fn counts(&self, op: &str) -> bool {
        self.passed != Some(op)
    }

    /// Refuses an array that the problem has in no direction: it would be read for nothing.
    ///
    /// # Errors
    /// The one line that says so.
    pub(crate) fn check_array(&self, given: Array) -> Result<(), String> {
        let has = |array| self.arrays.contains(&array);
        let known = match given {
            // Whatever has a weight may have a bias; one that only a gradient would need is left alone.
            Array::Bias => has(Array::Weight),
            Array::Indices | Array::Grad => true,
            other => has(other),
        };
        match known {
            true => Ok(()),
            false => Err(format!(
                "the problem has no {given}, only {}",
                listed(&self.arrays)
            )),
        }
    }
}

/// A graph that grows, with the arrays behind its inputs.
struct Draft {
    graph: Graph,
    arrays: Vec<(Array, ValueId)>,
}

impl Draft {
    fn new() -> Self {
        Self {
            graph: Graph::new("op"),
            arrays: Vec::new(),
        }
    }

    fn array(&mut self, array: Array, shape: &[usize], element: ElementType) -> ValueId {
        let value = self.graph.add_value(Value {
            name: array.to_string(),
            shape: shape.to_vec(),
            element,
            role: Role::Input,
        });
        self.graph.inputs.push(value);
        self.arrays.push((array, value));
        value
    }

    fn real(&mut self, array: Array, shape: &[usize]) -> ValueId {
        self.array(array, shape, ElementType::Real)
    }

    fn apply(&mut self, op: Op, inputs: Vec<ValueId>) -> Result<Vec<ValueId>, GraphError> {
        let layer = op.name();
        self.graph.append(op, layer, inputs)
    }

    /// Leaves out what the outputs do not need.
    fn finish(self, passed: Option<&'static str>) -> Operator {
        let graph = remove_dead(&self.graph);
        // The inputs stay, read or not, in their order.
        let read = |id: &ValueId| graph.nodes.iter().any(|node| node.inputs.contains(id));
        let arrays = self.arrays.iter().map(|&(array, _)| array);
        let reads = graph.inputs.iter().zip(arrays);
        Operator {
            reads: reads.map(|(id, array)| read(id).then_some(array)).collect(),
            arrays: Vec::new(),
            has_places: false,
            graph,
            passed,
        }
    }
}

/// A problem forwards.
struct Forward {
    draft: Draft,
    y: ValueId,
    places: Option<ValueId>,
}

impl Forward {
    fn of(problem: &Problem, asked: Asked) -> Result<Self, String> {
        let refused = |error: &dyn std::fmt::Display| format!("problem '{problem}': {error}");
        let mut draft = Draft::new();
        let mut places = None;
        let y = match problem {
            Problem::Conv(shape, desc) => {
                let geometry = desc.resolve(&shape.dims).map_err(|e| refused(&e))?;
                let mut inputs = vec![draft.real(Array::Input, &shape.dims)];
                inputs.extend(draft.weight_and_bias(
                    &geometry.weight_shape(),
                    geometry.out_channels,
                    asked,
                ));
                draft.apply(plain_conv(desc, asked.bias), inputs)
            }
            Problem::ConvTransposed(shape, desc) => {
                let geometry = desc.resolve(&shape.dims).map_err(|e| refused(&e))?;
                let mut inputs = vec![draft.real(Array::Input, &shape.dims)];
                inputs.extend(draft.weight_and_bias(
                    &geometry.weight_shape(),
                    geometry.in_channels,
                    asked,
                ));
                let op = TransposedOp::Conv {
                    desc: desc.clone(),
                    bias: asked.bias,
                    residual: false,
                    activation: None,
                };
                draft.apply(Op::Transposed(op), inputs)
            }
            Problem::Pool(shape, desc) => {
                desc.resolve(&shape.dims).map_err(|e| refused(&e))?;
                let x = draft.real(Array::Input, &shape.dims);
                let indices = desc.kind == PoolKind::Max;
                let op = Op::Pool {
                    desc: desc.clone(),
                    indices,
                };
                let made = draft.apply(op, vec![x]);
                places = made.as_ref().ok().and_then(|made| made.get(1).copied());
                made
            }
            Problem::ConvDeformable(shape, desc) => {
                let geometry = desc.resolve(&shape.dims).map_err(|e| refused(&e))?;
                let mut inputs = vec![draft.real(Array::Input, &shape.dims)];
                inputs.push(draft.real(Array::Offset, &geometry.offset_shape()));
                if let Some(mask) = geometry.mask_shape() {
                    inputs.push(draft.real(Array::Mask, &mask));
                }
                inputs.extend(draft.weight_and_bias(
                    &geometry.conv.weight_shape(),
                    geometry.conv.out_channels,
                    asked,
                ));
                let op = DeformableOp::Conv {
                    desc: desc.clone(),
                    bias: asked.bias,
                };
                draft.apply(Op::Deformable(op), inputs)
            }
            Problem::ConvSeparable(shape, desc) => {
                let geometry = desc.resolve(&shape.dims).map_err(|e| refused(&e))?;
                let stages = desc.stages(geometry.depthwise.in_channels);
                let (depthwise, pointwise) = stages.map_err(|e| refused(&e))?;
                let x = draft.real(Array::Input, &shape.dims);
                let filters = draft.real(Array::Weight, &geometry.depthwise.weight_shape());
                let mixture = geometry.pointwise.map(|stage| stage.weight_shape());
                let mixture = mixture.map(|shape| draft.real(Array::Pointwise, &shape));
                let outputs = geometry.output_shape()[1];
                let bias = asked.bias.then(|| draft.real(Array::Bias, &[outputs]));
                let (stage, mut inputs) = match pointwise.zip(mixture) {
                    Some((pointwise, mixture)) => {
                        let made = draft.apply(plain_conv(&depthwise, false), vec![x, filters]);
                        (pointwise, vec![made.map_err(|e| refused(&e))?[0], mixture])
                    }
                    None => (depthwise, vec![x, filters]),
                };
                inputs.extend(bias);
                draft.apply(plain_conv(&stage, asked.bias), inputs)
            }
            Problem::AdaptivePool(shape, desc) => {
                desc.resolve(&shape.dims).map_err(|e| refused(&e))?;
                let x = draft.real(Array::Input, &shape.dims);
                let indices = desc.kind == AdaptiveKind::Max;
                let op = PoolingOp::Adaptive {
                    desc: desc.clone(),
                    indices,
                };
                let made = draft.apply(Op::Pooling(op), vec![x]);
                places = made.as_ref().ok().and_then(|made| made.get(1).copied());
                made
            }
        };
        let y = y.map_err(|e| refused(&e))?[0];
        if asked.indices && places.is_none() {
            return Err(refused(&"only a maximum has places for --indices"));
        }
        if asked.bias && !draft.arrays.iter().any(|(array, _)| *array == Array::Bias) {
            return Err(refused(&"there is no bias to add"));
        }
        Ok(Self { draft, y, places })
    }

    /// The graph forwards.
    fn outputs(self, asked: Asked) -> Operator {
        let Self {
            mut draft,
            y,
            places,
        } = self;
        draft.graph.outputs = vec![y];
        draft.graph.outputs.extend(places.filter(|_| asked.indices));
        draft.finish(None)
    }

    /// The graph that carries a gradient back to one of the arrays.
    fn gradient(self, wanted: Array, direction: Direction) -> Result<Operator, String> {
        let Self { mut draft, y, .. } = self;
        let place = draft.arrays.iter().find(|(array, _)| *array == wanted);
        let &(_, value) = place.ok_or_else(|| {
            let arrays: Vec<_> = draft.arrays.iter().map(|&(array, _)| array).collect();
            format!(
                "{direction}: the problem has no {wanted}, only {}",
                listed(&arrays)
            )
        })?;
        let passed = draft.graph.nodes.last().map(|node| node.op.name());
        draft.graph = pullback(&draft.graph, y, &[value]).map_err(|error| error.to_string())?;
        let upstream = *draft.graph.inputs.last().unwrap_or(&y);
        draft.arrays.push((Array::Grad, upstream));
        Ok(draft.finish(passed))
    }
}

fn listed(arrays: &[Array]) -> String {
    let flags: Vec<_> = arrays.iter().map(Array::to_string).collect();
    flags.join(", ")
}

/// A convolution with nothing fused to it.
fn plain_conv(desc: &ConvDesc, bias: bool) -> Op {
    Op::Conv {
        desc: desc.clone(),
        bias,
        residual: false,
        activation: None,
    }
}

impl Draft {
    fn weight_and_bias(&mut self, weight: &[usize], outputs: usize, asked: Asked) -> Vec<ValueId> {
        let weight = self.real(Array::Weight, weight);
        let bias = asked.bias.then(|| self.real(Array::Bias, &[outputs]));
        [weight].into_iter().chain(bias).collect()
    }
}
