//! Arithmetic of two tensors, with broadcasting, and reductions of axes.

use geometry::{Broadcast, Reduction};

use super::Family;
use crate::infer::ValueType;
use crate::operands::Operands;
use crate::step::Step;
use crate::{GraphError, Op, OpError, ValueId};

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `a + b`
    Add,
    /// `a − b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`
    Div,
    /// The smaller one; NaN if either is. Equal operands share the gradient.
    Min,
    /// The larger one; NaN if either is. Equal operands share the gradient.
    Max,
    /// `aᵇ`
    Pow,
    /// 1 where `a = b`, else 0. No gradient goes through a comparison, and NaN equals nothing.
    Equal,
    /// 1 where `a > b`, else 0.
    Greater,
    /// 1 where `a ≥ b`, else 0.
    GreaterOrEqual,
}

/// An operand of an operation on two tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The first, `a`.
    Left,
    /// The second, `b`.
    Right,
}

/// What axes are brought down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReduceOp {
    /// The sum.
    Sum,
    /// The mean.
    Mean,
    /// The maximum; NaN if one is. Equal maxima share the gradient.
    Max,
}

/// An arithmetic operator of two tensors whose shapes are broadcast against each other as in NumPy and
/// ONNX, or of the axes of one.
#[derive(Clone, Debug, PartialEq)]
pub enum ArithmeticOp {
    /// `a, b → y`, its shape what both shapes broadcast to. Of equal shapes [`Op::Add`] can be fused.
    Binary(BinaryOp),
    /// `condition, a, b → y`: `a` where the condition is not 0, else `b`; all three are broadcast. What is not
    /// chosen does not matter, and has no gradient.
    Select,
    /// `dy, a, b → da` or `db`, summed over the axes on which that operand was repeated; of a
    /// multiplication, division, minimum, maximum or power.
    BinaryBackward {
        /// The operation.
        op: BinaryOp,
        /// Whose gradient it is.
        side: Side,
    },
    /// `dy → d`: the sum over the axes on which a tensor of this shape is repeated in `dy`, the gradient
    /// of an operand of a sum or difference.
    SumTo {
        /// The shape of the result.
        shape: Vec<usize>,
        /// The sum is to be subtracted: `d = −Σ dy`.
        negative: bool,
    },
    /// Axes brought down to extent 1: `x → y`.
    Reduce {
        /// To what.
        op: ReduceOp,
        /// Which axes; negative ones count from the end.
        axes: Vec<i64>,
    },
    /// `dy, [x, y] → dx`; `x` and `y` for a maximum only.
    ReduceBackward {
        /// The forward reduction.
        op: ReduceOp,
        /// Its axes.
        axes: Vec<i64>,
        /// Shape of `dx`, the forward input.
        input: Vec<usize>,
    },
}

impl Family for ArithmeticOp {
    fn name(&self) -> &'static str {
        match self {
            Self::Binary(BinaryOp::Add) => "addition",
            Self::Binary(BinaryOp::Sub) => "subtraction",
            Self::Binary(BinaryOp::Mul) => "multiplication",
            Self::Binary(BinaryOp::Div) => "division",
            Self::Binary(BinaryOp::Min) => "minimum",
            Self::Binary(BinaryOp::Max) => "maximum",
            Self::Binary(BinaryOp::Pow) => "power",
            Self::Binary(BinaryOp::Equal | BinaryOp::Greater | BinaryOp::GreaterOrEqual) => {
                "comparison"
            }
            Self::Select => "select",
            Self::BinaryBackward { .. } => "arithmetic backward",
            Self::SumTo { .. } => "sum to a shape",
            Self::Reduce {
                op: ReduceOp::Sum, ..
            } => "sum over axes",
            Self::Reduce {
                op: ReduceOp::Mean, ..
            } => "mean over axes",
            Self::Reduce {
                op: ReduceOp::Max, ..
            } => "maximum over axes",
            Self::ReduceBackward { .. } => "reduction backward",
        }
    }

    fn outputs(&self, read: &mut Operands<'_>) -> Result<Vec<ValueType>, OpError> {
        let shape = match self {
            Self::Binary(_) => {
                let (a, b) = (read.float("a")?, read.float("b")?);
                let broadcast = Broadcast::resolve(a.shape, b.shape);
                let broadcast = broadcast.map_err(|source| a.refused(source))?;
                broadcast.shape().to_vec()
            }
            Self::Select => {
                let c = read.float("condition")?;
                let (a, b) = (read.float("a")?, read.float("b")?);
                let broadcast = Broadcast::resolve_three(c.shape, a.shape, b.shape);
                let [broadcast, _] = broadcast.map_err(|source| a.refused(source))?;
                broadcast.shape().to_vec()
            }
            Self::BinaryBackward { side, .. } => {
                let (dy, a, b) = (read.float("dy")?, read.float("a")?, read.float("b")?);
                let broadcast = Broadcast::resolve(a.shape, b.shape);
                let broadcast = broadcast.map_err(|source| a.refused(source))?;
                dy.must_be(broadcast.shape(), a)?;
                match side {
                    Side::Left => a.shape.to_vec(),
                    Side::Right => b.shape.to_vec(),
                }
            }
            Self::SumTo { shape, .. } => {
                let dy = read.float("dy")?;
                let broadcast = Broadcast::resolve(shape, dy.shape);
                let broadcast = broadcast.map_err(|source| dy.refused(source))?;
                dy.must_fit(broadcast.shape(), "result", shape)?;
                shape.clone()
            }
            Self::Reduce { axes, .. } => {
                let x = read.float("x")?;
                let reduction = Reduction::resolve(axes, x.shape);
                let reduction = reduction.map_err(|source| x.refused(source))?;
                reduction.output_shape()
            }
            Self::ReduceBackward { op, axes, input } => {
                let dy = read.float("dy")?;
                let reduction = Reduction::resolve(axes, input);
                let reduction = reduction.map_err(|source| OpError::Axes {
                    op: self.name(),
                    input: input.clone(),
                    source,
                })?;
                let reduced = reduction.output_shape();
                dy.must_fit(&reduced, "forward input", input)?;
                if *op == ReduceOp::Max {
                    read.float("x")?.must_fit(input, "forward input", input)?;
                    read.float("y")?.must_be(&reduced, dy)?;
                }
                input.clone()
            }
        };
        Ok(vec![ValueType::float(shape)])
    }

    fn gradient(&self, step: &mut Step<'_>) -> Result<(), GraphError> {
        let dy = step.upstream()?;
        match self {
            Self::Binary(BinaryOp::Equal | BinaryOp::Greater | BinaryOp::GreaterOrEqual) => Ok(()),
            Self::Select => [1, 2]
                .into_iter()
                .try_for_each(|place| chosen_gradient(step, place, dy)),
            Self::Binary(op) => {
                for (place, side) in [(0, Side::Left), (1, Side::Right)] {
                    binary_gradient(step, *op, side, place, dy)?;
                }
                Ok(())
            }
            Self::Reduce { op, axes } => {
                let (x, y) = (step.input(0), step.output(0));
                let backward = Self::ReduceBackward {
                    op: *op,
                    axes: axes.clone(),
                    input: step.shape(x).to_vec(),
                };
                let inputs = match op {
                    ReduceOp::Max => vec![dy, x, y],
                    ReduceOp::Sum | ReduceOp::Mean => vec![dy],
                };
                step.give(Op::Arithmetic(backward), inputs, &[0])
            }
            Self::BinaryBackward { .. } | Self::SumTo { .. } | Self::ReduceBackward { .. } => {
                Err(step.refuse(""))
            }
        }
    }
}

/// The gradient of one side of a choice: what comes back where that side was chosen, else 0.
fn chosen_gradient(step: &mut Step<'_>, place: usize, dy: ValueId) -> Result<(), GraphError> {
    let side = step.input(place);
    if !step.needed[side.index()] {
        return Ok(());
    }
    let (condition, shape) = (step.input(0), step.shape(side).to_vec());
    let zero = Op::Fill {
        shape: Vec::new(),
        value: 0.0,
    };
    let zero = step.intermediate(zero, Vec::new())?;
    let inputs = match place {
        1 => vec![condition, dy, zero],
        _ => vec![condition, zero, dy],
    };
    let select = Op::Arithmetic(ArithmeticOp::Select);
    if shape == step.shape(dy) {
        return step.give(select, inputs, &[place]);
    }
    let chosen = step.intermediate(select, inputs)?;
    let negative = false;
    let sum = Op::Arithmetic(ArithmeticOp::SumTo { shape, negative });
    step.give(sum, vec![chosen], &[place])
}

/// The gradient of one operand. A sum and a difference need not keep their operands for it.
fn binary_gradient(
    step: &mut Step<'_>,
    op: BinaryOp,
    side: Side,
    place: usize,
    dy: ValueId,
) -> Result<(), GraphError> {
    let [a, b] = [step.input(0), step.input(1)];
    let shape = step.shape(step.input(place)).to_vec();
    let (op, inputs) = match (op, side) {
        (BinaryOp::Add, _) | (BinaryOp::Sub, Side::Left) if shape == step.shape(dy) => {
            return step.pass(place, dy);
        }
        (BinaryOp::Add | BinaryOp::Sub, _) => {
            let negative = (op, side) == (BinaryOp::Sub, Side::Right);
            (ArithmeticOp::SumTo { shape, negative }, vec![dy])
        }
        _ => (ArithmeticOp::BinaryBackward { op, side }, vec![dy, a, b]),
    };
    step.give(Op::Arithmetic(op), inputs, &[place])
}
