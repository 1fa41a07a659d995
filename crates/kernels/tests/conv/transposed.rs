//! Transposed convolutions: the backward-data pass with a bias, against the definition and against
//! the direct convolution over the stretched input.

use geometry::{ConvGeometry, MAX_RANK, Problem, Stretched, TransposedDesc};
use kernels::conv::{ConvOptions, ConvPlan, Direction, Epilogue};
use kernels::{Context, Isa, Team};
use tensor::Layout;
use testkit::TransposedCase;
use testkit::compare::{assert_exact, widen};
use testkit::draw::{Draw, transposed_cases};
use testkit::guard::GuardedF32;
use testkit::layout::channels_first;

use crate::plans::{plans, teams, to_layout};

/// The layer, its geometry and its stretched view.
fn resolve(case: &TransposedCase) -> (TransposedDesc, ConvGeometry, [Stretched; MAX_RANK]) {
    let text = case.to_string();
    let (shape, desc) = match text.parse() {
        Ok(Problem::ConvTransposed(shape, desc)) => (shape, desc),
        other => panic!("{text}: {other:?}"),
    };
    let geometry = desc
        .resolve(&shape.dims)
        .unwrap_or_else(|e| panic!("{text}: {e}"));
    let view = desc.stretched(&shape.dims).unwrap();
    (desc, geometry, view)
}

struct Operands {
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
}

impl Operands {
    fn new(case: &TransposedCase, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        Self {
            x: draw.integers(case.input_len()),
            w: draw.integers(case.weight_len()),
            bias: draw.integers(case.out_channels),
        }
    }
}

/// Runs a plan of either direction on guarded memory; the result channels first.
fn run(
    (plan, isa, layout, team): (&ConvPlan, Isa, Layout, &Team),
    channels: (usize, usize),
    source: &[f32],
    weight: &[f32],
    bias: &[f32],
    len: usize,
) -> Vec<f32> {
    let ctx = Context { team, isa };
    let batch = plan.geometry().batch;
    let nan = |len: usize| GuardedF32::from_slice(&vec![f32::NAN; len]);
    let (mut packed, mut y) = (nan(plan.packed_len()), nan(len));
    let mut scratch = nan(plan.scratch_len(team.threads()));
    plan.pack(&ctx, &GuardedF32::from_slice(weight), &mut packed);
    let source = GuardedF32::from_slice(&to_layout(layout, source, batch, channels.0));
    let bias = GuardedF32::from_slice(bias);
    let epilogue = Epilogue {
        bias: Some(&bias),
        ..Epilogue::default()
    };
    match plan.direction() {
        Direction::Forward => plan.forward(&ctx, &source, &packed, epilogue, &mut y, &mut scratch),
        _ => plan.backward_data(&ctx, &source, &packed, epilogue, &mut y, &mut scratch),
    }
    match layout {
        Layout::Nchw => y.to_vec(),
        Layout::Nhwc => channels_first(&y, batch, channels.1),
    }
}

fn check(case: &TransposedCase, teams: &[Team], seed: u64) {
    let (_, geometry, _) = resolve(case);
    let Operands { x, w, bias } = Operands::new(case, seed);
    let want = case.forward(&widen(&x), &widen(&w), Some(&widen(&bias)));
    assert_eq!(geometry.input_shape()[2..], case.output_size(), "{case}");
    let channels = (case.in_channels, case.out_channels);
    for (index, (name, plan, isa, layout)) in plans(&geometry, Direction::BackwardData)
        .into_iter()
        .enumerate()
    {
        let team = &teams[(seed as usize + index) % teams.len()];
        let got = run(
            (&plan, isa, layout, team),
            channels,
            &x,
            &w,
            &bias,
            want.len(),
        );
        assert_exact(&format!("{case} {name}"), &got, &want);
    }
}

#[test]
fn a_transposed_convolution_with_a_bias_is_one_call() {
    let teams = teams();
    for (seed, case) in transposed_cases(51, 240).into_iter().enumerate() {
        check(&case, &teams, seed as u64);
    }
}

#[test]
fn problems_that_escaped_elsewhere_are_exact() {
    let teams = teams();
    let case =
        |n: usize, k: usize, s: usize, d: usize, (before, after): (usize, usize), a: usize| {
            TransposedCase {
                batch: 2,
                in_channels: 3,
                out_channels: 5,
                groups: 1,
                input: vec![n, n + 1],
                kernel: vec![k; 2],
                stride: vec![s; 2],
                dilation: vec![d; 2],
                before: vec![before; 2],
                after: vec![after; 2],
                output_padding: vec![a; 2],
            }
        };
    for (seed, case) in [
        // ORT#4086, #11927, #14208.
        case(2, 3, 1, 1, (1, 1), 0),
        case(3, 3, 2, 1, (1, 1), 1),
        case(5, 2, 1, 2, (3, 3), 1),
        // Output padding beyond the stride and no padding to take it from.
        case(4, 2, 1, 3, (0, 0), 2),
        case(4, 1, 4, 1, (0, 0), 3),
        // More padding than the kernel reaches: the input is cropped.
        case(6, 2, 1, 1, (3, 2), 0),
    ]
    .into_iter()
    .enumerate()
    {
        check(&case, &teams, seed as u64);
    }
}

/// The input of the direct convolution: zeros between neighbours and around, or cropped.
fn stretch(x: &[f32], maps: usize, view: &[Stretched; MAX_RANK]) -> Vec<f32> {
    let [d, h, w] = view;
    let area = d.input * h.input * w.input;
    let mut stretched = Vec::new();
    for map in 0..maps {
        for z in 0..d.padded() {
            for y in 0..h.padded() {
                for column in 0..w.padded() {
                    let place = (d.source(z), h.source(y), w.source(column));
                    stretched.push(match place {
                        (Some(z), Some(y), Some(column)) => {
                            x[map * area + (z * h.input + y) * w.input + column]
                        }
                        _ => 0.0,
                    });
                }
            }
        }
    }
    stretched
}

#[test]
fn it_equals_the_direct_convolution_over_the_stretched_input() {
    let team = Team::new(2).unwrap();
    for (seed, case) in transposed_cases(52, 80).into_iter().enumerate() {
        let (_, geometry, view) = resolve(&case);
        let Operands { x, w, bias } = Operands::new(&case, seed as u64);
        let direct = geometry.stretched();
        let stretched = stretch(&x, case.batch * case.in_channels, &view);
        assert_eq!(
            stretched.len(),
            direct.input_shape().iter().product::<usize>()
        );
        let channels = (case.in_channels, case.out_channels);
        let len = case.output_len();
        let turned = case.turned(&w);
        for (name, plan, isa, layout) in plans(&geometry, Direction::BackwardData) {
            let options = ConvOptions {
                layout,
                isa,
                strict: true,
                ..ConvOptions::default()
            };
            let direct = ConvPlan::new(&direct, Direction::Forward, options).unwrap();
            let one = run((&plan, isa, layout, &team), channels, &x, &w, &bias, len);
            let of_direct = (&direct, isa, layout, &team);
            let other = run(of_direct, channels, &stretched, &turned, &bias, len);
            assert_eq!(one, other, "{case} {name}");
        }
    }
}
