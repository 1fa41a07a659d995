//! Layers, their filters, statistics and strongest patches.

use explain::{TopPatches, computation, feature_maps, filters, statistics};
use graph::{Neuron, Op};
use runtime::Eager;

use crate::fixture::{CASES, CHANNEL};

#[test]
fn layers_are_those_of_the_summary() {
    for case in &CASES {
        let network = (case.build)(1).unwrap();
        let rows = graph::summary(&network).rows;
        let layers = case.subject().layers();
        let named: Vec<_> = layers
            .iter()
            .map(|layer| (&layer.name, layer.op, &layer.output))
            .collect();
        let right: Vec<_> = rows
            .iter()
            .map(|row| (&row.layer, row.op, &row.output))
            .collect();
        assert_eq!(named, right);
    }
}

#[test]
fn stages_end_where_maps_get_smaller() {
    assert_eq!(CASES[0].subject().stages(), ["relu", "relu_1", "relu_2"]);
    assert_eq!(
        CASES[1].subject().stages(),
        // Not layer2.relu, which the projection leads round.
        ["layer1.relu_1", "layer2.relu_1"]
    );
    assert_eq!(
        CASES[0].subject().last_feature_map().unwrap(),
        CASES[0].last
    );
    assert_eq!(
        CASES[1].subject().last_feature_map().unwrap(),
        CASES[1].last
    );
}

#[test]
fn filters_are_the_weights() {
    let case = &CASES[0];
    let subject = case.subject();
    let first = filters(&subject, None).unwrap();
    assert_eq!(
        (first.layer.as_str(), first.weights.dims()),
        ("conv1", &[6, 3, 3, 3][..])
    );
    let second = filters(&subject, Some("conv2")).unwrap();
    assert_eq!(second.weights.data(), case.tensor("weights.conv2.weight"));
}

/// What a layer reads and its parameters, put together by the operator on tensors, are what the next layer shows.
#[test]
fn a_layer_can_be_computed_again() {
    let case = &CASES[0];
    let (subject, image) = (case.subject(), case.image(0));
    let eager = Eager::new(crate::fixture::options()).unwrap();
    for (layer, next) in [("conv2", "relu_1"), ("conv3", "relu_2")] {
        let found = computation(&subject, &image, layer).unwrap();
        let Op::Conv { desc, .. } = &found.op else {
            panic!("{:?}", found.op)
        };
        let [weight, bias] = &found.parameters[..] else {
            panic!("{} parameters", found.parameters.len())
        };
        let made = eager.conv(&found.input, weight, Some(bias), desc).unwrap();
        let want = &feature_maps(&subject, &image, &[next]).unwrap()[0].maps;
        assert_eq!(made.dims()[1..], *want.dims());
        for (made, want) in made.data().iter().zip(want.data()) {
            assert!((made.max(0.0) - want).abs() < 1e-4, "{made} {want}");
        }
    }
    let first = computation(&subject, &image, "conv1").unwrap();
    assert_eq!(
        (first.input.data(), first.parameters.len()),
        (&image[..], 1)
    );
}

#[test]
fn statistics_count_neurons_that_are_off() {
    let case = &CASES[0];
    let rows = statistics(&case.subject(), &case.image(0)).unwrap();
    assert_eq!(rows.len(), case.subject().layers().len());
    let row = rows.iter().find(|row| row.layer == case.middle).unwrap();
    let made = case.tensor("made");
    let off = made.iter().filter(|&&x| x == 0.0).count() as f64 / made.len() as f64;
    assert!(
        off > 0.1 && (row.statistics.zeros - off).abs() < 0.01,
        "{off}"
    );
    let mean = made.iter().copied().map(f64::from).sum::<f64>() / made.len() as f64;
    let squares = made
        .iter()
        .map(|&x| (f64::from(x) - mean).powi(2))
        .sum::<f64>();
    let deviation = (squares / made.len() as f64).sqrt();
    assert!((row.statistics.mean - mean).abs() < 1e-5 * mean);
    assert!((row.statistics.deviation - deviation).abs() < 1e-5 * deviation);
    assert_eq!(row.statistics.min, 0.0);
    assert_eq!(row.dead_maps, 0.0);
}

#[test]
fn the_strongest_patches_are_found_among_all() {
    let case = &CASES[1];
    let subject = case.subject();
    let images: Vec<_> = (0..19).map(|seed| subject.noise(seed)).collect();
    let mut search = TopPatches::new(&subject, case.middle, &[0, CHANNEL], 9).unwrap();
    images.iter().for_each(|image| search.push(image).unwrap());
    let found = search.finish().unwrap();
    for (patches, channel) in found.iter().zip([0, CHANNEL]) {
        let mut right: Vec<(f32, usize)> = images
            .iter()
            .map(|image| {
                let maps = &feature_maps(&subject, image, &[case.middle]).unwrap()[0];
                maps.channel(channel)
                    .iter()
                    .copied()
                    .fold(f32::MIN, f32::max)
            })
            .zip(0..)
            .collect();
        right.sort_by(|a, b| b.0.total_cmp(&a.0));
        let images: Vec<usize> = patches.iter().map(|patch| patch.image).collect();
        assert_eq!(
            images,
            right[..9].iter().map(|best| best.1).collect::<Vec<_>>()
        );
        for (patch, (activation, _)) in patches.iter().zip(&right) {
            assert!((patch.activation - activation).abs() <= 1e-5 * activation.abs());
            // Within the pixels that the neuron sees, and no smaller.
            let neuron = Neuron::trace(subject.network(), case.middle, &patch.at, 0).unwrap();
            assert_eq!(neuron.pixels.bounds().unwrap(), patch.region);
        }
    }
}
