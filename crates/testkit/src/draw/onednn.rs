//! Small convolutions spelled in oneDNN's notation, in the many ways it allows.

use super::{Draw, extent};
use crate::ConvCase;
use crate::window::Axis;

/// Channels around the vector widths of 8, 16 and 32 floats.
const CHANNELS: [usize; 12] = [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 48];

/// The most products of a problem: thousands of them are to be checked in seconds.
const MOST_PRODUCTS: usize = 40_000;

/// `count` different spellings, each with the convolution it means: unequal kernels, strides, dilations and
/// paddings, groups and depthwise ones among them; half have two spatial axes, a quarter each one and three.
#[must_use]
pub fn onednn_cases(seed: u64, count: usize) -> Vec<(String, ConvCase)> {
    let mut draw = Draw::new(seed);
    let mut seen = std::collections::HashSet::new();
    let mut cases = Vec::with_capacity(count);
    while cases.len() < count {
        let case = draw.onednn_case([2, 1, 2, 3][cases.len() % 4]);
        let text = draw.onednn_text(&case);
        if seen.insert(text.clone()) {
            cases.push((text, case));
        }
    }
    cases
}

impl Draw {
    /// A small convolution with `rank` (1–3) spatial axes that fits at least one window.
    pub fn onednn_case(&mut self, rank: usize) -> ConvCase {
        loop {
            let case = self.any_onednn_case(rank);
            let taps: usize = case.kernel.iter().product();
            let per_output = case.in_channels / case.groups * taps;
            if case.output_len() * per_output <= MOST_PRODUCTS {
                return case;
            }
        }
    }

    fn any_onednn_case(&mut self, rank: usize) -> ConvCase {
        let (in_channels, out_channels, groups) = match self.below(6) {
            0 => {
                let channels = self.pick(&CHANNELS[1..]);
                (channels, channels, channels)
            }
            1 => {
                let channels = self.pick(&CHANNELS[1..6]);
                (channels, channels * self.pick(&[2, 3]), channels)
            }
            2 => {
                let groups = self.pick(&[2, 3, 4]);
                let (i, o) = (self.pick(&CHANNELS[..8]), self.pick(&CHANNELS[..8]));
                (groups * i, groups * o, groups)
            }
            _ => (self.pick(&CHANNELS), self.pick(&CHANNELS), 1),
        };
        // A square every other time, so that its short spelling comes up.
        let square = self.once_in(2);
        let each = |draw: &mut Self, choices: &[usize]| {
            let one = draw.pick(choices);
            (0..rank)
                .map(|_| if square { one } else { draw.pick(choices) })
                .collect::<Vec<_>>()
        };
        let kernel = each(self, &[1, 1, 2, 3, 3, 4, 5, 7]);
        let stride = each(self, &[1, 1, 2, 3]);
        let dilation = each(self, &[1, 1, 1, 2, 3]);
        let (mut input, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for axis in 0..rank {
            if square && axis > 0 {
                for list in [&mut input, &mut before, &mut after] {
                    list.push(list[0]);
                }
                continue;
            }
            let extent = extent(kernel[axis], dilation[axis]);
            let outputs = 1 + self.below(5);
            let short = self.once_in(5);
            let (n, b, a) = self.axis(extent, stride[axis], outputs, short, extent - 1);
            input.push(n);
            before.push(b);
            after.push(a);
        }
        ConvCase {
            batch: self.pick(&[1, 2, 2, 3]),
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

    /// One of the spellings of a convolution: what has a default may be left out, one letter may stand for
    /// all axes of a square, and underscores and a name come and go.
    pub fn onednn_text(&mut self, case: &ConvCase) -> String {
        let rank = case.input.len();
        let letters = &["d", "h", "w"][3 - rank..];
        let lists = [
            &case.input,
            &case.kernel,
            &case.stride,
            &case.dilation,
            &case.before,
            &case.output_size(),
        ];
        let alike = lists
            .iter()
            .all(|list| list.iter().all(|&value| value == list[0]));
        let named = if alike && self.once_in(2) { 1 } else { rank };

        // What follows from the rest: the output from equal padding, the padding from the output.
        let (mut output_follows, mut padding_follows) = (true, true);
        for axis in 0..rank {
            let equal = Axis {
                input: case.input[axis],
                kernel: case.kernel[axis],
                stride: case.stride[axis],
                dilation: case.dilation[axis],
                before: case.before[axis],
                after: case.before[axis],
                ceil: false,
            };
            let outputs = case.output_size()[axis];
            output_follows &= equal.starts().len() == outputs;
            let reach = (outputs - 1) * equal.stride + extent(equal.kernel, equal.dilation);
            padding_follows &= reach.saturating_sub(equal.input) / 2 == equal.before;
        }
        let output = !(output_follows && self.once_in(2));
        let padding = !(output && padding_follows && self.once_in(2));
        let all = |list: &[usize], value: usize| list.iter().all(|&other| other == value);
        let padding = padding && !(all(&case.before, 0) && !output && self.once_in(2));
        let stride = !(all(&case.stride, 1) && self.once_in(2));
        let dilation = !(all(&case.dilation, 1) && self.once_in(2));

        let joint = if self.once_in(2) { "_" } else { "" };
        let mut text = String::new();
        if case.groups != 1 || self.once_in(3) {
            text += &format!("g{}", case.groups);
        }
        if case.batch != 2 || self.once_in(3) {
            text += &format!("mb{}", case.batch);
        }
        text += &format!("{joint}ic{}oc{}", case.in_channels, case.out_channels);
        let output_size = case.output_size();
        let from_zero: Vec<usize> = case.dilation.iter().map(|d| d - 1).collect();
        let mut sizes = vec![("i", &case.input), ("k", &case.kernel)];
        for (key, list, given) in [
            ("o", &output_size, output),
            ("s", &case.stride, stride),
            ("p", &case.before, padding),
            ("d", &from_zero, dilation),
        ] {
            if given {
                sizes.push((key, list));
            }
        }
        if self.once_in(2) {
            // By size, as the canonical form is.
            for (key, list) in sizes {
                text += joint;
                for (letter, value) in letters.iter().zip(list).take(named) {
                    text += &format!("{key}{letter}{value}");
                }
            }
        } else {
            // By axis.
            for (axis, letter) in letters.iter().enumerate().take(named) {
                text += joint;
                for (key, list) in &sizes {
                    text += &format!("{key}{letter}{}", list[axis]);
                }
            }
        }
        if self.once_in(3) {
            text += &format!("{joint}n\"shrunk:{}\"", self.below(1000));
        }
        text
    }
}
