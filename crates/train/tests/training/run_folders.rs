//! Who may write to a run folder, and what becomes of one whose run died early.

use std::path::Path;

use train::{Checkpoint, RunFolder, TrainConfig, TrainError, Trainer};

use super::{config, finish, last, shapes, splits};

fn start(folder: &Path) -> Result<Trainer, TrainError> {
    Trainer::new(config(), shapes(), Some(folder))
}

fn resume(folder: &Path) -> Result<Trainer, TrainError> {
    Trainer::resume_with(folder, config(), shapes())
}

/// The lock belongs to the open file, so a second trainer in one process meets it as another process would.
#[test]
fn two_trainings_never_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path()).unwrap();
    first.save_last().unwrap();
    let error = resume(folder.path()).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "run folder {} is in use by another process",
            folder.path().display()
        )
    );
    drop(first);
    resume(folder.path()).unwrap();
}

/// Even an unreadable data set is not looked at before the folder is known to be free.
#[test]
fn a_folder_with_files_of_others_is_refused_first() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("metrics.jsonl"), "precious").unwrap();
    let unreadable = super::data::Pictures::new(40, 16).with_bad(0..40);
    let error = Trainer::new(config(), super::data::only(unreadable), Some(folder.path()));
    let error = error.err().unwrap();
    assert!(
        matches!(
            error,
            TrainError::RunExists {
                file: "metrics.jsonl",
                ..
            }
        ),
        "{error}"
    );
    let file = folder.path().join("metrics.jsonl");
    let error = Trainer::new(config(), shapes(), Some(&file)).err().unwrap();
    assert!(matches!(error, TrainError::Io { .. }), "{error}");
    assert_eq!(std::fs::read(file).unwrap(), b"precious");
}

/// A kill before the first `last.safetensors`: with the settings alone, or between the two files of epoch 1.
#[test]
fn a_run_that_died_before_its_first_checkpoint_begins_again() {
    let straight = tempfile::tempdir().unwrap();
    finish(&mut start(straight.path()).unwrap());
    for best in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        drop(start(folder.path()).unwrap());
        if best {
            let from = straight.path().join(Checkpoint::BEST);
            std::fs::copy(from, folder.path().join(Checkpoint::BEST)).unwrap();
        }
        finish(&mut resume(folder.path()).unwrap());
        assert!(last(folder.path()) == last(straight.path()), "{best}");
        let lines = RunFolder::epochs_logged(folder.path()).unwrap();
        assert_eq!(lines, 2);
    }
}

#[test]
fn a_run_that_lost_its_checkpoint_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    finish(&mut start(folder.path()).unwrap());
    std::fs::remove_file(folder.path().join(Checkpoint::LAST)).unwrap();
    let best = std::fs::read(folder.path().join(Checkpoint::BEST)).unwrap();
    let error = resume(folder.path()).err().unwrap();
    assert!(
        error.to_string().ends_with("(no last.safetensors)"),
        "{error}"
    );
    assert_eq!(
        std::fs::read(folder.path().join(Checkpoint::BEST)).unwrap(),
        best
    );
}

/// A batch that is cut to the size of the set stands cut in `config.toml`; the settings asked for are the same.
#[test]
fn beginning_again_takes_the_settings_as_they_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let asked = TrainConfig {
        batch_size: 128,
        ..config()
    };
    drop(Trainer::new(asked.clone(), splits(50, 10), Some(folder.path())).unwrap());
    drop(Trainer::resume_with(folder.path(), asked.clone(), splits(50, 10)).unwrap());
    let other = TrainConfig {
        seed: 9,
        ..asked.clone()
    };
    let error = Trainer::resume_with(folder.path(), other, splits(50, 10));
    let error = error.err().unwrap();
    assert!(matches!(error, TrainError::ConfigChanged { .. }), "{error}");
}
