//! What the screen shows.

use std::path::Path;

use train::{EpochReport, Progressing, RunFolder, Score, StepReport, Trainer};

use super::course::Course;

/// What the training is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Training,
    /// Held-out pictures are classified: so many of so many.
    Evaluating(usize, usize),
    Paused,
    /// The step that runs is ended and the checkpoint written.
    Stopping,
}

/// Filters of the first layer, as the last step left them.
#[derive(Clone, Debug, Default)]
pub(super) struct Bank {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// Everything that is drawn, and nothing else: a picture is a function of it.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// `resnet20 on shapes`
    pub(super) title: String,
    pub(super) folder: String,
    pub(super) epochs: u64,
    pub(super) total_steps: u64,
    pub(super) batch_size: usize,
    pub(super) phase: Phase,
    pub(super) step: Option<StepReport>,
    /// Epochs that are done.
    pub(super) done: Vec<EpochReport>,
    pub(super) best: Option<(u64, Score)>,
    pub(super) loss: Course,
    pub(super) accuracy: Course,
    pub(super) rate: Course,
    pub(super) speed: Course,
    pub(super) filters: Bank,
    pub(super) note: String,
}

impl State {
    /// The state before the next step of a training; of a resumed one, with the epochs before.
    pub(super) fn of(trainer: &Trainer, folder: &Path) -> Self {
        let config = trainer.config();
        let total_steps = config.epochs * trainer.batches_per_epoch() as u64;
        let data = Path::new(&config.data).file_name();
        let data = data.map_or(config.data.as_str().into(), |name| name.to_string_lossy());
        let mut state = Self::new(
            format!("{} on {data}", trainer.card().model),
            config.epochs,
            total_steps,
            config.batch_size,
        );
        state.folder = folder.display().to_string();
        state.best = trainer.progress().best;
        // What cannot be read of the past is not shown; the training needs none of it.
        for report in RunFolder::metrics(folder).unwrap_or_default() {
            let half = trainer.batches_per_epoch() as u64 / 2;
            let middle = report.step.saturating_sub(half);
            state.loss.add(middle, report.train_loss);
            state.accuracy.add(middle, report.train_accuracy);
            state.rate.add(report.step, report.learning_rate);
            state.speed.add(middle, report.images_per_second);
            state.done.push(report);
        }
        state
    }

    /// A state of a run that has not begun.
    pub(super) fn new(title: String, epochs: u64, total_steps: u64, batch_size: usize) -> Self {
        let course = || Course::new(total_steps);
        Self {
            title,
            folder: String::new(),
            epochs,
            total_steps,
            batch_size,
            phase: Phase::Training,
            step: None,
            done: Vec::new(),
            best: None,
            loss: course(),
            accuracy: course(),
            rate: course(),
            speed: course(),
            filters: Bank::default(),
            note: String::new(),
        }
    }

    /// Takes in what a training tells.
    pub(super) fn tell(&mut self, now: &Progressing<'_>) {
        match *now {
            Progressing::Step(step) => self.end_step(step),
            Progressing::Filters(bank) => {
                bank.name.clone_into(&mut self.filters.name);
                bank.shape.clone_into(&mut self.filters.shape);
                bank.values.clone_into(&mut self.filters.values);
            }
            Progressing::Evaluating { done, total } => {
                if matches!(self.phase, Phase::Training | Phase::Evaluating(..)) {
                    self.phase = Phase::Evaluating(done, total);
                }
            }
        }
    }

    fn end_step(&mut self, step: StepReport) {
        if let Phase::Evaluating(..) = self.phase {
            self.phase = Phase::Training;
        }
        self.loss.add(step.step, f64::from(step.loss));
        self.rate.add(step.step, step.learning_rate);
        self.speed.add(step.step, step.images_per_second);
        // A step tells of its epoch so far; what it adds is the difference to the step before.
        let before = match self.step {
            _ if step.batch == 1 => Some(0.0),
            Some(before) if before.step + 1 == step.step => {
                Some(before.accuracy * before.batch as f64)
            }
            _ => None,
        };
        if let Some(before) = before {
            self.accuracy
                .add(step.step, step.accuracy * step.batch as f64 - before);
        }
        self.step = Some(step);
    }

    /// Takes in an epoch that is done.
    pub(super) fn end_epoch(&mut self, report: &EpochReport) {
        if let Phase::Evaluating(..) = self.phase {
            self.phase = Phase::Training;
        }
        if let (true, Some(score)) = (report.best, report.held_out) {
            self.best = Some((report.epoch, score));
        }
        self.done.push(report.clone());
    }

    /// Pauses a training that runs, and lets a paused one go on.
    pub(super) fn pause_or_go_on(&mut self) {
        self.phase = match self.phase {
            Phase::Paused => Phase::Training,
            Phase::Stopping => Phase::Stopping,
            Phase::Training | Phase::Evaluating(..) => Phase::Paused,
        };
    }

    /// Steps that are done.
    pub(super) fn steps(&self) -> u64 {
        let told = self.step.map_or(0, |step| step.step);
        told.max(self.done.last().map_or(0, |epoch| epoch.step))
    }

    /// Seconds to the end of the run. Whole epochs are taken as long as the last one, its evaluation included.
    pub(super) fn seconds_left(&self) -> Option<f64> {
        let step = self.step?;
        let left = self.epochs.saturating_sub(step.epoch) as f64;
        let steps = self.batch_size as f64 * step.batches as f64 / step.images_per_second.max(1e-9);
        let epoch = self.done.last().map_or(steps, |epoch| epoch.seconds);
        Some(step.seconds_left + left * epoch)
    }
}
