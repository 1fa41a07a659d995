//! Softmax along an axis.

use crate::{assert_near, dot};
use testkit::Draw;
use testkit::compare::widen;
use testkit::gradient::check;
use testkit::loss;
use testkit::softmax::SoftmaxCase;

#[test]
fn by_hand_and_like_rows() {
    let case = SoftmaxCase {
        outer: 1,
        len: 2,
        inner: 2,
    };
    let y = case.softmax(&[0.0, 5.0, 3f64.ln(), 5.0]);
    assert_near(&y, &[0.25, 0.5, 0.75, 0.5], 1e-15);
    let y = case.log_softmax(&[0.0, 500.0, 3f64.ln(), -500.0]);
    assert_near(&y, &[0.25f64.ln(), 0.0, 0.75f64.ln(), -1000.0], 1e-12);

    let x = widen(&Draw::new(1).reals(15));
    let case = SoftmaxCase {
        outer: 3,
        len: 5,
        inner: 1,
    };
    assert_near(&case.softmax(&x), &loss::softmax(&x, 5), 1e-15);
}

#[test]
fn gradients() {
    let mut draw = Draw::new(2);
    let case = SoftmaxCase {
        outer: 2,
        len: 4,
        inner: 3,
    };
    let [x, dy] = [0, 1].map(|_| widen(&draw.reals(case.elements())));
    let softmax = |x: &[f64]| dot(&dy, &case.softmax(x));
    check(softmax, &x, &case.softmax_backward(&x, &dy)).unwrap();
    let log = |x: &[f64]| dot(&dy, &case.log_softmax(x));
    check(log, &x, &case.log_softmax_backward(&x, &dy)).unwrap();
}
