//! Bias, residual and activation, forward and backward-data.

use kernels::conv::{Direction, Epilogue};
use kernels::{Activation, Context, Team};
use tensor::Layout;
use testkit::compare::{assert_exact, widen};
use testkit::conv::ConvCase;
use testkit::draw::Draw;
use testkit::layout::channels_first;

use crate::plans::{plans, resolve, to_layout};

/// An activation and what it is.
type Function = (Option<Activation>, fn(f64) -> f64);

const FUNCTIONS: [Function; 3] = [
    (None, |v| v),
    (Some(Activation::Relu), |v| v.max(0.0)),
    (Some(Activation::Relu6), |v| v.clamp(0.0, 6.0)),
];

fn check(case: &ConvCase, direction: Direction, team: &Team) {
    let geometry = resolve(case);
    let mut draw = Draw::new(3);
    let w = draw.integers(case.weight_len());
    let (from, to, source_len, len) = match direction {
        Direction::Forward => {
            let (c, o) = (case.in_channels, case.out_channels);
            (c, o, case.input_len(), case.output_len())
        }
        _ => {
            let (c, o) = (case.in_channels, case.out_channels);
            (o, c, case.output_len(), case.input_len())
        }
    };
    let source = draw.integers(source_len);
    let (bias, residual) = (draw.integers(to), draw.integers(len));
    let sums = match direction {
        Direction::Forward => case.forward(&widen(&source), &widen(&w), None),
        _ => case.backward_data(&widen(&source), &widen(&w)),
    };
    let area = len / (case.batch * to);
    for (with_bias, with_residual) in [(true, true), (true, false), (false, true)] {
        for (activation, function) in FUNCTIONS {
            let want: Vec<f64> = sums
                .iter()
                .enumerate()
                .map(|(at, sum)| {
                    let bias = if with_bias { bias[at / area % to] } else { 0.0 };
                    let residual = if with_residual { residual[at] } else { 0.0 };
                    function(sum + f64::from(bias) + f64::from(residual))
                })
                .collect();
            for (name, plan, isa, layout) in plans(&geometry, direction) {
                let ctx = Context { team, isa };
                let mut packed = vec![f32::NAN; plan.packed_len()];
                plan.pack(&ctx, &w, &mut packed);
                let residual = to_layout(layout, &residual, case.batch, to);
                let epilogue = Epilogue {
                    bias: with_bias.then_some(bias.as_slice()),
                    residual: with_residual.then_some(residual.as_slice()),
                    activation,
                };
                let mut y = vec![f32::NAN; len];
                let mut scratch = vec![f32::NAN; plan.scratch_len(team.threads())];
                let source = to_layout(layout, &source, case.batch, from);
                match direction {
                    Direction::Forward => {
                        plan.forward(&ctx, &source, &packed, epilogue, &mut y, &mut scratch);
                    }
                    _ => {
                        plan.backward_data(&ctx, &source, &packed, epilogue, &mut y, &mut scratch);
                    }
                }
                let y = match layout {
                    Layout::Nchw => y,
                    Layout::Nhwc => channels_first(&y, case.batch, to),
                };
                assert_exact(&format!("{case} {name} {activation:?}"), &y, &want);
            }
        }
    }
}

#[test]
fn the_epilogue_adds_bias_and_residual_and_then_activates() {
    let team = Team::new(3).unwrap();
    for (c, o, g) in [(3, 17, 1), (20, 20, 20), (32, 48, 1), (6, 4, 2)] {
        let case = ConvCase::new(2, c, o, [9, 7], [3, 3])
            .padding([1, 1])
            .groups(g);
        for direction in [Direction::Forward, Direction::BackwardData] {
            check(&case, direction, &team);
        }
        let deep = ConvCase::new(2, c, o, [5, 4, 6], [2, 3, 2])
            .padding([1, 1, 0])
            .groups(g);
        for direction in [Direction::Forward, Direction::BackwardData] {
            check(&deep, direction, &team);
        }
    }
}

#[test]
fn elements_that_no_tap_reaches_get_the_epilogue_too() {
    let team = Team::new(3).unwrap();
    for (c, o, g) in [(3, 17, 1), (20, 20, 20), (9, 6, 3)] {
        let flat = ConvCase::new(2, c, o, [11, 13], [1, 2]).stride([3, 4]);
        let deep = ConvCase::new(1, c, o, [6, 5, 7], [2, 1, 3]).stride([4, 3, 2]);
        for case in [flat, deep] {
            check(&case.groups(g), Direction::BackwardData, &team);
        }
    }
}
