//! Whether the best weights of a run are those that its metrics tell of.

use std::fmt;
use std::path::Path;

use super::RunFolder;
use crate::{Checkpoint, Loss, Score, Weights};

/// Best weights that say another score than the best epoch of their run's metrics reached.
///
/// Both are written at the end of an epoch, so they differ where a file of another run was put in the place of the best
/// weights, or the run was killed between the two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replaced {
    /// The best epoch of the metrics.
    pub epoch: u64,
    /// What it reached.
    pub reached: Score,
    /// What the weights say that they reached, if anything.
    pub said: Option<Score>,
}

impl Replaced {
    /// Compares weights that were opened of a run folder with its metrics; nothing where they agree, where they are not its
    /// best ones, or where the metrics tell of no best epoch.
    pub fn found(folder: &Path, weights: &Weights) -> Option<Self> {
        if Path::new(weights.origin()) != folder.join(Checkpoint::BEST) {
            return None;
        }
        let epochs = RunFolder::metrics(folder).ok()?;
        let best = epochs.iter().rfind(|epoch| epoch.best)?;
        let replaced = Self {
            epoch: best.epoch,
            reached: best.score(),
            said: weights.score(),
        };
        (replaced.said != Some(replaced.reached)).then_some(replaced)
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Score { accuracy, loss } = self.reached;
        write!(
            f,
            "{} is not of epoch {}, the best of metrics.jsonl, which reached an accuracy of {:.2} % and a loss of {}: ",
            Checkpoint::BEST,
            self.epoch,
            100.0 * accuracy,
            Loss(loss)
        )?;
        match self.said {
            Some(Score { accuracy, loss }) => {
                write!(f, "it says {:.2} % and {}", 100.0 * accuracy, Loss(loss))?
            }
            None => f.write_str("it says nothing of what it reached")?,
        }
        f.write_str("; it was replaced, or the run was killed before its epoch was written down")
    }
}
