//! One operator on drawn operands: f64 against the oracle and against differences, f32 against f64.

use graph::Op;
use kernels::Isa;
use runtime::eager::{Element, Given, Made};
use runtime::{Eager, Run, RuntimeOptions};
use tensor::{Layout, Tensor};
use testkit::compare::{assert_close, assert_relative_l2, widen};
use testkit::{Draw, gradient};

/// What remains of 53 bits after the sums of a case.
const TIGHT: f64 = 1e-12;

/// And of 24 bits.
const ROUNDED: f64 = 1e-5;

/// The seed and step of every run here.
pub(crate) const RUN: Run = Run { seed: 5, step: 7 };

/// An operand, channels first. Its numbers are floats of f32, so that both precisions get the same.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Real(Vec<usize>, Vec<f64>),
    Index(Vec<usize>, Vec<u32>),
}

/// An operator and its operands.
pub(crate) struct Case {
    op: Op,
    draw: Draw,
    operands: Vec<Operand>,
    wanted: Vec<usize>,
}

impl Case {
    pub(crate) fn of(op: Op) -> Self {
        Self {
            op,
            draw: Draw::new(17),
            operands: Vec::new(),
            wanted: Vec::new(),
        }
    }

    /// One more operand, drawn from `middle ± 1` times `scale`.
    pub(crate) fn given(mut self, dims: &[usize], middle: f32, scale: f32) -> Self {
        let values = self.draw.reals(dims.iter().product());
        let values = values.iter().map(|v| f64::from((middle + v) * scale));
        let operand = Operand::Real(dims.to_vec(), values.collect());
        self.operands.push(operand);
        self
    }

    /// One more operand, drawn from ±1, that has a gradient.
    pub(crate) fn real(self, dims: &[usize]) -> Self {
        self.around(dims, 0.0, 1.0)
    }

    /// As [`Case::given`], with a gradient.
    pub(crate) fn around(mut self, dims: &[usize], middle: f32, scale: f32) -> Self {
        self.wanted.push(self.operands.len());
        self.given(dims, middle, scale)
    }

    /// One more operand, of indices.
    pub(crate) fn index(mut self, dims: &[usize], values: &[u32]) -> Self {
        let operand = Operand::Index(dims.to_vec(), values.to_vec());
        self.operands.push(operand);
        self
    }

    /// How many operands there are so far.
    pub(crate) fn operands(&self) -> usize {
        self.operands.len()
    }

    /// The numbers of an operand.
    pub(crate) fn values(&self, place: usize) -> &[f64] {
        match &self.operands[place] {
            Operand::Real(_, values) => values,
            Operand::Index(..) => panic!("operand {place} holds indices"),
        }
    }

    /// Checks the first outputs against `want`, all of them and all gradients between precisions,
    /// and the gradients in f64 against differences.
    pub(crate) fn check(self, want: &[Vec<f64>]) {
        let op = &self.op;
        let precise = eager(Layout::default(), 1);
        let outputs = self.apply::<f64>(&precise, &self.operands);
        assert!(outputs.len() >= want.len(), "{op:?}: outputs");
        for (place, (got, want)) in outputs.iter().zip(want).enumerate() {
            let size = want.iter().fold(1.0f64, |size, v| size.max(v.abs()));
            let problem = format!("{op:?} output {place}");
            assert_close(&problem, got, want, &vec![TIGHT * size; want.len()]);
        }
        let gradients = if self.wanted.is_empty() {
            Vec::new()
        } else {
            self.gradients(&precise)
        };
        for layout in Layout::ALL {
            let [alone, together] = [1, 3].map(|threads| {
                let eager = eager(layout, threads);
                let mut made = self.apply::<f32>(&eager, &self.operands);
                made.extend(self.pullback::<f32>(&eager, self.upstream(&outputs)));
                made
            });
            let problem = format!("{op:?} {layout}");
            assert_eq!(alone, together, "{problem}: 1 and 3 threads");
            assert_eq!(alone.len(), outputs.len() + gradients.len(), "{problem}");
            for (got, want) in alone.iter().zip(outputs.iter().chain(&gradients)) {
                assert_relative_l2(&problem, got, want, ROUNDED);
            }
        }
    }

    /// The gradients of the product of the first output and a drawn tensor, checked to be its slopes.
    fn gradients(&self, eager: &Eager) -> Vec<Vec<f64>> {
        let outputs = self.apply::<f64>(eager, &self.operands);
        let upstream = self.upstream(&outputs);
        let gradients = self.pullback::<f64>(eager, upstream.clone());
        for (&place, gradient) in self.wanted.iter().zip(&gradients) {
            let along = |at: &[f64]| {
                let mut moved = self.operands.clone();
                if let Operand::Real(_, values) = &mut moved[place] {
                    values.copy_from_slice(at);
                }
                let y = &self.apply::<f64>(eager, &moved)[0];
                y.iter().zip(&upstream).map(|(y, dy)| y * dy).sum()
            };
            if let Err(mismatch) = gradient::check(along, self.values(place), gradient) {
                panic!("{:?}, operand {place}: {mismatch}", self.op);
            }
        }
        gradients
    }

    /// A gradient of the first output.
    fn upstream(&self, outputs: &[Vec<f64>]) -> Vec<f64> {
        widen(&Draw::new(18).reals(outputs[0].len()))
    }

    /// All outputs; indices as numbers.
    fn apply<T: Element>(&self, eager: &Eager, operands: &[Operand]) -> Vec<Vec<f64>> {
        let tensors = Tensors::<T>::of(operands);
        let made = eager.apply(self.op.clone(), &tensors.given()).unwrap();
        made.into_iter()
            .map(|made| match made {
                Made::Real(tensor) => numbers(&tensor),
                Made::Index(tensor) => tensor.data().iter().map(|&i| f64::from(i)).collect(),
            })
            .collect()
    }

    /// The gradients wanted.
    fn pullback<T: Element>(&self, eager: &Eager, upstream: Vec<f64>) -> Vec<Vec<f64>> {
        if self.wanted.is_empty() {
            return Vec::new();
        }
        let tensors = Tensors::<T>::of(&self.operands);
        let dims = {
            let made = eager.apply(self.op.clone(), &tensors.given()).unwrap();
            made.into_iter().next().unwrap().real().dims().to_vec()
        };
        let upstream = tensor(&dims, &upstream);
        let given = tensors.given();
        let gradients = eager.pullback(self.op.clone(), &given, &upstream, &self.wanted);
        gradients.unwrap().iter().map(numbers).collect()
    }
}

fn eager(layout: Layout, threads: usize) -> Eager {
    let options = RuntimeOptions {
        layout,
        threads,
        isa: Isa::best(),
        algorithm: None,
        ..RuntimeOptions::default()
    };
    Eager::new(options).unwrap().seeded(RUN)
}

fn tensor<T: Element>(dims: &[usize], values: &[f64]) -> Tensor<T> {
    let values: Vec<T> = values.iter().map(|&v| T::of(v)).collect();
    Tensor::from_slice(dims, &values).unwrap()
}

fn numbers<T: Element>(tensor: &Tensor<T>) -> Vec<f64> {
    tensor.data().iter().map(|v| v.wide()).collect()
}

/// Operands as tensors.
struct Tensors<T>(Vec<Made<T>>);

impl<T: Element> Tensors<T> {
    fn of(operands: &[Operand]) -> Self {
        let tensors = operands.iter().map(|operand| match operand {
            Operand::Real(dims, values) => Made::Real(tensor(dims, values)),
            Operand::Index(dims, values) => Made::Index(Tensor::from_slice(dims, values).unwrap()),
        });
        Self(tensors.collect())
    }

    fn given(&self) -> Vec<Given<'_, T>> {
        let given = self.0.iter().map(|operand| match operand {
            Made::Real(tensor) => Given::Real(tensor),
            Made::Index(tensor) => Given::Index(tensor),
        });
        given.collect()
    }
}
