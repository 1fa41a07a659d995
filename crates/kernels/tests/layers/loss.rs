use kernels::softmax::{CrossEntropy, softmax};
use testkit::Draw;
use testkit::compare::{assert_close, assert_exact, widen};
use testkit::loss as oracle;

use crate::every::{operand, result, way};

/// Relative error of an exponential and of a sum of them: the logits are up to 40 apart, and their
/// difference is rounded before it is the exponent.
const EPSILON: f64 = 56.0 / (1 << 24) as f64;

#[test]
fn probabilities_and_loss_equal_the_oracle() {
    for (rows, classes) in [
        (1, 1),
        (3, 2),
        (7, 10),
        (128, 10),
        (5, 33),
        (9, 1000),
        (1, 5000),
    ] {
        let mut draw = Draw::new(classes as u64);
        let logits: Vec<f32> = draw
            .reals(rows * classes)
            .iter()
            .map(|v| 20.0 * v)
            .collect();
        let wide = widen(&logits);
        let labels = draw.labels(rows, classes);
        let labels_u32: Vec<u32> = labels.iter().map(|&l| l as u32).collect();
        for smoothing in [0.0, 0.1, 1.0] {
            let problem = CrossEntropy {
                labels: &labels_u32,
                classes,
                label_smoothing: smoothing,
            };
            way(
                &format!("{rows}x{classes} smoothing {smoothing}"),
                |context| {
                    let x = operand(&logits);
                    let (mut y, mut gradient) = (result(x.len()), result(x.len()));
                    let mut scratch = result(CrossEntropy::scratch_len(rows));
                    softmax(context, &x, rows, classes, &mut y);
                    let loss = problem.forward(context, &x, &mut scratch);
                    problem.backward(context, &x, 0.5, &mut gradient);
                    vec![y.to_vec(), vec![loss], gradient.to_vec()]
                },
                |name, got| {
                    let want = oracle::softmax(&wide, classes);
                    let bound: Vec<f64> = want.iter().map(|p| EPSILON * p + 1e-37).collect();
                    assert_close(name, &got[0], &want, &bound);

                    let oracle = oracle::CrossEntropy {
                        classes,
                        labels: &labels,
                        smoothing: f64::from(smoothing),
                    };
                    let loss = oracle.loss(&wide);
                    // The loss is a difference of logits of up to 20.
                    assert_close(name, &got[1], &[loss], &[EPSILON * (loss + 40.0)]);
                    let want: Vec<f64> = oracle.gradient(&wide).iter().map(|g| 0.5 * g).collect();
                    let bound = vec![EPSILON / rows as f64; want.len()];
                    assert_close(name, &got[2], &want, &bound);
                },
            );
        }
    }
}

#[test]
fn logits_of_any_size_do_not_overflow() {
    let x = [1e30, -1e30, 3e38, -f32::MAX, 0.0, f32::NEG_INFINITY];
    way(
        "huge",
        |context| {
            let (mut y, mut scratch) = (result(6), result(3));
            softmax(context, &operand(&x), 3, 2, &mut y);
            let problem = CrossEntropy {
                labels: &[0, 0, 0],
                classes: 2,
                label_smoothing: 0.0,
            };
            let loss = problem.forward(context, &x, &mut scratch);
            vec![y.to_vec(), vec![loss]]
        },
        |problem, got| {
            assert_exact(problem, &got[0], &[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
            assert_exact(problem, &got[1], &[0.0]);
        },
    );
}

#[test]
fn a_nan_spoils_its_row_only() {
    let x = [0.0, f32::NAN, 0.0, 0.0];
    way(
        "nan",
        |context| {
            let mut y = result(4);
            softmax(context, &operand(&x), 2, 2, &mut y);
            vec![y.to_vec()]
        },
        |problem, got| assert_exact(problem, &got[0], &[f64::NAN, f64::NAN, 0.5, 0.5]),
    );
}

#[test]
#[should_panic(expected = "label 10 of 10 classes")]
fn a_label_that_is_no_class_is_refused() {
    let team = kernels::Team::new(1).unwrap();
    let context = kernels::Context {
        team: &team,
        isa: kernels::Isa::chosen(),
    };
    let problem = CrossEntropy {
        labels: &[10],
        classes: 10,
        label_smoothing: 0.0,
    };
    problem.forward(&context, &[0.0; 10], &mut [0.0]);
}
