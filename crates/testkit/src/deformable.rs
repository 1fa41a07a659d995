//! Deformable convolution, by enumerating every term.
//!
//! A map is sampled between its pixels with *tents*: pixel `r` counts `max(0, 1 − |y − r|)` at place `y`, and
//! the product of two such numbers on two axes is bilinear interpolation with zeros all around the map. So
//! there is no corner to pick and no border to treat. The output is
//! `y[n, o, p] = bias[o] + Σ w[o, i, t] · mask[n, f, t, p] · tent(row) · tent(column) · x[n, i, row, column]`,
//! a sum of products of which every gradient is a scattering.

use crate::ConvCase;
use crate::window::Axis;

/// One deformable problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeformableCase {
    /// The undeformed convolution, two spatial axes.
    pub conv: ConvCase,
    /// Groups of input channels that share their offsets; divides the input channels.
    pub offset_groups: usize,
}

/// What is sampled, and where.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `[batch, in_channels, …input]`
    pub x: &'a [f64],
    /// `[batch, groups · taps · 2, …output_size]`, down before across. NaN moves a sample off the map.
    pub offset: &'a [f64],
    /// `[batch, groups · taps, …output_size]`
    pub mask: Option<&'a [f64]>,
    /// `[out_channels, in_channels / groups, …kernel]`
    pub w: &'a [f64],
}

/// The gradients of all inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// That of the input.
    pub x: Vec<f64>,
    /// That of the offsets; where a sample falls on a pixel, towards below and right.
    pub offset: Vec<f64>,
    /// That of the mask, of one full of ones where there is none.
    pub mask: Vec<f64>,
    /// That of the weights.
    pub w: Vec<f64>,
}

/// How much a pixel counts, and how that changes with the place.
#[derive(Clone, Copy)]
struct Tent {
    pixel: usize,
    height: f64,
    slope: f64,
}

/// Flat indices of one term, and the tents of its row and column.
struct Term {
    output: usize,
    input: usize,
    weight: usize,
    mask: usize,
    /// Of the offset down; that across lies one map further.
    offset: usize,
    row: Tent,
    column: Tent,
}

/// The pixels of an axis whose tents stand over a place or start there.
fn tents(place: f64, pixels: usize) -> Vec<Tent> {
    (0..pixels)
        .map(|pixel| {
            let distance = place - pixel as f64;
            let slope = match distance {
                d if (-1.0..0.0).contains(&d) => 1.0,
                d if (0.0..1.0).contains(&d) => -1.0,
                _ => 0.0,
            };
            // `max` would turn NaN into 0 as well, but not say so.
            let height = if slope == 0.0 {
                0.0
            } else {
                1.0 - distance.abs()
            };
            Tent {
                pixel,
                height,
                slope,
            }
        })
        .filter(|tent| tent.slope != 0.0)
        .collect()
}

impl DeformableCase {
    /// Elements of the offsets.
    #[must_use]
    pub fn offset_len(&self) -> usize {
        2 * self.mask_len()
    }

    /// Elements of the mask.
    #[must_use]
    pub fn mask_len(&self) -> usize {
        self.conv.batch * self.offset_groups * self.taps() * self.map()
    }

    /// The output, with `bias[out_channels]` if given.
    #[must_use]
    pub fn forward(&self, inputs: Inputs<'_>, bias: Option<&[f64]>) -> Vec<f64> {
        let (map, channels) = (self.map(), self.conv.out_channels);
        let mut y: Vec<f64> = (0..self.conv.output_len())
            .map(|index| bias.map_or(0.0, |bias| bias[index / map % channels]))
            .collect();
        self.each_term(inputs, |term| {
            y[term.output] += inputs.w[term.weight]
                * inputs.mask.map_or(1.0, |mask| mask[term.mask])
                * term.row.height
                * term.column.height
                * inputs.x[term.input];
        });
        y
    }

    /// All gradients, given that of the output.
    #[must_use]
    pub fn backward(&self, inputs: Inputs<'_>, dy: &[f64]) -> Gradients {
        let mut gradients = Gradients {
            x: vec![0.0; inputs.x.len()],
            offset: vec![0.0; self.offset_len()],
            mask: vec![0.0; self.mask_len()],
            w: vec![0.0; inputs.w.len()],
        };
        let map = self.map();
        self.each_term(inputs, |term| {
            let (row, column) = (term.row, term.column);
            let (dy, x, w) = (dy[term.output], inputs.x[term.input], inputs.w[term.weight]);
            let mask = inputs.mask.map_or(1.0, |mask| mask[term.mask]);
            let share = row.height * column.height;
            gradients.x[term.input] += dy * w * mask * share;
            gradients.mask[term.mask] += dy * w * share * x;
            gradients.w[term.weight] += dy * mask * share * x;
            gradients.offset[term.offset] += dy * w * mask * row.slope * column.height * x;
            gradients.offset[term.offset + map] += dy * w * mask * row.height * column.slope * x;
        });
        gradients
    }

    fn taps(&self) -> usize {
        self.conv.kernel.iter().product()
    }

    fn map(&self) -> usize {
        self.conv.output_size().iter().product()
    }

    fn axis(&self, axis: usize) -> Axis {
        let conv = &self.conv;
        Axis {
            input: conv.input[axis],
            kernel: conv.kernel[axis],
            stride: conv.stride[axis],
            dilation: conv.dilation[axis],
            before: conv.before[axis],
            after: conv.after[axis],
            ceil: false,
        }
    }

    fn each_term(&self, inputs: Inputs<'_>, mut visit: impl FnMut(Term)) {
        let conv = &self.conv;
        assert_eq!(conv.input.len(), 2, "two spatial axes");
        let (rows, columns) = (self.axis(0), self.axis(1));
        let (tops, lefts) = (rows.starts(), columns.starts());
        let (taps, map) = (self.taps(), self.map());
        assert_eq!(inputs.x.len(), conv.input_len(), "length of x");
        assert_eq!(inputs.w.len(), conv.weight_len(), "length of w");
        assert_eq!(
            inputs.offset.len(),
            self.offset_len(),
            "length of the offsets"
        );
        let (group_inputs, group_outputs) = (
            conv.in_channels / conv.groups,
            conv.out_channels / conv.groups,
        );
        for n in 0..conv.batch {
            for i in 0..conv.in_channels {
                let sharing = i / (conv.in_channels / self.offset_groups);
                for place in 0..map {
                    let (top, left) = (tops[place / lefts.len()], lefts[place % lefts.len()]);
                    for tap in 0..taps {
                        let sample = (n * self.offset_groups + sharing) * taps + tap;
                        let offset = 2 * sample * map + place;
                        let at = |axis: &Axis, start: usize, tap: usize, offset: f64| {
                            (start + tap * axis.dilation) as f64 - axis.before as f64 + offset
                        };
                        let y = at(&rows, top, tap / columns.kernel, inputs.offset[offset]);
                        let x = at(
                            &columns,
                            left,
                            tap % columns.kernel,
                            inputs.offset[offset + map],
                        );
                        let across = tents(x, columns.input);
                        for row in tents(y, rows.input) {
                            for &column in &across {
                                for out in 0..group_outputs {
                                    let o = i / group_inputs * group_outputs + out;
                                    visit(Term {
                                        output: (n * conv.out_channels + o) * map + place,
                                        input: ((n * conv.in_channels + i) * rows.input
                                            + row.pixel)
                                            * columns.input
                                            + column.pixel,
                                        weight: (o * group_inputs + i % group_inputs) * taps + tap,
                                        mask: sample * map + place,
                                        offset,
                                        row,
                                        column,
                                    });
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
