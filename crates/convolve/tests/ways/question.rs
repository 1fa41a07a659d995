//! An operator on given numbers, and what it has to make of them.

use convolve::graph::Op;
use convolve::runtime::eager::{Element, Given};
use convolve::runtime::{Eager, RuntimeError};
use convolve::tensor::Tensor;
use testkit::compare::difference;

use super::engine::{self, Way, ways};

/// Extents and elements of a tensor, channels first.
pub(crate) type Operand = (Vec<usize>, Vec<f32>);

/// An operator, what it reads, and a gradient of what it makes.
#[derive(Clone, Debug)]
pub(crate) struct Exercise {
    pub(crate) op: Op,
    pub(crate) operands: Vec<Operand>,
    /// The gradient of the first output; empty where no gradient is asked for.
    pub(crate) upstream: Vec<f32>,
    /// The first so many operands have gradients.
    pub(crate) gradients: usize,
}

/// An exercise, and what it must come to, exactly.
pub(crate) struct Question {
    pub(crate) exercise: Exercise,
    /// Extents and elements of the first output.
    pub(crate) y: (Vec<usize>, Vec<f64>),
    /// The gradients of the first operands.
    pub(crate) gradients: Vec<Vec<f64>>,
}

impl Exercise {
    /// The ways in which it can be computed: there are several algorithms for convolutions only.
    fn ways(&self) -> impl Iterator<Item = &'static Way> + use<> {
        let algorithms = matches!(self.op, Op::Conv { .. } | Op::Transposed(_));
        let ways = ways().iter();
        ways.filter(move |way| algorithms || way.algorithm.is_none())
    }

    /// Computes it in every way that serves it, until `judge` is not content with a first output and the
    /// gradients; how many ways there are.
    pub(crate) fn every_way(
        &self,
        mut judge: impl FnMut(&[Tensor<f32>]) -> Result<(), String>,
    ) -> Result<usize, String> {
        let mut asked = 0;
        for way in self.ways() {
            let verdict = match self.compute::<f32>(&way.eager) {
                // The algorithm does not serve the problem; the last of the list serves all.
                Err(RuntimeError::Plan { .. }) => continue,
                made => made
                    .map_err(|error| error.to_string())
                    .and_then(|made| judge(&made)),
            };
            verdict.map_err(|error| format!("{}: {error}", way.name))?;
            asked += 1;
        }
        Ok(asked)
    }

    /// The first output, and the gradients.
    fn compute<T: Element>(&self, eager: &Eager) -> Result<Vec<Tensor<T>>, RuntimeError> {
        let tensors: Vec<Tensor<T>> = self.operands.iter().map(|(d, v)| tensor(d, v)).collect();
        let given: Vec<_> = tensors.iter().map(Given::Real).collect();
        let y = eager.apply(self.op.clone(), &given)?.swap_remove(0).real();
        if self.gradients == 0 || y.data().len() != self.upstream.len() {
            return Ok(vec![y]);
        }
        let upstream = tensor(y.dims(), &self.upstream);
        let wanted: Vec<usize> = (0..self.gradients).collect();
        let gradients = eager.pullback(self.op.clone(), &given, &upstream, &wanted)?;
        Ok([y].into_iter().chain(gradients).collect())
    }
}

impl Question {
    /// Computes the operator and its gradients in every way; how many ways there are, or what the first
    /// wrong one made.
    pub(crate) fn ask(&self) -> Result<usize, String> {
        let exercise = &self.exercise;
        let ways = exercise.every_way(|made| self.judge(made, |v| f64::from(v as f32)))?;
        let made = exercise.compute::<f64>(&engine::ways()[0].eager);
        made.map_err(|error| error.to_string())
            .and_then(|made| self.judge(&made, |v| v))
            .map_err(|error| format!("in f64: {error}"))?;
        Ok(ways + 1)
    }

    /// Holds what was made against what is wanted, `rounded` to the element type: quotients are rounded
    /// once, everything else is a whole number.
    fn judge<T: Element + Into<f64> + std::fmt::Display>(
        &self,
        made: &[Tensor<T>],
        rounded: impl Fn(f64) -> f64,
    ) -> Result<(), String> {
        if made[0].dims() != self.y.0 {
            let (got, want) = (made[0].dims(), &self.y.0);
            return Err(format!("the output is {got:?}, should be {want:?}"));
        }
        let wanted = [&self.y.1].into_iter().chain(&self.gradients);
        for (place, (got, want)) in made.iter().zip(wanted).enumerate() {
            let want: Vec<f64> = want.iter().map(|&v| rounded(v)).collect();
            if let Some(difference) = difference(got.data(), &want) {
                let what = match place {
                    0 => "output".to_owned(),
                    _ => format!("gradient of operand {}", place - 1),
                };
                return Err(format!("{what}: {difference}"));
            }
        }
        Ok(())
    }
}

/// What an operator makes of given numbers in every way that serves it: the way, the first output, and
/// the gradients of the first operands.
#[track_caller]
pub(crate) fn answers(
    op: &Op,
    operands: &[Operand],
    upstream: &[f32],
    gradients: usize,
) -> Vec<(&'static str, Vec<Tensor<f32>>)> {
    let exercise = Exercise {
        op: op.clone(),
        operands: operands.to_vec(),
        upstream: upstream.to_vec(),
        gradients,
    };
    let mut answers = Vec::new();
    for way in exercise.ways() {
        match exercise.compute(&way.eager) {
            Err(RuntimeError::Plan { .. }) => {}
            made => answers.push((&*way.name, made.unwrap())),
        }
    }
    answers
}

/// A tensor of any precision from floats of f32.
pub(crate) fn tensor<T: Element>(dims: &[usize], values: &[f32]) -> Tensor<T> {
    let values: Vec<T> = values.iter().map(|&v| T::of(v.into())).collect();
    Tensor::from_slice(dims, &values).unwrap()
}
