//! The separable layer in a network: its values, its gradients, what it shares, and its penalty.

use geometry::Padding;
use graph::passes::{TrainingOptions, inference, training};
use graph::{
    BatchNormOptions, Graph, GraphError, NetworkBuilder, Normaliser, Regulariser, Separable,
    ValueId,
};
use runtime::{Evaluation, Program, initialise};
use tensor::{Layout, Unary};
use testkit::activation::relu;
use testkit::compare::{assert_close, assert_exact, widen};
use testkit::{ConvCase, Draw, SeparableCase, gradient};

use crate::networks::{RUN, options};

fn built(
    input: [usize; 4],
    body: impl FnOnce(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>,
) -> Graph {
    let mut network = NetworkBuilder::new("separable", input);
    let x = network.input();
    let y = body(&mut network, x).unwrap();
    network.finish(y).unwrap()
}

/// Its training step, behind it a linear layer to two classes.
fn step(
    input: [usize; 4],
    body: impl FnOnce(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>,
) -> Graph {
    let network = built(input, |network, x| {
        let y = body(network, x)?;
        let y = network.flatten(y)?;
        network.linear("fc", y, 2)
    });
    training(&network, TrainingOptions::default()).unwrap()
}

fn set(program: &mut Program, name: &str, values: &[f32]) {
    let slot = program.slots().iter().find(|slot| slot.name == name);
    let range = slot.unwrap().range.clone();
    program.parameters_mut()[range].copy_from_slice(values);
}

fn gradient_of<'a>(program: &'a Program, name: &str) -> &'a [f32] {
    let slot = program.slots().iter().find(|slot| slot.name == name);
    &program.gradients()[slot.unwrap().range.clone()]
}

/// SAME with stride 2 on 9 × 6 and a kernel of 3 × 2: one row before and one behind, no column.
#[test]
fn the_layer_is_both_stages_a_bias_and_the_activation() {
    let window = ConvCase::new(2, 3, 5, [9, 6], [3, 2])
        .stride([2, 2])
        .padding([1, 0]);
    let case = SeparableCase::new(&window, 2);
    let mut draw = Draw::new(3);
    let [x, w, p, b] = [2 * 3 * 54, 6 * 6, 5 * 6, 5].map(|len| draw.integers(len));
    let [wide_x, wide_w, wide_p, wide_b] = [&x, &w, &p, &b].map(|values| widen(values));
    let want = relu(&case.forward(&wide_x, &wide_w, &wide_p, Some(&wide_b)));

    let layer = Separable::new(Some(5), [3, 2])
        .depth_multiplier(2)
        .stride(2);
    let first = built([2, 3, 9, 6], |n, x| n.separable("sep", x, &layer));
    let layer = layer.data_format(Layout::Nhwc);
    let last = built([2, 9, 6, 3], |n, x| n.separable("sep", x, &layer));
    for (network, order) in [(first, Layout::Nchw), (last, Layout::Nhwc)] {
        let network = inference(&network).unwrap();
        for layout in Layout::ALL {
            let mut program = Program::new(network.clone(), &options(layout)).unwrap();
            set(&mut program, "sep.conv_dw.weight", &w);
            set(&mut program, "sep.conv_pw.weight", &p);
            set(&mut program, "sep.conv_pw.bias", &b);
            order.reorder_from_nchw(&x, program.input_f32(0), 3, 54);
            program.run(RUN);
            let mut y = vec![0.0; 2 * 5 * 15];
            order.reorder_to_nchw(program.output(0), &mut y, 5, 15);
            assert_exact(&format!("{case} {order} in {layout}"), &y, &want);
        }
    }
}

/// The logits are 0 whatever the layer makes, so the mean cross-entropy is ln 2 and the penalties alone have
/// slopes:
///
/// | parameter | elements | penalty | gradient |
/// |---|---|---|---|
/// | depthwise | 3, −4 | 0.125·7 | ± 0.125 |
/// | pointwise | 1, −2, 0.5, 0 | 0.5·½·5.25 | half of each |
/// | bias | 2, −1 | 0.25·3 + 0.5·½·5 | ± 0.25 and half of each |
#[test]
fn the_loss_is_the_cross_entropy_and_the_penalties() {
    let layer = Separable::new(Some(2), 1)
        .depthwise_regulariser(Regulariser::l1(0.125))
        .pointwise_regulariser(Regulariser::l2(0.5))
        .bias_regulariser(Regulariser { l1: 0.25, l2: 0.5 });
    for frozen in [false, true] {
        let layer = layer.clone().trainable(!frozen);
        let step = step([3, 2, 2, 2], |n, x| n.separable("sep", x, &layer));
        let mut evaluation = Evaluation::new(&step).unwrap();
        for layout in Layout::ALL {
            let mut program = Program::new(step.clone(), &options(layout)).unwrap();
            set(&mut program, "sep.conv_dw.weight", &[3.0, -4.0]);
            set(&mut program, "sep.conv_pw.weight", &[1.0, -2.0, 0.5, 0.0]);
            set(&mut program, "sep.conv_pw.bias", &[2.0, -1.0]);
            program.input_f32(0).fill(1.0);
            program.run(RUN);
            let want = 2f64.ln() + 0.875 + 1.3125 + 0.75 + 1.25;
            assert_close("loss", program.output(0), &[want], &[1e-6]);
            evaluation.load(&program);
            evaluation.run(RUN);
            let loss = evaluation.value(evaluation.graph().outputs[0]);
            assert_close("loss in f64", loss, &[want], &[1e-14]);

            let gradients = [
                ("sep.conv_dw.weight", vec![0.125, -0.125]),
                ("sep.conv_pw.weight", vec![0.5, -1.0, 0.25, 0.0]),
                ("sep.conv_pw.bias", vec![1.25, -0.75]),
            ];
            for (name, want) in gradients {
                // What is frozen is counted and does not move.
                let want = if frozen { vec![0.0; want.len()] } else { want };
                assert_exact(name, gradient_of(&program, name), &want);
            }
        }
    }
}

/// Stages, norms, penalties, channels last, a rate, and a layer used twice: every gradient is the slope of
/// the loss.
#[test]
fn gradients_are_slopes_of_the_whole_loss() {
    let penalty = Regulariser { l1: 0.01, l2: 0.1 };
    let first = Separable::new(Some(4), [3, 2])
        .depth_multiplier(2)
        .stride([2, 1])
        .weights_regulariser(penalty)
        .bias_regulariser(Regulariser::l2(0.3))
        .activation(Some(Unary::Gelu));
    let norm = |normaliser| {
        Separable::new(Some(4), 3)
            .rate([1, 2])
            .weights_regulariser(penalty)
            .normaliser(Some(normaliser))
            .activation(Some(Unary::Tanh))
    };
    let normalisers = [
        Normaliser::Batch(BatchNormOptions::default()),
        Normaliser::Group { groups: 2 },
        Normaliser::Instance,
        Normaliser::Channel,
    ];
    for normaliser in normalisers {
        let shared = norm(normaliser);
        let last = Separable::new(None, 2)
            .padding(Padding::Valid)
            .data_format(Layout::Nhwc)
            .activation(None);
        let step = step([2, 3, 6, 5], |n, x| {
            let x = n.separable("first", x, &first)?;
            let x = n.separable("shared", x, &shared)?;
            let x = n.separable("shared", x, &shared.clone().reuse(true))?;
            n.separable("last", x, &last)
        });
        let mut program = Program::new(step.clone(), &options(Layout::Nhwc)).unwrap();
        initialise(&mut program, 8);
        let mut evaluation = Evaluation::new(&step).unwrap();
        evaluation.load(&program);
        let mut draw = Draw::new(5);
        let [images, labels] = step.inputs[..] else {
            panic!("images and labels");
        };
        let pictures = widen(&draw.reals(2 * 3 * 30));
        evaluation.set(images, &pictures);
        evaluation.set_index(labels, &[1, 0]);
        evaluation.run(RUN);
        assert!(step.gradients.len() >= 7);
        for &(parameter, slope) in &step.gradients {
            let name = &step.value(parameter).name;
            let at = evaluation.value(parameter).to_vec();
            let got = evaluation.value(slope).to_vec();
            let loss = |values: &[f64]| {
                let mut evaluation = Evaluation::new(&step).unwrap();
                evaluation.load(&program);
                evaluation.set(images, &pictures);
                evaluation.set_index(labels, &[1, 0]);
                evaluation.set(parameter, values);
                evaluation.run(RUN);
                evaluation.value(step.outputs[0])[0]
            };
            if let Err(mismatch) = gradient::check(loss, &at, &got) {
                panic!("{normaliser:?} {name}: {mismatch}");
            }
            assert!(got.iter().any(|&slope| slope != 0.0), "{name}");
        }
    }
}

/// Two uses of one norm on the same pictures, of mean 2.5 and unbiased variance 5/3: with momentum ½ each
/// use goes half of the way that is left.
#[test]
fn a_shared_batch_norm_moves_on_twice() {
    let options_of_norm = BatchNormOptions {
        momentum: 0.5,
        ..BatchNormOptions::default()
    };
    let layer = Separable::new(None, 1)
        .normaliser(Some(Normaliser::Batch(options_of_norm)))
        .activation(None);
    let step = step([1, 1, 2, 2], |n, x| {
        let a = n.separable("sep", x, &layer)?;
        let b = n.separable("sep", x, &layer.clone().reuse(true))?;
        n.concat(&[a, b])
    });
    for layout in Layout::ALL {
        let mut program = Program::new(step.clone(), &options(layout)).unwrap();
        set(&mut program, "sep.conv_dw.weight", &[1.0]);
        program.input_f32(0).copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
        program.run(RUN);
        let want = [0.75 * 2.5, 0.25 + 0.75 * 5.0 / 3.0];
        for (slot, want) in program.states().iter().zip(want) {
            let got = &program.state()[slot.range.clone()];
            assert_close(&slot.name, got, &[want], &[1e-6]);
        }
    }
}

/// 16 channels with 4 filters of 9 taps each: Slim's fans are 16·9 and 4·9.
#[test]
fn depthwise_weights_start_within_the_bound_of_their_fans() {
    let layer = Separable::new(Some(8), 3).depth_multiplier(4);
    let network = built([1, 16, 4, 4], |n, x| n.separable("sep", x, &layer));
    let mut program = Program::new(inference(&network).unwrap(), &options(Layout::Nhwc)).unwrap();
    initialise(&mut program, 2);
    let bounds = [6.0 / 180.0, 6.0 / 72.0, 0.0].map(f64::sqrt);
    for (slot, bound) in program.slots().iter().zip(bounds) {
        let values = &program.parameters()[slot.range.clone()];
        let largest = values.iter().fold(0f32, |m, v| m.max(v.abs()));
        let largest = f64::from(largest);
        assert!(
            largest <= bound && largest >= 0.98 * bound,
            "{}: {largest} of {bound}",
            slot.name
        );
    }
}
