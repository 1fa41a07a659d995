use kernels::Activation;
use kernels::unary::{backward, forward, forward_in_place, slope, value};
use tensor::Unary;
use testkit::Draw;
use testkit::compare::assert_exact;
use testkit::gradient::{ABSOLUTE, RELATIVE, STEP};
use testkit::unary::{self as oracle, Point};

use crate::every::{Tested, alone, operand, reals, result, way};

type Oracle = Box<dyn Fn(f64) -> Point>;

/// Every function with its definition and its kinks.
fn all() -> Vec<(Unary, Oracle, Vec<f64>)> {
    let wide = f64::from;
    let (alpha, beta) = (wide(0.3f32), wide(1.7f32));
    let sixth = wide(1.0f32 / 6.0);
    let (selu_alpha, selu_gamma) = match Unary::SELU {
        Unary::Selu { alpha, gamma } => (wide(alpha), wide(gamma)),
        _ => unreachable!("a selu"),
    };
    let mut list: Vec<(Unary, Oracle, Vec<f64>)> = Vec::new();
    let mut add = |unary, kinks: &[f64], f: Oracle| list.push((unary, f, kinks.to_vec()));
    add(Unary::Relu, &[0.0], Box::new(oracle::relu));
    add(
        Unary::LeakyRelu { alpha: 0.3 },
        &[0.0],
        Box::new(move |x| oracle::leaky_relu(x, alpha)),
    );
    add(
        Unary::Elu { alpha: 1.7 },
        &[0.0],
        Box::new(move |x| oracle::selu(x, beta, 1.0)),
    );
    add(
        Unary::SELU,
        &[0.0],
        Box::new(move |x| oracle::selu(x, selu_alpha, selu_gamma)),
    );
    add(
        Unary::Celu { alpha: 1.7 },
        &[0.0],
        Box::new(move |x| oracle::celu(x, beta)),
    );
    add(
        Unary::ThresholdedRelu { alpha: 0.3 },
        &[alpha],
        Box::new(move |x| oracle::thresholded_relu(x, alpha)),
    );
    add(Unary::Sigmoid, &[], Box::new(oracle::sigmoid));
    add(
        Unary::HardSigmoid {
            alpha: 0.25,
            beta: 0.5,
        },
        &[-2.0, 2.0],
        Box::new(|x| oracle::hard_sigmoid(x, 0.25, 0.5)),
    );
    add(
        Unary::HARD_SIGMOID,
        // In f32 the kinks are 3 and −3.
        &[],
        Box::new(move |x| oracle::hard_sigmoid(x, sixth, 0.5)),
    );
    add(Unary::HardSwish, &[-3.0, 3.0], Box::new(oracle::hard_swish));
    add(Unary::Tanh, &[], Box::new(oracle::tanh));
    add(Unary::Softplus, &[], Box::new(oracle::softplus));
    add(Unary::Softsign, &[], Box::new(oracle::softsign));
    add(Unary::Gelu, &[], Box::new(oracle::gelu));
    add(Unary::GeluTanh, &[], Box::new(oracle::gelu_tanh));
    add(Unary::Mish, &[], Box::new(oracle::mish));
    add(Unary::SILU, &[], Box::new(|x| oracle::swish(x, 1.0)));
    add(
        Unary::Swish { alpha: 1.7 },
        &[],
        Box::new(move |x| oracle::swish(x, beta)),
    );
    add(
        Unary::Clip {
            min: -1.5,
            max: 2.25,
        },
        &[-1.5, 2.25],
        Box::new(|x| oracle::clip(x, -1.5, 2.25)),
    );
    add(
        Unary::Clip {
            min: f32::NEG_INFINITY,
            max: 1.0,
        },
        &[1.0],
        Box::new(|x| oracle::clip(x, f64::NEG_INFINITY, 1.0)),
    );
    add(
        Unary::RELU6,
        &[0.0, 6.0],
        Box::new(|x| oracle::hard_tanh(x, 0.0, 6.0)),
    );
    add(
        Unary::Shrink {
            bias: 0.0,
            lambd: 0.5,
        },
        &[-0.5, 0.5],
        Box::new(|x| oracle::shrink(x, 0.0, 0.5)),
    );
    add(
        Unary::Shrink {
            bias: 0.5,
            lambd: 0.5,
        },
        &[-0.5, 0.5],
        Box::new(|x| oracle::shrink(x, 0.5, 0.5)),
    );
    add(Unary::Erf, &[], Box::new(oracle::error_function));
    add(Unary::Exp, &[], Box::new(oracle::exp));
    add(Unary::Log, &[0.0], Box::new(oracle::log));
    add(Unary::Sqrt, &[0.0], Box::new(oracle::sqrt));
    add(Unary::Neg, &[], Box::new(oracle::neg));
    add(Unary::Abs, &[0.0], Box::new(oracle::abs));
    add(Unary::Reciprocal, &[0.0], Box::new(oracle::reciprocal));
    let whole = [-3.0, -1.0, 0.0, 1.0, 2.0, 8_388_609.0];
    let halves = [-2.5, -1.5, -0.5, 0.5, 1.5, 4_194_303.5, 8_388_609.0];
    add(Unary::Floor, &whole, Box::new(oracle::floor));
    add(Unary::Ceil, &whole, Box::new(oracle::ceil));
    add(Unary::Round, &halves, Box::new(oracle::round));
    add(Unary::Sign, &[0.0], Box::new(oracle::sign));
    list
}

/// The errors allowed to value and slope at `x`: a few roundings of each.
fn allowed<T: Tested>(unary: Unary, x: f64, (value, slope): Point) -> Point {
    // Numbers below the normal ones have fewer digits, and factors of them may have vanished.
    let denormal = T::min_positive_value().wide();
    // Where the argument is scaled first, its rounding is blown up as x is by the function.
    let (scaled, gated) = match unary {
        Unary::Swish { .. } | Unary::GeluTanh => (4.0, true),
        Unary::Gelu | Unary::Mish => (0.0, true),
        Unary::Celu { .. } => (1.0, false),
        // A sum, so it is its terms that are rounded.
        Unary::HardSigmoid { .. } | Unary::HardSwish | Unary::Shrink { .. } => (4.0, true),
        _ => (0.0, false),
    };
    // The slope of x·gate(x) is a sum of two terms, of which one is the gate.
    let gate = if gated && x != 0.0 { value / x } else { 0.0 };
    let size = 10.0 * value.abs() + scaled * (x * slope).abs();
    // What the exponential is taken of has a rounding that grows with it.
    let argument = match unary {
        Unary::GeluTanh => 1.6 * (x.abs() + 0.044_715 * x.abs().powi(3)),
        _ => x,
    };
    let bent = (argument * slope).abs().min(1e3);
    let steep = 12.0 * slope.abs() + 24.0 * gate.abs() + scaled * bent;
    let finite = |bound: f64| if bound.is_nan() { 0.0 } else { bound };
    (
        finite(T::UNIT * size + denormal),
        finite(T::UNIT * steep + denormal),
    )
}

/// Points from −20 to 20, and closer ones around 0.
fn points() -> Vec<f64> {
    let mut points: Vec<f64> = (-100_000..=100_000)
        .map(|step| f64::from(step as f32 * 2e-4))
        .collect();
    points.extend((-3_000..3_000).map(|step| f64::from(1.03f32.powi(step % 3_000 / 2) * 1e-3)));
    points.extend((0..300).map(|step| -f64::from(1.2f32.powi(-step))));
    points.extend((0..300).map(|step| f64::from(1.2f32.powi(-step))));
    points.retain(|x| x.is_finite());
    points
}

fn equals_the_oracle<T: Tested>() {
    let x = points();
    for (unary, oracle, kinks) in all() {
        let x: Vec<f64> = x.iter().copied().chain(kinks).collect();
        let dy = reals(&mut Draw::new(1), x.len());
        let want: Vec<Point> = x.iter().map(|&x| oracle(x)).collect();
        let bounds: Vec<Point> = x
            .iter()
            .zip(&want)
            .map(|(&x, &point)| allowed::<T>(unary, x, point))
            .collect();
        way::<T>(
            &format!("{unary:?}"),
            |context| {
                let operands = operand(&x);
                let (mut y, mut dx) = (result(x.len()), result(x.len()));
                let mut in_place = operand(&x);
                forward(context, unary, &operands, &mut y);
                forward_in_place(context, unary, &mut in_place);
                backward(context, unary, &operands, &operand(&dy), &mut dx);
                vec![y, in_place, dx]
            },
            |problem, got| {
                let check = |what: &str, i: usize, got: T, want: f64, bound: f64| {
                    let (x, got) = (x[i], got.wide());
                    let equal = got == want || (got.is_nan() && want.is_nan());
                    // Beyond the largest number is infinity.
                    let equal = equal || got == T::of(want).wide();
                    assert!(
                        equal || (got - want).abs() <= bound,
                        "{problem}: {what} at {x:e} is {got:e}, should be {want:e} ± {bound:e}"
                    );
                };
                for i in 0..x.len() {
                    let ((value, slope), (near, steep)) = (want[i], bounds[i]);
                    check("value", i, got[0][i], value, near);
                    check("value in place", i, got[1][i], value, near);
                    // A slope beyond the largest number is infinite before its product.
                    let stored = T::of(slope).wide();
                    let slope = if stored.is_finite() { slope } else { stored };
                    let gradient = slope * dy[i];
                    let bound = steep * dy[i].abs() + 2.0 * T::UNIT * gradient.abs();
                    // Below the smallest normal number a slope may have vanished before its product.
                    let tiny = T::min_positive_value().wide();
                    check("gradient", i, got[2][i], gradient, bound + tiny);
                }
            },
        );
    }
}

#[test]
fn equals_the_oracle_in_f32() {
    equals_the_oracle::<f32>();
}

#[test]
fn equals_the_oracle_in_f64() {
    equals_the_oracle::<f64>();
}

#[test]
fn every_length() {
    for len in [0, 1, 7, 16, 33, 70_001] {
        let x = reals(&mut Draw::new(2), len);
        for unary in [Unary::Relu, Unary::Tanh, Unary::Gelu] {
            way::<f32>(
                &format!("{unary:?} of {len}"),
                |context| {
                    let (mut y, mut dx) = (result(len), result(len));
                    let x = operand(&x);
                    forward(context, unary, &x, &mut y);
                    backward(context, unary, &x, &x, &mut dx);
                    vec![y, dx]
                },
                |problem, got| {
                    // The scalar definition, which is what the vectors compute.
                    let value = |&x: &f64| f64::from(value(unary, x as f32));
                    let want: Vec<f64> = x.iter().map(value).collect();
                    assert_exact(problem, &got[0], &want);
                    let gradient = |&x: &f64| f64::from(slope(unary, x as f32) * x as f32);
                    let want: Vec<f64> = x.iter().map(gradient).collect();
                    assert_exact(problem, &got[1], &want);
                },
            );
        }
    }
}

fn extremes<T: Tested>() {
    let (inf, nan, max) = (f64::INFINITY, f64::NAN, f64::from(f32::MAX));
    let x = [nan, inf, -inf, max, -max, 0.0, -0.0];
    for (unary, oracle, _) in all() {
        let want: Vec<Point> = x.iter().map(|&x| oracle(x)).collect();
        way::<T>(
            &format!("{unary:?}"),
            |context| {
                let x = operand(&x);
                let (mut y, mut dx) = (result(x.len()), result(x.len()));
                forward(context, unary, &x, &mut y);
                backward(context, unary, &x, &operand(&[1.0; 7]), &mut dx);
                vec![y, dx]
            },
            |problem, got| {
                for i in 0..x.len() {
                    let (value, slope) = want[i];
                    for (what, got, want) in
                        [("value", got[0][i], value), ("slope", got[1][i], slope)]
                    {
                        let want = T::of(want).wide();
                        let error = (got.wide() - want).abs();
                        let near = error <= 10.0 * T::UNIT * want.abs()
                            || got.wide() == want
                            || (got.is_nan() && want.is_nan());
                        let x = x[i];
                        assert!(near, "{problem}: {what} at {x} is {got}, should be {want}");
                    }
                }
            },
        );
    }
}

#[test]
fn extremes_are_limits_and_a_nan_goes_through() {
    extremes::<f32>();
    extremes::<f64>();
}

#[test]
fn a_shut_gate_passes_nothing() {
    let huge = [f64::INFINITY, f64::NAN];
    for unary in [
        Unary::Relu,
        Unary::RELU6,
        Unary::HardSwish,
        Unary::HARD_SIGMOID,
    ] {
        way::<f32>(
            &format!("{unary:?}"),
            |context| {
                let mut dx = result(2);
                backward(
                    context,
                    unary,
                    &operand(&[-9.0; 2]),
                    &operand(&huge),
                    &mut dx,
                );
                vec![dx]
            },
            |problem, got| assert_exact(problem, &got[0], &[0.0; 2]),
        );
    }
}

#[test]
fn slopes_are_the_limits_of_differences() {
    for (unary, _, kinks) in all() {
        for step in -40..40 {
            let x = f64::from(step) / 7.0 + 0.033;
            let near = |kink: &f64| (kink.abs() - x.abs()).abs() < 1e-3;
            if kinks.iter().any(near) || (x < 0.0 && matches!(unary, Unary::Log | Unary::Sqrt)) {
                continue;
            }
            let quotient = (value(unary, x + STEP) - value(unary, x - STEP)) / (2.0 * STEP);
            let allowed = ABSOLUTE + RELATIVE * quotient.abs();
            let slope = slope(unary, x);
            assert!(
                (slope - quotient).abs() <= allowed,
                "{unary:?}: slope {slope} at {x}, difference quotient {quotient}"
            );
        }
    }
}

#[test]
fn known_values() {
    let close = |unary: Unary, x: f64, want: f64| {
        let (wide, narrow) = (value(unary, x), value(unary, x as f32));
        assert!((wide - want).abs() <= 1e-15, "{unary:?} of {x} is {wide}");
        assert!(
            (f64::from(narrow) - want).abs() <= 1e-7,
            "{unary:?} of {x} is {narrow} in f32"
        );
    };
    close(Unary::Sigmoid, 0.0, 0.5);
    close(Unary::Tanh, 1.0, 0.761_594_155_955_764_9);
    close(Unary::Softplus, 0.0, std::f64::consts::LN_2);
    close(Unary::Softsign, -3.0, -0.75);
    close(Unary::Gelu, 1.0, 0.841_344_746_068_542_9);
    close(Unary::GeluTanh, 1.0, 0.841_191_990_608_276_8);
    close(Unary::Mish, 1.0, 0.865_098_388_267_310_3);
    close(Unary::SILU, 1.0, 0.731_058_578_630_004_9);
    close(Unary::Erf, 0.5, 0.520_499_877_813_046_5);
    close(Unary::Elu { alpha: 1.0 }, -1.0, -0.632_120_558_828_557_7);
    close(Unary::HardSwish, 1.0, 2.0 / 3.0);
    assert_eq!(value(Unary::HARD_SIGMOID, 3.0f32), 1.0);
    assert_eq!(slope(Unary::HARD_SIGMOID, 3.0f32), 0.0);
    assert_eq!(slope(Unary::HARD_SIGMOID, -3.0f32), 0.0);
    let crossed = Unary::Clip { min: 3.0, max: 2.0 };
    assert_eq!(value(crossed, 5.0f32), 2.0);
    assert_eq!(Unary::from(Activation::Relu6), Unary::RELU6);
}

#[test]
#[should_panic(expected = "tanh: x and y differ in length")]
fn unequal_lengths_are_refused() {
    alone(|context| forward(context, Unary::Tanh, &[0.0f32; 3], &mut [0.0; 2]));
}
