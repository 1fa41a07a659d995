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

use super::Question;
use super::question::Operand;

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
    pub(crate) fn question(&self) -> Question {
        let mut draw = self.draw();
        match (&self.case, &self.problem) {
            (Case::Conv(case), Problem::Conv(_, desc)) => conv(case, desc.clone(), &mut draw),
            (Case::Transposed(case), Problem::ConvTransposed(_, desc)) => {
                transposed(case, desc.clone(), &mut draw)
            }
            (Case::Deformable(case, _), Problem::ConvDeformable(_, desc)) => {
                deformable(case, desc.clone(), &mut draw)
            }
            (Case::Pool(case, _), Problem::Pool(_, desc)) => pool(case, desc.clone(), &mut draw),
            (case, problem) => panic!("{case:?} is read as {problem}"),
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

fn conv(case: &ConvCase, desc: ConvDesc, draw: &mut Draw) -> Question {
    let x = draw.integers(case.input_len());
    let w = draw.integers(case.weight_len());
    let b = draw.integers(case.out_channels);
    let dy = draw.integers(case.output_len());
    let [x64, w64, b64, dy64] = [&x, &w, &b, &dy].map(|values| widen(values));
    let per_group = case.in_channels / case.groups;
    let operands: Vec<Operand> = vec![
        (map(case.batch, case.in_channels, &case.input), x),
        (map(case.out_channels, per_group, &case.kernel), w),
        (vec![case.out_channels], b),
    ];
    Question {
        op: Op::Conv {
            desc,
            bias: true,
            residual: false,
            activation: None,
        },
        operands,
        upstream: dy,
        y: (
            map(case.batch, case.out_channels, &case.output_size()),
            case.forward(&x64, &w64, Some(&b64)),
        ),
        gradients: vec![
            case.backward_data(&dy64, &w64),
            case.backward_weights(&x64, &dy64),
            case.backward_bias(&dy64),
        ],
    }
}

fn transposed(case: &TransposedCase, desc: TransposedDesc, draw: &mut Draw) -> Question {
    let x = draw.integers(case.input_len());
    let w = draw.integers(case.weight_len());
    let b = draw.integers(case.out_channels);
    let dy = draw.integers(case.output_len());
    let [x64, w64, b64, dy64] = [&x, &w, &b, &dy].map(|values| widen(values));
    let per_group = case.out_channels / case.groups;
    let operands: Vec<Operand> = vec![
        (map(case.batch, case.in_channels, &case.input), x),
        (map(case.in_channels, per_group, &case.kernel), w),
        (vec![case.out_channels], b),
    ];
    Question {
        op: Op::Transposed(TransposedOp::Conv {
            desc,
            bias: true,
            residual: false,
            activation: None,
        }),
        operands,
        upstream: dy,
        y: (
            map(case.batch, case.out_channels, &case.output_size()),
            case.forward(&x64, &w64, Some(&b64)),
        ),
        gradients: vec![
            case.backward_data(&dy64, &w64),
            case.backward_weights(&x64, &dy64),
        ],
    }
}

fn deformable(case: &DeformableCase, desc: DeformableDesc, draw: &mut Draw) -> Question {
    let (conv, modulated) = (&case.conv, desc.modulated);
    let quarters = |draw: &mut Draw, len: usize, from: f32, below: usize| -> Vec<f32> {
        let quarter = |_| from + draw.below(below) as f32 / 4.0;
        (0..len).map(quarter).collect()
    };
    let x = draw.integers(conv.input_len());
    let offset = quarters(draw, case.offset_len(), -3.0, 25);
    let mask = modulated.then(|| quarters(draw, case.mask_len(), 0.0, 5));
    let w = draw.integers(conv.weight_len());
    let dy = draw.integers(conv.output_len());
    let mask64 = mask.as_deref().map(widen);
    let [x64, offset64, w64, dy64] = [&x, &offset, &w, &dy].map(|values| widen(values));
    let inputs = Inputs {
        x: &x64,
        offset: &offset64,
        mask: mask64.as_deref(),
        w: &w64,
    };
    let backward = case.backward(inputs, &dy64);
    let mut gradients = vec![backward.x, backward.offset];
    gradients.extend(modulated.then_some(backward.mask));
    gradients.push(backward.w);
    let output = conv.output_size();
    let samples = case.offset_groups * conv.kernel.iter().product::<usize>();
    let mut operands: Vec<Operand> = vec![
        (map(conv.batch, conv.in_channels, &conv.input), x),
        (map(conv.batch, 2 * samples, &output), offset),
    ];
    operands.extend(mask.map(|mask| (map(conv.batch, samples, &output), mask)));
    let per_group = conv.in_channels / conv.groups;
    operands.push((map(conv.out_channels, per_group, &conv.kernel), w));
    Question {
        op: Op::Deformable(DeformableOp::Conv { desc, bias: false }),
        operands,
        upstream: dy,
        y: (
            map(conv.batch, conv.out_channels, &output),
            case.forward(inputs, None),
        ),
        gradients,
    }
}

fn pool(case: &PoolCase, desc: PoolDesc, draw: &mut Draw) -> Question {
    let kind = desc.kind;
    let x = draw.integers(case.input_len());
    let mut dy = draw.integers(case.output_len());
    let x64 = widen(&x);
    if let PoolKind::Average { count_padding } = kind {
        let divisors = case.divisors(count_padding);
        for (dy, divisor) in dy.iter_mut().zip(divisors) {
            *dy *= divisor as f32;
        }
    }
    let dy64 = widen(&dy);
    let (y, dx) = match kind {
        PoolKind::Max => (
            case.max_forward(&x64).values,
            case.max_backward(&x64, &dy64),
        ),
        PoolKind::Average { count_padding } => (
            case.average_forward(&x64, count_padding),
            case.average_backward(&dy64, count_padding),
        ),
        PoolKind::Lp { order } => {
            // Other norms are roots, and not exact.
            assert_eq!(order, NormOrder::ONE, "{desc:?}");
            (
                case.lp_forward(&x64, 1.0),
                case.lp_backward(&x64, &dy64, 1.0),
            )
        }
    };
    let indices = kind == PoolKind::Max;
    Question {
        op: Op::Pool { desc, indices },
        operands: vec![(map(case.batch, case.channels, &case.input), x)],
        upstream: dy,
        y: (map(case.batch, case.channels, &case.output_size()), y),
        gradients: vec![dx],
    }
}
