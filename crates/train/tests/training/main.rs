//! Whole trainings of small networks: learning, resuming, checkpoints, and what can go wrong.

mod auxiliary;
mod checkpoints;
mod data;
mod evaluation;
mod failures;
mod frozen;
mod imported;
mod kill;
mod learning;
mod resume;
mod run_folders;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use formats::{HeldOut, Part, Shapes, Splits};
use train::{EpochReport, Outcome, TrainConfig, Trainer};

/// A training of two epochs of five steps on a ResNet of four channels.
fn config() -> TrainConfig {
    TrainConfig {
        epochs: 2,
        batch_size: 16,
        threads: 2,
        label_smoothing: 0.1,
        ..TrainConfig::new("shapes", "resnet20:0.25").unwrap()
    }
}

/// 84 pictures to train on, the last four of which never fill a batch, and 30 held out.
fn shapes() -> Splits {
    splits(84, 30)
}

fn splits(train: usize, held_out: usize) -> Splits {
    Splits {
        train: Arc::new(Shapes::new(3, Part::Train, train)),
        held_out: Some(Arc::new(Shapes::new(3, Part::HeldOut, held_out))),
        held_out_from: HeldOut::Own,
    }
}

/// Trains to the end.
fn finish(trainer: &mut Trainer) -> Vec<EpochReport> {
    let never = AtomicBool::new(false);
    let mut reports = Vec::new();
    while !trainer.is_finished() {
        match trainer.run_epoch(&mut |_| {}, &never).unwrap() {
            Outcome::Done(report) => reports.push(report),
            Outcome::Stopped => panic!("nobody raised the flag"),
        }
    }
    reports
}

fn last(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("last.safetensors")).unwrap()
}
