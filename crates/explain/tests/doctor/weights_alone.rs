//! Checks of the weights.

use explain::doctor::{Check, LeftOut, Parameters, Patient, Severity, Stem, examine};
use geometry::ConvDesc;
use graph::{Graph, NetworkBuilder};
use runtime::{Program, initialise};

use crate::network::{options, small};

/// Drawn weights, which have nothing.
fn drawn(network: &Graph) -> Parameters {
    let graph = graph::passes::inference(network).unwrap();
    let mut program = Program::new(graph, &options()).unwrap();
    initialise(&mut program, 3);
    Parameters::of(&program)
}

fn found(network: &Graph, parameters: &Parameters) -> Vec<(Check, String, Vec<usize>)> {
    let patient = Patient {
        parameters: Some(parameters),
        ..Patient::new(network)
    };
    let findings = examine(&patient).unwrap().findings.into_iter();
    findings
        .map(|finding| {
            (
                finding.check,
                finding.layer.unwrap_or_default(),
                finding.channels,
            )
        })
        .collect()
}

#[test]
fn drawn_weights_have_nothing() {
    let network = small().unwrap();
    assert_eq!(found(&network, &drawn(&network)), []);
}

#[test]
fn a_filter_set_to_zero_is_dead() {
    let network = small().unwrap();
    let mut parameters = drawn(&network);
    let filter = 8 * 9;
    parameters.get_mut("second.weight").unwrap()[5 * filter..6 * filter].fill(0.0);
    let expected = (Check::DeadFilters, "second".to_owned(), vec![5]);
    assert_eq!(found(&network, &parameters), [expected]);
}

#[test]
fn a_filter_whose_norm_is_scaled_to_nothing_is_dead() {
    let network = small().unwrap();
    let mut parameters = drawn(&network);
    parameters.get_mut("first.norm.weight").unwrap()[2] = 1e-5;
    let expected = (Check::DeadFilters, "first".to_owned(), vec![2]);
    assert_eq!(found(&network, &parameters), [expected]);
}

#[test]
fn a_copied_filter_is_a_duplicate_and_its_negative_is_not() {
    let network = small().unwrap();
    let mut parameters = drawn(&network);
    let filter = 12 * 9;
    let weights = parameters.get_mut("third.weight").unwrap();
    weights.copy_within(3 * filter..4 * filter, 9 * filter);
    // Another length is the same filter.
    weights[9 * filter..10 * filter]
        .iter_mut()
        .for_each(|w| *w *= 2.5);
    let expected = (Check::DuplicateFilters, "third".to_owned(), vec![9]);
    assert_eq!(found(&network, &parameters), [expected]);
    let weights = parameters.get_mut("third.weight").unwrap();
    weights[9 * filter..10 * filter]
        .iter_mut()
        .for_each(|w| *w *= -1.0);
    assert_eq!(found(&network, &parameters), []);
}

/// Filters of other groups read other channels: equal weights are no copies.
#[test]
fn depthwise_filters_may_be_equal() {
    let mut network = NetworkBuilder::new("depthwise", [1, 3, 8, 8]);
    let x = network.input();
    let y = network
        .conv("blur", x, ConvDesc::new(3, 3).groups(3), false)
        .unwrap();
    let network = network.finish(y).unwrap();
    let mut parameters = drawn(&network);
    parameters.get_mut("blur.weight").unwrap().fill(0.1);
    assert_eq!(found(&network, &parameters), []);
}

/// Gratings of a period of four pixels in steps of four, and in steps of two, whose limit they lie on.
#[test]
fn fine_gratings_in_long_steps_alias() {
    let stem = |stride: usize, period: f32| {
        let mut network = NetworkBuilder::new("stem", [1, 3, 64, 64]);
        let x = network.input();
        let desc = ConvDesc::new(4, 11).stride(stride).padding(2);
        let y = network.conv("stem", x, desc, true).unwrap();
        let network = network.finish(y).unwrap();
        let mut parameters = drawn(&network);
        let weights = parameters.get_mut("stem.weight").unwrap();
        for (place, weight) in weights.iter_mut().enumerate() {
            let (filter, x) = (place / (3 * 121), (place % 11) as f32);
            let phase = filter as f32;
            // Fading out at the ends, as those that networks learn.
            let fade = (std::f32::consts::PI * (x + 0.5) / 11.0).sin();
            *weight = fade * (std::f32::consts::TAU * x / period + phase).cos();
        }
        (network, parameters)
    };
    let (network, parameters) = stem(4, 4.0);
    let findings = {
        let patient = Patient {
            parameters: Some(&parameters),
            ..Patient::new(&network)
        };
        examine(&patient).unwrap().findings
    };
    let aliasing = findings
        .iter()
        .find(|finding| finding.check == Check::AliasingStem);
    let aliasing = aliasing.expect("steps of four");
    assert_eq!(aliasing.severity, Severity::Warning);
    assert!(aliasing.numbers[0].1 > 0.8, "{aliasing:?}");
    assert_eq!(aliasing.channels, [0, 1, 2, 3]);
    // The same step with a grating of sixteen pixels, and the fine one without a step.
    for (stride, period) in [(4, 16.0), (1, 4.0)] {
        let (network, parameters) = stem(stride, period);
        let stem = Stem::of(&network, &parameters, None).unwrap();
        assert!(stem.mean() < 0.1, "{stride} {period}: {}", stem.mean());
    }
}

/// Drawn filters let everything through: in steps of four half of it is aliased, of which nothing is learned.
#[test]
fn noise_is_called_noise_and_not_aliasing() {
    let mut network = NetworkBuilder::new("stem", [1, 3, 64, 64]);
    let x = network.input();
    let desc = ConvDesc::new(16, 11).stride(4).padding(2);
    let y = network.conv("stem", x, desc, true).unwrap();
    let network = network.finish(y).unwrap();
    let mut parameters = drawn(&network);
    let examined = |parameters: &Parameters| {
        let patient = Patient {
            parameters: Some(parameters),
            ..Patient::new(&network)
        };
        examine(&patient).unwrap()
    };
    let diagnosis = examined(&parameters);
    assert_eq!(diagnosis.findings, []);
    let aliasing = |left_out: &&LeftOut| left_out.check == Check::AliasingStem;
    let left_out = diagnosis.left_out.iter().find(aliasing);
    let reason = &left_out.expect("noise").reason;
    assert!(
        reason.starts_with("the filters of stem are still noise: "),
        "{reason}"
    );
    let stem = Stem::of(&network, &parameters, None).unwrap();
    assert!(stem.is_noise() && stem.mean() > 0.25, "{}", stem.mean());

    // Fine gratings over the noise are what the layer learned, and alias.
    let weights = parameters.get_mut("stem.weight").unwrap();
    let largest = weights
        .iter()
        .fold(0.0, |most, weight| f32::max(most, weight.abs()));
    for (place, weight) in weights.iter_mut().enumerate() {
        *weight += largest * (std::f32::consts::FRAC_PI_2 * (place % 11) as f32).cos();
    }
    let diagnosis = examined(&parameters);
    assert_eq!(diagnosis.findings[0].check, Check::AliasingStem);
    assert!(
        !diagnosis
            .left_out
            .iter()
            .any(|left_out| aliasing(&left_out))
    );
}

#[test]
fn a_window_of_one_pixel_is_not_told_to_shrink() {
    let mut network = NetworkBuilder::new("stem", [1, 3, 64, 64]);
    let x = network.input();
    let y = network
        .conv("stem", x, ConvDesc::new(4, 1).stride(4), true)
        .unwrap();
    let network = network.finish(y).unwrap();
    let parameters = drawn(&network);
    let patient = Patient {
        parameters: Some(&parameters),
        ..Patient::new(&network)
    };
    let findings = examine(&patient).unwrap().findings;
    let aliasing = findings
        .iter()
        .find(|finding| finding.check == Check::AliasingStem);
    let advice = aliasing.expect("steps of four").advice;
    assert!(advice.starts_with("Blur before the step") && !advice.contains("shrink"));
}
