//! What the outputs of a classifier say.

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

/// How many classes stand before one, equals in their order. What is not a number stands last.
pub(crate) fn rank(logits: &[f32], class: usize) -> usize {
    let own = logits[class];
    let before = |(other, logit): (usize, &f32)| {
        *logit > own || (*logit == own && other < class) || (own.is_nan() && other != class)
    };
    logits
        .iter()
        .enumerate()
        .filter(|entry| before(*entry))
        .count()
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
