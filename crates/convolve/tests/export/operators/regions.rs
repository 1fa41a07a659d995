//! Pooling over regions, by ONNX's operators and by those of domain `convolve`.

use geometry::RegionsDesc;
use graph::{AlignSettings, Op, RegionOp};

use super::{Batch, check};

#[test]
fn aligned_regions() {
    for aligned in [false, true] {
        for sampling in [0, 2] {
            check("align", if aligned { 16 } else { 13 }, Batch::Open, |s| {
                let x = s.input(&[3, 8, 9]);
                let regions = s.fixed_input(&[5, 5]);
                let settings = AlignSettings {
                    scale: 0.75,
                    sampling,
                    aligned,
                    gamma: None,
                };
                let desc = RegionsDesc::new([2, 3]);
                vec![s.op(
                    Op::Region(RegionOp::Align { desc, settings }),
                    &[x, regions],
                )]
            });
        }
    }
}

#[test]
fn regions_of_the_own_domain() {
    check("position-sensitive align", 13, Batch::Open, |s| {
        let x = s.input(&[12, 8, 9]);
        let regions = s.fixed_input(&[5, 5]);
        let desc = RegionsDesc::new([2, 3]).position_sensitive(true);
        let settings = AlignSettings {
            sampling: 2,
            ..AlignSettings::default()
        };
        vec![s.op(
            Op::Region(RegionOp::Align { desc, settings }),
            &[x, regions],
        )]
    });
    check("moved bins", 13, Batch::Open, |s| {
        let x = s.input(&[3, 8, 9]);
        let regions = s.fixed_input(&[5, 5]);
        let offset = s.fixed_input(&[5, 2, 2, 3]);
        let desc = RegionsDesc::new([2, 3]);
        let settings = AlignSettings {
            gamma: Some(0.25),
            aligned: false,
            ..AlignSettings::default()
        };
        let op = RegionOp::Align { desc, settings };
        vec![s.op(Op::Region(op), &[x, regions, offset])]
    });
    for sensitive in [false, true] {
        check("mean over pixels", 13, Batch::Open, |s| {
            let x = s.input(&[12, 8, 9]);
            let regions = s.fixed_input(&[5, 5]);
            let desc = RegionsDesc::new([2, 3]).position_sensitive(sensitive);
            vec![s.op(
                Op::Region(RegionOp::Average { desc, scale: 0.5 }),
                &[x, regions],
            )]
        });
    }
}

#[test]
fn maxima_of_regions() {
    for sensitive in [false, true] {
        check("maximum", 13, Batch::Open, |s| {
            let x = s.input(&[12, 8, 9]);
            let regions = s.fixed_input(&[5, 5]);
            let desc = RegionsDesc::new([2, 3]).position_sensitive(sensitive);
            vec![s.op(
                Op::Region(RegionOp::Max { desc, scale: 0.75 }),
                &[x, regions],
            )]
        });
    }
}
