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
        "not the tensors of resnet20:0.25: 1 missing: `fc.bias` [10]"
    );
    let reason = spoilt(path, |file| {
        file.metadata.insert("model".into(), "resnet20:0.5".into());
    });
    assert!(
        reason.contains("of another shape: `conv1.weight` [4, 3, 3, 3] instead of [8, 3, 3, 3]"),
        "{reason}"
    );
    assert_eq!(
        spoilt(path, |file| file.push("fc2.bias", &[1], vec![0.0]).unwrap()),
        "not the tensors of resnet20:0.25: 1 left over: `fc2.bias` [1]"
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
    let config = trainer.config().clone();
    drop(trainer);
    std::fs::rename(
        folder.path().join(Checkpoint::BEST),
        folder.path().join(Checkpoint::LAST),
    )
    .unwrap();
    let error = Trainer::resume_with(folder.path(), config, shapes())
        .err()
        .unwrap();
    let message = error.to_string();
    assert!(
        message.ends_with("holds weights alone, not the state of a training"),
        "{message}"
    );
}

#[test]
fn numbers_that_are_none_are_refused_by_tensor() {
    let (folder, trainer) = run();
    let config = trainer.config().clone();
    drop(trainer);
    let path = folder.path();
    for name in ["fc.weight", "bn1.running_var"] {
        for value in [f32::NAN, f32::INFINITY] {
            let set = |file: &mut TensorFile| {
                let tensor = file.tensors.iter_mut().find(|tensor| tensor.name == name);
                *tensor.unwrap().values.last_mut().unwrap() = value;
            };
            assert_eq!(
                spoilt(path, set),
                format!("`{name}` holds {value}; weights must be finite")
            );
        }
    }
    let mut last = TensorFile::open(&path.join(Checkpoint::LAST)).unwrap();
    let name = "optimiser.momentum_buffer.fc.bias";
    let tensor = last.tensors.iter_mut().find(|tensor| tensor.name == name);
    tensor.unwrap().values[0] = f32::NEG_INFINITY;
    last.save(&path.join(Checkpoint::LAST), Precision::F32)
        .unwrap();
    let error = Trainer::resume_with(path, config, shapes()).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: `{name}` holds -inf; weights must be finite",
            path.join(Checkpoint::LAST).display()
        )
    );
}

#[test]
fn cards_that_make_no_sense_are_refused_by_file_and_field() {
    let (folder, _) = run();
    let metadata = |key: &str, change: fn(&str) -> String| {
        let mut file = TensorFile::open(&folder.path().join(Checkpoint::BEST)).unwrap();
        let changed = change(&file.metadata[key]);
        file.metadata.insert(key.into(), changed);
        let bytes = file.to_bytes(Precision::F32).unwrap();
        let error = Checkpoint::from_bytes(&bytes, "odd.safetensors").unwrap_err();
        error.to_string()
    };
    assert_eq!(
        metadata("preprocess", |text| text.replace("[32,32]", "[0,32]")),
        "odd.safetensors: `preprocess` in the metadata: preprocessing: an input of 0×32 pixels"
    );
    assert_eq!(
        metadata("model", |_| "resnet\n20".into()),
        "odd.safetensors: `model` in the metadata: control characters in \"resnet\\n20\""
    );
}

/// A file of a few kilobytes must not make the program plan a network that fills a machine.
#[test]
fn an_absurdly_wide_model_is_refused_by_its_tensors() {
    let (folder, _) = run();
    let reason = spoilt(folder.path(), |file| {
        file.metadata
            .insert("model".into(), "resnet20:10000".into());
    });
    assert!(
        reason.contains("`conv1.weight` [4, 3, 3, 3] instead of [160000, 3, 3, 3]"),
        "{reason}"
    );
}
