//! Pooling.

use geometry::{AdaptiveDesc, NormOrder, Padding, PoolDesc, PoolKind, UnpoolDesc};
use graph::{Op, PoolingOp};

use super::{Batch, check};

fn pool(desc: PoolDesc) -> Op {
    let indices = false;
    Op::Pool { desc, indices }
}

fn kinds() -> Vec<PoolKind> {
    vec![
        PoolKind::Max,
        PoolKind::Average {
            count_padding: true,
        },
        PoolKind::Average {
            count_padding: false,
        },
        PoolKind::Lp {
            order: NormOrder::TWO,
        },
        PoolKind::Lp {
            order: "2.5".parse().unwrap(),
        },
    ]
}

#[test]
fn windows_of_every_setting() {
    let cases = [
        ("plain", PoolDesc::max(2).stride(2), vec![6, 7]),
        ("padded", PoolDesc::max(3).stride(2).padding(1), vec![7, 8]),
        (
            "rounded up",
            PoolDesc::max(3).stride(2).ceil(true),
            vec![6, 8],
        ),
        (
            "rounded up, padded",
            PoolDesc::max(3).stride(2).padding(1).ceil(true),
            vec![6, 7],
        ),
        (
            "dropped placement",
            PoolDesc::max(2).stride(3).padding(1).ceil(true),
            vec![6, 7],
        ),
        ("dilated", PoolDesc::max(3).dilation(2), vec![7, 8]),
        (
            "dilated, padded",
            PoolDesc::max(3).dilation(2).padding(2),
            vec![7, 8],
        ),
        (
            "wide padding",
            PoolDesc::max(2).padding(Padding::Explicit(vec![(0, 2)])),
            vec![5, 6],
        ),
        (
            "same",
            PoolDesc::max(3).stride(2).padding(Padding::Same),
            vec![6, 8],
        ),
        (
            "line",
            PoolDesc::max(3).stride(2).padding(1).ceil(true),
            vec![8],
        ),
        (
            "volume",
            PoolDesc::max(2).stride(2).ceil(true),
            vec![4, 5, 3],
        ),
    ];
    for (what, desc, spatial) in cases {
        for kind in kinds() {
            let desc = PoolDesc {
                kind,
                ..desc.clone()
            };
            check(&format!("{what} {kind:?}"), 13, Batch::Open, |s| {
                let x = s.input(&[&[3], &*spatial].concat());
                vec![s.op(pool(desc.clone()), &[x])]
            });
        }
    }
}

#[test]
fn whole_planes_and_bins() {
    for spatial in [vec![6, 8], vec![7, 5], vec![9], vec![3, 4, 5]] {
        let x = [&[3], &*spatial].concat();
        check("global average", 13, Batch::Open, |s| {
            let x = s.input(&x);
            vec![s.op(Op::GlobalAveragePool, &[x])]
        });
        for bins in [1, 2, 3] {
            let fractional: NormOrder = "1.5".parse().unwrap();
            for desc in [
                AdaptiveDesc::max(bins),
                AdaptiveDesc::average(bins),
                AdaptiveDesc::lp(NormOrder::TWO, bins),
                AdaptiveDesc::lp(fractional, bins),
            ] {
                check(&format!("{desc:?} of {spatial:?}"), 13, Batch::Open, |s| {
                    let x = s.input(&x);
                    let (desc, indices) = (desc.clone(), false);
                    vec![s.op(Op::Pooling(PoolingOp::Adaptive { desc, indices }), &[x])]
                });
            }
        }
    }
}

#[test]
fn places_of_maxima_and_the_way_back() {
    let unpool = |output: Option<[usize; 2]>| {
        let desc = UnpoolDesc::new(2);
        match output {
            Some(output) => desc.output(output),
            None => desc,
        }
    };
    for (spatial, output, batch) in [
        ([6, 8], None, Batch::Open),
        // The size is given as a number, the batch with it.
        ([7, 9], Some([7, 9]), Batch::Fixed),
    ] {
        check("unpooled", 13, batch, |s| {
            let x = s.input(&[&[3], &spatial[..]].concat());
            let desc = PoolDesc::max(2).stride(2);
            let indices = true;
            let made = s.all(Op::Pool { desc, indices }, &[x]);
            let desc = unpool(output);
            let y = s.op(Op::Pooling(PoolingOp::MaxUnpool { desc }), &made);
            vec![y, made[1]]
        });
    }
}
