//! The part of a layer that is drawn where the whole is too large for a page: one map around one of its neurons.
//!
//! The part is a problem of its own with the same windows. Its padding is what of the layer's own padding they lie on, so
//! that every number is the layer's. Of many input channels those are drawn that say most to the neuron; what the others add
//! is a term of its own.

use figures::arithmetic::LONGEST_SIDE;
use geometry::{ConvDesc, InputShape, Padding, PaddingMode, PoolDesc, Problem, Window};
use tensor::Tensor;

use crate::op::Array;

/// Placements of the window along an axis.
const PLACEMENTS: usize = 3;
/// Input channels that are drawn.
const CHANNELS: usize = 3;

/// A neuron of a layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neuron {
    /// Its map.
    pub(super) channel: usize,
    /// Row and column there.
    pub(super) at: [usize; 2],
}

/// What is drawn of a layer.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) problem: Problem,
    pub(super) arrays: Vec<(Array, Tensor<f64>)>,
    /// Rows and columns of the map: the first one, and how many.
    pub(super) places: [[usize; 2]; 2],
    /// The input channels that are drawn, of how many that the map reads.
    pub(super) channels: (Vec<usize>, usize),
    /// What the others add to each element that is drawn.
    pub(super) rest: Option<Tensor<f64>>,
}

/// The part around a neuron; nothing of what is no convolution or pool over planes.
///
/// # Errors
/// A problem that cannot be resolved, or a lack of memory.
pub(super) fn around(
    problem: &Problem,
    arrays: &[(Array, Tensor<f64>)],
    neuron: Neuron,
) -> anyhow::Result<Option<Part>> {
    let of = |wanted| {
        let found = arrays.iter().find(|(array, _)| *array == wanted);
        found.map(|(_, tensor)| tensor)
    };
    match (problem, of(Array::Input), of(Array::Weight)) {
        (Problem::Conv(shape, desc), Some(input), Some(weight)) if shape.dims.len() == 4 => {
            conv(shape, desc, [input, weight], of(Array::Bias), neuron).map(Some)
        }
        (Problem::Pool(shape, desc), Some(input), _) if shape.dims.len() == 4 => {
            pool(shape, desc, input, neuron).map(Some)
        }
        _ => Ok(None),
    }
}

fn conv(
    shape: &InputShape,
    desc: &ConvDesc,
    [input, weight]: [&Tensor<f64>; 2],
    bias: Option<&Tensor<f64>>,
    Neuron { channel, at }: Neuron,
) -> anyhow::Result<Part> {
    let geometry = desc.resolve(&shape.dims)?;
    let [_, down, across] = geometry.windows;
    let mode = desc.padding_mode;
    let [rows, columns] =
        [(&down, at[0]), (&across, at[1])].map(|(window, at)| Span::around(window, at, mode));
    let reads = geometry.in_channels_per_group();
    let first = channel / geometry.out_channels_per_group() * reads;
    let taps = down.kernel * across.kernel;
    let kernel = |place: usize| &weight.data()[(channel * reads + place) * taps..][..taps];
    let adds = |place: usize, at: [usize; 2]| -> f64 {
        let source = |window: &Window, at: usize, tap: usize| {
            let position = window.position(at, tap) as isize - window.before as isize;
            mode.source(window.input, position)
        };
        let terms = kernel(place).iter().enumerate().map(|(tap, weight)| {
            let row = source(&down, at[0], tap / across.kernel);
            let column = source(&across, at[1], tap % across.kernel);
            let value = row.zip(column).map(|(row, column)| {
                input.data()[((first + place) * down.input + row) * across.input + column]
            });
            weight * value.unwrap_or(0.0)
        });
        terms.sum()
    };
    let mut channels: Vec<usize> = (0..reads).collect();
    let mut rest = None;
    if reads > CHANNELS {
        let said: Vec<f64> = channels
            .iter()
            .map(|&place| adds(place, at).abs())
            .collect();
        channels.sort_by(|&a, &b| said[b].total_cmp(&said[a]));
        let others = channels.split_off(CHANNELS);
        channels.sort_unstable();
        let drawn = [rows.places, columns.places];
        let sums = each(drawn).map(|at| others.iter().map(|&place| adds(place, at)).sum());
        let sums: Vec<f64> = sums.collect();
        let dims = [1, 1, rows.places[1], columns.places[1]];
        rest = Some(Tensor::from_slice(&dims, &sums)?);
    }
    let kernels: Vec<f64> = channels
        .iter()
        .flat_map(|&place| kernel(place).iter().copied())
        .collect();
    let inputs: Vec<usize> = channels.iter().map(|place| first + place).collect();
    let cut = cut(input, &inputs, &rows, &columns)?;
    let part = ConvDesc::new(1, [down.kernel, across.kernel])
        .stride([down.stride, across.stride])
        .dilation([down.dilation, across.dilation])
        .padding(padding([&rows, &columns]));
    let dims = [1, channels.len(), down.kernel, across.kernel];
    let mut arrays = vec![(Array::Weight, Tensor::from_slice(&dims, &kernels)?)];
    if let Some(bias) = bias {
        let own = Tensor::from_slice(&[1], &bias.data()[channel..=channel])?;
        arrays.push((Array::Bias, own));
    }
    let shape = InputShape::new(cut.dims())?;
    arrays.push((Array::Input, cut));
    Ok(Part {
        problem: Problem::Conv(shape, part),
        arrays,
        places: [rows.places, columns.places],
        channels: (inputs, reads),
        rest,
    })
}

fn pool(
    shape: &InputShape,
    desc: &PoolDesc,
    input: &Tensor<f64>,
    Neuron { channel, at }: Neuron,
) -> anyhow::Result<Part> {
    let geometry = desc.resolve(&shape.dims)?;
    let [_, down, across] = geometry.windows;
    let [rows, columns] = [(&down, at[0]), (&across, at[1])]
        .map(|(window, at)| Span::around(window, at, PaddingMode::Zeros));
    let cut = cut(input, &[channel], &rows, &columns)?;
    let part = PoolDesc {
        padding: padding([&rows, &columns]),
        ceil: rows.hangs_over || columns.hangs_over,
        ..desc.clone()
    };
    Ok(Part {
        problem: Problem::Pool(InputShape::new(cut.dims())?, part),
        arrays: vec![(Array::Input, cut)],
        places: [rows.places, columns.places],
        channels: (vec![channel], 1),
        rest: None,
    })
}

/// Every place of some rows and columns: the first one of each, and how many.
fn each([[top, down], [left, across]]: [[usize; 2]; 2]) -> impl Iterator<Item = [usize; 2]> {
    (0..down * across).map(move |place| [top + place / across, left + place % across])
}

/// A few placements of a window along an axis, and what they lie on.
struct Span {
    /// The first placement, and how many.
    places: [usize; 2],
    /// Elements of the axis, in the order in which they lie there.
    sources: Vec<usize>,
    /// Padding before and behind them.
    padding: (usize, usize),
    /// The last placement hangs over the padding, as it may in ceil mode.
    hangs_over: bool,
}

impl Span {
    /// Placements around one, as many as a page has room for.
    fn around(window: &Window, at: usize, mode: PaddingMode) -> Self {
        let extent = window.effective_kernel();
        let fitting = 1 + LONGEST_SIDE.saturating_sub(extent) / window.stride;
        let count = PLACEMENTS.min(fitting).min(window.output);
        let first = at.saturating_sub(count / 2).min(window.output - count);
        let hangs_over = first + count == window.output && window.overhang() > 0;
        // On the padded axis.
        let begin = first * window.stride;
        let end = match hangs_over {
            true => window.padded(),
            false => begin + (count.max(1) - 1) * window.stride + extent,
        };
        let own = window.before..window.before + window.input;
        let (sources, padding) = match mode {
            PaddingMode::Zeros => (
                (begin.max(own.start)..end.min(own.end))
                    .map(|place| place - own.start)
                    .collect(),
                (own.start.saturating_sub(begin), end.saturating_sub(own.end)),
            ),
            // What such padding holds is taken from the input, and lies here as if it were of it.
            mode => (
                (begin..end)
                    .filter_map(|place| {
                        mode.source(window.input, place as isize - own.start as isize)
                    })
                    .collect(),
                (0, 0),
            ),
        };
        Self {
            places: [first, count],
            sources,
            padding,
            hangs_over,
        }
    }
}

/// What is padded of rows and columns.
fn padding(spans: [&Span; 2]) -> Padding {
    let amounts = spans.map(|span| span.padding);
    match amounts == [(0, 0); 2] {
        true => Padding::Valid,
        false => Padding::Explicit(amounts.to_vec()),
    }
}

/// Some rows and columns of some channels of the first image.
fn cut(
    input: &Tensor<f64>,
    channels: &[usize],
    rows: &Span,
    columns: &Span,
) -> anyhow::Result<Tensor<f64>> {
    let (height, width) = (input.dims()[2], input.dims()[3]);
    let mut values = Vec::new();
    for channel in channels {
        for row in &rows.sources {
            let row = &input.data()[(channel * height + row) * width..][..width];
            values.extend(columns.sources.iter().map(|&column| row[column]));
        }
    }
    let dims = [1, channels.len(), rows.sources.len(), columns.sources.len()];
    Ok(Tensor::from_slice(&dims, &values)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernels::Team;
    use runtime::eager::Given;
    use runtime::{Eager, RuntimeOptions};

    use super::*;
    use crate::op::{Asked, Direction, Operator};

    fn numbers(dims: &[usize]) -> Tensor<f64> {
        let mut tensor = Tensor::zeros(dims).unwrap();
        for (place, value) in tensor.data_mut().iter_mut().enumerate() {
            *value = ((place * 37 + 11) % 19) as f64 - 9.0;
        }
        tensor
    }

    /// What the operator makes of a problem.
    fn made(problem: &Problem, arrays: &[(Array, Tensor<f64>)]) -> Tensor<f64> {
        let eager = Eager::with_team(RuntimeOptions::default(), Arc::new(Team::new(1).unwrap()));
        let asked = Asked {
            bias: arrays.iter().any(|(array, _)| *array == Array::Bias),
            ..Asked::default()
        };
        let operator = Operator::new(problem, Direction::Forward, asked).unwrap();
        let given: Vec<_> = operator
            .reads
            .iter()
            .map(|wanted| {
                let found = arrays.iter().find(|(array, _)| Some(*array) == *wanted);
                found.map(|(_, tensor)| Given::Real(tensor))
            })
            .collect();
        eager.run(operator.graph, &given).unwrap().remove(0).real()
    }

    /// Numbers of a part are those of the whole.
    #[track_caller]
    fn same(problem: &str, dims: &[(Array, &[usize])]) {
        let problem: Problem = problem.parse().unwrap();
        let arrays: Vec<_> = dims
            .iter()
            .map(|&(array, dims)| (array, numbers(dims)))
            .collect();
        let whole = made(&problem, &arrays);
        let [channels, height, width] = [1, 2, 3].map(|axis| whole.dims()[axis]);
        for (channel, row, column) in [
            (0, 0, 0),
            (channels - 1, height / 2, width / 2),
            (channels / 2, height - 1, 0),
            (0, height - 1, width - 1),
        ] {
            let at = [row, column];
            let part = around(&problem, &arrays, Neuron { channel, at })
                .unwrap()
                .unwrap();
            let [rows, columns] = part.places;
            assert!((rows[0]..rows[0] + rows[1]).contains(&row));
            let mut drawn = made(&part.problem, &part.arrays);
            if let Some(rest) = &part.rest {
                for (to, from) in drawn.data_mut().iter_mut().zip(rest.data()) {
                    *to += from;
                }
            }
            assert_eq!(
                drawn.dims(),
                [1, 1, rows[1], columns[1]],
                "{}",
                part.problem
            );
            for (place, value) in drawn.data().iter().enumerate() {
                let (y, x) = (
                    rows[0] + place / columns[1],
                    columns[0] + place % columns[1],
                );
                let own = whole.data()[(channel * height + y) * width + x];
                assert_eq!(*value, own, "{problem} {channel} {y},{x}: {}", part.problem);
            }
        }
    }

    #[test]
    fn the_numbers_of_a_part_are_those_of_the_layer() {
        use Array::{Bias, Input, Weight};
        let input = &[1, 3, 20, 17][..];
        let weight = &[5, 3, 7, 7][..];
        let conv = [(Input, input), (Weight, weight), (Bias, &[5][..])];
        same("conv:n1c3h20w17:o5k7s2p3", &conv);
        same("conv:n1c3h20w17:o5k7p3d2", &conv[..2]);
        // Of many channels most are summed, those of a group and of padding too.
        let many = [
            (Input, &[1, 8, 9, 7][..]),
            (Weight, &[4, 8, 3, 3][..]),
            (Bias, &[4][..]),
        ];
        same("conv:n1c8h9w7:o4k3s2p1", &many);
        same("conv:n1c8h9w7:o4k3p1,reflect", &many[..2]);
        let grouped = [(Input, &[1, 10, 6, 6][..]), (Weight, &[4, 5, 1, 1][..])];
        same("conv:n1c10h6w6:o4k1g2", &grouped);
        let around = [(Input, &[1, 2, 9, 9][..]), (Weight, &[2, 1, 3, 3][..])];
        same("conv:n1c2h9w9:o2k3p1g2,circular", &around);
        let patches = [(Input, &[1, 3, 64, 64][..]), (Weight, &[4, 3, 16, 16][..])];
        same("conv:n1c3h64w64:o4k16s16", &patches);
        let pooled = [(Input, &[1, 4, 12, 14][..])];
        for pool in [
            "pool-max:n1c4h12w14:k3s2p1",
            "pool-max:n1c4h12w14:k3s2,ceil",
        ] {
            same(pool, &pooled);
        }
        for pool in [
            "pool-avg:n1c4h12w14:k3s2p1,ceil",
            "pool-avg:n1c4h12w14:k3s2p1,ceil,nopad",
        ] {
            same(pool, &pooled);
        }
    }

    /// Of many channels those are drawn that say most to the neuron.
    #[test]
    fn channels_that_say_most_are_drawn() {
        let problem: Problem = "conv:n1c8h9w9:o2k1".parse().unwrap();
        let mut weight = Tensor::zeros(&[2, 8, 1, 1]).unwrap();
        weight.data_mut()[8..].copy_from_slice(&[0.0, 5.0, 0.0, -9.0, 1.0, 0.0, 7.0, 2.0]);
        let input = Tensor::from_slice(&[1, 8, 9, 9], &[1.0; 648]).unwrap();
        let arrays = [(Array::Input, input), (Array::Weight, weight)];
        let neuron = Neuron {
            channel: 1,
            at: [4, 4],
        };
        let part = around(&problem, &arrays, neuron).unwrap().unwrap();
        assert_eq!(part.channels, (vec![1, 3, 6], 8));
        assert_eq!(part.problem.to_string(), "conv:n1c3h3w3:o1k1");
        assert_eq!(made(&part.problem, &part.arrays).data(), [3.0; 9]);
        assert_eq!(part.rest.unwrap().data(), [3.0; 9]);
    }
}
