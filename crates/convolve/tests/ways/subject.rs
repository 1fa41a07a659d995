//! Problems of the notation as the oracle has them.

use std::fmt;

use convolve::geometry::{
    ConvDesc, ConvGeometry, DeformableDesc, GeometryError, NormOrder, PaddingMode, PoolDesc,
    PoolKind, Problem, TransposedDesc, Window,
};
use convolve::graph::{DeformableOp, Op, TransposedOp};
use testkit::compare::widen;
use testkit::deformable::Inputs;
use testkit::{ConvCase, DeformableCase, Draw, PoolCase, TransposedCase};

use super::question::{Exercise, Operand, Question};

/// A problem as the engine and as the oracle read it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subject {
    pub(crate) problem: Problem,
    pub(crate) case: Case,
}

/// A problem that the oracle can answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Case {
    Conv(ConvCase),
    Transposed(TransposedCase),
    /// And whether there is a mask.
    Deformable(DeformableCase, bool),
    Pool(PoolCase, PoolKind),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl From<Case> for Subject {
    fn from(case: Case) -> Self {
        let text = match &case {
            Case::Conv(case) => case.to_string(),
            Case::Transposed(case) => case.to_string(),
            Case::Deformable(case, modulated) => case.problem(*modulated),
            Case::Pool(case, PoolKind::Max) => case.max_problem(),
            Case::Pool(case, PoolKind::Average { count_padding }) => {
                case.average_problem(*count_padding)
            }
            Case::Pool(case, PoolKind::Lp { .. }) => case.lp_problem(1.0),
        };
        let problem = text.parse();
        Self {
            problem: problem.unwrap_or_else(|error| panic!("{error}")),
            case,
        }
    }
}

/// A number of every axis that the problem has.
fn axes(windows: &[Window], number: impl Fn(&Window) -> usize) -> Vec<usize> {
    windows.iter().map(number).collect()
}

fn conv_case(g: &ConvGeometry) -> ConvCase {
    let windows = g.spatial();
    ConvCase::new(
        g.batch,
        g.in_channels,
        g.out_channels,
        axes(windows, |w| w.input),
        axes(windows, |w| w.kernel),
    )
    .stride(axes(windows, |w| w.stride))
    .dilation(axes(windows, |w| w.dilation))
    .padding_sides(axes(windows, |w| w.before), axes(windows, |w| w.after))
    .groups(g.groups)
}

fn transposed_case(
    desc: &TransposedDesc,
    input: &[usize],
) -> Result<TransposedCase, GeometryError> {
    let g = desc.resolve(input)?;
    let windows = g.spatial();
    // What the layer is filled up to counts as output padding, wherever it comes from.
    let extra = |w: &Window| {
        let laid = (w.output - 1) * w.stride + w.effective_kernel();
        w.input + w.before + w.after - laid
    };
    Ok(TransposedCase {
        batch: g.batch,
        in_channels: g.out_channels,
        out_channels: g.in_channels,
        groups: g.groups,
        input: input[2..].to_vec(),
        kernel: axes(windows, |w| w.kernel),
        stride: axes(windows, |w| w.stride),
        dilation: axes(windows, |w| w.dilation),
        before: axes(windows, |w| w.before),
        after: axes(windows, |w| w.after),
        output_padding: axes(windows, extra),
    })
}

fn pool_case(desc: &PoolDesc, input: &[usize]) -> Result<PoolCase, GeometryError> {
    let g = desc.resolve(input)?;
    let windows = &g.windows[g.windows.len() - g.rank..];
    let mut case = PoolCase::new(
        g.batch,
        g.channels,
        axes(windows, |w| w.input),
        axes(windows, |w| w.kernel),
    )
    .stride(axes(windows, |w| w.stride))
    .dilation(axes(windows, |w| w.dilation))
    .padding_sides(axes(windows, |w| w.before), axes(windows, |w| w.after));
    case.ceil = desc.ceil;
    Ok(case)
}

impl Subject {
    /// Reads a problem. Padding rules become, for the oracle, the amounts that the geometry makes of them.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let problem: Problem = text.parse().map_err(|error| format!("{error}"))?;
        let refused = |error| format!("{text}: {error}");
        let case = match &problem {
            Problem::Conv(shape, desc) if desc.padding_mode == PaddingMode::Zeros => {
                Case::Conv(conv_case(&desc.resolve(&shape.dims).map_err(refused)?))
            }
            Problem::ConvTransposed(shape, desc) => {
                Case::Transposed(transposed_case(desc, &shape.dims).map_err(refused)?)
            }
            Problem::ConvDeformable(shape, desc) => {
                let geometry = desc.resolve(&shape.dims).map_err(refused)?;
                let case = DeformableCase {
                    conv: conv_case(&geometry.conv),
                    offset_groups: desc.offset_groups,
                };
                Case::Deformable(case, desc.modulated)
            }
            Problem::Pool(shape, desc) => {
                Case::Pool(pool_case(desc, &shape.dims).map_err(refused)?, desc.kind)
            }
            _ => {
                return Err(format!(
                    "{text}: not a problem that the oracle answers here"
                ));
            }
        };
        Ok(Self { problem, case })
    }

    /// The operator on integers drawn for this problem. Places of deformable samples are quarters of
    /// pixels, and gradients of averages multiples of their divisors, so that all sums are exact.
    pub(crate) fn exercise(&self) -> Exercise {
        let draw = &mut self.draw();
        match (&self.case, &self.problem) {
            (Case::Conv(case), Problem::Conv(_, desc)) => conv(case, desc.clone(), draw),
            (Case::Transposed(case), Problem::ConvTransposed(_, desc)) => {
                transposed(case, desc.clone(), draw)
            }
            (Case::Deformable(case, _), Problem::ConvDeformable(_, desc)) => {
                deformable(case, desc.clone(), draw)
            }
            (Case::Pool(case, _), Problem::Pool(_, desc)) => pool(case, desc.clone(), draw),
            (case, problem) => panic!("{case:?} is read as {problem}"),
        }
    }

    /// The same, with the oracle's answers.
    pub(crate) fn question(&self) -> Question {
        let exercise = self.exercise();
        let operands: Vec<_> = exercise.operands.iter().map(|(_, v)| widen(v)).collect();
        let dy = widen(&exercise.upstream);
        let (y, gradients) = match (&self.case, &operands[..]) {
            (Case::Conv(case), [x, w, b]) => (
                case.forward(x, w, Some(b)),
                vec![
                    case.backward_data(&dy, w),
                    case.backward_weights(x, &dy),
                    case.backward_bias(&dy),
                ],
            ),
            (Case::Transposed(case), [x, w, b]) => (
                case.forward(x, w, Some(b)),
                vec![
                    case.backward_data(&dy, w),
                    case.backward_weights(x, &dy),
                    case.backward_bias(&dy),
                ],
            ),
            (Case::Deformable(case, modulated), [x, offset, rest @ ..]) => {
                let mask = modulated.then(|| &rest[0][..]);
                let w = &rest[rest.len() - 1];
                let inputs = Inputs { x, offset, mask, w };
                let backward = case.backward(inputs, &dy);
                let mut gradients = vec![backward.x, backward.offset];
                gradients.extend(modulated.then_some(backward.mask));
                gradients.push(backward.w);
                (case.forward(inputs, None), gradients)
            }
            (Case::Pool(case, kind), [x]) => {
                let (y, dx) = match *kind {
                    PoolKind::Max => (case.max_forward(x).values, case.max_backward(x, &dy)),
                    PoolKind::Average { count_padding } => (
                        case.average_forward(x, count_padding),
                        case.average_backward(&dy, count_padding),
                    ),
                    PoolKind::Lp { order } => {
                        // Other norms are roots, and not exact.
                        assert_eq!(order, NormOrder::ONE, "{self}");
                        (case.lp_forward(x, 1.0), case.lp_backward(x, &dy, 1.0))
                    }
                };
                (y, vec![dx])
            }
            (case, operands) => panic!("{} operands of {case:?}", operands.len()),
        };
        Question {
            exercise,
            y: (self.output(), y),
            gradients,
        }
    }

    /// Extents of the output, as the oracle counts them.
    pub(crate) fn output(&self) -> Vec<usize> {
        match &self.case {
            Case::Conv(case) | Case::Deformable(DeformableCase { conv: case, .. }, _) => {
                map(case.batch, case.out_channels, &case.output_size())
            }
            Case::Transposed(case) => map(case.batch, case.out_channels, &case.output_size()),
            Case::Pool(case, _) => map(case.batch, case.channels, &case.output_size()),
        }
    }

    /// Numbers for this problem: the same ones wherever it comes from.
    pub(crate) fn draw(&self) -> Draw {
        // FNV-1a.
        let text = self.to_string();
        Draw::new(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        }))
    }
}

fn map(batch: usize, channels: usize, spatial: &[usize]) -> Vec<usize> {
    [&[batch, channels], spatial].concat()
}

fn conv(case: &ConvCase, desc: ConvDesc, draw: &mut Draw) -> Exercise {
    let per_group = case.in_channels / case.groups;
    Exercise {
        op: Op::Conv {
            desc,
            bias: true,
            residual: false,
            activation: None,
        },
        operands: vec![
            operand(draw, map(case.batch, case.in_channels, &case.input)),
            operand(draw, map(case.out_channels, per_group, &case.kernel)),
            operand(draw, vec![case.out_channels]),
        ],
        upstream: draw.integers(case.output_len()),
        gradients: 3,
    }
}

fn transposed(case: &TransposedCase, desc: TransposedDesc, draw: &mut Draw) -> Exercise {
    let per_group = case.out_channels / case.groups;
    Exercise {
        op: Op::Transposed(TransposedOp::Conv {
            desc,
            bias: true,
            residual: false,
            activation: None,
        }),
        operands: vec![
            operand(draw, map(case.batch, case.in_channels, &case.input)),
            operand(draw, map(case.in_channels, per_group, &case.kernel)),
            operand(draw, vec![case.out_channels]),
        ],
        upstream: draw.integers(case.output_len()),
        gradients: 3,
    }
}

fn deformable(case: &DeformableCase, desc: DeformableDesc, draw: &mut Draw) -> Exercise {
    let (conv, modulated) = (&case.conv, desc.modulated);
    let quarters = |draw: &mut Draw, dims: Vec<usize>, from: f32, below: usize| -> Operand {
        let len = dims.iter().product();
        let quarter = |_| from + draw.below(below) as f32 / 4.0;
        (dims, (0..len).map(quarter).collect())
    };
    let samples = case.offset_groups * conv.kernel.iter().product::<usize>();
    let of_samples = |numbers: usize| map(conv.batch, numbers * samples, &conv.output_size());
    let x = operand(draw, map(conv.batch, conv.in_channels, &conv.input));
    let mut operands = vec![x, quarters(draw, of_samples(2), -3.0, 25)];
    if modulated {
        operands.push(quarters(draw, of_samples(1), 0.0, 5));
    }
    let per_group = conv.in_channels / conv.groups;
    operands.push(operand(
        draw,
        map(conv.out_channels, per_group, &conv.kernel),
    ));
    Exercise {
        op: Op::Deformable(DeformableOp::Conv { desc, bias: false }),
        gradients: operands.len(),
        operands,
        upstream: draw.integers(conv.output_len()),
    }
}

fn pool(case: &PoolCase, desc: PoolDesc, draw: &mut Draw) -> Exercise {
    let x = operand(draw, map(case.batch, case.channels, &case.input));
    let mut upstream = draw.integers(case.output_len());
    if let PoolKind::Average { count_padding } = desc.kind {
        for (dy, divisor) in upstream.iter_mut().zip(case.divisors(count_padding)) {
            *dy *= divisor as f32;
        }
    }
    Exercise {
        op: Op::Pool {
            indices: desc.kind == PoolKind::Max,
            desc,
        },
        operands: vec![x],
        upstream,
        gradients: 1,
    }
}

/// Integers of these extents.
fn operand(draw: &mut Draw, dims: Vec<usize>) -> Operand {
    let values = draw.integers(dims.iter().product());
    (dims, values)
}
