//! Operations on two tensors whose shapes are broadcast.

use geometry::{Broadcast, MAX_AXES};
use tensor::Layout;

use super::fold::{FoldPlan, Sum, TARGET};
use super::map::map;
use super::term::{Binary, Term};
use crate::nest::{Loop, Nest, memory_order, strides};
use crate::{Context, Real};

/// An operand of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The first, `a`.
    Left,
    /// The second, `b`.
    Right,
}

/// An operation on two tensors of given shapes and layouts.
///
/// ```
/// use geometry::Broadcast;
/// use kernels::arithmetic::{Arithmetic, Binary, Side};
/// use kernels::{Context, Isa, Team};
/// use tensor::Layout;
///
/// let team = Team::new(1)?;
/// let context = Context { team: &team, isa: Isa::chosen() };
/// // Two channels of three pixels, each scaled by a number of its own.
/// let scale = Arithmetic::new(Binary::Mul, Broadcast::resolve(&[1, 2, 3], &[2, 1])?, Layout::Nchw);
/// let (x, s) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [10.0, 100.0]);
/// let mut y = [0.0; 6];
/// scale.forward(&context, &x, &s, &mut y);
/// assert_eq!(y, [10.0, 20.0, 30.0, 400.0, 500.0, 600.0]);
///
/// let mut ds = [0.0; 2];
/// let mut scratch = vec![0.0; scale.scratch_len(Side::Right)];
/// scale.backward(&context, Side::Right, &[1.0; 6], &x, &s, &mut ds, &mut scratch);
/// assert_eq!(ds, [6.0, 15.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// The operation.
    pub op: Binary,
    /// The shapes, channels first.
    pub shapes: Broadcast,
    /// How the left operand, the right one and the result lie, where they have more than two axes.
    pub layouts: [Layout; 3],
}

impl Arithmetic {
    /// An operation whose operands lie as its result does.
    pub fn new(op: Binary, shapes: Broadcast, layout: Layout) -> Self {
        Self {
            op,
            shapes,
            layouts: [layout; 3],
        }
    }

    /// `y = op(a, b)`
    ///
    /// # Panics
    /// When a slice has not the size the shapes give.
    pub fn forward<T: Real>(&self, context: &Context, a: &[T], b: &[T], y: &mut [T]) {
        self.check(a, b, y.len());
        let [result, left, right] = self.steps();
        let nest = self.nest([left, right, [0; MAX_AXES], result]);
        map(context, nest, Term::Apply(self.op), [a, b, &[]], y);
    }

    /// Elements of `scratch` that [`Arithmetic::backward`] needs.
    pub fn scratch_len(&self, side: Side) -> usize {
        FoldPlan::new(&self.gradient_nest(side)).scratch_len()
    }

    /// The gradient `d` of the operand on one side, from that of the result; where the operand was
    /// repeated, it is the sum over its repetitions. A sum and a difference do not look at `a` and `b`,
    /// which then may be empty.
    ///
    /// # Panics
    /// When a slice has not the size the shapes give, or `scratch` is shorter than
    /// [`Arithmetic::scratch_len`].
    pub fn backward<T: Real>(
        &self,
        context: &Context,
        side: Side,
        dy: &[T],
        a: &[T],
        b: &[T],
        d: &mut [T],
        scratch: &mut [T],
    ) {
        let nest = self.gradient_nest(side);
        let term = match side {
            Side::Left => Term::Left(self.op),
            Side::Right => Term::Right(self.op),
        };
        if term.operands() > 1 {
            self.check(a, b, dy.len());
        }
        assert_eq!(dy.len(), nest.len(), "arithmetic: length of dy");
        let plan = FoldPlan::new(&nest);
        if plan.folds_nothing() && nest.is_contiguous(TARGET) {
            map(context, nest, term, [dy, a, b], d);
        } else {
            let sum = Sum { divisor: 1.0 };
            plan.run(context, &sum, term, [dy, a, b], d, scratch);
        }
    }

    fn check<T>(&self, a: &[T], b: &[T], y: usize) {
        for (what, len, shape) in [
            ("the left operand", a.len(), self.shapes.left()),
            ("the right operand", b.len(), self.shapes.right()),
            ("the result", y, self.shapes.shape()),
        ] {
            let expected: usize = shape.iter().product();
            assert_eq!(len, expected, "arithmetic: length of {what}");
        }
    }

    /// Loops over the gradient of the result, both operands, and the gradient of one of them.
    fn gradient_nest(&self, side: Side) -> Nest<4> {
        let [result, left, right] = self.steps();
        let target = match side {
            Side::Left => left,
            Side::Right => right,
        };
        self.nest([result, left, right, target])
    }

    /// Steps of the result, the left and the right operand along each axis of the result.
    fn steps(&self) -> [[isize; MAX_AXES]; 3] {
        let [left, right, result] = self.layouts;
        let rank = self.shapes.shape().len();
        let steps = |layout, shape: &[usize]| broadcast_steps(layout, shape, rank);
        [
            steps(result, self.shapes.shape()),
            steps(left, self.shapes.left()),
            steps(right, self.shapes.right()),
        ]
    }

    /// Loops in the order in which the result lies.
    fn nest(&self, steps: [[isize; MAX_AXES]; 4]) -> Nest<4> {
        broadcast_nest(self.layouts[2], self.shapes.shape(), steps)
    }
}

/// Steps of an operand along each of the `rank` axes of the result.
pub(super) fn broadcast_steps(layout: Layout, shape: &[usize], rank: usize) -> [isize; MAX_AXES] {
    let (own, mut steps) = (strides(layout, shape), [0; MAX_AXES]);
    // Shapes are aligned at their last axes; an axis of extent 1 stands still.
    let missing = rank - shape.len();
    for (axis, &extent) in shape.iter().enumerate() {
        steps[missing + axis] = if extent == 1 { 0 } else { own[axis] };
    }
    steps
}

/// Loops in the order in which a result of this shape lies.
pub(super) fn broadcast_nest(
    layout: Layout,
    shape: &[usize],
    steps: [[isize; MAX_AXES]; 4],
) -> Nest<4> {
    let axes = memory_order(layout, shape.len());
    Nest::new(axes.map(|axis| Loop {
        extent: shape[axis],
        steps: steps.map(|steps| steps[axis]),
    }))
}
