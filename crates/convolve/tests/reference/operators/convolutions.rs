//! Convolutions and fully connected layers.

use geometry::{ConvDesc, DeformableDesc, Padding, PaddingMode, TransposedDesc};
use graph::{DeformableOp, Op, TransposedOp};

use crate::cases::{Case, Settings};

pub(super) fn operator(case: &Case) -> Option<Op> {
    let s = &case.settings;
    let bias = case.operands.len() == 3;
    Some(match case.op.as_str() {
        "conv" => Op::Conv {
            desc: desc(s).padding_mode(match s.get::<String>("mode").as_str() {
                "zeros" => PaddingMode::Zeros,
                "reflect" => PaddingMode::Reflect,
                "replicate" => PaddingMode::Replicate,
                "circular" => PaddingMode::Circular,
                other => panic!("padding mode {other}"),
            }),
            bias,
            residual: false,
            activation: None,
        },
        "conv transposed" => Op::Transposed(TransposedOp::Conv {
            desc: TransposedDesc::new(desc(s)).output_padding(s.get::<Vec<usize>>("extra")),
            bias,
            residual: false,
            activation: None,
        }),
        "conv deformable" => Op::Deformable(DeformableOp::Conv {
            desc: DeformableDesc::new(desc(s))
                .offset_groups(s.get("offset_groups"))
                .modulated(s.get("mask")),
            bias: s.get("bias"),
        }),
        "linear" => Op::Linear { bias },
        _ => return None,
    })
}

fn desc(s: &Settings) -> ConvDesc {
    let padding: Option<Vec<_>> = s.get("padding");
    ConvDesc::new(s.get("out"), s.get::<Vec<usize>>("kernel"))
        .stride(s.get::<Vec<usize>>("stride"))
        .padding(padding.map_or(Padding::Same, Padding::Explicit))
        .dilation(s.get::<Vec<usize>>("dilation"))
        .groups(s.get("groups"))
}
