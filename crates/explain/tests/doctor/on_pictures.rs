//! Checks on pictures, of a network that was trained.

use std::sync::LazyLock;

use explain::doctor::{Check, Parameters, Patient, Sample, SampleError, examine};
use geometry::ConvDesc;
use graph::{Graph, NetworkBuilder, WeightInit};
use runtime::{Program, initialise};
use tensor::Unary;

use crate::data::{CLASSES, SIDE, sample, turned_round, unprepared};
use crate::network::{BATCH, diagnose, options, small, train, warned};

/// The network and what it learned.
static HEALTHY: LazyLock<(Graph, Parameters)> = LazyLock::new(|| {
    let network = small().unwrap();
    let parameters = train(&network, 120);
    (network, parameters)
});

/// Pictures that it has not seen.
fn unseen() -> Sample {
    sample(6 * BATCH, 7)
}

#[test]
fn a_healthy_network_is_clean() {
    let (network, parameters) = &*HEALTHY;
    let diagnosis = diagnose(network, parameters, &unseen());
    let score = diagnosis.score.unwrap();
    assert!(score.accuracy > 0.95, "{score:?}");
    assert_eq!(diagnosis.left_out, []);
    assert_eq!(diagnosis.made, Check::ALL);
    let warnings = warned(&diagnosis, Check::Gradients, &[]);
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn a_rectifier_that_a_bias_shut() {
    let (network, parameters) = &*HEALTHY;
    let mut parameters = parameters.clone();
    parameters.get_mut("third.bias").unwrap()[..2].fill(-1e3);
    let diagnosis = diagnose(network, &parameters, &unseen());
    assert_eq!(warned(&diagnosis, Check::ConstantMaps, &[]), ["relu_2"]);
    let finding = diagnosis.of(Check::ConstantMaps).next().unwrap();
    assert_eq!(finding.channels[..2], [0, 1]);
    assert!(finding.evidence.contains("never fire"), "{finding:?}");
}

#[test]
fn all_rectifiers_shut_stop_answers_and_gradients() {
    let (network, parameters) = &*HEALTHY;
    let mut parameters = parameters.clone();
    parameters.get_mut("third.bias").unwrap().fill(-1e3);
    let diagnosis = diagnose(network, &parameters, &unseen());
    let besides = [Check::Gradients, Check::ConstantMaps];
    let layers = warned(&diagnosis, Check::ConstantMaps, &besides);
    assert_eq!(layers, ["relu_2", ""]);
    assert_eq!(warned(&diagnosis, Check::Gradients, &besides), ["first"]);
    let gradients = diagnosis.of(Check::Gradients).next().unwrap();
    assert!(gradients.evidence.contains("no gradient arrives"));
}

#[test]
fn running_statistics_that_were_moved() {
    let (network, parameters) = &*HEALTHY;
    for (name, change) in [
        (
            "second.norm.running_mean",
            (|value| value + 2.0) as fn(f32) -> f32,
        ),
        ("second.norm.running_var", |value| 9.0 * value),
    ] {
        let mut parameters = parameters.clone();
        let values = parameters.get_mut(name).unwrap();
        values.iter_mut().for_each(|value| *value = change(*value));
        let diagnosis = diagnose(network, &parameters, &unseen());
        // What follows may be wrong in any way.
        let besides = [Check::ConstantMaps, Check::Preprocessing, Check::ClassOrder];
        let layers = warned(&diagnosis, Check::NormStatistics, &besides);
        assert_eq!(layers, ["second.norm"], "{name}");
    }
}

#[test]
fn labels_in_another_order() {
    let (network, parameters) = &*HEALTHY;
    let mut moved = unseen();
    for label in &mut moved.labels {
        *label = [1, 2, 0, 3][*label as usize];
    }
    let diagnosis = diagnose(network, parameters, &moved);
    assert_eq!(warned(&diagnosis, Check::ClassOrder, &[]), [""]);
    let finding = diagnosis.of(Check::ClassOrder).next().unwrap();
    assert_eq!(finding.channels, [0, 1, 2]);
    assert_eq!(finding.numbers[1], ("accuracy", 0.0));
    assert!(finding.numbers[2].1 > 0.95, "{finding:?}");
}

/// Pixels between 0 and 1, or bytes, for a network that was trained on values around zero.
#[test]
fn mean_and_deviation_left_out() {
    let (network, parameters) = &*HEALTHY;
    for std in [1.0, 1.0 / 255.0] {
        let given = unprepared(6 * BATCH, 7, 0.0, std);
        let diagnosis = diagnose(network, parameters, &given);
        let besides = [
            Check::Preprocessing,
            Check::NormStatistics,
            Check::ConstantMaps,
            Check::Gradients,
        ];
        assert_eq!(warned(&diagnosis, Check::Preprocessing, &besides), [""]);
        let finding = diagnosis.of(Check::Preprocessing).next().unwrap();
        assert!(finding.evidence.contains("ImageNet"), "{finding:?}");
        let layers = warned(&diagnosis, Check::NormStatistics, &besides);
        assert_eq!(layers, ["first.norm"], "{std}");
    }
}

#[test]
fn channels_the_other_way_round() {
    let (network, parameters) = &*HEALTHY;
    let diagnosis = diagnose(network, parameters, &turned_round(unseen()));
    // Red and blue are classes here, so their names seem to be exchanged too.
    let besides = [Check::ClassOrder];
    assert_eq!(warned(&diagnosis, Check::Preprocessing, &besides), [""]);
    let finding = diagnosis.of(Check::Preprocessing).next().unwrap();
    assert!(finding.evidence.contains("blue, green, red"), "{finding:?}");
}

/// Convolutions between rectifiers or sigmoids, with weights so many times as large as He et al. draw them.
fn deep(layers: usize, sigmoid: bool, gain: f32) -> (Graph, Parameters) {
    let mut network = NetworkBuilder::new("deep", [BATCH, 3, SIDE, SIDE]);
    network.conv_init(WeightInit::KaimingNormalFanIn);
    let mut x = network.input();
    for layer in 0..layers {
        let desc = ConvDesc::new(8, 3).padding(1);
        x = network
            .conv(&format!("conv{layer}"), x, desc, true)
            .unwrap();
        let function = if sigmoid { Unary::Sigmoid } else { Unary::Relu };
        x = network.unary(x, function).unwrap();
    }
    let x = network.global_average_pool(x).unwrap();
    let x = network.flatten(x).unwrap();
    let logits = network.linear("head", x, CLASSES).unwrap();
    let network = network.finish(logits).unwrap();
    let graph = graph::passes::inference(&network).unwrap();
    let mut program = Program::new(graph, &options()).unwrap();
    initialise(&mut program, 5);
    let mut parameters = Parameters::of(&program);
    for layer in 0..layers {
        let weights = parameters.get_mut(&format!("conv{layer}.weight")).unwrap();
        weights.iter_mut().for_each(|weight| *weight *= gain);
    }
    (network, parameters)
}

#[test]
fn gradients_of_deep_networks() {
    let evidence = |(network, parameters): (Graph, Parameters)| {
        let diagnosis = diagnose(&network, &parameters, &unseen());
        let finding = diagnosis.of(Check::Gradients).next();
        finding.map(|finding| finding.evidence.clone())
    };
    assert_eq!(evidence(deep(10, false, 1.0)), None);
    let exploding = evidence(deep(10, false, 8.0)).unwrap();
    assert!(exploding.contains("explodes"), "{exploding}");
    let overflowing = evidence(deep(10, false, 1e6)).unwrap();
    assert!(overflowing.contains("overflows"), "{overflowing}");
    let vanishing = evidence(deep(16, true, 1.0)).unwrap();
    assert!(vanishing.contains("vanishes"), "{vanishing}");
}

#[test]
fn sigmoids_pressed_to_their_limits() {
    let (network, mut parameters) = deep(10, true, 1.0);
    let before = diagnose(&network, &parameters, &unseen());
    assert_eq!(before.of(Check::SaturatedMaps).count(), 0);
    let weights = parameters.get_mut("conv0.weight").unwrap();
    weights.iter_mut().for_each(|weight| *weight *= 1e3);
    let after = diagnose(&network, &parameters, &unseen());
    let layers = after
        .of(Check::SaturatedMaps)
        .map(|finding| finding.layer.as_deref());
    assert_eq!(layers.collect::<Vec<_>>(), [Some("sigmoid")]);
}

#[test]
fn pictures_of_another_size_are_refused() {
    let (network, parameters) = &*HEALTHY;
    let mut odd = unseen();
    odd.labels.pop();
    let patient = Patient {
        network,
        parameters: Some(parameters),
        sample: Some(&odd),
        options: options(),
    };
    let error = examine(&patient).unwrap_err();
    assert!(matches!(error, SampleError::Batches { pictures: 95, .. }));
    let text = error.to_string();
    assert!(text.contains("no batches of [16, 3, 12, 12]"), "{text}");
}

#[test]
fn what_is_no_number_is_told_by_its_name() {
    let (_, parameters) = &*HEALTHY;
    assert_eq!(parameters.not_finite(), None);
    let mut parameters = parameters.clone();
    parameters.get_mut("third.bias").unwrap()[1] = f32::INFINITY;
    assert_eq!(parameters.not_finite(), Some(("third.bias", f32::INFINITY)));
    let spoiled = "second.norm.running_var";
    parameters.get_mut(spoiled).unwrap()[0] = f32::NAN;
    let (name, value) = parameters.not_finite().unwrap();
    assert!(name == spoiled && value.is_nan());
}

#[test]
fn weights_beyond_what_can_be_computed_are_told_and_nothing_is_called_constant() {
    let (network, parameters) = &*HEALTHY;
    let mut parameters = parameters.clone();
    for name in ["second.weight", "third.weight"] {
        let weights = parameters.get_mut(name).unwrap();
        weights.iter_mut().for_each(|weight| *weight *= 1e30);
    }
    let diagnosis = diagnose(network, &parameters, &unseen());
    assert_eq!(diagnosis.of(Check::ConstantMaps).count(), 0);
    assert_eq!(diagnosis.of(Check::DeadFilters).count(), 0);
    let of_maps = |check: &Check| matches!(check, Check::ConstantMaps | Check::SaturatedMaps);
    let reasons = diagnosis.left_out.iter().filter(|of| of_maps(&of.check));
    let reasons: Vec<&str> = reasons.map(|of| of.reason.as_str()).collect();
    let words = " makes numbers on the pictures that 32 bits do not hold: its weights, or those before it, are too large";
    assert!(
        reasons.len() == 2 && reasons.iter().all(|reason| reason.ends_with(words)),
        "{reasons:?}"
    );
}
