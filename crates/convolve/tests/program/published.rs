//! Weights that others published: read by every verb, prepared and labelled as it is written beside them.

use std::path::Path;

use formats::weights::{Precision, TensorFile};
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{cifar, folder, text};
use crate::invoke::{command, convolve, fail, objects, succeed};

/// The network of `published/make.py`.
const MODEL: &str = "resnet18:0.03125";

fn published() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/published")
}

/// A folder with what is published in `net/`, and the picture.
fn with_network() -> TempDir {
    let folder = folder();
    let net = folder.path().join("net");
    std::fs::create_dir(&net).unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(published().join(file), net.join(file)).unwrap();
    }
    for file in ["picture.png", "exact.png"] {
        std::fs::copy(published().join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// What PyTorch's softmax says, the likeliest first.
fn expected(way: &str) -> Vec<(usize, f64)> {
    let answers = std::fs::read_to_string(published().join("answers.json")).unwrap();
    let answers: Value = serde_json::from_str(&answers).unwrap();
    let logits: Vec<f64> = serde_json::from_value(answers[way].clone()).unwrap();
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    let mut classes: Vec<_> = logits
        .iter()
        .map(|logit| logit.exp() / sum)
        .enumerate()
        .collect();
    classes.sort_by(|one, other| other.1.total_cmp(&one.1));
    classes
}

/// Compares an answer with PyTorch's, to so much of each probability.
#[track_caller]
fn assert_predicts(answer: &str, way: &str, label: impl Fn(usize) -> String, tolerance: f64) {
    let answer = &objects(answer)[0];
    let top = answer["top"].as_array().unwrap();
    let expected = expected(way);
    assert_eq!(top.len(), expected.len());
    for (guess, (class, probability)) in top.iter().zip(expected) {
        assert_eq!(guess["label"], label(class), "{answer}");
        let found = guess["probability"].as_f64().unwrap();
        assert!(
            (found / probability - 1.0).abs() < tolerance,
            "{answer}: {probability}"
        );
    }
}

fn kind(class: usize) -> String {
    format!("kind {}", ["A", "B", "C", "D", "E", "F", "G"][class])
}

fn class(class: usize) -> String {
    format!("class {class}")
}

/// A picture of the input's size is not resized, and nothing but the network's own arithmetic is compared.
#[test]
fn the_network_computes_what_pytorch_computes() {
    let folder = with_network();
    let path = folder.path().join("net/config.json");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replace("0.95", "1.0")).unwrap();
    for layout in ["nchw", "nhwc"] {
        let arguments = [
            "predict",
            "net",
            "exact.png",
            "--json",
            "--top",
            "7",
            "--layout",
            layout,
        ];
        let answer = succeed(folder.path(), &arguments);
        assert_predicts(&answer, "exact", kind, 2e-5);
    }
}

/// Resizing rounds a byte in a thousand the other way than Pillow, so less is promised of the numbers.
#[test]
fn pictures_are_prepared_and_labelled_as_the_config_says() {
    let folder = with_network();
    let end = ["picture.png", "--json", "--top", "7"];
    for network in ["net", "net/model.safetensors"] {
        let answer = succeed(folder.path(), &[&["predict", network], &end[..]].concat());
        assert_predicts(&answer, "config", kind, 0.01);
    }
    let named = [&["predict", MODEL, "--weights", "net"], &end[..]].concat();
    assert_predicts(&succeed(folder.path(), &named), "config", kind, 0.01);
}

#[test]
fn without_a_config_pictures_are_prepared_as_torchvision_does() {
    let folder = with_network();
    std::fs::remove_file(folder.path().join("net/config.json")).unwrap();
    let end = [
        "--weights",
        "net/model.safetensors",
        "picture.png",
        "--json",
        "--top",
        "7",
    ];
    let answer = succeed(folder.path(), &[&["predict", MODEL], &end[..]].concat());
    assert_predicts(&answer, "torchvision", class, 0.01);
    // Nobody says what network it is, and none of the zoo is so thin.
    let words = "no network of the zoo has these tensors at its usual width";
    fail(
        folder.path(),
        1,
        &[&["predict"], &end[..]].concat(),
        &[words],
    );
}

/// A cache as other programs leave it, on a machine without a network.
#[test]
fn a_cached_snapshot_is_read_without_the_hub() {
    let folder = with_network();
    let repository = folder.path().join("home/hub/models--some--net");
    std::fs::create_dir_all(repository.join("refs")).unwrap();
    std::fs::create_dir_all(repository.join("snapshots")).unwrap();
    std::fs::write(repository.join("refs/main"), "abc123").unwrap();
    std::fs::rename(
        folder.path().join("net"),
        repository.join("snapshots/abc123"),
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        let mut command = command(folder.path(), arguments);
        command
            .env("HF_HOME", folder.path().join("home"))
            .env("HF_HUB_OFFLINE", "1");
        let output = command.env_remove("HF_HUB_CACHE").output().unwrap();
        let texts = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), texts)
    };
    for name in ["hf-hub:some/net", "hf-hub:some/net@abc123"] {
        let arguments = ["predict", name, "picture.png", "--json", "--top", "7"];
        let (code, [out, err]) = run(&arguments);
        assert_eq!(code, Some(0), "{err}");
        assert_predicts(&out, "config", kind, 0.01);
        let (code, [out, err]) = run(&["summary", name]);
        assert_eq!(code, Some(0), "{err}");
        assert!(
            out.contains("nothing missing and nothing left over"),
            "{out}"
        );
    }
    for (name, words) in [
        ("hf-hub:some/other", "hf-hub:some/other: not in the cache"),
        ("hf-hub:some", "is not hf-hub:ORG/NAME"),
        ("hf-hub:../x", "is not hf-hub:ORG/NAME"),
    ] {
        for arguments in [
            &["predict", name, "picture.png"][..],
            &["summary", name],
            &["bench", name],
            &["eval", name, "--data", "shapes"],
            &["train", "--weights", name],
        ] {
            let (code, [_, err]) = run(arguments);
            assert_eq!(code, Some(2), "{arguments:?}: {err}");
            assert!(
                err.contains(words) && err.lines().count() == 1,
                "{arguments:?}: {err}"
            );
        }
    }
}

#[test]
fn weights_are_measured_with_and_without_their_head() {
    let folder = with_network();
    let path = folder.path();
    let text = succeed(path, &["summary", "net"]);
    assert!(
        text.contains("weights: net/model.safetensors, nothing missing"),
        "{text}"
    );
    assert!(text.contains("resnet18:0.03125 on 3×48×48"), "{text}");
    let table = &objects(&succeed(
        path,
        &[
            "summary",
            MODEL,
            "--weights",
            "net",
            "--num-classes",
            "3",
            "--json",
        ],
    ))[0];
    let weights = table["weights"].as_str().unwrap();
    assert!(
        weights.ends_with("the head, which starts anew (fc.weight, fc.bias)"),
        "{weights}"
    );
    for more in [
        &["--num-classes", "3"][..],
        &["--train"],
        &["--input", "3x64x64"],
    ] {
        let arguments = [
            &[
                "bench",
                MODEL,
                "--weights",
                "net",
                "--seconds",
                "0",
                "--json",
            ],
            more,
        ]
        .concat();
        let answer = &objects(&succeed(path, &arguments))[0];
        assert_eq!(answer["model"], MODEL);
    }
    let words = "--weights goes with a network by name";
    fail(path, 2, &["summary", "net", "--weights", "net"], &[words]);
}

/// Changes the weights and says what a summary then answers.
#[track_caller]
fn spoilt(folder: &Path, spoil: impl FnOnce(&mut TensorFile), words: &[&str]) {
    let mut file = TensorFile::open(&published().join("model.safetensors")).unwrap();
    spoil(&mut file);
    file.save(&folder.join("spoilt.safetensors"), Precision::F32)
        .unwrap();
    let arguments = ["summary", MODEL, "--weights", "spoilt.safetensors"];
    fail(
        folder,
        1,
        &arguments,
        &[&["spoilt.safetensors: "], words].concat(),
    );
}

#[test]
fn what_is_missing_left_over_or_of_another_shape_is_named() {
    let folder = folder();
    let path = folder.path();
    spoilt(
        path,
        |file| {
            file.tensors
                .retain(|tensor| !tensor.name.starts_with("layer3"))
        },
        &[
            "not the tensors of resnet18:0.03125: 25 missing: `layer3.0.conv1.weight` [8, 4, 3, 3], ",
            " and 22 more",
        ],
    );
    spoilt(
        path,
        |file| {
            let tensor = file
                .tensors
                .iter_mut()
                .find(|tensor| tensor.name == "fc.bias");
            tensor.unwrap().name = "head.fc.bias".into();
        },
        &[
            "1 missing: `fc.bias` [7] (nearest: `head.fc.bias`)",
            "1 left over: `head.fc.bias` [7]",
        ],
    );
    spoilt(
        path,
        |file| {
            let tensor = file
                .tensors
                .iter_mut()
                .find(|tensor| tensor.name == "conv1.weight");
            tensor.unwrap().shape = vec![2, 3, 49];
        },
        &["1 of another shape: `conv1.weight` [2, 3, 49] instead of [2, 3, 7, 7]"],
    );
}

/// Weights of a whole network of the zoo, all zeros, so that the file is quickly made.
fn zeros(model: &str, classes: usize, path: &Path) {
    let found = zoo::find(model).unwrap();
    let options = zoo::BuildOptions {
        classes,
        ..found.model.options()
    };
    let network = found.build(&options).unwrap();
    let mut file = TensorFile::default();
    for (_, value) in network.parameters().chain(network.states()) {
        file.push(
            &value.name,
            &value.shape,
            vec![0.0; value.shape.iter().product()],
        )
        .unwrap();
    }
    file.save(path, Precision::F32).unwrap();
}

#[test]
fn the_right_network_is_suggested_or_found() {
    let folder = with_network();
    let path = folder.path();
    zeros("resnet20", 12, &path.join("w.safetensors"));
    let words = "; they are those of resnet20";
    fail(
        path,
        1,
        &["summary", "resnet32", "--weights", "w.safetensors"],
        &[words],
    );
    let text = succeed(path, &["summary", "w.safetensors"]);
    assert!(text.contains("resnet20 on 3×32×32"), "{text}");
    let answer = succeed(
        path,
        &[
            "predict",
            "w.safetensors",
            "picture.png",
            "--json",
            "--top",
            "12",
        ],
    );
    assert_eq!(objects(&answer)[0]["top"][11]["label"], "class 11");
}

#[test]
fn pickles_are_refused_whatever_they_are_called() {
    let folder = with_network();
    let zip = b"PK\x03\x04\0\0\x08\x08archive/data.pkl";
    for name in ["w.pth", "w.pt", "w.bin", "w.safetensors"] {
        std::fs::write(folder.path().join(name), zip).unwrap();
        for arguments in [
            &["predict", name, "picture.png"][..],
            &["predict", MODEL, "--weights", name, "picture.png"],
            &["summary", MODEL, "--weights", name],
            &["train", "--weights", name],
        ] {
            fail(
                folder.path(),
                2,
                arguments,
                &[name, "pickled PyTorch weights", "save_file"],
            );
        }
    }
}

/// Every beginning of the file, through the whole program's way in.
#[test]
fn cut_files_are_refused() {
    let bytes = std::fs::read(published().join("model.safetensors")).unwrap();
    let folder = folder();
    let path = folder.path().join("cut.safetensors");
    for kept in (0..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
        std::fs::write(&path, &bytes[..kept]).unwrap();
        let error = train::Weights::open(&path, Some(MODEL))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("not a whole safetensors file"),
            "{kept}: {error}"
        );
    }
}

fn tune<'a>(output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let how = [
        "train",
        "--data",
        "records.bin",
        "--val-fraction",
        "0.2",
        "--weights",
        "net",
        "--batch-size",
        "16",
        "--epochs",
        "2",
        "--img-size",
        "32",
        "--threads",
        "1",
        "--output",
        output,
    ];
    [&how, more].concat()
}

fn tensors(path: &Path) -> TensorFile {
    TensorFile::open(path).unwrap()
}

/// The body stays bit for bit as it was published, running statistics too; the head learns, and the run is used like
/// any other.
#[test]
fn a_head_is_tuned_on_a_frozen_body() {
    let folder = with_network();
    let path = folder.path();
    cifar(path, 60);
    let answer = convolve(path, &tune("run", &["--freeze", "body"]));
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(
        answer.err.contains("weights: net; the head starts anew"),
        "{}",
        answer.err
    );
    assert!(
        answer.err.contains("frozen: all but 170 parameters"),
        "{}",
        answer.err
    );
    let (before, after) = (
        tensors(&path.join("net/model.safetensors")),
        tensors(&path.join("run/best.safetensors")),
    );
    for tensor in &after.tensors {
        let same = before
            .get(&tensor.name)
            .is_some_and(|before| before.values == tensor.values);
        assert_eq!(same, !tensor.name.starts_with("fc."), "{}", tensor.name);
    }
    let config = std::fs::read_to_string(path.join("run/config.toml")).unwrap();
    assert!(
        config.contains("weights = \"net\"") && config.contains("freeze = [\"body\"]"),
        "{config}"
    );
    // The pictures are seen as the weights are used to see them.
    let preprocess: Value = serde_json::from_str(&after.metadata["preprocess"]).unwrap();
    assert_eq!(preprocess["mean"], serde_json::json!([0.5, 0.4, 0.3]));
    assert_eq!(preprocess["input"], serde_json::json!([32, 32]));
    assert_eq!(
        objects(&succeed(path, &["eval", "run", "--json", "-q"]))[0]["pictures"],
        12
    );
    let top = succeed(path, &["predict", "run", "picture.png", "--json"]);
    let label = objects(&top)[0]["top"][0]["label"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        ["airplane", "automobile"].contains(&label.as_str()),
        "{label}"
    );

    // A run is a beginning too, of as many classes with its head.
    let again = convolve(
        path,
        &[&tune("again", &["--freeze", "body", "layer1"])[..]].concat(),
    );
    assert_eq!(again.code, 0, "{}", again.err);
    let mut from_run = tune("third", &[]);
    from_run[6] = "run";
    let third = convolve(path, &from_run);
    assert_eq!(third.code, 0, "{}", third.err);
    assert!(third.err.contains("weights: run\n"), "{}", third.err);
}

#[test]
fn tuning_that_makes_no_sense_is_refused_before_a_folder_is_made() {
    let folder = with_network();
    let path = folder.path();
    cifar(path, 40);
    for (more, code, words) in [
        (
            &["--freeze", "layer9"][..],
            2,
            "no parameter of resnet18:0.03125 is called \"layer9\"",
        ),
        (
            &["--freeze", "*"],
            2,
            "nothing of resnet18:0.03125 is left to learn",
        ),
        (
            &["--num-classes", "5"],
            2,
            "--num-classes 5, but the data have 10 classes",
        ),
        (&["--model", "resnet20"], 1, "not the tensors of resnet20"),
        (&["--model", "resnet21"], 2, "no model is called 'resnet21'"),
        (
            &["--recipe", "inception"],
            2,
            "recipe 'inception' is none of inception-v3",
        ),
        (&["--clip-norm", "0"], 2, "clip norm: 0"),
    ] {
        fail(path, code, &tune("run", more), &[words]);
        assert!(!path.join("run").exists(), "{more:?}");
    }
    fail(
        path,
        2,
        &["train", "--resume", "run", "--freeze", "body"],
        &["--resume", "--freeze"],
    );
}

/// Every setting of the recipe, the rate in proportion to the batch, and single flags above it.
#[test]
fn a_recipe_is_a_beginning() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 40);
    let recipe = [
        "train",
        "--data",
        "records.bin",
        "--recipe",
        "inception-v3",
        "--model",
        "resnet20:0.25",
        "-q",
    ];
    let config = |output: &str, more: &[&str]| {
        let arguments = [
            &recipe,
            &["--output", output, "--epochs", "1", "--threads", "1"][..],
            more,
        ]
        .concat();
        succeed(path, &arguments);
        std::fs::read_to_string(path.join(output).join("config.toml")).unwrap()
    };
    let plain = config("plain", &["--batch-size", "16"]);
    for line in [
        "learning_rate = 0.0225",
        "weight_decay = 0.00004",
        "label_smoothing = 0.1",
        "clip_norm = 2.0",
        "shape = \"exponential\"",
        "gamma = 0.94",
        "rule = \"rmsprop\"",
        "alpha = 0.9",
        "epsilon = 1.0",
    ] {
        assert!(plain.contains(line), "no {line} in {plain}");
    }
    let changed = config(
        "changed",
        &[
            "--lr",
            "0.01",
            "--label-smoothing",
            "0",
            "--schedule",
            "cosine",
            "--momentum",
            "0.5",
        ],
    );
    for line in [
        "learning_rate = 0.01",
        "label_smoothing = 0.0",
        "shape = \"cosine\"",
        "momentum = 0.5",
        "clip_norm = 2.0",
    ] {
        assert!(changed.contains(line), "no {line} in {changed}");
    }
}

#[test]
fn folders_of_imagenet_are_matched_by_synset() {
    let folder = folder();
    let path = folder.path();
    // A synset is a class of networks that know ImageNet's thousand, and of no others.
    for (synset, name) in [("n01440764", "a.bmp"), ("n01443537", "b.bmp")] {
        let below = path.join("pictures").join(synset);
        std::fs::create_dir_all(&below).unwrap();
        crate::fixture::bmp(&below.join(name), 32, [1, 2, 3]);
    }
    let weights = path.join("w.safetensors");
    zeros("resnet20", 1000, &weights);
    let arguments = ["eval", text(&weights), "--data", "pictures", "--json", "-q"];
    let answer = &objects(&succeed(path, &arguments))[0];
    assert_eq!(
        (&answer["pictures"], &answer["correct"]),
        (&2.into(), &1.into())
    );
    assert_eq!(answer["classes"][0]["label"], "tench");
}

#[test]
fn weights_for_other_images_are_refused_by_every_verb() {
    let folder = with_network();
    let path = folder.path();
    let image = ["--input", "1x64x64"];
    let words = [
        "net/model.safetensors",
        "1 of another shape: `conv1.weight`",
    ];
    for arguments in [
        &["summary", MODEL, "--weights", "net"][..],
        &["summary", "net"],
        &["bench", MODEL, "--weights", "net", "--seconds", "0"],
    ] {
        fail(path, 1, &[arguments, &image].concat(), &words);
    }
}

#[test]
fn an_onnx_file_of_weights_brings_its_classes_and_preprocessing() {
    let folder = with_network();
    let path = folder.path();
    succeed(path, &["export", "net", "net.onnx", "-q"]);
    let predict = |network: &[&str]| {
        let more = ["picture.png", "--json", "--top", "7"];
        let answer = succeed(path, &[&["predict"], network, &more].concat());
        objects(&answer)[0]["top"].as_array().unwrap().clone()
    };
    let own = predict(&["net"]);
    let handed_on = predict(&[MODEL, "--weights", "net.onnx"]);
    for (one, other) in std::iter::zip(&own, &handed_on) {
        assert_eq!(one["label"], other["label"]);
        let [one, other] = [one, other].map(|guess| guess["probability"].as_f64().unwrap());
        assert!((one - other).abs() < 1e-5, "{one} {other}");
    }
}

#[test]
fn a_network_has_weights_once() {
    let folder = with_network();
    let path = folder.path();
    for arguments in [
        &["predict", MODEL, "picture.png"][..],
        &["eval", MODEL, "--data", "."],
        &["export", MODEL, "x.safetensors"],
    ] {
        let words = ["a network without weights", "--weights"];
        fail(path, 2, arguments, &words);
    }
    std::fs::write(path.join("net.onnx"), "weights").unwrap();
    for arguments in [
        &["predict", "net", "--weights", "net", "picture.png"][..],
        &["predict", "net.onnx", "--weights", "net", "picture.png"],
        &["eval", "net", "--weights", "net", "--data", "."],
        &["eval", "net.onnx", "--weights", "net", "--data", "."],
    ] {
        let words = [": has weights of its own; --weights goes with a network by name"];
        fail(path, 2, arguments, &words);
    }
}
