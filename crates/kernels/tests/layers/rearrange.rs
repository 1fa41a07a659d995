//! Operators that move elements, bit for bit against the oracle's lists.

use geometry::{
    ChannelShuffle, ConcatGeometry, ConvDesc, PadDesc, PadMode, PermuteGeometry, PixelOrder,
    PixelShuffleDesc, SliceDesc, SliceGeometry,
};
use kernels::conv::{ConvOptions, ConvPlan, Direction, Epilogue};
use kernels::rearrange::{concat, pad, permute, shuffle, slice};
use kernels::{Context, Isa, Team};
use tensor::Layout;
use testkit::compare::{assert_exact, widen};
use testkit::rearrange::{self as oracle, Border, Gather};
use testkit::{ConvCase, Draw};

use crate::every::{as_nchw, laid_out, operand, result, way};

/// A tensor of any rank in a layout: it has channels to put last from three axes on.
fn lay(layout: Layout, values: &[f32], shape: &[usize]) -> Vec<f32> {
    match shape {
        [batch, channels, _, ..] => laid_out(layout, values, *batch, *channels),
        _ => values.to_vec(),
    }
}

fn unlay(layout: Layout, values: &[f32], shape: &[usize]) -> Vec<f32> {
    match shape {
        [batch, channels, _, ..] => as_nchw(layout, values, *batch, *channels),
        _ => values.to_vec(),
    }
}

fn len(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// Runs an operator and its gradient in every way; `constant` is what has no source.
fn assert_gather(
    problem: &str,
    want: &Gather,
    constant: f32,
    forward: impl Fn(&Context, Layout, &[f32], &mut [f32]),
    backward: impl Fn(&Context, Layout, &[f32], &mut [f32]),
) {
    let mut draw = Draw::new(want.sources.len() as u64);
    let x = draw.integers(len(&want.input));
    let dy = draw.integers(len(&want.output));
    for layout in Layout::ALL {
        let (x_laid, dy_laid) = (lay(layout, &x, &want.input), lay(layout, &dy, &want.output));
        way(
            &format!("{problem} {layout} {:?} to {:?}", want.input, want.output),
            |context| {
                let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                forward(context, layout, &operand(&x_laid), &mut y);
                backward(context, layout, &operand(&dy_laid), &mut dx);
                vec![
                    unlay(layout, &y, &want.output),
                    unlay(layout, &dx, &want.input),
                ]
            },
            |problem, got| {
                assert_exact(problem, &got[0], &widen(&want.forward(&x, constant)));
                assert_exact(problem, &got[1], &want.backward(&widen(&dy)));
            },
        );
    }
}

const MODES: [(Border, PadMode); 4] = [
    (Border::Constant, PadMode::Constant),
    (Border::Reflect, PadMode::Reflect),
    (Border::Replicate, PadMode::Replicate),
    (Border::Circular, PadMode::Circular),
];

fn assert_pad(border: Border, mode: PadMode, shape: &[usize], amounts: &[(i64, i64)]) {
    let geometry = PadDesc::new(mode, amounts).resolve(shape).unwrap();
    let want = oracle::pad(border, shape, amounts);
    assert_eq!(geometry.output_shape(), want.output);
    assert_gather(
        &format!("{mode:?} {amounts:?}"),
        &want,
        2.5,
        |context, layout, x, y| pad::forward(context, layout, &geometry, x, 2.5, y),
        |context, layout, dy, dx| pad::backward(context, layout, &geometry, dy, dx),
    );
}

#[test]
fn paddings_of_every_mode() {
    let mut draw = Draw::new(1);
    for (border, mode) in MODES {
        for case in 0..36 {
            let shape = draw.map_shape([1, 2, 2, 3][case % 4]);
            let amounts = draw.pad_amounts(border, &shape);
            assert_pad(border, mode, &shape, &amounts);
        }
        // More than a task takes, in rows and in images.
        assert_pad(
            border,
            mode,
            &[2, 3, 70, 90],
            &[(0, 0), (0, 0), (2, 1), (3, 0)],
        );
        assert_pad(
            border,
            mode,
            &[2, 70, 11, 50],
            &[(0, 0), (0, 0), (0, 0), (1, 4)],
        );
        assert_pad(border, mode, &[3, 4], &[(1, 1), (0, 2)]);
        assert_pad(border, mode, &[7], &[(-2, 3)]);
        assert_pad(border, mode, &[2, 3, 4, 5], &[(0, 0); 4]);
        assert_pad(
            border,
            mode,
            &[0, 3, 4, 5],
            &[(0, 0), (0, 0), (1, 2), (2, 1)],
        );
    }
    // Cut down to nothing, and nothing but padding.
    let all = [(0, 0), (0, 0), (-2, -2), (0, 0)];
    assert_pad(Border::Constant, PadMode::Constant, &[1, 2, 4, 5], &all);
    let around = [(0, 0), (0, 0), (-2, -2), (1, 1)];
    assert_pad(Border::Constant, PadMode::Constant, &[1, 2, 4, 5], &around);
    let only = [(0, 0), (0, 0), (1, 2)];
    assert_pad(Border::Constant, PadMode::Constant, &[1, 2, 0], &only);
}

#[test]
fn padding_and_its_gradient_are_adjoint() {
    let mut draw = Draw::new(2);
    let team = Team::new(1).unwrap();
    let context = Context {
        team: &team,
        isa: Isa::best(),
    };
    for (border, mode) in MODES {
        for rank in 1..=3 {
            let shape = draw.map_shape(rank);
            let amounts = draw.pad_amounts(border, &shape);
            let geometry = PadDesc::new(mode, &amounts).resolve(&shape).unwrap();
            let x = widen(&draw.integers(len(&shape)));
            let dy = widen(&draw.integers(len(&geometry.output_shape())));
            for layout in Layout::ALL {
                let (mut y, mut dx) = (vec![f64::NAN; dy.len()], vec![f64::NAN; x.len()]);
                pad::forward(&context, layout, &geometry, &x, 0.0, &mut y);
                pad::backward(&context, layout, &geometry, &dy, &mut dx);
                let dot =
                    |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
                assert_eq!(dot(&dy, &y), dot(&dx, &x), "{layout} {geometry:?}");
            }
        }
    }
}

/// pytorch#37844: circular padding of unequal amounts on two axes gave 20×10 instead of 18×10.
#[test]
fn a_circular_convolution_padded_on_one_axis_only() {
    let (channels, outputs) = (3, 4);
    let shape = [2, channels, 20, 10];
    let amounts = [(0, 0), (0, 0), (0, 0), (1, 1)];
    let padded = PadDesc::new(PadMode::Circular, &amounts)
        .resolve(&shape)
        .unwrap();
    let conv = ConvDesc::new(outputs, 3)
        .resolve(&padded.output_shape())
        .unwrap();
    assert_eq!(conv.output_shape(), [2, outputs, 18, 10]);

    let mut draw = Draw::new(3);
    let x = draw.integers(len(&shape));
    let case = ConvCase::new(2, channels, outputs, [20, 12], [3, 3]);
    let w = draw.integers(case.weight_len());
    let around = oracle::pad(Border::Circular, &shape, &amounts).forward(&x, 0.0);
    let want = case.forward(&widen(&around), &widen(&w), None);
    for layout in Layout::ALL {
        let options = |isa| ConvOptions {
            layout,
            isa,
            strict: true,
            ..ConvOptions::default()
        };
        way(
            &format!("pytorch#37844 {layout}"),
            |context| {
                let plan = ConvPlan::new(&conv, Direction::Forward, options(context.isa)).unwrap();
                let mut packed = vec![0.0; plan.packed_len()];
                plan.pack(context, &w, &mut packed);
                let mut scratch = vec![0.0; plan.scratch_len(context.team.threads())];
                let (mut wide, mut y) = (result(around.len()), result(want.len()));
                let x = operand(&lay(layout, &x, &shape));
                pad::forward(context, layout, &padded, &x, 0.0, &mut wide);
                let epilogue = Epilogue::default();
                plan.forward(context, &wide, &packed, epilogue, &mut y, &mut scratch);
                vec![as_nchw(layout, &y, 2, outputs)]
            },
            |problem, got| assert_exact(problem, &got[0], &want),
        );
    }
}

type Range = Option<(i64, i64, i64)>;

fn sliced(shape: &[usize], ranges: &[Range]) -> SliceGeometry {
    let named = ranges.iter().enumerate();
    let desc = named.fold(SliceDesc::new(), |desc, (axis, range)| match *range {
        Some((start, stop, step)) => desc.axis(axis as i64, start, stop, step),
        None => desc,
    });
    desc.resolve(shape).unwrap()
}

fn assert_slice(shape: &[usize], ranges: &[Range]) {
    let geometry = sliced(shape, ranges);
    let want = oracle::slice(shape, ranges);
    assert_eq!(geometry.output_shape(), want.output, "{shape:?} {ranges:?}");
    assert_gather(
        &format!("slice {ranges:?}"),
        &want,
        f32::NAN,
        |context, layout, x, y| slice::forward(context, layout, &geometry, x, y),
        |context, layout, dy, dx| slice::backward(context, layout, &geometry, dy, dx),
    );
}

#[test]
fn slices_of_every_step() {
    let mut draw = Draw::new(4);
    for case in 0..120 {
        let mut shape = draw.map_shape([1, 2, 3][case % 3]);
        shape.truncate([5, 5, 5, 2, 1][case % 5]);
        let ranges = draw.slice_ranges(&shape);
        assert_slice(&shape, &ranges);
    }
    assert_slice(
        &[2, 3, 70, 300],
        &[None, None, Some((0, 70, 2)), Some((299, -301, -1))],
    );
    assert_slice(&[2, 40, 30, 31], &[None, Some((3, 37, 1)), None, None]);
    assert_slice(&[0, 3, 4], &[None, Some((0, 2, 1)), None]);
    assert_slice(&[2, 3, 4], &[None, Some((2, 1, 1)), None]);
    assert_slice(
        &[2; 8],
        &[
            None,
            Some((-1, -9, -1)),
            None,
            None,
            Some((1, 2, 1)),
            None,
            None,
            None,
        ],
    );
}

/// ONNX's own example of Slice: starts [0, 0, 3], ends [20, 10, 4].
#[test]
fn a_slice_of_onnx() {
    let ranges = [Some((0, 20, 1)), Some((0, 10, 1)), Some((3, 4, 1))];
    assert_eq!(sliced(&[20, 10, 5], &ranges).output_shape(), [20, 10, 1]);
    assert_slice(&[20, 10, 5], &ranges);
    let negative = [Some((20, 0, -1)), Some((10, 0, -3)), Some((4, 1, -2))];
    assert_eq!(sliced(&[20, 10, 5], &negative).output_shape(), [19, 3, 2]);
}

fn assert_permute(shape: &[usize], axes: &[usize]) {
    let geometry = PermuteGeometry::resolve(axes, shape).unwrap();
    let want = oracle::permute(shape, axes);
    assert_eq!(geometry.output_shape(), want.output);
    assert_gather(
        &format!("permute {axes:?}"),
        &want,
        f32::NAN,
        |context, layout, x, y| permute::forward(context, layout, &geometry, x, y),
        |context, layout, dy, dx| {
            permute::forward(context, layout, &geometry.inverse(), dy, dx);
        },
    );
}

#[test]
fn axes_in_every_order() {
    for a in 0..4 {
        for b in (0..4).filter(|&b| b != a) {
            for c in (0..4).filter(|&c| c != a && c != b) {
                assert_permute(&[2, 17, 5, 9], &[a, b, c, 6 - a - b - c]);
            }
        }
    }
    assert_permute(&[70, 700], &[1, 0]);
    assert_permute(&[2, 131, 1030], &[0, 2, 1]);
    assert_permute(&[3, 2, 65, 3, 67], &[4, 0, 3, 1, 2]);
    assert_permute(&[2, 3, 1, 2, 3, 1, 2, 2], &[7, 3, 1, 5, 0, 2, 6, 4]);
    assert_permute(&[0, 3, 4], &[2, 0, 1]);
    assert_permute(&[5], &[0]);
}

#[test]
fn pixels_shuffled_out_of_channels_and_back() {
    for (order, block_major) in [
        (PixelOrder::ChannelMajor, false),
        (PixelOrder::BlockMajor, true),
    ] {
        for (channels, factors, coarse) in [
            (1, [1, 2, 2], [1, 3, 5]),
            (3, [1, 2, 3], [1, 4, 5]),
            (17, [2, 1, 3], [3, 2, 2]),
            (33, [2, 3, 2], [2, 3, 1]),
            (64, [1, 2, 2], [1, 9, 17]),
            (2, [1, 1, 4], [1, 1, 300]),
        ] {
            let deep = [
                2,
                channels * factors.iter().product::<usize>(),
                coarse[0],
                coarse[1],
                coarse[2],
            ];
            let geometry = PixelShuffleDesc::new(factors)
                .order(order)
                .resolve_deep(&deep)
                .unwrap();
            let want = oracle::pixel_shuffle(&deep, factors, block_major);
            assert_eq!(geometry.wide_shape(), want.output);
            assert_gather(
                &format!("pixel shuffle {order:?} {factors:?}"),
                &want,
                f32::NAN,
                |context, layout, x, y| shuffle::to_pixels(context, layout, &geometry, x, y),
                |context, layout, dy, dx| shuffle::to_channels(context, layout, &geometry, dy, dx),
            );
        }
    }
}

/// The examples of ONNX's DepthToSpace: one image of eight channels of 2×3, the channels counting in nines.
#[test]
fn depth_to_space_of_onnx() {
    let x: Vec<f32> = (0..8)
        .flat_map(|c| (0..6).map(move |p| (9 * c + p) as f32))
        .collect();
    let first_rows: [(PixelOrder, [f32; 12]); 2] = [
        (
            PixelOrder::BlockMajor,
            [0., 18., 1., 19., 2., 20., 36., 54., 37., 55., 38., 56.],
        ),
        (
            PixelOrder::ChannelMajor,
            [0., 9., 1., 10., 2., 11., 18., 27., 19., 28., 20., 29.],
        ),
    ];
    let team = Team::new(1).unwrap();
    let context = Context {
        team: &team,
        isa: Isa::best(),
    };
    for (order, want) in first_rows {
        let desc = PixelShuffleDesc::new(2).order(order);
        let geometry = desc.resolve_deep(&[1, 8, 2, 3]).unwrap();
        let mut y = [f32::NAN; 48];
        shuffle::to_pixels(&context, Layout::Nchw, &geometry, &x, &mut y);
        assert_eq!(y[..12], want, "{order:?}");
    }
}

#[test]
fn channels_are_shuffled_between_groups() {
    for (channels, groups, spatial) in [
        (12, 3, vec![5, 7]),
        (240, 3, vec![14, 14]),
        (17, 17, vec![4]),
        (16, 1, vec![2, 3, 4]),
        (64, 2, vec![70, 9]),
        (20, 4, vec![3, 5]),
        (35, 5, vec![3, 5]),
        (36, 9, vec![3, 5]),
    ] {
        let shape = [&[2, channels][..], &spatial].concat();
        let geometry = ChannelShuffle::resolve(groups, &shape).unwrap();
        let want = oracle::channel_shuffle([2, channels, len(&spatial)], groups);
        assert_gather(
            &format!("channel shuffle {groups}"),
            &want.reshaped(&shape, &shape),
            f32::NAN,
            |context, layout, x, y| shuffle::channels(context, layout, &geometry, x, y),
            |context, layout, dy, dx| {
                shuffle::channels(context, layout, &geometry.inverse(), dy, dx);
            },
        );
    }
    // Of groups a, b, c the channels a0 a1 b0 b1 c0 c1 become a0 b0 c0 a1 b1 c1.
    let geometry = ChannelShuffle::resolve(3, &[1, 6, 1]).unwrap();
    let team = Team::new(1).unwrap();
    let context = Context {
        team: &team,
        isa: Isa::best(),
    };
    let mut y = [' '; 6];
    let x = ['a', 'A', 'b', 'B', 'c', 'C'];
    shuffle::channels(&context, Layout::Nhwc, &geometry, &x, &mut y);
    assert_eq!(y, ['a', 'b', 'c', 'A', 'B', 'C']);
}

#[test]
fn tensors_joined_on_every_axis_and_parted_again() {
    for base in [
        vec![2, 3, 5, 7],
        vec![3, 17, 40],
        vec![4, 9],
        vec![5],
        vec![2, 40, 30, 31],
        vec![2, 3, 2, 3, 4],
    ] {
        for axis in 0..base.len() {
            let shapes: Vec<Vec<usize>> = [2, 1, 0, 5]
                .map(|extent| {
                    let mut shape = base.clone();
                    shape[axis] = extent;
                    shape
                })
                .into();
            let geometry = ConcatGeometry::resolve(axis as i64, &shapes).unwrap();
            let mut draw = Draw::new(axis as u64);
            let parts: Vec<Vec<f32>> = shapes.iter().map(|s| draw.integers(len(s))).collect();
            let pairs = shapes.iter().zip(&parts);
            let pairs: Vec<(&[usize], &[f32])> = pairs.map(|(s, x)| (&s[..], &x[..])).collect();
            let want = oracle::concat(axis, &pairs);
            for layout in Layout::ALL {
                way(
                    &format!("concat {layout} {base:?} on {axis}"),
                    |context| {
                        let mut y = result(want.len());
                        for (index, (shape, x)) in pairs.iter().enumerate() {
                            let x = operand(&lay(layout, x, shape));
                            concat::join(context, layout, &geometry, index, &x, &mut y);
                        }
                        let mut got = vec![unlay(layout, &y, geometry.shape())];
                        for (index, (shape, x)) in pairs.iter().enumerate() {
                            let mut part = result(x.len());
                            concat::part(context, layout, &geometry, index, &y, &mut part);
                            got.push(unlay(layout, &part, shape));
                        }
                        got
                    },
                    |problem, got| {
                        assert_exact(problem, &got[0], &widen(&want));
                        for (got, part) in got[1..].iter().zip(&parts) {
                            assert_exact(problem, got, &widen(part));
                        }
                    },
                );
            }
        }
    }
}

#[test]
fn elements_of_every_size_move() {
    let team = Team::new(2).unwrap();
    let context = Context {
        team: &team,
        isa: Isa::best(),
    };
    let shape = [2, 19, 30, 31];
    let axes = [2, 0, 3, 1];
    let geometry = PermuteGeometry::resolve(&axes, &shape).unwrap();
    let want = oracle::permute(&shape, &axes);
    let x: Vec<u64> = (0..len(&shape) as u64).collect();
    let mut y = vec![u64::MAX; x.len()];
    permute::forward(&context, Layout::Nchw, &geometry, &x, &mut y);
    assert_eq!(y, want.forward(&x, 0));
    let x: Vec<u8> = x.iter().map(|&v| v as u8).collect();
    let mut y = vec![0; x.len()];
    permute::forward(&context, Layout::Nchw, &geometry, &x, &mut y);
    assert_eq!(y, want.forward(&x, 0));
    let labels: Vec<(u8, bool)> = x.iter().map(|&v| (v, v % 3 == 0)).collect();
    let mut y = vec![(0, false); x.len()];
    permute::forward(&context, Layout::Nchw, &geometry, &labels, &mut y);
    assert_eq!(y, want.forward(&labels, (0, false)));
}
