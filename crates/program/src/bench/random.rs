//! Numbers to measure with: a kernel's time must not depend on lucky values such as zeros.

/// Fills with reproducible numbers in `[-1, 1)` (Steele et al. 2014, SplitMix64).
pub(crate) fn fill(values: &mut [f32], seed: u64) {
    let mut state = seed;
    values.fill_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The upper 24 bits are a float's precision.
        ((bits ^ (bits >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    });
}
