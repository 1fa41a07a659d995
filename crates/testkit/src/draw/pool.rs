//! Pooling problems, drawn as the convolutions are.

use super::{Draw, extent};
use crate::{AdaptiveCase, PoolCase};

/// Channel counts around the vector widths.
const CHANNELS: [usize; 7] = [1, 3, 7, 8, 9, 16, 17];

/// `count` pools, in floor and ceil mode in turn; half of them have two spatial axes, a quarter each one and
/// three.
#[must_use]
pub fn pool_cases(seed: u64, count: usize) -> Vec<PoolCase> {
    let mut draw = Draw::new(seed);
    (0..count)
        .map(|i| draw.pool_case([2, 2, 1, 1, 2, 2, 3, 3][i % 8], i % 2 == 1))
        .collect()
}

/// `count` adaptive pools of one, two and three spatial axes in turn; on every axis there may be fewer bins
/// than cells, as many, or more.
#[must_use]
pub fn adaptive_cases(seed: u64, count: usize) -> Vec<AdaptiveCase> {
    let mut draw = Draw::new(seed);
    (0..count)
        .map(|i| {
            let rank = 1 + i % 3;
            let longest = [40, 13, 7][rank - 1];
            AdaptiveCase {
                batch: draw.pick(&[1, 2]),
                channels: draw.pick(&CHANNELS),
                input: (0..rank).map(|_| 1 + draw.below(longest)).collect(),
                output: (0..rank).map(|_| 1 + draw.below(longest / 2 + 2)).collect(),
            }
        })
        .collect()
}

impl Draw {
    /// A pool with `rank` (1–3) spatial axes that fits at least one window; kernel, stride and dilation differ
    /// from axis to axis, the padding on a side is less than the kernel.
    pub fn pool_case(&mut self, rank: usize, ceil: bool) -> PoolCase {
        let kernel = self.distinct(&[1, 2, 3, 4, 5], rank);
        let stride = self.distinct(&[1, 2, 3, 4], rank);
        let dilation = if self.once_in(3) {
            self.distinct(&[1, 2, 3], rank)
        } else {
            vec![1; rank]
        };
        let (mut input, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for axis in 0..rank {
            let outputs = 1 + self.below(5);
            let extent = extent(kernel[axis], dilation[axis]);
            let (n, b, a) = self.axis(extent, stride[axis], outputs, false, kernel[axis] - 1);
            input.push(n);
            before.push(b);
            after.push(a);
        }
        PoolCase {
            batch: self.pick(&[1, 2]),
            channels: self.pick(&CHANNELS),
            input,
            kernel,
            stride,
            dilation,
            before,
            after,
            ceil,
        }
    }
}
