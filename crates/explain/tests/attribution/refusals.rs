//! What is refused, and in which words.

use explain::{
    Backpropagation, Baseline, Deletion, ExplainError, Map, Occlusion, RectifierRule, Subject,
    Target, TopPatches, effective_field, feature_maps, filters, grad_cam, saliency,
};
use geometry::ConvDesc;
use graph::{Graph, GraphError, NetworkBuilder, passes};
use runtime::Program;

use crate::fixture::{CASES, options};

fn quiet(_: usize, _: usize) {}

fn words<T>(result: Result<T, ExplainError>) -> String {
    result.err().expect("a refusal").to_string()
}

#[test]
fn what_is_not_there_is_named() {
    let case = &CASES[1];
    let (subject, image) = (case.subject(), case.image(0));
    assert_eq!(
        words(feature_maps(&subject, &image, &["layer1.relu_2"])),
        "there is no layer 'layer1.relu_2'; did you mean layer1.relu_1, layer1.relu, layer2.relu_1?"
    );
    assert_eq!(
        words(saliency(&subject, &image, 5)),
        "class 5 is not one of the 5 classes, which count from 0"
    );
    assert_eq!(
        words(grad_cam(&subject, &image, 0, Some("fc"))),
        "layer fc makes [1, 5], which are no feature maps of an image, [1, channels, height, width] of more than one place"
    );
    assert_eq!(
        words(filters(&subject, Some("relu"))),
        "layer relu (relu) has no filters"
    );
    assert_eq!(
        words(TopPatches::new(&subject, "conv1", &[0, 8], 9)),
        "layer conv1 has no channel 8: it has 8, which count from 0"
    );
    let beside = Target::Neuron {
        layer: "conv1".to_owned(),
        channel: 0,
        at: Some([10, 3]),
    };
    assert_eq!(
        words(Backpropagation::new(
            &subject,
            &beside,
            RectifierRule::Slope
        )),
        "layer conv1 has no neuron at [10, 3]: its maps are [10, 12]"
    );
}

#[test]
fn what_does_not_fit_the_image_is_refused() {
    let case = &CASES[0];
    let (subject, image) = (case.subject(), case.image(0));
    assert_eq!(
        words(subject.probabilities(&image[1..])),
        "an image of 3×20×24 has 1440 numbers, not 1439"
    );
    assert_eq!(
        words(Occlusion::new([21, 4], [1, 1]).of(&subject, &image, 0, &mut quiet)),
        "a window of 21 on rows of 20: it must be from 1 to 20"
    );
    assert_eq!(
        words(Occlusion::new([4, 4], [1, 0]).of(&subject, &image, 0, &mut quiet)),
        "a stride of 0 on columns of 24: it must be from 1 to 24"
    );
    let two = Occlusion {
        baseline: Baseline::from(vec![0.0, 1.0]),
        ..Occlusion::over(subject.image())
    };
    assert_eq!(
        words(two.of(&subject, &image, 0, &mut quiet)),
        "a baseline of 2 numbers for 3 channels: it has one, or one a channel"
    );
    let small = Map::new(2, 2, vec![0.0; 4]).unwrap();
    assert_eq!(
        words(Deletion::of(
            &subject,
            &image,
            0,
            &small,
            3,
            &Baseline::default(),
            &mut quiet
        )),
        "a map of [2, 2] does not lie over an image of [20, 24]"
    );
    let nothing: [Vec<f32>; 0] = [];
    assert_eq!(
        words(effective_field(&subject, None, nothing)),
        "an effective receptive field of no images"
    );
    let mut sick = image;
    sick[7] = f32::NAN;
    assert!(words(subject.probabilities(&sick)).starts_with("plain answers NaN for class "));
}

/// A subject of a network, with weights as they start.
fn of(build: fn(usize) -> Result<Graph, GraphError>) -> Result<Subject, ExplainError> {
    let graph = passes::inference(&build(1).unwrap()).unwrap();
    let program = Program::new(graph, &options()).unwrap();
    Subject::new(move |batch| Ok(build(batch)?), program, &options())
}

#[test]
fn only_classifiers_of_images_are_looked_into() {
    let maps = |batch| {
        let mut network = NetworkBuilder::new("maps", [batch, 3, 8, 8]);
        let x = network.input();
        let y = network.conv("conv1", x, ConvDesc::new(2, 3), false)?;
        network.finish(y)
    };
    assert_eq!(
        words(of(maps)),
        "maps is no classifier of images: it makes [1, 2, 6, 6] of [1, 3, 8, 8], not [1, classes] of [1, channels, height, width]"
    );
    // One layer, of which there are no maps.
    let line = |batch| {
        let mut network = NetworkBuilder::new("line", [batch, 1, 4, 4]);
        let x = network.input();
        let x = network.flatten(x)?;
        let y = network.linear("fc", x, 2)?;
        network.finish(y)
    };
    let line = of(line).unwrap();
    assert_eq!(
        words(line.last_feature_map()),
        "line has no layer whose maps have more than one place"
    );
    let maps = Occlusion::new([2, 2], [2, 2])
        .of(&line, &[1.0; 16], 0, &mut quiet)
        .unwrap();
    assert!(maps.strongest.is_none());
}

#[test]
fn weights_of_another_network_are_refused() {
    let graph = passes::inference(&(CASES[0].build)(1).unwrap()).unwrap();
    let program = Program::new(graph, &options()).unwrap();
    let other = CASES[1].build;
    assert_eq!(
        words(Subject::new(
            move |batch| Ok(other(batch)?),
            program,
            &options()
        )),
        "the weights have no 'conv1.weight' of 216 elements"
    );
}

#[test]
fn a_network_that_is_made_for_one_image_is_run_on_one_after_the_other() {
    let build = CASES[0].build;
    let graph = passes::inference(&build(1).unwrap()).unwrap();
    let only_one = move |batch| match batch {
        1 => Ok(build(1)?),
        _ => Err("made for one image".into()),
    };
    // Nor is a network believed to be for many that is not.
    let always_one = move |_| Ok(build(1)?);
    let weights = || CASES[0].program(graph.clone());
    let one = Subject::new(only_one, weights(), &options()).unwrap();
    let other = Subject::new(always_one, weights(), &options()).unwrap();
    let any = CASES[0].subject();
    let (image, window) = (CASES[0].image(0), Occlusion::over(any.image()));
    let [one, other, any] =
        [one, other, any].map(|subject| window.of(&subject, &image, 0, &mut quiet).unwrap());
    assert_eq!(one.labels, any.labels);
    assert_eq!(one.probabilities, other.probabilities);
    let pairs = one
        .probabilities
        .values()
        .iter()
        .zip(any.probabilities.values());
    assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-6));
}
