//! The judges: they pass what is right, refuse what is wrong, and say where.

use std::panic::catch_unwind;
use testkit::compare::{
    assert_close, assert_exact, assert_relative_l2, relative_l2, rounding_bound, widen,
};
use testkit::{ConvCase, Draw};

/// The message of the panic of `judge`.
fn refusal(judge: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let payload = catch_unwind(judge).expect_err("should have been refused");
    payload.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn exact_names_problem_and_first_difference() {
    assert_exact("p", &[1.0, -0.0, f32::NAN], &[1.0, 0.0, f64::NAN]);
    let message = refusal(|| assert_exact("conv:p", &[1.0, 2.0, 3.0], &[1.0, 2.5, 3.5]));
    assert_eq!(
        message,
        "conv:p: element 1 is 2, should be exactly 2.5; 2 of 3 differ"
    );
    // 2²⁴ + 1 has no f32: rounding the answer first would hide the difference.
    refusal(|| assert_exact("p", &[16_777_216.0], &[16_777_217.0]));
    refusal(|| assert_exact("p", &[f32::NAN], &[0.0]));
    let message = refusal(|| assert_exact("conv:p", &[1.0], &[1.0, 2.0]));
    assert!(message.contains("conv:p: number of elements"), "{message}");
}

#[test]
fn close_has_a_bound_for_each_element() {
    assert_close("p", &[1.0, 2.5, 0.0], &[1.0, 2.0, 0.0], &[0.0, 0.5, 0.0]);
    let message = refusal(|| {
        assert_close(
            "conv:p",
            &[1.0, 2.5, 9.0],
            &[1.0, 2.0, 0.0],
            &[1.0, 0.4, 1.0],
        )
    });
    assert!(
        message.starts_with("conv:p: element 1 is 2.5, should be 2 ± 4e-1; 2 of 3"),
        "{message}"
    );
    assert!(message.contains("element 2 by a factor 9"), "{message}");
    refusal(|| assert_close("p", &[f32::NAN], &[0.0], &[1.0]));
    refusal(|| assert_close("p", &[1.0], &[0.0], &[0.0]));
}

#[test]
fn relative_l2_by_hand() {
    assert_eq!(relative_l2(&[3.0, 4.0], &[3.0, 4.0]), 0.0);
    assert_eq!(relative_l2(&[3.0, 5.0], &[3.0, 4.0]), 0.2);
    assert_eq!(relative_l2(&[0.5], &[0.0]), 0.5);
    assert_relative_l2("p", &[3.0, 5.0], &[3.0, 4.0], 0.25);
    let message = refusal(|| assert_relative_l2("conv:p", &[3.0, 5.0], &[3.0, 4.0], 0.1));
    assert!(message.starts_with("conv:p: relative L2"), "{message}");
    refusal(|| assert_relative_l2("p", &[f32::NAN], &[1.0], 0.1));
}

#[test]
fn the_rounding_bound_admits_f32_sums_and_nothing_coarser() {
    // A naive f32 dot product, against one whose factors were first rounded to 16 bits.
    let case = ConvCase::new(1, 1000, 1, [1], [1]);
    let mut draw = Draw::new(8);
    let (x, w) = (draw.reals(1000), draw.reals(1000));
    let (x64, w64) = (widen(&x), widen(&w));
    let want = case.forward(&x64, &w64, None);
    let bound = case.forward_bound(&x64, &w64, None);
    let sum: f32 = x.iter().zip(&w).map(|(x, w)| x * w).sum();
    assert_close(&case.to_string(), &[sum], &want, &bound);

    let coarse = |v: f32| f32::from_bits(v.to_bits() & 0xffff_0000);
    let pairs = x.iter().zip(&w);
    let sum: f32 = pairs.map(|(x, w)| coarse(*x) * coarse(*w)).sum();
    refusal(move || assert_close("p", &[sum], &want, &bound));
}

#[test]
fn bounds_count_the_terms_of_their_own_element() {
    let unit = 2f64.powi(-24);
    assert_eq!(rounding_bound(&[3.0], &[2.0]), [6.0 * unit]);
    // Three cells, three taps, padding 1: two terms at the ends and three in the middle, each of size 2.
    let case = ConvCase::new(1, 1, 1, [3], [3]).padding([1]);
    let (x, w) = ([-2.0, 2.0, -2.0], [1.0, -1.0, 1.0]);
    let want = [2.0 * 4.0 * unit, 3.0 * 6.0 * unit, 2.0 * 4.0 * unit];
    assert_eq!(case.forward_bound(&x, &w, None), want);
    assert_eq!(case.backward_data_bound(&x, &w), want);
    assert_eq!(case.backward_weights_bound(&x, &w), want);
    let shifted = case.forward_bound(&x, &w, Some(&[-10.0]));
    assert_eq!(shifted[0], 3.0 * 14.0 * unit);
}
