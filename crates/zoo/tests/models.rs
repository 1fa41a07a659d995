//! Every network on several inputs: it builds, and its training and inference graphs hold together.

use graph::passes::{TrainingOptions, inference, training};
use graph::{Graph, Op, ParameterKind, Role};
use zoo::{BuildOptions, Task, ZooError, models};

fn options(batch: usize, [channels, height, width]: [usize; 3], classes: usize) -> BuildOptions {
    BuildOptions {
        batch,
        channels,
        height,
        width,
        classes,
    }
}

fn count(graph: &Graph, is_kind: impl Fn(&Op) -> bool) -> usize {
    graph.nodes.iter().filter(|node| is_kind(&node.op)).count()
}

/// The shorter side of the least image on which every layer of a network has an output.
fn least(name: &str) -> usize {
    match name {
        // Their strided convolutions are not padded.
        "inception_v3" | "inception_v4" | "inception_resnet_v1" | "inception_resnet_v2" => 75,
        "alexnet" => 63,
        "zfnet" => 47,
        "googlenet" => 15,
        "unet" => 16,
        "squeezenet1_0" => 21,
        "squeezenet1_1" => 17,
        _ if name.starts_with("vgg") => 32,
        _ if name.starts_with("densenet") => 29,
        _ => 1,
    }
}

/// What a network makes of a batch of two and seven classes.
fn result(task: Task, [_, height, width]: [usize; 3]) -> Vec<usize> {
    match task {
        Task::Classification => vec![2, 7],
        Task::Segmentation => vec![2, 7, height, width],
        Task::Generation => vec![2, 7, 16 * (height + 3), 16 * (width + 3)],
    }
}

#[test]
fn every_model_trains_and_infers_on_every_input() {
    let inputs = [
        [3, 32, 32],
        [1, 28, 28],
        [3, 75, 61],
        [3, 75, 75],
        [4, 224, 160],
    ];
    for model in models() {
        for input in [model.input].into_iter().chain(inputs) {
            let at = format!("{} on {input:?}", model.name);
            let built = zoo::build(model.name, &options(2, input, 7));
            if input[1].min(input[2]) < least(model.name) {
                let error = built.map(|_| ()).expect_err(&at).to_string();
                assert!(
                    error.contains("layer ") && !error.contains('\n'),
                    "{at}: {error}"
                );
                continue;
            }
            let network = built.expect(&at);
            let shape = result(model.task, input);
            assert_eq!(network.value(network.outputs[0]).shape, shape, "{at}");

            let run = inference(&network).expect(&at);
            run.verify().expect(&at);
            assert_eq!(run.value(run.outputs[0]).shape, shape, "{at}");
            // The names by which weights are loaded are the same in all graphs of a network.
            let names = |graph: &Graph| -> Vec<String> {
                graph.parameters().map(|(_, v)| v.name.clone()).collect()
            };
            assert_eq!(names(&run), names(&network), "{at}");

            let step = training(&network, TrainingOptions::default());
            if model.task != Task::Classification {
                assert!(step.is_err(), "{at}");
                continue;
            }
            let step = step.expect(&at);
            step.verify().expect(&at);
            assert_eq!(step.gradients.len(), network.parameters().count(), "{at}");
            assert_eq!(step.updates.len(), network.states().count(), "{at}");
            let [loss, logits] = step.outputs[..] else {
                panic!("{at}: two outputs");
            };
            assert_eq!(step.value(loss).shape, [0; 0], "{at}");
            assert_eq!(step.value(logits).shape, [2, 7], "{at}");
            assert_eq!(names(&step), names(&network), "{at}");
        }
    }
}

/// Sums and activations that no convolution takes over, and norms that none swallows.
fn left(name: &str) -> (usize, usize) {
    match name {
        // Behind linear layers.
        "lenet5" | "alexnet" | "zfnet" => (2, 0),
        _ if name.starts_with("vgg") => (2, 0),
        // Behind the concatenation of the units that halve the size.
        _ if name.starts_with("shufflenet_v1") => (3, 0),
        // One at the beginning of every layer or block and one at the end; of transitions too.
        "densenet121" => (0, 58 + 4),
        "densenet161" => (0, 78 + 4),
        "densenet169" => (0, 82 + 4),
        "densenet201" => (0, 98 + 4),
        "preact_resnet20" => (0, 9 + 1),
        "preact_resnet56" => (0, 27 + 1),
        "preact_resnet110" => (0, 54 + 1),
        // Its first block is projected, so that nothing but the norm reads the stem.
        "preact_resnet164" => (0, 54),
        "resnetv2_18" => (0, 8 + 1),
        "resnetv2_34" | "resnetv2_50" => (0, 16 + 1),
        "resnetv2_101" => (0, 33 + 1),
        "resnetv2_152" => (0, 50 + 1),
        // Behind the linear layer.
        "inception_resnet_v1" => (0, 1),
        // Its activations come before the convolutions.
        "xception" => (11, 0),
        // Behind transposed convolutions.
        "dcgan_generator" => (0, 4),
        _ => (0, 0),
    }
}

#[test]
fn what_follows_a_convolution_becomes_part_of_it() {
    let swept = |op: &Op| matches!(op, Op::Add | Op::Activation(_) | Op::BatchNorm { .. });
    let mut wrong = Vec::new();
    for model in models() {
        let network = zoo::build(model.name, &options(2, model.input, 10)).unwrap();
        let run = inference(&network).unwrap();
        let norms = count(&run, |op| matches!(op, Op::BatchNormInference { .. }));
        let found = (count(&run, swept), norms);
        if found != left(model.name) {
            wrong.push(format!("{}: {found:?}", model.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn nothing_but_gradients_is_added_up_in_the_training_of_residual_networks() {
    let swept = |op: &Op| matches!(op, Op::Add | Op::Activation(_) | Op::BatchNorm { .. });
    let names = ["resnet", "resnext", "wide_resnet", "mobilenet_v1"];
    let is_residual = |name: &str| {
        names.iter().any(|begin| name.starts_with(begin)) && !name.starts_with("resnetv2")
    };
    for model in models().filter(|model| is_residual(model.name)) {
        let network = zoo::build(model.name, &options(2, model.input, 10)).unwrap();
        // They meet where a branch began.
        let step = training(&network, TrainingOptions::default()).unwrap();
        let blocks = count(&network, |op| *op == Op::Add);
        assert_eq!(count(&step, swept), blocks, "{}", model.name);
        let residuals = |op: &Op| matches!(op, Op::BatchNormTraining { residual: true, .. });
        assert_eq!(count(&step, residuals), blocks, "{}", model.name);
    }
}

#[test]
fn only_classifiers_pass_for_classifiers() {
    for model in models() {
        let found = zoo::find(model.name).unwrap();
        match (model.task, found.classifier()) {
            (Task::Classification, Ok(_)) => {}
            (task, Err(error @ ZooError::NotAClassifier { .. })) => {
                let error = error.to_string();
                let named = error.contains(model.name) && error.contains(&task.to_string());
                assert!(named, "{error}");
            }
            (task, other) => panic!("{}, {task}: {other:?}", model.name),
        }
    }
}

#[test]
fn families_go_by_their_own_name_too() {
    for (alias, name) in [
        ("shufflenet_v1", "shufflenet_v1_g3"),
        ("shufflenet_v2", "shufflenet_v2_x1_0"),
        ("shufflenet_v2:0.5", "shufflenet_v2_x1_0:0.5"),
        ("dcgan", "dcgan_generator"),
    ] {
        assert_eq!(zoo::find(alias).unwrap().name(), name);
        assert!(models().all(|model| model.name != alias), "{alias}");
    }
}

#[test]
fn the_training_step_of_resnet20_has_the_operators_it_should() {
    let network = zoo::build("resnet20", &options(128, [3, 32, 32], 10)).unwrap();
    let step = training(&network, TrainingOptions::default()).unwrap();
    // 1 stem, 9 blocks of 2, 2 projections.
    let convolutions = 1 + 18 + 2;
    for (operator, expected) in [
        ("conv", convolutions),
        ("conv backward-weights", convolutions),
        // Not for the images.
        ("conv backward-data", convolutions - 1),
        ("batch norm training", convolutions),
        ("batch norm backward", convolutions),
        ("activation backward", 0),
        ("add", 9),
        ("linear", 1),
        ("linear backward-data", 1),
        ("linear backward-weights", 1),
        ("channel sum", 1),
        ("cross-entropy", 1),
        ("cross-entropy backward", 1),
    ] {
        let found = count(&step, |op| op.name() == operator);
        assert_eq!(found, expected, "{operator}");
    }
}

#[test]
fn lenet_has_the_papers_400_features_on_both_sizes_of_digit() {
    for side in [28, 32] {
        let network = zoo::build("lenet5", &options(1, [1, side, side], 10)).unwrap();
        let flat = network.nodes.iter().find(|node| node.op == Op::Flatten);
        let flat = flat.unwrap().outputs[0];
        assert_eq!(network.value(flat).shape, [1, 400]);
    }
}

#[test]
fn a_width_multiplier_scales_hidden_channels_only() {
    let widest = |name: &str| {
        let model = zoo::find(name).unwrap().model;
        let network = zoo::build(name, &model.options()).unwrap();
        let fc = network
            .parameters()
            .map(|(_, value)| value)
            .filter(|value| {
                let weight = ParameterKind::Weight;
                matches!(value.role, Role::Parameter { kind, .. } if kind == weight)
            });
        fc.last().unwrap().shape.clone()
    };
    assert_eq!(widest("resnet20"), [10, 64]);
    assert_eq!(widest("resnet20:2"), [10, 128]);
    assert_eq!(widest("mobilenet_v1:0.5"), [1000, 512]);
    assert_eq!(widest("mobilenet_v1:0.75"), [1000, 768]);
    assert_eq!(widest("resnet50:0.5"), [1000, 1024]);
    // Published widths, whose channels are multiples of eight; the last layer never becomes thinner.
    assert_eq!(widest("mobilenet_v2:0.35"), [1000, 1280]);
    assert_eq!(widest("mobilenet_v2:1.4"), [1000, 1792]);
    // Channels stay multiples of the groups.
    assert_eq!(widest("shufflenet_v1_g3:0.5"), [1000, 480]);
    assert_eq!(widest("shufflenet_v1_g8:0.25"), [1000, 384]);
    assert_eq!(widest("shufflenet_v2:0.33"), [1000, 338]);
    assert_eq!(widest("resnext50_32x4d:0.3"), [1000, 616]);
    assert_eq!(widest("densenet121:0.5"), [1000, 512]);
    // 64 · 0.3 = 19.2, 32 · 0.3 = 9.6: rounded, not cut.
    assert_eq!(widest("resnet20:0.3"), [10, 19]);
    assert_eq!(widest("resnet20:0.0001"), [10, 1]);
    assert_eq!(zoo::find("resnet20:0.50").unwrap().name(), "resnet20:0.5");
    assert_eq!(zoo::find("resnet20:1").unwrap().name(), "resnet20");
}

#[test]
fn wrong_names_are_answered_with_the_nearest() {
    let error = zoo::find("resnet51").unwrap_err();
    assert!(
        matches!(&error, ZooError::UnknownModel { nearest, .. } if nearest.contains(&"resnet50"))
    );
    let error = zoo::find("mobilenet").unwrap_err().to_string();
    assert!(
        error.contains("'mobilenet'") && error.contains("mobilenet_v1"),
        "{error}"
    );
    for width in ["", "x", "0", "-1", "nan", "inf", "1:2"] {
        let error = zoo::find(&format!("resnet20:{width}")).unwrap_err();
        assert!(matches!(error, ZooError::Width { .. }), "{width}: {error}");
    }
}

#[test]
fn inputs_that_do_not_fit_are_refused_with_layer_and_numbers() {
    let refused = |name: &str, options: &BuildOptions| {
        let error = zoo::build(name, options).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    };
    let error = refused("resnet18", &options(1, [3, 0, 32], 10));
    assert!(
        error.contains("conv1") && error.contains("[1, 3, 0, 32]"),
        "{error}"
    );
    let error = refused("resnet20", &options(1, [0, 32, 32], 10));
    assert!(
        error.contains("conv1") && error.contains("input channels"),
        "{error}"
    );
    assert!(refused("resnet20", &options(1, [3, 32, 32], 0)).contains("at least one class"));
    assert!(refused("resnet20:1e300", &options(1, [3, 32, 32], 10)).contains("overflows"));
    let huge = options(usize::MAX, [3, 32, 32], 10);
    assert!(refused("mobilenet_v1", &huge).contains("overflows"));
    refused("lenet5", &options(1, [1, 32, 32], usize::MAX));
}

#[test]
fn a_batch_of_one_pixel_a_channel_cannot_be_normalised() {
    let small = zoo::build("mobilenet_v1", &options(1, [3, 32, 32], 10)).unwrap();
    let error = training(&small, TrainingOptions::default()).unwrap_err();
    assert!(error.to_string().contains("at least two values"), "{error}");
    inference(&small).unwrap();
}

#[test]
fn stems_of_inception_take_images_of_27_pixels() {
    use graph::NetworkBuilder;
    use zoo::blocks::{
        InceptionResnet, inception_resnet_stem, inception_v3_stem, inception_v4_stem,
    };
    let width = zoo::Width::default();
    for side in [26, 27] {
        let shape = [1, 3, side, side];
        let new = || NetworkBuilder::new("stem", shape);
        let mut networks = [new(), new(), new(), new()];
        let [v3, v4, first, second] = &mut networks;
        let x = v3.input();
        let maps = [
            inception_v3_stem(v3, x, width).map(|y| v3.shape(y).unwrap().to_vec()),
            inception_v4_stem(v4, x, width).map(|y| v4.shape(y).unwrap().to_vec()),
            inception_resnet_stem(first, x, InceptionResnet::V1, width)
                .map(|y| first.shape(y).unwrap().to_vec()),
            inception_resnet_stem(second, x, InceptionResnet::V2, width)
                .map(|y| second.shape(y).unwrap().to_vec()),
        ];
        for (map, channels) in maps.into_iter().zip([192, 384, 256, 320]) {
            match side {
                26 => assert!(map.is_err(), "{map:?}"),
                _ => assert_eq!(map, Ok(vec![1, channels, 1, 1])),
            }
        }
    }
}

#[test]
fn the_least_image_fits_and_a_smaller_one_does_not() {
    for model in models().filter(|model| least(model.name) > 1) {
        let build = |side| zoo::build(model.name, &options(1, [3, side, side], 7)).map(|_| ());
        let side = least(model.name);
        build(side).unwrap_or_else(|error| panic!("{}: {error}", model.name));
        build(side - 1).expect_err(model.name);
    }
}
