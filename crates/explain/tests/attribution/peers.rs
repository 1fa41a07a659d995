//! The same maps as Captum, pytorch-grad-cam and PyTorch; `make.py` says what each is.

use explain::{Backpropagation, Subject};
use explain::{
    Baseline, Occlusion, RectifierRule, Target, deconvnet, effective_field, feature_maps, grad_cam,
    guided, saliency,
};

use crate::fixture::{BASELINE, CASES, CHANNEL, CLASS, Case, STRIDE, WINDOW, relative_error};

/// Theirs are computed in 64 bits.
const BOUND: f64 = 1e-4;

/// Holds a map of every network against that of the file.
fn compare(what: &str, find: impl Fn(&Case, &Subject) -> Vec<f32>) {
    for case in &CASES {
        let error = relative_error(&find(case, &case.subject()), &case.tensor(what));
        assert!(
            error <= BOUND,
            "{}: {what} is off by {error:.2e}",
            case.name
        );
    }
}

#[test]
fn saliency_is_that_of_captum() {
    compare("saliency", |case, subject| {
        saliency(subject, &case.image(0), CLASS)
            .unwrap()
            .data()
            .to_vec()
    });
}

#[test]
fn guided_backpropagation_is_that_of_captum() {
    compare("guided", |case, subject| {
        guided(subject, &case.image(0), CLASS)
            .unwrap()
            .data()
            .to_vec()
    });
}

#[test]
fn the_deconvolutional_network_is_that_of_captum() {
    compare("deconvnet", |case, subject| {
        deconvnet(subject, &case.image(0), CLASS)
            .unwrap()
            .data()
            .to_vec()
    });
}

#[test]
fn one_neuron_is_explained_as_by_captum() {
    for (what, rule) in [
        ("neuron.guided", RectifierRule::Guided),
        ("neuron.deconvnet", RectifierRule::Deconvnet),
    ] {
        compare(what, |case, subject| {
            let neuron = Target::Neuron {
                layer: case.middle.to_owned(),
                channel: CHANNEL,
                at: None,
            };
            let mut back = Backpropagation::new(subject, &neuron, rule).unwrap();
            // Twice, so that nothing is left over from another image.
            back.of(&case.image(1)).unwrap();
            back.of(&case.image(0)).unwrap().data().to_vec()
        });
    }
}

#[test]
fn occlusion_is_that_of_captum() {
    compare("occlusion", |case, subject| {
        let occlusion = Occlusion {
            baseline: Baseline::from(BASELINE.to_vec()),
            ..Occlusion::new(WINDOW, STRIDE)
        };
        let maps = occlusion.of(subject, &case.image(0), CLASS, &mut |_, _| {});
        maps.unwrap().drop.values().to_vec()
    });
}

#[test]
fn class_activation_maps_are_those_of_captum() {
    compare("cam.raw", |case, subject| {
        let cam = grad_cam(subject, &case.image(0), CLASS, Some(case.last)).unwrap();
        cam.raw.values().to_vec()
    });
    compare("cam.bilinear", |case, subject| {
        // The layer is that of the default.
        let cam = grad_cam(subject, &case.image(0), CLASS, None).unwrap();
        cam.map.values().to_vec()
    });
}

#[test]
fn class_activation_maps_are_those_of_pytorch_grad_cam_scaled_as_there() {
    compare("cam.scaled", |case, subject| {
        let map = grad_cam(subject, &case.image(0), CLASS, None).unwrap().map;
        let (least, most) = map.range();
        let scaled = map.values().iter().map(|x| (x - least) / (most - least));
        scaled.collect()
    });
}

#[test]
fn the_effective_field_is_the_mean_gradient_of_pytorch() {
    compare("field", |case, subject| {
        let images = [0, 1].map(|place| case.image(place));
        let field = effective_field(subject, Some(case.middle), images).unwrap();
        assert_eq!(field.images, 2);
        field.map.values().to_vec()
    });
}

#[test]
fn feature_maps_are_those_of_pytorch() {
    compare("made", |case, subject| {
        let maps = feature_maps(subject, &case.image(0), &[case.last, case.middle]).unwrap();
        assert_eq!(maps[0].layer, case.last);
        maps[1].maps.data().to_vec()
    });
}
