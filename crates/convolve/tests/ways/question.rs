//! An operator on given numbers, and what it has to make of them.

use convolve::graph::Op;
use convolve::runtime::eager::{Element, Given};
use convolve::runtime::{Eager, RuntimeError};
use convolve::tensor::Tensor;
use testkit::compare::difference;

use super::engine::{Way, ways};

/// Extents and elements of a tensor, channels first.
pub(crate) type Operand = (Vec<usize>, Vec<f32>);

/// An operator, what it reads, and what it and its gradients must be, exactly.
pub(crate) struct Question {
    pub(crate) op: Op,
    pub(crate) operands: Vec<Operand>,
    /// The gradient of the first output.
    pub(crate) upstream: Vec<f32>,
    /// Extents and elements of the first output.
    pub(crate) y: (Vec<usize>, Vec<f64>),
    /// The gradients of the first operands.
    pub(crate) gradients: Vec<Vec<f64>>,
}

impl Question {
    /// Computes the operator and its gradients in every way; how many ways there are, or what the first
    /// wrong one made.
    pub(crate) fn ask(&self) -> Result<usize, String> {
        let mut asked = 0;
        for way in ways_of(&self.op) {
            match self.compute::<f32>(&way.eager) {
                // The algorithm does not serve the problem; the last of the list serves all.
                Err(RuntimeError::Plan { .. }) => continue,
                Err(error) => return Err(format!("{}: {error}", way.name)),
                Ok(made) => self.judge(&way.name, &made, |v| f64::from(v as f32))?,
            }
            asked += 1;
        }
        let made = self.compute::<f64>(&ways()[0].eager);
        let made = made.map_err(|error| format!("in f64: {error}"))?;
        self.judge("in f64", &made, |v| v)?;
        Ok(asked + 1)
    }

    /// The first output, and the gradients.
    fn compute<T: Element>(&self, eager: &Eager) -> Result<Vec<Tensor<T>>, RuntimeError> {
        let gradients = self.gradients.len();
        compute(eager, &self.op, &self.operands, &self.upstream, gradients)
    }

    /// Holds what was made against what is wanted, `rounded` to the element type: quotients are rounded
    /// once, everything else is a whole number.
    fn judge<T: Element + Into<f64> + std::fmt::Display>(
        &self,
        way: &str,
        made: &[Tensor<T>],
        rounded: impl Fn(f64) -> f64,
    ) -> Result<(), String> {
        if made[0].dims() != self.y.0 {
            let (got, want) = (made[0].dims(), &self.y.0);
            return Err(format!("{way}: the output is {got:?}, should be {want:?}"));
        }
        let wanted = [&self.y.1].into_iter().chain(&self.gradients);
        for (place, (got, want)) in made.iter().zip(wanted).enumerate() {
            let want: Vec<f64> = want.iter().map(|&v| rounded(v)).collect();
            if let Some(difference) = difference(got.data(), &want) {
                let what = match place {
                    0 => "output".to_owned(),
                    _ => format!("gradient of operand {}", place - 1),
                };
                return Err(format!("{way}: {what}: {difference}"));
            }
        }
        Ok(())
    }
}

/// The ways in which an operator can be computed: there are several algorithms for convolutions only.
fn ways_of(op: &Op) -> impl Iterator<Item = &'static Way> {
    let algorithms = matches!(op, Op::Conv { .. } | Op::Transposed(_));
    let ways = ways().iter();
    ways.filter(move |way| algorithms || way.algorithm.is_none())
}

/// The first output of an operator, and the gradients of its first operands.
fn compute<T: Element>(
    eager: &Eager,
    op: &Op,
    operands: &[Operand],
    upstream: &[f32],
    gradients: usize,
) -> Result<Vec<Tensor<T>>, RuntimeError> {
    let tensors: Vec<Tensor<T>> = operands.iter().map(|(d, v)| tensor(d, v)).collect();
    let given: Vec<_> = tensors.iter().map(Given::Real).collect();
    let y = eager.apply(op.clone(), &given)?.swap_remove(0).real();
    if gradients == 0 || y.data().len() != upstream.len() {
        return Ok(vec![y]);
    }
    let upstream = tensor(y.dims(), upstream);
    let wanted: Vec<usize> = (0..gradients).collect();
    let gradients = eager.pullback(op.clone(), &given, &upstream, &wanted)?;
    Ok([y].into_iter().chain(gradients).collect())
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
    let mut answers = Vec::new();
    for way in ways_of(op) {
        match compute(&way.eager, op, operands, upstream, gradients) {
            Err(RuntimeError::Plan { .. }) => {}
            Err(error) => panic!("{}: {error}", way.name),
            Ok(made) => answers.push((&*way.name, made)),
        }
    }
    answers
}

/// A tensor of any precision from floats of f32.
pub(crate) fn tensor<T: Element>(dims: &[usize], values: &[f32]) -> Tensor<T> {
    let values: Vec<T> = values.iter().map(|&v| T::of(v.into())).collect();
    Tensor::from_slice(dims, &values).unwrap()
}
