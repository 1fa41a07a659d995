//! The table of gradients, entry by entry, and how contributions meet.

use geometry::{ConvDesc, PoolDesc};
use graph::passes::{TrainingOptions, training};
use graph::{
    Activation, ElementType, Graph, GraphError, NetworkBuilder, Op, Role, Value, ValueId, backward,
    pullback,
};

/// conv `first` → body → flatten → linear, as a training step.
fn step(body: impl FnOnce(&mut NetworkBuilder, ValueId) -> ValueId) -> Graph {
    let mut network = NetworkBuilder::new("table", [2, 3, 8, 8]);
    let x = network.input();
    let x = network
        .conv("first", x, ConvDesc::new(4, 1), false)
        .unwrap();
    let y = body(&mut network, x);
    let y = network.flatten(y).unwrap();
    let logits = network.linear("fc", y, 3).unwrap();
    let network = network.finish(logits).unwrap();
    training(&network, TrainingOptions::default()).unwrap()
}

/// The operators between the gradient of the flattened map and that of the first convolution.
fn between(step: &Graph) -> Vec<&'static str> {
    let names: Vec<_> = step.nodes.iter().map(|node| node.op.name()).collect();
    let flat = names.iter().position(|&name| name == "unflatten").unwrap();
    assert_eq!(names.last(), Some(&"conv backward-weights"));
    names[flat + 1..names.len() - 1].to_vec()
}

#[test]
fn each_operator_has_its_gradient() {
    type Body = fn(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>;
    let table: [(Body, &[&str]); 9] = [
        (
            |n, x| n.conv("c", x, ConvDesc::new(4, 3), true),
            &["channel sum", "conv backward-weights", "conv backward-data"],
        ),
        (
            |n, x| n.conv("c", x, ConvDesc::new(4, 3), false),
            &["conv backward-weights", "conv backward-data"],
        ),
        (
            |n, x| n.max_pool("p", x, PoolDesc::max(2)),
            &["pool backward"],
        ),
        (
            |n, x| n.average_pool("p", x, PoolDesc::average(2)),
            &["pool backward"],
        ),
        (
            |n, x| n.global_average_pool(x),
            &["global average pool backward"],
        ),
        (|n, x| n.batch_norm("bn", x), &["batch norm backward"]),
        (|n, x| n.relu6(x), &["activation backward"]),
        (|n, x| n.dropout(x, 0.5), &["dropout"]),
        (
            |n, x| n.concat(&[x, x]),
            &["channel slice", "channel slice", "add"],
        ),
    ];
    for (body, expected) in table {
        let step = step(|network, x| body(network, x).unwrap());
        assert_eq!(between(&step), expected);
    }
}

#[test]
fn dropout_draws_the_same_mask_backwards() {
    let step = step(|network, x| network.dropout(x, 0.25).unwrap());
    let drops: Vec<_> = step
        .nodes
        .iter()
        .filter(|node| matches!(node.op, Op::Dropout { .. }))
        .collect();
    assert_eq!(drops.len(), 2);
    assert_eq!(drops[0].op, drops[1].op);
}

#[test]
fn concat_gives_each_input_its_channels() {
    let step = step(|network, x| {
        let a = network.conv("a", x, ConvDesc::new(2, 1), false).unwrap();
        let b = network.conv("b", x, ConvDesc::new(5, 1), false).unwrap();
        network.concat(&[a, b]).unwrap()
    });
    let slices: Vec<_> = step
        .nodes
        .iter()
        .filter(|node| matches!(node.op, Op::ChannelSlice { .. }))
        .map(|node| {
            let gradient = step.value(node.outputs[0]);
            (node.op.clone(), gradient.name.as_str(), gradient.shape[1])
        })
        .collect();
    let slice = |start, count| Op::ChannelSlice { start, count };
    assert_eq!(
        slices,
        [(slice(0, 2), "a.grad", 2), (slice(2, 5), "b.grad", 5)]
    );
}

#[test]
fn contributions_are_added_last_reader_first() {
    // x is read by a, b and c, in this order.
    let step = step(|network, x| {
        let a = network.conv("a", x, ConvDesc::new(4, 1), false).unwrap();
        let b = network.conv("b", x, ConvDesc::new(4, 1), false).unwrap();
        let c = network.conv("c", x, ConvDesc::new(4, 1), false).unwrap();
        network.concat(&[a, b, c]).unwrap()
    });
    let order: Vec<_> = step
        .nodes
        .iter()
        .filter(|node| matches!(node.op, Op::ConvBackwardData { .. }) || node.op == Op::Add)
        .map(|node| (node.layer.as_str(), node.op.name()))
        .collect();
    assert_eq!(
        order,
        [
            ("c", "conv backward-data"),
            ("b", "conv backward-data"),
            ("b", "add"),
            ("a", "conv backward-data"),
            ("a", "add"),
        ]
    );
    let adds: Vec<_> = step.nodes.iter().filter(|n| n.op == Op::Add).collect();
    assert_eq!(adds[1].inputs[0], adds[0].outputs[0]);
}

#[test]
fn an_addition_passes_its_gradient_to_both_sides() {
    let step = step(|network, x| {
        let y = network.relu(x).unwrap();
        network.add(y, x).unwrap()
    });
    assert_eq!(between(&step), ["activation backward", "add"]);
    let nodes: Vec<_> = step.nodes.iter().rev().collect();
    let (add, slope) = (nodes[1], nodes[2]);
    assert_eq!(add.inputs, [slope.inputs[0], slope.outputs[0]]);
}

#[test]
fn a_fused_residual_gets_the_gradient_behind_the_activation() {
    let step = step(|network, x| {
        let x = network.relu(x).unwrap();
        let y = network.batch_norm("bn", x).unwrap();
        let y = network.add(y, x).unwrap();
        network.relu(y).unwrap()
    });
    assert_eq!(
        between(&step),
        ["batch norm backward", "add", "activation backward"]
    );
    let back = step
        .nodes
        .iter()
        .find(|node| matches!(node.op, Op::BatchNormBackward { .. }))
        .unwrap();
    let names: Vec<_> = back
        .outputs
        .iter()
        .map(|&id| step.value(id).name.as_str())
        .collect();
    assert_eq!(
        names,
        ["relu.grad", "bn.weight.grad", "bn.bias.grad", "relu.grad"]
    );
    let forward = step.nodes.iter().find(|node| node.layer == "bn").unwrap();
    // dy, x, gamma, mean, inv_std, y.
    assert_eq!(back.inputs[1..3], forward.inputs[..2]);
    assert_eq!(back.inputs[3..5], forward.outputs[1..3]);
    assert_eq!(back.inputs[5], forward.outputs[0]);
}

#[test]
fn a_fused_convolution_is_differentiated_through_its_activation() {
    let mut network = NetworkBuilder::new("fused", [2, 3, 8, 8]);
    let x = network.input();
    let x = network.conv("a", x, ConvDesc::new(4, 1), false).unwrap();
    let y = network.conv("b", x, ConvDesc::new(4, 1), true).unwrap();
    let y = network.flatten(y).unwrap();
    let logits = network.linear("fc", y, 3).unwrap();
    let mut network = network.finish(logits).unwrap();
    let Op::Conv {
        residual,
        activation,
        ..
    } = &mut network.nodes[1].op
    else {
        panic!("b is a convolution");
    };
    (*residual, *activation) = (true, Some(Activation::Relu));
    network.nodes[1].inputs.push(x);
    let step = training(&network, TrainingOptions::default()).unwrap();
    assert_eq!(
        between(&step),
        [
            "activation backward",
            "channel sum",
            "conv backward-weights",
            "conv backward-data",
            "add",
        ]
    );
}

#[test]
fn what_the_loss_does_not_see_has_no_gradient() {
    let step = step(|network, x| {
        network.conv("aside", x, ConvDesc::new(9, 1), true).unwrap();
        x
    });
    let names: Vec<_> = step
        .gradients
        .iter()
        .map(|&(parameter, _)| step.value(parameter).name.as_str())
        .collect();
    assert_eq!(names, ["first.weight", "fc.weight", "fc.bias"]);
}

#[test]
fn a_shared_weight_sums_its_gradients() {
    let mut network = NetworkBuilder::new("shared", [2, 4, 8, 8]);
    let x = network.input();
    let x = network.conv("a", x, ConvDesc::new(4, 1), false).unwrap();
    let x = network.conv("b", x, ConvDesc::new(4, 1), false).unwrap();
    let y = network.flatten(x).unwrap();
    let logits = network.linear("fc", y, 3).unwrap();
    let mut network = network.finish(logits).unwrap();
    network.nodes[1].inputs[1] = network.nodes[0].inputs[1];
    let step = training(&network, TrainingOptions::default()).unwrap();
    let (parameter, gradient) = step.gradients[0];
    assert_eq!(step.value(parameter).name, "a.weight");
    let last = step.nodes.last().unwrap();
    assert_eq!((&last.op, &last.outputs[..]), (&Op::Add, &[gradient][..]));
    assert!(step.parameters().all(|(_, value)| value.name != "b.weight"));
}

#[test]
fn only_a_loss_has_gradients() {
    let mut network = NetworkBuilder::new("logits", [2, 3, 8, 8]);
    let x = network.input();
    let y = network.flatten(x).unwrap();
    let logits = network.linear("fc", y, 3).unwrap();
    let network = network.finish(logits).unwrap();
    assert_eq!(
        backward(&network, logits),
        Err(GraphError::NotALoss {
            value: "fc".to_owned(),
            shape: vec![2, 3]
        })
    );
}

#[test]
fn operators_without_a_gradient_say_so() {
    let mut network = NetworkBuilder::new("softmax", [2, 3, 8, 8]);
    let x = network.input();
    let y = network.flatten(x).unwrap();
    let y = network.linear("fc", y, 3).unwrap();
    let y = network.softmax(y).unwrap();
    let network = network.finish(y).unwrap();
    let error = training(&network, TrainingOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "layer softmax: softmax has no gradient");
}

#[test]
fn layers_that_are_not_ready_for_training_say_so() {
    type Body = fn(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>;
    let cases: [(Body, &str); 2] = [
        (
            |n, x| n.batch_norm("here", x),
            "layer here: batch norm has no gradient before",
        ),
        (
            |n, x| n.max_pool("here", x, PoolDesc::max(2)),
            "layer here: pool has no gradient without its indices",
        ),
    ];
    for (body, expected) in cases {
        let mut network = NetworkBuilder::new("raw", [2, 3, 8, 8]);
        let x = network.input();
        let x = network
            .conv("first", x, ConvDesc::new(4, 1), false)
            .unwrap();
        let y = body(&mut network, x).unwrap();
        let y = network.flatten(y).unwrap();
        let logits = network.linear("fc", y, 3).unwrap();
        let mut graph = network.finish(logits).unwrap();
        let labels = graph.add_value(Value {
            name: "labels".to_owned(),
            shape: vec![2],
            element: ElementType::Index,
            role: Role::Input,
        });
        graph.inputs.push(labels);
        let loss = Op::CrossEntropy {
            label_smoothing: 0.0,
        };
        let loss = graph.append(loss, "loss", vec![logits, labels]).unwrap()[0];
        let error = backward(&graph, loss).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

/// As the loss of a training step its slope is one; carried back from elsewhere it is multiplied.
#[test]
fn a_cross_entropy_multiplies_the_gradient_that_reaches_it() {
    let mut graph = Graph::new("loss");
    let [logits, labels] = [
        (ElementType::Real, vec![2, 3]),
        (ElementType::Index, vec![2]),
    ]
    .map(|(element, shape)| {
        let value = Value {
            name: format!("{element:?}"),
            shape,
            element,
            role: Role::Input,
        };
        graph.add_value(value)
    });
    graph.inputs = vec![logits, labels];
    let label_smoothing = 0.1;
    let op = Op::CrossEntropy { label_smoothing };
    let loss = graph.append(op, "loss", vec![logits, labels]).unwrap()[0];
    let grown = pullback(&graph, loss, &[logits]).unwrap();
    let backward = grown.nodes.last().unwrap();
    let expected = Op::CrossEntropyBackward {
        label_smoothing,
        upstream: true,
    };
    assert_eq!(backward.op, expected);
    assert_eq!(backward.inputs, [logits, labels, grown.inputs[2]]);
    assert_eq!(grown.outputs, backward.outputs);
}
