//! How an axis of a feature map is cut into tiles.

use std::ops::Range;

use geometry::Window;

use super::points::Line;
use crate::conv::{Direction, Refusal};

/// One axis of a convolution of stride one: target element `u` reads source elements from
/// `u + offset` on, one for each tap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) line: Line,
    pub(super) source: usize,
    pub(super) target: usize,
    offset: isize,
    /// Tiles; the last may hang over the end of the target.
    pub(super) tiles: usize,
}

impl Axis {
    /// The axis of a window, cut into tiles of `outputs` target elements.
    pub(super) fn new(
        window: &Window,
        direction: Direction,
        outputs: usize,
    ) -> Result<Self, Refusal> {
        if window.stride != 1 || window.dilation != 1 {
            return Err(Refusal::Strided);
        }
        if window.kernel > 7 {
            return Err(Refusal::KernelSize);
        }
        let line = Line::new(outputs, window.kernel).ok_or(Refusal::KernelSize)?;
        let before = window.before as isize;
        let (source, target, offset) = match direction {
            // The kernel is turned round: its last tap comes first.
            Direction::BackwardData => {
                let last = window.kernel as isize - 1;
                (window.output, window.input, before - last)
            }
            _ => (window.input, window.output, -before),
        };
        Ok(Self {
            source,
            target,
            offset,
            tiles: target.div_ceil(line.outputs),
            line,
        })
    }

    /// The first source element of a tile.
    pub(super) fn source_of(&self, tile: usize) -> isize {
        (tile * self.line.outputs) as isize + self.offset
    }

    /// The inputs of a tile that lie on the source.
    pub(super) fn inside(&self, tile: usize) -> Range<usize> {
        let first = self.source_of(tile);
        let inputs = self.line.inputs() as isize;
        let start = (-first).clamp(0, inputs);
        let end = (self.source as isize - first).clamp(start, inputs);
        start as usize..end as usize
    }

    /// The target elements of a tile: the first, and how many.
    pub(super) fn targets_of(&self, tile: usize) -> (usize, usize) {
        let first = tile * self.line.outputs;
        (first, self.line.outputs.min(self.target - first))
    }
}
