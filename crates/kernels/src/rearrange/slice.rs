//! Every step-th element of some axes.

use geometry::{MAX_AXES, SliceAxis, SliceGeometry};
use tensor::Layout;

use super::strided::copy;
use crate::Context;
use crate::blocks::for_blocks;
use crate::nest::{Loop, strides};
use crate::shared::Shared;

/// `y` = the elements of `x` that the geometry takes.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Copy + Send + Sync>(
    context: &Context,
    layout: Layout,
    geometry: &SliceGeometry,
    x: &[T],
    y: &mut [T],
) {
    let steps = Steps::new(layout, geometry, x.len(), y.len());
    copy(context, steps.loops(0), (x, steps.start), (y, 0));
}

/// `dx` = `dy` at the places its elements were taken from, and 0 elsewhere.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn backward<T: Copy + Default + Send + Sync>(
    context: &Context,
    layout: Layout,
    geometry: &SliceGeometry,
    dy: &[T],
    dx: &mut [T],
) {
    let steps = Steps::new(layout, geometry, dx.len(), dy.len());
    if dx.len() != dy.len() {
        let (len, out) = (dx.len(), Shared::new(dx));
        for_blocks(context.team, len, |range| {
            // SAFETY: the ranges of different tasks do not overlap.
            unsafe { out.slice(range.start, range.len()) }.fill(T::default());
        });
    }
    copy(context, steps.loops(1), (dy, 0), (dx, steps.start));
}

/// Where the elements that are taken lie.
struct Steps<'a> {
    axes: &'a [SliceAxis],
    /// The first of them in `x`.
    start: usize,
    /// Strides of `x` and of `y`.
    strides: [[isize; MAX_AXES]; 2],
}

impl<'a> Steps<'a> {
    fn new(layout: Layout, geometry: &'a SliceGeometry, x: usize, y: usize) -> Self {
        let axes = geometry.axes();
        let (mut input, mut output) = ([1; MAX_AXES], [1; MAX_AXES]);
        for (index, axis) in axes.iter().enumerate() {
            (input[index], output[index]) = (axis.input, axis.count);
        }
        assert_eq!(x, input.iter().product(), "slice: length of x");
        assert_eq!(y, output.iter().product(), "slice: length of y");
        let strides = [input, output].map(|shape| strides(layout, &shape[..axes.len()]));
        let firsts = axes.iter().zip(strides[0]);
        Self {
            axes,
            start: firsts
                .map(|(axis, stride)| axis.first * stride as usize)
                .sum(),
            strides,
        }
    }

    /// The loops over the elements taken; side `read` (0 is `x`, 1 is `y`) is read.
    fn loops(&self, read: usize) -> impl Iterator<Item = Loop<2>> {
        self.axes.iter().enumerate().map(move |(index, axis)| {
            let steps = [axis.step * self.strides[0][index], self.strides[1][index]];
            Loop {
                extent: axis.count,
                steps: [steps[read], steps[1 - read]],
            }
        })
    }
}
