//! What a network ends in makes its probabilities, and nothing of what is gone back from.

use explain::{OutputActivation, Subject, saliency};
use graph::{Graph, GraphError, passes};

use crate::fixture::{CASES, CLASS, options};

/// A network with an activation behind its logits.
fn ending_in(
    build: fn(usize) -> Result<Graph, GraphError>,
    activation: OutputActivation,
) -> impl Fn(usize) -> Result<Graph, GraphError> + Send + Sync + 'static {
    move |batch| {
        let mut network = build(batch)?;
        let logits = network.outputs[0];
        network.outputs = network.append(activation.op(), "answer", vec![logits])?;
        Ok(network)
    }
}

#[test]
fn an_activation_makes_the_probabilities_and_is_not_gone_back_through() {
    let case = &CASES[0];
    let image = case.image(0);
    let program = || case.program(passes::inference(&(case.build)(1).unwrap()).unwrap());
    let [softmax, sigmoid] = [OutputActivation::Softmax, OutputActivation::Sigmoid].map(|end| {
        let build = ending_in(case.build, end);
        let subject = Subject::new(move |batch| Ok(build(batch)?), program(), &options()).unwrap();
        assert_eq!(subject.activation(), end);
        subject
    });
    let exclusive = softmax.probabilities(&image).unwrap();
    assert_eq!(exclusive, case.subject().probabilities(&image).unwrap());
    // Differences of logits are in both: ln p of a softmax, ln p/(1 − p) of a sigmoid.
    let own = sigmoid.probabilities(&image).unwrap();
    let [exclusive, own] = [
        exclusive
            .iter()
            .map(|&p| f64::from(p).ln())
            .collect::<Vec<_>>(),
        own.iter()
            .map(|&p| (f64::from(p) / (1.0 - f64::from(p))).ln())
            .collect(),
    ];
    for class in 1..own.len() {
        let [one, other] = [&exclusive, &own].map(|logits| logits[class] - logits[0]);
        assert!((one - other).abs() < 1e-4, "{class}: {one} {other}");
    }
    let maps = [&softmax, &sigmoid].map(|subject| saliency(subject, &image, CLASS).unwrap());
    assert_eq!(maps[0].data(), maps[1].data());
    // Of a network that makes logits nothing is taken off, whatever is said of them.
    let build = ending_in(case.build, OutputActivation::Sigmoid);
    let whole = Subject::of_logits(
        move |batch| Ok(build(batch)?),
        OutputActivation::Softmax,
        program(),
        &options(),
    );
    let op = whole.unwrap().layers().last().unwrap().op;
    assert_eq!(op, "sigmoid");
}
