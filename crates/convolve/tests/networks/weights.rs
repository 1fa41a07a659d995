//! Weights and images drawn from a formula; `formula.py` has the same for PyTorch and says why.

/// Element `index` of a tensor is drawn from `splitmix64(fnv1a64(name) + index)`.
struct Source(u64);

impl Source {
    fn of(name: &str) -> Self {
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// In `[0, 1)`, on the grid of 2⁻²⁴.
    fn unit(&self, index: usize) -> f64 {
        let mut z = self.0.wrapping_add(index as u64);
        z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 40) as f64 / (1u64 << 24) as f64
    }

    /// In `[−1, 1)`.
    fn signed(&self, index: usize) -> f64 {
        2.0 * self.unit(index) - 1.0
    }
}

/// Numbers in `[−1, 1)`: images, and the vectors that gradients are projected on.
pub(crate) fn signed(name: &str) -> impl Fn(usize) -> f64 + use<> {
    let source = Source::of(name);
    move |index| source.signed(index)
}

/// Fills a parameter or state.
pub(crate) fn fill(name: &str, shape: &[usize], gain: f64, values: &mut [f32]) {
    let source = Source::of(name);
    let draw: Box<dyn Fn(usize) -> f64> = match shape {
        [_, fan_in @ ..] if !fan_in.is_empty() => {
            let bound = (3.0 / fan_in.iter().product::<usize>() as f64).sqrt();
            Box::new(move |index| source.signed(index) * bound * gain)
        }
        _ if name.ends_with(".weight") || name.ends_with(".running_var") => {
            Box::new(move |index| 0.75 + 0.5 * source.unit(index))
        }
        _ => Box::new(move |index| 0.2 * source.signed(index)),
    };
    for (index, value) in values.iter_mut().enumerate() {
        *value = draw(index) as f32;
    }
}

/// The first numbers of the images, times 2²³.
#[test]
fn the_formula_has_not_changed() {
    let draw = signed("input");
    let scaled: Vec<_> = (0..3).map(|i| draw(i) * (1u64 << 23) as f64).collect();
    assert_eq!(scaled, GOLDEN);
}

/// From `formula.py`.
const GOLDEN: [f64; 3] = [-6_747_489.0, -5_914_328.0, 1_242_930.0];
