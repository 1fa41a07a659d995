//! What is said of a training that came to nothing.

use figures::short;
use train::{EpochReport, Guessing, TrainConfig};

/// What is wrong and what may help, in one line, where the last epochs did no better than guessing.
pub(crate) fn hint(epochs: &[EpochReport], classes: usize, config: &TrainConfig) -> Option<String> {
    let guessing = Guessing::at_the_end(epochs, classes, config.batch_size)?;
    Some(format!(
        "{guessing}; the usual causes: a learning rate too high (peak {}; try --lr {}), too few steps ({}), labels that do \
         not belong to the pictures",
        short(config.learning_rate),
        short(config.learning_rate / 10.0),
        guessing.steps
    ))
}
