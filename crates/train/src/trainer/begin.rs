//! How a training begins: anew, with weights, or where a run stopped.

use std::collections::BTreeSet;
use std::path::Path;

use formats::{CropMode, Dataset, Interpolation, Preprocess, Skipped, Splits};
use graph::passes::{TrainingOptions, training};
use runtime::{Program, RuntimeOptions, initialise};

use super::Trainer;
use crate::checkpoint::{Progress, Sums};
use crate::common_size::common_size;
use crate::filters::FirstFilters;
use crate::freeze::freeze;
use crate::history::HistoryKeeper;
use crate::optimiser::{Optimiser, Segment};
use crate::{
    Architecture, Checkpoint, CheckpointError, Evaluator, ModelCard, RunFolder, RunLock, Schedule,
    TrainConfig, TrainError, Weights, channel_statistics, whole_batches,
};

impl Trainer {
    /// A training from the start. With a folder, its checkpoints and curves are kept there; without, nowhere.
    ///
    /// Pictures are decoded into memory where they fit [`TrainConfig::cache_mib`], and a batch larger than the
    /// training set is made as large as the set.
    ///
    /// # Errors
    /// A folder that holds a run already, settings that make no sense, a data set with too many unreadable pictures,
    /// a network that cannot be built for it.
    pub fn new(
        config: TrainConfig,
        splits: Splits,
        folder: Option<&Path>,
    ) -> Result<Self, TrainError> {
        if let Some(path) = folder {
            RunFolder::check_free(path)?;
        }
        let mut trainer = Self::prepare(config, splits, None)?;
        if let Some(path) = folder {
            trainer.keep_in(path)?;
        }
        Ok(trainer)
    }

    /// Keeps checkpoints and curves in a folder from now on. Of several processes that ask for one folder, one gets it.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] and [`TrainError::InUse`] for a folder that is taken, [`TrainError::Io`].
    pub fn keep_in(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.folder = Some(RunFolder::create(folder, &self.config, &self.architecture)?);
        Ok(())
    }

    /// Continues the run in a folder. `adjust` may change the settings that the result does not depend on: where
    /// the data lies, the number of threads, how often checkpoints are written. A run that ended before its first
    /// checkpoint begins again.
    ///
    /// # Errors
    /// [`TrainError::NoRun`], [`TrainError::InUse`], [`TrainError::ConfigChanged`], [`TrainError::DataChanged`], a
    /// damaged checkpoint, and as [`Trainer::new`].
    pub fn resume(
        folder: &Path,
        adjust: impl FnOnce(&mut TrainConfig),
    ) -> Result<Self, TrainError> {
        let mut config = RunFolder::config(folder)?;
        adjust(&mut config);
        let splits = config.open_data()?;
        Self::resume_with(folder, config, splits)
    }

    /// As [`Trainer::resume`], with settings and data that are at hand.
    ///
    /// # Errors
    /// As there.
    pub fn resume_with(
        folder: &Path,
        config: TrainConfig,
        splits: Splits,
    ) -> Result<Self, TrainError> {
        let written = RunFolder::config(folder)?;
        let lock = RunLock::take(folder)?;
        let last = folder.join(Checkpoint::LAST);
        if !last.is_file() {
            return Self::begin_again(lock, &written, config, splits);
        }
        let checkpoint = Checkpoint::open(&last)?;
        let architecture = checkpoint.architecture()?;
        checkpoint.network_of(&architecture, 1)?;
        let begun = Some((&checkpoint.card, architecture));
        let mut trainer = Self::prepare(config, splits, begun)?;
        checkpoint.restore(&mut trainer.program)?;
        let progress = checkpoint.restore_training(&trainer.program, &mut trainer.optimiser)?;
        // The data first: a batch is no larger than they are, so fewer pictures may look like another setting.
        check_same_data(&progress, &checkpoint.card, &*trainer.train)?;
        if progress.config != trainer.config.fingerprint() {
            let path = RunFolder::config_path(folder);
            return Err(TrainError::ConfigChanged { path });
        }
        let (batches, batch_size) = (trainer.batches_per_epoch(), trainer.config.batch_size);
        if let Some(reason) = progress.fault(trainer.config.epochs, batches, batch_size) {
            let damaged = CheckpointError::Metadata {
                origin: checkpoint.origin().to_owned(),
                key: "progress",
                reason,
            };
            return Err(damaged.into());
        }
        trainer.history.take_up(folder, progress.step);
        trainer.folder = Some(RunFolder::reopen(lock, progress.epoch)?);
        trainer.progress = progress;
        Ok(trainer)
    }

    /// A run whose process died before it wrote a checkpoint to continue from. At most its first epoch was done: a
    /// folder that tells of more has lost its checkpoint, and what is left of it must not be overwritten.
    fn begin_again(
        lock: RunLock,
        written: &TrainConfig,
        config: TrainConfig,
        splits: Splits,
    ) -> Result<Self, TrainError> {
        let folder = lock.path();
        if RunFolder::epochs_logged(folder)? > 1 {
            return Err(TrainError::NoRun {
                path: folder.to_path_buf(),
                missing: Checkpoint::LAST,
            });
        }
        let asked = config.fingerprint();
        let mut trainer = Self::prepare(config, splits, None)?;
        if ![asked, trainer.config.fingerprint()].contains(&written.fingerprint()) {
            let path = RunFolder::config_path(folder);
            return Err(TrainError::ConfigChanged { path });
        }
        let (config, architecture) = (&trainer.config, &trainer.architecture);
        trainer.folder = Some(RunFolder::restart(lock, config, architecture)?);
        Ok(trainer)
    }

    /// Everything but the folder. The card of a run that began before keeps its mean and deviation, and its weights
    /// are those of its checkpoint; a new run has its first weights.
    fn prepare(
        mut config: TrainConfig,
        splits: Splits,
        begun: Option<(&ModelCard, Architecture)>,
    ) -> Result<Self, TrainError> {
        config.check()?;
        config.settle_paths();
        let threads = config.resolved_threads();
        let limit = config.cache_mib.saturating_mul(1 << 20);
        let (card, architecture) = begun.unzip();
        let mut weights = match (card, config.first_weights()) {
            (None, Some(weights)) => Some(Weights::open(
                &Weights::locate(weights)?,
                Some(&config.model),
            )?),
            _ => None,
        };
        let architecture = match (architecture, &weights) {
            (Some(architecture), _) => architecture,
            (None, Some(weights)) => weights.architecture().clone(),
            (None, None) => Architecture::find(&config.model)?,
        };
        let pictures_size = match (card, &weights, config.image_size) {
            (None, None, None) => common_size(&*splits.train),
            _ => None,
        };
        let (train, left_out) = formats::cache(splits.train, limit, threads);
        let (held_out, held_out_left_out) = match splits.held_out {
            Some(set) => {
                let (set, left_out) = formats::cache(set, limit, threads);
                (Some(set), left_out)
            }
            None => (None, Skipped::default()),
        };
        // Nothing is measured on no pictures.
        let held_out = held_out.filter(|set| !set.is_empty());
        left_out.joined(&held_out_left_out).check()?;
        let is_new = card.is_none();
        config.batch_size = config.batch_size.min(train.len());
        config.check()?;
        let card = match (card, &weights) {
            (Some(card), _) => card.clone(),
            (None, Some(weights)) => describe_tuned(&config, &*train, weights.card()),
            (None, None) => describe(&config, &*train, pictures_size)?,
        };

        let options = RuntimeOptions {
            layout: config.layout,
            threads,
            ..RuntimeOptions::default()
        };
        let label_smoothing = config.label_smoothing;
        let mut network = architecture.network(&card, config.batch_size)?;
        let head = architecture.head(&card.options(1))?;
        freeze(&mut network, &config.freeze, &head)?;
        let training_options = TrainingOptions {
            label_smoothing,
            fix_frozen_norms: true,
        };
        let mut program = Program::new(training(&network, training_options)?, &options)?;
        if is_new {
            initialise(&mut program, config.seed);
        }
        let head_is_new = match &mut weights {
            Some(weights) => weights.restore_body(&mut program)?,
            None => false,
        };
        let absent = weights.as_ref().map(Weights::absent_heads);
        let beside = |batch| Evaluator::beside(&program, &architecture, &card, batch, &options);
        let evaluator = held_out.as_ref().map(|_| beside(config.batch_size));
        let optimiser = Optimiser::new(
            config.optimiser,
            config.weight_decay,
            Segment::of(&program, config.decay_norm_and_bias),
            program.parameters().len(),
        )?;
        let steps = whole_batches(train.len(), config.batch_size) as u64;
        let filters = FirstFilters::find(&network, &program);
        let mut history = HistoryKeeper::new(config.epochs, steps, filters.as_ref());
        if is_new {
            let bank = filters.as_ref().map(|filters| filters.bank(&program));
            history.keep(0, Sums::default(), bank)?;
        }
        Ok(Self {
            evaluator: evaluator.transpose()?,
            schedule: Schedule::of(&config, steps),
            progress: Progress {
                epoch: 0,
                batch: 0,
                step: 0,
                seed: config.seed,
                config: config.fingerprint(),
                pictures: train.len(),
                sums: Sums::default(),
                best: None,
            },
            filters,
            history,
            folder: None,
            head_is_new,
            new_auxiliary_heads: absent.unwrap_or_default(),
            has_auxiliary_heads: !network.auxiliary.is_empty(),
            unreadable: BTreeSet::new(),
            config,
            card,
            architecture,
            train,
            held_out,
            program,
            optimiser,
            left_out,
            held_out_left_out,
        })
    }
}

/// Whether a run continues on the training pictures that it began with, as far as counts and names tell.
fn check_same_data(
    progress: &Progress,
    card: &ModelCard,
    train: &dyn Dataset,
) -> Result<(), TrainError> {
    let (then, now) = (card.classes.as_slice(), train.classes());
    if progress.pictures == train.len() && then == now {
        return Ok(());
    }
    let only = |some: &[String], others: &[String], was_there| {
        let class = some.iter().find(|class| !others.contains(class));
        class.map(|class| (class.clone(), was_there))
    };
    Err(TrainError::DataChanged {
        then: progress.pictures,
        then_classes: then.len(),
        now: train.len(),
        now_classes: now.len(),
        class: only(then, now, true).or(only(now, then, false)),
    })
}

/// The card of a new run on pictures of such a size, if they share one.
fn describe(
    config: &TrainConfig,
    train: &dyn Dataset,
    size: Option<(usize, usize)>,
) -> Result<ModelCard, TrainError> {
    let [_, height, width] = zoo::find(&config.model)?.classifier()?.model.input;
    // Photos straight from a camera may all be of one size too, but no network is meant for it.
    let small = |size: &(usize, usize)| size.0 <= height && size.1 <= width;
    let input = config
        .image_size
        .or(size.filter(small))
        .unwrap_or((height, width));
    let channels = train.channels();
    let (mean, std) = channel_statistics(train, channels);
    Ok(ModelCard {
        model: config.model.clone(),
        classes: train.classes().to_vec(),
        preprocess: Preprocess {
            input,
            channels,
            mean,
            std,
            crop_fraction: 1.0,
            interpolation: Interpolation::Bilinear,
            crop_mode: CropMode::Center,
        },
    })
}

/// The card of a new run that begins with weights: their network sees what it is used to see.
fn describe_tuned(config: &TrainConfig, train: &dyn Dataset, weights: &ModelCard) -> ModelCard {
    let preprocess = weights.preprocess.clone();
    ModelCard {
        model: weights.model.clone(),
        classes: train.classes().to_vec(),
        preprocess: Preprocess {
            input: config.image_size.unwrap_or(preprocess.input),
            ..preprocess
        },
    }
}
