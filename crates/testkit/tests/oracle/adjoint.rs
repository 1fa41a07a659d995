//! ⟨dY, conv(X, W)⟩ = ⟨backward_data(dY, W), X⟩ = ⟨backward_weights(X, dY), W⟩, exactly, on integers.

use crate::dot;
use testkit::draw::{conv_cases, transposed_cases};
use testkit::{ConvCase, Draw, compare::widen, escaped};

fn assert_adjoint(case: &ConvCase, draw: &mut Draw) {
    let x = widen(&draw.integers(case.input_len()));
    let w = widen(&draw.integers(case.weight_len()));
    let dy = widen(&draw.integers(case.output_len()));
    let forward = dot(&dy, &case.forward(&x, &w, None));
    assert_eq!(forward, dot(&case.backward_data(&dy, &w), &x), "{case}");
    assert_eq!(forward, dot(&case.backward_weights(&x, &dy), &w), "{case}");

    let bias = widen(&draw.integers(case.out_channels));
    let shifted = dot(&dy, &case.forward(&x, &w, Some(&bias)));
    let db = case.backward_bias(&dy);
    assert_eq!(shifted - forward, dot(&db, &bias), "{case}: bias");
}

#[test]
fn drawn_convolutions() {
    let mut draw = Draw::new(2);
    for case in conv_cases(1, 84) {
        assert_adjoint(&case, &mut draw);
    }
}

#[test]
fn escaped_convolutions() {
    let mut draw = Draw::new(3);
    for (_, case) in escaped::convolutions() {
        assert_adjoint(&case, &mut draw);
    }
}

#[test]
fn drawn_transposed_convolutions() {
    let mut draw = Draw::new(4);
    for case in transposed_cases(2, 60) {
        let x = widen(&draw.integers(case.input_len()));
        let w = widen(&draw.integers(case.weight_len()));
        let dy = widen(&draw.integers(case.output_len()));
        let forward = dot(&dy, &case.forward(&x, &w, None));
        assert_eq!(forward, dot(&case.backward_data(&dy, &w), &x), "{case}");
        assert_eq!(forward, dot(&case.backward_weights(&x, &dy), &w), "{case}");
    }
}
