//! Settings that have no meaning, and numbers beyond all memory, give errors and never a panic; and what is
//! not refused is right, however odd it looks.

use convolve::geometry::{
    ConvDesc, GeometryError, Padding, PaddingMode, PoolDesc, PoolKind, Problem, TransposedDesc,
};
use convolve::graph::{DeformableOp, Op, TransposedOp};
use convolve::runtime::RuntimeError;
use convolve::tensor::Tensor;
use proptest::prelude::*;
use proptest::sample::select;

use crate::draws::problems;
use crate::hold::Property;
use crate::ways::{Subject, tensor, ways};

/// Numbers whose products with one another may not fit: what comes of them need not be resolved.
const LARGE: i128 = 1 << 30;

/// The extents of the output by the rules, or that there are none.
type Rule = Option<Vec<i128>>;

/// What the geometry makes of a problem; `None` for those that it does not resolve.
fn resolve(problem: &Problem) -> Option<Result<Vec<usize>, GeometryError>> {
    Some(match problem {
        Problem::Conv(shape, desc) => desc.resolve(&shape.dims).map(|g| g.output_shape()),
        Problem::ConvTransposed(shape, desc) => desc.resolve(&shape.dims).map(|g| g.input_shape()),
        Problem::ConvDeformable(shape, desc) => {
            desc.resolve(&shape.dims).map(|g| g.conv.output_shape())
        }
        Problem::Pool(shape, desc) => desc.resolve(&shape.dims).map(|g| g.output_shape()),
        Problem::AdaptivePool(shape, desc) => desc.resolve(&shape.dims).map(|g| g.output_shape()),
        Problem::ConvSeparable(..) => return None,
    })
}

fn wide(values: &[usize]) -> Vec<i128> {
    values.iter().map(|&value| value as i128).collect()
}

/// A product, or a number beyond all those of 64 bits.
fn product(a: i128, b: i128) -> i128 {
    a.saturating_mul(b).min(1 << 100)
}

/// Elements from the first tap to the last.
fn extent(kernel: i128, dilation: i128) -> i128 {
    product(dilation, kernel - 1) + 1
}

/// Before and after on one axis.
fn amounts(padding: &Padding, axis: usize, n: i128, ke: i128, s: i128) -> (i128, i128) {
    match padding {
        Padding::Valid => (0, 0),
        Padding::Full => (ke - 1, ke - 1),
        Padding::Explicit(pairs) => (pairs[axis].0 as i128, pairs[axis].1 as i128),
        Padding::Same | Padding::SameLower => {
            let out = (n + s - 1) / s;
            let total = ((out - 1) * s + ke - n).max(0);
            let (half, rest) = (total / 2, total - total / 2);
            match padding {
                Padding::Same => (half, rest),
                _ => (rest, half),
            }
        }
    }
}

/// One axis: `floor((n + before + after − ke) / s) + 1`, and in ceil mode no window beyond the image.
fn windows(
    axis: usize,
    n: i128,
    [k, s, d]: [i128; 3],
    padding: &Padding,
    mode: PaddingMode,
    ceil: bool,
) -> Option<i128> {
    if k < 1 || s < 1 || d < 1 {
        return None;
    }
    let ke = extent(k, d);
    let (before, after) = amounts(padding, axis, n, ke, s);
    let most = before.max(after);
    let allowed = match mode {
        PaddingMode::Zeros => true,
        PaddingMode::Reflect => most <= (n - 1).max(0),
        PaddingMode::Circular => most <= n,
        PaddingMode::Replicate => most == 0 || n > 0,
    };
    let room = n + before + after - ke;
    let room = if ceil { room + s - 1 } else { room };
    if !allowed || room < 0 {
        return None;
    }
    let mut out = room / s + 1;
    if ceil {
        out -= i128::from((out - 1) * s >= n + before);
    }
    (out > 0).then_some(out)
}

fn by_axis(
    dims: &[i128],
    (kernel, stride, dilation): (&[usize], &[usize], &[usize]),
    one: impl Fn(usize, i128, [i128; 3]) -> Option<i128>,
) -> Option<Vec<i128>> {
    let (kernel, stride, dilation) = (wide(kernel), wide(stride), wide(dilation));
    let axes = dims[2..].iter().enumerate();
    axes.map(|(axis, &n)| one(axis, n, [kernel[axis], stride[axis], dilation[axis]]))
        .collect()
}

fn divides(channels: i128, groups: usize) -> bool {
    groups > 0 && channels > 0 && channels % groups as i128 == 0
}

fn conv_rule(dims: &[i128], desc: &ConvDesc) -> Rule {
    let o = desc.out_channels as i128;
    if !divides(dims[1], desc.groups) || !divides(o, desc.groups) {
        return None;
    }
    let settings = (
        desc.kernel.as_slice(),
        desc.stride.as_slice(),
        desc.dilation.as_slice(),
    );
    let spatial = by_axis(dims, settings, |axis, n, ksd| {
        windows(axis, n, ksd, &desc.padding, desc.padding_mode, false)
    })?;
    Some([vec![dims[0], o], spatial].concat())
}

fn transposed_rule(dims: &[i128], desc: &TransposedDesc) -> Rule {
    let conv = &desc.conv;
    let o = conv.out_channels as i128;
    if !divides(dims[1], conv.groups) || !divides(o, conv.groups) {
        return None;
    }
    let extra = wide(desc.output_padding.as_slice());
    let settings = (
        conv.kernel.as_slice(),
        conv.stride.as_slice(),
        conv.dilation.as_slice(),
    );
    let spatial = by_axis(dims, settings, |axis, n, [k, s, d]| {
        if n < 1 || k < 1 || s < 1 || d < 1 || extra[axis] >= s.max(d) {
            return None;
        }
        let ke = extent(k, d);
        let full = product(n - 1, s) + ke + extra[axis];
        let out = match conv.padding {
            Padding::Same | Padding::SameLower => product(n, s),
            _ => {
                let (before, after) = amounts(&conv.padding, axis, n, ke, s);
                full - before - after
            }
        };
        (out > 0).then_some(out)
    })?;
    Some([vec![dims[0], o], spatial].concat())
}

fn pool_rule(dims: &[i128], desc: &PoolDesc) -> Rule {
    let settings = (
        desc.kernel.as_slice(),
        desc.stride.as_slice(),
        desc.dilation.as_slice(),
    );
    let spatial = by_axis(dims, settings, |axis, n, ksd| {
        windows(axis, n, ksd, &desc.padding, PaddingMode::Zeros, desc.ceil)
    })?;
    Some([&dims[..2], &spatial].concat())
}

fn rule(problem: &Problem) -> Rule {
    match problem {
        Problem::Conv(shape, desc) => conv_rule(&wide(&shape.dims), desc),
        Problem::ConvTransposed(shape, desc) => transposed_rule(&wide(&shape.dims), desc),
        Problem::ConvDeformable(shape, desc) => {
            let dims = wide(&shape.dims);
            let fits = dims.len() == 4 && divides(dims[1], desc.offset_groups);
            conv_rule(&dims, &desc.conv).filter(|_| fits)
        }
        Problem::Pool(shape, desc) => pool_rule(&wide(&shape.dims), desc),
        Problem::AdaptivePool(shape, desc) => {
            let (dims, bins) = (wide(&shape.dims), wide(desc.output.as_slice()));
            let fits = dims[2..].iter().chain(&bins).all(|&extent| extent > 0);
            fits.then(|| [&dims[..2], &bins].concat())
        }
        Problem::ConvSeparable(..) => None,
    }
}

/// Every number of a problem.
fn numbers(problem: &Problem) -> Vec<i128> {
    let text = problem.to_string();
    let digits = text.split(|c: char| !c.is_ascii_digit());
    digits.filter_map(|number| number.parse().ok()).collect()
}

/// Zeros, small numbers, and numbers that pass 32 and 63 bits or their halves.
fn wild() -> BoxedStrategy<usize> {
    let large = [
        1 << 15,
        1 << 31,
        (1 << 31) + 1,
        1 << 32,
        1 << 40,
        usize::MAX / 4,
        usize::MAX / 2,
        usize::MAX,
    ];
    prop_oneof![2 => Just(0), 40 => 1..=6usize, 1 => select(large.to_vec())].boxed()
}

/// Whatever the numbers, a problem resolves to what the rules say, or is refused with a message, and refused
/// for its size only where a number is large.
#[test]
fn numbers_without_meaning_are_errors() {
    let property = Property {
        cases: 8192,
        about: |problem: &Problem| !matches!(problem, Problem::ConvSeparable(..)),
        draws: problems(wild()),
    };
    property.hold(&numbers_without_meaning_are_errors, |problem| {
        let Some(resolved) = resolve(problem) else {
            return Ok(0);
        };
        match (resolved, rule(problem)) {
            (Ok(got), want) if Some(wide(&got)) == want => Ok(1),
            (Err(error), None) if !error.to_string().is_empty() => Ok(1),
            (Err(GeometryError::Overflow { .. }), Some(_))
                if numbers(problem).into_iter().any(|number| number >= LARGE) =>
            {
                Ok(1)
            }
            (got, want) => Err(format!("it resolves to {got:?}, by the rules to {want:?}")),
        }
    });
}

/// The operator of a problem, and the extents of what it reads.
fn operator(problem: &Problem) -> Option<(Op, Vec<Vec<usize>>)> {
    let weight = |outer: usize, inner: usize, groups: usize, kernel: &[usize]| {
        [&[outer, inner / groups.max(1)], kernel].concat()
    };
    Some(match problem {
        Problem::Conv(shape, desc) => {
            let (c, kernel) = (shape.dims[1], desc.kernel.as_slice());
            let w = weight(desc.out_channels, c, desc.groups, kernel);
            let op = Op::Conv {
                desc: desc.clone(),
                bias: false,
                residual: false,
                activation: None,
            };
            (op, vec![shape.dims.clone(), w])
        }
        Problem::ConvTransposed(shape, desc) => {
            let (c, kernel) = (shape.dims[1], desc.conv.kernel.as_slice());
            let w = weight(c, desc.conv.out_channels, desc.conv.groups, kernel);
            let op = TransposedOp::Conv {
                desc: desc.clone(),
                bias: false,
                residual: false,
                activation: None,
            };
            (Op::Transposed(op), vec![shape.dims.clone(), w])
        }
        Problem::ConvDeformable(shape, desc) => {
            let (c, kernel) = (shape.dims[1], desc.conv.kernel.as_slice());
            let samples = desc.offset_groups * kernel.iter().product::<usize>();
            let output = match resolve(problem) {
                Some(Ok(output)) => output,
                _ => vec![1; shape.dims.len()],
            };
            let per_sample =
                |numbers: usize| [&[shape.dims[0], numbers * samples], &output[2..]].concat();
            let w = weight(desc.conv.out_channels, c, desc.conv.groups, kernel);
            let mut dims = vec![shape.dims.clone(), per_sample(2)];
            dims.extend(desc.modulated.then(|| per_sample(1)));
            dims.push(w);
            let (desc, bias) = (desc.clone(), false);
            (Op::Deformable(DeformableOp::Conv { desc, bias }), dims)
        }
        Problem::Pool(shape, desc) => {
            let op = Op::Pool {
                desc: desc.clone(),
                indices: false,
            };
            (op, vec![shape.dims.clone()])
        }
        Problem::AdaptivePool(..) | Problem::ConvSeparable(..) => return None,
    })
}

/// Every operator that is not refused computes what the oracle does, on maps without elements, windows that
/// see padding alone and kernels larger than the map; and one that is refused is refused by the engine too.
#[test]
fn odd_problems_are_computed_or_refused() {
    let property = Property {
        cases: 2048,
        about: |problem: &Problem| operator(problem).is_some(),
        draws: problems(prop_oneof![1 => Just(0), 20 => 1..=4usize].boxed()),
    };
    property.hold(&odd_problems_are_computed_or_refused, |problem| {
        let Some((op, dims)) = operator(problem) else {
            return Ok(0);
        };
        let zeros = |dims: &Vec<usize>| tensor::<f32>(dims, &vec![0.0; dims.iter().product()]);
        let operands: Vec<Tensor<f32>> = dims.iter().map(zeros).collect();
        let given: Vec<_> = operands.iter().map(Into::into).collect();
        let made = ways()[ways().len() - 1].eager.apply(op, &given);
        match (made, rule(problem)) {
            (Err(RuntimeError::Graph(error)), None) if !error.to_string().is_empty() => Ok(1),
            (Ok(made), Some(want)) => {
                let got = made[0].clone().real();
                if wide(got.dims()) != want {
                    return Err(format!(
                        "the output is {:?}, should be {want:?}",
                        got.dims()
                    ));
                }
                let exact = match problem {
                    Problem::Conv(_, desc) => desc.padding_mode == PaddingMode::Zeros,
                    Problem::Pool(_, desc) => !matches!(desc.kind, PoolKind::Lp { .. }),
                    _ => true,
                };
                if !exact {
                    return Ok(1);
                }
                Subject::read(&problem.to_string())?.question().ask()
            }
            (made, want) => {
                let made = made.map(|made| made[0].clone().real().dims().to_vec());
                Err(format!("the engine makes {made:?}, by the rules {want:?}"))
            }
        }
    });
}
