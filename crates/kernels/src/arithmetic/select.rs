//! One of two tensors, element by element.

use geometry::{AxisError, Broadcast};
use tensor::Layout;

use super::binary::{broadcast_nest, broadcast_steps};
use super::map::map;
use super::term::Term;
use crate::{Context, Real};

/// A choice by a condition, the three shapes broadcast against each other.
///
/// ```
/// use kernels::arithmetic::Select;
/// use kernels::{Context, Isa, Team};
/// use tensor::Layout;
///
/// let team = Team::new(1)?;
/// let context = Context { team: &team, isa: Isa::chosen() };
/// let select = Select::new([&[3], &[3], &[]])?;
/// let mut y = [0.0; 3];
/// // What is not chosen does not matter.
/// let x = [f32::NAN, 2.0, f32::INFINITY];
/// select.forward(&context, Layout::Nchw, [&[0.0, 1.0, 0.0], &x, &[5.0]], &mut y);
/// assert_eq!(y, [5.0, 2.0, 5.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Select {
    condition: Broadcast,
    sides: Broadcast,
}

impl Select {
    /// A choice between tensors of the shapes condition, `a`, `b`.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    pub fn new([condition, a, b]: [&[usize]; 3]) -> Result<Self, AxisError> {
        let [condition, sides] = Broadcast::resolve_three(condition, a, b)?;
        Ok(Self { condition, sides })
    }

    /// `y = condition ≠ 0 ? a : b` of (condition, a, b), all in one layout.
    ///
    /// # Panics
    /// When a slice has not the size the shapes give.
    pub fn forward<T: Real>(
        &self,
        context: &Context,
        layout: Layout,
        operands: [&[T]; 3],
        y: &mut [T],
    ) {
        let shape = self.condition.shape();
        let shapes = [self.condition.left(), self.sides.left(), self.sides.right()];
        for (operand, shape) in operands.iter().zip(shapes) {
            let expected: usize = shape.iter().product();
            assert_eq!(operand.len(), expected, "select: length of an operand");
        }
        let rank = shape.len();
        let steps = |shape: &[usize]| broadcast_steps(layout, shape, rank);
        let [condition, a, b] = shapes.map(steps);
        let nest = broadcast_nest(layout, shape, [condition, a, b, steps(shape)]);
        map(context, nest, Term::Select, operands, y);
    }
}
