//! What the outputs of a classifier say.

use std::cmp::Ordering;

use graph::OutputActivation;

/// The class with the greatest logit; the first of equals.
pub(crate) fn likeliest(logits: &[f32]) -> usize {
    let mut best = 0;
    for (class, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = class;
        }
    }
    best
}

/// Which of two classes stands before the other: that of the greater logit, of equals the first, and of what is not a number
/// neither before any that is.
pub(crate) fn order(logits: &[f32], one: usize, other: usize) -> Ordering {
    let (a, b) = (logits[one], logits[other]);
    let numbers_first = a.is_nan().cmp(&b.is_nan());
    let greater_first = b.partial_cmp(&a).unwrap_or(Ordering::Equal);
    numbers_first.then(greater_first).then(one.cmp(&other))
}

/// How many classes stand before one: all others before what is not a number.
pub(crate) fn rank(logits: &[f32], class: usize) -> usize {
    let is_before = |other: &usize| {
        *other != class && (logits[class].is_nan() || order(logits, *other, class).is_lt())
    };
    (0..logits.len()).filter(is_before).count()
}

/// Logarithm of the probability of a class, in `f64` and safe from overflow.
pub(crate) fn log_softmax(logits: &[f32], class: usize) -> f64 {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = |logit: f32| f64::from(logit) - f64::from(greatest);
    let sum: f64 = logits.iter().map(|logit| shifted(*logit).exp()).sum();
    shifted(logits[class]) - sum.ln()
}

/// Probability of a class, in `f64`.
pub(crate) fn probability(logits: &[f32], class: usize, activation: OutputActivation) -> f64 {
    match activation {
        OutputActivation::Softmax => log_softmax(logits, class).exp(),
        OutputActivation::Sigmoid => 1.0 / (1.0 + (-f64::from(logits[class])).exp()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_stand_in_their_order() {
        let logits = [1.0, 5.0, 5.0, -2.0];
        assert_eq!(likeliest(&logits), 1);
        assert_eq!([0, 1, 2, 3].map(|class| rank(&logits, class)), [2, 0, 1, 3]);
        assert_eq!(rank(&[0.0, f32::NAN, -1.0], 1), 2);
    }

    #[test]
    fn a_sigmoid_asks_no_other_class() {
        let sigmoid = |logits: &[f32]| probability(logits, 0, OutputActivation::Sigmoid);
        for others in [&[][..], &[4.0], &[-9.0, 80.0]] {
            let logits = [&[3.0_f32.ln()], others].concat();
            assert!((sigmoid(&logits) - 0.75).abs() < 1e-7);
        }
        assert_eq!([sigmoid(&[1e4]), sigmoid(&[-1e4])], [1.0, 0.0]);
        assert_eq!(probability(&[5.0], 0, OutputActivation::Softmax), 1.0);
    }

    #[test]
    fn probabilities_are_the_exponentials_parts_however_large() {
        // e^0 : e^ln 3 = 1 : 3, at any offset.
        for offset in [0.0, 1e4, -1e4] {
            let logits = [offset, offset + 3.0_f32.ln()];
            let probability = log_softmax(&logits, 1).exp();
            assert!((probability - 0.75).abs() < 1e-3, "{offset}: {probability}");
        }
    }
}
