//! Transposed convolutions that find mistakes.

use super::Draw;
use crate::TransposedCase;

/// The most products a drawn case has.
const MOST_PRODUCTS: usize = 300_000;

/// `count` transposed convolutions; half of them have two spatial axes, a quarter each one and three. Kernel,
/// stride and dilation differ from axis to axis, padding from side to side; kernels below the stride, padding
/// beyond the kernel and output padding beyond the stride all come up.
#[must_use]
pub fn transposed_cases(seed: u64, count: usize) -> Vec<TransposedCase> {
    let mut draw = Draw::new(seed);
    (0..count)
        .map(|i| {
            let rank = [2, 1, 2, 3][i % 4];
            loop {
                let case = draw.transposed_case(rank);
                let fits = |axis| case.canvas(axis) > case.before[axis] + case.after[axis];
                if (0..rank).all(fits) && case.weight_len() * cells(&case) <= MOST_PRODUCTS {
                    return case;
                }
            }
        })
        .collect()
}

fn cells(case: &TransposedCase) -> usize {
    case.batch * case.input.iter().product::<usize>()
}

impl Draw {
    fn transposed_case(&mut self, rank: usize) -> TransposedCase {
        let groups = self.pick(&[1, 1, 2, 3]);
        let kernel = self.distinct(&[1, 2, 3, 4, 5], rank);
        let stride = self.distinct(&[1, 2, 3, 4], rank);
        let dilation = self.distinct(&[1, 2, 3], rank);
        let mut case = TransposedCase {
            batch: self.pick(&[1, 2, 3]),
            in_channels: groups * self.pick(&[1, 2, 7, 9, 17]),
            out_channels: groups * self.pick(&[1, 3, 8, 15, 16]),
            groups,
            input: (0..rank).map(|_| 1 + self.below(6)).collect(),
            before: Vec::new(),
            after: Vec::new(),
            output_padding: Vec::new(),
            kernel,
            stride,
            dilation,
        };
        for axis in 0..rank {
            let reach = (case.kernel[axis] - 1) * case.dilation[axis];
            case.before.push(self.below(reach + 3));
            case.after.push(self.below(reach + 3));
            let bound = case.stride[axis].max(case.dilation[axis]);
            case.output_padding.push(self.below(bound));
        }
        case
    }
}
