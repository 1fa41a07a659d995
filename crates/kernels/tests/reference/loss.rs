use kernels::softmax::{CrossEntropy, reference, softmax};
use testkit::compare::{assert_exact, widen};
use testkit::{Draw, gradient, loss as oracle};

use crate::every::{TIGHT, assert_within, reals, result, rounded, run};

/// What the quick kernel may be off: see its own tests.
const QUICK: f64 = 56.0 / (1 << 24) as f64;

#[test]
fn probabilities_and_loss_equal_the_oracle_in_f64() {
    for (rows, classes) in [(1, 1), (3, 2), (128, 10), (5, 33), (9, 1000), (40, 2000)] {
        let mut draw = Draw::new(classes as u64);
        let logits = reals(&mut draw, rows * classes);
        let logits: Vec<f64> = logits.iter().map(|v| 20.0 * v).collect();
        let labels = draw.labels(rows, classes);
        let labels_u32: Vec<u32> = labels.iter().map(|&l| l as u32).collect();
        for smoothing in [0.0, 0.1, 1.0f32] {
            let name = format!("{rows}x{classes} smoothing {smoothing}");
            let problem = CrossEntropy {
                labels: &labels_u32,
                classes,
                label_smoothing: smoothing,
            };
            let got = run(&name, |ctx| {
                let (mut y, mut dx) = (result(logits.len()), result(logits.len()));
                let scratch = &mut result(CrossEntropy::scratch_len(rows));
                reference::softmax(ctx, &logits, rows, classes, &mut y);
                let loss = reference::cross_entropy(ctx, &problem, &logits, scratch);
                reference::cross_entropy_backward(ctx, &problem, &logits, 0.5, &mut dx);
                vec![y, vec![loss], dx]
            });
            let want = oracle::softmax(&logits, classes);
            assert_within(&name, &got[0], &want, &want, TIGHT);
            let oracle = oracle::CrossEntropy {
                classes,
                labels: &labels,
                smoothing: f64::from(smoothing),
            };
            let loss = oracle.loss(&logits);
            assert_within(&name, &got[1], &[loss], &[loss + 40.0], TIGHT);
            let want: Vec<f64> = oracle.gradient(&logits).iter().map(|g| 0.5 * g).collect();
            let sizes = vec![1.0 / rows as f64; want.len()];
            assert_within(&name, &got[2], &want, &sizes, TIGHT);
        }
    }
}

#[test]
fn the_quick_kernels_are_near_the_definition() {
    let (rows, classes) = (23, 70);
    let mut draw = Draw::new(8);
    let logits = reals(&mut draw, rows * classes);
    let logits: Vec<f64> = logits.iter().map(|v| 20.0 * v).collect();
    let logits: Vec<f32> = rounded(&logits);
    let labels: Vec<u32> = (0..rows as u32).collect();
    let problem = CrossEntropy {
        labels: &labels,
        classes,
        label_smoothing: 0.1,
    };
    let got = run("both", |ctx| {
        let [mut quick, mut slow] = [(); 2].map(|()| result(logits.len()));
        let [mut quick_dx, mut slow_dx] = [(); 2].map(|()| result(logits.len()));
        let scratch = &mut result(CrossEntropy::scratch_len(rows));
        softmax(ctx, &logits, rows, classes, &mut quick);
        reference::softmax(ctx, &logits, rows, classes, &mut slow);
        problem.backward(ctx, &logits, 2.0, &mut quick_dx);
        reference::cross_entropy_backward(ctx, &problem, &logits, 2.0, &mut slow_dx);
        let quick_loss = vec![problem.forward(ctx, &logits, scratch)];
        let slow_loss = vec![reference::cross_entropy(ctx, &problem, &logits, scratch)];
        vec![quick, slow, quick_dx, slow_dx, quick_loss, slow_loss]
    });
    let wide = |place: usize| widen(&got[place]);
    assert_within("softmax", &got[0], &wide(1), &wide(1), QUICK);
    let sizes = vec![2.0 / rows as f64; logits.len()];
    assert_within("gradient", &got[2], &wide(3), &sizes, QUICK);
    assert_within(
        "loss",
        &got[4],
        &wide(5),
        &[f64::from(got[5][0]) + 40.0],
        QUICK,
    );
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    let (rows, classes) = (3, 5);
    let logits = reals(&mut Draw::new(9), rows * classes);
    for label_smoothing in [0.0, 0.1, 1.0] {
        let problem = CrossEntropy {
            labels: &[4, 0, 2],
            classes,
            label_smoothing,
        };
        let loss = |logits: &[f64]| {
            let got = run("loss", |ctx| {
                let scratch = &mut result(CrossEntropy::scratch_len(rows));
                vec![vec![reference::cross_entropy(
                    ctx, &problem, logits, scratch,
                )]]
            });
            3.0 * got[0][0]
        };
        let analytic = run("gradient", |ctx| {
            let mut dx = result(logits.len());
            reference::cross_entropy_backward(ctx, &problem, &logits, 3.0, &mut dx);
            vec![dx]
        });
        gradient::check(loss, &logits, &analytic[0]).unwrap();
    }
}

#[test]
fn logits_of_any_size_do_not_overflow_and_a_nan_spoils_its_row_only() {
    let x = [1e300, -1e300, f64::MAX, f64::MIN, 0.0, f64::NEG_INFINITY];
    let problem = CrossEntropy {
        labels: &[0, 0, 0],
        classes: 2,
        label_smoothing: 0.0,
    };
    let got = run("huge", |ctx| {
        let (mut y, mut scratch) = (result(6), result(3));
        reference::softmax(ctx, &x, 3, 2, &mut y);
        let loss = reference::cross_entropy(ctx, &problem, &x, &mut scratch);
        vec![y, vec![loss]]
    });
    assert_exact("huge", &got[0], &[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    assert_exact("huge", &got[1], &[0.0]);
    let x = [0.0, f64::NAN, 0.0, 0.0, f64::INFINITY, 0.0];
    let got = run("nan", |ctx| {
        let mut y = result(6);
        reference::softmax(ctx, &x, 3, 2, &mut y);
        vec![y]
    });
    let nan = f64::NAN;
    assert_exact("nan", &got[0], &[nan, nan, 0.5, 0.5, nan, nan]);
}
