//! The network's answers to the held-out pictures.

use std::sync::Arc;
use std::time::Instant;

use formats::{Dataset, HeldOut};
use train::{Answer, Evaluation, Evaluator, TrainConfig, TrainError, Weights};

use super::Arguments;
use crate::bar::{Bar, clock};
use crate::failure::Interrupted;
use crate::output::Messages;
use crate::{interrupt, trained};

/// Pictures with the network's answers.
pub(super) struct Answered {
    pub(super) pictures: Arc<dyn Dataset>,
    /// Names of the network's classes.
    pub(super) classes: Vec<String>,
    pub(super) answers: Vec<Answer>,
    pub(super) evaluation: Evaluation,
    held_out: Option<HeldOut>,
}

impl Answered {
    /// Classifies what the run held out; all of its pictures where it held out none.
    pub(super) fn of(
        weights: &mut Weights,
        config: &TrainConfig,
        arguments: &Arguments,
        messages: Messages,
    ) -> anyhow::Result<Self> {
        let mut config = config.clone();
        if let Some(data) = &arguments.data {
            config.data.clone_from(data);
        }
        let splits = config.open_data().map_err(|error| match error {
            TrainError::Data(error) if arguments.data.is_none() => trained::own_data_missing(error),
            other => other.into(),
        })?;
        let held_out = splits.held_out.is_some().then_some(splits.held_out_from);
        let pictures = splits.held_out.unwrap_or(splits.train);
        let batch = pictures.len().clamp(1, arguments.batch_size.into());
        let mut evaluator = Evaluator::from_weights(weights, batch, &arguments.engine.options())?;
        let (bar, start) = (Bar::new(messages), Instant::now());
        let mut show = |done: usize, total: usize| {
            let left = start.elapsed().as_secs_f64() / done.max(1) as f64 * (total - done) as f64;
            let details = format!("ETA {}", clock(left));
            bar.show("classifying".to_owned(), done, total, details);
        };
        let mut answers = Vec::new();
        let mut keep = |answer| answers.push(answer);
        let stop = interrupt::stop_flag();
        let found = evaluator.examine_until(pictures.clone(), &mut keep, &mut show, stop);
        bar.clear();
        let evaluation = found?.ok_or_else(|| Interrupted("interrupted".to_owned()))?;
        Ok(Self {
            pictures,
            classes: evaluator.card().classes.clone(),
            answers,
            evaluation,
            held_out,
        })
    }

    /// What the pictures are to the run.
    pub(super) fn part(&self) -> String {
        match self.held_out {
            Some(HeldOut::Fraction(fraction)) => {
                format!("pictures, the {} % that were held out", 100.0 * fraction)
            }
            Some(HeldOut::Own | HeldOut::None) => "held-out pictures".to_owned(),
            None => "pictures that it was trained on: none were held out".to_owned(),
        }
    }

    /// Mistakes: how often pictures of a class were taken for another one, the most frequent first.
    pub(super) fn confusions(&self) -> Vec<(usize, usize, u64)> {
        let classes = self.evaluation.classes;
        let cells = self.evaluation.confusion.iter().enumerate();
        let cells = cells.map(|(place, &count)| (place / classes, place % classes, count));
        let mut mistakes: Vec<_> = cells
            .filter(|&(class, answer, count)| class != answer && count > 0)
            .collect();
        mistakes.sort_by_key(|&(.., count)| std::cmp::Reverse(count));
        mistakes
    }
}
