//! Convolutions and matrix products.

use geometry::{ConvDesc, DeformableDesc, Padding, PaddingMode, TransposedDesc};
use graph::{Activation, DeformableOp, Op, TransposedOp};

use super::{Batch, check};

fn conv(desc: ConvDesc, bias: bool, residual: bool, activation: Option<Activation>) -> Op {
    Op::Conv {
        desc,
        bias,
        residual,
        activation,
    }
}

#[test]
fn convolutions_of_every_setting() {
    let cases = [
        ("plain", ConvDesc::new(4, 3).padding(1), vec![7, 6]),
        (
            "strided",
            ConvDesc::new(4, [3, 2]).stride([2, 1]).dilation([1, 2]),
            vec![9, 8],
        ),
        (
            "same",
            ConvDesc::new(4, 4).stride(3).padding(Padding::Same),
            vec![8, 7],
        ),
        (
            "same, lower",
            ConvDesc::new(4, 4).padding(Padding::SameLower),
            vec![8, 7],
        ),
        (
            "full",
            ConvDesc::new(4, 3).padding(Padding::Full),
            vec![5, 5],
        ),
        ("groups", ConvDesc::new(4, 3).groups(2), vec![5, 5]),
        ("line", ConvDesc::new(4, 3).padding(1), vec![11]),
        ("volume", ConvDesc::new(4, 3).padding(1), vec![4, 5, 3]),
    ];
    for (what, desc, spatial) in cases {
        check(what, 13, Batch::Open, |s| {
            let x = s.input(&[&[4], &*spatial].concat());
            let kernel = desc.kernel.expand("kernel", spatial.len()).unwrap();
            let weight = [&[4, 4 / desc.groups], &*kernel].concat();
            let weight = s.parameter("weight", &weight);
            let bias = s.parameter("bias", &[4]);
            vec![s.op(conv(desc.clone(), true, false, None), &[x, weight, bias])]
        });
    }
}

#[test]
fn paddings_taken_from_the_input() {
    for mode in [
        PaddingMode::Reflect,
        PaddingMode::Replicate,
        PaddingMode::Circular,
    ] {
        check(&mode.to_string(), 13, Batch::Open, |s| {
            let x = s.input(&[2, 5, 6]);
            let weight = s.parameter("weight", &[3, 2, 3, 3]);
            let pads = Padding::Explicit(vec![(1, 2), (2, 0)]);
            let desc = ConvDesc::new(3, 3).padding(pads).padding_mode(mode);
            vec![s.op(conv(desc, false, false, None), &[x, weight])]
        });
    }
}

#[test]
fn what_is_fused_is_written_out() {
    for activation in [None, Some(Activation::Relu), Some(Activation::Relu6)] {
        check("residual and activation", 13, Batch::Open, |s| {
            let x = s.input(&[3, 5, 5]);
            let residual = s.input(&[4, 5, 5]);
            let weight = s.parameter("weight", &[4, 3, 3, 3]);
            let bias = s.parameter("bias", &[4]);
            let desc = ConvDesc::new(4, 3).padding(1);
            let op = conv(desc, true, true, activation);
            vec![s.op(op, &[x, weight, bias, residual])]
        });
    }
}

#[test]
fn transposed_convolutions() {
    let cases = [
        (
            "doubling",
            TransposedDesc::new(ConvDesc::new(4, 2).stride(2)),
        ),
        (
            "output padding",
            TransposedDesc::new(ConvDesc::new(4, 3).stride(2).padding(1)).output_padding(1),
        ),
        (
            "same",
            TransposedDesc::new(ConvDesc::new(4, 4).stride(3).padding(Padding::Same)),
        ),
        (
            "same with gaps",
            TransposedDesc::new(ConvDesc::new(4, 2).stride(3).padding(Padding::SameLower)),
        ),
        (
            "dilated, groups",
            TransposedDesc::new(ConvDesc::new(4, 3).dilation(2).groups(2)),
        ),
    ];
    for (what, desc) in cases {
        for residual in [false, true] {
            check(what, 13, Batch::Open, |s| {
                let x = s.input(&[4, 5, 4]);
                let kernel = desc.conv.kernel.expand("kernel", 2).unwrap();
                let weight = [&[4, 4 / desc.conv.groups], &*kernel].concat();
                let weight = s.parameter("weight", &weight);
                let bias = s.parameter("bias", &[4]);
                let mut inputs = vec![x, weight, bias];
                if residual {
                    let geometry = desc.resolve(&[1, 4, 5, 4]).unwrap();
                    inputs.push(s.input(&geometry.input_shape()[1..]));
                }
                let op = TransposedOp::Conv {
                    desc: desc.clone(),
                    bias: true,
                    residual,
                    activation: Some(Activation::Relu),
                };
                vec![s.op(Op::Transposed(op), &inputs)]
            });
        }
    }
}

#[test]
fn deformable_convolutions_need_set_19() {
    for (modulated, bias) in [(false, false), (true, false), (false, true), (true, true)] {
        check("deformable", 19, Batch::Open, |s| {
            let conv = ConvDesc::new(4, 3).padding(1).stride(2);
            let desc = DeformableDesc::new(conv)
                .offset_groups(2)
                .modulated(modulated);
            let mut inputs = vec![s.input(&[4, 7, 6]), s.input(&[36, 4, 3])];
            if modulated {
                inputs.push(s.input(&[18, 4, 3]));
            }
            inputs.push(s.parameter("weight", &[4, 4, 3, 3]));
            if bias {
                inputs.push(s.parameter("bias", &[4]));
            }
            vec![s.op(Op::Deformable(DeformableOp::Conv { desc, bias }), &inputs)]
        });
    }
}

#[test]
fn linear_layers() {
    for bias in [false, true] {
        check("linear", 13, Batch::Open, |s| {
            let x = s.input(&[2, 3, 4]);
            let x = s.op(Op::Flatten, &[x]);
            let mut inputs = vec![x, s.parameter("weight", &[5, 24])];
            if bias {
                inputs.push(s.parameter("bias", &[5]));
            }
            vec![s.op(Op::Linear { bias }, &inputs)]
        });
    }
}
