//! Constants that a node makes of nothing, or of shapes.

use crate::onnx::array::count;
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::import::Value;
use crate::onnx::import::call::{Call, sizes};
use crate::onnx::{Array, Element, Elements};

/// What such a node makes.
pub(super) fn evaluate(call: &mut Call<'_, '_>) -> Result<Option<Value>, Fault> {
    Ok(Some(match call.op() {
        "Constant" => {
            let elements = constant(call)?;
            let origin = call.importer().stored(None, &elements);
            Value::made_of(origin, elements)
        }
        "Shape" => {
            let shape = call.shape_of(0)?;
            let rank = shape.len() as i64;
            let place = |at: i64| (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize;
            let (start, end) = (place(call.int("start", 0)), place(call.int("end", rank)));
            let part = shape.get(start..end).unwrap_or_default();
            let extents = part.iter().map(|&extent| extent as i64);
            Value::constant(Array::from_integers(Element::I64, &[part.len()], extents)?)
        }
        "Size" => {
            let elements = count(&call.shape_of(0)?)? as i64;
            Value::constant(Array::from_integers(Element::I64, &[], [elements])?)
        }
        "ConstantOfShape" => {
            let shape = sizes("shape", &call.known_ints(0)?.unwrap_or_default())?;
            let value = match call.elements("value")? {
                Some(value) if value.len() == 1 => value.read()?,
                Some(value) => return wrong(format!("a value of shape {:?}", value.shape())),
                None => Array::from_reals(Element::F32, &[], [0.0])?,
            };
            let bytes = count(&shape)?.saturating_mul(value.element().size());
            call.book(bytes)?;
            let elements = value.bytes().repeat(count(&shape)?);
            Value::constant(value.with_bytes(&shape, elements)?)
        }
        "Range" => range(call)?,
        "EyeLike" => eye(call)?,
        _ => return Ok(None),
    }))
}

fn constant(call: &mut Call<'_, '_>) -> Result<Elements, Fault> {
    if let Some(elements) = call.elements("value")? {
        return Ok(elements);
    }
    if call.has("value_float") {
        let value = call.float("value_float", 0.0);
        return Ok(Array::from_reals(Element::F32, &[], [value.into()])?.into());
    }
    if call.has("value_int") {
        let value = call.int("value_int", 0);
        return Ok(Array::from_integers(Element::I64, &[], [value])?.into());
    }
    for list in ["value_floats", "value_ints"] {
        if let Some(array) = call.list_as_array(list)? {
            return Ok(array.into());
        }
    }
    unsupported("a constant that is neither a tensor nor numbers")
}

/// Ones on a diagonal of a matrix of the input's shape.
fn eye(call: &mut Call<'_, '_>) -> Result<Value, Fault> {
    let shape = call.shape_of(0)?;
    let &[_, columns] = &shape[..] else {
        return wrong(format!("a diagonal of shape {shape:?}"));
    };
    let element = match call.int("dtype", 0) {
        0 => call.element(0)?,
        number => Element::of(number as i32, call.name())?,
    };
    let len = count(&shape)?;
    call.book(len.saturating_mul(element.size()))?;
    let diagonal = call.int("k", 0);
    let values = (0..len).map(|at| {
        let (row, column) = ((at / columns) as i64, (at % columns) as i64);
        f64::from(u8::from(column.checked_sub(row) == Some(diagonal)))
    });
    Ok(Value::constant(Array::from_reals(element, &shape, values)?))
}

fn range(call: &mut Call<'_, '_>) -> Result<Value, Fault> {
    let element = call.element(0)?;
    let mut ends = [0.0; 3];
    for (place, end) in ends.iter_mut().enumerate() {
        let Some(number) = call.known_scalar(place)? else {
            return wrong(format!("input {place} is missing"));
        };
        *end = number;
    }
    let [start, limit, delta] = ends;
    let steps = ((limit - start) / delta).ceil();
    if !steps.is_finite() {
        return wrong(format!("from {start} to {limit} in steps of {delta}"));
    }
    let steps = steps.max(0.0) as usize;
    call.book(steps.saturating_mul(element.size()))?;
    let values = (0..steps).map(|step| start + step as f64 * delta);
    let steps = [steps];
    Ok(Value::constant(Array::from_reals(element, &steps, values)?))
}
