//! Sums, means and maxima over axes.

use geometry::{MAX_AXES, Reduction};
use tensor::Layout;

use super::fold::{FoldPlan, Largest, Sum};
use super::map::map;
use super::term::{Binary, Term};
use crate::nest::{Loop, Nest, memory_order, strides};
use crate::{Context, Real};

/// What axes are brought down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReduceKind {
    /// The sum.
    Sum,
    /// The mean; NaN where there is nothing.
    Mean,
    /// The maximum; NaN if one is, −∞ where there is nothing. Equal maxima share the gradient, as in
    /// PyTorch's `amax`.
    Max,
}

impl ReduceKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Sum, Self::Mean, Self::Max];
}

/// A reduction of a tensor of a given shape and layout; the result keeps the reduced axes with extent 1,
/// and lies as the input does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reduce {
    /// What becomes of the axes.
    pub kind: ReduceKind,
    /// The shapes, channels first.
    pub shapes: Reduction,
    /// How input and result lie, where they have more than two axes.
    pub layout: Layout,
}

/// How an operand moves through the loops over the input.
#[derive(Clone, Copy)]
enum Along {
    /// As the input does.
    Input,
    /// As the result does: it stands still on the reduced axes.
    Result,
    /// Not at all.
    Nothing,
}

impl Reduce {
    /// Elements of `scratch` that [`Reduce::forward`] needs.
    pub fn scratch_len(&self) -> usize {
        self.fold().scratch_len()
    }

    /// `y` = the sum, mean or maximum of `x` over the reduced axes. Sums are kept in f64.
    ///
    /// # Panics
    /// When a slice has not the size the shapes give, or `scratch` is shorter than
    /// [`Reduce::scratch_len`].
    pub fn forward<T: Real>(&self, context: &Context, x: &[T], y: &mut [T], scratch: &mut [T]) {
        self.check(x.len(), y.len());
        let (plan, operands) = (self.fold(), [x, &[], &[]]);
        let divisor = match self.kind {
            ReduceKind::Max => {
                return plan.run(context, &Largest, Term::Value, operands, y, scratch);
            }
            ReduceKind::Sum => 1.0,
            ReduceKind::Mean => self.shapes.count() as f64,
        };
        plan.run(context, &Sum { divisor }, Term::Value, operands, y, scratch);
    }

    /// Elements of `scratch` that [`Reduce::backward`] needs.
    pub fn backward_scratch_len(&self) -> usize {
        match self.kind {
            ReduceKind::Sum | ReduceKind::Mean => 0,
            ReduceKind::Max => self.result_len() + self.ties().scratch_len(),
        }
    }

    /// `dx`, from the gradient `dy` of the result; `x` and `y` are the input and the result of the
    /// forward pass, which may be empty but for a maximum.
    ///
    /// # Panics
    /// When a slice has not the size the shapes give, or `scratch` is shorter than
    /// [`Reduce::backward_scratch_len`].
    pub fn backward<T: Real>(
        &self,
        context: &Context,
        dy: &[T],
        x: &[T],
        y: &[T],
        dx: &mut [T],
        scratch: &mut [T],
    ) {
        self.check(dx.len(), dy.len());
        let spread = self.nest([Along::Result, Along::Nothing, Along::Nothing, Along::Input]);
        match self.kind {
            ReduceKind::Sum => map(context, spread, Term::Value, [dy, &[], &[]], dx),
            ReduceKind::Mean => {
                let count = [T::of(self.shapes.count() as f64)];
                let term = Term::Apply(Binary::Div);
                map(context, spread, term, [dy, &count, &[]], dx);
            }
            ReduceKind::Max => {
                self.check(x.len(), y.len());
                let (share, scratch) = scratch.split_at_mut(self.result_len());
                let (ties, count) = (self.ties(), Sum { divisor: 1.0 });
                ties.run(context, &count, Term::Tie, [x, y, &[]], share, scratch);
                for (share, &dy) in share.iter_mut().zip(dy) {
                    *share = dy / *share;
                }
                let nest = self.nest([Along::Input, Along::Result, Along::Result, Along::Input]);
                map(context, nest, Term::Share, [x, y, share], dx);
            }
        }
    }

    fn check(&self, x: usize, y: usize) {
        let len: usize = self.shapes.input_shape().iter().product();
        assert_eq!(x, len, "reduction: length of the input");
        assert_eq!(y, self.result_len(), "reduction: length of the result");
    }

    fn result_len(&self) -> usize {
        let shape = self.shapes.input_shape();
        let kept = (0..shape.len()).filter(|&axis| !self.shapes.is_reduced(axis));
        kept.map(|axis| shape[axis]).product()
    }

    fn fold(&self) -> FoldPlan {
        let nest = self.nest([Along::Input, Along::Nothing, Along::Nothing, Along::Result]);
        FoldPlan::new(&nest)
    }

    /// The number of maxima that each maximum of the result stands for.
    fn ties(&self) -> FoldPlan {
        let nest = self.nest([Along::Input, Along::Result, Along::Nothing, Along::Result]);
        FoldPlan::new(&nest)
    }

    /// Loops over the input, in the order in which it lies.
    fn nest(&self, operands: [Along; 4]) -> Nest<4> {
        let shape = self.shapes.input_shape();
        let mut result = [1; MAX_AXES];
        for (axis, extent) in result[..shape.len()].iter_mut().enumerate() {
            *extent = if self.shapes.is_reduced(axis) {
                1
            } else {
                shape[axis]
            };
        }
        let input = strides(self.layout, shape);
        let result = strides(self.layout, &result[..shape.len()]);
        Nest::new(memory_order(self.layout, shape.len()).map(|axis| Loop {
            extent: shape[axis],
            steps: operands.map(|along| match along {
                Along::Input => input[axis],
                Along::Result if !self.shapes.is_reduced(axis) => result[axis],
                Along::Result | Along::Nothing => 0,
            }),
        }))
    }
}
