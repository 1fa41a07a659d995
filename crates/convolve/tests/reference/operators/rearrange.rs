//! Operators that only move elements.

use geometry::{PadDesc, PadMode, PixelShuffleDesc, SliceDesc};
use graph::{Op, RearrangeOp};

use crate::cases::{Case, Settings};

pub(super) fn operator(case: &Case) -> Option<Op> {
    let s = &case.settings;
    let op = match case.op.as_str() {
        "concat of channels" => return Some(Op::Concat),
        "channel slice" => {
            let (start, count) = (s.get("start"), s.get("count"));
            return Some(Op::ChannelSlice { start, count });
        }
        "flatten" => return Some(Op::Flatten),
        "unflatten" => {
            let shape = s.get("shape");
            return Some(Op::Unflatten { shape });
        }
        "pad" => RearrangeOp::Pad {
            desc: pad(s),
            value: s.get("value"),
        },
        "slice" => {
            let ranges = s.get::<Vec<(i64, i64, i64, i64)>>("ranges").into_iter();
            let desc = ranges.fold(SliceDesc::new(), |desc, (axis, start, stop, step)| {
                desc.axis(axis, start, stop, step)
            });
            RearrangeOp::Slice { desc }
        }
        "concat" => {
            let axis = s.get("axis");
            RearrangeOp::Concat { axis }
        }
        "permute" => {
            let axes = s.get("axes");
            RearrangeOp::Permute { axes }
        }
        "pixel shuffle" => {
            let desc = factor(s);
            RearrangeOp::PixelShuffle { desc }
        }
        "pixel unshuffle" => {
            let desc = factor(s);
            RearrangeOp::PixelUnshuffle { desc }
        }
        "channel shuffle" => {
            let groups = s.get("groups");
            RearrangeOp::ChannelShuffle { groups }
        }
        "reshape" => {
            let shape = s.get("shape");
            RearrangeOp::Reshape { shape }
        }
        _ => return None,
    };
    Some(Op::Rearrange(op))
}

fn pad(s: &Settings) -> PadDesc {
    let mode = match s.get::<String>("mode").as_str() {
        "constant" => PadMode::Constant,
        "reflect" => PadMode::Reflect,
        "replicate" => PadMode::Replicate,
        "circular" => PadMode::Circular,
        other => panic!("padding mode {other}"),
    };
    PadDesc::new(mode, &s.get::<Vec<(i64, i64)>>("amounts"))
}

fn factor(s: &Settings) -> PixelShuffleDesc {
    PixelShuffleDesc::new(s.get::<usize>("factor"))
}
