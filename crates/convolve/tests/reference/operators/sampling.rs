//! Spatial transformers and resizing.

use geometry::{
    AffineGridDesc, GridInterpolation, GridPadding, GridSampleDesc, NearestRounding,
    ResizeCoordinates, ResizeDesc, ResizeFilter,
};
use graph::{Op, Resizing, SamplingOp};

use crate::cases::{Case, Settings};

pub(super) fn operator(case: &Case) -> Option<Op> {
    let s = &case.settings;
    let op = match case.op.as_str() {
        "affine grid" => SamplingOp::AffineGrid {
            desc: AffineGridDesc::new(s.get::<Vec<usize>>("size")).align_corners(s.get("align")),
        },
        "grid sample" => SamplingOp::GridSample {
            desc: GridSampleDesc {
                interpolation: match s.get::<String>("mode").as_str() {
                    "nearest" => GridInterpolation::Nearest,
                    "bilinear" => GridInterpolation::Linear,
                    "bicubic" => GridInterpolation::Cubic,
                    other => panic!("mode {other}"),
                },
                padding: match s.get::<String>("padding").as_str() {
                    "zeros" => GridPadding::Zeros,
                    "border" => GridPadding::Border,
                    "reflection" => GridPadding::Reflection,
                    other => panic!("padding {other}"),
                },
                align_corners: s.get("align"),
            },
        },
        "resize" => {
            let x = &case.operands[0].dims;
            let resizing = match s.get::<Option<Vec<f64>>>("scales") {
                Some(scales) => Resizing::scaled(x, &scales, |size| resize(s, size)).unwrap(),
                None => resize(s, s.get("size")).into(),
            };
            SamplingOp::Resize { resizing }
        }
        _ => return None,
    };
    Some(Op::Sampling(op))
}

fn resize(s: &Settings, size: Vec<usize>) -> ResizeDesc {
    let desc = match s.get::<String>("mode").as_str() {
        "nearest" => ResizeDesc::nearest(size),
        "nearest-exact" => ResizeDesc {
            filter: ResizeFilter::Nearest(NearestRounding::HalfUp),
            ..ResizeDesc::linear(size)
        },
        "linear" | "bilinear" | "trilinear" => ResizeDesc::linear(size),
        "bicubic" => ResizeDesc::cubic(size),
        other => panic!("mode {other}"),
    };
    match (s.get("align"), s.get("antialias")) {
        (true, _) => desc.coordinates(ResizeCoordinates::AlignCorners),
        (false, true) => desc.antialias(),
        (false, false) => desc,
    }
}
