//! Problems drawn so that they shrink: each is made of a few small numbers, and any numbers make one that
//! has a meaning. Axes have parameters of their own.

use convolve::geometry::{
    AdaptiveDesc, AdaptiveKind, ConvDesc, DeformableDesc, InputShape, NormOrder, Padding,
    PaddingMode, PoolDesc, PoolKind, Problem, SeparableDesc, TransposedDesc,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use testkit::{ConvCase, DeformableCase, PoolCase, TransposedCase};

use crate::ways::{Case, Subject};

/// The products of a problem that is computed in every way and by the oracle.
pub(crate) const SMALL: usize = 60_000;

/// One axis of a window operation.
#[derive(Clone, Copy, Debug)]
struct Axis {
    input: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
}

/// Made backwards, from the number of windows to the input: elements left over behind the last window,
/// inputs shorter than the kernel and windows that see padding alone come up by themselves.
fn axis() -> impl Strategy<Value = Axis> {
    let numbers = (1..=5usize, 1..=4usize, 1..=3usize, 1..=5usize);
    (numbers, 0..4usize, 0..8usize, 0..8usize).prop_map(
        |((kernel, stride, dilation, windows), rest, before, after)| {
            let extent = dilation * (kernel - 1) + 1;
            let padded = extent + (windows - 1) * stride + rest % stride;
            let before = before.min(padded - 1);
            let after = after.min(padded - 1 - before);
            Axis {
                input: padded - before - after,
                kernel,
                stride,
                dilation,
                before,
                after,
            }
        },
    )
}

/// A few channels, or as many as a vector holds, one more, one less.
fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![1..=9usize, select(vec![15, 16, 17, 31, 33])]
}

/// Input channels, output channels and groups: dense, grouped, depthwise.
fn all_channels() -> impl Strategy<Value = (usize, usize, usize)> {
    prop_oneof![
        (channels(), channels()).prop_map(|(c, o)| (c, o, 1)),
        (2..=4usize, 1..=9usize, 1..=9usize).prop_map(|(g, c, o)| (g * c, g * o, g)),
        (channels(), 1..=2usize).prop_map(|(g, m)| (g, g * m, g)),
    ]
}

fn each(axes: &[Axis], number: impl Fn(&Axis) -> usize) -> Vec<usize> {
    axes.iter().map(number).collect()
}

fn conv_case(batch: usize, (c, o, groups): (usize, usize, usize), axes: &[Axis]) -> ConvCase {
    let input = each(axes, |axis| axis.input);
    ConvCase::new(batch, c, o, input, each(axes, |axis| axis.kernel))
        .stride(each(axes, |axis| axis.stride))
        .dilation(each(axes, |axis| axis.dilation))
        .padding_sides(
            each(axes, |axis| axis.before),
            each(axes, |axis| axis.after),
        )
        .groups(groups)
}

fn products(case: &ConvCase) -> usize {
    let taps: usize = case.kernel.iter().product();
    case.output_len() * case.in_channels / case.groups * taps
}

/// Convolutions of at most so many products.
pub(crate) fn convolutions(most: usize) -> impl Strategy<Value = Subject> {
    (0..=3usize, all_channels(), vec(axis(), 1..=3))
        .prop_map(|(batch, channels, axes)| conv_case(batch, channels, &axes))
        .prop_filter("too many products", move |case| products(case) <= most)
        .prop_map(|case| Case::Conv(case).into())
}

/// Transposed convolutions: kernels below the stride, padding beyond the kernel, output padding beyond the
/// stride among them.
pub(crate) fn transposed(most: usize) -> impl Strategy<Value = Subject> {
    let numbers = (1..=5usize, 1..=5usize, 1..=4usize, 1..=3usize);
    let axis = (numbers, 0..4usize, 0..8usize, 0..8usize).prop_map(
        |((input, kernel, stride, dilation), extra, before, after)| {
            let extra = extra % stride.max(dilation);
            let laid = (input - 1) * stride + dilation * (kernel - 1) + 1 + extra;
            let before = before.min(laid - 1);
            let after = after.min(laid - 1 - before);
            let axis = Axis {
                input,
                kernel,
                stride,
                dilation,
                before,
                after,
            };
            (axis, extra)
        },
    );
    (1..=3usize, all_channels(), vec(axis, 1..=3))
        .prop_map(|(batch, (in_channels, out_channels, groups), axes)| {
            let (axes, output_padding): (Vec<Axis>, _) = axes.into_iter().unzip();
            TransposedCase {
                batch,
                in_channels,
                out_channels,
                groups,
                input: each(&axes, |axis| axis.input),
                kernel: each(&axes, |axis| axis.kernel),
                stride: each(&axes, |axis| axis.stride),
                dilation: each(&axes, |axis| axis.dilation),
                before: each(&axes, |axis| axis.before),
                after: each(&axes, |axis| axis.after),
                output_padding,
            }
        })
        .prop_filter("too many products", move |case| {
            let cells = case.batch * case.input.iter().product::<usize>();
            case.weight_len() * cells <= most
        })
        .prop_map(|case| Case::Transposed(case).into())
}

/// Deformable convolutions of two axes, with a mask or without.
pub(crate) fn deformable(most: usize) -> impl Strategy<Value = Subject> {
    (
        0..=3usize,
        all_channels(),
        [axis(), axis()],
        0..8usize,
        any::<bool>(),
    )
        .prop_map(|(batch, channels, axes, groups, modulated)| {
            let conv = conv_case(batch, channels, &axes);
            let divides = |&groups: &usize| conv.in_channels.is_multiple_of(groups);
            let divisors: Vec<usize> = (1..=conv.in_channels).filter(divides).collect();
            let offset_groups = divisors[groups % divisors.len()];
            (
                DeformableCase {
                    conv,
                    offset_groups,
                },
                modulated,
            )
        })
        .prop_filter("too many products", move |(case, _)| {
            products(&case.conv) <= most
        })
        .prop_map(|(case, modulated)| Case::Deformable(case, modulated).into())
}

/// Pools of the given kinds, in floor and ceil mode.
pub(crate) fn pools(kinds: Vec<PoolKind>) -> impl Strategy<Value = Subject> {
    (
        0..=2usize,
        channels(),
        vec(axis(), 1..=3),
        any::<bool>(),
        select(kinds),
    )
        .prop_map(|(batch, channels, axes, ceil, kind)| {
            let input = each(&axes, |axis| axis.input);
            let mut case = PoolCase::new(batch, channels, input, each(&axes, |axis| axis.kernel))
                .stride(each(&axes, |axis| axis.stride))
                .dilation(each(&axes, |axis| axis.dilation))
                .padding_sides(
                    each(&axes, |axis| axis.before),
                    each(&axes, |axis| axis.after),
                );
            case.ceil = ceil;
            (case, kind)
        })
        .prop_filter("too many taps", |(case, _)| {
            case.output_len() * case.kernel.iter().product::<usize>() <= SMALL
        })
        .prop_map(|(case, kind)| Case::Pool(case, kind).into())
}

/// Any problem that the notation can name, with the numbers that `number` draws for extents, kernels,
/// strides, dilations, channels and groups.
pub(crate) fn problems(number: BoxedStrategy<usize>) -> impl Strategy<Value = Problem> {
    let n = || number.clone();
    // Input, kernel, stride, dilation, before, after, output padding of an axis.
    let axis = (n(), n(), n(), n(), n(), n(), n());
    let axes = vec(axis, 1..=3);
    let channels = (n(), n(), n(), n(), n());
    let choices = (
        0..8usize,
        0..5usize,
        0..4usize,
        any::<bool>(),
        any::<bool>(),
    );
    (axes, channels, choices, 1_000_000..9_000_000u64).prop_map(
        |(axes, (batch, c, o, groups, others), (kind, rule, mode, first, second), order)| {
            let dims = axes.iter().map(|axis| axis.0);
            let dims: Vec<usize> = [batch, c].into_iter().chain(dims).collect();
            let shape = InputShape::new(&dims).unwrap();
            let [kernel, stride, dilation, extra] = [
                axes.iter().map(|axis| axis.1).collect::<Vec<_>>(),
                axes.iter().map(|axis| axis.2).collect(),
                axes.iter().map(|axis| axis.3).collect(),
                axes.iter().map(|axis| axis.6).collect(),
            ];
            let pairs: Vec<_> = axes.iter().map(|axis| (axis.4, axis.5)).collect();
            let padding = match rule {
                0 => Padding::Same,
                1 => Padding::SameLower,
                2 => Padding::Full,
                _ if pairs.iter().all(|&pair| pair == (0, 0)) => Padding::Valid,
                _ => Padding::Explicit(pairs),
            };
            let conv = ConvDesc::new(o, kernel.clone())
                .stride(stride.clone())
                .dilation(dilation.clone())
                .padding(padding.clone())
                .groups(groups);
            let order = NormOrder::from_millionths(order).unwrap();
            let pool_kind = match (first, second) {
                (true, true) => PoolKind::Max,
                (true, false) => PoolKind::Lp { order },
                (false, count_padding) => PoolKind::Average { count_padding },
            };
            match kind {
                0 | 1 => Problem::Conv(shape, conv.padding_mode(PaddingMode::ALL[mode])),
                2 | 3 => {
                    let desc = TransposedDesc::new(conv).output_padding(extra);
                    Problem::ConvTransposed(shape, desc)
                }
                4 => {
                    let desc = DeformableDesc::new(conv).offset_groups(others);
                    Problem::ConvDeformable(shape, desc.modulated(first))
                }
                5 => {
                    let conv = conv.groups(1).padding_mode(PaddingMode::ALL[mode]);
                    let multiplier = others;
                    Problem::ConvSeparable(shape, SeparableDesc { conv, multiplier })
                }
                6 => {
                    let pool = PoolDesc::max(kernel).stride(stride).dilation(dilation);
                    let pool = pool.padding(padding).ceil(rule % 2 == mode % 2);
                    let kind = pool_kind;
                    Problem::Pool(shape, PoolDesc { kind, ..pool })
                }
                _ => {
                    let kind = match pool_kind {
                        PoolKind::Max => AdaptiveKind::Max,
                        PoolKind::Average { .. } => AdaptiveKind::Average,
                        PoolKind::Lp { order } => AdaptiveKind::Lp(order),
                    };
                    let output = kernel.into();
                    Problem::AdaptivePool(shape, AdaptiveDesc { kind, output })
                }
            }
        },
    )
}

/// Both averages.
pub(crate) const AVERAGES: [PoolKind; 2] = [
    PoolKind::Average {
        count_padding: true,
    },
    PoolKind::Average {
        count_padding: false,
    },
];

/// Every kind whose results are exact.
pub(crate) fn exact_kinds() -> Vec<PoolKind> {
    let order = NormOrder::ONE;
    [&[PoolKind::Max, PoolKind::Lp { order }], &AVERAGES[..]].concat()
}
