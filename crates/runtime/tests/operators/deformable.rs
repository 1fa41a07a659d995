use geometry::{ConvDesc, DeformableDesc};
use graph::{DeformableOp, Graph, NetworkBuilder, Op, passes};
use runtime::eager::{Element, Given};
use runtime::{Eager, Program, Run, RuntimeOptions, initialise};
use tensor::{Layout, Tensor};
use testkit::compare::widen;
use testkit::deformable::Inputs;
use testkit::{ConvCase, DeformableCase, Draw, gradient};

/// torchvision's own test, with fewer images.
fn case() -> DeformableCase {
    let conv = ConvCase::new(3, 6, 4, [5, 4], [3, 2])
        .stride([2, 1])
        .padding([1, 0])
        .dilation([2, 1])
        .groups(2);
    DeformableCase {
        conv,
        offset_groups: 3,
    }
}

fn desc(modulated: bool) -> DeformableDesc {
    let conv = ConvDesc::new(4, [3, 2])
        .stride([2, 1])
        .padding([1, 0])
        .dilation([2, 1])
        .groups(2);
    DeformableDesc::new(conv)
        .offset_groups(3)
        .modulated(modulated)
}

const SHAPES: [&[usize]; 5] = [
    &[3, 6, 5, 4],
    &[3, 36, 2, 3],
    &[3, 18, 2, 3],
    &[4, 3, 3, 2],
    &[3, 4, 2, 3],
];

/// x, offset, mask, weight and dy: integers, or quarters, so that every sum is exact.
fn numbers(seed: u64) -> [Vec<f32>; 5] {
    let mut draw = Draw::new(seed);
    let len = |place: usize| SHAPES[place].iter().product::<usize>();
    let mut quarters = |len, below, from: f32| -> Vec<f32> {
        (0..len)
            .map(|_| draw.below(below) as f32 / 4.0 + from)
            .collect()
    };
    let (offset, mask) = (quarters(len(1), 17, -2.0), quarters(len(2), 5, 0.0));
    [
        draw.integers(len(0)),
        offset,
        mask,
        draw.integers(len(3)),
        draw.integers(len(4)),
    ]
}

fn tensors<T: Element>(numbers: &[Vec<f32>; 5]) -> [Tensor<T>; 5] {
    std::array::from_fn(|place| {
        let of = |&v: &f32| T::of(v.into());
        let elements: Vec<T> = numbers[place].iter().map(of).collect();
        Tensor::from_slice(SHAPES[place], &elements).unwrap()
    })
}

/// Output, and the gradients of x, offset, mask (if any) and weight.
fn eager<T: Element>(eager: &Eager, numbers: &[Vec<f32>; 5], modulated: bool) -> Vec<Vec<f64>> {
    let [x, offset, mask, weight, dy] = tensors::<T>(numbers);
    let desc = desc(modulated);
    let mask = modulated.then_some(&mask);
    let y = eager.deform_conv2d(&x, &offset, mask, &weight, None, &desc);
    let given = [Some(&x), Some(&offset), mask, Some(&weight)];
    let given: Vec<_> = given.into_iter().flatten().map(Given::Real).collect();
    let op = Op::Deformable(DeformableOp::Conv { desc, bias: false });
    let places: Vec<_> = (0..given.len()).collect();
    let gradients = eager.pullback(op, &given, &dy, &places).unwrap();
    let all = [y.unwrap()].into_iter().chain(gradients);
    all.map(|tensor| tensor.data().iter().map(|v| v.wide()).collect())
        .collect()
}

#[test]
fn equals_the_oracle_in_both_precisions_and_layouts() {
    for modulated in [false, true] {
        let numbers = numbers(1);
        let [x, offset, mask, w, dy] = numbers.each_ref().map(|values| widen(values));
        let inputs = Inputs {
            x: &x,
            offset: &offset,
            mask: modulated.then_some(&mask[..]),
            w: &w,
        };
        let gradients = case().backward(inputs, &dy);
        let mut want = vec![case().forward(inputs, None), gradients.x, gradients.offset];
        want.extend(modulated.then_some(gradients.mask));
        want.push(gradients.w);
        for layout in Layout::ALL {
            for threads in [1, 3] {
                let engine = Eager::new(RuntimeOptions {
                    layout,
                    threads,
                    ..RuntimeOptions::default()
                })
                .unwrap();
                let name = format!("{layout} {threads} modulated {modulated}");
                assert_eq!(eager::<f32>(&engine, &numbers, modulated), want, "{name}");
                assert_eq!(eager::<f64>(&engine, &numbers, modulated), want, "{name}");
            }
        }
    }
}

#[test]
fn a_bias_is_added_and_gets_its_gradient() {
    let engine = Eager::new(RuntimeOptions::default()).unwrap();
    let [x, offset, _, weight, dy] = tensors::<f32>(&numbers(2));
    let bias = Tensor::from_slice(&[4], &[1.0, -2.0, 3.0, -4.0]).unwrap();
    let desc = desc(false);
    let plain = engine.deform_conv2d(&x, &offset, None, &weight, None, &desc);
    let moved = engine.deform_conv2d(&x, &offset, None, &weight, Some(&bias), &desc);
    let (plain, moved) = (plain.unwrap(), moved.unwrap());
    for (index, (plain, moved)) in plain.data().iter().zip(moved.data()).enumerate() {
        assert_eq!(*moved, plain + bias.data()[index / 6 % 4]);
    }
    let op = Op::Deformable(DeformableOp::Conv { desc, bias: true });
    let given = [&x, &offset, &weight, &bias].map(Given::Real);
    let gradient = engine.pullback(op, &given, &dy, &[3]).unwrap().remove(0);
    let mut want = [0.0; 4];
    for (index, dy) in dy.data().iter().enumerate() {
        want[index / 6 % 4] += dy;
    }
    assert_eq!(gradient.data(), want);
}

#[test]
fn double_precision_gradients_are_differences() {
    let engine = Eager::new(RuntimeOptions::default()).unwrap();
    let mut draw = Draw::new(3);
    let reals: [Vec<f64>; 5] = std::array::from_fn(|place| {
        let reals = widen(&draw.reals(SHAPES[place].iter().product()));
        match place {
            // Away from pixels, where the slope jumps.
            1 => reals
                .iter()
                .map(|v| (2.0 * v).floor() + 0.1 + 0.8 * v.abs())
                .collect(),
            _ => reals,
        }
    });
    let tensor = |place: usize, values: &[f64]| Tensor::from_slice(SHAPES[place], values).unwrap();
    let op = Op::Deformable(DeformableOp::Conv {
        desc: desc(true),
        bias: false,
    });
    let given: Vec<_> = (0..4).map(|place| tensor(place, &reals[place])).collect();
    let dy = tensor(4, &reals[4]);
    let read: Vec<_> = given.iter().map(Given::Real).collect();
    let gradients = engine
        .pullback(op.clone(), &read, &dy, &[0, 1, 2, 3])
        .unwrap();
    for (place, gradient) in gradients.iter().enumerate() {
        let loss = |at: &[f64]| -> f64 {
            let moved = tensor(place, at);
            let mut read = read.clone();
            read[place] = Given::Real(&moved);
            let y = engine.apply(op.clone(), &read).unwrap().remove(0).real();
            y.data().iter().zip(&reals[4]).map(|(y, dy)| y * dy).sum()
        };
        gradient::check(loss, &reals[place], gradient.data())
            .unwrap_or_else(|mismatch| panic!("input {place}: {mismatch}"));
    }
}

#[test]
fn operands_that_do_not_fit_say_their_numbers() {
    let engine = Eager::new(RuntimeOptions::default()).unwrap();
    let [x, offset, mask, weight, _] = tensors::<f32>(&numbers(4));
    let message = |mask: Option<&Tensor<f32>>, offset: &Tensor<f32>, desc: &DeformableDesc| {
        let refused = engine.deform_conv2d(&x, offset, mask, &weight, None, desc);
        refused.unwrap_err().to_string()
    };
    let wrong = message(None, &mask, &desc(false));
    assert!(
        wrong.contains("[3, 18, 2, 3]") && wrong.contains("[3, 36, 2, 3]"),
        "{wrong}"
    );
    let wrong = message(None, &offset, &desc(false).offset_groups(4));
    assert!(
        wrong.contains("6 input channels do not divide into 4 offset groups"),
        "{wrong}"
    );
    let wrong = message(None, &offset, &desc(false).offset_groups(0));
    assert!(
        wrong.contains("offset groups must be at least 1"),
        "{wrong}"
    );
    let wrong = message(Some(&offset), &offset, &desc(true));
    assert!(
        wrong.contains("mask") && wrong.contains("[3, 36, 2, 3]"),
        "{wrong}"
    );
    // A mask without modulation, and modulation without a mask.
    assert!(
        engine
            .deform_conv2d(&x, &offset, Some(&mask), &weight, None, &desc(false))
            .is_err()
    );
    assert!(
        engine
            .deform_conv2d(&x, &offset, None, &weight, None, &desc(true))
            .is_err()
    );
}

/// A network whose convolution learns its offsets, and its mask.
fn network(modulated: bool) -> Graph {
    let mut network = NetworkBuilder::new("deformable", [3, 6, 9, 8]);
    let x = network.input();
    let conv = ConvDesc::new(5, 3).stride(2).padding(1);
    let desc = DeformableDesc::new(conv)
        .offset_groups(2)
        .modulated(modulated);
    let y = network.deformable_layer("conv", x, desc, true).unwrap();
    let y = network.relu(y).unwrap();
    let y = network.global_average_pool(y).unwrap();
    let y = network.flatten(y).unwrap();
    network.finish(y).unwrap()
}

#[test]
fn a_network_with_a_deformable_layer_is_the_plain_one_until_its_offsets_learn() {
    let [network, masked] = [false, true].map(network);
    let mut plain = NetworkBuilder::new("plain", [3, 6, 9, 8]);
    let x = plain.input();
    let conv = ConvDesc::new(5, 3).stride(2).padding(1);
    let y = plain.conv("conv", x, conv, true).unwrap();
    let y = plain.relu(y).unwrap();
    let y = plain.global_average_pool(y).unwrap();
    let y = plain.flatten(y).unwrap();
    let plain = plain.finish(y).unwrap();
    let images = Draw::new(5).integers(3 * 6 * 9 * 8);
    let weight = Draw::new(6).integers(5 * 54);
    for layout in Layout::ALL {
        let options = RuntimeOptions {
            layout,
            threads: 2,
            ..RuntimeOptions::default()
        };
        // A mask starts at one half.
        let outputs = [(&network, 1.0), (&plain, 1.0), (&masked, 2.0)].map(|(graph, factor)| {
            let graph = passes::inference(graph).unwrap();
            let mut program = Program::new(graph, &options).unwrap();
            let slots = program.slots().to_vec();
            for slot in slots {
                let values = &mut program.parameters_mut()[slot.range.clone()];
                match slot.name.as_str() {
                    "conv.weight" => {
                        for (value, weight) in values.iter_mut().zip(&weight) {
                            *value = factor * weight;
                        }
                    }
                    "conv.bias" => values.fill(3.0),
                    _ => values.fill(0.0),
                }
            }
            program.input_f32(0).copy_from_slice(&images);
            program.run(Run::default());
            // Again, with the weights packed by the first run.
            program.run(Run::default());
            program.output(0).to_vec()
        });
        assert_eq!(outputs[0], outputs[1], "{layout}");
        assert_eq!(outputs[2], outputs[1], "{layout} under a mask");
    }
}

#[test]
fn training_moves_the_offsets_and_the_mask() {
    for modulated in [false, true] {
        let options = passes::TrainingOptions::default();
        let training = passes::training(&network(modulated), options).unwrap();
        let one = gradients(&training, Layout::Nhwc, 1);
        assert_eq!(one, gradients(&training, Layout::Nhwc, 3));
        let first = gradients(&training, Layout::Nchw, 1);
        for ((name, one), (_, first)) in one.iter().zip(&first) {
            assert!(one.iter().any(|&v| v != 0.0), "{name} has no gradient");
            for (one, first) in one.iter().zip(first) {
                assert!((one - first).abs() <= 1e-5, "{name}: {one} and {first}");
            }
        }
    }
}

/// The gradient of every parameter after one step.
fn gradients(training: &Graph, layout: Layout, threads: usize) -> Vec<(String, Vec<f32>)> {
    let options = RuntimeOptions {
        layout,
        threads,
        ..RuntimeOptions::default()
    };
    let mut program = Program::new(training.clone(), &options).unwrap();
    initialise(&mut program, 7);
    let images = Draw::new(8).reals(3 * 6 * 9 * 8);
    program.input_f32(0).copy_from_slice(&images);
    program.input_index(1).copy_from_slice(&[0, 3, 1]);
    program.run(Run::default());
    let slots = program.slots().iter();
    slots
        .map(|slot| {
            let gradient = program.gradients()[slot.range.clone()].to_vec();
            (slot.name.clone(), gradient)
        })
        .collect()
}
