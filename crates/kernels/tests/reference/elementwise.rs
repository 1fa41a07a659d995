//! Operators on single elements: exact in f64, for they round at most once.

use kernels::Activation;
use kernels::activation::{backward, forward, forward_in_place};
use kernels::dropout::{DropoutKey, dropout};
use kernels::elementwise::{add, add_assign, fill, scale};
use testkit::Draw;
use testkit::activation as oracle;
use testkit::compare::assert_exact;

use crate::every::{reals, result, rounded, run};

/// Shorter than a vector, and longer than a task.
const LENGTHS: [usize; 5] = [0, 1, 17, 32 * 1024, 100_003];

#[test]
fn sums_and_multiples_are_those_of_f64() {
    for len in LENGTHS {
        let mut draw = Draw::new(len as u64);
        let (a, b) = (reals(&mut draw, len), reals(&mut draw, len));
        let got = run("sums", |ctx| {
            let (mut sum, mut assigned) = (result(len), a.clone());
            let (mut scaled, mut filled) = (result(len), result(len));
            add(ctx, &a, &b, &mut sum);
            add_assign(ctx, &mut assigned, &b);
            scale(ctx, &a, 0.1, &mut scaled);
            fill(ctx, &mut filled, 0.1);
            vec![sum, assigned, scaled, filled]
        });
        let sum: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
        assert_exact("add", &got[0], &sum);
        assert_exact("add_assign", &got[1], &sum);
        let scaled: Vec<f64> = a.iter().map(|a| 0.1 * a).collect();
        assert_exact("scale", &got[2], &scaled);
        assert_exact("fill", &got[3], &vec![0.1; len]);
    }
}

#[test]
fn activations_are_those_of_f64_at_and_around_the_kinks() {
    // Next to 6, closer than f32 could tell.
    let mut x = vec![f64::NAN, f64::INFINITY, 0.0, -0.0, 6.0];
    x.extend([6.0 - 1e-12, 6.0 + 1e-12, 1e-300, -1e-300]);
    x.extend(reals(&mut Draw::new(1), 70_000).iter().map(|v| 9.0 * v));
    let dy = reals(&mut Draw::new(2), x.len());
    for kind in [Activation::Relu, Activation::Relu6] {
        let (want, mut want_dx) = match kind {
            Activation::Relu => (oracle::relu(&x), oracle::relu_backward(&x, &dy)),
            Activation::Relu6 => (oracle::relu6(&x), oracle::relu6_backward(&x, &dy)),
        };
        // The slope is read off the output; a NaN there lets nothing pass.
        want_dx[0] = 0.0;
        let got = run("activation", |ctx| {
            let (mut y, mut dx, mut in_place) = (result(x.len()), result(x.len()), x.clone());
            forward(ctx, kind, &x, &mut y);
            forward_in_place(ctx, kind, &mut in_place);
            backward(ctx, kind, &dy, &y, &mut dx);
            vec![y, in_place, dx]
        });
        for (got, want) in got.iter().zip([&want, &want, &want_dx]) {
            assert_exact(&format!("{kind:?}"), got, want);
        }
    }
}

#[test]
fn f64_and_f32_drop_the_same_elements() {
    let len = 70_003;
    let key = DropoutKey {
        seed: 7,
        step: 1000,
        stream: 3,
    };
    let x = reals(&mut Draw::new(3), len);
    let narrow: Vec<f32> = rounded(&x);
    for rate in [0.0, 0.3, 0.75, 1.0] {
        let got = run("f64", |ctx| {
            let mut y = result(len);
            dropout(ctx, &x, rate, key, &mut y);
            vec![y]
        });
        let mask = run("f32", |ctx| {
            let mut y = result(len);
            dropout(ctx, &narrow, rate, key, &mut y);
            vec![y]
        });
        let kept = if rate < 1.0 {
            1.0 / (1.0 - f64::from(rate))
        } else {
            0.0
        };
        let pairs = x.iter().zip(&mask[0]);
        let want: Vec<f64> = pairs
            .map(|(x, &y)| if y == 0.0 { 0.0 } else { x * kept })
            .collect();
        assert_exact(&format!("rate {rate}"), &got[0], &want);
    }
}
