//! How an axis of a feature map is cut into tiles.

use std::ops::Range;

use geometry::Window;

use super::points::Line;
use crate::conv::{Direction, Refusal};

/// One axis of a convolution of stride one: target element `u` reads source elements from `u + offset` on, one for
/// each tap, `step` apart.
///
/// A dilated convolution is `step` dense ones that do not know of each other: of every `step`-th element, beginning at
/// the first, the second, …. Each of these *phases* is cut into tiles of its own, and the tiles of one phase come
/// behind those of the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) line: Line,
    pub(super) source: usize,
    pub(super) target: usize,
    /// Elements between neighbours of a tile: the dilation.
    pub(super) step: usize,
    offset: isize,
    /// Tiles; the last of a phase may hang over the end of the target.
    pub(super) tiles: usize,
    /// The phases with one element more than the others, which come first.
    longer: usize,
    /// Tiles of a longer and of a shorter phase.
    phase_tiles: [usize; 2],
}

impl Axis {
    /// The axis of a window, cut into tiles of `outputs` target elements.
    pub(super) fn new(
        window: &Window,
        direction: Direction,
        outputs: usize,
    ) -> Result<Self, Refusal> {
        if window.stride != 1 {
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
                let last = (window.kernel - 1) * window.dilation;
                (window.output, window.input, before - last as isize)
            }
            _ => (window.input, window.output, -before),
        };
        // A single tap lies on its element whatever the dilation.
        let step = if window.kernel == 1 {
            1
        } else {
            window.dilation
        };
        if step > source.max(1) {
            return Err(Refusal::Reach);
        }
        let (shorter, longer) = (target / step, target % step);
        let phase_tiles = [shorter + 1, shorter].map(|elements| elements.div_ceil(line.outputs));
        Ok(Self {
            source,
            target,
            step,
            offset,
            tiles: longer * phase_tiles[0] + (step - longer) * phase_tiles[1],
            line,
            longer,
            phase_tiles,
        })
    }

    /// The first target element of a tile.
    #[inline]
    pub(super) fn first_of(&self, tile: usize) -> usize {
        if self.step == 1 {
            // One phase, and no division.
            return tile * self.line.outputs;
        }
        let (longer, [of_longer, of_shorter]) = (self.longer, self.phase_tiles);
        let (phase, index) = match tile.checked_sub(longer * of_longer) {
            None => (tile / of_longer, tile % of_longer),
            Some(rest) => (longer + rest / of_shorter, rest % of_shorter),
        };
        phase + index * self.line.outputs * self.step
    }

    /// Steps that it takes to cover a distance.
    #[inline]
    fn steps(&self, distance: usize) -> usize {
        match self.step {
            1 => distance,
            step => distance.div_ceil(step),
        }
    }

    /// The first source element of a tile.
    #[inline]
    pub(super) fn source_of(&self, tile: usize) -> isize {
        self.first_of(tile) as isize + self.offset
    }

    /// The inputs of a tile that lie on the source.
    #[inline]
    pub(super) fn inside(&self, tile: usize) -> Range<usize> {
        let first = self.source_of(tile);
        let inputs = self.line.inputs();
        let steps_to = |element: usize| {
            let distance = (element as isize - first).max(0) as usize;
            self.steps(distance).min(inputs)
        };
        steps_to(0)..steps_to(self.source)
    }

    /// How many of a tile's target elements there are.
    #[inline]
    pub(super) fn targets_of(&self, tile: usize) -> usize {
        let left = self.target - self.first_of(tile);
        self.line.outputs.min(self.steps(left))
    }
}
