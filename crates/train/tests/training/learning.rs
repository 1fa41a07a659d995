//! Networks learn, and the order of work changes nothing.

use std::sync::atomic::AtomicBool;

use formats::Splits;
use tensor::Layout;
use train::{Augment, Progressing, Rule, TrainConfig, Trainer};

use super::{config, finish, last, shapes, splits};

/// Every rule learns one batch by heart: the loss of ten classes is ln 10 = 2.30 at first, and in the end nearly nothing, whichever way
/// it goes in between: of eight pictures that depends on the last digit of a sum.
#[test]
fn every_optimiser_learns_a_batch_by_heart() {
    for rule in Rule::NAMES {
        let mut config = TrainConfig {
            epochs: 120,
            batch_size: 8,
            augment: Augment::NONE,
            label_smoothing: 0.0,
            ..config()
        };
        config.set_optimiser(rule.parse().unwrap());
        let without_held_out = Splits {
            held_out: None,
            ..splits(8, 10)
        };
        let mut trainer = Trainer::new(config, without_held_out, None).unwrap();
        let reports = finish(&mut trainer);
        let (first, last) = (&reports[0], reports.last().unwrap());
        assert!((first.train_loss - 2.5).abs() < 0.5, "{rule}: {first:?}");
        assert!(last.train_loss < 0.3, "{rule}: {last:?}");
        assert!(last.train_accuracy == 1.0, "{rule}: {last:?}");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let mut files = Vec::new();
    for threads in [1, 2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let config = TrainConfig {
            threads,
            ..config()
        };
        finish(&mut Trainer::new(config, shapes(), Some(folder.path())).unwrap());
        files.push(last(folder.path()));
    }
    assert!(files[0] == files[1] && files[1] == files[2]);
}

#[test]
fn both_layouts_learn_alike() {
    let losses = Layout::ALL.map(|layout| {
        let config = TrainConfig {
            layout,
            epochs: 1,
            ..config()
        };
        let mut trainer = Trainer::new(config, shapes(), None).unwrap();
        let mut losses = Vec::new();
        let mut note = |progress: &Progressing| {
            if let Progressing::Step(step) = progress {
                losses.push(step.loss);
            }
        };
        trainer
            .run_epoch(&mut note, &AtomicBool::new(false))
            .unwrap();
        losses
    });
    assert_eq!((losses[0].len(), losses[1].len()), (5, 5));
    for (nchw, nhwc) in losses[0].iter().zip(&losses[1]) {
        assert!((nchw - nhwc).abs() < 0.02, "{losses:?}");
    }
    assert!((losses[0][0] - losses[1][0]).abs() < 1e-4, "{losses:?}");
}

#[test]
fn other_seeds_are_other_runs() {
    let loss = |seed| {
        let config = TrainConfig {
            seed,
            epochs: 1,
            ..config()
        };
        finish(&mut Trainer::new(config, shapes(), None).unwrap())[0].train_loss
    };
    assert_eq!(loss(1).to_bits(), loss(1).to_bits());
    assert_ne!(loss(1).to_bits(), loss(2).to_bits());
}

#[test]
fn a_batch_is_no_larger_than_the_training_set() {
    let config = TrainConfig {
        batch_size: 128,
        ..config()
    };
    let trainer = Trainer::new(config, splits(50, 10), None).unwrap();
    assert_eq!(trainer.config().batch_size, 50);
    assert_eq!(
        (trainer.batches_per_epoch(), trainer.pictures()),
        (1, (50, 10))
    );
}
