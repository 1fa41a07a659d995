//! Every classifier of the zoo can be looked into.

use explain::{Backpropagation, feature_maps, grad_cam};
use explain::{RectifierRule, Subject, Target};
use graph::passes::{inference, remember_maxima};
use graph::pullback_by;
use runtime::{Program, initialise};

use crate::fixture::options;

/// The way back is there by every rule; nothing is run, for some of them are large.
#[test]
fn every_classifier_has_a_way_back_to_the_image() {
    let mut classifiers = 0;
    for model in zoo::models() {
        let Ok(found) = zoo::find(model.name).unwrap().classifier() else {
            continue;
        };
        let network = found.build(&model.options()).unwrap();
        let graph = remember_maxima(&inference(&network).unwrap()).unwrap();
        for rule in [
            RectifierRule::Slope,
            RectifierRule::Guided,
            RectifierRule::Deconvnet,
        ] {
            let grown = pullback_by(&graph, graph.outputs[0], &[graph.inputs[0]], rule);
            let grown = grown.unwrap_or_else(|error| panic!("{}: {error}", model.name));
            Program::check(&grown, &options(), 1)
                .unwrap_or_else(|error| panic!("{}: {error}", model.name));
        }
        classifiers += 1;
    }
    assert!(classifiers > 50, "{classifiers}");
}

/// What the last feature map of every stage is called, where branches have maps of other sizes.
#[test]
fn stages_end_where_all_branches_meet() {
    for (name, stages) in [
        (
            "resnet50",
            &[
                "relu",
                "layer1.2.relu_2",
                "layer2.3.relu_2",
                "layer3.5.relu_2",
                "layer4.2.relu_2",
            ][..],
        ),
        (
            "googlenet",
            &[
                "conv1.relu",
                "conv3.relu",
                "inception3b.concat",
                "inception4e.concat",
                "inception5b.concat",
            ],
        ),
        (
            "shufflenet_v2_x1_0",
            &[
                "relu",
                "stage2.3.channel_shuffle",
                "stage3.7.channel_shuffle",
                "relu_1",
            ],
        ),
    ] {
        let build = move |batch| {
            let found = zoo::find(name)?;
            let mut options = found.model.options();
            (options.batch, options.height, options.width) = (batch, 96, 96);
            Ok(found.build(&options)?)
        };
        let weights = Program::new(inference(&build(1).unwrap()).unwrap(), &options()).unwrap();
        assert_eq!(
            Subject::new(build, weights, &options()).unwrap().stages(),
            stages,
            "{name}"
        );
    }
}

/// Layers in a row, residual, pre-activated (whose norms stand before convolutions), and depthwise.
#[test]
fn networks_of_every_kind_are_run_there_and_back() {
    for (name, side, last) in [
        ("lenet5", 28, "relu_1"),
        ("resnet20:0.5", 32, "layer3.2.relu_1"),
        ("preact_resnet20:0.5", 32, "relu"),
        ("mobilenet_v1:0.25", 48, "relu6_1"),
    ] {
        let build = move |batch| {
            let found = zoo::find(name)?;
            let mut options = found.model.options();
            (options.batch, options.height, options.width) = (batch, side, side);
            Ok(found.build(&options)?)
        };
        let mut weights = Program::new(inference(&build(1).unwrap()).unwrap(), &options()).unwrap();
        initialise(&mut weights, 1);
        let subject = Subject::new(build, weights, &options()).unwrap();
        let image = subject.noise(0);
        let neuron = Target::Neuron {
            layer: subject.last_feature_map().unwrap(),
            channel: 0,
            at: None,
        };
        let mut back = Backpropagation::new(&subject, &neuron, RectifierRule::Guided).unwrap();
        assert!(
            back.of(&image)
                .unwrap()
                .data()
                .iter()
                .all(|x| x.is_finite())
        );
        let cam = grad_cam(&subject, &image, 1, None).unwrap();
        assert!(cam.layer.ends_with(last), "{name}: {}", cam.layer);
        assert_eq!(cam.map.extents(), [side, side]);
        let stages = subject.stages();
        let stages: Vec<&str> = stages.iter().map(String::as_str).collect();
        let maps = feature_maps(&subject, &image, &stages).unwrap();
        assert!(
            maps.is_sorted_by(|a, b| a.maps.dims()[1] > b.maps.dims()[1]),
            "{name}"
        );
    }
}
