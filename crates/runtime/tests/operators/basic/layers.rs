//! The methods of `Eager` for these operators: that they set the right operators, and refuse.

use runtime::eager::{Element, Parameters};
use runtime::{Eager, Run, RuntimeOptions};
use tensor::Tensor;
use testkit::compare::{assert_relative_l2, widen};
use testkit::dense::DenseCase;
use testkit::loss::CrossEntropy;
use testkit::normalise::{BatchNorm, Statistics};
use testkit::{Draw, compare};

fn engine() -> Eager {
    let options = RuntimeOptions {
        threads: 1,
        ..RuntimeOptions::default()
    };
    Eager::new(options).unwrap()
}

fn tensor<T: Element>(dims: &[usize], values: &[f64]) -> Tensor<T> {
    let values: Vec<T> = values.iter().map(|&v| T::of(v)).collect();
    Tensor::from_slice(dims, &values).unwrap()
}

fn drawn(draw: &mut Draw, len: usize) -> Vec<f64> {
    widen(&draw.reals(len))
}

fn linear<T: Element + compare::Element>(tolerance: f64) {
    let case = DenseCase {
        batch: 3,
        inputs: 7,
        outputs: 5,
    };
    let mut draw = Draw::new(1);
    let [x, w, b] = [21, 35, 5].map(|len| drawn(&mut draw, len));
    let [tx, tw, tb] = [
        tensor::<T>(&[3, 7], &x),
        tensor(&[5, 7], &w),
        tensor(&[5], &b),
    ];
    for bias in [false, true] {
        let y = engine().linear(&tx, &tw, bias.then_some(&tb)).unwrap();
        let want = case.forward(&x, &w, bias.then_some(&b[..]));
        assert_relative_l2("linear", y.data(), &want, tolerance);
    }
}

fn batch_norm<T: Element + compare::Element>(tolerance: f64) {
    let epsilon = 1e-3f32;
    let norm = BatchNorm {
        batch: 3,
        channels: 4,
        spatial: 6,
        epsilon: f64::from(epsilon),
    };
    let mut draw = Draw::new(2);
    let [x, gamma, beta, mean] = [72, 4, 4, 4].map(|len| drawn(&mut draw, len));
    let variance: Vec<f64> = drawn(&mut draw, 4).iter().map(|v| 2.0 + v).collect();
    let given = Statistics {
        mean: mean.clone(),
        variance: variance.clone(),
    };
    let of_batch = norm.statistics(&x);
    let running = norm.running(&given, &of_batch, f64::from(0.2f32));
    let [tg, tb, tm, tv] = [&gamma, &beta, &mean, &variance].map(|v| tensor::<T>(&[4], v));
    let tx = tensor::<T>(&[3, 4, 3, 2], &x);
    let (ones, zeros) = (vec![1.0; 4], vec![0.0; 4]);
    for (parameters, gamma, beta) in [
        (Parameters::none(), &ones, &zeros),
        (Parameters::scale(&tg), &gamma, &zeros),
        (Parameters::new(&tg, &tb), &gamma, &beta),
    ] {
        let y = engine()
            .batch_norm(&tx, &tm, &tv, parameters, epsilon)
            .unwrap();
        let want = norm.forward(&x, gamma, beta, &given);
        assert_relative_l2("given", y.data(), &want, tolerance);
        let made = engine()
            .batch_norm_training(&tx, &tm, &tv, parameters, epsilon, 0.2)
            .unwrap();
        let want = norm.forward(&x, gamma, beta, &of_batch);
        let inv_std = of_batch.variance.iter();
        let inv_std: Vec<f64> = inv_std.map(|v| (v + norm.epsilon).sqrt().recip()).collect();
        for (what, got, want) in [
            ("y", &made.y, &want),
            ("mean", &made.mean, &of_batch.mean),
            ("inv_std", &made.inv_std, &inv_std),
            ("running mean", &made.running_mean, &running.mean),
            ("running variance", &made.running_var, &running.variance),
        ] {
            assert_relative_l2(what, got.data(), want, tolerance);
        }
    }
}

fn cross_entropy<T: Element + compare::Element>(tolerance: f64) {
    let logits = drawn(&mut Draw::new(3), 12);
    let labels = [2, 0, 3];
    let indices = Tensor::from_slice(&[3], &labels.map(|label| label as u32)).unwrap();
    for label_smoothing in [0.0, 0.25] {
        let oracle = CrossEntropy {
            classes: 4,
            labels: &labels,
            smoothing: f64::from(label_smoothing),
        };
        let given = tensor::<T>(&[3, 4], &logits);
        let loss = engine().cross_entropy(&given, &indices, label_smoothing);
        let loss = loss.unwrap();
        assert_eq!(loss.dims(), [0; 0]);
        assert_relative_l2("loss", loss.data(), &[oracle.loss(&logits)], tolerance);
    }
}

#[test]
fn each_computes_what_its_name_says() {
    linear::<f32>(1e-6);
    linear::<f64>(1e-14);
    batch_norm::<f32>(1e-5);
    batch_norm::<f64>(1e-13);
    cross_entropy::<f32>(1e-6);
    cross_entropy::<f64>(1e-14);
}

#[test]
fn dropout_belongs_to_the_seed_and_the_step() {
    let x = Tensor::from_slice(&[2, 500], &[1.0f64; 1000]).unwrap();
    let drop = |seed, step| {
        let eager = engine().seeded(Run { seed, step });
        eager.dropout(&x, 0.25).unwrap().data().to_vec()
    };
    assert_eq!(drop(1, 2), drop(1, 2));
    assert_ne!(drop(1, 2), drop(1, 3));
    assert_ne!(drop(1, 2), drop(2, 2));
    let kept = drop(1, 2).iter().filter(|&&y| y == 1.0 / 0.75).count();
    assert!((650..850).contains(&kept), "{kept} of 1000 kept");
}

#[test]
fn bad_operands_are_refused_with_their_numbers() {
    let eager = engine();
    let x = tensor::<f32>(&[2, 3], &[0.0; 6]);
    let vector = tensor::<f32>(&[4], &[0.0; 4]);
    let matrix = tensor::<f32>(&[4, 5], &[0.0; 20]);
    let of = |dims: &[usize]| tensor::<f32>(dims, &vec![0.0; dims.iter().product()]);
    let label = |label| Tensor::from_slice(&[2], &[0u32, label]).unwrap();
    let norm = |x: &Tensor<f32>, mean: &Tensor<f32>, epsilon| {
        let none = Parameters::none();
        eager.batch_norm(x, mean, mean, none, epsilon).map(|_| ())
    };
    let train = |x: &Tensor<f32>, momentum| {
        let (none, c) = (Parameters::none(), of(&[3]));
        let made = eager.batch_norm_training(x, &c, &c, none, 1e-5, momentum);
        made.map(|_| ())
    };
    let loss = |labels: &Tensor<u32>, smoothing| {
        let made = eager.cross_entropy(&x, labels, smoothing);
        made.map(|_| ())
    };
    for (made, expected) in [
        (eager.linear(&x, &matrix, None).map(|_| ()), "[4, 5]"),
        (
            eager.linear(&x, &of(&[5, 3]), Some(&vector)).map(|_| ()),
            "[5]",
        ),
        (eager.linear(&vector, &matrix, None).map(|_| ()), "[n, f]"),
        (norm(&x, &vector, 1e-5), "[3]"),
        (norm(&vector, &vector, 1e-5), "[n, c, spatial…]"),
        (norm(&x, &of(&[3]), -1.0), "-1"),
        (train(&x, 1.5), "1.5"),
        (train(&of(&[1, 3]), 0.1), "[1, 3]"),
        (
            loss(&label(3), 0.0),
            "label 3 of row 1 is none of 3 classes",
        ),
        (loss(&label(2), -0.5), "-0.5"),
        (loss(&Tensor::from_slice(&[1], &[0]).unwrap(), 0.0), "[1]"),
        (eager.dropout(&x, 1.0).map(|_| ()), "1"),
        (eager.flatten(&vector).map(|_| ()), "[4]"),
    ] {
        let error = made.unwrap_err().to_string();
        assert!(
            error.contains(expected),
            "'{error}' does not say {expected}"
        );
    }
}
