//! Whether a training came to nothing: it ends where it began, with answers that are no better than guesses.

use std::fmt;

use crate::{EpochReport, Loss};

/// Epochs at the end of a run in which the network only guessed.
///
/// A guess gives every class the same probability: its loss is `ln(classes)`, and one in `classes` is right. An epoch is
/// no better where neither its training loss nor the held-out one, if there is one, lies more than 1 % below that, and no
/// more of the training pictures were right than three standard deviations above as many guesses. What is added to a
/// training loss (smoothing, regularisers, heads for training) can hide what was learned from it, not from the accuracy.
///
/// ```no_run
/// use std::path::Path;
/// use train::{Guessing, RunFolder};
/// let epochs = RunFolder::metrics(Path::new("runs/animals"))?;
/// if let Some(guessing) = Guessing::at_the_end(&epochs, 10, 128) {
///     println!("{guessing}");
/// }
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Guessing {
    /// The first and the last of these epochs, counted from 1.
    pub epochs: [u64; 2],
    /// Steps of the run.
    pub steps: u64,
    /// Classes that the network tells apart.
    pub classes: usize,
    /// Training loss of the last epoch.
    pub loss: f64,
    /// Training accuracy of the last epoch.
    pub accuracy: f64,
}

/// How far below the loss of a guess something begins that was learned.
const LEARNED: f64 = 0.01;

/// Standard deviations of the guesses that are right.
const DEVIATIONS: f64 = 3.0;

impl Guessing {
    /// The epochs at the end of a run that were no better than guesses, if they are at least two; `batch` is the number
    /// of pictures of a step.
    pub fn at_the_end(epochs: &[EpochReport], classes: usize, batch: usize) -> Option<Self> {
        if classes < 2 {
            return None;
        }
        let chance = 1.0 / classes as f64;
        let least = (1.0 - LEARNED) * (classes as f64).ln();
        let mut before = epochs.iter().map(|epoch| epoch.step).rev().skip(1);
        let guessed = |epoch: &&EpochReport| {
            let steps = epoch.step.saturating_sub(before.next().unwrap_or(0));
            let pictures = (steps.max(1) * batch.max(1) as u64) as f64;
            let spread = (chance * (1.0 - chance) / pictures).sqrt();
            let held_out = epoch.held_out.is_none_or(|score| score.loss >= least);
            epoch.train_loss >= least
                && held_out
                && epoch.train_accuracy <= chance + DEVIATIONS * spread
        };
        let last: Vec<&EpochReport> = epochs.iter().rev().take_while(guessed).collect();
        match last.as_slice() {
            // A single epoch, above all the first, often does no better.
            [last, .., first] => Some(Self {
                epochs: [first.epoch, last.epoch],
                steps: last.step,
                classes,
                loss: last.train_loss,
                accuracy: last.train_accuracy,
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Guessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, last] = self.epochs;
        let classes = self.classes as f64;
        write!(
            f,
            "epochs {first} to {last} did no better than guessing among {} classes: training loss {} (a guess: ln {0} = {}), \
             {:.2} % right (a guess: {:.2} %)",
            self.classes,
            Loss(self.loss),
            Loss(classes.ln()),
            100.0 * self.accuracy,
            100.0 / classes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Score;

    /// Epochs of 20 steps, by their training loss and accuracy, and their held-out loss.
    fn run(epochs: &[(f64, f64, f64)]) -> Vec<EpochReport> {
        let report = |(place, &(train_loss, train_accuracy, loss))| EpochReport {
            epoch: place + 1,
            step: 20 * (place + 1),
            learning_rate: 0.1,
            train_loss,
            train_accuracy,
            held_out: Some(Score {
                accuracy: 0.1,
                loss,
            }),
            best: false,
            seconds: 1.0,
            images_per_second: 1.0,
        };
        (0_u64..).zip(epochs).map(report).collect()
    }

    fn found(epochs: &[(f64, f64, f64)]) -> Option<[u64; 2]> {
        Guessing::at_the_end(&run(epochs), 10, 50).map(|guessing| guessing.epochs)
    }

    #[test]
    fn what_ends_at_chance_guesses() {
        // ln 10 = 2.3026; three deviations of 1000 guesses are 2.8 %.
        let guess = (2.31, 0.11, 2.303);
        assert_eq!(found(&[guess; 4]), Some([1, 4]));
        let learned = (1.2, 0.6, 1.1);
        assert_eq!(found(&[learned, learned, guess, guess]), Some([3, 4]));
        assert_eq!(found(&[(1e17, 0.1, 1e19), guess]), Some([1, 2]));
        let text = Guessing::at_the_end(&run(&[guess; 2]), 10, 50).unwrap();
        assert_eq!(
            text.to_string(),
            "epochs 1 to 2 did no better than guessing among 10 classes: training loss 2.3100 (a guess: ln 10 = 2.3026), \
             11.00 % right (a guess: 10.00 %)"
        );
    }

    #[test]
    fn what_learned_a_little_does_not() {
        let guess = (2.31, 0.11, 2.303);
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[guess]), None);
        assert_eq!(found(&[guess, guess, (2.2, 0.11, 2.2)]), None);
        assert_eq!(found(&[guess, (2.2, 0.11, 2.303), guess]), None);
        // By heart: only the held-out pictures are answered badly.
        assert_eq!(found(&[(0.1, 0.99, 3.0); 3]), None);
        // The loss is high by what is added to it, and the answers are not.
        assert_eq!(found(&[(2.6, 0.2, 2.31); 3]), None);
        assert_eq!(Guessing::at_the_end(&run(&[guess; 3]), 1, 50), None);
    }
}
