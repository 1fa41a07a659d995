//! `models` and `summary` against published numbers, and what every command line has.

use std::process::Stdio;

use crate::fixture::folder;
use crate::invoke::{command, convolve, fail, objects, succeed};

#[test]
fn models_have_their_published_size() {
    let folder = folder();
    let models = objects(&succeed(folder.path(), &["models", "--json"]));
    // Parameters and multiply-accumulates as torchvision and timm give them.
    let published = [
        ("resnet18", 11_689_512, 1_814_073_344_u64),
        ("resnet50", 25_557_032, 4_089_184_256),
        ("mobilenet_v1", 4_231_976, 568_740_352),
    ];
    for (name, parameters, macs) in published {
        let model = models.iter().find(|model| model["model"] == name).unwrap();
        assert_eq!(model["parameters"], parameters, "{name}");
        assert_eq!(model["macs"], macs, "{name}");
    }
    let text = succeed(folder.path(), &["models"]);
    assert_eq!(text.lines().count(), models.len() + 1);
    assert!(text.contains("25 557 032"), "{text}");
}

#[test]
fn a_summary_adds_up() {
    let folder = folder();
    let arguments = ["summary", "resnet20", "--json"];
    let summary = &objects(&succeed(folder.path(), &arguments))[0];
    assert_eq!(summary["parameters"], 272_474);
    assert_eq!(summary["macs"], 40_813_184);
    let layers = summary["layers"].as_array().unwrap();
    let total = |key: &str| -> u64 { layers.iter().filter_map(|layer| layer[key].as_u64()).sum() };
    assert_eq!((total("parameters"), total("macs")), (272_474, 40_813_184));
    assert_eq!(layers[0]["kernel"], "o16k3p1");
    assert_eq!(layers[0]["output"], serde_json::json!([1, 16, 32, 32]));

    // Twice the side, four times the work of the convolutions; the 640 products of the last layer stay.
    let arguments = ["summary", "resnet20", "--json", "--input", "3x64x64"];
    let larger = &objects(&succeed(folder.path(), &arguments))[0];
    assert_eq!(larger["parameters"], 272_474);
    assert_eq!(larger["macs"], 4 * (40_813_184_u64 - 640) + 640);
}

#[test]
fn a_table_shows_what_is_counted() {
    let text = succeed(folder().path(), &["summary", "mobilenet_v1:0.5"]);
    assert!(text.contains("products with padding counted"), "{text}");
    assert!(text.contains("not counted: batch norm"), "{text}");
}

#[test]
fn heads_for_training_are_shown_apart() {
    let folder = folder();
    let text = succeed(folder.path(), &["summary", "googlenet"]);
    // 6 379 984 of them are those that torchvision's count leaves out.
    assert!(
        text.contains("13 004 888 parameters, 1 498 376 192 MACs"),
        "{text}"
    );
    assert!(
        text.contains("heads for training only: 6 379 984 of the parameters"),
        "{text}"
    );
    let marked = |line: &str| line.starts_with("….fc2 ") && line.ends_with("training only");
    assert!(text.lines().any(marked), "{text}");
    let summary = &objects(&succeed(folder.path(), &["summary", "googlenet", "--json"]))[0];
    assert_eq!(summary["auxiliary_parameters"], 6_379_984);
    let layers = summary["layers"].as_array().unwrap();
    let counted = layers.iter().filter(|layer| layer["auxiliary"] == false);
    let macs: u64 = counted.filter_map(|layer| layer["macs"].as_u64()).sum();
    assert_eq!(summary["macs"], macs);
}

#[test]
fn names_and_sizes_that_make_no_sense_are_wrong_usage() {
    let folder = folder();
    let refused: [(&[&str], &str); 8] = [
        (&["summary", "resnet21"], "did you mean resnet20"),
        (&["summary", "resnet20:0"], "width '0'"),
        (&["summary", "resnet20", "--input", "3x32"], "3x224x224"),
        (
            &["summary", "lenet5", "--input", "1x9999999999x9999999999"],
            "overflows",
        ),
        (&["sumary", "lenet5"], "summary"),
        (
            &["train", "--data", "shapes", "--model", "unet"],
            "'unet' is made for segmentation",
        ),
        (
            &["bench", "dcgan", "--train"],
            "'dcgan_generator' is made for generation",
        ),
        (&["summary"], "MODEL"),
    ];
    for (arguments, word) in refused {
        fail(folder.path(), 2, arguments, &[word]);
    }
}

#[test]
fn help_is_data_and_its_absence_is_usage() {
    let folder = folder();
    for verb in [
        "train", "eval", "report", "predict", "export", "models", "summary", "compare", "rf",
        "arith", "cost", "bench", "run", "op",
    ] {
        let help = succeed(folder.path(), &[verb, "--help"]);
        assert!(help.contains(&format!("Usage: convolve {verb}")), "{help}");
        assert_eq!(succeed(folder.path(), &["help", verb]), help);
        assert!(succeed(folder.path(), &["--help"]).contains(verb));
        // What all verbs have stands behind what is their own.
        let flags = help
            .lines()
            .filter(|line| line.trim_start().starts_with('-'));
        let flags: Vec<_> = flags.map(str::trim_start).collect();
        let last = &flags[flags.len() - 2..];
        assert!(
            last[0].starts_with("-q, ") && last[1].starts_with("-h, "),
            "{help}"
        );
    }
    let all = succeed(folder.path(), &["--help"]);
    assert_eq!(succeed(folder.path(), &["help"]), all);
    assert!(succeed(folder.path(), &["help", "--help"]).contains("Usage: convolve help"));
    fail(
        folder.path(),
        2,
        &["help", "nothing"],
        &["unrecognized subcommand 'nothing'"],
    );
    let bare = convolve(folder.path(), &[]);
    assert_eq!((bare.code, bare.out.as_str()), (2, ""));
    assert!(bare.err.contains("Usage: convolve"));
    assert!(succeed(folder.path(), &["--version"]).starts_with("convolve "));
}

#[test]
fn a_reader_who_leaves_is_no_failure() {
    let folder = folder();
    let mut child = command(folder.path(), &["summary", "resnet110"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn other_names_of_networks_are_told() {
    let folder = folder();
    let help = succeed(folder.path(), &["models", "--help"]);
    let models = objects(&succeed(folder.path(), &["models", "--json"]));
    for (alias, name) in zoo::aliases() {
        assert!(help.contains(&format!("{alias} ({name})")), "{help}");
        let model = models.iter().find(|model| model["model"] == name).unwrap();
        assert!(model["aliases"].as_array().unwrap().contains(&alias.into()));
    }
}
