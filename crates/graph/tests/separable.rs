//! The separable layer: its parameters, its order, what it shares and what it refuses.

use geometry::{GeometryError, Padding};
use graph::passes::{TrainingOptions, training};
use graph::{
    Activation, BatchNormOptions, Graph, GraphError, Init, NetworkBuilder, Normaliser, Op, OpError,
    ParameterKind, Regulariser, Role, Separable, ValueId,
};
use tensor::{Layout, Unary};

/// A network on `[2, 4, 9, 7]` that is `body` of its images.
fn built(
    body: impl FnOnce(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>,
) -> Result<Graph, GraphError> {
    let mut network = NetworkBuilder::new("separable", [2, 4, 9, 7]);
    let x = network.input();
    let y = body(&mut network, x)?;
    network.finish(y)
}

fn one(layer: &Separable) -> Graph {
    built(|network, x| network.separable("sep", x, layer)).unwrap()
}

fn refusal(layer: &Separable) -> OpError {
    match built(|network, x| network.separable("sep", x, layer)) {
        Err(GraphError::Layer { source, .. }) => *source,
        other => panic!("{other:?}"),
    }
}

/// Name, shape and role of every parameter.
fn parameters(network: &Graph) -> Vec<(&str, &[usize], Role)> {
    let parameters = network.parameters();
    parameters
        .map(|(_, p)| (&*p.name, &*p.shape, p.role))
        .collect()
}

fn operators(network: &Graph) -> Vec<(&str, &str)> {
    let nodes = network.nodes.iter();
    nodes.map(|node| (&*node.layer, node.op.name())).collect()
}

/// With two filters a channel, 4 channels and 6 taps: fans of 24 and 12, as TensorFlow counts them on
/// `[3, 2, 4, 2]`.
#[test]
fn by_default_it_is_the_layer_of_slim() {
    let network = one(&Separable::new(Some(5), [3, 2])
        .depth_multiplier(2)
        .stride(2));
    let xavier = Init::XavierUniformFans {
        fan_in: 24,
        fan_out: 12,
    };
    let weight = |init| Role::parameter(ParameterKind::Weight, init);
    let bias = Role::parameter(ParameterKind::Bias, Init::Constant(0.0));
    assert_eq!(
        parameters(&network),
        [
            ("sep.conv_dw.weight", &[8, 1, 3, 2][..], weight(xavier)),
            (
                "sep.conv_pw.weight",
                &[5, 8, 1, 1],
                weight(Init::XavierUniform)
            ),
            ("sep.conv_pw.bias", &[5], bias),
        ]
    );
    assert_eq!(
        operators(&network),
        [
            ("sep.conv_dw", "conv"),
            ("sep.conv_pw", "conv"),
            ("sep.relu", "relu")
        ]
    );
    // SAME: an odd row goes behind.
    assert_eq!(network.value(network.outputs[0]).shape, [2, 5, 5, 4]);
    let Op::Conv { desc, bias, .. } = &network.nodes[0].op else {
        panic!("{:?}", network.nodes[0].op);
    };
    assert_eq!(
        (desc.groups, &desc.padding, *bias),
        (4, &Padding::Same, false)
    );
}

#[test]
fn without_outputs_the_filters_are_all() {
    let layer = Separable::new(None, 3)
        .depth_multiplier(3)
        .rate(2)
        .padding(Padding::Valid)
        .bias_initialiser(Some(Init::Constant(0.5)))
        .activation(None);
    let network = one(&layer);
    let names: Vec<_> = parameters(&network).iter().map(|p| (p.0, p.1)).collect();
    assert_eq!(
        names,
        [
            ("sep.conv_dw.weight", &[12, 1, 3, 3][..]),
            ("sep.conv_dw.bias", &[12])
        ]
    );
    assert_eq!(operators(&network), [("sep.conv_dw", "conv")]);
    assert_eq!(network.value(network.outputs[0]).shape, [2, 12, 5, 3]);
    let bias = Role::parameter(ParameterKind::Bias, Init::Constant(0.5));
    assert_eq!(parameters(&network)[1].2, bias);
}

#[test]
fn the_norm_takes_the_place_of_the_bias_and_the_activation_comes_last() {
    let batch = Normaliser::Batch(BatchNormOptions::default());
    let cases = [
        (batch, vec![("sep.bn", "batch norm")], 2),
        (
            Normaliser::Group { groups: 3 },
            vec![("sep.norm", "group norm")],
            2,
        ),
        (
            Normaliser::Instance,
            vec![("sep.instance_norm", "group norm")],
            0,
        ),
        (Normaliser::Channel, vec![("sep.norm", "channel norm")], 2),
    ];
    for (normaliser, norm, more) in cases {
        let layer = Separable::new(Some(6), 3)
            .normaliser(Some(normaliser))
            .bias_initialiser(Some(Init::Constant(1.0)))
            .activation(Some(Unary::Gelu));
        let network = one(&layer);
        let convs = [("sep.conv_dw", "conv"), ("sep.conv_pw", "conv")];
        let want = [&convs[..], &norm, &[("sep.gelu", "gelu")]].concat();
        assert_eq!(operators(&network), want);
        assert_eq!(network.parameters().count(), 2 + more, "{normaliser:?}");
        assert!(
            parameters(&network)
                .iter()
                .all(|p| p.0 != "sep.conv_pw.bias")
        );
    }
    let bare = one(&Separable::new(Some(6), 3).bias_initialiser(None));
    assert_eq!(bare.parameters().count(), 2);
    let relu6 = one(&Separable::new(Some(6), 3).activation(Some(Unary::RELU6)));
    let last = &relu6.nodes.last().unwrap().op;
    assert_eq!(last, &Op::Activation(Activation::Relu6));
}

#[test]
fn initialisers_and_regularisers_are_those_of_their_parameters() {
    let layer = Separable::new(Some(6), 3)
        .depthwise_initialiser(Init::KaimingNormalFanOut)
        .depthwise_regulariser(Regulariser::l1(1.0))
        .pointwise_regulariser(Regulariser::l2(2.0))
        .bias_regulariser(Regulariser::l1(3.0));
    let regularisers = |network: &Graph| {
        let roles = parameters(network).into_iter().map(|p| p.2);
        let regularisers = roles.map(|role| match role {
            Role::Parameter {
                init, regulariser, ..
            } => (init, regulariser),
            other => panic!("{other:?}"),
        });
        regularisers.collect::<Vec<_>>()
    };
    let kaiming = Init::KaimingNormalFanOut;
    let zero = Init::Constant(0.0);
    assert_eq!(
        regularisers(&one(&layer)),
        [
            (kaiming, Some(Regulariser::l1(1.0))),
            (kaiming, Some(Regulariser::l2(2.0))),
            (zero, Some(Regulariser::l1(3.0))),
        ]
    );
    let layer = Separable::new(Some(6), 3)
        .depthwise_initialiser(kaiming)
        .pointwise_initialiser(Init::Constant(0.25))
        .weights_regulariser(Regulariser::l2(0.5));
    assert_eq!(
        regularisers(&one(&layer)),
        [
            (kaiming, Some(Regulariser::l2(0.5))),
            (Init::Constant(0.25), Some(Regulariser::l2(0.5))),
            (zero, None),
        ]
    );
}

#[test]
fn channels_last_is_permuted_at_both_ends() {
    let layer = Separable::new(Some(5), 3)
        .padding(Padding::Valid)
        .data_format("NHWC".parse().unwrap());
    let network = one(&layer);
    // 7 channels of 4 × 9.
    assert_eq!(network.value(network.outputs[0]).shape, [2, 2, 7, 5]);
    assert_eq!(parameters(&network)[0].1, [7, 1, 3, 3]);
    let operators = operators(&network);
    assert_eq!(operators[0], ("sep.permute", "permute"));
    assert_eq!(operators[4], ("sep.permute_1", "permute"));
    let error = "NCWH".parse::<Layout>().unwrap_err();
    assert_eq!(error, "layout 'NCWH' is neither nchw nor nhwc");
}

#[test]
fn settings_that_do_not_go_together_are_refused_with_their_numbers() {
    let input = vec![2, 4, 9, 7];
    let op = "separable conv";
    let geometry = |source| OpError::Geometry {
        op,
        input: input.clone(),
        source,
    };
    let layer = || Separable::new(Some(5), 3);
    assert_eq!(
        refusal(&layer().depth_multiplier(0)),
        geometry(GeometryError::Zero {
            what: "depth multiplier"
        })
    );
    assert_eq!(
        refusal(&Separable::new(Some(0), 3)),
        geometry(GeometryError::Zero {
            what: "output channels"
        })
    );
    assert_eq!(
        refusal(&layer().rate([1, 2]).stride([1, 3])),
        geometry(GeometryError::DilatedStride {
            axis: 1,
            stride: 3,
            dilation: 2
        })
    );
    for (regulariser, setting, shown) in [
        (Regulariser::l1(-1.0), "l1", -1.0),
        (Regulariser::l2(f32::INFINITY), "l2", f32::INFINITY),
    ] {
        let expected = OpError::Setting {
            op: "regulariser",
            setting,
            value: shown,
            range: "0 ≤ weight < ∞",
        };
        assert_eq!(
            refusal(&layer().depthwise_regulariser(regulariser)),
            expected
        );
        assert_eq!(
            refusal(&layer().pointwise_regulariser(regulariser)),
            expected
        );
        assert_eq!(refusal(&layer().bias_regulariser(regulariser)), expected);
    }
    let nan = refusal(&layer().weights_regulariser(Regulariser::l2(f32::NAN)));
    assert!(nan.to_string().contains("NaN"), "{nan}");
    for data_format in Layout::ALL {
        for shape in [vec![], vec![2], vec![2, 4]] {
            let mut network = NetworkBuilder::new("flat", shape.clone());
            let x = network.input();
            let layer = layer().data_format(data_format);
            let error = network.separable("sep", x, &layer).unwrap_err();
            assert!(error.to_string().contains(&format!("{shape:?}")), "{error}");
        }
    }
    // Groups of a norm are the norm's to refuse.
    let groups = Normaliser::Group { groups: 2 };
    let error = built(|n, x| n.separable("sep", x, &layer().normaliser(Some(groups))));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("layer sep.norm: ")
    );
}

#[test]
fn a_name_stands_for_one_layer_unless_it_is_reused() {
    let layer = Separable::new(Some(4), 3);
    let twice = |second: &Separable| {
        built(|network, x| {
            let x = network.separable("sep", x, &layer)?;
            network.separable("sep", x, second)
        })
    };
    let shared = twice(&layer.clone().reuse(true)).unwrap();
    assert_eq!(shared.parameters().count(), 3);
    assert_eq!(shared.nodes[0].inputs[1], shared.nodes[3].inputs[1]);
    assert_eq!(shared.nodes[1].inputs[1..], shared.nodes[4].inputs[1..]);

    let error = twice(&layer).unwrap_err();
    let name = "sep".to_owned();
    assert_eq!(error, GraphError::DuplicateName { name });

    let error = built(|n, x| n.separable("other", x, &layer.clone().reuse(true))).unwrap_err();
    let name = "other".to_owned();
    assert_eq!(error, GraphError::NothingToReuse { name });
    assert_eq!(error.to_string(), "there is no 'other' to reuse");

    let error = twice(&Separable::new(Some(6), 3).reuse(true)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "'sep.conv_pw.weight' has shape [4, 4, 1, 1] and cannot be reused where [6, 4, 1, 1] is needed"
    );
    let batch = Normaliser::Batch(BatchNormOptions::default());
    let error = twice(&layer.clone().normaliser(Some(batch)).reuse(true)).unwrap_err();
    let name = "sep.bn".to_owned();
    assert_eq!(error, GraphError::NothingToReuse { name });

    // Another scope, another layer.
    let scoped = built(|network, x| {
        let x = network.separable("sep", x, &layer)?;
        network.scope("branch", |network| network.separable("sep", x, &layer))
    });
    assert_eq!(scoped.unwrap().parameters().count(), 6);
}

/// A classifier that ends in a linear layer.
fn classifier(
    body: impl FnOnce(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>,
) -> Graph {
    built(|network, x| {
        let y = body(network, x)?;
        let y = network.global_average_pool(y)?;
        let y = network.flatten(y)?;
        network.linear("fc", y, 3)
    })
    .unwrap()
}

#[test]
fn frozen_parameters_have_no_gradients_and_stay_where_they_are() {
    let batch = Normaliser::Batch(BatchNormOptions::default());
    let frozen = Separable::new(Some(4), 3)
        .normaliser(Some(batch))
        .trainable(false);
    let network = classifier(|network, x| {
        let x = network.separable("sep1", x, &frozen)?;
        network.separable("sep2", x, &Separable::new(Some(4), 3))
    });
    let step = training(&network, TrainingOptions::default()).unwrap();
    let learn = step.gradients.iter().map(|(p, _)| &*step.value(*p).name);
    let learn: Vec<_> = learn.collect();
    assert_eq!(
        learn,
        [
            "sep2.conv_dw.weight",
            "sep2.conv_pw.weight",
            "sep2.conv_pw.bias",
            "fc.weight",
            "fc.bias"
        ]
    );
    // Nothing is differentiated below the first layer that learns.
    let backward = |node: &&graph::Node| node.op.name().contains("backward");
    let layers = step.nodes.iter().filter(backward);
    assert!(
        layers
            .into_iter()
            .all(|node| !node.layer.starts_with("sep1"))
    );
    assert_eq!(step.parameters().count(), network.parameters().count());
    assert_eq!(step.updates.len(), 2);

    let mut wrong = step.clone();
    let (stays, _) = wrong.parameters().next().unwrap();
    wrong.gradients[0].0 = stays;
    let error = wrong.verify().unwrap_err().to_string();
    assert!(error.contains("is not a parameter that learns"), "{error}");
}

/// Every use moves the statistics that the one before left, in the order in which they are computed: the
/// first one here takes the addition over and is computed last.
#[test]
fn a_shared_batch_norm_moves_its_statistics_at_every_use() {
    let batch = Normaliser::Batch(BatchNormOptions::default());
    let layer = Separable::new(Some(4), 3)
        .normaliser(Some(batch))
        .activation(None);
    let network = classifier(|network, x| {
        let again = layer.clone().reuse(true);
        let a = network.separable("sep", x, &layer)?;
        let b = network.separable("sep", x, &again)?;
        let c = network.separable("sep", b, &again)?;
        let c = network.unary(c, Unary::Tanh)?;
        network.add(a, c)
    });
    let step = training(&network, TrainingOptions::default()).unwrap();
    let norms: Vec<_> = step
        .nodes
        .iter()
        .filter(|node| matches!(node.op, Op::BatchNormTraining { .. }))
        .collect();
    let adds = |node: &&graph::Node| node.inputs.len() == 6;
    assert_eq!(norms.iter().position(adds), Some(2));
    assert_eq!(norms.len(), 3);
    for (place, (state, new)) in [3, 4].into_iter().zip(&step.updates) {
        assert_eq!(norms[0].inputs[place], *state);
        assert_eq!(norms[1].inputs[place], norms[0].outputs[place]);
        assert_eq!(norms[2].inputs[place], norms[1].outputs[place]);
        assert_eq!(norms[2].outputs[place], *new);
    }
    assert_eq!(step.updates.len(), 2);
    assert_eq!(step.gradients.len(), network.parameters().count());
}

#[test]
fn a_penalty_is_part_of_the_loss() {
    let both = Regulariser {
        l1: 0.5,
        ..Regulariser::l2(3.0)
    };
    let layer = Separable::new(Some(4), 3).depthwise_regulariser(both);
    let network = classifier(|network, x| {
        let x = network.separable("sep", x, &layer)?;
        // Shared, it is penalised once.
        network.separable("sep", x, &layer.clone().reuse(true))
    });
    let step = training(&network, TrainingOptions::default()).unwrap();
    let loss = step.value(step.outputs[0]);
    assert_eq!(loss.shape, []);
    assert_eq!(loss.name, "sep.conv_dw.weight.penalty");
    let penalty = |node: &&graph::Node| node.layer == "sep.conv_dw.weight.penalty";
    let forward = step.nodes.iter().filter(penalty);
    let sums = forward.filter(|node| node.op.name() == "sum over axes");
    assert_eq!(sums.count(), 2);
    assert_eq!(step.gradients.len(), 5);

    // A layer that the logits do not depend on is not penalised, nor does it learn.
    let dead = classifier(|network, x| {
        network.separable("dead", x, &layer)?;
        Ok(x)
    });
    let step = training(&dead, TrainingOptions::default()).unwrap();
    assert_eq!(step.value(step.outputs[0]).name, "loss");
}

#[test]
fn a_regulariser_of_a_graph_made_by_hand_is_verified() {
    let mut graph = Graph::new("by hand");
    graph.add_value(graph::Value {
        name: "w".to_owned(),
        shape: vec![2],
        element: graph::ElementType::Real,
        role: Role::Parameter {
            kind: ParameterKind::Weight,
            init: Init::Constant(0.0),
            regulariser: Some(Regulariser::l2(-2.0)),
            trainable: true,
        },
    });
    assert_eq!(
        graph.verify().unwrap_err().to_string(),
        "layer w: regulariser: l2 is -2, outside 0 ≤ weight < ∞"
    );
}
