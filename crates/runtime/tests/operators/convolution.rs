//! Transposed convolutions, and convolutions of other padding modes.

use geometry::{ConvDesc, GeometryError, PaddingMode, Problem, TransposedDesc};
use graph::{Activation, GraphError, Op, OpError, TransposedOp};
use runtime::{Eager, RuntimeError, RuntimeOptions};
use tensor::Tensor;
use testkit::activation::{relu, relu6};
use testkit::rearrange::{Border, pad};
use testkit::{ConvCase, TransposedCase};

use crate::basic::case::Case;

/// The oracle's layer as the operator has it.
fn problem(case: &TransposedCase) -> TransposedDesc {
    match case.to_string().parse() {
        Ok(Problem::ConvTransposed(_, desc)) => desc,
        other => panic!("{case}: {other:?}"),
    }
}

/// `[batch, channels, spatial…]`
fn map(batch: usize, channels: usize, spatial: &[usize]) -> Vec<usize> {
    [&[batch, channels], spatial].concat()
}

struct Shapes {
    input: Vec<usize>,
    weight: Vec<usize>,
    output: Vec<usize>,
}

fn shapes(case: &TransposedCase) -> Shapes {
    let outputs = case.out_channels / case.groups;
    Shapes {
        input: map(case.batch, case.in_channels, &case.input),
        weight: map(case.in_channels, outputs, &case.kernel),
        output: map(case.batch, case.out_channels, &case.output_size()),
    }
}

/// Kernels below the stride, crops, output padding beyond the stride; one, two and three axes.
fn cases() -> Vec<TransposedCase> {
    vec![
        TransposedCase {
            batch: 2,
            in_channels: 3,
            out_channels: 5,
            groups: 1,
            input: vec![4],
            kernel: vec![3],
            stride: vec![2],
            dilation: vec![1],
            before: vec![1],
            after: vec![1],
            output_padding: vec![1],
        },
        TransposedCase {
            batch: 2,
            in_channels: 4,
            out_channels: 6,
            groups: 2,
            input: vec![3, 4],
            kernel: vec![1, 3],
            stride: vec![3, 2],
            dilation: vec![1, 3],
            before: vec![0, 4],
            after: vec![1, 0],
            output_padding: vec![2, 2],
        },
        TransposedCase {
            batch: 1,
            in_channels: 17,
            out_channels: 17,
            groups: 17,
            input: vec![3, 3],
            kernel: vec![2, 4],
            stride: vec![2, 2],
            dilation: vec![1, 1],
            before: vec![0, 1],
            after: vec![0, 1],
            output_padding: vec![0, 0],
        },
        TransposedCase {
            batch: 1,
            in_channels: 2,
            out_channels: 4,
            groups: 2,
            input: vec![2, 3, 2],
            kernel: vec![2, 1, 3],
            stride: vec![1, 2, 3],
            dilation: vec![2, 1, 1],
            before: vec![3, 0, 1],
            after: vec![0, 0, 2],
            output_padding: vec![1, 1, 2],
        },
    ]
}

#[test]
fn transposed_convolutions_with_every_epilogue() {
    for case in cases() {
        let desc = problem(&case);
        let Shapes {
            input,
            weight,
            output,
        } = shapes(&case);
        for (bias, residual, activation) in [
            (false, false, None),
            (true, false, Some(Activation::Relu)),
            (false, true, Some(Activation::Relu6)),
            (true, true, None),
        ] {
            let mut checked = Case::of(Op::Transposed(TransposedOp::Conv {
                desc: desc.clone(),
                bias,
                residual,
                activation,
            }))
            .real(&input)
            .around(&weight, 0.0, 2.0);
            if bias {
                checked = checked.real(&[case.out_channels]);
            }
            if residual {
                checked = checked.around(&output, 1.0, 2.0);
            }
            let (x, w) = (checked.values(0), checked.values(1));
            let mut y = case.forward(x, w, bias.then(|| checked.values(2)));
            if residual {
                let residual = checked.values(2 + usize::from(bias));
                y.iter_mut().zip(residual).for_each(|(y, r)| *y += r);
            }
            let y = match activation {
                Some(Activation::Relu) => relu(&y),
                Some(Activation::Relu6) => relu6(&y),
                _ => y,
            };
            checked.check(&[y]);
        }
    }
}

/// ⟨dy, convᵀ(x)⟩ = ⟨dx, x⟩ = ⟨dw, w⟩ decides what the gradients are, by one product at a time.
#[test]
fn gradients_of_transposed_convolutions_as_operators() {
    for case in cases() {
        let desc = problem(&case);
        let Shapes {
            input,
            weight,
            output,
        } = shapes(&case);
        let units = |len: usize| {
            (0..len).map(move |place| {
                let mut unit = vec![0.0; len];
                unit[place] = 1.0;
                unit
            })
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let op = TransposedOp::BackwardData {
            desc: desc.clone(),
            input: input.clone(),
        };
        let data = Case::of(Op::Transposed(op));
        let data = data.given(&output, 0.0, 1.0).given(&weight, 0.0, 1.0);
        let (dy, w) = (data.values(0), data.values(1));
        let want = units(case.input_len()).map(|x| dot(dy, &case.forward(&x, w, None)));
        let want = want.collect();
        data.check(&[want]);
        let weights = Case::of(Op::Transposed(TransposedOp::BackwardWeights { desc }));
        let weights = weights.given(&output, 0.0, 1.0).given(&input, 0.0, 1.0);
        let (dy, x) = (weights.values(0), weights.values(1));
        let want = units(case.weight_len()).map(|w| dot(dy, &case.forward(x, &w, None)));
        let want = want.collect();
        weights.check(&[want]);
    }
}

#[test]
fn operands_without_meaning_are_refused_with_their_numbers() {
    let eager = Eager::new(RuntimeOptions::default()).unwrap();
    let tensor = |dims: &[usize]| Tensor::<f32>::zeros(dims).unwrap();
    let refusal = |desc: &TransposedDesc, x: &[usize], w: &[usize], b: Option<&[usize]>| {
        let bias = b.map(tensor);
        match eager.conv_transposed(&tensor(x), &tensor(w), bias.as_ref(), desc) {
            Err(RuntimeError::Graph(GraphError::Layer { source, .. })) => *source,
            other => panic!("{other:?}"),
        }
    };
    let conv = ConvDesc::new(2, 3).stride(2);
    let desc = TransposedDesc::new(conv.clone());
    let (x, w): (&[usize], &[usize]) = (&[1, 4, 5, 5], &[4, 2, 3, 3]);
    assert!(matches!(
        refusal(&desc, x, &[2, 4, 3, 3], None),
        OpError::Mismatch {
            input: "weight",
            ..
        }
    ));
    assert!(matches!(
        refusal(&desc, x, w, Some(&[4])),
        OpError::Mismatch { input: "bias", .. }
    ));
    for (desc, x) in [
        (TransposedDesc::new(conv.clone().groups(0)), x),
        (TransposedDesc::new(conv.clone().groups(3)), x),
        (TransposedDesc::new(conv.clone().stride(0)), x),
        (TransposedDesc::new(conv.clone().padding(6)), x),
        (desc.clone().output_padding(2), x),
        (desc.clone().output_padding([1, 1, 1]), x),
        (desc.clone(), &[1, 4]),
        (desc.clone(), &[1, 4, 5, 0]),
    ] {
        let error = refusal(&desc, x, w, None);
        let OpError::Geometry { source, .. } = error else {
            panic!("{desc:?} of {x:?}: {error}");
        };
        assert!(
            !matches!(source, GeometryError::WindowTooLarge { .. }),
            "{source}"
        );
    }
}

/// The convolution of an input that the oracle pads.
#[test]
fn convolutions_of_every_padding_mode() {
    let modes = [
        (PaddingMode::Zeros, Border::Constant),
        (PaddingMode::Reflect, Border::Reflect),
        (PaddingMode::Replicate, Border::Replicate),
        (PaddingMode::Circular, Border::Circular),
    ];
    /// An input's shape, a convolution of it, and the padding it comes to.
    type Problem = (&'static [usize], ConvDesc, &'static [(i64, i64)]);
    let problems: [Problem; 4] = [
        (
            &[2, 3, 7],
            ConvDesc::new(5, 3).stride(2).padding(2),
            &[(2, 2)],
        ),
        (
            &[2, 4, 5, 6],
            ConvDesc::new(6, [3, 2])
                .stride([2, 1])
                .dilation([1, 3])
                .groups(2),
            &[(1, 3), (4, 0)],
        ),
        (
            &[1, 17, 4, 5],
            ConvDesc::new(17, 3).padding(1).groups(17),
            &[(1, 1), (1, 1)],
        ),
        (
            &[1, 2, 3, 4, 3],
            ConvDesc::new(4, [2, 3, 1]),
            &[(1, 0), (2, 2), (0, 1)],
        ),
    ];
    for (mode, border) in modes {
        for (input, desc, amounts) in &problems {
            let pairs: Vec<_> = amounts
                .iter()
                .map(|&(b, a)| (b as usize, a as usize))
                .collect();
            let desc = desc.clone().padding(geometry::Padding::Explicit(pairs));
            let desc = desc.padding_mode(mode);
            let geometry = desc.resolve(input).unwrap();
            let amounts = [&[(0, 0), (0, 0)], *amounts].concat();
            let gather = pad(border, input, &amounts);
            let axes = |number: fn(&geometry::Window) -> usize| -> Vec<usize> {
                geometry.spatial().iter().map(number).collect()
            };
            let inner = ConvCase::new(
                input[0],
                input[1],
                desc.out_channels,
                &gather.output[2..],
                axes(|w| w.kernel),
            )
            .stride(axes(|w| w.stride))
            .dilation(axes(|w| w.dilation))
            .groups(desc.groups);
            let checked = Case::of(Op::Conv {
                desc: desc.clone(),
                bias: true,
                residual: false,
                activation: None,
            })
            .real(input)
            .real(&geometry.weight_shape())
            .real(&[desc.out_channels]);
            let x = gather.forward(checked.values(0), 0.0);
            let y = inner.forward(&x, checked.values(1), Some(checked.values(2)));
            checked.check(&[y]);

            let data = Case::of(Op::ConvBackwardData {
                desc: desc.clone(),
                input: input.to_vec(),
            });
            let data = data.given(&geometry.output_shape(), 0.0, 1.0);
            let data = data.given(&geometry.weight_shape(), 0.0, 1.0);
            let dx = gather.backward(&inner.backward_data(data.values(0), data.values(1)));
            data.check(&[dx]);

            let weights = Case::of(Op::ConvBackwardWeights { desc });
            let weights = weights.given(input, 0.0, 1.0);
            let weights = weights.given(&geometry.output_shape(), 0.0, 1.0);
            let x = gather.forward(weights.values(0), 0.0);
            let dw = inner.backward_weights(&x, weights.values(1));
            weights.check(&[dw]);
        }
    }
}
