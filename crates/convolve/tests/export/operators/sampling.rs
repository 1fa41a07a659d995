//! Resizing and spatial transformers.

use geometry::{
    AffineGridDesc, GridInterpolation, GridPadding, GridSampleDesc, NearestRounding,
    ResizeCoordinates, ResizeDesc, ResizeFilter,
};
use graph::{Op, Resizing, SamplingOp};

use super::{Batch, check};

fn resize(resizing: Resizing) -> Op {
    Op::Sampling(SamplingOp::Resize { resizing })
}

#[test]
fn resizing_to_a_size() {
    let nearest = |rounding| ResizeDesc {
        filter: ResizeFilter::Nearest(rounding),
        ..ResizeDesc::linear([7, 9])
    };
    let cases = [
        ("nearest", 13, ResizeDesc::nearest([7, 9])),
        (
            "nearest, halves down",
            13,
            nearest(NearestRounding::HalfDown),
        ),
        ("nearest, halves up", 13, nearest(NearestRounding::HalfUp)),
        ("nearest, up", 13, nearest(NearestRounding::Ceil)),
        ("linear", 13, ResizeDesc::linear([7, 9])),
        (
            "corners",
            13,
            ResizeDesc::linear([7, 9]).coordinates(ResizeCoordinates::AlignCorners),
        ),
        (
            "pytorch",
            13,
            ResizeDesc::linear([1, 9]).coordinates(ResizeCoordinates::PytorchHalfPixel),
        ),
        (
            "symmetric",
            19,
            ResizeDesc::linear([7, 9]).coordinates(ResizeCoordinates::HalfPixelSymmetric),
        ),
        ("cubic", 13, ResizeDesc::cubic([7, 9])),
        ("antialias", 18, ResizeDesc::linear([3, 4]).antialias()),
        ("cubic antialias", 18, ResizeDesc::cubic([3, 4]).antialias()),
    ];
    for (what, oldest, desc) in cases {
        check(what, oldest, Batch::Open, |s| {
            let x = s.input(&[2, 5, 6]);
            vec![s.op(resize(desc.clone().into()), &[x])]
        });
    }
}

#[test]
fn resizing_by_scales_and_boxes() {
    check("scales", 13, Batch::Open, |s| {
        let x = s.input(&[2, 5, 6]);
        let shape = [s.batch, 2, 5, 6];
        let resizing = Resizing::scaled(&shape, &[1.5, 2.0], ResizeDesc::linear).unwrap();
        vec![s.op(resize(resizing), &[x])]
    });
    check("a box", 13, Batch::Open, |s| {
        let x = s.input(&[2, 5, 6]);
        let desc = ResizeDesc::linear([4, 4]).coordinates(ResizeCoordinates::CropAndResize);
        let resizing = Resizing {
            crop: Some(vec![(0.25, 0.75), (-0.5, 1.0)]),
            extrapolation: 3.5,
            ..desc.into()
        };
        vec![s.op(resize(resizing), &[x])]
    });
    check("a volume", 13, Batch::Open, |s| {
        let x = s.input(&[2, 3, 4, 5]);
        vec![s.op(resize(ResizeDesc::nearest([6, 8, 10]).into()), &[x])]
    });
}

#[test]
fn samples_along_a_grid() {
    let interpolations = [
        GridInterpolation::Nearest,
        GridInterpolation::Linear,
        GridInterpolation::Cubic,
    ];
    let paddings = [
        GridPadding::Zeros,
        GridPadding::Border,
        GridPadding::Reflection,
    ];
    for interpolation in interpolations {
        for padding in paddings {
            for corners in [false, true] {
                let desc = GridSampleDesc::new(interpolation)
                    .padding(padding)
                    .align_corners(corners);
                let op = Op::Sampling(SamplingOp::GridSample { desc });
                check("images", 16, Batch::Open, |s| {
                    let (x, grid) = (s.input(&[2, 5, 6]), s.input(&[3, 4, 2]));
                    vec![s.op(op.clone(), &[x, grid])]
                });
                if interpolation != GridInterpolation::Cubic {
                    check("volumes", 20, Batch::Open, |s| {
                        let (x, grid) = (s.input(&[2, 3, 4, 5]), s.input(&[2, 3, 4, 3]));
                        vec![s.op(op.clone(), &[x, grid])]
                    });
                }
            }
        }
    }
}

#[test]
fn affine_grids() {
    for corners in [false, true] {
        for (theta, size) in [
            ([2, 3], vec![3, 4]),
            ([3, 4], vec![2, 3, 4]),
            ([2, 3], vec![1, 4]),
        ] {
            let desc = AffineGridDesc::new(size).align_corners(corners);
            let op = Op::Sampling(SamplingOp::AffineGrid { desc });
            check("grid", 13, Batch::Open, |s| {
                let theta = s.input(&theta);
                vec![s.op(op.clone(), &[theta])]
            });
        }
    }
}
