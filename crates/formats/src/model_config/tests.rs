use super::*;

fn read(text: &str) -> ModelConfig {
    ModelConfig::from_json(text, "config.json").unwrap()
}

fn fault(text: &str) -> String {
    ModelConfig::from_json(text, "config.json")
        .unwrap_err()
        .to_string()
}

/// As timm 1.0 writes it, fields of no interest among others.
#[test]
fn the_form_of_today() {
    let config = read(
        r#"{"architecture": "resnet18", "num_classes": 1000, "num_features": 512,
            "pretrained_cfg": {"tag": "a1_in1k", "custom_load": false, "input_size": [3, 224, 192],
              "test_input_size": [3, 288, 288], "interpolation": "bicubic", "crop_pct": 0.95, "crop_mode": "squash",
              "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "num_classes": 1000,
              "pool_size": [7, 7], "first_conv": "conv1", "classifier": "fc", "license": "apache-2.0"}}"#,
    );
    assert_eq!(
        (config.architecture.as_str(), config.classes),
        ("resnet18", Some(1000))
    );
    let expected = Preprocess {
        input: (224, 192),
        channels: 3,
        mean: imagenet::MEAN.to_vec(),
        std: imagenet::STD.to_vec(),
        crop_fraction: 0.95,
        interpolation: Interpolation::Bicubic,
        crop_mode: CropMode::Squash,
    };
    assert_eq!(config.preprocess, expected);
    assert_eq!(config.labels(1000)[999], "toilet tissue");
}

#[test]
fn the_older_flat_form() {
    let config = read(
        r#"{"architecture": "mobilenetv1_100", "num_classes": 3, "input_size": [1, 32, 48], "interpolation": "bilinear",
            "crop_pct": 1.0, "mean": [0.5], "std": [0.25], "label_names": ["a", "b", "c"]}"#,
    );
    assert_eq!(
        (config.preprocess.input, config.preprocess.channels),
        ((32, 48), 1)
    );
    assert_eq!(config.preprocess.mean, [0.5]);
    assert_eq!(config.preprocess.interpolation, Interpolation::Bilinear);
    assert_eq!(config.labels(3), ["a", "b", "c"]);
}

#[test]
fn what_is_left_out_has_timms_defaults() {
    let config = read(r#"{"architecture": "resnet50"}"#);
    assert_eq!(config.classes, None);
    let Preprocess {
        input,
        crop_fraction,
        interpolation,
        crop_mode,
        ..
    } = config.preprocess.clone();
    assert_eq!((input, crop_fraction), ((224, 224), 0.875));
    assert_eq!(
        (interpolation, crop_mode),
        (Interpolation::Bicubic, CropMode::Center)
    );
    assert_eq!(config.labels(1)[0], "class 0");
}

#[test]
fn labels_may_be_numbered_or_described() {
    let config = read(
        r#"{"architecture": "x", "label_names": {"1": "n2", "0": "n1"},
            "label_descriptions": {"n1": "first", "other": "none"}}"#,
    );
    assert_eq!(
        (config.classes, config.labels(2)),
        (Some(2), vec!["first".into(), "n2".into()])
    );
}

#[test]
fn nonsense_is_refused_by_file_and_reason() {
    for (text, words) in [
        ("", "EOF"),
        ("[1]", "invalid"),
        ("{}", "architecture"),
        (
            r#"{"architecture": "x", "crop_pct": 0}"#,
            "a crop fraction of 0",
        ),
        (r#"{"architecture": "x", "std": [0, 1, 1]}"#, "a std of 0"),
        (
            r#"{"architecture": "x", "mean": [0.5]}"#,
            "1 means and 3 stds",
        ),
        (r#"{"architecture": "x", "input_size": [3, -1, 5]}"#, "-1"),
        (
            r#"{"architecture": "x", "input_size": [3, 99999999, 5]}"#,
            "99999999×5 pixels",
        ),
        (
            r#"{"architecture": "x", "interpolation": "sinc"}"#,
            "bilinear and bicubic",
        ),
        (
            r#"{"architecture": "x", "crop_mode": "tile"}"#,
            "center, squash and border",
        ),
        (r#"{"architecture": "x\u001b"}"#, "control characters"),
        (
            r#"{"architecture": "x", "num_classes": 3, "label_names": ["a"]}"#,
            "1 label names for 3",
        ),
        (
            r#"{"architecture": "x", "label_names": {"0": "a", "2": "b"}}"#,
            "no label name for class 1",
        ),
    ] {
        let fault = fault(text);
        assert!(
            fault.starts_with("config.json: ") && fault.contains(words),
            "{text}: {fault}"
        );
        assert!(!fault.contains('\n'), "{fault}");
    }
}

#[test]
fn a_vast_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    let error = ModelConfig::open(&path).unwrap_err().to_string();
    assert!(error.contains("bytes that are allowed"), "{error}");
    let absent = ModelConfig::open(&folder.path().join("absent")).unwrap_err();
    assert!(matches!(absent, ModelConfigError::Io { .. }));
}
