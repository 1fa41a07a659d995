//! Tensors side by side, and apart again.

use geometry::{ConcatGeometry, MAX_AXES};
use tensor::Layout;

use super::strided::copy;
use crate::Context;
use crate::nest::{Loop, strides};

/// Writes input `index` of a concatenation to its place in `y`; the rest of `y` stays as it is. Called
/// for every input it concatenates, so that an input can be written as soon as it is known.
///
/// # Panics
/// When a slice has not the size the geometry gives, or there is no such input.
pub fn join<T: Copy + Send + Sync>(
    context: &Context,
    layout: Layout,
    geometry: &ConcatGeometry,
    index: usize,
    x: &[T],
    y: &mut [T],
) {
    let place = Place::new(layout, geometry, index, x.len(), y.len());
    copy(context, place.loops(0), (x, 0), (y, place.start));
}

/// Cuts input `index` of a concatenation out of its result: the gradient of that input, where `dy` is
/// the gradient of the result.
///
/// # Panics
/// When a slice has not the size the geometry gives, or there is no such input.
pub fn part<T: Copy + Send + Sync>(
    context: &Context,
    layout: Layout,
    geometry: &ConcatGeometry,
    index: usize,
    dy: &[T],
    dx: &mut [T],
) {
    let place = Place::new(layout, geometry, index, dx.len(), dy.len());
    copy(context, place.loops(1), (dy, place.start), (dx, 0));
}

/// Where an input lies in the result.
struct Place {
    start: usize,
    rank: usize,
    /// Extents of the input.
    shape: [usize; MAX_AXES],
    /// Strides of the input and of the result.
    strides: [[isize; MAX_AXES]; 2],
}

impl Place {
    fn new(
        layout: Layout,
        geometry: &ConcatGeometry,
        index: usize,
        input: usize,
        output: usize,
    ) -> Self {
        let (axis, starts) = (geometry.axis(), geometry.starts());
        assert!(
            index + 1 < starts.len(),
            "concat: there is no input {index}"
        );
        let whole = geometry.shape();
        let len = whole.iter().product::<usize>();
        assert_eq!(output, len, "concat: length of the result");
        let rank = whole.len();
        let mut shape = [1; MAX_AXES];
        shape[..rank].copy_from_slice(whole);
        shape[axis] = starts[index + 1] - starts[index];
        let len = shape.iter().product::<usize>();
        assert_eq!(input, len, "concat: length of input {index}");
        let whole = strides(layout, whole);
        Self {
            start: starts[index] * whole[axis] as usize,
            rank,
            strides: [strides(layout, &shape[..rank]), whole],
            shape,
        }
    }

    /// The loops over the input's elements; side `read` (0 the input, 1 the result) is read.
    fn loops(&self, read: usize) -> impl Iterator<Item = Loop<2>> {
        (0..self.rank).map(move |axis| Loop {
            extent: self.shape[axis],
            steps: [self.strides[read][axis], self.strides[1 - read][axis]],
        })
    }
}
