//! Checkpoints hold what they should, and files that are none are refused by name and reason.

use std::path::{Path, PathBuf};

use formats::weights::{Precision, TensorFile};
use runtime::RuntimeOptions;
use train::{Checkpoint, Classifier, Trainer};

use super::{config, finish, shapes};

/// A run of one epoch; its folder lives as long as the first value.
fn run() -> (tempfile::TempDir, Trainer) {
    let folder = tempfile::tempdir().unwrap();
    let config = train::TrainConfig {
        epochs: 1,
        ..config()
    };
    let mut trainer = Trainer::new(config, shapes(), Some(folder.path())).unwrap();
    finish(&mut trainer);
    (folder, trainer)
}

/// Changes a checkpoint and says what opening and using it then answers.
fn spoilt(folder: &Path, spoil: impl FnOnce(&mut TensorFile)) -> String {
    let mut file = TensorFile::open(&folder.join(Checkpoint::BEST)).unwrap();
    spoil(&mut file);
    let path = folder.join("spoilt.safetensors");
    file.save(&path, Precision::F32).unwrap();
    let error = Classifier::open(&path, &RuntimeOptions::default())
        .err()
        .unwrap();
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    message.replace(&format!("{}: ", path.display()), "")
}

#[test]
fn the_best_weights_are_the_networks_and_carry_their_card() {
    let (folder, trainer) = run();
    let best = Checkpoint::open(&Checkpoint::find(folder.path()).unwrap()).unwrap();
    assert_eq!(&best.card, trainer.card());
    assert_eq!(best.card.model, "resnet20:0.25");
    assert_eq!(best.card.classes[2], "triangle");
    assert!(best.progress.is_none() && best.score.is_some());

    let file = TensorFile::open(&folder.path().join(Checkpoint::BEST)).unwrap();
    for slot in trainer.program().slots() {
        let tensor = file.get(&slot.name).unwrap();
        assert_eq!(tensor.shape, slot.shape);
        assert_eq!(
            tensor.values,
            trainer.program().parameters()[slot.range.clone()]
        );
    }
    assert!(file.get("bn1.running_var").is_some());
    assert!(
        !file
            .tensors
            .iter()
            .any(|tensor| tensor.name.contains("momentum"))
    );
    let last = TensorFile::open(&folder.path().join(Checkpoint::LAST)).unwrap();
    assert!(last.get("optimiser.momentum_buffer.conv1.weight").is_some());
}

#[test]
fn foreign_and_damaged_files_are_refused_by_name_and_reason() {
    let (folder, _) = run();
    let path = folder.path();
    assert_eq!(
        spoilt(path, |file| file.metadata.clear()),
        "not a checkpoint of this program (its metadata has no `format`)"
    );
    assert_eq!(
        spoilt(path, |file| {
            file.metadata.insert("format_version".into(), "2".into());
        }),
        "checkpoint format 2, but only 1 can be read"
    );
    let reason = spoilt(path, |file| {
        file.metadata.insert("classes".into(), "[1".into());
    });
    assert!(
        reason.starts_with("`classes` in the metadata: "),
        "{reason}"
    );
    let reason = spoilt(path, |file| {
        file.metadata.insert("model".into(), "resnet21".into());
    });
    assert!(reason.contains("no model is called 'resnet21'"), "{reason}");
    assert_eq!(
        spoilt(path, |file| file
            .tensors
            .retain(|tensor| tensor.name != "fc.bias")),
        "no tensor `fc.bias` of shape [10], which the model has"
    );
    assert_eq!(
        spoilt(path, |file| {
            file.metadata.insert("model".into(), "resnet20:0.5".into());
        }),
        "`conv1.weight` has shape [4, 3, 3, 3], the model needs [8, 3, 3, 3]"
    );
    assert_eq!(
        spoilt(path, |file| file.push("fc2.bias", &[1], vec![0.0]).unwrap()),
        "tensor `fc2.bias` is not part of the model"
    );

    let whole = std::fs::read(path.join(Checkpoint::LAST)).unwrap();
    for length in (0..whole.len()).step_by(whole.len() / 40 + 1) {
        let error = Checkpoint::from_bytes(&whole[..length], "cut.safetensors").unwrap_err();
        assert!(
            error.to_string().starts_with("cut.safetensors: "),
            "{error}"
        );
    }
    let nothing = PathBuf::from("absent.safetensors");
    let error = Checkpoint::find(&nothing).unwrap_err();
    assert_eq!(
        error.to_string(),
        "absent.safetensors: no such file or folder"
    );
}

#[test]
fn weights_alone_cannot_be_resumed() {
    let (folder, trainer) = run();
    std::fs::rename(
        folder.path().join(Checkpoint::BEST),
        folder.path().join(Checkpoint::LAST),
    )
    .unwrap();
    let error = Trainer::resume_with(folder.path(), trainer.config().clone(), shapes())
        .err()
        .unwrap();
    let message = error.to_string();
    assert!(
        message.ends_with("holds weights alone, not the state of a training"),
        "{message}"
    );
}
