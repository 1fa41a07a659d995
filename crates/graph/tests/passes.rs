//! What the training, inference and dead-code passes make of patterns of layers.

use geometry::{ConvDesc, PoolDesc};
use graph::passes::{TrainingOptions, inference, remove_dead, training};
use graph::{Activation, BinaryOp, Graph, GraphError, NetworkBuilder, Node, Op, ValueId};

const RELU: Option<Activation> = Some(Activation::Relu);

fn network(body: impl FnOnce(&mut NetworkBuilder, ValueId) -> ValueId) -> Graph {
    let mut network = NetworkBuilder::new("pattern", [2, 4, 8, 8]);
    let x = network.input();
    let y = body(&mut network, x);
    network.finish(y).unwrap()
}

/// The body, then mean, flatten and a linear layer, as a training step.
fn step(body: impl FnOnce(&mut NetworkBuilder, ValueId) -> ValueId) -> Graph {
    let network = network(|network, x| {
        let y = body(network, x);
        let y = network.global_average_pool(y).unwrap();
        let y = network.flatten(y).unwrap();
        network.linear("fc", y, 3).unwrap()
    });
    training(&network, TrainingOptions::default()).unwrap()
}

/// conv 1×1 of four channels, batch norm.
fn conv_norm(network: &mut NetworkBuilder, name: &str, x: ValueId) -> ValueId {
    let y = network
        .conv(&format!("{name}.conv"), x, ConvDesc::new(4, 1), false)
        .unwrap();
    network.batch_norm(&format!("{name}.bn"), y).unwrap()
}

fn layers(graph: &Graph) -> Vec<(&str, &str)> {
    let nodes = graph.nodes.iter();
    nodes.map(|n| (n.layer.as_str(), n.op.name())).collect()
}

fn node<'a>(graph: &'a Graph, layer: &str) -> &'a Node {
    let mut nodes = graph.nodes.iter().filter(|node| node.layer == layer);
    nodes.next().unwrap()
}

fn maker(graph: &Graph, value: ValueId) -> &str {
    let mut nodes = graph.nodes.iter();
    let maker = nodes.find(|node| node.outputs.contains(&value));
    &maker.unwrap().layer
}

fn norm_of(graph: &Graph, layer: &str) -> (bool, Option<Activation>) {
    match node(graph, layer).op {
        Op::BatchNormTraining {
            residual,
            activation,
            ..
        }
        | Op::BatchNormInference {
            residual,
            activation,
            ..
        } => (residual, activation),
        ref other => panic!("{other:?}"),
    }
}

fn conv_of(graph: &Graph, layer: &str) -> (bool, bool, Option<Activation>) {
    let nodes = graph.nodes.iter().filter(|node| node.layer == layer);
    let mut convs = nodes.filter_map(|node| match node.op {
        Op::Conv {
            bias,
            residual,
            activation,
            ..
        } => Some((bias, residual, activation)),
        _ => None,
    });
    convs.next().unwrap()
}

#[test]
fn a_plain_network_becomes_this_training_step() {
    let step = step(|network, x| {
        let y = conv_norm(network, "a", x);
        network.relu(y).unwrap()
    });
    assert_eq!(
        layers(&step),
        [
            ("a.conv", "conv"),
            ("a.bn", "batch norm training"),
            ("global_average_pool", "global average pool"),
            ("flatten", "flatten"),
            ("fc", "linear"),
            ("loss", "cross-entropy"),
            ("loss", "cross-entropy backward"),
            ("fc", "channel sum"),
            ("fc", "linear backward-weights"),
            ("fc", "linear backward-data"),
            ("flatten", "unflatten"),
            ("global_average_pool", "global average pool backward"),
            ("a.bn", "batch norm backward"),
            // No gradient of the images.
            ("a.conv", "conv backward-weights"),
        ]
    );
    assert_eq!(norm_of(&step, "a.bn"), (false, RELU));
    let names = |pairs: &[(ValueId, ValueId)]| -> Vec<(String, String)> {
        let name = |id: &ValueId| step.value(*id).name.clone();
        pairs.iter().map(|(a, b)| (name(a), name(b))).collect()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        names(&step.gradients),
        [
            pair("a.conv.weight", "a.conv.weight.grad"),
            pair("a.bn.weight", "a.bn.weight.grad"),
            pair("a.bn.bias", "a.bn.bias.grad"),
            pair("fc.weight", "fc.weight.grad"),
            pair("fc.bias", "fc.bias.grad"),
        ]
    );
    assert_eq!(
        names(&step.updates),
        [
            pair("a.bn.running_mean", "a.bn.new_running_mean"),
            pair("a.bn.running_var", "a.bn.new_running_var"),
        ]
    );
    let inputs: Vec<_> = step.inputs.iter().map(|&i| &step.value(i).name).collect();
    assert_eq!(inputs, ["images", "labels"]);
}

#[test]
fn the_same_network_infers_so() {
    let run = inference(&network(|network, x| {
        let y = conv_norm(network, "a", x);
        network.relu(y).unwrap()
    }))
    .unwrap();
    assert_eq!(
        layers(&run),
        [("a.bn", "fold batch norm"), ("a.conv", "conv")]
    );
    assert_eq!(conv_of(&run, "a.conv"), (true, false, RELU));
    let fold = &run.nodes[0];
    let names: Vec<_> = fold.inputs.iter().map(|&i| &run.value(i).name).collect();
    assert_eq!(
        names,
        [
            "a.conv.weight",
            "a.bn.weight",
            "a.bn.bias",
            "a.bn.running_mean",
            "a.bn.running_var"
        ]
    );
    assert_eq!(run.nodes[1].inputs[1..], fold.outputs);
}

/// relu(bn(conv(x)) + x), with the addition in either order.
fn identity_block(x_first: bool) -> impl Fn(&mut NetworkBuilder, ValueId) -> ValueId {
    move |network, images| {
        let x = network.relu(images).unwrap();
        let y = conv_norm(network, "a", x);
        let sum = match x_first {
            true => network.add(x, y),
            false => network.add(y, x),
        };
        network.relu(sum.unwrap()).unwrap()
    }
}

#[test]
fn a_residual_is_taken_over_in_either_order() {
    for x_first in [false, true] {
        let step = step(identity_block(x_first));
        assert_eq!(norm_of(&step, "a.bn"), (true, RELU));
        let residual = node(&step, "a.bn").inputs[5];
        assert_eq!(maker(&step, residual), "relu");

        let run = inference(&network(identity_block(x_first))).unwrap();
        assert_eq!(
            layers(&run),
            [
                ("relu", "relu"),
                ("a.bn", "fold batch norm"),
                ("a.conv", "conv")
            ]
        );
        assert_eq!(conv_of(&run, "a.conv"), (true, true, RELU));
        assert_eq!(maker(&run, run.nodes[2].inputs[3]), "relu");
    }
}

/// relu(bn(conv(x)) + bn(conv(x))), with the addition in either order.
fn projection_block(b_first: bool) -> impl Fn(&mut NetworkBuilder, ValueId) -> ValueId {
    move |network, x| {
        let a = conv_norm(network, "a", x);
        let b = conv_norm(network, "b", x);
        let sum = match b_first {
            true => network.add(b, a),
            false => network.add(a, b),
        };
        network.relu(sum.unwrap()).unwrap()
    }
}

#[test]
fn of_two_norms_the_later_takes_the_other_as_its_residual() {
    for b_first in [false, true] {
        let step = step(projection_block(b_first));
        assert_eq!(norm_of(&step, "a.bn"), (false, None));
        assert_eq!(norm_of(&step, "b.bn"), (true, RELU));
        assert_eq!(maker(&step, node(&step, "b.bn").inputs[5]), "a.bn");

        let run = inference(&network(projection_block(b_first))).unwrap();
        assert_eq!(conv_of(&run, "a.conv"), (true, false, None));
        assert_eq!(conv_of(&run, "b.conv"), (true, true, RELU));
        assert_eq!(run.nodes.len(), 4);
    }
}

#[test]
fn the_earlier_norm_takes_the_residual_when_the_later_is_needed_elsewhere() {
    let body = |network: &mut NetworkBuilder, x| {
        let a = conv_norm(network, "a", x);
        let b = conv_norm(network, "b", x);
        let sum = network.add(a, b).unwrap();
        let sum = network.relu(sum).unwrap();
        network.concat(&[sum, b]).unwrap()
    };
    let step = step(body);
    assert_eq!(norm_of(&step, "a.bn"), (true, RELU));
    assert_eq!(norm_of(&step, "b.bn"), (false, None));
    let run = inference(&network(body)).unwrap();
    assert_eq!(conv_of(&run, "a.conv"), (true, true, RELU));
    assert_eq!(conv_of(&run, "b.conv"), (true, false, None));
}

#[test]
fn a_residual_without_activation_is_taken_over_too() {
    // The linear bottleneck of MobileNet v2.
    let body = |network: &mut NetworkBuilder, images| {
        let x = network.relu6(images).unwrap();
        let y = conv_norm(network, "a", x);
        network.add(y, x).unwrap()
    };
    assert_eq!(norm_of(&step(body), "a.bn"), (true, None));
    let run = inference(&network(body)).unwrap();
    assert_eq!(conv_of(&run, "a.conv"), (true, true, None));
}

#[test]
fn what_others_read_is_left_standing() {
    // The norm's own result is read twice: by the relu and by the addition.
    let body = |network: &mut NetworkBuilder, x| {
        let y = conv_norm(network, "a", x);
        let z = network.relu(y).unwrap();
        network.add(y, z).unwrap()
    };
    let step = step(body);
    assert_eq!(norm_of(&step, "a.bn"), (false, None));
    let run = inference(&network(body)).unwrap();
    assert_eq!(conv_of(&run, "a.conv"), (true, false, None));
    assert!(run.nodes.iter().any(|node| node.op == Op::Add));
    // The sum is read twice, so its relu stays outside.
    let body = |network: &mut NetworkBuilder, images| {
        let x = network.relu(images).unwrap();
        let y = conv_norm(network, "a", x);
        let sum = network.add(x, y).unwrap();
        let z = network.relu(sum).unwrap();
        network.concat(&[sum, z]).unwrap()
    };
    let run = inference(&network(body)).unwrap();
    assert_eq!(conv_of(&run, "a.conv"), (true, true, None));
    // Twice the same value.
    let run = inference(&network(|network, x| {
        let y = conv_norm(network, "a", x);
        network.add(y, y).unwrap()
    }))
    .unwrap();
    assert_eq!(conv_of(&run, "a.conv"), (true, false, None));
    // The convolution is read twice: its norm cannot be folded into it.
    let run = inference(&network(|network, x| {
        let y = network.conv("c", x, ConvDesc::new(4, 1), false).unwrap();
        let z = network.batch_norm("bn", y).unwrap();
        network.concat(&[y, z]).unwrap()
    }))
    .unwrap();
    assert_eq!(conv_of(&run, "c"), (false, false, None));
    assert_eq!(norm_of(&run, "bn"), (false, None));
}

#[test]
fn an_output_of_the_network_is_not_fused_away() {
    let mut wanted = network(|network, x| {
        let y = network.conv("c", x, ConvDesc::new(4, 1), true).unwrap();
        network.relu(y).unwrap()
    });
    wanted.outputs.push(wanted.nodes[0].outputs[0]);
    let run = inference(&wanted).unwrap();
    assert_eq!(layers(&run), [("c", "conv"), ("relu", "relu")]);
}

#[test]
fn a_norm_without_a_convolution_keeps_its_epilogue() {
    // Norm and activation before the convolution (He et al. 2016).
    let run = inference(&network(|network, x| {
        let y = network.batch_norm("bn", x).unwrap();
        let y = network.relu(y).unwrap();
        network.conv("c", y, ConvDesc::new(4, 1), false).unwrap()
    }))
    .unwrap();
    assert_eq!(
        layers(&run),
        [("bn", "batch norm inference"), ("c", "conv")]
    );
    assert_eq!(norm_of(&run, "bn"), (false, RELU));
}

#[test]
fn a_convolution_without_a_norm_keeps_its_bias() {
    let run = inference(&network(|network, x| {
        let y = network.conv("c", x, ConvDesc::new(4, 1), true).unwrap();
        let y = network.relu(y).unwrap();
        network.conv("d", y, ConvDesc::new(4, 1), false).unwrap()
    }))
    .unwrap();
    assert_eq!(layers(&run), [("c", "conv"), ("d", "conv")]);
    assert_eq!(conv_of(&run, "c"), (true, false, RELU));
    assert_eq!(conv_of(&run, "d"), (false, false, None));
}

#[test]
fn a_factor_goes_into_the_convolution_before_it() {
    let scaled = |network: &mut NetworkBuilder, x, bias| {
        let y = network.conv("c", x, ConvDesc::new(4, 1), bias).unwrap();
        network.scale(y, 0.17).unwrap()
    };
    let run = inference(&network(|network, x| {
        let y = scaled(network, x, true);
        let y = network.add(y, x).unwrap();
        network.relu(y).unwrap()
    }))
    .unwrap();
    // Weight and bias are multiplied, and the residual and its activation follow the convolution itself.
    let each = [("c", "fill"), ("c", "multiplication")];
    assert_eq!(
        layers(&run),
        [&each[..], &each[..], &[("c", "conv")]].concat()
    );
    assert_eq!(conv_of(&run, "c"), (true, true, RELU));
    assert_eq!(inference(&run).unwrap(), run);

    let run = inference(&network(|network, x| scaled(network, x, false))).unwrap();
    assert_eq!(layers(&run), [&each[..], &[("c", "conv")]].concat());

    // What others read as it is stays as it is.
    let run = inference(&network(|network, x| {
        let y = network.conv("c", x, ConvDesc::new(4, 1), true).unwrap();
        let scaled = network.scale(y, 0.17).unwrap();
        network.add(y, scaled).unwrap()
    }))
    .unwrap();
    assert_eq!(conv_of(&run, "c"), (true, false, None));
    // A number a channel is no factor of the whole.
    let run = inference(&network(|network, x| {
        let y = network.conv("c", x, ConvDesc::new(4, 1), true).unwrap();
        let means = network.global_average_pool(x).unwrap();
        network.binary(BinaryOp::Mul, y, means).unwrap()
    }))
    .unwrap();
    assert!(layers(&run).contains(&("mul", "multiplication")));
}

#[test]
fn inference_leaves_dropout_out_and_sees_through_it() {
    let run = inference(&network(|network, x| {
        let y = network.conv("c", x, ConvDesc::new(4, 1), true).unwrap();
        let y = network.dropout(y, 0.5).unwrap();
        let y = network.dropout(y, 0.5).unwrap();
        let y = network.relu(y).unwrap();
        network.dropout(y, 0.5).unwrap()
    }))
    .unwrap();
    assert_eq!(layers(&run), [("c", "conv")]);
    assert_eq!(conv_of(&run, "c"), (true, false, RELU));
    assert_eq!(run.outputs, run.nodes[0].outputs);
}

#[test]
fn inference_is_done_once() {
    let once = inference(&network(projection_block(false))).unwrap();
    assert_eq!(inference(&once).unwrap(), once);
}

#[test]
fn max_pools_remember_their_maxima_in_training_only() {
    let body = |network: &mut NetworkBuilder, x| {
        let y = network.conv("c", x, ConvDesc::new(4, 1), true).unwrap();
        let y = network.max_pool("max", y, PoolDesc::max(2)).unwrap();
        network
            .average_pool("mean", y, PoolDesc::average(2))
            .unwrap()
    };
    let remembers = |graph: &Graph, layer: &str| match node(graph, layer).op {
        Op::Pool { indices, .. } => indices,
        ref other => panic!("{other:?}"),
    };
    let step = step(body);
    assert!(remembers(&step, "max") && !remembers(&step, "mean"));
    assert!(!remembers(&inference(&network(body)).unwrap(), "max"));
    let indices = node(&step, "max").outputs[1];
    let back = step
        .nodes
        .iter()
        .find(|node| node.layer == "max" && matches!(node.op, Op::PoolBackward { .. }));
    assert_eq!(back.unwrap().inputs[1], indices);
}

#[test]
fn label_smoothing_reaches_loss_and_gradient() {
    let network = network(|network, x| {
        let y = network.flatten(x).unwrap();
        network.linear("fc", y, 3).unwrap()
    });
    let label_smoothing = 0.1;
    let step = training(
        &network,
        TrainingOptions {
            label_smoothing,
            ..TrainingOptions::default()
        },
    )
    .unwrap();
    let count = |op: &Op| step.nodes.iter().filter(|node| node.op == *op).count();
    assert_eq!(count(&Op::CrossEntropy { label_smoothing }), 1);
    let backward = Op::CrossEntropyBackward {
        label_smoothing,
        upstream: false,
    };
    assert_eq!(count(&backward), 1);
    let wrong = TrainingOptions {
        label_smoothing: 2.0,
        ..TrainingOptions::default()
    };
    let error = training(&network, wrong).unwrap_err().to_string();
    assert!(error.contains("label smoothing is 2"), "{error}");
}

#[test]
fn only_a_network_of_one_input_and_one_output_of_logits_is_trained() {
    let maps = network(|network, x| network.relu(x).unwrap());
    let error = training(&maps, TrainingOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer loss: cross-entropy logits has shape [2, 4, 8, 8], which is not [n, k]"
    );
    let mut two = maps.clone();
    two.outputs.push(two.outputs[0]);
    let error = training(&two, TrainingOptions::default()).unwrap_err();
    assert!(matches!(error, GraphError::NotANetwork { outputs: 2, .. }));
}

#[test]
fn dead_layers_go_with_their_parameters() {
    let whole = network(|network, x| {
        let dead = conv_norm(network, "dead", x);
        network.relu(dead).unwrap();
        network.conv("c", x, ConvDesc::new(4, 1), true).unwrap()
    });
    let clean = remove_dead(&whole);
    clean.verify().unwrap();
    assert_eq!(layers(&clean), [("c", "conv")]);
    let names: Vec<_> = clean.values().iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["images", "c.weight", "c.bias", "c"]);
    assert_eq!(remove_dead(&clean), clean);
}

#[test]
fn inputs_outlive_their_readers() {
    let mut none = network(|network, x| network.relu(x).unwrap());
    none.outputs.clear();
    let clean = remove_dead(&none);
    assert_eq!(clean.values().len(), 1);
    assert_eq!(clean.inputs.len(), 1);
    assert!(clean.nodes.is_empty());
}
