//! Logarithms in f32, by `ln(1 + f) = 2·artanh(f / (2 + f))`.

use super::polynomial;

/// ln 2: its first nine bits, so that its multiples are exact, and the rest.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// `ln x`, with `x = m·2ᵏ` and `m` from √½ to √2.
#[inline(always)]
pub(super) fn logarithm(x: f32) -> f32 {
    const ROOT_OF_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    let denormal = x < f32::MIN_POSITIVE;
    let normal = if denormal { x * 8_388_608.0 } else { x };
    let bits = normal.to_bits();
    // The bits of a positive float grow with it, and doubling adds to the exponent alone.
    let k = bits.wrapping_sub(ROOT_OF_HALF) as i32 >> 23;
    let m = f32::from_bits(bits.wrapping_sub((k << 23) as u32));
    let k = k as f32 - if denormal { 23.0 } else { 0.0 };
    let value = k * LN_2[0] + (of_one_plus(m - 1.0) + k * LN_2[1]);
    let special = if x == 0.0 {
        f32::NEG_INFINITY
    } else {
        f32::NAN
    };
    let value = if x < f32::INFINITY { value } else { x };
    if x > 0.0 { value } else { special }
}

/// `ln(1 + f)` for `√½ − 1 ≤ f ≤ 1`.
///
/// `artanh s = s·(1 + s²·p(s²))` with `|s| ≤ 1/3`; `p` is minimax for the relative error of the whole,
/// 2⁻³³.
#[inline(always)]
pub(super) fn of_one_plus(f: f32) -> f32 {
    let s = f / (2.0 + f);
    let square = s * s;
    let p = polynomial(
        square,
        [
            0.333_333_37,
            0.199_994_42,
            0.143_083_74,
            0.107_144_73,
            0.121_484_585,
        ],
    );
    let double = s + s;
    double + double * (square * p)
}
