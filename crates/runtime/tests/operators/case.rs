//! One operator on given numbers, proved in every way.

use graph::Op;
use runtime::eager::{Element, Given};
use runtime::{Eager, RuntimeOptions};
use tensor::{Layout, Tensor};
use testkit::compare::relative_l2;
use testkit::{Draw, gradient};

/// Engines of both layouts, with one and three threads.
pub(crate) fn engines() -> Vec<(String, Eager)> {
    let mut engines = Vec::new();
    for layout in Layout::ALL {
        for threads in [1, 3] {
            let options = RuntimeOptions {
                layout,
                threads,
                ..RuntimeOptions::default()
            };
            let name = format!("{layout}, {threads} threads");
            engines.push((name, Eager::new(options).unwrap()));
        }
    }
    engines
}

pub(crate) fn tensor<T: Element>(dims: &[usize], values: &[f64]) -> Tensor<T> {
    let values: Vec<T> = values.iter().map(|&v| T::of(v)).collect();
    Tensor::from_slice(dims, &values).unwrap()
}

/// Reals from [−1, 1) that f32 holds.
pub(crate) fn reals(draw: &mut Draw, dims: &[usize]) -> Vec<f64> {
    let len = dims.iter().product();
    draw.reals(len).into_iter().map(f64::from).collect()
}

/// An operator, what it reads, and what it should make.
pub(crate) struct Case {
    pub(crate) op: Op,
    /// Shapes and elements.
    pub(crate) inputs: Vec<(Vec<usize>, Vec<f64>)>,
    /// The gradient of the first output, which has the shape of the first input.
    pub(crate) dy: Vec<f64>,
    /// The first output.
    pub(crate) y: Vec<f64>,
    /// The gradient of each input.
    pub(crate) gradients: Vec<Vec<f64>>,
}

impl Case {
    /// Forward and pullback against what they should be, in both precisions; then in f64 against
    /// difference quotients.
    pub(crate) fn prove(&self) {
        for (engine, eager) in engines() {
            let problem = format!("{:?}, {engine}", self.op);
            self.against_the_oracle::<f32>(&eager, &problem, 3e-6);
            self.against_the_oracle::<f64>(&eager, &problem, 1e-12);
        }
        let (_, eager) = engines().swap_remove(0);
        for (place, (_, values)) in self.inputs.iter().enumerate() {
            let loss = |values: &[f64]| {
                let mut inputs = self.inputs.clone();
                inputs[place].1 = values.to_vec();
                let y = forward::<f64>(&eager, &self.op, &inputs);
                let terms = y.data().iter().zip(&self.dy);
                terms.map(|(y, dy)| y * dy).sum::<f64>()
            };
            let got = &self.pullback::<f64>(&eager)[place];
            if let Err(mismatch) = gradient::check(loss, values, got.data()) {
                panic!("{:?}: input {place}: {mismatch}", self.op);
            }
        }
    }

    fn against_the_oracle<T: Element + Into<f64>>(&self, eager: &Eager, problem: &str, limit: f64) {
        let kind = std::any::type_name::<T>();
        let close = |what: &str, got: &Tensor<T>, want: &[f64]| {
            let error = relative_l2(&wide(got), want);
            assert!(
                error <= limit,
                "{problem} in {kind}: {what} is off by {error:e}"
            );
        };
        close("y", &forward(eager, &self.op, &self.inputs), &self.y);
        for (place, got) in self.pullback::<T>(eager).iter().enumerate() {
            let want = &self.gradients[place];
            close(&format!("gradient {place}"), got, want);
        }
    }

    fn pullback<T: Element>(&self, eager: &Eager) -> Vec<Tensor<T>> {
        let inputs = tensors::<T>(&self.inputs);
        let given: Vec<Given<'_, T>> = inputs.iter().map(Given::Real).collect();
        let places: Vec<usize> = (0..inputs.len()).collect();
        let dy = tensor(&self.inputs[0].0, &self.dy);
        eager
            .pullback(self.op.clone(), &given, &dy, &places)
            .unwrap()
    }
}

fn forward<T: Element>(eager: &Eager, op: &Op, inputs: &[(Vec<usize>, Vec<f64>)]) -> Tensor<T> {
    let inputs = tensors::<T>(inputs);
    let given: Vec<Given<'_, T>> = inputs.iter().map(Given::Real).collect();
    let mut made = eager.apply(op.clone(), &given).unwrap();
    made.swap_remove(0).real()
}

fn tensors<T: Element>(inputs: &[(Vec<usize>, Vec<f64>)]) -> Vec<Tensor<T>> {
    let tensors = inputs.iter().map(|(dims, values)| tensor(dims, values));
    tensors.collect()
}

fn wide<T: Element>(tensor: &Tensor<T>) -> Vec<f64> {
    tensor.data().iter().map(|v| v.wide()).collect()
}
