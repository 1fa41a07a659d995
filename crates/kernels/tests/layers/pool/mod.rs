//! Pooling kernels against the oracle.

mod adaptive;
mod double;
mod escaped;
mod lp;
mod special;
mod unpool;
mod windows;

use geometry::{PoolDesc, PoolGeometry, PoolKind};
use testkit::PoolCase;

/// The production geometry of a case of the oracle.
fn geometry(case: &PoolCase, kind: PoolKind) -> PoolGeometry {
    let sides = case.before.iter().copied().zip(case.after.iter().copied());
    let desc = PoolDesc {
        kind,
        ..PoolDesc::max(&case.kernel[..])
            .stride(&case.stride[..])
            .dilation(&case.dilation[..])
            .padding(geometry::Padding::Explicit(sides.collect()))
            .ceil(case.ceil)
    };
    let shape = [&[case.batch, case.channels][..], &case.input].concat();
    desc.resolve(&shape).unwrap()
}
