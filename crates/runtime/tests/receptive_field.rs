//! The pixels that a neuron is said to see, against those that its gradient reaches.
//!
//! With positive weights and averages for maxima nothing cancels: the gradient of one neuron is positive
//! exactly on what it sees.

use geometry::{
    ConvDesc, PadDesc, PadMode, Padding, PaddingMode, PoolDesc, ResizeCoordinates, ResizeDesc,
    SliceDesc, TransposedDesc,
};
use graph::{
    Graph, GraphError, NetworkBuilder, Neuron, NormOp, Op, ReceptiveFields, Resizing, TransposedOp,
    ValueId, pullback, receptive_fields,
};
use runtime::{Evaluation, Run};
use testkit::Draw;

/// Layers of a drawn network.
const LAYERS: usize = 30;
/// The largest map that is drawn.
const LARGEST: usize = 26;

fn pair(draw: &mut Draw, bound: usize, least: usize) -> [usize; 2] {
    [least + draw.below(bound), least + draw.below(bound)]
}

fn drawn_conv(draw: &mut Draw, channels: usize, plain: bool) -> ConvDesc {
    let groups = draw.pick(&[1, 1, 2, channels]);
    let groups = if channels.is_multiple_of(groups) {
        groups
    } else {
        1
    };
    let sides = [draw.below(3), draw.below(3), draw.below(3), draw.below(3)];
    let padding = draw.pick(&[0, 1, 2, 3]);
    ConvDesc::new(groups * (1 + draw.below(2)), pair(draw, 3, 1))
        .stride(pair(draw, 2, 1))
        .dilation(pair(draw, 2, 1))
        .groups(groups)
        .padding(match padding {
            0 => Padding::Same,
            1 => Padding::SameLower,
            2 => Padding::Valid,
            _ => Padding::Explicit(vec![(sides[0], sides[1]), (sides[2], sides[3])]),
        })
        .padding_mode(match plain {
            true => PaddingMode::Zeros,
            false => draw.pick(&PaddingMode::ALL),
        })
}

/// A layer on `x`, and on `others` where it joins. A plain one reads nothing for what lies outside of its
/// input.
fn layer(
    net: &mut NetworkBuilder,
    draw: &mut Draw,
    name: &str,
    x: ValueId,
    others: &[ValueId],
    plain: bool,
) -> Result<ValueId, GraphError> {
    let shape = net.shape(x)?.to_vec();
    let [_, channels, height, width] = shape[..] else {
        return Ok(x);
    };
    let alike = |net: &NetworkBuilder, from: usize| -> Vec<ValueId> {
        let fits = |&&other: &&ValueId| net.shape(other).is_ok_and(|s| s[from..] == shape[from..]);
        others.iter().filter(fits).copied().collect()
    };
    match draw.below(16) {
        0..=3 => {
            let desc = drawn_conv(draw, channels, plain);
            net.conv(name, x, desc, draw.once_in(2))
        }
        4 | 5 => {
            let conv = ConvDesc::new(1 + draw.below(3), pair(draw, 4, 1))
                .stride(pair(draw, 3, 1))
                .dilation(pair(draw, 2, 1))
                .padding(draw.below(2));
            let desc = TransposedDesc::new(conv).output_padding(draw.below(2));
            net.conv_transposed(name, x, desc, draw.once_in(2))
        }
        6 | 7 => {
            let desc = PoolDesc::average(pair(draw, 3, 1))
                .stride(pair(draw, 3, 1))
                .padding(draw.below(2))
                .ceil(draw.once_in(2));
            net.average_pool(name, x, desc)
        }
        8 | 9 => {
            let other = draw.pick(&alike(net, 1));
            net.add(x, other)
        }
        10 => {
            let other = draw.pick(&alike(net, 2));
            net.concat(&[x, other])
        }
        11 => {
            let amounts = [0; 4].map(|_| draw.below(4) as i64 - 1);
            let mode = match plain {
                true => PadMode::Constant,
                false => draw.pick(&PadMode::ALL),
            };
            let desc =
                PadDesc::spatial(mode, &[(amounts[0], amounts[1]), (amounts[2], amounts[3])]);
            net.pad(x, desc, 0.0)
        }
        12 => {
            let (start, step) = (draw.below(3) as i64, draw.pick(&[1, 2, -1, -2]));
            let (first, last) = match step > 0 {
                true => (start, i64::MAX),
                false => (-1 - start, i64::MIN),
            };
            net.slice(
                x,
                SliceDesc::new().axis(draw.pick(&[2, 3]), first, last, step),
            )
        }
        13 => {
            let size = [height, width].map(|n| (n * (1 + draw.below(4))).div_ceil(2));
            let desc = match draw.below(3) {
                0 => ResizeDesc::nearest(size),
                1 => ResizeDesc::linear(size),
                _ => ResizeDesc::linear(size).antialias(),
            };
            let rule = match plain {
                true => desc.coordinates,
                false => draw.pick(&[
                    ResizeCoordinates::HalfPixel,
                    ResizeCoordinates::AlignCorners,
                    ResizeCoordinates::Asymmetric,
                ]),
            };
            net.resize(x, Resizing::from(desc.coordinates(rule)))
        }
        14 if channels > 1 => {
            let count = 1 + draw.below(channels);
            let start = draw.below(channels - count + 1);
            let desc = SliceDesc::new().axis(1, start as i64, (start + count) as i64, 1);
            net.slice(x, desc)
        }
        14 => net.adaptive_average_pool(name, x, pair(draw, 6, 1)),
        _ if channels > 1 => net.channel_shuffle(x, channels),
        _ => net.permute(x, &[0, 1, 3, 2]),
    }
}

/// Whether the network of a seed reads nothing for what lies outside of its maps.
fn is_plain(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

/// A network of thirty layers, each on a value drawn among those before it.
fn draw_network(seed: u64) -> (Graph, Vec<ValueId>) {
    let mut draw = Draw::new(seed);
    let size = pair(&mut draw, 10, 8);
    let mut net = NetworkBuilder::new(&format!("random {seed}"), [1, 2, size[0], size[1]]);
    let mut values = vec![net.input()];
    while values.len() <= LAYERS {
        // The latest value more often than the others, so that networks grow deep.
        let newest = values[values.len() - 1];
        let x = if draw.once_in(3) {
            draw.pick(&values)
        } else {
            newest
        };
        // What cannot be, or grows too large, is drawn again, on what is there.
        let mut grown = net.clone();
        let name = format!("layer{}", values.len());
        let Ok(y) = layer(&mut grown, &mut draw, &name, x, &values, is_plain(seed)) else {
            continue;
        };
        let shape = grown.shape(y).unwrap();
        if shape[1] <= 8 && shape[2..].iter().all(|&n| (1..=LARGEST).contains(&n)) {
            net = grown;
            values.push(y);
        }
    }
    (net.finish(values[LAYERS]).unwrap(), values)
}

/// Where the gradient of the neurons of all channels at a place is not 0, pixel by pixel; `space` are the axes of rows and
/// columns, of the value and of the image.
fn support(
    network: &Graph,
    value: ValueId,
    at: [usize; 2],
    space: [[usize; 2]; 2],
    draw: &mut Draw,
) -> Vec<bool> {
    let image = network.inputs[0];
    let grown = pullback(network, value, &[image]).unwrap();
    let mut evaluation = Evaluation::new(&grown).unwrap();
    let mut positive = |len: usize| -> Vec<f64> {
        (0..len)
            .map(|_| 0.5 + f64::from(draw.bits() >> 8) / f64::from(1 << 24))
            .collect()
    };
    let parameters: Vec<_> = grown
        .parameters()
        .map(|(id, value)| (id, value.shape.clone()))
        .collect();
    for (id, shape) in parameters {
        evaluation.set(id, &positive(shape.iter().product()));
    }
    let shape = network.value(image).shape.clone();
    evaluation.set(image, &positive(shape.iter().product()));
    let map = network.value(value).shape.clone();
    let upstream: Vec<f64> = (0..map.iter().product())
        .map(|element| f64::from(u8::from(place(element, &map, space[0]) == at)))
        .collect();
    evaluation.set(grown.inputs[1], &upstream);
    evaluation.run(Run::default());
    let gradient = evaluation.value(*grown.outputs.last().unwrap());
    let [height, width] = space[1].map(|axis| shape[axis]);
    let mut seen = vec![false; height * width];
    for (element, _) in gradient.iter().enumerate().filter(|&(_, &g)| g != 0.0) {
        let [row, column] = place(element, &shape, space[1]);
        seen[row * width + column] = true;
    }
    seen
}

/// Row and column of an element.
fn place(element: usize, shape: &[usize], space: [usize; 2]) -> [usize; 2] {
    space.map(|axis| element / shape[axis + 1..].iter().product::<usize>() % shape[axis])
}

/// No pixel may lie outside the lines that the field of its layer draws. Gives how many axes could be
/// checked.
fn must_hold(fields: &ReceptiveFields, layer: &str, neuron: &Neuron, at: [usize; 2]) -> usize {
    let mut checked = 0;
    let row = fields.layers.iter().find(|row| row.layer == layer).unwrap();
    let Some(bounds) = neuron.pixels.bounds().filter(|_| !neuron.pixels.is_empty()) else {
        return checked;
    };
    for (axis, seen) in row.axes.iter().enumerate() {
        let Some(local) = seen.local.filter(|local| local.aligned && !seen.global) else {
            continue;
        };
        let field = local.longest;
        let moved = |end: geometry::Rational| {
            let places = geometry::Rational::whole(at[local.axis - 2] as i128).unwrap();
            end.plus(field.jump().times(places).unwrap()).unwrap()
        };
        let (first, last) = (moved(field.first()).ceil(), moved(field.last()).floor());
        let (start, end) = (bounds[axis].start as i64, bounds[axis].end as i64);
        assert!(
            first <= start && end - 1 <= last,
            "{layer}{at:?}: {bounds:?}, {field:?}"
        );
        checked += 1;
    }
    checked
}

/// Whether there are branches that meet, transposed and dilated layers among those that make a value.
fn kinds_above(network: &Graph, value: ValueId) -> [bool; 3] {
    let needed = network.needed_for([value]).into_iter();
    let above = network
        .nodes
        .iter()
        .zip(needed)
        .filter(|(_, needed)| *needed);
    let dilated = |desc: &ConvDesc| desc.dilation.as_slice().iter().any(|&d| d > 1);
    let mut kinds = [false; 3];
    for (node, _) in above {
        let found = match &node.op {
            Op::Add | Op::Concat => [node.distinct_inputs().len() > 1, false, false],
            Op::Transposed(TransposedOp::Conv { desc, .. }) => [false, true, dilated(&desc.conv)],
            Op::Conv { desc, .. } => [false, false, dilated(desc)],
            _ => continue,
        };
        kinds
            .iter_mut()
            .zip(found)
            .for_each(|(kind, found)| *kind |= found);
    }
    kinds
}

#[test]
fn a_neuron_sees_what_its_gradient_reaches() {
    let (mut neurons, mut parts, mut sieves, mut held) = (0, 0, 0, 0);
    let mut kinds = [0; 3];
    for seed in 0..150 {
        let (network, values) = draw_network(seed);
        let fields = receptive_fields(&network, 0).unwrap();
        let mut draw = Draw::new(seed + 1000);
        for &value in &[
            values[LAYERS],
            draw.pick(&values[1..]),
            draw.pick(&values[1..]),
        ] {
            let map = network.value(value).shape[2..].to_vec();
            let at = [draw.below(map[0]), draw.below(map[1])];
            let neuron = Neuron::of(&network, value, &at, 0).unwrap();
            let expected = support(&network, value, at, [[2, 3]; 2], &mut draw);
            let width = neuron.input[1];
            for (pixel, &expected) in expected.iter().enumerate() {
                let place = [pixel / width, pixel % width];
                assert_eq!(
                    neuron.pixels.contains(&place),
                    expected,
                    "{}: {}{at:?} and pixel {place:?}\n{:#?}",
                    network.name,
                    neuron.layer,
                    network
                        .nodes
                        .iter()
                        .map(|n| (&n.layer, &n.op))
                        .collect::<Vec<_>>()
                );
            }
            if is_plain(seed) {
                held += must_hold(&fields, &neuron.layer, &neuron, at);
            }
            neurons += 1;
            for (count, met) in kinds.iter_mut().zip(kinds_above(&network, value)) {
                *count += usize::from(met);
            }
            // Neither nothing nor everything, and no single box.
            parts += usize::from((1..expected.len()).contains(&neuron.pixels.len()));
            sieves += usize::from(neuron.pixels.boxes().len() > 1);
        }
    }
    assert_eq!(neurons, 450);
    assert!(
        kinds.iter().all(|&count| count > 100),
        "neurons behind branches, transposed and dilated layers: {kinds:?}"
    );
    assert!(
        parts > 150 && sieves > 50 && held > 100,
        "{parts} parts, {sieves} sieves, {held} axes"
    );
}

#[test]
fn what_reads_everything_reaches_every_pixel() {
    let mut net = NetworkBuilder::new("squeeze", [1, 4, 9, 7]);
    let x = net.input();
    let x = net.conv("conv", x, ConvDesc::new(4, 3), false).unwrap();
    let squeezed = net.global_average_pool(x).unwrap();
    let gate = net.sigmoid(squeezed).unwrap();
    let gated = net.binary(graph::BinaryOp::Mul, x, gate).unwrap();
    let normed = net.group_norm("norm", x, 2).unwrap();
    let network = net.finish(gated).unwrap();
    for value in [gated, normed] {
        let neuron = Neuron::of(&network, value, &[0, 0], 0).unwrap();
        assert_eq!(neuron.pixels.len(), 63);
    }
    let fields = receptive_fields(&network, 0).unwrap();
    let last = fields
        .layers
        .iter()
        .find(|row| row.op == "group norm")
        .unwrap();
    let norm = matches!(
        network.nodes.last().unwrap().op,
        Op::Norm(NormOp::Group { .. })
    );
    assert!(
        norm && last
            .axes
            .iter()
            .all(|axis| axis.global && axis.local.is_some())
    );
}

/// Rows of an image of these extents brought to a map, `axes` giving the order after the axes of one are put in.
fn without_batch(
    extents: &[usize],
    put_in: &[usize],
    axes: &[usize],
    back: bool,
) -> (Graph, ValueId) {
    let mut net = NetworkBuilder::new("without a batch", extents);
    let x = net.input();
    let x = net.reshape(x, put_in).unwrap();
    let x = net.permute(x, axes).unwrap();
    let conv = ConvDesc::new(3, [3, 4])
        .stride([1, 2])
        .dilation([2, 1])
        .padding([1, 0]);
    let x = net.conv("conv", x, conv, false).unwrap();
    let pool = PoolDesc::average([2, 3]).stride([2, 1]);
    let mut y = net.average_pool("pool", x, pool).unwrap();
    if back {
        y = net.permute(y, &[0, 2, 3, 1]).unwrap();
        let shape = net.shape(y).unwrap()[1..].to_vec();
        y = net.reshape(y, &shape).unwrap();
    }
    (net.finish(y).unwrap(), y)
}

#[test]
fn images_without_batch_or_channels_are_seen_as_their_gradient_reaches() {
    let first = [0, 1, 2, 3];
    let cases = [
        // Rows, columns, channels; and the map brought back to that.
        (
            without_batch(&[12, 17, 2], &[1, 12, 17, 2], &[0, 3, 1, 2], false),
            [2, 3],
            [0, 1],
        ),
        (
            without_batch(&[12, 17, 2], &[1, 12, 17, 2], &[0, 3, 1, 2], true),
            [0, 1],
            [0, 1],
        ),
        (
            without_batch(&[2, 12, 17], &[1, 2, 12, 17], &first, false),
            [2, 3],
            [1, 2],
        ),
        (
            without_batch(&[3, 12, 17], &[3, 1, 12, 17], &first, false),
            [2, 3],
            [1, 2],
        ),
        (
            without_batch(&[12, 17], &[1, 1, 12, 17], &first, false),
            [2, 3],
            [0, 1],
        ),
        (
            without_batch(&[12, 17], &[12, 17, 1, 1], &[2, 3, 0, 1], false),
            [2, 3],
            [0, 1],
        ),
    ];
    let mut draw = Draw::new(7);
    for ((network, value), of_map, of_image) in cases {
        let shape = network.value(network.inputs[0]).shape.clone();
        for at in [[0, 0], [1, 2], [3, 4]] {
            let neuron = Neuron::of(&network, value, &at, 0).unwrap();
            assert_eq!(neuron.input, [12, 17], "{shape:?}");
            let expected = support(&network, value, at, [of_map, of_image], &mut draw);
            for (pixel, &expected) in expected.iter().enumerate() {
                let place = [pixel / 17, pixel % 17];
                assert_eq!(
                    neuron.pixels.contains(&place),
                    expected,
                    "{shape:?}{at:?}: {place:?}"
                );
            }
        }
    }
}
