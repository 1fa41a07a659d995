//! Weights without the heads that exist for training only, as torchvision's `aux_logits=False` leaves them.

use std::path::Path;

use formats::weights::{Precision, TensorFile};
use graph::passes::inference;
use runtime::{Program, Run, RuntimeOptions, initialise};
use train::{TrainConfig, Trainer, Weights};
use zoo::BuildOptions;

use super::splits;

/// The heads of networks that have some.
const HEADS: [(&str, &[&str]); 2] = [
    ("googlenet", &["aux1", "aux2"]),
    ("inception_v3", &["AuxLogits"]),
];

/// A program that predicts, on a picture of its own.
fn program(name: &str) -> Program {
    let found = zoo::find(name).unwrap();
    let options = BuildOptions {
        height: 107,
        width: 107,
        classes: 10,
        ..found.model.options()
    };
    let graph = inference(&found.build(&options).unwrap()).unwrap();
    let mut program = Program::new(graph, &RuntimeOptions::default()).unwrap();
    let pixels = program.input_f32(0).iter_mut().enumerate();
    pixels.for_each(|(place, pixel)| *pixel = (place * 37 % 19) as f32 / 9.0 - 1.0);
    program
}

/// Writes those of a program's parameters and statistics whose names pass.
fn save(program: &Program, path: &Path, passes: impl Fn(&str) -> bool) {
    let mut file = TensorFile::default();
    let parameters = (program.slots().iter()).map(|slot| {
        (
            &slot.name,
            &slot.shape,
            &program.parameters()[slot.range.clone()],
        )
    });
    let states = (program.states().iter()).map(|slot| {
        (
            &slot.name,
            &slot.shape,
            &program.state()[slot.range.clone()],
        )
    });
    for (name, shape, values) in parameters.chain(states).filter(|(name, ..)| passes(name)) {
        file.push(name, shape, values.to_vec()).unwrap();
    }
    file.save(path, Precision::F32).unwrap();
}

#[test]
fn a_network_that_predicts_does_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    for (name, heads) in HEADS {
        let mut whole = program(name);
        initialise(&mut whole, 5);
        whole.run(Run::default());
        save(&whole, &path, |tensor| {
            !heads.iter().any(|head| tensor.starts_with(head))
        });
        // Nobody needs to say of which network they are.
        let mut weights = Weights::open(&path, None).unwrap();
        assert_eq!(weights.card().model, name);
        assert_eq!(weights.absent_heads(), heads);
        let mut without = program(name);
        weights.restore(&mut without).unwrap();
        without.run(Run::default());
        assert_eq!(without.output(0), whole.output(0), "{name}");
        // What the file leaves out is drawn as in any new network, and nothing else.
        let mut drawn = program(name);
        drawn.parameters_mut().fill(f32::NAN);
        assert!(!weights.restore_or_initialise(&mut drawn, 5).unwrap());
        // Between them there may be gaps.
        for slot in whole.slots() {
            let [drawn, whole] = [&drawn, &whole].map(|of| &of.parameters()[slot.range.clone()]);
            assert!(drawn == whole, "{name}: {}", slot.name);
        }
        assert_eq!(drawn.state(), whole.state(), "{name}");
    }
}

#[test]
fn half_a_head_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let mut whole = program("googlenet");
    initialise(&mut whole, 5);
    save(&whole, &path, |tensor| {
        !(tensor.starts_with("aux1") || tensor == "aux2.fc2.bias")
    });
    let error = Weights::open(&path, Some("googlenet")).unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with("not the tensors of googlenet: 1 missing: `aux2.fc2.bias` [10]"),
        "{text}"
    );
    // What is left over is not excused by what is missing.
    save(&whole, &path, |tensor| !tensor.starts_with("aux"));
    let error = Weights::open(&path, Some("inception_v3")).unwrap_err();
    assert!(error.to_string().contains("left over"), "{error}");
}

#[test]
fn a_training_starts_them_anew_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let mut whole = program("googlenet");
    initialise(&mut whole, 5);
    save(&whole, &path, |tensor| !tensor.starts_with("aux2"));
    let config = TrainConfig {
        weights: Some(path.to_str().unwrap().to_owned()),
        batch_size: 2,
        image_size: Some((64, 64)),
        seed: 6,
        ..TrainConfig::new("shapes", "googlenet").unwrap()
    };
    let trainer = Trainer::new(config, splits(4, 0), None).unwrap();
    assert!(!trainer.head_is_new());
    assert_eq!(trainer.new_auxiliary_heads(), ["aux2"]);
    let program = trainer.program();
    let values = |program: &Program, name: &str| {
        let slot = program.slots().iter().find(|slot| slot.name == name);
        program.parameters()[slot.unwrap().range.clone()].to_vec()
    };
    for (name, same) in [
        ("conv1.conv.weight", true),
        ("aux1.fc2.weight", true),
        ("aux2.fc2.weight", false),
    ] {
        let (theirs, ours) = (values(&whole, name), values(program, name));
        assert_eq!(ours == theirs, same, "{name}");
        assert!(ours.iter().any(|x| *x != 0.0), "{name}");
    }
}
