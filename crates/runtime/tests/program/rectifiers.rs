//! Gradients through rectifiers by every rule, and through norms with fixed statistics, in f64 and in f32.

use geometry::PoolDesc;
use graph::passes::{inference, remember_maxima};
use graph::{
    Activation, BinaryOp, Graph, GraphError, NetworkBuilder, Op, RectifierRule, ValueId, pullback,
    pullback_by,
};
use runtime::{Evaluation, Program};
use tensor::{Layout, Unary};
use testkit::gradient;

use crate::networks::{RUN, options, prepare};

/// Inputs left and right of every kink, and gradients of both signs.
const X: [f64; 8] = [-2.0, -0.5, 0.5, 3.0, 7.0, -2.0, 0.5, 7.0];
const G: [f64; 8] = [1.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0];

type Body = fn(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>;

/// What comes back to the inputs `X` of one layer where `G` comes from above.
fn back(body: Body, rule: RectifierRule) -> Vec<f64> {
    let mut network = NetworkBuilder::new("one layer", [1, 2, 2, 2]);
    let x = network.input();
    let y = body(&mut network, x).unwrap();
    let network = network.finish(y).unwrap();
    let grown = pullback_by(&network, y, &[x], rule).unwrap();
    let mut evaluation = Evaluation::new(&grown).unwrap();
    evaluation.set(grown.inputs[0], &X);
    evaluation.set(grown.inputs[1], &G);
    if let Some((slopes, value)) = network.parameters().next() {
        let quarter = vec![0.25; value.shape.iter().product()];
        evaluation.set(slopes, &quarter);
    }
    evaluation.run(RUN);
    evaluation.value(grown.outputs[1]).to_vec()
}

#[test]
fn rectifiers_pass_gradients_on_by_the_rule() {
    let relu: Body = |n, x| n.relu(x);
    let thresholded: Body = |n, x| n.unary(x, Unary::ThresholdedRelu { alpha: 0.25 });
    for body in [relu, thresholded, |n, x| n.unary(x, Unary::Relu)] {
        assert_eq!(
            back(body, RectifierRule::Slope),
            [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, -1.0, -1.0]
        );
        assert_eq!(
            back(body, RectifierRule::Guided),
            [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(
            back(body, RectifierRule::Deconvnet),
            [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
        );
    }
    let clipped: [Body; 3] = [
        |n, x| n.relu6(x),
        |n, x| n.unary(x, Unary::Clip { min: 0.0, max: 6.0 }),
        |n, x| n.unary(x, Unary::HardTanh { min: 0.0, max: 6.0 }),
    ];
    for body in clipped {
        assert_eq!(
            back(body, RectifierRule::Slope),
            [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, -1.0, 0.0]
        );
        assert_eq!(
            back(body, RectifierRule::Guided),
            [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(
            back(body, RectifierRule::Deconvnet),
            [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
        );
    }
    let leaky: [Body; 2] = [
        |n, x| n.unary(x, Unary::LeakyRelu { alpha: 0.25 }),
        |n, x| n.prelu("prelu", x, true),
    ];
    for body in leaky {
        assert_eq!(
            back(body, RectifierRule::Slope),
            [0.25, 0.25, 1.0, 1.0, 1.0, -0.25, -1.0, -1.0]
        );
        assert_eq!(
            back(body, RectifierRule::Guided),
            [0.25, 0.25, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(
            back(body, RectifierRule::Deconvnet),
            [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
        );
    }
}

#[test]
fn what_is_no_rectifier_passes_gradients_on_by_its_slope() {
    let others: [Body; 5] = [
        |n, x| n.sigmoid(x),
        |n, x| n.unary(x, Unary::SILU),
        |n, x| n.unary(x, Unary::Gelu),
        |n, x| {
            n.unary(
                x,
                Unary::Clip {
                    min: -1.0,
                    max: 1.0,
                },
            )
        },
        |n, x| n.average_pool("pool", x, PoolDesc::average(1)),
    ];
    for body in others {
        let slope = back(body, RectifierRule::Slope);
        assert!(slope.iter().any(|&x| x < 0.0));
        assert_eq!(back(body, RectifierRule::Guided), slope);
        assert_eq!(back(body, RectifierRule::Deconvnet), slope);
    }
}

#[test]
fn learned_slopes_have_no_gradient_by_another_rule() {
    let mut network = NetworkBuilder::new("prelu", [1, 2, 2, 2]);
    let x = network.input();
    let y = network.prelu("prelu", x, false).unwrap();
    let network = network.finish(y).unwrap();
    let (slope, _) = network.parameters().next().unwrap();
    assert!(pullback_by(&network, y, &[slope], RectifierRule::Slope).is_ok());
    let refused = pullback_by(&network, y, &[slope], RectifierRule::Guided).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "layer prelu: prelu has no gradient of its slopes by another rule than the slope"
    );
}

/// An activation inside a convolution or a norm follows the rule as one that stands alone does.
#[test]
fn fused_activations_follow_the_rule() {
    for network in crate::networks::all() {
        let mut alone = network.clone();
        // Every value leaves, so that nothing is fused.
        let computed = network.nodes.iter().flat_map(|node| node.outputs.clone());
        alone.outputs.extend(computed);
        for rule in [
            RectifierRule::Slope,
            RectifierRule::Guided,
            RectifierRule::Deconvnet,
        ] {
            let [alone, fused] = [&alone, &network].map(|network| {
                let graph = remember_maxima(&inference(network).unwrap()).unwrap();
                let (of, x) = (graph.outputs[0], graph.inputs[0]);
                let grown = pullback_by(&graph, of, &[x], rule).unwrap();
                gradient_by_program(grown, Layout::Nhwc)
            });
            let problem = format!("{} {rule:?}", network.name);
            let right: Vec<f64> = alone.iter().copied().map(f64::from).collect();
            testkit::compare::assert_relative_l2(&problem, &fused, &right, 1e-4);
        }
    }
}

/// The last output of a graph, where ones come from above.
fn gradient_by_program(grown: Graph, layout: Layout) -> Vec<f32> {
    let last = grown.outputs.len() - 1;
    let mut program = Program::new(grown, &options(layout)).unwrap();
    prepare(&mut program, 5);
    program.input_f32(1).fill(1.0);
    program.run(RUN);
    program.output(last).to_vec()
}

/// `relu(norm(x) + x²)`, whose norm with fixed statistics takes both steps over.
fn normalised(shape: &[usize]) -> Graph {
    let mut network = NetworkBuilder::new("norm", shape);
    let x = network.input();
    let square = network.binary(BinaryOp::Mul, x, x).unwrap();
    let y = network.batch_norm("bn", x).unwrap();
    let y = network.add(y, square).unwrap();
    let y = network.relu(y).unwrap();
    inference(&network.finish(y).unwrap()).unwrap()
}

#[test]
fn norms_with_fixed_statistics_pass_gradients_on() {
    for shape in [&[2, 3, 2, 4][..], &[2, 3]] {
        let graph = normalised(shape);
        let fused = |op: &Op| {
            let activation = Some(Activation::Relu);
            matches!(op, Op::BatchNormInference { residual: true, activation: a, .. } if *a == activation)
        };
        assert!(graph.nodes.iter().any(|node| fused(&node.op)));
        let (y, x) = (graph.outputs[0], graph.inputs[0]);
        let grown = pullback(&graph, y, &[x]).unwrap();

        let mut program = Program::new(graph.clone(), &options(Layout::Nhwc)).unwrap();
        prepare(&mut program, 5);
        let image: Vec<f64> = program
            .input_f32(0)
            .iter()
            .copied()
            .map(f64::from)
            .collect();
        let mut forward = Evaluation::new(&graph).unwrap();
        forward.load(&program);
        let forward = std::cell::RefCell::new(forward);
        let sum = |image: &[f64]| {
            let mut forward = forward.borrow_mut();
            forward.set(x, image);
            forward.run(RUN);
            forward.value(y).iter().sum::<f64>()
        };
        let mut back = Evaluation::new(&grown).unwrap();
        back.load(&program);
        back.set(x, &image);
        back.set(grown.inputs[1], &vec![1.0; image.len()]);
        back.run(RUN);
        let slopes = back.value(grown.outputs[1]);
        assert_eq!(gradient::check(sum, &image, slopes), Ok(()), "{shape:?}");
        for layout in Layout::ALL {
            let found = gradient_by_program(grown.clone(), layout);
            testkit::compare::assert_relative_l2(
                &format!("{shape:?} {layout}"),
                &found,
                slopes,
                1e-6,
            );
        }
    }
}

#[test]
fn scales_of_norms_with_fixed_statistics_have_no_gradient() {
    let graph = normalised(&[2, 3, 2, 4]);
    let (gamma, _) = graph.parameters().next().unwrap();
    let refused = pullback(&graph, graph.outputs[0], &[gamma]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "layer bn: batch norm inference has no gradient of its scale, shift or fixed statistics"
    );
}
