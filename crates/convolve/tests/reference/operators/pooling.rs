//! Pooling over windows, to bins, and over regions.

use geometry::{AdaptiveDesc, NormOrder, Padding, PoolDesc, PoolKind, RegionsDesc, UnpoolDesc};
use graph::{AlignSettings, Op, PoolingOp, RegionOp};

use crate::cases::{Case, Settings};

pub(super) fn operator(case: &Case) -> Option<Op> {
    let s = &case.settings;
    let indices = true;
    Some(match case.op.as_str() {
        "max pool" => window(s, PoolKind::Max),
        "average pool" => {
            let count_padding = s.get("counts");
            window(s, PoolKind::Average { count_padding })
        }
        "lp pool" => window(s, PoolKind::Lp { order: order(s) }),
        "adaptive max pool" | "global max pool" => {
            let desc = AdaptiveDesc::max(s.get::<Vec<usize>>("output"));
            Op::Pooling(PoolingOp::Adaptive { desc, indices })
        }
        "adaptive average pool" => {
            let desc = AdaptiveDesc::average(s.get::<Vec<usize>>("output"));
            Op::Pooling(PoolingOp::Adaptive { desc, indices })
        }
        "global lp pool" => {
            let desc = AdaptiveDesc::lp(order(s), 1);
            Op::Pooling(PoolingOp::Adaptive { desc, indices })
        }
        "global average pool" => Op::GlobalAveragePool,
        "max unpool" => {
            let desc = UnpoolDesc::new(s.get::<Vec<usize>>("kernel"))
                .stride(s.get::<Vec<usize>>("stride"))
                .padding(padding(s));
            let output = s.get::<Option<Vec<usize>>>("output").map(Into::into);
            let desc = UnpoolDesc { output, ..desc };
            Op::Pooling(PoolingOp::MaxUnpool { desc })
        }
        "roi align" => align(s, s.get("aligned"), false),
        "ps roi align" => align(s, true, true),
        "roi pool" => Op::Region(RegionOp::Max {
            desc: bins(s),
            scale: s.get("scale"),
        }),
        "ps roi pool" => Op::Region(RegionOp::Average {
            desc: bins(s).position_sensitive(true),
            scale: s.get("scale"),
        }),
        _ => return None,
    })
}

fn window(s: &Settings, kind: PoolKind) -> Op {
    let desc = PoolDesc::max(s.get::<Vec<usize>>("kernel"))
        .stride(s.get::<Vec<usize>>("stride"))
        .padding(padding(s))
        .dilation(s.get::<Vec<usize>>("dilation"))
        .ceil(s.get("ceil"));
    Op::Pool {
        desc: PoolDesc { kind, ..desc },
        indices: kind == PoolKind::Max,
    }
}

fn order(s: &Settings) -> NormOrder {
    NormOrder::from_millionths((s.get::<f64>("order") * 1e6) as u64).unwrap()
}

fn padding(s: &Settings) -> Padding {
    Padding::per_axis(&s.get::<Vec<usize>>("padding"))
}

fn bins(s: &Settings) -> RegionsDesc {
    RegionsDesc::new(s.get::<Vec<usize>>("bins"))
}

fn align(s: &Settings, aligned: bool, position_sensitive: bool) -> Op {
    Op::Region(RegionOp::Align {
        desc: bins(s).position_sensitive(position_sensitive),
        settings: AlignSettings {
            scale: s.get("scale"),
            sampling: s.get("sampling"),
            aligned,
            gamma: None,
        },
    })
}
