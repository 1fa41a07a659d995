//! Slices: every step-th element from one place of an axis to another.

use crate::axis_error::{addressable, axis_of, lifted};
use crate::{AxisError, MAX_AXES};

/// What is taken of one axis, as ONNX's Slice and Python's `start:stop:step` mean it.
///
/// Negative places count from the end, places past an end are moved to it, and with a negative step
/// the slice runs backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SliceRange {
    /// The axis; a negative one counts from the end.
    pub axis: i64,
    /// First element.
    pub start: i64,
    /// The place before which the slice ends; it may be `i64::MAX`, or `i64::MIN` to run backwards
    /// over the first element.
    pub stop: i64,
    /// Distance of two elements, not 0.
    pub step: i64,
}

/// A slice as a user asks for it; axes that are not named stay whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SliceDesc {
    /// One range an axis, in any order.
    pub ranges: Vec<SliceRange>,
}

impl SliceDesc {
    /// The whole tensor; refine it with [`SliceDesc::axis`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `start..stop` of an axis, every `step`-th element.
    pub fn axis(mut self, axis: i64, start: i64, stop: i64, step: i64) -> Self {
        self.ranges.push(SliceRange {
            axis,
            start,
            stop,
            step,
        });
        self
    }

    /// Checks the descriptor against a shape.
    ///
    /// # Errors
    /// An axis that does not exist or is named twice, a step of 0, overflow.
    pub fn resolve(&self, shape: &[usize]) -> Result<SliceGeometry, AxisError> {
        let rank = shape.len();
        let mut axes = lifted(shape)?.map(SliceAxis::whole);
        addressable("the input", shape)?;
        let mut named = [false; MAX_AXES];
        for range in &self.ranges {
            let axis = axis_of(range.axis, rank)?;
            if std::mem::replace(&mut named[axis], true) {
                return Err(AxisError::RepeatedAxis { axis });
            }
            if range.step == 0 {
                return Err(AxisError::ZeroStep { axis });
            }
            axes[axis] = SliceAxis::resolve(shape[axis], range);
        }
        Ok(SliceGeometry { rank, axes })
    }
}

/// One axis of a slice, every number checked: element `o` of the result is element
/// `first + o·step` of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SliceAxis {
    /// Elements of the input.
    pub input: usize,
    /// The first element taken; 0 when none is.
    pub first: usize,
    /// Distance of two elements; negative when the slice runs backwards.
    pub step: isize,
    /// Elements taken.
    pub count: usize,
}

impl SliceAxis {
    fn whole(input: usize) -> Self {
        Self {
            input,
            first: 0,
            step: 1,
            count: input,
        }
    }

    fn resolve(input: usize, range: &SliceRange) -> Self {
        let (extent, step) = (input as i128, i128::from(range.step));
        // Backwards, a place before the first element stands for "to the very end".
        let (low, high) = if step > 0 {
            (0, extent)
        } else {
            (-1, extent - 1)
        };
        let place = |at: i64| {
            let at = i128::from(at);
            (if at < 0 { at + extent } else { at }).clamp(low, high)
        };
        let (start, stop) = (place(range.start), place(range.stop));
        // A distance against the direction of the step leaves nothing.
        let (distance, stride) = ((stop - start) * step.signum(), step.abs());
        let count = if distance > 0 {
            (distance + stride - 1) / stride
        } else {
            0
        };
        Self {
            input,
            first: if count > 0 { start as usize } else { 0 },
            // The step of a single element is never taken, and may be too long to multiply by.
            step: if count > 1 { step as isize } else { 1 },
            count: count as usize,
        }
    }
}

/// A slice of a given shape, every number checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SliceGeometry {
    rank: usize,
    axes: [SliceAxis; MAX_AXES],
}

impl SliceGeometry {
    /// The axes, outermost first.
    pub fn axes(&self) -> &[SliceAxis] {
        &self.axes[..self.rank]
    }

    /// Shape of the input.
    pub fn input_shape(&self) -> Vec<usize> {
        self.axes().iter().map(|axis| axis.input).collect()
    }

    /// Shape of the result; an extent may be 0.
    pub fn output_shape(&self) -> Vec<usize> {
        self.axes().iter().map(|axis| axis.count).collect()
    }
}
