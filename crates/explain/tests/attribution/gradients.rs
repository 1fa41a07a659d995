//! Gradients against differences of the network itself, computed in 64 bits.

use std::cell::RefCell;

use explain::{Map, saliency};
use graph::passes;
use runtime::{Evaluation, Run};

use crate::fixture::{CASES, CLASS, Case};

/// A logit as a function of the image, in 64 bits.
fn logit(case: &Case) -> impl Fn(&[f64]) -> f64 {
    let graph = passes::inference(&(case.build)(1).unwrap()).unwrap();
    let mut evaluation = Evaluation::new(&graph).unwrap();
    evaluation.load(&case.program(graph.clone()));
    let evaluation = RefCell::new(evaluation);
    move |image| {
        let mut evaluation = evaluation.borrow_mut();
        evaluation.set(graph.inputs[0], image);
        evaluation.run(Run::default());
        evaluation.value(graph.outputs[0])[CLASS]
    }
}

#[test]
fn saliency_is_the_slope_of_the_logit() {
    for case in &CASES {
        let image = case.image(1);
        let found = saliency(&case.subject(), &image, CLASS).unwrap();
        let whole: Vec<f64> = image.iter().copied().map(f64::from).collect();
        let f = logit(case);
        // Every 29th number: all rows, columns and colours are among them.
        let places: Vec<usize> = (0..whole.len()).step_by(29).collect();
        let at: Vec<f64> = places.iter().map(|&place| whole[place]).collect();
        let slopes: Vec<f64> = places
            .iter()
            .map(|&place| found.data()[place].into())
            .collect();
        let of_some = |numbers: &[f64]| {
            let mut image = whole.clone();
            places
                .iter()
                .zip(numbers)
                .for_each(|(&place, &x)| image[place] = x);
            f(&image)
        };
        let checked = testkit::gradient::check(of_some, &at, &slopes);
        assert_eq!(checked, Ok(()), "{}", case.name);
    }
}

#[test]
fn a_map_has_the_largest_magnitude_or_the_sum_of_the_colours() {
    let case = &CASES[0];
    let gradient = saliency(&case.subject(), &case.image(0), CLASS).unwrap();
    let (largest, sum) = (
        Map::magnitude(&gradient).unwrap(),
        Map::sum(&gradient).unwrap(),
    );
    let plane = largest.values().len();
    for pixel in 0..plane {
        let colours = [0, 1, 2].map(|channel| gradient.data()[channel * plane + pixel]);
        let most = colours.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert_eq!(largest.values()[pixel], most);
        assert!((sum.values()[pixel] - colours.iter().sum::<f32>()).abs() < 1e-6);
    }
}
