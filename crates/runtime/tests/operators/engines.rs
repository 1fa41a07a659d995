//! One operator on every engine: f32 in both layouts and with one and three threads, and f64.

use graph::Op;
use runtime::eager::Element;
use runtime::{Eager, RuntimeOptions};
use tensor::{Layout, Tensor};
use testkit::compare::{assert_close, assert_exact};
use testkit::gradient;

/// A tensor as its extents and elements.
pub(crate) type Given = (Vec<usize>, Vec<f64>);

/// What an operator has to make of its inputs.
pub(crate) struct Want {
    /// Its output.
    pub(crate) y: Given,
    /// A gradient of the output, and the gradients of all inputs it has to become.
    pub(crate) dy: Vec<f64>,
    pub(crate) gradients: Vec<Vec<f64>>,
    /// How far f32 may be off, 0 for exact results.
    pub(crate) tolerance: f64,
}

fn engines() -> Vec<(String, Eager)> {
    let mut engines = Vec::new();
    for layout in Layout::ALL {
        for threads in [1, 3] {
            let options = RuntimeOptions {
                layout,
                threads,
                ..RuntimeOptions::default()
            };
            let name = format!("{layout} on {threads} threads");
            engines.push((name, Eager::new(options).unwrap()));
        }
    }
    engines
}

/// An engine for f64 and for refusals.
pub(crate) fn engine() -> Eager {
    Eager::new(RuntimeOptions {
        threads: 1,
        ..RuntimeOptions::default()
    })
    .unwrap()
}

/// Elements in the precision of an engine.
pub(crate) fn tensor<T: Element>(dims: &[usize], elements: &[f64]) -> Tensor<T> {
    let elements: Vec<T> = elements.iter().map(|&v| T::of(v)).collect();
    Tensor::from_slice(dims, &elements).unwrap()
}

/// The output of an operator and the gradients of all its inputs.
fn compute<T: Element>(eager: &Eager, op: &Op, inputs: &[Given], dy: &[f64]) -> Vec<Tensor<T>> {
    let tensors: Vec<Tensor<T>> = inputs.iter().map(|(d, v)| tensor(d, v)).collect();
    let given: Vec<_> = tensors.iter().map(Into::into).collect();
    let y = eager.apply(op.clone(), &given).unwrap().remove(0).real();
    let upstream = tensor(y.dims(), dy);
    let wanted: Vec<usize> = (0..inputs.len()).collect();
    let gradients = eager.pullback(op.clone(), &given, &upstream, &wanted);
    [vec![y], gradients.unwrap()].concat()
}

/// Holds an operator against what is wanted of it, on every engine.
#[track_caller]
pub(crate) fn assert_operator(op: &Op, inputs: &[Given], want: &Want) {
    let lists: Vec<&[f64]> = [&want.y.1[..]]
        .into_iter()
        .chain(want.gradients.iter().map(|g| &g[..]))
        .collect();
    for (name, eager) in engines() {
        let made = compute::<f32>(&eager, op, inputs, &want.dy);
        assert_eq!(made[0].dims(), want.y.0, "{op:?}");
        for (place, (got, want_list)) in made.iter().zip(&lists).enumerate() {
            let problem = format!("{op:?} {name}: result {place}");
            if want.tolerance == 0.0 {
                assert_exact(&problem, got.data(), want_list);
            } else {
                let bound = vec![want.tolerance; want_list.len()];
                assert_close(&problem, got.data(), want_list, &bound);
            }
        }
    }
    let made = compute::<f64>(&engine(), op, inputs, &want.dy);
    for (place, (got, want)) in made.iter().zip(&lists).enumerate() {
        for (got, want) in got.data().iter().zip(*want) {
            // Infinities are equal and have no difference.
            let near = got == want || (got - want).abs() <= 1e-12 * (1.0 + want.abs());
            assert!(near, "{op:?} in f64: result {place} has {got}, not {want}");
        }
    }
}

/// Holds the gradients of all inputs, as the graph computes them in f64, against differences.
#[track_caller]
pub(crate) fn assert_slopes(op: &Op, inputs: &[Given], dy: &[f64]) {
    let eager = engine();
    let made = compute::<f64>(&eager, op, inputs, dy);
    for (place, gradient) in made[1..].iter().enumerate() {
        let objective = |x: &[f64]| {
            let mut inputs = inputs.to_vec();
            inputs[place].1 = x.to_vec();
            let tensors: Vec<Tensor<f64>> = inputs.iter().map(|(d, v)| tensor(d, v)).collect();
            let given: Vec<_> = tensors.iter().map(Into::into).collect();
            let y = eager.apply(op.clone(), &given).unwrap().remove(0).real();
            y.data().iter().zip(dy).map(|(y, dy)| y * dy).sum()
        };
        let checked = gradient::check(objective, &inputs[place].1, gradient.data());
        checked.unwrap_or_else(|error| panic!("{op:?} input {place}: {error}"));
    }
}
