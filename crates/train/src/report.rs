//! What a training tells about itself.

use serde::{Deserialize, Serialize};

use crate::{FilterBank, Score};

/// A training step, told as it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Epoch, counted from 1.
    pub epoch: u64,
    /// Step of the epoch, counted from 1.
    pub batch: usize,
    /// Steps of an epoch.
    pub batches: usize,
    /// Steps of the run so far.
    pub step: u64,
    /// Loss of this batch.
    pub loss: f32,
    /// Mean loss of the epoch so far.
    pub mean_loss: f64,
    /// Accuracy of the epoch so far, on the augmented pictures as they are learned from.
    pub accuracy: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Pictures a second since the epoch began or was resumed.
    pub images_per_second: f64,
    /// Seconds that the rest of the epoch's steps will take.
    pub seconds_left: f64,
}

/// What [`Trainer::run_epoch`](crate::Trainer::run_epoch) tells while it runs. The time that the listener takes is not
/// counted as time of the training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progressing<'a> {
    /// A training step ended.
    Step(StepReport),
    /// The filters of the first convolution as that step left them; of a network without one, nothing is told.
    Filters(FilterBank<'a>),
    /// Held-out pictures are being classified.
    Evaluating {
        /// Pictures done.
        done: usize,
        /// All of them.
        total: usize,
    },
}

/// An epoch that is done; a line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Epoch, counted from 1.
    pub epoch: u64,
    /// Steps of the run so far.
    pub step: u64,
    /// Learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Mean loss over the epoch's batches, with label smoothing if there is any.
    pub train_loss: f64,
    /// Accuracy on the augmented pictures as they were learned from.
    pub train_accuracy: f64,
    /// Accuracy and mean loss on the held-out pictures, if there are any.
    pub held_out: Option<Score>,
    /// No epoch before it did better.
    pub best: bool,
    /// Seconds that the epoch took, the evaluation included.
    pub seconds: f64,
    /// Pictures a second of training.
    pub images_per_second: f64,
}

impl EpochReport {
    /// What its weights are judged by: the held-out pictures, and where there are none those that were learned from.
    pub fn score(&self) -> Score {
        self.held_out.unwrap_or(Score {
            accuracy: self.train_accuracy,
            loss: self.train_loss,
        })
    }
}

/// How a call of [`Trainer::run_epoch`](crate::Trainer::run_epoch) ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The epoch is done and its checkpoint written.
    Done(EpochReport),
    /// The stop flag was raised; the checkpoint holds everything up to the last step.
    Stopped,
}
