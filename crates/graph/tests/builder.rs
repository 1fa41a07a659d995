//! Names, initial values and refusals of the builder.

use geometry::{ConvDesc, PoolDesc, PoolKind};
use graph::{
    BatchNormOptions, GraphError, Init, NetworkBuilder, Op, ParameterKind, Role, WeightInit,
};

#[test]
fn names_follow_the_scopes() {
    let mut network = NetworkBuilder::new("scopes", [1, 3, 8, 8]);
    let x = network.input();
    let y = network
        .scope("layer1", |network| {
            network.scope("0", |network| {
                let y = network.conv("conv1", x, ConvDesc::new(3, 1), false)?;
                let y = network.relu(y)?;
                network.relu(y)
            })
        })
        .unwrap();
    let y = network.conv("conv1", y, ConvDesc::new(2, 1), true).unwrap();
    let network = network.finish(y).unwrap();
    let layers: Vec<_> = network.nodes.iter().map(|n| n.layer.as_str()).collect();
    assert_eq!(
        layers,
        [
            "layer1.0.conv1",
            "layer1.0.relu",
            "layer1.0.relu_1",
            "conv1"
        ]
    );
    let names: Vec<_> = network.parameters().map(|(_, p)| p.name.as_str()).collect();
    assert_eq!(
        names,
        ["layer1.0.conv1.weight", "conv1.weight", "conv1.bias"]
    );
}

#[test]
fn a_name_in_use_is_refused() {
    let mut network = NetworkBuilder::new("twice", [1, 3, 8, 8]);
    let x = network.input();
    network
        .conv("conv1", x, ConvDesc::new(3, 1), false)
        .unwrap();
    let error = network.batch_norm("conv1", x).unwrap_err();
    assert!(matches!(error, GraphError::DuplicateName { name } if name == "conv1"));
}

/// Role of each parameter and state, by name.
fn roles(build: impl FnOnce(&mut NetworkBuilder)) -> Vec<(String, Role)> {
    let mut network = NetworkBuilder::new("roles", [2, 3, 8, 8]);
    build(&mut network);
    let images = network.input();
    let network = network.finish(images).unwrap();
    let kept = network.values().iter().skip(1);
    kept.filter(|value| value.role != Role::Computed)
        .map(|value| (value.name.clone(), value.role))
        .collect()
}

fn parameter(name: &str, kind: ParameterKind, init: Init) -> (String, Role) {
    (name.to_owned(), Role::parameter(kind, init))
}

#[test]
fn parameters_start_as_asked() {
    use ParameterKind::{Bias, Norm, Weight};
    let conv = |network: &mut NetworkBuilder| {
        let x = network.input();
        network
            .conv("c", x, ConvDesc::new(6, 5).groups(3), true)
            .unwrap();
    };
    assert_eq!(
        roles(conv),
        [
            parameter("c.weight", Weight, Init::KaimingNormalFanOut),
            parameter("c.bias", Bias, Init::Constant(0.0)),
        ]
    );
    // One input channel a group, 25 taps.
    let fan_in = Init::UniformFanIn { fan_in: 25 };
    assert_eq!(
        roles(|network| conv(network.conv_init(WeightInit::UniformFanIn))),
        [
            parameter("c.weight", Weight, fan_in),
            parameter("c.bias", Bias, fan_in),
        ]
    );
    let linear = |network: &mut NetworkBuilder| {
        let x = network.input();
        let x = network.flatten(x).unwrap();
        network.linear("fc", x, 10).unwrap();
    };
    let fan_in = Init::UniformFanIn { fan_in: 192 };
    assert_eq!(
        roles(linear),
        [
            parameter("fc.weight", Weight, fan_in),
            parameter("fc.bias", Bias, fan_in),
        ]
    );
    assert_eq!(
        roles(|network| linear(network.linear_init(WeightInit::XavierUniform))),
        [
            parameter("fc.weight", Weight, Init::XavierUniform),
            parameter("fc.bias", Bias, Init::Constant(0.0)),
        ]
    );
    let norm = |options: BatchNormOptions| {
        roles(|network| {
            let x = network.input();
            network.batch_norm_with("bn", x, options).unwrap();
        })
    };
    for (zero_init, gamma) in [(false, 1.0), (true, 0.0)] {
        let options = BatchNormOptions {
            zero_init,
            ..BatchNormOptions::default()
        };
        assert_eq!(
            norm(options),
            [
                parameter("bn.weight", Norm, Init::Constant(gamma)),
                parameter("bn.bias", Norm, Init::Constant(0.0)),
                ("bn.running_mean".to_owned(), Role::State { init: 0.0 }),
                ("bn.running_var".to_owned(), Role::State { init: 1.0 }),
            ]
        );
    }
}

#[test]
fn every_dropout_has_its_own_stream() {
    let mut network = NetworkBuilder::new("drops", [2, 3, 8, 8]);
    let x = network.input();
    let x = network.dropout(x, 0.5).unwrap();
    let x = network.dropout(x, 0.25).unwrap();
    let network = network.finish(x).unwrap();
    let ops: Vec<_> = network.nodes.iter().map(|node| node.op.clone()).collect();
    let dropout = |rate, stream| Op::Dropout { rate, stream };
    assert_eq!(ops, [dropout(0.5, 0), dropout(0.25, 1)]);
}

#[test]
fn pools_are_of_the_kind_their_method_says() {
    let mut network = NetworkBuilder::new("pools", [2, 3, 8, 8]);
    let x = network.input();
    let kept = PoolKind::Average {
        count_padding: false,
    };
    let uncounted = PoolDesc {
        kind: kept,
        ..PoolDesc::average(2)
    };
    let x = network.max_pool("a", x, PoolDesc::average(2)).unwrap();
    let x = network.average_pool("b", x, PoolDesc::max(2)).unwrap();
    let x = network.average_pool("c", x, uncounted).unwrap();
    let network = network.finish(x).unwrap();
    let kinds: Vec<_> = network
        .nodes
        .iter()
        .filter_map(|node| match &node.op {
            Op::Pool { desc, .. } => Some(desc.kind),
            _ => None,
        })
        .collect();
    let counted = PoolKind::Average {
        count_padding: true,
    };
    assert_eq!(kinds, [PoolKind::Max, counted, kept]);
}

#[test]
fn layers_that_do_not_fit_name_themselves_and_the_shapes() {
    let mut network = NetworkBuilder::new("misfits", [2, 3, 8, 8]);
    let x = network.input();
    let refused = |error: GraphError, parts: &[&str]| {
        let text = error.to_string();
        assert!(!text.contains('\n'));
        for part in parts {
            assert!(text.contains(part), "{text}");
        }
    };
    refused(
        network
            .conv("big", x, ConvDesc::new(4, 9), false)
            .unwrap_err(),
        &[
            "layer big",
            "[2, 3, 8, 8]",
            "kernel larger than padded input",
            "9",
            "8",
        ],
    );
    refused(
        network
            .conv("still", x, ConvDesc::new(4, 3).stride(0), false)
            .unwrap_err(),
        &["layer still", "stride must be at least 1"],
    );
    refused(
        network
            .conv("parts", x, ConvDesc::new(4, 3).groups(2), false)
            .unwrap_err(),
        &[
            "layer parts",
            "3 input channels do not divide into 2 groups",
        ],
    );
    refused(
        network.linear("fc", x, 10).unwrap_err(),
        &["layer fc", "[2, 3, 8, 8]", "flatten it first"],
    );
    let y = network
        .max_pool("pool", x, PoolDesc::max(2).stride(2))
        .unwrap();
    refused(
        network.add(x, y).unwrap_err(),
        &["layer add", "[2, 3, 4, 4]", "[2, 3, 8, 8]"],
    );
    refused(
        network.concat(&[x, y]).unwrap_err(),
        &["layer concat", "[2, 3, 4, 4]", "[2, 3, 8, 8]"],
    );
    refused(
        network.concat(&[]).unwrap_err(),
        &["layer concat_1", "0 inputs"],
    );
}

#[test]
fn a_value_of_another_network_is_refused() {
    let mut other = NetworkBuilder::new("other", [1, 3, 8, 8]);
    let x = other.input();
    let foreign = other.batch_norm("bn", x).unwrap();
    let mut network = NetworkBuilder::new("one", [1, 3, 8, 8]);
    assert!(matches!(
        network.relu(foreign),
        Err(GraphError::UnknownValue { .. })
    ));
    assert!(matches!(
        network.finish(foreign),
        Err(GraphError::UnknownValue { .. })
    ));
}
