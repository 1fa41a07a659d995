//! Constants whose elements are moved: a walk over the source in the order of the result.

use crate::onnx::array::count;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::{Array, OnnxError};

/// Places of the source, one after the other, that a result of shape `shape` is made of: a step along an axis of
/// the result is `strides` elements of the source.
struct Walk {
    shape: Vec<usize>,
    strides: Vec<isize>,
    index: Vec<usize>,
    at: isize,
    left: usize,
}

impl Walk {
    fn new(shape: &[usize], strides: Vec<isize>, start: usize) -> Result<Self, OnnxError> {
        Ok(Self {
            left: count(shape)?,
            index: vec![0; shape.len()],
            shape: shape.to_vec(),
            strides,
            at: start as isize,
        })
    }
}

impl Iterator for Walk {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at;
        for axis in (0..self.shape.len()).rev() {
            self.index[axis] += 1;
            self.at += self.strides[axis];
            if self.index[axis] < self.shape[axis] {
                break;
            }
            self.at -= self.strides[axis] * self.shape[axis] as isize;
            self.index[axis] = 0;
        }
        Some(at as usize)
    }
}

/// Elements from one to the next of each axis.
pub(super) fn strides(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as isize;
    }
    strides
}

/// The elements of `x` at these places.
fn taken(
    x: &Array,
    shape: &[usize],
    places: impl Iterator<Item = usize>,
) -> Result<Array, OnnxError> {
    let size = x.element().size();
    let mut bytes = Vec::with_capacity(count(shape)?.saturating_mul(size));
    for place in places {
        bytes.extend_from_slice(&x.bytes()[place * size..][..size]);
    }
    x.with_bytes(shape, bytes)
}

/// Axes in another order.
pub(in super::super) fn permute(x: &Array, axes: &[usize]) -> Result<Array, Fault> {
    geometry::PermuteGeometry::resolve(axes, x.shape())?;
    let of_source = strides(x.shape());
    let shape: Vec<_> = axes.iter().map(|&axis| x.shape()[axis]).collect();
    let steps = axes.iter().map(|&axis| of_source[axis]).collect();
    Ok(taken(x, &shape, Walk::new(&shape, steps, 0)?)?)
}

/// What two shapes broadcast to.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Fault> {
    let rank = a.len().max(b.len());
    let extent = |shape: &[usize], axis: usize| {
        let missing = rank - shape.len();
        axis.checked_sub(missing).map_or(1, |axis| shape[axis])
    };
    (0..rank)
        .map(|axis| match (extent(a, axis), extent(b, axis)) {
            (a, b) if a == b || b == 1 => Ok(a),
            (1, b) => Ok(b),
            _ => wrong(format!("shapes {a:?} and {b:?} do not broadcast")),
        })
        .collect()
}

/// Places of `x` that elements of `shape`, to which it broadcasts, are made of.
pub(super) fn places(x: &[usize], shape: &[usize]) -> Result<impl Iterator<Item = usize>, Fault> {
    let missing = shape.len() - x.len();
    let own = strides(x);
    let steps = (0..shape.len()).map(|axis| match axis.checked_sub(missing) {
        Some(axis) if x[axis] != 1 => own[axis],
        _ => 0,
    });
    Ok(Walk::new(shape, steps.collect(), 0)?)
}

/// Elements repeated to a shape to which it broadcasts.
pub(super) fn expand(x: &Array, shape: &[usize]) -> Result<Array, Fault> {
    Ok(taken(x, shape, places(x.shape(), shape)?)?)
}

/// The whole repeated along every axis.
pub(super) fn tile(x: &Array, repeats: &[usize]) -> Result<Array, Fault> {
    let own = strides(x.shape());
    let (mut shape, mut steps, mut tiled) = (Vec::new(), Vec::new(), Vec::new());
    for ((&extent, &repeat), stride) in x.shape().iter().zip(repeats).zip(own) {
        shape.extend([repeat, extent]);
        steps.extend([0, stride]);
        tiled.push(extent.saturating_mul(repeat));
    }
    Ok(taken(x, &tiled, Walk::new(&shape, steps, 0)?)?)
}

/// Every step-th element of some axes.
pub(super) fn slice(x: &Array, ranges: &[(usize, i64, i64, i64)]) -> Result<Array, Fault> {
    let mut shape = x.shape().to_vec();
    let mut steps = strides(&shape);
    let mut start = 0_isize;
    for &(axis, from, to, step) in ranges {
        let desc = geometry::SliceDesc::new().axis(0, from, to, step);
        let one = desc.resolve(&[x.shape()[axis]])?;
        let one = one.axes()[0];
        start += one.first as isize * steps[axis];
        shape[axis] = one.count;
        steps[axis] *= one.step;
    }
    Ok(taken(x, &shape, Walk::new(&shape, steps, start as usize)?)?)
}

/// Slices of one axis, by number.
pub(super) fn gather(x: &Array, axis: usize, indices: &Array) -> Result<Array, Fault> {
    let extent = x.shape()[axis];
    let inner: usize = x.shape()[axis + 1..].iter().product();
    let outer: usize = x.shape()[..axis].iter().product();
    let mut numbers = Vec::with_capacity(indices.len());
    for index in indices.integers() {
        numbers.push(super::super::call::axis_of(index, extent)?);
    }
    let shape = super::gather_shape(x.shape(), axis, indices.shape());
    let places = (0..outer).flat_map(|o| {
        numbers.iter().flat_map(move |&number| {
            let start = (o * extent + number) * inner;
            start..start + inner
        })
    });
    Ok(taken(x, &shape, places)?)
}

/// Rows of a matrix by number, as a tensor of another shape.
pub(super) fn pick(
    rows: &Array,
    shape: &[usize],
    places: impl Iterator<Item = Result<usize, Fault>>,
) -> Result<Array, Fault> {
    let each = rows.shape()[1] * rows.element().size();
    let mut bytes = Vec::with_capacity(count(shape)?.saturating_mul(rows.element().size()));
    for place in places {
        bytes.extend_from_slice(&rows.bytes()[place? * each..][..each]);
    }
    Ok(rows.with_bytes(shape, bytes)?)
}

/// Side by side along an axis.
pub(super) fn concat(parts: &[Array], axis: usize) -> Result<Array, Fault> {
    let Some(first) = parts.first() else {
        return wrong("nothing to join");
    };
    let mut shape = first.shape().to_vec();
    shape[axis] = 0;
    for part in parts {
        let fits = part.shape().len() == shape.len()
            && part.element() == first.element()
            && (0..shape.len()).all(|a| a == axis || part.shape()[a] == shape[a]);
        if !fits {
            return wrong(format!(
                "shapes {:?} and {:?} do not join along axis {axis}",
                first.shape(),
                part.shape()
            ));
        }
        shape[axis] = shape[axis].saturating_add(part.shape()[axis]);
    }
    let outer: usize = shape[..axis].iter().product();
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.bytes().len()).sum());
    for o in 0..outer {
        for part in parts {
            let each = part.bytes().len() / outer;
            bytes.extend_from_slice(&part.bytes()[o * each..][..each]);
        }
    }
    Ok(first.with_bytes(&shape, bytes)?)
}
