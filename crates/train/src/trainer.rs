//! The training loop.
//!
//! ```text
//!            ┌──────────── another thread ────────────┐
//! Dataset ─▶ permutation ─▶ Augmenter ─▶ Loader ─▶ Batch
//!                                                   │
//!              ┌── parameters ── Optimiser ◀── gradients ── Program (forward, loss, backward)
//!              ▼                                                 │
//!          Evaluator ─▶ Score ─▶ best.safetensors     loss ─▶ StepReport ─▶ EpochReport ─▶ metrics.jsonl
//!                                last.safetensors
//!                                history.safetensors
//! ```
//!
//! A step is a function of the parameters, the optimiser's averages, the running statistics and the step's number.
//! The first three are tensors of the checkpoint, the last is in its metadata, and nothing else is carried along:
//! that is why a resumed run ends bitwise equal to an uninterrupted one.

mod begin;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use formats::weights::Precision;
use formats::{Dataset, Skipped};
use runtime::{Program, Run};

use crate::checkpoint::{Progress, Sums};
use crate::evaluate::loader_workers;
use crate::filters::FirstFilters;
use crate::history::HistoryKeeper;
use crate::logits::likeliest;
use crate::optimiser::Optimiser;
use crate::optimiser::clip::clip_by_norm;
use crate::{
    Architecture, Augmenter, Checkpoint, EpochReport, Evaluation, Evaluator, Job, Loader,
    ModelCard, Outcome, Progressing, RunFolder, Schedule, StepReport, TrainConfig, TrainError,
    Transform, permutation, whole_batches,
};

/// A training: a network, its data and how far it has come.
///
/// ```no_run
/// use std::path::Path;
/// use std::sync::atomic::AtomicBool;
/// use train::{Outcome, TrainConfig, Trainer};
/// let config = TrainConfig::new("shapes", "resnet20")?;
/// let splits = config.open_data()?;
/// let mut trainer = Trainer::new(config, splits, Some(Path::new("runs/shapes")))?;
/// let stop = AtomicBool::new(false);
/// while !trainer.is_finished() {
///     match trainer.run_epoch(&mut |_| {}, &stop)? {
///         Outcome::Done(epoch) => println!("{}: {:.3}", epoch.epoch, epoch.train_loss),
///         Outcome::Stopped => break,
///     }
/// }
/// # Ok::<(), train::TrainError>(())
/// ```
pub struct Trainer {
    config: TrainConfig,
    card: ModelCard,
    architecture: Architecture,
    train: Arc<dyn Dataset>,
    held_out: Option<Arc<dyn Dataset>>,
    program: Program,
    evaluator: Option<Evaluator>,
    optimiser: Optimiser,
    schedule: Schedule,
    progress: Progress,
    filters: Option<FirstFilters>,
    history: HistoryKeeper,
    folder: Option<RunFolder>,
    /// What was left out of the training pictures, when they were taken into memory or since.
    left_out: Skipped,
    held_out_left_out: Skipped,
    /// The weights that the run began with are of other classes, so the head was drawn.
    head_is_new: bool,
    /// Auxiliary heads that they lack, and that were drawn too.
    new_auxiliary_heads: Vec<String>,
    /// The training loss adds the losses of such heads to that of the network.
    has_auxiliary_heads: bool,
    /// Unreadable training pictures met in a set too large for memory.
    unreadable: BTreeSet<usize>,
}

impl Trainer {
    /// Trains to the end of the current epoch, classifies the held-out pictures, and writes the checkpoint.
    ///
    /// `on_progress` is called after every step, and as long as it takes the training waits. When `stop` is raised, the step that runs is ended, a checkpoint is
    /// written, and the call returns [`Outcome::Stopped`]; the next call, or a resumed run, goes on from there.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] for a loss, held-out or not, or a weight that is not finite: the last good checkpoint
    /// is kept. [`TrainError::Data`] when more than a twentieth of the pictures turn out to be unreadable.
    /// [`TrainError::Checkpoint`] and [`TrainError::Io`] for files that cannot be written.
    /// [`TrainError::Finished`] after the last epoch.
    pub fn run_epoch(
        &mut self,
        on_progress: &mut dyn FnMut(&Progressing),
        stop: &AtomicBool,
    ) -> Result<Outcome, TrainError> {
        if self.is_finished() {
            let epochs = self.config.epochs;
            return Err(TrainError::Finished { epochs });
        }
        let mut clock = Clock::start();
        let resumed_at = self.progress.batch;
        let mut loader = self.loader()?;
        while let Some(batch) = loader.next() {
            let loss = self.step(&batch)?;
            self.note_unreadable(&batch.unreadable)?;
            loader.recycle(batch);
            let steps_here = self.progress.batch - resumed_at;
            let report = self.step_report(loss, steps_here, clock.seconds());
            clock.stopped(|| {
                on_progress(&Progressing::Step(report));
                if let Some(filters) = &self.filters {
                    on_progress(&Progressing::Filters(filters.bank(&self.program)));
                }
            });
            if stop.load(Ordering::Relaxed) {
                self.save_last()?;
                return Ok(Outcome::Stopped);
            }
            let every = self.config.checkpoint_steps;
            if every > 0 && self.progress.step.is_multiple_of(every) {
                self.save_last()?;
            }
        }
        loader.end()?;
        let trained = clock.seconds();
        let pictures = (self.progress.batch - resumed_at) * self.config.batch_size;

        let report = |done, total| {
            clock.stopped(|| on_progress(&Progressing::Evaluating { done, total }));
        };
        let held_out = match self.evaluate_held_out(report, stop)? {
            Held::Stopped => {
                self.save_last()?;
                return Ok(Outcome::Stopped);
            }
            Held::None => None,
            Held::Out(evaluation) => Some(evaluation.score()),
        };
        if let Some(score) = held_out.filter(|score| !score.loss.is_finite()) {
            // Every weight is still finite, but what the network makes of them is not.
            let what = format!("the held-out loss is {}", score.loss);
            return Err(self.diverged(self.progress.step, what));
        }
        let progress = &self.progress;
        let mut report = EpochReport {
            epoch: progress.epoch + 1,
            step: progress.step,
            learning_rate: self.schedule.rate(progress.step.saturating_sub(1)),
            train_loss: progress.sums.mean_loss(),
            train_accuracy: progress.sums.accuracy(),
            held_out,
            best: false,
            seconds: 0.0,
            images_per_second: pictures as f64 / trained.max(1e-9),
        };
        self.end_epoch(&mut report)?;
        report.seconds = clock.seconds();
        if let Some(folder) = &mut self.folder {
            folder.log(&report)?;
        }
        self.save_last()?;
        Ok(Outcome::Done(report))
    }

    /// The batches of the epoch that are still to come.
    fn loader(&self) -> Result<Loader, TrainError> {
        let (seed, epoch) = (self.config.seed, self.progress.epoch);
        let augmenter = Augmenter {
            augment: self.config.augment,
            preprocess: self.card.preprocess.clone(),
            seed,
        };
        let job = Job {
            dataset: self.train.clone(),
            transform: Transform::Training(augmenter, epoch),
            order: permutation(seed, epoch, self.train.len()),
            batch: self.config.batch_size,
            first: self.progress.batch,
            tolerated: self.left_out.joined(&self.held_out_left_out).total / 20,
        };
        Loader::new(
            job,
            loader_workers(&*self.train, self.program.team().threads()),
        )
    }

    /// One step: forward, loss, backward, and the optimiser's move.
    fn step(&mut self, batch: &crate::Batch) -> Result<f32, TrainError> {
        if batch.count < self.config.batch_size {
            // Only a long run of unreadable pictures leaves a training batch short.
            self.note_unreadable(&batch.unreadable)?;
            return Err(TrainError::Config(format!(
                "only {} of the {} pictures of a batch can be read",
                batch.count, self.config.batch_size
            )));
        }
        self.program.input_f32(0).copy_from_slice(&batch.images);
        self.program.input_index(1).copy_from_slice(&batch.labels);
        self.program.run(Run {
            seed: self.config.seed,
            step: self.progress.step,
        });
        let loss = self.program.output(0)[0];
        if !loss.is_finite() {
            return Err(self.diverged(self.progress.step + 1, format!("the loss is {loss}")));
        }
        let logits = self.program.output(1).chunks_exact(self.card.classes.len());
        let right = |(logits, label): &(&[f32], &u32)| likeliest(logits) == **label as usize;
        let correct = logits.zip(&batch.labels).filter(right).count();

        if let Some(limit) = self.config.clip_norm {
            clip_by_norm(self.program.gradients_mut(), limit);
        }
        let rate = self.schedule.rate(self.progress.step);
        let (parameters, gradients) = self.program.parameters_and_gradients();
        self.optimiser.step(parameters, gradients, rate);

        let sums = &mut self.progress.sums;
        sums.loss += f64::from(loss);
        sums.batches += 1;
        sums.correct += correct as u64;
        sums.pictures += batch.count as u64;
        self.progress.step += 1;
        self.progress.batch += 1;
        let filters = self.filters.as_ref().map(|first| first.bank(&self.program));
        let Progress { step, sums, .. } = self.progress;
        self.history.keep(step, sums, filters)?;
        Ok(loss)
    }

    fn step_report(&self, loss: f32, steps_here: usize, seconds: f64) -> StepReport {
        let progress = &self.progress;
        let batches = self.batches_per_epoch();
        let seconds_a_step = seconds / steps_here.max(1) as f64;
        StepReport {
            epoch: progress.epoch + 1,
            batch: progress.batch,
            batches,
            step: progress.step,
            loss,
            mean_loss: progress.sums.mean_loss(),
            accuracy: progress.sums.accuracy(),
            learning_rate: self.schedule.rate(progress.step - 1),
            images_per_second: self.config.batch_size as f64 / seconds_a_step.max(1e-9),
            seconds_left: (batches - progress.batch) as f64 * seconds_a_step,
        }
    }

    /// Counts an epoch as done and keeps its weights if none before did better.
    fn end_epoch(&mut self, report: &mut EpochReport) -> Result<(), TrainError> {
        let score = report.score();
        let former = self.progress.best.map(|(_, score)| score);
        report.best = score.loss.is_finite() && former.is_none_or(|former| score.beats(&former));
        if report.best {
            self.check_finite()?;
            self.progress.best = Some((report.epoch, score));
            if let Some(folder) = &self.folder {
                Checkpoint::capture(&self.card, &self.program, Some(score), None)?
                    .save(&folder.best(), Precision::F32)?;
            }
        }
        self.progress.epoch += 1;
        self.progress.batch = 0;
        self.progress.sums = Sums::default();
        Ok(())
    }

    /// Writes the checkpoint to continue from; nothing without a folder.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] when a weight is not finite: the former checkpoint is kept.
    /// [`TrainError::Checkpoint`] when the file cannot be written.
    pub fn save_last(&self) -> Result<(), TrainError> {
        self.check_finite()?;
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        self.history.save(folder.path())?;
        let training = (&self.optimiser, self.progress.clone());
        let checkpoint = Checkpoint::capture(&self.card, &self.program, None, Some(training))?;
        Ok(checkpoint.save(&folder.last(), Precision::F32)?)
    }

    /// A finite loss says nothing of the weights after the step that followed it.
    fn check_finite(&self) -> Result<(), TrainError> {
        let finite = |value: &f32| value.is_finite();
        for slot in self.program.slots() {
            if !self.program.parameters()[slot.range.clone()]
                .iter()
                .all(finite)
            {
                let what = format!("`{}` is no longer finite", slot.name);
                return Err(self.diverged(self.progress.step, what));
            }
        }
        for slot in self.program.states() {
            if !self.program.state()[slot.range.clone()].iter().all(finite) {
                let what = format!("`{}` is no longer finite", slot.name);
                return Err(self.diverged(self.progress.step, what));
            }
        }
        Ok(())
    }

    /// The error that ends the run; whoever looks into its folder later finds the reason there.
    fn diverged(&self, step: u64, what: String) -> TrainError {
        let last = self.folder.as_ref().map(RunFolder::last);
        let steps = self.batches_per_epoch().max(1) as u64;
        let epoch = step.saturating_sub(1) / steps + 1;
        if let Some(folder) = &self.folder {
            folder.note_divergence(&format!("step {step} of epoch {epoch}: {what}"));
        }
        TrainError::Diverged {
            epoch,
            step,
            what,
            checkpoint: last.filter(|path| path.is_file()),
        }
    }

    fn note_unreadable(&mut self, unreadable: &[(usize, String)]) -> Result<(), TrainError> {
        for (index, reason) in unreadable {
            if self.unreadable.insert(*index) {
                let name = self.train.name(*index);
                self.left_out.add(name, reason.clone());
            }
        }
        self.check_unreadable()
    }

    /// Both parts count together: one bad picture may be a tenth of the few that are held out.
    fn check_unreadable(&self) -> Result<(), TrainError> {
        Ok(self.left_out.joined(&self.held_out_left_out).check()?)
    }

    fn evaluate_held_out(
        &mut self,
        mut on_progress: impl FnMut(usize, usize),
        stop: &AtomicBool,
    ) -> Result<Held, TrainError> {
        self.check_finite()?;
        let (Some(evaluator), Some(held_out)) = (&mut self.evaluator, &self.held_out) else {
            return Ok(Held::None);
        };
        evaluator.adopt(&self.program)?;
        let found =
            evaluator.classify_until(held_out.clone(), &mut |_| {}, &mut on_progress, stop)?;
        let Some(evaluation) = found else {
            return Ok(Held::Stopped);
        };
        if !evaluation.skipped.is_empty() {
            self.held_out_left_out = evaluation.skipped.clone();
        }
        self.check_unreadable()?;
        Ok(match evaluation.pictures {
            0 => Held::None,
            _ => Held::Out(evaluation),
        })
    }

    /// Classifies the held-out pictures with the weights as they are; `None` without such pictures.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`].
    pub fn evaluate(&mut self) -> Result<Option<Evaluation>, TrainError> {
        let never = AtomicBool::new(false);
        Ok(match self.evaluate_held_out(|_, _| {}, &never)? {
            Held::Out(evaluation) => Some(evaluation),
            Held::None | Held::Stopped => None,
        })
    }

    /// All epochs are done.
    pub fn is_finished(&self) -> bool {
        self.progress.epoch >= self.config.epochs
    }

    /// The settings, with the batch size that is used.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The network, its classes and its input.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Whether the run begins with weights of other classes, so that its head was drawn anew.
    pub fn head_is_new(&self) -> bool {
        self.head_is_new
    }

    /// Heads for training only that the weights of the run lack, so that they were drawn anew.
    pub fn new_auxiliary_heads(&self) -> &[String] {
        &self.new_auxiliary_heads
    }

    /// Whether the network has heads for training only. Their losses, by their weights, are part of the training loss
    /// and not of the held-out one.
    pub fn has_auxiliary_heads(&self) -> bool {
        self.has_auxiliary_heads
    }

    /// What the network is built from.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// How far the training has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The program of a step: parameters, gradients, memory.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Steps of an epoch.
    pub fn batches_per_epoch(&self) -> usize {
        whole_batches(self.train.len(), self.config.batch_size)
    }

    /// Pictures to train on, and held out.
    pub fn pictures(&self) -> (usize, usize) {
        let held_out = self.held_out.as_ref().map_or(0, |set| set.len());
        (self.train.len(), held_out)
    }

    /// What could not be read so far and is worth a warning: of the training and of the held-out pictures.
    pub fn skipped(&self) -> (&Skipped, &Skipped) {
        (&self.left_out, &self.held_out_left_out)
    }
}

/// The time of an epoch, without that of whoever listens: a training may be held up as long as one likes.
struct Clock {
    start: Instant,
    outside: Duration,
}

impl Clock {
    fn start() -> Self {
        Self {
            start: Instant::now(),
            outside: Duration::ZERO,
        }
    }

    /// Does something while the clock stands still.
    fn stopped(&mut self, outside: impl FnOnce()) {
        let start = Instant::now();
        outside();
        self.outside += start.elapsed();
    }

    fn seconds(&self) -> f64 {
        self.start
            .elapsed()
            .saturating_sub(self.outside)
            .as_secs_f64()
    }
}

/// What came of the held-out pictures.
enum Held {
    Out(Evaluation),
    None,
    Stopped,
}
