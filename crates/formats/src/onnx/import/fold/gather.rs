//! Which elements `GatherND` and `GatherElements` take.

use super::walk::strides;
use crate::onnx::Array;
use crate::onnx::array::count;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::call::axis_of;

/// Blocks of a tensor, numbered by its leading axes.
pub(in super::super) struct Blocks {
    /// Extents of the axes that an index names, one after the other.
    named: Vec<usize>,
    /// Indices for each step of the axes that data and indices share.
    each: usize,
    /// The tensor as `[blocks, elements of one]`.
    pub(in super::super) rows: [usize; 2],
    /// Shape of what is taken.
    pub(in super::super) shape: Vec<usize>,
}

impl Blocks {
    /// Blocks of a tensor of shape `x` for indices of a shape, of which the first `batch` axes are those of `x`.
    pub(in super::super) fn resolve(
        x: &[usize],
        indices: &[usize],
        batch: i64,
    ) -> Result<Self, Fault> {
        let refused = || {
            wrong(format!(
                "indices of shape {indices:?} into shape {x:?}, {batch} axes of both the same"
            ))
        };
        let (Ok(batch), Some((&length, counted))) = (usize::try_from(batch), indices.split_last())
        else {
            return refused();
        };
        let named = batch.checked_add(length).filter(|&end| end <= x.len());
        let (Some(end), true) = (named, batch <= counted.len() && length > 0) else {
            return refused();
        };
        if x[..batch] != counted[..batch] {
            return refused();
        }
        Ok(Self {
            named: x[batch..end].to_vec(),
            each: count(&counted[batch..])?,
            rows: [count(&x[..end])?, count(&x[end..])?],
            shape: [counted, &x[end..]].concat(),
        })
    }

    /// The number of each block that is taken.
    pub(in super::super) fn places(
        &self,
        indices: &Array,
    ) -> impl Iterator<Item = Result<usize, Fault>> {
        let mut numbers = indices.integers();
        let count = self.shape_count(indices);
        let blocks: usize = self.named.iter().product();
        (0..count).map(move |at| {
            let mut place = 0;
            for (&extent, number) in self.named.iter().zip(numbers.by_ref()) {
                place = place * extent + axis_of(number, extent)?;
            }
            Ok(at / self.each * blocks + place)
        })
    }

    fn shape_count(&self, indices: &Array) -> usize {
        indices.len() / self.named.len()
    }
}

/// The place of each element that is taken, counted through the whole tensor.
pub(in super::super) fn element_places(
    x: &[usize],
    axis: usize,
    indices: &Array,
) -> Result<impl Iterator<Item = Result<usize, Fault>>, Fault> {
    let own = indices.shape();
    let fits = own.len() == x.len()
        && (own.iter().zip(x).enumerate()).all(|(at, (own, x))| at == axis || own <= x);
    if !fits {
        return wrong(format!("indices of shape {own:?} into shape {x:?}"));
    }
    let (of_indices, of_x) = (strides(own), strides(x));
    let steps: Vec<_> = (0..x.len())
        .filter(|&other| other != axis)
        .map(|other| (of_indices[other] as usize, own[other], of_x[other] as usize))
        .collect();
    let (extent, stride) = (x[axis], of_x[axis] as usize);
    Ok(indices.integers().enumerate().map(move |(at, number)| {
        let others: usize = steps
            .iter()
            .map(|&(step, extent, stride)| at / step % extent * stride)
            .sum();
        Ok(others + axis_of(number, extent)? * stride)
    }))
}
