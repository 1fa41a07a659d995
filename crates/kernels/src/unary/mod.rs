//! Functions of one element: every activation ONNX names, and the arithmetic around them.
//!
//! | | forward | backward |
//! |---|---|---|
//! | [`Unary`] | [`forward`], [`forward_in_place`] | [`backward`] |
//! | slope learned, one a channel | [`prelu::forward`] | [`prelu::backward`] |
//!
//! Each function is written once, in both element types, as its value and its slope at a point; a loop
//! that needs one of them leaves out the other. A NaN goes through. At ±∞ the value and the slope are
//! the limits. At a kink the slope is PyTorch's; at a NaN it is that of the piece to which PyTorch's
//! comparisons lead, or NaN where the function is smooth.
//! Below the smallest normal number results may lose digits or vanish.

mod arithmetic;
mod exponential;
mod gaussian;
mod piecewise;
pub mod prelu;
mod rounding;
mod sigmoid;

use tensor::Unary;

use crate::blocks::for_blocks;
use crate::shared::Shared;
use crate::{Activation, Context, Real};

/// The value of a function at a point, and its slope there.
type Point<T> = (T, T);

/// Calls a loop with the function that a [`Unary`] names, as a closure of its own type: the choice is
/// made before the loop, and the loop is compiled for the function.
macro_rules! with_function {
    ($unary:expr, $t:ty, $run:ident($($arg:expr),*)) => {{
        macro_rules! run {
            ($x:ident => $point:expr) => {
                $run($($arg,)* #[inline(always)] |$x: $t| $point)
            };
        }
        let p = |parameter: f32| <$t>::of(parameter.into());
        match $unary {
            Unary::Relu => run!(x => piecewise::relu(x)),
            Unary::LeakyRelu { alpha } => {
                let alpha = p(alpha);
                run!(x => piecewise::leaky_relu(x, alpha))
            }
            Unary::Elu { alpha } => {
                let alpha = p(alpha);
                run!(x => exponential::elu(x, alpha))
            }
            Unary::Selu { alpha, gamma } => {
                let (alpha, gamma) = (p(alpha), p(gamma));
                run!(x => exponential::selu(x, alpha, gamma))
            }
            Unary::Celu { alpha } => {
                let alpha = p(alpha);
                run!(x => exponential::celu(x, alpha))
            }
            Unary::ThresholdedRelu { alpha } => {
                let alpha = p(alpha);
                run!(x => piecewise::thresholded_relu(x, alpha))
            }
            Unary::Sigmoid => run!(x => sigmoid::sigmoid(x)),
            Unary::HardSigmoid { alpha, beta } => {
                let (alpha, beta) = (p(alpha), p(beta));
                run!(x => piecewise::hard_sigmoid(x, alpha, beta))
            }
            Unary::HardSwish => run!(x => piecewise::hard_swish(x)),
            Unary::Tanh => run!(x => sigmoid::tanh(x)),
            Unary::Softplus => run!(x => sigmoid::softplus(x)),
            Unary::Softsign => run!(x => sigmoid::softsign(x)),
            Unary::Gelu => run!(x => gaussian::gelu(x)),
            Unary::GeluTanh => run!(x => gaussian::gelu_tanh(x)),
            Unary::Mish => run!(x => sigmoid::mish(x)),
            Unary::Swish { alpha } => {
                let alpha = p(alpha);
                run!(x => sigmoid::swish(x, alpha))
            }
            Unary::Clip { min, max } => {
                let (min, max) = (p(min), p(max));
                run!(x => piecewise::clip(x, min, max))
            }
            Unary::HardTanh { min, max } => {
                let (min, max) = (p(min), p(max));
                run!(x => piecewise::hard_tanh(x, min, max))
            }
            Unary::Shrink { bias, lambd } => {
                let (bias, lambd) = (p(bias), p(lambd));
                run!(x => piecewise::shrink(x, bias, lambd))
            }
            Unary::Erf => run!(x => gaussian::erf(x)),
            Unary::Exp => run!(x => exponential::exp(x)),
            Unary::Log => run!(x => arithmetic::log(x)),
            Unary::Sqrt => run!(x => arithmetic::sqrt(x)),
            Unary::Neg => run!(x => arithmetic::neg(x)),
            Unary::Abs => run!(x => arithmetic::abs(x)),
            Unary::Reciprocal => run!(x => arithmetic::reciprocal(x)),
            Unary::Floor => run!(x => rounding::floor(x)),
            Unary::Ceil => run!(x => rounding::ceil(x)),
            Unary::Round => run!(x => rounding::round(x)),
            Unary::Sign => run!(x => rounding::sign(x)),
            Unary::Truncate { min, max } => {
                let (min, max) = (p(min), p(max));
                run!(x => rounding::truncate(x, min, max))
            }
            Unary::Float16 => run!(x => rounding::narrowed(x, rounding::Format::FLOAT16)),
            Unary::Bfloat16 => run!(x => rounding::narrowed(x, rounding::Format::BFLOAT16)),
        }
    }};
}

/// The value of `f` at `x`.
///
/// ```
/// use kernels::unary::value;
/// use tensor::Unary;
///
/// assert_eq!(value(Unary::LeakyRelu { alpha: 0.5 }, -3.0f32), -1.5);
/// assert_eq!(value(Unary::RELU6, 7.0f64), 6.0);
/// ```
pub fn value<T: Real>(f: Unary, x: T) -> T {
    with_function!(f, T, value_at(x))
}

/// The slope of `f` at `x`.
pub fn slope<T: Real>(f: Unary, x: T) -> T {
    with_function!(f, T, slope_at(x))
}

/// Whether a piece of slope 0 lets no gradient pass, not even an infinite one. Of the others a slope of
/// 0 times infinity is NaN.
fn gates(f: Unary) -> bool {
    matches!(
        f,
        Unary::Relu
            | Unary::ThresholdedRelu { .. }
            | Unary::HardSigmoid { .. }
            | Unary::HardSwish
            | Unary::Clip { .. }
            | Unary::HardTanh { .. }
            | Unary::Shrink { .. }
            | Unary::Floor
            | Unary::Ceil
            | Unary::Round
            | Unary::Sign
            | Unary::Truncate { .. }
    )
}

impl From<Activation> for Unary {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::Relu6 => Self::RELU6,
        }
    }
}

/// `y = f(x)`, element by element.
///
/// # Panics
/// When the slices differ in length.
pub fn forward<T: Real>(context: &Context<'_>, f: Unary, x: &[T], y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "{}: x and y differ in length", f.name());
    let out = Shared::new(y);
    for_blocks(context.team, x.len(), |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let y = unsafe { out.slice(range.start, range.len()) };
        let x = &x[range];
        T::vectorised(
            context.isa,
            #[inline(always)]
            || with_function!(f, T, map(x, &mut *y)),
        );
    });
}

/// `x = f(x)`, element by element.
pub fn forward_in_place<T: Real>(context: &Context<'_>, f: Unary, x: &mut [T]) {
    let len = x.len();
    let out = Shared::new(x);
    for_blocks(context.team, len, |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let x = unsafe { out.slice(range.start, range.len()) };
        T::vectorised(
            context.isa,
            #[inline(always)]
            || with_function!(f, T, map_in_place(&mut *x)),
        );
    });
}

/// `dx = dy·f'(x)`, element by element; `x` is the input of the forward pass.
///
/// # Panics
/// When the slices differ in length.
pub fn backward<T: Real>(context: &Context<'_>, f: Unary, x: &[T], dy: &[T], dx: &mut [T]) {
    let name = f.name();
    assert_eq!(x.len(), dy.len(), "{name}: x and dy differ in length");
    assert_eq!(x.len(), dx.len(), "{name}: x and dx differ in length");
    let gates = gates(f);
    let out = Shared::new(dx);
    for_blocks(context.team, x.len(), |range| {
        // SAFETY: the ranges of different tasks do not overlap.
        let dx = unsafe { out.slice(range.start, range.len()) };
        let (x, dy) = (&x[range.clone()], &dy[range]);
        T::vectorised(
            context.isa,
            #[inline(always)]
            || with_function!(f, T, pass(gates, x, dy, &mut *dx)),
        );
    });
}

#[inline(always)]
fn value_at<T: Real>(x: T, f: impl Fn(T) -> Point<T>) -> T {
    f(x).0
}

#[inline(always)]
fn slope_at<T: Real>(x: T, f: impl Fn(T) -> Point<T>) -> T {
    f(x).1
}

#[inline(always)]
fn map<T: Real>(x: &[T], y: &mut [T], f: impl Fn(T) -> Point<T>) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = f(*x).0;
    }
}

#[inline(always)]
fn map_in_place<T: Real>(x: &mut [T], f: impl Fn(T) -> Point<T>) {
    for x in x {
        *x = f(*x).0;
    }
}

#[inline(always)]
fn pass<T: Real>(gates: bool, x: &[T], dy: &[T], dx: &mut [T], f: impl Fn(T) -> Point<T>) {
    for ((dx, dy), x) in dx.iter_mut().zip(dy).zip(x) {
        let slope = f(*x).1;
        let passed = *dy * slope;
        *dx = if gates && slope == T::zero() {
            T::zero()
        } else {
            passed
        };
    }
}
