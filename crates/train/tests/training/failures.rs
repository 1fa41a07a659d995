//! What can go wrong in a training: divergence and unreadable pictures.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use formats::{DataError, Dataset, HeldOut, Part, Picture, Shapes, Splits};
use train::{Checkpoint, Progressing, TrainConfig, TrainError, Trainer};

use super::{config, last, shapes};

/// Without norms nothing holds the weights: at such a rate they are infinite within a few steps.
#[test]
fn divergence_stops_the_run_and_keeps_the_last_good_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let config = TrainConfig {
        model: "lenet5".into(),
        learning_rate: 1e9,
        warm_up_epochs: 0.0,
        checkpoint_steps: 1,
        epochs: 50,
        ..config()
    };
    let mut trainer = Trainer::new(config, shapes(), Some(folder.path())).unwrap();
    let mut steps = 0;
    let mut kept = Vec::new();
    let mut note = |progress: &Progressing| {
        if let Progressing::Step(step) = progress {
            steps = step.step;
            if steps > 1 {
                kept = last(folder.path());
            }
        }
    };
    let error = loop {
        match trainer.run_epoch(&mut note, &AtomicBool::new(false)) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    let TrainError::Diverged { step, .. } = &error else {
        panic!("{error}");
    };
    let step = *step;
    let message = error.to_string();
    assert!(
        step == steps || step == steps + 1,
        "{message} after {steps}"
    );
    assert!(
        message.contains(&format!("step {step} of epoch ")),
        "{message}"
    );
    let path = folder.path().join("last.safetensors");
    if path.is_file() {
        assert!(
            message.contains(&format!("is kept in {})", path.display())),
            "{message}"
        );
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert!(checkpoint.progress.unwrap().step < step);
        assert!(kept.is_empty() || kept == last(folder.path()) || step == steps + 1);
    }
}

/// After a single step at such a rate every weight is finite, and no answer of the network is.
#[test]
fn a_held_out_loss_that_is_no_number_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = TrainConfig {
        model: "lenet5".into(),
        learning_rate: 1e38,
        schedule: train::Shape::Constant,
        weight_decay: 0.0,
        epochs: 3,
        ..config()
    };
    let mut trainer = Trainer::new(config, super::splits(16, 30), Some(folder.path())).unwrap();
    let error = trainer
        .run_epoch(&mut |_| {}, &AtomicBool::new(false))
        .unwrap_err();
    assert!(
        matches!(error, TrainError::Diverged { step: 1, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("the held-out loss is"),
        "{error}"
    );
    for name in [Checkpoint::LAST, Checkpoint::BEST] {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
}

/// Shapes on a disk with bad sectors: too large to be held in memory, some pictures unreadable.
struct Damaged {
    shapes: Shapes,
    bad: Vec<usize>,
}

impl Dataset for Damaged {
    fn len(&self) -> usize {
        self.shapes.len()
    }
    fn classes(&self) -> &[String] {
        self.shapes.classes()
    }
    fn label(&self, index: usize) -> usize {
        self.shapes.label(index)
    }
    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        if self.bad.contains(&index) {
            return Err(DataError::Unreadable {
                name: self.name(index),
                reason: "torn".into(),
            });
        }
        self.shapes.picture(index)
    }
    fn name(&self, index: usize) -> String {
        format!("{index}.png")
    }
    fn fixed_size(&self) -> Option<(usize, usize)> {
        Some((32, 32))
    }
    fn channels(&self) -> usize {
        3
    }
}

fn damaged(bad: &[usize]) -> Splits {
    Splits {
        train: Arc::new(Damaged {
            shapes: Shapes::new(1, Part::Train, 80),
            bad: bad.to_vec(),
        }),
        held_out: None,
        held_out_from: HeldOut::None,
    }
}

#[test]
fn a_twentieth_of_unreadable_pictures_is_skipped_and_more_stop_the_run() {
    // In memory and picture by picture.
    for cache_mib in [256, 0] {
        let config = TrainConfig {
            cache_mib,
            ..config()
        };
        let mut trainer = Trainer::new(config.clone(), damaged(&[3, 4, 40, 79]), None).unwrap();
        let never = AtomicBool::new(false);
        trainer.run_epoch(&mut |_| {}, &never).unwrap();
        trainer.run_epoch(&mut |_| {}, &never).unwrap();
        let (skipped, _) = trainer.skipped();
        assert_eq!((skipped.count, skipped.total), (4, 80), "{cache_mib}");
        assert!(skipped.to_string().contains("40.png (torn)"), "{skipped}");

        let error = Trainer::new(config, damaged(&[3, 4, 40, 50, 79]), None)
            .and_then(|mut trainer| trainer.run_epoch(&mut |_| {}, &never))
            .err()
            .unwrap();
        let TrainError::Data(DataError::TooManySkipped {
            count: 5,
            total: 80,
            ..
        }) = error
        else {
            panic!("{error}");
        };
    }
}

#[test]
fn an_unknown_network_and_an_absurd_input_are_named() {
    let error = TrainConfig::new("shapes", "resnet21")
        .unwrap_err()
        .to_string();
    assert!(error.contains("did you mean resnet20"), "{error}");
    let error = TrainConfig::new("shapes", "unet").unwrap_err().to_string();
    assert!(error.contains("classifiers only"), "{error}");
    let segmenter = TrainConfig {
        model: "unet".to_owned(),
        ..config()
    };
    let error = Trainer::new(segmenter, shapes(), None).err().unwrap();
    assert!(error.to_string().contains("segmentation"), "{error}");
    let config = TrainConfig {
        image_size: Some((20_000, 4)),
        ..config()
    };
    let error = Trainer::new(config, shapes(), None).err().unwrap();
    assert_eq!(
        error.to_string(),
        "image size: 20000×4, each side must be in [1, 16384]"
    );
}
