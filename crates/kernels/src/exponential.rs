//! `exp` for loops that the compiler vectorises.

/// `exp(x)` for `x ≤ 0`, within 2 units in the last place; 0 below −87, where the result would leave
/// the normal numbers. NaN gives NaN.
///
/// `x = k·ln 2 + r` with `|r| ≤ ln 2 / 2`, so that `exp(x) = 2ᵏ · exp(r)`. Adding 1.5·2²³ rounds to
/// an integer and leaves it in the low bits, from where it is shifted into the exponent. ln 2 is
/// subtracted in two parts, the first with so few bits that its multiples are exact (Cody & Waite
/// 1980). `exp(r)` is its Taylor polynomial, whose next term is below 2⁻²⁷.
#[inline(always)]
pub(crate) fn exp_of_negative(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = x - k * LN_2_HIGH - k * LN_2_LOW;
    let mut sum = 1.0 / 5040.0;
    for factor in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        sum = sum * r + factor;
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    if x < -87.0 { 0.0 } else { sum * power }
}

#[cfg(test)]
mod tests {
    use super::exp_of_negative;

    #[test]
    fn agrees_with_double_precision() {
        for step in 0..=870_000u32 {
            let x = -(step as f32) * 1e-4;
            let want = f64::from(x).exp();
            let error = (f64::from(exp_of_negative(x)) - want).abs() / want;
            assert!(error < 2.0 * 2f64.powi(-23), "exp({x}) is off by {error:e}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert_eq!(exp_of_negative(-100.0), 0.0);
        assert_eq!(exp_of_negative(f32::NEG_INFINITY), 0.0);
        assert!(exp_of_negative(f32::NAN).is_nan());
    }
}
