//! What is said of a training that came to nothing.

use figures::short;
use train::{EpochReport, Guessing, TrainConfig};

use super::failure::one_line;

/// A training loss so many times that of a guess is one of steps that are too long.
const WORSE: f64 = 1.5;

/// A learning rate as it is typed, with the minus of a keyboard.
fn typed(rate: f64) -> String {
    short(rate).replace('−', "-")
}

/// What is wrong and what may help, in one line, where the last epochs did no better than guessing.
pub(crate) fn hint(epochs: &[EpochReport], classes: usize, config: &TrainConfig) -> Option<String> {
    let guessing = Guessing::at_the_end(epochs, classes, config.batch_size)?;
    let [lower, higher] = [0.1, 10.0].map(|factor| typed(config.learning_rate * factor));
    // What only guesses, and does not do worse, may also have learned too little.
    let rate = match guessing.loss > WORSE * (guessing.classes as f64).ln() {
        true => format!(
            "too high (peak {}; try --lr {lower})",
            short(config.learning_rate)
        ),
        false => format!(
            "too high or too low (peak {}; try --lr {lower} or {higher})",
            short(config.learning_rate)
        ),
    };
    Some(format!(
        "{guessing}; the usual causes: a learning rate {rate}, too few steps ({}; more --epochs or a smaller --batch-size \
         make more), labels that do not belong to the pictures",
        guessing.steps
    ))
}

/// The same of a run that ended at a step as its numbers were no numbers any more.
pub(crate) fn of_diverged(diverged: &str, config: &TrainConfig) -> String {
    format!(
        "the training diverged at {}; a lower learning rate may help (peak {}; try --lr {})",
        one_line(diverged),
        short(config.learning_rate),
        typed(config.learning_rate / 10.0)
    )
}
