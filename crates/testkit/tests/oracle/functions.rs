//! Functions of one element: known values, slopes against differences, slopes at the kinks.

use crate::assert_near;
use testkit::special::{erf, erfc};
use testkit::unary::{self, Point};

/// Every function with a name and parameters that make all its pieces matter.
/// A function by its name.
type Named = (&'static str, fn(f64) -> Point);

fn all() -> Vec<Named> {
    vec![
        ("relu", unary::relu),
        ("leaky relu", |x| unary::leaky_relu(x, 0.1)),
        ("thresholded relu", |x| unary::thresholded_relu(x, 0.7)),
        ("selu", |x| unary::selu(x, 1.7, 1.1)),
        ("celu", |x| unary::celu(x, 1.5)),
        ("sigmoid", unary::sigmoid),
        ("hard sigmoid", |x| unary::hard_sigmoid(x, 0.2, 0.5)),
        ("hard swish", unary::hard_swish),
        ("tanh", unary::tanh),
        ("softplus", unary::softplus),
        ("softsign", unary::softsign),
        ("gelu", unary::gelu),
        ("gelu tanh", unary::gelu_tanh),
        ("mish", unary::mish),
        ("swish", |x| unary::swish(x, 1.3)),
        ("clip", |x| unary::clip(x, -1.2, 2.1)),
        ("hard tanh", |x| unary::hard_tanh(x, -1.2, 2.1)),
        ("hard shrink", |x| unary::shrink(x, 0.0, 0.8)),
        ("soft shrink", |x| unary::shrink(x, 0.8, 0.8)),
        ("erf", unary::error_function),
        ("exp", unary::exp),
        ("log", unary::log),
        ("sqrt", unary::sqrt),
        ("neg", unary::neg),
        ("abs", unary::abs),
        ("reciprocal", unary::reciprocal),
    ]
}

#[test]
fn slopes_are_the_limits_of_differences() {
    for (name, f) in all() {
        // No kink lies on a multiple of 1/4 plus 1/8.
        for step in -24..24 {
            let x = f64::from(step) / 4.0 + 0.125;
            if matches!(name, "log" | "sqrt") && x < 0.0 {
                continue;
            }
            let width = 1e-6;
            let quotient = (f(x + width).0 - f(x - width).0) / (2.0 * width);
            let slope = f(x).1;
            assert!(
                (slope - quotient).abs() <= 1e-7 + 1e-7 * quotient.abs(),
                "{name}: slope {slope} at {x}, difference quotient {quotient}"
            );
        }
    }
}

#[test]
fn slopes_at_the_kinks_are_pytorchs() {
    let slopes = |f: fn(f64) -> Point, at: [f64; 2]| at.map(|x| f(x).1);
    assert_eq!(unary::relu(0.0).1, 0.0);
    assert_eq!(unary::leaky_relu(0.0, 0.1).1, 0.1);
    assert_eq!(unary::selu(0.0, 1.5, 2.0).1, 3.0);
    assert_eq!(unary::celu(0.0, 1.5).1, 1.0);
    assert_eq!(unary::thresholded_relu(0.5, 0.5), (0.0, 0.0));
    assert_eq!(slopes(unary::hard_swish, [-3.0, 3.0]), [0.0, 1.0]);
    assert_eq!(
        slopes(|x| unary::clip(x, -1.0, 2.0), [-1.0, 2.0]),
        [1.0, 1.0]
    );
    let f = |x| unary::hard_tanh(x, -1.0, 2.0);
    assert_eq!(slopes(f, [-1.0, 2.0]), [0.0, 0.0]);
    let f = |x| unary::hard_sigmoid(x, 0.25, 0.5);
    assert_eq!(slopes(f, [-2.0, 2.0]), [0.0, 0.0]);
    let f = |x| unary::shrink(x, 0.0, 0.5);
    assert_eq!(slopes(f, [-0.5, 0.5]), [0.0, 0.0]);
    assert_eq!(unary::abs(0.0).1, 0.0);
    assert_eq!(unary::sqrt(0.0).1, f64::INFINITY);
}

#[test]
fn known_values() {
    // Abramowitz & Stegun, tables 7.1 and 7.3, and π/4-free identities.
    let values = [erf(0.5), erf(1.0), erf(2.0), erfc(0.5), erfc(2.0)];
    let want = [
        0.520_499_877_813_046_5,
        0.842_700_792_949_714_9,
        0.995_322_265_018_952_7,
        0.479_500_122_186_953_5,
        0.004_677_734_981_047_266,
    ];
    assert_near(&values, &want, 1e-15);
    let relative = erfc(5.0) / 1.537_459_794_428_035e-12 - 1.0;
    assert!(relative.abs() < 1e-14, "erfc(5) is off by {relative:e}");
    for x in [0.1, 1.9, 1.999_999, 2.0, 2.000_001, 3.0] {
        assert_near(&[erf(x) + erfc(x), erf(-x) + erf(x)], &[1.0, 0.0], 2e-15);
        assert_near(&[erfc(-x) + erfc(x)], &[2.0], 2e-15);
    }

    let ln2 = 2f64.ln();
    let values = [
        unary::sigmoid(ln2).0,
        unary::tanh(ln2).0,
        unary::softplus(0.0).0,
        unary::softsign(-3.0).0,
        unary::swish(ln2, 1.0).0,
        // tanh(ln(1 + e^0)) = 3/5
        unary::mish(0.0).1,
        unary::gelu(1.0).0,
        unary::gelu(0.0).1,
    ];
    let want = [
        2.0 / 3.0,
        0.6,
        ln2,
        -0.75,
        ln2 * 2.0 / 3.0,
        0.6,
        0.841_344_746_068_542_9,
        0.5,
    ];
    assert_near(&values, &want, 1e-15);
    assert_near(&[unary::hard_swish(1.0).0], &[2.0 / 3.0], 1e-15);
    assert_eq!(unary::shrink(-2.0, 0.5, 1.0).0, -1.5);
    assert_eq!(unary::clip(5.0, 3.0, 2.0).0, 2.0);
}

#[test]
fn prelu_by_hand() {
    let x = [-2.0, 3.0, 0.0, -1.0];
    let (y, dx, dslopes) = unary::prelu(&x, &[0.5, 0.25], &[1.0, 2.0, 3.0, 4.0], |i| i / 2);
    assert_eq!(y, [-1.0, 3.0, 0.0, -0.25]);
    assert_eq!(dx, [0.5, 2.0, 0.75, 1.0]);
    assert_eq!(dslopes, [-2.0, -4.0]);
}
