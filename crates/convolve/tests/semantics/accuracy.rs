//! How exact results are.

use convolve::geometry::Problem;
use convolve::graph::Op;
use testkit::compare::{assert_close, widen};
use testkit::{ConvCase, Draw};

use crate::ways::answers;

fn op(case: &ConvCase) -> Op {
    match case.to_string().parse() {
        Ok(Problem::Conv(_, desc)) => Op::Conv {
            desc,
            bias: false,
            residual: false,
            activation: None,
        },
        other => panic!("{case}: {other:?}"),
    }
}

/// Integers up to 8 and sums of up to 262 144 products are exact: the largest sum there can be is 2²⁴.
#[test]
fn the_largest_exact_sum() {
    let terms = 262_144;
    let case = ConvCase::new(1, terms, 1, [1], [1]);
    let mut draw = Draw::new(1);
    let drawn = [0; 2].map(|_| draw.integers(terms));
    let eights = [vec![8.0; terms], vec![8.0; terms]];
    for [x, w] in [drawn, eights] {
        let want = case.forward(&widen(&x), &widen(&w), None);
        let operands = [(vec![1, terms, 1], x), (vec![1, terms, 1], w)];
        for (way, made) in answers(&op(&case), &operands, &[], 0) {
            assert_eq!(f64::from(made[0].data()[0]), want[0], "{way}");
        }
    }
}

/// Reals: `|error| ≤ K · 2⁻²⁴ · conv(|x|, |w|)`, element by element, in all directions.
#[test]
fn reals_stay_within_their_bound() {
    let mut draw = Draw::new(2);
    for case in [
        ConvCase::new(2, 19, 33, [9, 11], [3, 2])
            .stride([1, 2])
            .padding([1, 0]),
        ConvCase::new(1, 24, 24, [12, 7], [3, 5])
            .padding([1, 2])
            .groups(24),
        ConvCase::new(1, 12, 8, [8, 9], [2, 3])
            .dilation([3, 1])
            .groups(4),
    ] {
        let x = draw.reals(case.input_len());
        let w = draw.reals(case.weight_len());
        let dy = draw.reals(case.output_len());
        let [x64, w64, dy64] = [&x, &w, &dy].map(|values| widen(values));
        let wanted = [
            (
                case.forward(&x64, &w64, None),
                case.forward_bound(&x64, &w64, None),
            ),
            (
                case.backward_data(&dy64, &w64),
                case.backward_data_bound(&dy64, &w64),
            ),
            (
                case.backward_weights(&x64, &dy64),
                case.backward_weights_bound(&x64, &dy64),
            ),
        ];
        let operands = [
            (
                [&[case.batch, case.in_channels], &case.input[..]].concat(),
                x,
            ),
            (
                [
                    &[case.out_channels, case.in_channels / case.groups],
                    &case.kernel[..],
                ]
                .concat(),
                w,
            ),
        ];
        for (way, made) in answers(&op(&case), &operands, &dy, 2) {
            for (made, (want, bound)) in made.iter().zip(&wanted) {
                assert_close(&format!("{case} {way}"), made.data(), want, bound);
            }
        }
    }
}
