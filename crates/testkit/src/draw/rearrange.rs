//! Problems of operators along axes: paddings, slices, shapes that broadcast.

use super::Draw;
use crate::rearrange::Border;

/// Channel counts around the vector widths.
const CHANNELS: [usize; 7] = [1, 3, 7, 8, 9, 16, 17];

impl Draw {
    /// A feature map `[n, c, …]` of `rank` spatial axes, all of them different.
    pub fn map_shape(&mut self, rank: usize) -> Vec<usize> {
        let mut shape = vec![self.pick(&[1, 2, 3]), self.pick(&CHANNELS)];
        shape.extend(self.distinct(&[1, 2, 4, 5, 6, 9, 10], rank));
        shape
    }

    /// Amounts (before, after) of a padding that is legal on every axis of `shape`, negative ones among
    /// them. Batch and channels are padded once in a while.
    pub fn pad_amounts(&mut self, border: Border, shape: &[usize]) -> Vec<(i64, i64)> {
        let mut amounts = Vec::new();
        for (axis, &extent) in shape.iter().enumerate() {
            if axis < 2 && !self.once_in(4) {
                amounts.push((0, 0));
                continue;
            }
            let crop = |draw: &mut Self, most: usize| match draw.once_in(4) {
                true => draw.below(most + 1),
                false => 0,
            };
            // At least one element stays.
            let front = crop(self, (extent - 1) / 2);
            let back = crop(self, (extent - 1) / 2);
            let kept = extent - front - back;
            let most = match border {
                Border::Reflect => kept - 1,
                Border::Circular => kept,
                Border::Constant | Border::Replicate => 5,
            };
            let side = |draw: &mut Self, cropped: usize| match cropped {
                0 => draw.below(most.min(5) + 1) as i64,
                cropped => -(cropped as i64),
            };
            amounts.push((side(self, front), side(self, back)));
        }
        amounts
    }

    /// Ranges (start, stop, step) of a slice; some axes stay whole, some places lie past the ends, and
    /// half of the steps run backwards. Nothing may be left.
    pub fn slice_ranges(&mut self, shape: &[usize]) -> Vec<Option<(i64, i64, i64)>> {
        let range = |draw: &mut Self, extent: usize| {
            let reach = 2 * extent + 3;
            let place = |draw: &mut Self| match draw.below(8) {
                0 => i64::MIN,
                1 => i64::MAX,
                _ => draw.below(reach + 1) as i64 - extent as i64 - 1,
            };
            let (a, b) = (place(draw), place(draw));
            let step = draw.pick(&[1, 1, 2, 3, -1, -1, -2, -3]);
            // Mostly in the direction of the step, so that something is left.
            if (a < b) == (step > 0) || draw.once_in(8) {
                (a, b, step)
            } else {
                (b, a, step)
            }
        };
        let axes = shape.iter();
        axes.map(|&extent| (!self.once_in(3)).then(|| range(self, extent)))
            .collect()
    }

    /// Two shapes that broadcast against each other and a result of `rank` axes: some axes of either have
    /// extent 1, and the leading ones of one of them may be missing.
    pub fn broadcast_shapes(&mut self, rank: usize) -> [Vec<usize>; 2] {
        let whole: Vec<usize> = (0..rank)
            .map(|_| self.pick(&[1, 2, 3, 5, 8, 17, 19]))
            .collect();
        let (mut left, mut right) = (whole.clone(), whole);
        for axis in 0..rank {
            match self.below(5) {
                0 => left[axis] = 1,
                1 | 2 => right[axis] = 1,
                _ => {}
            }
        }
        let missing = self.below(rank + 1);
        if self.once_in(2) && left[..missing].iter().all(|&n| n == 1) {
            left.drain(..missing);
        } else if self.once_in(2) {
            right.drain(..missing);
        }
        if self.once_in(2) {
            [left, right]
        } else {
            [right, left]
        }
    }
}
