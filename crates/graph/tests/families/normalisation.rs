use graph::{Affine, LocalResponse, NetworkBuilder, NormOp, Op, pullback};

use crate::{gives, real, refusal};

const X: &[usize] = &[2, 6, 4, 3];
const EPSILON: f32 = 1e-5;
const ALL: [Affine; 3] = [Affine::None, Affine::Scale, Affine::ScaleShift];

/// Checks a norm and its backward operator with every set of parameters.
fn check(
    forward: impl Fn(Affine) -> NormOp,
    backward: impl Fn(Affine) -> NormOp,
    statistics: &[usize],
    parameters: &[usize],
) {
    for affine in ALL {
        let count = affine.parameters();
        let inputs = [vec![real(X)], vec![real(parameters); count]].concat();
        let outputs = [X, statistics, statistics];
        gives(&Op::Norm(forward(affine)), &inputs, &outputs);

        let mut inputs = vec![real(X), real(X), real(statistics), real(statistics)];
        inputs.extend((affine != Affine::None).then(|| real(parameters)));
        let outputs = [&[X][..], &vec![parameters; count]].concat();
        gives(&Op::Norm(backward(affine)), &inputs, &outputs);
    }
}

#[test]
fn statistics_and_parameters_follow_the_input() {
    check(
        |affine| group(3, affine),
        |affine| NormOp::GroupBackward { groups: 3, affine },
        &[2, 3],
        &[6],
    );
    for axis in 0..4 {
        check(
            |affine| NormOp::Layer {
                axis,
                epsilon: EPSILON,
                affine,
            },
            |affine| NormOp::LayerBackward { axis, affine },
            &X[..axis],
            &X[axis..],
        );
    }
    check(
        |affine| NormOp::Channel {
            epsilon: EPSILON,
            affine,
        },
        |affine| NormOp::ChannelBackward { affine },
        &[2, 4, 3],
        &[6],
    );
    let settings = LocalResponse::new(5);
    let op = Op::Norm(NormOp::LocalResponse(settings));
    gives(&op, &[real(X)], &[X]);
    let op = Op::Norm(NormOp::LocalResponseBackward(settings));
    gives(&op, &[real(X), real(X)], &[X]);
}

fn group(groups: usize, affine: Affine) -> NormOp {
    NormOp::Group {
        groups,
        epsilon: EPSILON,
        affine,
    }
}

#[test]
fn what_does_not_fit_is_named_with_its_numbers() {
    let refused = |op: NormOp, inputs: &[&[usize]]| refusal(&Op::Norm(op), inputs);
    assert_eq!(
        refused(group(4, Affine::None), &[X]),
        "group norm on input [2, 6, 4, 3]: 6 input channels do not divide into 4 groups"
    );
    assert_eq!(
        refused(group(0, Affine::None), &[X]),
        "group norm on input [2, 6, 4, 3]: groups must be at least 1, not 0"
    );
    assert_eq!(
        refused(group(2, Affine::Scale), &[X, &[2]]),
        "group norm gamma [2] does not fit x [2, 6, 4, 3]: it must be [6]"
    );
    let layer = |axis, epsilon| NormOp::Layer {
        axis,
        epsilon,
        affine: Affine::Scale,
    };
    assert_eq!(
        refused(layer(4, EPSILON), &[X]),
        "layer norm along axis 4 of x [2, 6, 4, 3], which has 4 axes"
    );
    assert_eq!(
        refused(layer(2, EPSILON), &[X, &[3]]),
        "layer norm gamma [3] does not fit x [2, 6, 4, 3]: it must be [4, 3]"
    );
    assert_eq!(
        refused(layer(2, -1.0), &[X]),
        "layer norm: epsilon is -1, outside 0 ≤ epsilon"
    );
    let channel = NormOp::ChannelBackward {
        affine: Affine::None,
    };
    assert_eq!(
        refused(channel, &[X, X, &[2, 3, 4], &[2, 4, 3]]),
        "channel norm backward mean [2, 3, 4] does not fit x [2, 6, 4, 3]: it must be [2, 4, 3]"
    );
    let response = |settings| NormOp::LocalResponse(settings);
    let settings = LocalResponse {
        alpha: f32::NAN,
        ..LocalResponse::new(5)
    };
    assert_eq!(
        refused(response(settings), &[X]),
        "local response norm: alpha is NaN, outside the finite numbers"
    );
    let settings = LocalResponse {
        before: usize::MAX,
        ..LocalResponse::new(5)
    };
    assert!(refused(response(settings), &[X]).contains("outside 1 ≤ window ≤ 65536"));
    assert_eq!(
        refused(response(LocalResponse::new(5)), &[&[7]]),
        "local response norm x has shape [7], which is not [n, c, spatial…]"
    );
}

#[test]
fn even_windows_lie_as_their_framework_lays_them() {
    let sides = |l: LocalResponse| (l.before, l.after);
    assert_eq!(sides(LocalResponse::new(5)), (2, 2));
    assert_eq!(sides(LocalResponse::onnx(5)), (2, 2));
    assert_eq!(sides(LocalResponse::new(4)), (2, 1));
    assert_eq!(sides(LocalResponse::onnx(4)), (1, 2));
    assert_eq!(sides(LocalResponse::new(1)), (0, 0));
}

#[test]
fn layers_are_named_and_have_gradients() {
    let mut network = NetworkBuilder::new("norms", [2, 6, 4, 3]);
    let x = network.input();
    let y = network.group_norm("group", x, 2).unwrap();
    let y = network.instance_norm(y).unwrap();
    let y = network.layer_norm("layer", y, 2).unwrap();
    let y = network.channel_norm("channel", y).unwrap();
    let y = network
        .local_response_norm(y, LocalResponse::new(5))
        .unwrap();
    let network = network.finish(y).unwrap();
    let parameters: Vec<_> = network
        .parameters()
        .map(|(_, p)| (p.name.as_str(), p.shape.as_slice()))
        .collect();
    assert_eq!(
        parameters,
        [
            ("group.weight", &[6][..]),
            ("group.bias", &[6]),
            ("layer.weight", &[4, 3]),
            ("layer.bias", &[4, 3]),
            ("channel.weight", &[6]),
            ("channel.bias", &[6])
        ]
    );
    let grown = pullback(&network, y, &[x]).unwrap();
    let ops: Vec<_> = grown.nodes[5..].iter().map(|n| n.op.name()).collect();
    assert_eq!(
        ops,
        [
            "local response norm backward",
            "channel norm backward",
            "layer norm backward",
            "group norm backward",
            "group norm backward"
        ]
    );
}
