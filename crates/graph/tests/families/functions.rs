use graph::{NetworkBuilder, Op, SoftmaxKind, SoftmaxOp, UnaryOp, pullback};
use tensor::Unary;

use crate::{gives, real, refusal};

#[test]
fn any_shape_goes_through_a_function_of_one_element() {
    for shape in [&[][..], &[3], &[2, 3, 4, 5, 6, 7], &[0, 3]] {
        let apply = Op::Unary(UnaryOp::Apply(Unary::Gelu));
        gives(&apply, &[real(shape)], &[shape]);
        let backward = Op::Unary(UnaryOp::Backward(Unary::Gelu));
        gives(&backward, &[real(shape), real(shape)], &[shape]);
    }
    let backward = Op::Unary(UnaryOp::Backward(Unary::Relu));
    assert_eq!(
        refusal(&backward, &[&[3], &[2]]),
        "unary backward dy [3] does not fit x [2]: it must be [2]"
    );
}

#[test]
fn parameters_are_numbers() {
    let refused = |f: Unary| refusal(&Op::Unary(UnaryOp::Apply(f)), &[&[1]]);
    let nan = f32::NAN;
    assert_eq!(
        refused(Unary::LeakyRelu { alpha: nan }),
        "leaky relu: alpha is NaN, outside the finite numbers"
    );
    assert_eq!(
        refused(Unary::Celu { alpha: 0.0 }),
        "celu: alpha is 0, outside 0 < alpha < ∞"
    );
    assert_eq!(
        refused(Unary::Clip { min: 0.0, max: nan }),
        "clip: max is NaN, outside the numbers"
    );
    assert_eq!(
        refused(Unary::HardSigmoid {
            alpha: f32::INFINITY,
            beta: 0.0
        }),
        "hard sigmoid: alpha is inf, outside the finite numbers"
    );
    let open = Unary::Clip {
        min: f32::NEG_INFINITY,
        max: 1.0,
    };
    gives(&Op::Unary(UnaryOp::Apply(open)), &[real(&[2])], &[&[2]]);
}

#[test]
fn slopes_of_a_prelu_are_one_a_channel_or_one() {
    let (op, backward) = (Op::Unary(UnaryOp::Prelu), Op::Unary(UnaryOp::PreluBackward));
    let x = &[2, 5, 3, 3];
    for slope in [&[5], &[1]] {
        gives(&op, &[real(x), real(slope)], &[x]);
        gives(&backward, &[real(x), real(x), real(slope)], &[x, slope]);
    }
    assert_eq!(
        refusal(&op, &[x, &[4]]),
        "prelu slope [4] does not fit x [2, 5, 3, 3]: it must be [5]"
    );
    assert_eq!(
        refusal(&op, &[&[7], &[1]]),
        "prelu x has shape [7], which is not [n, c, spatial…]"
    );
}

#[test]
fn softmax_runs_along_an_axis_that_is_there() {
    let kind = SoftmaxKind::LogSoftmax;
    let x = &[2, 5, 3];
    for axis in 0..3 {
        let op = Op::Softmaxes(SoftmaxOp::Along { kind, axis });
        gives(&op, &[real(x)], &[x]);
        let backward = Op::Softmaxes(SoftmaxOp::Backward { kind, axis });
        gives(&backward, &[real(x), real(x)], &[x]);
    }
    let op = Op::Softmaxes(SoftmaxOp::Along { kind, axis: 3 });
    assert_eq!(
        refusal(&op, &[x]),
        "log-softmax along axis 3 of x [2, 5, 3], which has 3 axes"
    );
}

#[test]
fn layers_are_named_and_have_gradients() {
    let mut network = NetworkBuilder::new("functions", [2, 4, 3, 3]);
    let x = network.input();
    let y = network.unary(x, Unary::HardSwish).unwrap();
    let y = network.prelu("act", y, true).unwrap();
    let y = network.prelu("shared", y, false).unwrap();
    let y = network.softmax_along(y, 1).unwrap();
    let y = network.log_softmax_along(y, 3).unwrap();
    let network = network.finish(y).unwrap();
    let layers: Vec<_> = network.nodes.iter().map(|n| n.layer.as_str()).collect();
    assert_eq!(
        layers,
        ["hard_swish", "act", "shared", "softmax", "log_softmax"]
    );
    let parameters: Vec<_> = network
        .parameters()
        .map(|(_, p)| (p.name.as_str(), p.shape.as_slice()))
        .collect();
    assert_eq!(
        parameters,
        [("act.weight", &[4][..]), ("shared.weight", &[1])]
    );
    let grown = pullback(&network, y, &[x]).unwrap();
    let ops: Vec<_> = grown.nodes[5..].iter().map(|n| n.op.name()).collect();
    assert_eq!(
        ops,
        [
            "log-softmax backward",
            "softmax backward",
            "prelu backward",
            "prelu backward",
            "unary backward"
        ]
    );
}
