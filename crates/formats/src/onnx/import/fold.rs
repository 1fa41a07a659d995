//! What can be computed without a run: the arithmetic of shapes, and constants on their way to a node.

mod arithmetic;
mod cumulative;
mod gather;
mod generate;
mod walk;

use super::Value;
use super::call::{Call, axis_of, sizes};
use crate::onnx::array::count;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::{Array, OnnxError};

pub(super) use arithmetic::target;
pub(super) use gather::{Blocks, element_places};
pub(super) use walk::permute;

/// What a node makes, if it can be computed here.
///
/// # Errors
/// Nodes that make no sense, and constants that would take more memory than the rules allow.
pub(super) fn evaluate(call: &mut Call<'_, '_>) -> Result<Option<Vec<Value>>, Fault> {
    if let Some(made) = generate::evaluate(call)? {
        return Ok(Some(vec![made]));
    }
    if !call.is_constant() {
        return Ok(None);
    }
    if let Some(made) = reread(call)? {
        return Ok(Some(vec![made]));
    }
    if let Some(made) = moved(call)? {
        return Ok(Some(made));
    }
    arithmetic::evaluate(call).map(|made| made.map(|made| vec![made]))
}

/// Operators that leave elements where they are, and of which only the shape is another.
fn reread(call: &Call<'_, '_>) -> Result<Option<Value>, Fault> {
    let Some(Value::Constant(constant)) = call.value(0) else {
        return Ok(None);
    };
    let x = constant.elements.shape();
    let shape = match call.op() {
        "Identity" => x.to_vec(),
        "Reshape" => reshaped(call, x)?,
        "Flatten" => flattened(call, x)?,
        "Unsqueeze" => unsqueezed(call, x)?,
        "Squeeze" => squeezed(call, x)?,
        _ => return Ok(None),
    };
    let elements = constant.elements.reshaped(&shape)?;
    Ok(Some(Value::made_of(constant.origin.clone(), elements)))
}

/// Operators that move elements.
fn moved(call: &mut Call<'_, '_>) -> Result<Option<Vec<Value>>, Fault> {
    let Some(Value::Constant(constant)) = call.value(0) else {
        return Ok(None);
    };
    let (origin, rank) = (constant.origin.clone(), constant.elements.shape().len());
    let made = match call.op() {
        "Transpose" => {
            let x = call.read(0)?;
            let axes = permutation(call, rank)?;
            call.book(x.bytes().len())?;
            permute(&x, &axes)?
        }
        "Expand" => {
            let x = call.read(0)?;
            let shape = expanded(call, x.shape())?;
            call.book(size(&shape, &x)?)?;
            walk::expand(&x, &shape)?
        }
        "Tile" => {
            let x = call.read(0)?;
            let repeats = sizes("repeats", &call.known_ints(1)?.unwrap_or_default())?;
            if repeats.len() != rank {
                return wrong(format!("{} repeats for {rank} axes", repeats.len()));
            }
            let extents = x.shape().iter().zip(&repeats);
            let shape: Vec<_> = extents.map(|(&n, &r)| n.saturating_mul(r)).collect();
            call.book(size(&shape, &x)?)?;
            walk::tile(&x, &repeats)?
        }
        "Slice" => {
            let x = call.read(0)?;
            let ranges = slice_ranges(call, rank)?;
            call.passing(x.bytes().len(), |_| walk::slice(&x, &ranges))?
        }
        "Split" => {
            let x = call.read(0)?;
            let axis = axis_of(call.int("axis", 0), rank)?;
            let mut start = 0;
            let mut parts = Vec::new();
            for extent in split_sizes(call, x.shape()[axis])? {
                let range = (axis, start as i64, (start + extent) as i64, 1);
                start += extent;
                let part = walk::slice(&x, &[range])?;
                parts.push(call.keep(part)?);
            }
            return Ok(Some(parts));
        }
        "Gather" => {
            let axis = axis_of(call.int("axis", 0), rank)?;
            let (x, indices) = (call.read(0)?, call.read(1)?);
            let made = gather_shape(x.shape(), axis, indices.shape());
            call.book(size(&made, &x)?)?;
            walk::gather(&x, axis, &indices)?
        }
        "GatherND" => {
            let (x, indices) = (call.read(0)?, call.read(1)?);
            let batch = call.int("batch_dims", 0);
            let blocks = Blocks::resolve(x.shape(), indices.shape(), batch)?;
            call.book(size(&blocks.shape, &x)?)?;
            let rows = x.reshaped(&blocks.rows)?;
            walk::pick(&rows, &blocks.shape, blocks.places(&indices))?
        }
        "GatherElements" => {
            let axis = axis_of(call.int("axis", 0), rank)?;
            let (x, indices) = (call.read(0)?, call.read(1)?);
            call.book(size(indices.shape(), &x)?)?;
            let places = element_places(x.shape(), axis, &indices)?;
            let row = x.reshaped(&[x.len(), 1])?;
            walk::pick(&row, indices.shape(), places)?
        }
        "Concat" => {
            let axis = axis_of(call.int("axis", 1), rank)?;
            let mut parts = Vec::with_capacity(call.inputs());
            for place in 0..call.inputs() {
                if call.given(place) {
                    parts.push(call.read(place)?);
                }
            }
            let len = parts.iter().map(|part| part.bytes().len()).sum();
            call.book(len)?;
            walk::concat(&parts, axis)?
        }
        _ => return Ok(None),
    };
    Ok(Some(vec![Value::made_of(origin, made)]))
}

/// Bytes of a result of another shape.
fn size(shape: &[usize], like: &Array) -> Result<usize, OnnxError> {
    Ok(count(shape)?.saturating_mul(like.element().size()))
}

// Shapes that the graph's operators need too.

/// The shape that a Reshape asks for.
pub(super) fn reshaped(call: &Call<'_, '_>, x: &[usize]) -> Result<Vec<usize>, Fault> {
    let Some(mut wanted) = call.list(1, "shape")? else {
        return wrong("no shape is given");
    };
    // The batch of an exported run stands in its shapes.
    if let (Some((fixed, asked)), [first, ..]) = (call.rebatch(), &mut wanted[..])
        && call.constant(0).is_none()
        && (*first, x.first()) == (fixed as i64, Some(&asked))
    {
        *first = asked as i64;
    }
    let keep_zeros = call.flag("allowzero", false);
    let mut shape = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (axis, &extent) in wanted.iter().enumerate() {
        shape.push(match extent {
            -1 if open.is_none() => {
                open = Some(axis);
                1
            }
            0 if !keep_zeros => match x.get(axis) {
                Some(&extent) => extent,
                None => return wrong(format!("shape {wanted:?} of a tensor of shape {x:?}")),
            },
            _ => match usize::try_from(extent) {
                Ok(extent) => extent,
                Err(_) => return wrong(format!("shape {wanted:?}")),
            },
        });
    }
    let (all, rest) = (count(x)?, count(&shape)?);
    if let Some(open) = open {
        if rest == 0 || all % rest != 0 {
            return wrong(format!("shape {wanted:?} of a tensor of shape {x:?}"));
        }
        shape[open] = all / rest;
    } else if all != rest {
        return wrong(format!("shape {wanted:?} of a tensor of shape {x:?}"));
    }
    Ok(shape)
}

/// The shape that a Flatten makes.
pub(super) fn flattened(call: &Call<'_, '_>, x: &[usize]) -> Result<Vec<usize>, Fault> {
    let axis = call.int("axis", 1);
    let axis = match axis {
        axis if axis == x.len() as i64 => x.len(),
        axis => axis_of(axis, x.len())?,
    };
    Ok(vec![count(&x[..axis])?, count(&x[axis..])?])
}

/// The shape with axes of extent 1 put in.
pub(super) fn unsqueezed(call: &Call<'_, '_>, x: &[usize]) -> Result<Vec<usize>, Fault> {
    let Some(axes) = call.list(1, "axes")? else {
        return wrong("no axes are given");
    };
    let rank = x.len() + axes.len();
    let mut added = vec![false; rank];
    for axis in axes {
        if std::mem::replace(&mut added[axis_of(axis, rank)?], true) {
            return wrong(format!("axis {axis} is named twice"));
        }
    }
    let mut extents = x.iter();
    let extent = |added| match added {
        true => 1,
        false => extents.next().copied().unwrap_or(1),
    };
    let shape: Vec<_> = added.into_iter().map(extent).collect();
    count(&shape)?;
    Ok(shape)
}

/// The shape without axes of extent 1.
pub(super) fn squeezed(call: &Call<'_, '_>, x: &[usize]) -> Result<Vec<usize>, Fault> {
    let Some(axes) = call.list(1, "axes")? else {
        return Ok(x.iter().copied().filter(|&extent| extent != 1).collect());
    };
    let mut removed = vec![false; x.len()];
    for axis in axes {
        let axis = axis_of(axis, x.len())?;
        if x[axis] != 1 {
            return wrong(format!("axis {axis} of shape {x:?} cannot be left out"));
        }
        removed[axis] = true;
    }
    let kept = x.iter().zip(removed).filter(|(_, removed)| !removed);
    Ok(kept.map(|(&extent, _)| extent).collect())
}

/// The order of axes of a Transpose, reversed if none is given.
pub(super) fn permutation(call: &Call<'_, '_>, rank: usize) -> Result<Vec<usize>, Fault> {
    match call.ints("perm")? {
        None => Ok((0..rank).rev().collect()),
        Some(perm) => perm.into_iter().map(|axis| axis_of(axis, rank)).collect(),
    }
}

/// The shape that an Expand makes: both broadcast against each other.
pub(super) fn expanded(call: &Call<'_, '_>, x: &[usize]) -> Result<Vec<usize>, Fault> {
    let Some(wanted) = call.known_ints(1)? else {
        return wrong("no shape is given");
    };
    walk::broadcast(x, &sizes("shape", &wanted)?)
}

/// Axis, start, stop and step of every range of a Slice.
pub(super) fn slice_ranges(
    call: &Call<'_, '_>,
    rank: usize,
) -> Result<Vec<(usize, i64, i64, i64)>, Fault> {
    let (Some(starts), Some(ends)) = (call.list(1, "starts")?, call.list(2, "ends")?) else {
        return wrong("no range is given");
    };
    let axes = call.list(3, "axes")?;
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.known_ints(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return wrong(format!(
            "{} starts, {} ends, {} axes and {} steps",
            starts.len(),
            ends.len(),
            axes.len(),
            steps.len()
        ));
    }
    let mut named = vec![false; rank];
    (0..starts.len())
        .map(|at| {
            let axis = axis_of(axes[at], rank)?;
            if std::mem::replace(&mut named[axis], true) {
                return wrong(format!("axis {axis} is named twice"));
            }
            Ok((axis, starts[at], ends[at], steps[at]))
        })
        .collect()
}

/// Extents of the parts of a Split.
pub(super) fn split_sizes(call: &Call<'_, '_>, extent: usize) -> Result<Vec<usize>, Fault> {
    let given = call.list(1, "split")?;
    let parts = match given {
        Some(parts) => sizes("split", &parts)?,
        None => {
            let count = usize::try_from(call.int("num_outputs", call.outputs() as i64));
            let count = count.unwrap_or(0);
            if count == 0 || count > call.outputs() {
                return wrong(format!("{count} parts for {} outputs", call.outputs()));
            }
            // The last part is the smaller one where they cannot be equal.
            let each = extent.div_ceil(count);
            let sizes = (0..count).map(|part| {
                let start = (part * each).min(extent);
                each.min(extent - start)
            });
            sizes.collect()
        }
    };
    let sum = parts
        .iter()
        .try_fold(0_usize, |sum, &part| sum.checked_add(part));
    match sum {
        Some(sum) if sum == extent => Ok(parts),
        _ => wrong(format!("parts {parts:?} of an axis of {extent}")),
    }
}

/// The shape of elements gathered along an axis.
pub(super) fn gather_shape(x: &[usize], axis: usize, indices: &[usize]) -> Vec<usize> {
    [&x[..axis], indices, &x[axis + 1..]].concat()
}

/// Axes of a reduction, all of them if none is named, and whether they stay.
pub(super) fn reduced_axes(call: &Call<'_, '_>, rank: usize) -> Result<(Vec<usize>, bool), Fault> {
    let named = call.list(1, "axes")?.unwrap_or_default();
    let keeps = call.flag("keepdims", true);
    if named.is_empty() {
        let all = match call.flag("noop_with_empty_axes", false) {
            true => Vec::new(),
            false => (0..rank).collect(),
        };
        return Ok((all, keeps));
    }
    let mut axes: Vec<_> = named
        .into_iter()
        .map(|axis| axis_of(axis, rank))
        .collect::<Result<_, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok((axes, keeps))
}

/// A shape after a reduction.
pub(super) fn reduced(x: &[usize], axes: &[usize], keeps: bool) -> Vec<usize> {
    let extents =
        x.iter()
            .enumerate()
            .filter_map(|(axis, &extent)| match (axes.contains(&axis), keeps) {
                (false, _) => Some(extent),
                (true, true) => Some(1),
                (true, false) => None,
            });
    extents.collect()
}
