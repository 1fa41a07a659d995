//! Problems, every plan that serves them, and who runs it.

use geometry::{ConvGeometry, Problem};
use kernels::conv::{Algorithm, ConvOptions, ConvPlan, Direction};
use kernels::{Isa, Team};
use tensor::Layout;
use testkit::conv::ConvCase;
use testkit::layout::channels_last;

pub(crate) fn resolve(case: &ConvCase) -> ConvGeometry {
    let text = case.to_string();
    match text.parse() {
        Ok(Problem::Conv(shape, desc)) => desc
            .resolve(&shape.dims)
            .unwrap_or_else(|error| panic!("{text}: {error}")),
        other => panic!("{text}: {other:?}"),
    }
}

pub(crate) fn to_layout(layout: Layout, values: &[f32], batch: usize, channels: usize) -> Vec<f32> {
    match layout {
        Layout::Nchw => values.to_vec(),
        Layout::Nhwc => channels_last(values, batch, channels),
    }
}

pub(crate) fn teams() -> Vec<Team> {
    [1, 2, 3, 7]
        .into_iter()
        .map(|threads| Team::new(threads).unwrap())
        .collect()
}

/// A plan, its name, its instructions and its layout.
pub(crate) type Planned = (String, ConvPlan, Isa, Layout);

/// Every plan that serves a problem and is exact on integers.
pub(crate) fn plans(geometry: &ConvGeometry, direction: Direction) -> Vec<Planned> {
    plans_by(geometry, direction, |algorithm| !algorithm.reassociates())
}

/// Every plan that serves a problem by the algorithms that are `meant`.
pub(crate) fn plans_by(
    geometry: &ConvGeometry,
    direction: Direction,
    meant: impl Fn(Algorithm) -> bool,
) -> Vec<Planned> {
    let mut plans = Vec::new();
    for algorithm in Algorithm::ALL.into_iter().filter(|&a| meant(a)) {
        for layout in Layout::ALL {
            for isa in Isa::available() {
                if algorithm == Algorithm::Reference && isa != Isa::Portable {
                    continue;
                }
                let plan = |repacked| {
                    let options = ConvOptions {
                        layout,
                        isa,
                        algorithm: Some(algorithm),
                        repacked,
                        ..ConvOptions::default()
                    };
                    ConvPlan::new(geometry, direction, options)
                };
                let (Ok(kept), Ok(changing)) = (plan(false), plan(true)) else {
                    continue;
                };
                let name = format!(
                    "--direction {direction} --algorithm {algorithm} --layout {layout} on {isa}"
                );
                // Weights that change may be taken as they lie.
                if changing.packs() != kept.packs() {
                    plans.push((format!("{name}, fresh"), changing, isa, layout));
                }
                plans.push((name, kept, isa, layout));
            }
        }
    }
    plans
}
