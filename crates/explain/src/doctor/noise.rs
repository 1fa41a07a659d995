//! Filters that are still the noise they began with.
//!
//! Weights that are drawn one by one have a flat spectrum: their power lies at all frequencies alike, and what a filter of
//! them lets through says nothing of a network. What a filter learns, an edge, a grating, a colour, gathers it at a
//! few. How uneven the power `P` of a filter of `n` weights is tells the two apart:
//!
//! ```text
//! n · Σ P² / (Σ P)²  =  Σ ρ²      ρ: the circular autocorrelation over channels, rows and columns, 1 at no shift
//! ```
//!
//! (Parseval.) It is 1 where the power is the same everywhere and `n` where it is all at one frequency. Of drawn weights it
//! is about 2: the powers of single frequencies scatter like squares of two normal numbers.

/// How uneven the power of learned filters is at least, in units of drawn ones.
const LEARNED: f64 = 1.5;

/// How uneven it is at least of drawn ones. A single weight among zeros is flatter, and no noise.
const FLAT: f64 = 0.75;

/// Filters that are looked at at most: their mean is sure by then.
const ENOUGH: usize = 64;

/// Products of pairs of weights that are formed at most.
const WORK: usize = 1 << 28;

/// How uneven the power of filters is over frequencies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unevenness {
    /// The mean over filters.
    pub mean: f64,
    /// What is expected of filters drawn at random.
    pub drawn: f64,
}

impl Unevenness {
    /// That of filters `[channels, height, width]`, one after the other; nothing where there are none but zeros, where
    /// they are no larger than a pixel and so flat in any case, or where they are too large to be measured.
    ///
    /// ```
    /// use explain::doctor::Unevenness;
    ///
    /// // All of the power at frequency zero.
    /// let blur = Unevenness::of(&[0.5; 16], [1, 4, 4]).unwrap();
    /// assert!((blur.mean - 16.0).abs() < 1e-9 && !blur.is_noise());
    /// ```
    pub fn of(filters: &[f32], extents: [usize; 3]) -> Option<Self> {
        let [_, height, width] = extents;
        let elements: usize = extents.iter().product();
        if height * width < 2 || elements == 0 {
            return None;
        }
        let enough = (WORK / elements.saturating_mul(elements)).min(ENOUGH);
        let measured = filters.chunks_exact(elements).take(enough);
        let measured: Vec<f64> = measured
            .filter_map(|filter| unevenness(filter, extents))
            .collect();
        (!measured.is_empty()).then(|| Self {
            mean: measured.iter().sum::<f64>() / measured.len() as f64,
            drawn: of_drawn(extents),
        })
    }

    /// Whether the filters are like drawn ones.
    pub fn is_noise(&self) -> bool {
        (FLAT..LEARNED).contains(&(self.mean / self.drawn))
    }
}

/// `Σ ρ²` of a filter; nothing of zeros.
fn unevenness(filter: &[f32], [channels, height, width]: [usize; 3]) -> Option<f64> {
    let weights: Vec<f64> = filter.iter().map(|&weight| f64::from(weight)).collect();
    let at = |c: usize, y: usize, x: usize| weights[(c * height + y) * width + x];
    let shifted = |shift: [usize; 3]| -> f64 {
        let mut sum = 0.0;
        for c in 0..channels {
            for y in 0..height {
                for x in 0..width {
                    let [other, down, right] = [
                        (c + shift[0]) % channels,
                        (y + shift[1]) % height,
                        (x + shift[2]) % width,
                    ];
                    sum += at(c, y, x) * at(other, down, right);
                }
            }
        }
        sum
    };
    let power = shifted([0; 3]);
    let shifts = 0..channels * height * width;
    let squares = shifts.map(|place| {
        let shift = [
            place / (height * width),
            place / width % height,
            place % width,
        ];
        (shifted(shift) / power).powi(2)
    });
    (power > 0.0).then(|| squares.sum())
}

/// What is expected of `n` normal weights. In an orthonormal basis they are a random direction `a`, of which
/// `E a⁴ = 3/(n(n+2))` and `E a²b² = 1/(n(n+2))`; frequencies share their power with their negatives, but for the few that
/// are their own: one of an odd axis, two of an even one.
fn of_drawn(extents: [usize; 3]) -> f64 {
    let n = extents.iter().product::<usize>() as f64;
    let alone: f64 = extents
        .iter()
        .map(|extent| if extent % 2 == 0 { 2.0 } else { 1.0 })
        .product();
    (2.0 * n + alone) / (n + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between −1 and 1 by a linear congruence (Knuth's MMIX).
    fn drawn(count: usize) -> Vec<f32> {
        let mut state = 7u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn drawn_filters_are_noise_whatever_their_size() {
        for extents in [[3, 11, 11], [3, 7, 7], [3, 4, 4], [1, 5, 5], [3, 3, 3]] {
            let filters = drawn(32 * extents.iter().product::<usize>());
            let found = Unevenness::of(&filters, extents).unwrap();
            let ratio = found.mean / found.drawn;
            assert!((0.85..1.15).contains(&ratio), "{extents:?}: {found:?}");
            assert!(found.is_noise());
        }
    }

    /// Gratings of any direction and colour are not, not even below noise of a third of their power.
    #[test]
    fn gratings_in_noise_are_learned() {
        let noise = drawn(16 * 363);
        let filters: Vec<f32> = (noise.iter().enumerate())
            .map(|(place, noise)| {
                let (filter, y, x) = (place / 363, place / 11 % 11, place % 11);
                let angle = filter as f32 * 0.4;
                let along = x as f32 * angle.cos() + y as f32 * angle.sin();
                (along * std::f32::consts::TAU / 4.0).cos() + 0.7 * noise
            })
            .collect();
        let found = Unevenness::of(&filters, [3, 11, 11]).unwrap();
        assert!(!found.is_noise(), "{found:?}");
    }

    #[test]
    fn what_is_flat_by_its_form_is_no_noise() {
        let mut single = vec![0.0; 25];
        single[12] = 1.0;
        let found = Unevenness::of(&single, [1, 5, 5]).unwrap();
        assert!((found.mean - 1.0).abs() < 1e-12 && !found.is_noise());
        assert_eq!(Unevenness::of(&[1.0, 2.0, 3.0], [3, 1, 1]), None);
        assert_eq!(Unevenness::of(&[0.0; 9], [1, 3, 3]), None);
    }
}
