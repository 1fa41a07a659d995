//! Classifiers from elsewhere made ready for a loss, and for other classes.

use geometry::ConvDesc;
use graph::{Graph, NetworkBuilder, OutputActivation, ValueId, passes};

/// The logits of a network whose output is something else that tells as much.
#[test]
fn a_softmax_at_the_end_and_axes_of_one_are_left_out() {
    let mut network = NetworkBuilder::new("convolutions alone", [2, 3, 4, 4]);
    let x = network.input();
    let x = network
        .conv("classes", x, ConvDesc::new(5, 1), true)
        .unwrap();
    let logits = network.global_average_pool(x).unwrap();
    let x = network.log_softmax_along(logits, 1).unwrap();
    let x = network.reshape(x, &[2, 5, 1]).unwrap();
    let network = network.finish(x).unwrap();
    let network = passes::logits(&network).unwrap();
    let names: Vec<_> = network.nodes.iter().map(|node| node.op.name()).collect();
    assert_eq!(names, ["conv", "global average pool", "flatten"]);
    assert_eq!(network.value(network.outputs[0]).shape, [2, 5]);
    // Softmax along another axis is part of the network.
    let mut network = NetworkBuilder::new("attention", [2, 3]);
    let x = network.input();
    let x = network.softmax_along(x, 0).unwrap();
    let network = network.finish(x).unwrap();
    assert_eq!(passes::logits(&network).unwrap().nodes.len(), 1);
}

/// Sigmoids are left out as well, one activation alone, and it is known which.
#[test]
fn an_activation_at_the_end_is_left_out_once() {
    use OutputActivation::{Sigmoid, Softmax};
    type Ends = [fn(&mut NetworkBuilder, ValueId) -> ValueId];
    let sigmoid = |network: &mut NetworkBuilder, x| network.sigmoid(x).unwrap();
    let softmax = |network: &mut NetworkBuilder, x| network.softmax_along(x, 1).unwrap();
    let flat = |network: &mut NetworkBuilder, x| network.flatten(x).unwrap();
    let relu = |network: &mut NetworkBuilder, x| network.relu(x).unwrap();
    let cases: [(usize, &Ends, _, &[&str]); 8] = [
        (4, &[], Softmax, &["linear"]),
        (1, &[], Sigmoid, &["linear"]),
        (4, &[sigmoid], Sigmoid, &["linear"]),
        (1, &[softmax], Softmax, &["linear"]),
        (4, &[sigmoid, flat], Sigmoid, &["linear"]),
        (4, &[sigmoid, softmax], Softmax, &["linear", "sigmoid"]),
        (4, &[softmax, sigmoid], Sigmoid, &["linear", "softmax"]),
        (4, &[sigmoid, relu], Softmax, &["linear", "sigmoid", "relu"]),
    ];
    for (classes, ends, activation, kept) in cases {
        let mut network = NetworkBuilder::new("ends", [2, 3]);
        let x = network.input();
        let x = network.linear("fc", x, classes).unwrap();
        let x = ends.iter().fold(x, |x, end| end(&mut network, x));
        let network = network.finish(x).unwrap();
        assert_eq!(OutputActivation::of(&network), activation, "{kept:?}");
        let logits = passes::logits(&network).unwrap();
        let names: Vec<_> = logits.nodes.iter().map(|node| node.op.name()).collect();
        assert_eq!(names, kept);
    }
}

/// From the logits back to the weights: through pools, activations, shapes, and biases that are added.
#[test]
fn another_number_of_classes_changes_the_last_weights_and_what_follows_them() {
    let mut network = NetworkBuilder::new("convolutions alone", [2, 3, 6, 6]);
    let x = network.input();
    let x = network.conv("body", x, ConvDesc::new(4, 3), true).unwrap();
    let x = network
        .conv("classes", x, ConvDesc::new(5, 1), true)
        .unwrap();
    let x = network.relu(x).unwrap();
    let x = network.global_average_pool(x).unwrap();
    let logits = network.flatten(x).unwrap();
    let network = network.finish(logits).unwrap();
    let wide = passes::with_classes(&network, 9).unwrap();
    let shapes = |graph: &Graph| -> Vec<Vec<usize>> {
        graph
            .parameters()
            .map(|(_, value)| value.shape.clone())
            .collect()
    };
    assert_eq!(shapes(&wide)[..2], shapes(&network)[..2]);
    assert_eq!(shapes(&wide)[2..], [vec![9, 4, 1, 1], vec![9]]);
    assert_eq!(wide.value(wide.outputs[0]).shape, [2, 9]);
    assert_eq!(passes::with_classes(&wide, 5).unwrap().nodes, network.nodes);
    assert_eq!(passes::with_classes(&network, 5).unwrap(), network);
}

#[test]
fn classes_that_cannot_be_followed_to_weights_of_their_own_are_refused() {
    let mut network = NetworkBuilder::new("tied", [2, 5]);
    let x = network.input();
    let x = network.linear("fc", x, 5).unwrap();
    let x = network
        .reusing(|network| network.linear("fc", x, 5))
        .unwrap();
    let network = network.finish(x).unwrap();
    let error = passes::with_classes(&network, 6).unwrap_err().to_string();
    assert_eq!(
        error,
        "'tied' cannot be made for other classes: no linear layer or convolution was found behind \
         'fc.weight' (a value that is given)"
    );
    let network = NetworkBuilder::new("none", [2, 5]);
    let x = network.input();
    let network = network.finish(x).unwrap();
    assert!(passes::with_classes(&network, 6).is_err());
}
