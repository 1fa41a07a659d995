//! The functions of analysis that activations are made of.
//!
//! In f32 each is a polynomial or a quotient of two, without branches, tables or calls, so that a loop
//! over it is vectorised; none asks for fused multiply-add, so the results are the same for every
//! family of instructions. In f64 they are those of the standard library, and of `libm` for what it
//! lacks. A NaN gives NaN.

mod exponential;
mod logarithm;
mod normal;
mod root;

/// Functions that are quick in f32. Their names differ from those of
/// [`Float`](num_traits::Float), which are correct in both types and slow in both.
pub trait Elementary {
    /// `eˣ`, within 2 units in the last place, down into the denormal numbers.
    fn exponential(self) -> Self;
    /// `eˣ − 1` for `x ≤ 0`, exact around 0 too: within 3 units. Of no meaning for `x > 0`.
    fn exponential_minus_one(self) -> Self;
    /// `ln x`, within 3 units: −∞ at 0, NaN below.
    fn logarithm(self) -> Self;
    /// `ln(1 + x)` for `0 ≤ x ≤ 1`, within 3 units. Of no meaning elsewhere.
    fn logarithm_of_one_plus(self) -> Self;
    /// `x^(−¼)`, within 2 units: 0 at ∞. Of no meaning below the positive normal numbers.
    fn inverse_fourth_root(self) -> Self;
    /// `erf x = 2/√π · ∫₀ˣ exp(−t²) dt`, within 3 units.
    fn error_function(self) -> Self;
    /// `e^(−x²)`, within 3 units.
    fn bell(self) -> Self;
    /// `e^(−x²/2)`, within 3 units.
    fn normal_bell(self) -> Self;
    /// `1/√(2π) · ∫ₓ^∞ exp(−t²/2) dt` for `x ≥ 0`: the share of a normal distribution above `x`
    /// deviations, within 6 units however small it is. Of no meaning for `x < 0`.
    fn normal_tail(self) -> Self;
}

impl Elementary for f32 {
    #[inline(always)]
    fn exponential(self) -> Self {
        exponential::exponential(self, 0.0)
    }

    #[inline(always)]
    fn exponential_minus_one(self) -> Self {
        exponential::minus_one(self)
    }

    #[inline(always)]
    fn logarithm(self) -> Self {
        logarithm::logarithm(self)
    }

    #[inline(always)]
    fn logarithm_of_one_plus(self) -> Self {
        logarithm::of_one_plus(self)
    }

    #[inline(always)]
    fn inverse_fourth_root(self) -> Self {
        root::inverse_fourth_root(self)
    }

    #[inline(always)]
    fn error_function(self) -> Self {
        normal::error_function(self)
    }

    #[inline(always)]
    fn bell(self) -> Self {
        normal::bell(self, 1.0)
    }

    #[inline(always)]
    fn normal_bell(self) -> Self {
        normal::bell(self, 0.5)
    }

    #[inline(always)]
    fn normal_tail(self) -> Self {
        normal::tail(self)
    }
}

impl Elementary for f64 {
    fn exponential(self) -> Self {
        self.exp()
    }

    fn exponential_minus_one(self) -> Self {
        self.exp_m1()
    }

    fn logarithm(self) -> Self {
        self.ln()
    }

    fn logarithm_of_one_plus(self) -> Self {
        self.ln_1p()
    }

    fn inverse_fourth_root(self) -> Self {
        1.0 / self.sqrt().sqrt()
    }

    fn error_function(self) -> Self {
        libm::erf(self)
    }

    fn bell(self) -> Self {
        (-self * self).exp()
    }

    fn normal_bell(self) -> Self {
        (-0.5 * self * self).exp()
    }

    fn normal_tail(self) -> Self {
        0.5 * libm::erfc(self * std::f64::consts::FRAC_1_SQRT_2)
    }
}

/// `c[0] + c[1]·x + c[2]·x² + …` (Horner).
#[inline(always)]
fn polynomial<const N: usize>(x: f32, c: [f32; N]) -> f32 {
    let mut sum = c[N - 1];
    for factor in c.iter().rev().skip(1) {
        sum = sum * x + factor;
    }
    sum
}

#[cfg(test)]
mod tests;
