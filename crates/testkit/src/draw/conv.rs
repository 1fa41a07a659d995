//! Convolution problems that find mistakes: bugs escape because tests use square, equal parameters.

use super::{Draw, extent};
use crate::ConvCase;

/// Channel counts around the vector widths of 8 and 16 floats, where tails go wrong.
const CHANNELS: [usize; 10] = [1, 3, 7, 8, 9, 15, 16, 17, 31, 33];

/// The most products a drawn case has, so that the oracle answers in milliseconds.
const MOST_PRODUCTS: usize = 600_000;

/// What a drawn convolution is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// As networks have them: one odd kernel, stride 1 or 2, "same" padding, one group.
    Layer,
    /// One group; kernel, stride and dilation different on every axis, padding different on every side.
    Dense,
    /// 1×1 kernels, strided or not: matrix products in disguise.
    Pointwise,
    /// Several groups of several channels, with a stride on some axis.
    Grouped,
    /// One input channel a group, with a channel multiplier of 1 or 2, and a stride on some axis.
    Depthwise,
    /// An image smaller than the dilated kernel, which fits thanks to the padding.
    Short,
    /// Maps of one or two cells.
    Tiny,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 7] = [
        Self::Layer,
        Self::Dense,
        Self::Pointwise,
        Self::Grouped,
        Self::Depthwise,
        Self::Short,
        Self::Tiny,
    ];
}

/// `count` convolutions, every family in turn; half of them have two spatial axes, a quarter each one and three.
#[must_use]
pub fn conv_cases(seed: u64, count: usize) -> Vec<ConvCase> {
    let mut draw = Draw::new(seed);
    (0..count)
        .map(|i| {
            let family = Family::ALL[i % Family::ALL.len()];
            // Seven families and four ranks: coprime, so that every pair of them comes up.
            draw.conv_case(family, [2, 1, 2, 3][i % 4])
        })
        .collect()
}

impl Draw {
    /// A convolution of `family` with `rank` (1–3) spatial axes that fits at least one window.
    pub fn conv_case(&mut self, family: Family, rank: usize) -> ConvCase {
        loop {
            let case = self.any_conv_case(family, rank);
            let taps: usize = case.kernel.iter().product();
            let per_output = case.in_channels / case.groups * taps;
            if case.output_len() * per_output <= MOST_PRODUCTS {
                return case;
            }
        }
    }

    fn any_conv_case(&mut self, family: Family, rank: usize) -> ConvCase {
        let (in_channels, out_channels, groups) = self.conv_channels(family);
        let strided = matches!(family, Family::Grouped | Family::Depthwise);
        let (kernel, stride, dilation) = match family {
            Family::Layer => (
                vec![self.pick(&[1, 3, 5, 7]); rank],
                vec![self.pick(&[1, 1, 2]); rank],
                vec![1; rank],
            ),
            Family::Pointwise => (
                vec![1; rank],
                self.distinct(&[1, 2, 3], rank),
                vec![1; rank],
            ),
            _ => (
                self.distinct(&[1, 2, 3, 4, 5, 7], rank),
                self.distinct(if strided { &[2, 3, 4] } else { &[1, 2, 3, 4] }, rank),
                self.distinct(&[1, 2, 3], rank),
            ),
        };
        let (mut input, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for axis in 0..rank {
            let outputs = 1 + self.below(if family == Family::Tiny { 2 } else { 6 });
            let extent = extent(kernel[axis], dilation[axis]);
            if family == Family::Layer {
                input.push((outputs - 1) * stride[axis] + 1 + self.below(stride[axis]));
                before.push(extent / 2);
                after.push(extent / 2);
                continue;
            }
            let short = matches!(family, Family::Short | Family::Tiny);
            let (n, b, a) = self.axis(extent, stride[axis], outputs, short, kernel[axis]);
            input.push(n);
            before.push(b);
            after.push(a);
        }
        ConvCase {
            batch: self.pick(&[1, 1, 2, 3]),
            in_channels,
            out_channels,
            groups,
            input,
            kernel,
            stride,
            dilation,
            before,
            after,
        }
    }

    /// (input channels, output channels, groups).
    fn conv_channels(&mut self, family: Family) -> (usize, usize, usize) {
        match family {
            Family::Grouped => {
                let groups = self.pick(&[2, 3, 4]);
                let (i, o) = (self.pick(&CHANNELS[1..8]), self.pick(&CHANNELS[..8]));
                (groups * i, groups * o, groups)
            }
            Family::Depthwise => {
                let groups = self.pick(&CHANNELS[1..]);
                (groups, groups * self.pick(&[1, 1, 2]), groups)
            }
            _ => (self.pick(&CHANNELS), self.pick(&CHANNELS), 1),
        }
    }
}
