//! A resumed run ends bitwise equal to one that was never interrupted: its checkpoint is the same file, byte for
//! byte, and its metrics are the same up to the times.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use formats::weights::Precision;
use train::{
    Checkpoint, EpochReport, History, Outcome, Progress, Progressing, Rule, TrainConfig,
    TrainError, Trainer,
};

use super::{config, finish, last, shapes};

fn start(config: &TrainConfig, folder: &Path) -> Trainer {
    Trainer::new(config.clone(), shapes(), Some(folder)).unwrap()
}

fn resume(config: &TrainConfig, folder: &Path) -> Trainer {
    Trainer::resume_with(folder, config.clone(), shapes()).unwrap()
}

/// The metrics, without what a clock decides.
fn metrics(folder: &Path) -> Vec<EpochReport> {
    let text = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let report = |line| {
        let mut report: EpochReport = serde_json::from_str(line).unwrap();
        (report.seconds, report.images_per_second) = (0.0, 0.0);
        report
    };
    text.lines().map(report).collect()
}

pub(crate) fn assert_same_end(straight: &Path, resumed: &Path) {
    assert!(last(straight) == last(resumed), "the checkpoints differ");
    let best = |folder: &Path| std::fs::read(folder.join("best.safetensors")).unwrap();
    assert!(best(straight) == best(resumed), "the best weights differ");
    let history = |folder: &Path| std::fs::read(folder.join(History::FILE)).unwrap();
    assert!(
        history(straight) == history(resumed),
        "the histories differ"
    );
    assert_eq!(metrics(straight), metrics(resumed));
}

/// Runs until so many steps are done, then raises the flag.
pub(crate) fn stop_after(trainer: &mut Trainer, steps: u64) {
    let stop = AtomicBool::new(false);
    loop {
        let mut raise = |progress: &Progressing| {
            if let Progressing::Step(step) = progress
                && step.step == steps
            {
                stop.store(true, Ordering::Relaxed);
            }
        };
        match trainer.run_epoch(&mut raise, &stop).unwrap() {
            Outcome::Stopped => return,
            Outcome::Done(_) => {}
        }
    }
}

#[test]
fn at_the_ends_of_epochs_and_between_them() {
    for (rule, moments) in [("sgd", [1, 5, 6]), ("adamw", [2, 4, 10])] {
        let mut config = config();
        config.set_optimiser(rule.parse::<Rule>().unwrap());
        let straight = tempfile::tempdir().unwrap();
        finish(&mut start(&config, straight.path()));
        for steps in moments {
            let folder = tempfile::tempdir().unwrap();
            stop_after(&mut start(&config, folder.path()), steps);
            // The resumed run may compute with other threads.
            let mut resumed = resume(
                &TrainConfig {
                    threads: 1,
                    ..config.clone()
                },
                folder.path(),
            );
            assert_eq!(resumed.progress().step, steps);
            finish(&mut resumed);
            assert_same_end(straight.path(), folder.path());
        }
    }
}

/// A run that begins with the weights of another and freezes some of them: stopped anywhere, it ends the
/// same, and so does one that died before its first checkpoint.
#[test]
fn a_tuned_run_goes_on_with_what_is_frozen() {
    let first = tempfile::tempdir().unwrap();
    finish(&mut start(&config(), first.path()));
    let config = TrainConfig {
        weights: Some(
            first
                .path()
                .join("best.safetensors")
                .to_string_lossy()
                .into_owned(),
        ),
        freeze: vec![
            "conv1".into(),
            "bn1".into(),
            "layer1".into(),
            "layer2.*.bn?".into(),
        ],
        clip_norm: Some(0.5),
        ..config()
    };
    let straight = tempfile::tempdir().unwrap();
    let mut trainer = start(&config, straight.path());
    assert!(!trainer.head_is_new());
    let frozen = |name: &str| {
        let parts = [
            "conv1",
            "bn1.",
            "layer1.",
            "layer2.0.bn",
            "layer2.1.bn",
            "layer2.2.bn",
        ];
        parts.iter().any(|part| name.starts_with(part))
    };
    let (before, states) = (
        trainer.program().parameters().to_vec(),
        trainer.program().state().to_vec(),
    );
    finish(&mut trainer);
    let program = trainer.program();
    for slot in program.slots() {
        assert_eq!(slot.trainable, !frozen(&slot.name), "{}", slot.name);
        let same = before[slot.range.clone()] == program.parameters()[slot.range.clone()];
        assert_eq!(same, frozen(&slot.name), "{}", slot.name);
    }
    for slot in program.states() {
        let same = states[slot.range.clone()] == program.state()[slot.range.clone()];
        assert_eq!(same, frozen(&slot.name), "{}", slot.name);
    }
    for steps in [1, 6] {
        let folder = tempfile::tempdir().unwrap();
        stop_after(&mut start(&config, folder.path()), steps);
        finish(&mut resume(&config, folder.path()));
        assert_same_end(straight.path(), folder.path());
    }
    let folder = tempfile::tempdir().unwrap();
    drop(start(&config, folder.path()));
    finish(&mut resume(&config, folder.path()));
    assert_same_end(straight.path(), folder.path());
}

/// A process that dies leaves what its last checkpoint says; what came after is done again.
#[test]
fn after_a_death_between_checkpoints() {
    let config = TrainConfig {
        checkpoint_steps: 3,
        ..config()
    };
    let straight = tempfile::tempdir().unwrap();
    finish(&mut start(&config, straight.path()));
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let mut dying = start(&config, folder.path());
    let mut keep = |progress: &Progressing| {
        if let Progressing::Step(step) = progress
            && step.step == 4
        {
            std::fs::copy(folder.path().join("last.safetensors"), &kept).unwrap();
        }
    };
    dying.run_epoch(&mut keep, &AtomicBool::new(false)).unwrap();
    drop(dying);
    // Epoch 1 is in the metrics, but the checkpoint is that of step 3.
    std::fs::rename(&kept, folder.path().join("last.safetensors")).unwrap();
    let mut resumed = resume(&config, folder.path());
    assert_eq!((resumed.progress().step, resumed.progress().batch), (3, 3));
    assert_eq!(metrics(folder.path()), []);
    finish(&mut resumed);
    assert_same_end(straight.path(), folder.path());
}

/// Nothing depends on the history: a run of before, or one whose history is damaged, ends the same, and keeps a history
/// from where it went on.
#[test]
fn without_a_history() {
    let config = config();
    let straight = tempfile::tempdir().unwrap();
    finish(&mut start(&config, straight.path()));
    let whole = History::open(straight.path()).unwrap().unwrap();
    let steps = |history: &History| -> Vec<u64> {
        let snapshots = history.snapshots().iter();
        snapshots.map(|snapshot| snapshot.step).collect()
    };
    assert_eq!(steps(&whole), (0..=10).collect::<Vec<_>>());
    for damage in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        stop_after(&mut start(&config, folder.path()), 6);
        let file = folder.path().join(History::FILE);
        match damage {
            true => std::fs::write(&file, b"nonsense").unwrap(),
            false => std::fs::remove_file(&file).unwrap(),
        }
        finish(&mut resume(&config, folder.path()));
        assert!(
            last(straight.path()) == last(folder.path()),
            "the checkpoints differ"
        );
        let kept = History::open(folder.path()).unwrap().unwrap();
        assert_eq!(steps(&kept), [7, 8, 9, 10]);
        assert_eq!(kept.snapshots(), &whole.snapshots()[7..]);
    }
}

/// What a history says of the filters is what the training told, and its sums are those of the epoch.
#[test]
fn a_history_is_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = start(&config(), folder.path());
    let mut told = Vec::new();
    let mut losses = Vec::new();
    let mut note = |progress: &Progressing| match progress {
        Progressing::Step(step) => losses.push(step.mean_loss),
        Progressing::Filters(bank) => {
            assert_eq!((bank.name, bank.shape), ("conv1.weight", &[4, 3, 3, 3][..]));
            told.push(bank.values.to_vec());
        }
        Progressing::Evaluating { .. } => {}
    };
    let never = AtomicBool::new(false);
    while !trainer.is_finished() {
        trainer.run_epoch(&mut note, &never).unwrap();
    }
    let history = History::open(folder.path()).unwrap().unwrap();
    assert_eq!(history.steps_per_epoch(), 5);
    let after_steps = &history.snapshots()[1..];
    assert_eq!((after_steps.len(), told.len()), (10, 10));
    for ((snapshot, values), loss) in after_steps.iter().zip(&told).zip(&losses) {
        assert_eq!(history.filters(snapshot).unwrap().values, values);
        assert_eq!(snapshot.sums.mean_loss(), *loss);
    }
    let first = history.filters(&history.snapshots()[0]).unwrap();
    assert!(first.values != told[0], "nothing was learned");
}

/// As the program does it: settings and data come from the folder alone.
#[test]
fn from_the_folder_alone() {
    let config = TrainConfig {
        epochs: 1,
        model: "lenet5:0.5".into(),
        ..config()
    };
    let folder = tempfile::tempdir().unwrap();
    let splits = config.open_data().unwrap();
    let mut trainer = Trainer::new(config.clone(), splits, Some(folder.path())).unwrap();
    stop_after(&mut trainer, 1);
    let (progress, card) = (trainer.progress().clone(), trainer.card().clone());
    let parameters = trainer.program().parameters().to_vec();
    drop(trainer);
    let resumed = Trainer::resume(folder.path(), |config| config.threads = 1).unwrap();
    assert_eq!((resumed.progress(), resumed.card()), (&progress, &card));
    assert_eq!(resumed.program().parameters(), parameters);
    assert_eq!(resumed.config().threads, 1);
}

#[test]
fn not_with_other_settings_or_data_and_not_beyond_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = start(&config(), folder.path());
    finish(&mut trainer);
    let error = trainer
        .run_epoch(&mut |_| {}, &AtomicBool::new(false))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the run is finished: all of its 2 epochs are done"
    );
    drop(trainer);

    let other = TrainConfig {
        learning_rate: 0.3,
        ..config()
    };
    let error = Trainer::resume_with(folder.path(), other, shapes())
        .err()
        .unwrap();
    assert!(matches!(error, TrainError::ConfigChanged { .. }), "{error}");
    let error = Trainer::resume_with(folder.path(), config(), super::splits(85, 30))
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "the run began with 84 training pictures in 10 classes, now there are 85 in 10"
    );
    let error = Trainer::new(config(), shapes(), Some(folder.path()))
        .err()
        .unwrap();
    assert!(matches!(error, TrainError::RunExists { .. }), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let error = Trainer::resume(empty.path(), |_| {}).err().unwrap();
    assert!(
        matches!(
            error,
            TrainError::NoRun {
                missing: "config.toml",
                ..
            }
        ),
        "{error}"
    );
}

/// Fewer pictures than a batch make the batch smaller, which is no change of the settings.
#[test]
fn changed_data_are_called_changed_data() {
    let folder = tempfile::tempdir().unwrap();
    let config = TrainConfig {
        batch_size: 128,
        epochs: 1,
        ..config()
    };
    let fewer = || super::splits(50, 10);
    finish(&mut Trainer::new(config.clone(), fewer(), Some(folder.path())).unwrap());
    let refusal = |splits| {
        let written = train::RunFolder::config(folder.path()).unwrap();
        let error = Trainer::resume_with(folder.path(), written, splits).err();
        error.unwrap().to_string()
    };
    assert_eq!(
        refusal(super::splits(49, 10)),
        "the run began with 50 training pictures in 10 classes, now there are 49 in 10"
    );
    let renamed = super::data::Pictures::new(50, 32).with_classes(&["circle", "hexagon"]);
    assert_eq!(
        refusal(super::data::only(renamed)),
        "the run began with 50 training pictures in 10 classes, now there are 50 in 2; class `square` is gone"
    );
}

/// A checkpoint may be damaged where no checksum sees it: the numbers must be those of a training.
#[test]
fn progress_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config();
    let mut trainer = start(&config, folder.path());
    stop_after(&mut trainer, 3);
    drop(trainer);
    let file = folder.path().join(Checkpoint::LAST);
    let whole = last(folder.path());
    let spoilt: [fn(&mut Progress); 8] = [
        |progress| progress.epoch = 1 << 63,
        |progress| progress.batch = 1 << 63,
        |progress| progress.batch = 4,
        |progress| progress.step = u64::MAX,
        |progress| progress.sums.loss = 1e308,
        |progress| progress.sums.batches = 2,
        |progress| progress.sums.correct = progress.sums.pictures + 1,
        |progress| {
            let score = train::Score {
                accuracy: 1.5,
                loss: 0.1,
            };
            progress.best = Some((1, score));
        },
    ];
    for (number, spoil) in spoilt.into_iter().enumerate() {
        std::fs::write(&file, &whole).unwrap();
        let mut checkpoint = Checkpoint::open(&file).unwrap();
        spoil(checkpoint.progress.as_mut().unwrap());
        checkpoint.save(&file, Precision::F32).unwrap();
        let Err(error) = Trainer::resume_with(folder.path(), config.clone(), shapes()) else {
            panic!("case {number} is taken up");
        };
        let text = error.to_string();
        assert!(
            text.contains("last.safetensors: `progress`"),
            "{number}: {text}"
        );
    }
    std::fs::write(&file, &whole).unwrap();
    finish(&mut resume(&config, folder.path()));
}
