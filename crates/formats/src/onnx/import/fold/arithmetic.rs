//! Arithmetic of constants: integers in 64 bits, floats in f64 and rounded to their type once an operator.

use super::walk::{broadcast, expand, places};
use super::{cumulative, reduced, reduced_axes};
use crate::onnx::array::count;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::call::Call;
use crate::onnx::import::{Constant, Value};
use crate::onnx::{Array, Element};

/// What a node makes of constants, if it is known here.
pub(super) fn evaluate(call: &mut Call<'_, '_>) -> Result<Option<Value>, Fault> {
    let Some(Value::Constant(constant)) = call.value(0).cloned() else {
        return Ok(None);
    };
    let Constant {
        elements, origin, ..
    } = *constant;
    if matches!(call.op(), "Cast" | "CastLike") {
        let to = target(call)?;
        if to == elements.element() {
            return Ok(Some(Value::made_of(origin, elements)));
        }
        let x = call.read(0)?;
        call.book(x.len().saturating_mul(to.size()))?;
        return Ok(Some(Value::made_of(origin, cast(&x, to)?)));
    }
    let made = if let Some(f) = unary(call.op()) {
        let x = call.read(0)?;
        call.book(x.bytes().len())?;
        each(&x, f)?
    } else if call.op() == "Clip" {
        let x = call.read(0)?;
        call.book(x.bytes().len())?;
        clipped(call, &x)?
    } else if call.op() == "CumSum" {
        let x = call.read(0)?;
        cumulative::sums(call, &x)?
    } else if call.op() == "Where" {
        match selected(call)? {
            Some(made) => made,
            None => return Ok(None),
        }
    } else if let Some(op) = Binary::named(call) {
        let mut made = call.read(0)?;
        for place in 1..call.inputs() {
            if call.constant(place).is_none() {
                return Ok(None);
            }
            let next = call.read(place)?;
            made = call.passing(broadcast_size(&made, &next)?, |_| op.apply(&made, &next))?;
        }
        made
    } else if let Some(fold) = Reduction::named(call.op()) {
        let x = call.read(0)?;
        let (axes, keeps) = reduced_axes(call, x.shape().len())?;
        // Of nothing there may be many sums.
        let sums = count(&reduced(x.shape(), &axes, true))?;
        call.passing(sums.saturating_mul(16), |_| reduce(&x, &axes, keeps, &fold))?
    } else {
        return Ok(None);
    };
    Ok(Some(Value::constant(made)))
}

/// The type that a Cast makes.
pub(in super::super) fn target(call: &Call<'_, '_>) -> Result<Element, Fault> {
    if call.op() == "CastLike" {
        return call.element(1);
    }
    // Before operator set 6 the type was a name.
    let number = match call.text("to", "") {
        "" => call.int("to", 0) as i32,
        name => super::super::super::proto::tensor_proto::DataType::from_str_name(name)
            .map_or(0, |kind| kind as i32),
    };
    Ok(Element::of(number, call.name())?)
}

fn cast(x: &Array, to: Element) -> Result<Array, Fault> {
    Ok(match x.element().is_float() {
        true => Array::from_reals(to, x.shape(), x.reals())?,
        false => Array::from_integers(to, x.shape(), x.integers())?,
    })
}

fn unary(op: &str) -> Option<fn(f64) -> f64> {
    Some(match op {
        "Neg" => |x| -x,
        "Abs" => f64::abs,
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Round" => f64::round_ties_even,
        "Sqrt" => f64::sqrt,
        "Exp" => f64::exp,
        "Log" => f64::ln,
        "Sin" => f64::sin,
        "Cos" => f64::cos,
        "Reciprocal" => |x| 1.0 / x,
        "Sign" => |x| {
            if x == 0.0 || x.is_nan() {
                x
            } else {
                x.signum()
            }
        },
        "Not" => |x| f64::from(u8::from(x == 0.0)),
        _ => return None,
    })
}

/// A function of each element. Integers too large for a float to hold keep their value only through the
/// operators of two, and shapes never are.
fn each(x: &Array, f: fn(f64) -> f64) -> Result<Array, Fault> {
    Ok(Array::from_reals(x.element(), x.shape(), x.reals().map(f))?)
}

/// An operator of two operands, on integers and on floats.
struct Binary {
    integers: fn(i64, i64) -> Option<i64>,
    reals: fn(f64, f64) -> f64,
    /// It makes truths.
    compares: bool,
}

impl Binary {
    fn named(call: &Call<'_, '_>) -> Option<Self> {
        macro_rules! compares {
            ($op:tt) => {
                Self {
                    integers: |a, b| Some(i64::from(a $op b)),
                    reals: |a, b| f64::from(u8::from(a $op b)),
                    compares: true,
                }
            };
        }
        let computes = |integers, reals| Self {
            integers,
            reals,
            compares: false,
        };
        Some(match call.op() {
            "Add" | "Sum" => computes(|a, b| Some(a.wrapping_add(b)), |a, b| a + b),
            "Sub" => computes(|a, b| Some(a.wrapping_sub(b)), |a, b| a - b),
            "Mul" => computes(|a, b| Some(a.wrapping_mul(b)), |a, b| a * b),
            "Div" => computes(i64::checked_div, |a, b| a / b),
            "Mod" if call.flag("fmod", false) => computes(i64::checked_rem, |a, b| a % b),
            "Mod" => computes(
                // The sign is the divisor's.
                |a, b| a.checked_rem(b)?.checked_add(b)?.checked_rem(b),
                |a, b| a - b * (a / b).floor(),
            ),
            "Min" => computes(|a, b| Some(a.min(b)), f64::min),
            "Max" => computes(|a, b| Some(a.max(b)), f64::max),
            "Pow" => computes(|a, b| Some((a as f64).powf(b as f64) as i64), f64::powf),
            "Equal" => compares!(==),
            "Less" => compares!(<),
            "Greater" => compares!(>),
            "LessOrEqual" => compares!(<=),
            "GreaterOrEqual" => compares!(>=),
            "And" => Self {
                integers: |a, b| Some(i64::from(a != 0 && b != 0)),
                reals: |a, _| a,
                compares: true,
            },
            "Or" => Self {
                integers: |a, b| Some(i64::from(a != 0 || b != 0)),
                reals: |a, _| a,
                compares: true,
            },
            "Xor" => Self {
                integers: |a, b| Some(i64::from((a != 0) != (b != 0))),
                reals: |a, _| a,
                compares: true,
            },
            _ => return None,
        })
    }

    fn apply(&self, a: &Array, b: &Array) -> Result<Array, Fault> {
        let shape = broadcast(a.shape(), b.shape())?;
        let element = match self.compares {
            true => Element::Bool,
            false => a.element(),
        };
        let (a, b) = (expand(a, &shape)?, expand(b, &shape)?);
        if a.element().is_float() {
            let values = a.reals().zip(b.reals()).map(|(a, b)| (self.reals)(a, b));
            return Ok(Array::from_reals(element, &shape, values)?);
        }
        let mut values = Vec::with_capacity(a.len());
        for (a, b) in a.integers().zip(b.integers()) {
            match (self.integers)(a, b) {
                Some(value) => values.push(value),
                None => return wrong(format!("{a} and {b} have no result")),
            }
        }
        Ok(Array::from_integers(element, &shape, values)?)
    }
}

/// Numbers brought within bounds, which are attributes or inputs; the upper one counts where they cross.
fn clipped(call: &Call<'_, '_>, x: &Array) -> Result<Array, Fault> {
    let bound = |name: &str, place: usize, open: f64| match call.known_scalar(place)? {
        Some(bound) => Ok::<_, Fault>(bound),
        None => Ok(call.float(name, open as f32).into()),
    };
    let min = bound("min", 1, f64::NEG_INFINITY)?;
    let max = bound("max", 2, f64::INFINITY)?;
    let values = x.reals().map(|value| value.max(min).min(max));
    Ok(Array::from_reals(x.element(), x.shape(), values)?)
}

/// Bytes that an operation of two takes on its way: both operands repeated, the results as numbers and as elements.
fn broadcast_size(a: &Array, b: &Array) -> Result<usize, Fault> {
    Ok(count(&broadcast(a.shape(), b.shape())?)?.saturating_mul(32))
}

/// The elements of the second operand where the first is true, of the third elsewhere.
fn selected(call: &mut Call<'_, '_>) -> Result<Option<Array>, Fault> {
    if (0..3).any(|place| call.constant(place).is_none()) {
        return Ok(None);
    }
    let (condition, yes, no) = (call.read(0)?, call.read(1)?, call.read(2)?);
    let shape = broadcast(condition.shape(), &broadcast(yes.shape(), no.shape())?)?;
    let size = yes.element().size();
    call.book(count(&shape)?.saturating_mul(size))?;
    let places = places(condition.shape(), &shape)?
        .zip(places(yes.shape(), &shape)?)
        .zip(places(no.shape(), &shape)?);
    let truth = condition.element().size();
    let mut bytes = Vec::with_capacity(count(&shape)?.saturating_mul(size));
    for ((c, y), n) in places {
        let holds = condition.bytes()[c * truth..][..truth]
            .iter()
            .any(|&byte| byte != 0);
        let (source, at) = if holds { (&yes, y) } else { (&no, n) };
        bytes.extend_from_slice(&source.bytes()[at * size..][..size]);
    }
    if yes.element() != no.element() {
        return wrong(format!(
            "{} where true, {} elsewhere",
            yes.element(),
            no.element()
        ));
    }
    Ok(Some(yes.with_bytes(&shape, bytes)?))
}

/// A reduction: what it starts with, what it makes of that and the next element, and whether the end of it is
/// divided by their number.
struct Reduction {
    start: f64,
    fold: fn(f64, f64) -> f64,
    mean: bool,
}

impl Reduction {
    fn named(op: &str) -> Option<Self> {
        let of = |start, fold, mean| Self { start, fold, mean };
        Some(match op {
            "ReduceSum" => of(0.0, |a, b| a + b, false),
            "ReduceMean" => of(0.0, |a, b| a + b, true),
            "ReduceProd" => of(1.0, |a, b| a * b, false),
            "ReduceMax" => of(f64::NEG_INFINITY, f64::max, false),
            "ReduceMin" => of(f64::INFINITY, f64::min, false),
            _ => return None,
        })
    }
}

fn reduce(x: &Array, axes: &[usize], keeps: bool, by: &Reduction) -> Result<Array, Fault> {
    let kept = reduced(x.shape(), axes, true);
    let mut sums = vec![by.start; count(&kept)?];
    for (value, place) in x.reals().zip(places(&kept, x.shape())?) {
        sums[place] = (by.fold)(sums[place], value);
    }
    if by.mean {
        let each = (x.len() / sums.len().max(1)) as f64;
        sums.iter_mut().for_each(|sum| *sum /= each);
    }
    let shape = reduced(x.shape(), axes, keeps);
    Ok(Array::from_reals(x.element(), &shape, sums)?)
}
