//! What is computed of one element of each operand.

use crate::Real;

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a − b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`
    Div,
    /// The smaller one; NaN if either is. Equal operands share the gradient.
    Min,
    /// The larger one; NaN if either is. Equal operands share the gradient.
    Max,
    /// `aᵇ`
    Pow,
    /// 1 where `a = b`, else 0; without a gradient, as all comparisons. A NaN equals nothing.
    Equal,
    /// 1 where `a > b`, else 0.
    Greater,
    /// 1 where `a ≥ b`, else 0.
    GreaterOrEqual,
}

impl Binary {
    /// All operations.
    pub const ALL: [Self; 10] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Min,
        Self::Max,
        Self::Pow,
        Self::Equal,
        Self::Greater,
        Self::GreaterOrEqual,
    ];

    /// Whether the result is a truth, 0 or 1, which has no slope.
    pub fn compares(self) -> bool {
        matches!(self, Self::Equal | Self::Greater | Self::GreaterOrEqual)
    }
}

/// What is computed of up to three operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// `op(a, b)` of (a, b, –).
    Apply(Binary),
    /// `dy · ∂op/∂a` of (dy, a, b).
    Left(Binary),
    /// `dy · ∂op/∂b` of (dy, a, b).
    Right(Binary),
    /// `a` where the condition is not 0, else `b`, of (condition, a, b).
    Select,
    /// `x` of (x, –, –).
    Value,
    /// 1 where `x` equals the maximum, else 0, of (x, maximum, –).
    Tie,
    /// `share` times that, of (x, maximum, share).
    Share,
}

impl Term {
    /// How many of the operands are read, counted from the first.
    pub(super) fn operands(self) -> usize {
        match self {
            Self::Value => 1,
            Self::Left(Binary::Add | Binary::Sub) | Self::Right(Binary::Add | Binary::Sub) => 1,
            Self::Apply(_) | Self::Tie => 2,
            Self::Left(_) | Self::Right(_) | Self::Share | Self::Select => 3,
        }
    }

    /// Computes the term of each element. Slices of operands that are not read may be empty.
    #[inline(always)]
    pub(super) fn fill<T: Real>(self, x: [&[T]; 3], out: &mut [T]) {
        let [first, second, third] = x;
        match self {
            Self::Value => out.copy_from_slice(first),
            Self::Tie => map2(first, second, out, tie),
            // A maximum that is NaN ties with nothing; its share is no number, and becomes NaN.
            Self::Share => map3(x, out, |x, m, share| share * tie(x, m)),
            Self::Select => map3(x, out, |c, a, b| if c == T::zero() { b } else { a }),
            Self::Apply(op) => match op {
                Binary::Add => map2(first, second, out, |a, b| a + b),
                Binary::Sub => map2(first, second, out, |a, b| a - b),
                Binary::Mul => map2(first, second, out, |a, b| a * b),
                Binary::Div => map2(first, second, out, |a, b| a / b),
                Binary::Min => map2(first, second, out, smaller),
                Binary::Max => map2(first, second, out, larger),
                Binary::Pow => map2(first, second, out, |a, b| a.powf(b)),
                Binary::Equal => map2(first, second, out, tie),
                Binary::Greater => map2(first, second, out, |a, b| truth(a > b)),
                Binary::GreaterOrEqual => map2(first, second, out, |a, b| truth(a >= b)),
            },
            Self::Left(op) | Self::Right(op) if op.compares() => out.fill(T::zero()),
            Self::Left(op) => match op {
                Binary::Add | Binary::Sub => out.copy_from_slice(first),
                Binary::Mul => map2(first, third, out, |dy, b| dy * b),
                Binary::Div => map2(first, third, out, |dy, b| dy / b),
                Binary::Min => map3(x, out, |dy, a, b| chosen(dy, a > b, a == b)),
                Binary::Max => map3(x, out, |dy, a, b| chosen(dy, a < b, a == b)),
                Binary::Pow => map3(x, out, |dy, a, b| dy * slope_of_base(a, b)),
                Binary::Equal | Binary::Greater | Binary::GreaterOrEqual => {}
            },
            Self::Right(op) => match op {
                Binary::Add => out.copy_from_slice(first),
                Binary::Sub => {
                    for (out, &dy) in out.iter_mut().zip(first) {
                        *out = -dy;
                    }
                }
                Binary::Mul => map2(first, second, out, |dy, a| dy * a),
                Binary::Div => map3(x, out, |dy, a, b| -dy * (a / b / b)),
                Binary::Min => map3(x, out, |dy, a, b| chosen(dy, b > a, a == b)),
                Binary::Max => map3(x, out, |dy, a, b| chosen(dy, b < a, a == b)),
                Binary::Pow => map3(x, out, |dy, a, b| dy * slope_of_exponent(a, b)),
                Binary::Equal | Binary::Greater | Binary::GreaterOrEqual => {}
            },
        }
    }
}

/// The standard library's `min` would drop a NaN.
#[inline(always)]
fn smaller<T: Real>(a: T, b: T) -> T {
    // Where `b` is NaN the comparison fails, and it is chosen.
    let least = if a < b { a } else { b };
    if a.is_nan() { a } else { least }
}

#[inline(always)]
pub(super) fn larger<T: Real>(a: T, b: T) -> T {
    let greatest = if a > b { a } else { b };
    if a.is_nan() { a } else { greatest }
}

/// The gradient of an operand that lost, tied or won; a NaN on either side lets it pass, as in PyTorch.
#[inline(always)]
fn chosen<T: Real>(dy: T, lost: bool, tied: bool) -> T {
    let shared = if tied { T::of(0.5) * dy } else { dy };
    if lost { T::zero() } else { shared }
}

#[inline(always)]
fn tie<T: Real>(x: T, maximum: T) -> T {
    truth(x == maximum)
}

#[inline(always)]
fn truth<T: Real>(holds: bool) -> T {
    if holds { T::one() } else { T::zero() }
}

/// `b·aᵇ⁻¹`, and 0 where the exponent is 0, as in PyTorch.
#[inline(always)]
fn slope_of_base<T: Real>(a: T, b: T) -> T {
    if b == T::zero() {
        T::zero()
    } else {
        b * a.powf(b - T::one())
    }
}

/// `aᵇ·ln a`, and 0 for `0ᵇ` with `b ≥ 0`, as in PyTorch.
#[inline(always)]
fn slope_of_exponent<T: Real>(a: T, b: T) -> T {
    if a == T::zero() && b >= T::zero() {
        T::zero()
    } else {
        a.powf(b) * a.ln()
    }
}

#[inline(always)]
fn map2<T: Real>(a: &[T], b: &[T], out: &mut [T], f: impl Fn(T, T) -> T) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = f(a, b);
    }
}

#[inline(always)]
fn map3<T: Real>([a, b, c]: [&[T]; 3], out: &mut [T], f: impl Fn(T, T, T) -> T) {
    for (((out, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
        *out = f(a, b, c);
    }
}
