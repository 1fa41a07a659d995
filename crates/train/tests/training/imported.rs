//! Networks from ONNX files, which `imported/make.py` has PyTorch write: they are trained further as PyTorch would.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use formats::onnx::{Export, ExportSettings};
use formats::weights::TensorFile;
use geometry::ConvDesc;
use graph::passes::{TrainingOptions, training};
use graph::{NetworkBuilder, Op, OutputActivation};
use runtime::{Program, Run, RuntimeOptions};
use train::{Architecture, Checkpoint, Classifier, Evaluator, TrainConfig, Trainer, Weights};
use zoo::BuildOptions;

use super::resume::{assert_same_end, stop_after};
use super::{finish, shapes, splits};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/imported")
        .join(name)
}

/// Two epochs of five steps on pictures of other classes than the file's.
fn config(name: &str) -> TrainConfig {
    TrainConfig {
        epochs: 2,
        batch_size: 16,
        threads: 2,
        ..TrainConfig::new("shapes", file(name).to_str().unwrap()).unwrap()
    }
}

/// Numbers of one of PyTorch's tensors, in whichever type.
fn theirs(name: &str) -> Vec<f64> {
    let bytes = std::fs::read(file("step.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensor = tensors.tensor(name).unwrap();
    let data = tensor.data();
    let wide = data.as_chunks().0.iter();
    match tensor.dtype() {
        safetensors::Dtype::F32 => {
            let narrow = data.as_chunks().0.iter();
            narrow.map(|&x| f32::from_le_bytes(x).into()).collect()
        }
        safetensors::Dtype::I64 => wide.map(|&x| i64::from_le_bytes(x) as f64).collect(),
        _ => wide.map(|&x| f64::from_le_bytes(x)).collect(),
    }
}

/// Relative difference of two vectors in the sense of L2.
fn off(ours: &[f32], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let pairs = ours.iter().zip(theirs);
    let difference = norm(&mut pairs.map(|(&ours, theirs)| f64::from(ours) - theirs));
    difference / norm(&mut theirs.iter().copied())
}

#[test]
fn a_step_has_the_loss_the_gradients_and_the_statistics_of_pytorch() {
    let (images, labels) = (theirs("images"), theirs("labels"));
    for name in ["probabilities.onnx", "training.onnx"] {
        let mut weights = Weights::open(&file(name), None).unwrap();
        let own = weights.architecture().options();
        assert_eq!((own.channels, own.height, own.classes), (3, 12, 5));
        let batch = labels.len();
        let options = BuildOptions { batch, ..own };
        let mut network = weights.architecture().build(&options).unwrap();
        let mut dropouts = 0;
        for node in &mut network.nodes {
            if let Op::Dropout { rate, .. } = &mut node.op {
                dropouts += usize::from(std::mem::take(rate) == 0.25);
            }
        }
        assert_eq!(dropouts, usize::from(name == "training.onnx"));
        let step = training(&network, TrainingOptions::default()).unwrap();
        let mut program = Program::new(step, &RuntimeOptions::default()).unwrap();
        weights.restore(&mut program).unwrap();
        for (ours, theirs) in program.input_f32(0).iter_mut().zip(&images) {
            *ours = *theirs as f32;
        }
        for (ours, theirs) in program.input_index(1).iter_mut().zip(&labels) {
            *ours = *theirs as u32;
        }
        program.run(Run::default());
        // Rounding to 32 bits, through some ten layers.
        let bound = 1e-5;
        let loss = off(program.output(0), &theirs("loss"));
        assert!(loss < bound, "{name}: the loss is off by {loss:.1e}");
        assert_eq!(program.slots().len(), 9, "{name}");
        for slot in program.slots() {
            let gradient = &program.gradients()[slot.range.clone()];
            if slot.name == "conv1.bias" {
                // The norm behind it takes away what it adds: rounding is all there is.
                assert!(gradient.iter().all(|x| x.abs() < 1e-6), "{name}");
                continue;
            }
            let error = off(gradient, &theirs(&format!("gradient.{}", slot.name)));
            assert!(error < bound, "{name}: {} is off by {error:.1e}", slot.name);
        }
        assert_eq!(program.states().len(), 4, "{name}");
        for slot in program.states() {
            let moved = &program.state()[slot.range.clone()];
            let error = off(moved, &theirs(&format!("moved.{}", slot.name)));
            assert!(error < bound, "{name}: {} is off by {error:.1e}", slot.name);
        }
    }
}

/// Scales, shifts and statistics that the file holds once are those of each layer.
#[test]
fn equal_parameters_of_two_norms_learn_apart() {
    let config = config("fresh.onnx");
    let mut trainer = Trainer::new(config, shapes(), None).unwrap();
    assert_eq!(trainer.program().slots().len(), 9);
    assert_eq!(trainer.program().states().len(), 4);
    finish(&mut trainer);
    let program = trainer.program();
    let parameters = (program.slots().iter())
        .filter(|slot| slot.shape == [8])
        .map(|slot| &program.parameters()[slot.range.clone()]);
    let states = (program.states().iter()).map(|slot| &program.state()[slot.range.clone()]);
    let mut all: Vec<&[f32]> = parameters.chain(states).collect();
    all.sort_by(|one, other| one.partial_cmp(other).unwrap());
    let count = all.len();
    all.dedup();
    assert_eq!((count, all.len()), (9, 9));
}

#[test]
fn training_brings_the_loss_down_and_starts_a_head_of_other_classes_anew() {
    for name in ["probabilities.onnx", "training.onnx"] {
        let config = TrainConfig {
            epochs: 30,
            augment: train::Augment::NONE,
            ..config(name)
        };
        let mut trainer = Trainer::new(config, splits(32, 0), None).unwrap();
        assert!(trainer.head_is_new());
        assert_eq!(trainer.card().model, name);
        let reports = finish(&mut trainer);
        let end = reports.last().unwrap();
        assert!(end.train_loss < 0.7 * reports[0].train_loss, "{reports:?}");
    }
}

#[test]
fn a_resumed_run_ends_the_same_though_the_file_is_gone() {
    let original = tempfile::tempdir().unwrap();
    let network = original.path().join("training.onnx");
    std::fs::copy(file("training.onnx"), &network).unwrap();
    let config = TrainConfig {
        model: network.to_str().unwrap().to_owned(),
        ..config("training.onnx")
    };
    let [straight, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    finish(&mut Trainer::new(config.clone(), shapes(), Some(straight.path())).unwrap());
    let mut stopped = Trainer::new(config.clone(), shapes(), Some(folder.path())).unwrap();
    stop_after(&mut stopped, 7);
    drop((stopped, original));
    let mut resumed = Trainer::resume_with(folder.path(), config, shapes()).unwrap();
    assert_eq!(resumed.progress().step, 7);
    finish(&mut resumed);
    assert_same_end(straight.path(), folder.path());
}

/// What a run holds is all that is needed to use it, wherever the folder goes.
#[test]
fn a_run_answers_as_its_training_does() {
    let [home, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let run = home.path().join("run");
    let mut trainer = Trainer::new(config("training.onnx"), shapes(), Some(&run)).unwrap();
    finish(&mut trainer);
    let trained = trainer.evaluate().unwrap().unwrap();
    drop(trainer);
    let moved = elsewhere.path().join("moved");
    std::fs::rename(&run, &moved).unwrap();

    let last = Checkpoint::open(&moved.join(Checkpoint::LAST)).unwrap();
    let options = RuntimeOptions::default();
    let mut evaluator = Evaluator::from_checkpoint(&last, 16, &options).unwrap();
    let held_out = shapes().held_out.unwrap();
    assert_eq!(evaluator.evaluate(held_out.clone()).unwrap(), trained);
    let mut weights = Weights::open(&moved.join(Checkpoint::LAST), None).unwrap();
    let mut evaluator = Evaluator::from_weights(&mut weights, 16, &options).unwrap();
    assert_eq!(evaluator.evaluate(held_out.clone()).unwrap(), trained);
    let mut classifier = Classifier::open(&moved, &options).unwrap();
    let picture = held_out.picture(0).unwrap();
    assert_eq!(classifier.classify(&picture, 3).unwrap().len(), 3);

    // A new run goes on from its weights, head and all.
    let kept = weights.architecture().reference();
    let config = TrainConfig {
        weights: Some(moved.to_str().unwrap().to_owned()),
        model: kept,
        ..super::config()
    };
    let trainer = Trainer::new(config, shapes(), None).unwrap();
    assert!(!trainer.head_is_new());
}

#[test]
fn what_is_frozen_stays_and_the_head_goes_by_its_name() {
    let config = TrainConfig {
        freeze: vec!["body".into()],
        ..config("probabilities.onnx")
    };
    let mut trainer = Trainer::new(config, shapes(), None).unwrap();
    let before: Vec<f32> = trainer.program().parameters().to_vec();
    let statistics = trainer.program().state().to_vec();
    finish(&mut trainer);
    let program = trainer.program();
    assert_eq!(program.state(), statistics);
    for slot in program.slots() {
        let same = program.parameters()[slot.range.clone()] == before[slot.range.clone()];
        assert_eq!(same, !slot.name.starts_with("fc."), "{}", slot.name);
    }
}

#[test]
fn weights_of_a_file_serve_a_file_and_a_name_alike() {
    // Nothing says what they are.
    let weights = Weights::open(&file("probabilities.onnx"), None).unwrap();
    assert_eq!(
        weights.card().classes,
        ["class 0", "class 1", "class 2", "class 3", "class 4"]
    );
    // Both files are of the same network.
    let named = file("training.onnx");
    let both = Weights::open(&file("probabilities.onnx"), named.to_str()).unwrap();
    assert_eq!(both.card().model, "training.onnx");
    let error = Weights::open(&file("probabilities.onnx"), Some("lenet5")).unwrap_err();
    assert!(
        error.to_string().contains("not the tensors of lenet5"),
        "{error}"
    );
}

/// A network exported by this program, with what its author chose.
fn exported(path: &Path, open_batch: bool, build: impl Fn(&mut NetworkBuilder) -> graph::ValueId) {
    let mut network = NetworkBuilder::new("x", [2, 3, 12, 12]);
    let logits = build(&mut network);
    let network = network.finish(logits).unwrap();
    let weights: HashMap<_, _> = (network.parameters())
        .map(|(_, value)| (value.name.clone(), vec![0.1; value.shape.iter().product()]))
        .collect();
    let settings = ExportSettings {
        open_batch,
        ..ExportSettings::default()
    };
    let find = |name: &str| weights.get(name).map(Vec::as_slice);
    Export::new(&network, find, &settings)
        .unwrap()
        .save(path)
        .unwrap();
}

#[test]
fn networks_that_cannot_be_trained_are_refused_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.onnx");
    let name = path.to_str().unwrap();
    let found = || Architecture::find(name);

    exported(&path, false, |network| {
        let x = network.input();
        let x = network.reshape(x, &[2, 432]).unwrap();
        network.linear("fc", x, 4).unwrap()
    });
    let options = BuildOptions {
        batch: 7,
        ..found().unwrap().options()
    };
    let graph = found().unwrap().build(&options).unwrap();
    assert_eq!(graph.value(graph.outputs[0]).shape, [7, 4]);

    exported(&path, false, |network| {
        let x = network.input();
        let x = network.reshape(x, &[432, 2]).unwrap();
        let x = network.reshape(x, &[2, 432]).unwrap();
        network.linear("fc", x, 4).unwrap()
    });
    let error = found().unwrap_err().to_string();
    assert!(
        error.contains("net.onnx: is made for batches of 2 and does not fit 1 images: "),
        "{error}"
    );
    assert!(
        error.ends_with("; export it with an open first axis"),
        "{error}"
    );

    exported(&path, true, |network| {
        let x = network.input();
        network.relu(x).unwrap()
    });
    let error = found().unwrap_err().to_string();
    let what = "net.onnx: is no classifier of pictures: it makes [1, 3, 12, 12] of [1, 3, 12, 12], not a row of logits for \
                each picture, [n, classes]";
    assert!(error.ends_with(what), "{error}");

    // Three rows and not three channels, which only what reads them tells.
    exported(&path, true, |network| {
        let x = network.input();
        let x = network.permute(x, &[0, 3, 1, 2]).unwrap();
        let x = network.conv("conv", x, ConvDesc::new(4, 3), true).unwrap();
        let x = network.global_average_pool(x).unwrap();
        network.flatten(x).unwrap()
    });
    let error = found().unwrap_err().to_string();
    assert!(
        error.contains("], and pictures are [n, 1 or 3, height, width]"),
        "{error}"
    );

    // Means of channels have no weights behind them.
    exported(&path, true, |network| {
        let x = network.input();
        let x = network.global_average_pool(x).unwrap();
        network.flatten(x).unwrap()
    });
    let config = TrainConfig::new("shapes", name).unwrap();
    let error = Trainer::new(config, splits(32, 16), None)
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("net.onnx: 'net' cannot be made for other classes: "),
        "{error}"
    );
    assert_eq!(
        found().unwrap().head(&found().unwrap().options()).unwrap(),
        zoo::Head::default()
    );

    let error = Architecture::find(folder.path().join("none.onnx").to_str().unwrap());
    assert!(error.unwrap_err().to_string().contains("none.onnx: "));
}

/// A model that ends in sigmoids means them; a run that trains it compares its logits by a softmax.
#[test]
fn probabilities_are_made_as_they_were_learned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.onnx");
    exported(&path, true, |network| {
        let x = network.input();
        let x = network.global_average_pool(x).unwrap();
        let x = network.flatten(x).unwrap();
        let x = network.linear("fc", x, 5).unwrap();
        network.sigmoid(x).unwrap()
    });
    let given = Weights::open(&path, None).unwrap();
    assert_eq!(given.activation(), OutputActivation::Sigmoid);
    let run = folder.path().join("run");
    let config = TrainConfig {
        model: path.to_str().unwrap().to_owned(),
        ..config("training.onnx")
    };
    finish(&mut Trainer::new(config, shapes(), Some(&run)).unwrap());
    let trained = Weights::open(&run, None).unwrap();
    assert_eq!(trained.activation(), OutputActivation::Softmax);
}

/// A checkpoint names its network and must not lead anywhere else.
#[test]
fn checkpoints_without_their_network_are_refused() {
    let run = tempfile::tempdir().unwrap();
    let config = TrainConfig {
        epochs: 1,
        ..config("probabilities.onnx")
    };
    finish(&mut Trainer::new(config, shapes(), Some(run.path())).unwrap());
    let best = run.path().join(Checkpoint::BEST);
    let mut away = Checkpoint::open(&best).unwrap();
    away.card.model = "../probabilities.onnx".into();
    away.save(&best, formats::weights::Precision::F32).unwrap();
    let error = Weights::open(run.path(), None).unwrap_err().to_string();
    assert!(
        error
            .contains("../probabilities.onnx: a checkpoint names its ONNX model, without a folder"),
        "{error}"
    );
    std::fs::remove_dir_all(run.path().join("network")).unwrap();
    let error = Checkpoint::open(&run.path().join(Checkpoint::LAST)).unwrap();
    let error = error.network(1).unwrap_err().to_string();
    assert!(
        error.contains("network/probabilities.onnx: no such file; "),
        "{error}"
    );
    // The tensors are there nevertheless.
    assert!(TensorFile::open(&best).is_ok());
}
