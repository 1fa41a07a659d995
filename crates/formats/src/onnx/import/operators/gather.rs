//! Elements taken or put by number. The numbers must be known before a run.

use graph::ValueId;

use super::one;
use super::rearrange::{joined, sliced};
use crate::onnx::Array;
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::import::call::{Call, axis_of};
use crate::onnx::import::{Tensor, Value, fold};

/// How many slices one of these may become.
const MOST_SLICES: usize = 65_536;

/// `Gather`: slices of one axis.
pub(super) fn along(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let Tensor { id: x, element } = call.tensor(0)?;
    let shape = call.shape(x).to_vec();
    let axis = call.axis(call.int("axis", 0), shape.len())?;
    let indices = indices(call)?;
    let places = indices.integers().map(|index| axis_of(index, shape[axis]));
    let y = taken(call, x, axis, places)?;
    let shape = fold::gather_shape(&shape, axis, indices.shape());
    Ok(one(call.reshape(y, &shape)?, element))
}

/// `GatherND`: blocks by the numbers of their leading axes.
pub(super) fn blocks(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let Tensor { id: x, element } = call.tensor(0)?;
    let indices = indices(call)?;
    let batch = call.int("batch_dims", 0);
    let blocks = fold::Blocks::resolve(call.shape(x), indices.shape(), batch)?;
    let rows = call.reshape(x, &blocks.rows)?;
    let y = taken(call, rows, 0, blocks.places(&indices))?;
    Ok(one(call.reshape(y, &blocks.shape)?, element))
}

/// `GatherElements`: single elements, each by its number along an axis and its own place on the others.
pub(super) fn elements(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let Tensor { id: x, element } = call.tensor(0)?;
    let shape = call.shape(x).to_vec();
    let axis = call.axis(call.int("axis", 0), shape.len())?;
    let indices = indices(call)?;
    let places = fold::element_places(&shape, axis, &indices)?;
    let row = call.reshape(x, &[shape.iter().product()])?;
    let y = taken(call, row, 0, places)?;
    Ok(one(call.reshape(y, indices.shape())?, element))
}

/// `ScatterND`: a tensor with some blocks put in the place of its own.
pub(super) fn put_blocks(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let shape = call.shape_of(0)?;
    let indices = indices(call)?;
    let blocks = fold::Blocks::resolve(&shape, indices.shape(), 0)?;
    must_be(call, &blocks.shape)?;
    let places = blocks.places(&indices).collect::<Result<Vec<_>, _>>()?;
    put(call, blocks.rows, &places)
}

/// `ScatterElements`: a tensor with some elements put in the place of its own.
pub(super) fn put_elements(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let shape = call.shape_of(0)?;
    let axis = call.axis(call.int("axis", 0), shape.len())?;
    let indices = indices(call)?;
    must_be(call, indices.shape())?;
    let places = fold::element_places(&shape, axis, &indices)?.collect::<Result<Vec<_>, _>>()?;
    put(call, [shape.iter().product(), 1], &places)
}

/// Refuses updates of another shape.
fn must_be(call: &Call<'_, '_>, shape: &[usize]) -> Result<(), Fault> {
    let updates = call.shape_of(2)?;
    match updates == shape {
        true => Ok(()),
        false => wrong(format!(
            "updates of shape {updates:?} where {shape:?} are put"
        )),
    }
}

/// Input 0 as rows, some of them, by number, those of input 2; of several for one place the last.
fn put(call: &mut Call<'_, '_>, rows: [usize; 2], places: &[usize]) -> Result<Vec<Value>, Fault> {
    match call.text("reduction", "none") {
        "none" => {}
        other => return unsupported(format!("a reduction ({other}) of what is put to one place")),
    }
    let Tensor { id: x, element } = call.tensor(0)?;
    let shape = call.shape(x).to_vec();
    call.book((rows[0] + places.len()).saturating_mul(size_of::<usize>()))?;
    let mut sources: Vec<usize> = (0..rows[0]).collect();
    for (at, &place) in places.iter().enumerate() {
        sources[place] = rows[0] + at;
    }
    let updates = call.tensor(2)?.id;
    let both = [
        call.reshape(x, &rows)?,
        call.reshape(updates, &[places.len(), rows[1]])?,
    ];
    let all = joined(call, both.to_vec(), 0)?;
    let y = taken(call, all, 0, sources.into_iter().map(Ok))?;
    Ok(one(call.reshape(y, &shape)?, element))
}

/// The numbers, at least one.
fn indices(call: &Call<'_, '_>) -> Result<Array, Fault> {
    match call.known(1)? {
        Some(indices) if indices.is_empty() => unsupported("no indices"),
        Some(indices) => Ok(indices),
        None => wrong("indices are missing"),
    }
}

/// Slices of an axis, side by side.
fn taken(
    call: &mut Call<'_, '_>,
    x: ValueId,
    axis: usize,
    places: impl Iterator<Item = Result<usize, Fault>>,
) -> Result<ValueId, Fault> {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for place in places {
        let place = place?;
        // Neighbours one after the other are one slice.
        match parts.last_mut() {
            Some((_, stop)) if *stop == place => *stop += 1,
            _ => parts.push((place, place + 1)),
        }
        if parts.len() > MOST_SLICES {
            return unsupported(format!("indices that make more than {MOST_SLICES} slices"));
        }
    }
    let parts = parts
        .into_iter()
        .map(|(start, stop)| sliced(call, x, &[(axis, start as i64, stop as i64, 1)]))
        .collect::<Result<_, _>>()?;
    joined(call, parts, axis)
}
