//! What is said of a training that came to nothing.

use figures::short;
use train::{EpochReport, Guessing, TrainConfig};

use super::failure::one_line;

/// The learning rate of a run, and one that may be better.
fn rate(config: &TrainConfig) -> String {
    let rate = config.learning_rate;
    // A number to be typed has the minus of a keyboard.
    let typed = short(rate / 10.0).replace('−', "-");
    format!("peak {}; try --lr {typed}", short(rate))
}

/// What is wrong and what may help, in one line, where the last epochs did no better than guessing.
pub(crate) fn hint(epochs: &[EpochReport], classes: usize, config: &TrainConfig) -> Option<String> {
    let guessing = Guessing::at_the_end(epochs, classes, config.batch_size)?;
    Some(format!(
        "{guessing}; the usual causes: a learning rate too high ({}), too few steps ({}), labels that do \
         not belong to the pictures",
        rate(config),
        guessing.steps
    ))
}

/// The same of a run that ended at a step as its numbers were no numbers any more.
pub(crate) fn of_diverged(diverged: &str, config: &TrainConfig) -> String {
    format!(
        "the training diverged at {}; a lower learning rate may help ({})",
        one_line(diverged),
        rate(config)
    )
}
