//! `eˣ` in f32.
//!
//! `x = k·ln 2 + r` with `|r| ≤ ln 2 / 2`, so that `eˣ = 2ᵏ·eʳ`. Adding 1.5·2²³ rounds to an integer
//! and leaves it in the low bits, from where it goes into the exponent of a power of two. ln 2 is
//! subtracted in two parts, the first with so few bits that its multiples are exact (Cody & Waite
//! 1980).

use super::polynomial;

const ROUND: f32 = 12_582_912.0;
/// The first nine bits of ln 2, and the rest.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// `e^(x + little)`; `little`, at most 0.4, is what `x` had to be rounded by.
#[inline(always)]
pub(super) fn exponential(x: f32, little: f32) -> f32 {
    // Beyond these the result is 0 or ∞.
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let (k, r) = reduce(x);
    let r = r + little;
    let sum = 1.0 + (r + r * r * quadratic(r));
    // 2ᵏ may be no normal number where the result is one, or is a denormal one: half of k at a time.
    let half = k >> 1;
    sum * power_of_two(half) * power_of_two(k.wrapping_sub(half))
}

/// `eˣ − 1` for `x ≤ 0`: `2ᵏ·(eʳ − 1) + (2ᵏ − 1)`. Where `x` is small `k` is 0 and the second term is
/// gone, so nothing cancels.
#[inline(always)]
pub(super) fn minus_one(x: f32) -> f32 {
    // Below this the result is −1.
    let x = if x < -30.0 { -30.0 } else { x };
    let (k, r) = reduce(x);
    let power = power_of_two(k);
    (r + r * r * quadratic(r)) * power + (power - 1.0)
}

/// `k` and `r` of `x`.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = x - whole * LN_2[0] - whole * LN_2[1];
    (shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32, r)
}

/// `(eʳ − 1 − r)/r²`: minimax for the relative error of `eʳ − 1`, 2⁻³¹ for `|r| ≤ 0.35`.
#[inline(always)]
fn quadratic(r: f32) -> f32 {
    polynomial(
        r,
        [
            0.5,
            0.166_666_66,
            0.041_666_336,
            0.008_333_394,
            0.001_394_27,
            1.984_604e-4,
        ],
    )
}

/// `2ᵏ` for `−126 ≤ k ≤ 127`.
#[inline(always)]
fn power_of_two(k: i32) -> f32 {
    f32::from_bits((k.wrapping_add(127) as u32) << 23)
}
