//! Pooling over regions of interest.

use std::sync::Arc;

use geometry::RegionsGeometry;
use graph::{AlignSettings, RegionOp};
use kernels::regions::align::{AlignOptions, Moves};
use kernels::regions::{align, average, max};
use kernels::{Context, Real};

use super::{Generic, Kernel, Lies, Operands, Shapes};

/// The kernel of an operator.
pub(super) fn kernel(op: &RegionOp, shapes: Shapes<'_>) -> Arc<dyn Kernel> {
    let resolve = |desc: &geometry::RegionsDesc, input: &[usize], regions: usize| {
        let resolved = desc.resolve(input, shapes.input(regions));
        resolved.expect("inference resolved the same")
    };
    match op {
        RegionOp::Align { desc, settings } => Arc::new(Align {
            geometry: resolve(desc, shapes.input(0), 1),
            settings: *settings,
            way: Way::Forward,
        }),
        RegionOp::AlignBackward {
            desc,
            settings,
            input,
        } => Arc::new(Align {
            geometry: resolve(desc, input, 1),
            settings: *settings,
            way: Way::Backward,
        }),
        RegionOp::AlignBackwardOffset { desc, settings } => Arc::new(Align {
            geometry: resolve(desc, shapes.input(1), 2),
            settings: *settings,
            way: Way::BackwardOffset,
        }),
        &RegionOp::Max { ref desc, scale } => Arc::new(Max {
            geometry: resolve(desc, shapes.input(0), 1),
            scale,
        }),
        RegionOp::MaxBackward { desc, input } => Arc::new(MaxBackward {
            geometry: resolve(desc, input, 1),
        }),
        &RegionOp::Average { ref desc, scale } => Arc::new(Average {
            geometry: resolve(desc, shapes.input(0), 1),
            scale,
            way: Way::Forward,
        }),
        &RegionOp::AverageBackward {
            ref desc,
            scale,
            ref input,
        } => Arc::new(Average {
            geometry: resolve(desc, input, 1),
            scale,
            way: Way::Backward,
        }),
    }
}

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Forward,
    Backward,
    BackwardOffset,
}

#[derive(Debug)]
struct Align {
    geometry: RegionsGeometry,
    settings: AlignSettings,
    way: Way,
}

impl Generic for Align {
    fn reads(&self, place: usize) -> Lies {
        // dy, x, regions, offset; otherwise the regions come second.
        let regions = if self.way == Way::BackwardOffset {
            2
        } else {
            1
        };
        matrix_at(place, regions)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (g, layout) = (&self.geometry, operands.layout);
        let AlignSettings {
            scale,
            sampling,
            aligned,
            gamma,
        } = self.settings;
        let options = AlignOptions {
            scale,
            sampling,
            aligned,
        };
        let moves = |place: usize| {
            gamma.map(|gamma| Moves {
                offset: operands.real(place),
                gamma,
            })
        };
        let real = |place: usize| operands.real(place);
        let (first, second) = (real(0), real(1));
        match self.way {
            Way::Forward => {
                let moves = moves(2);
                let y = operands.outputs[0].real();
                align::forward(ctx, layout, g, options, second, moves, first, y);
            }
            Way::Backward => {
                let moves = moves(2);
                let dx = operands.outputs[0].real();
                align::backward(ctx, layout, g, options, second, moves, first, dx);
            }
            Way::BackwardOffset => {
                let (regions, moves) = (real(2), moves(3).expect("inference asked for a gamma"));
                let doffset = operands.outputs[0].real();
                align::backward_offset(
                    ctx, layout, g, options, regions, moves, second, first, doffset,
                );
            }
        }
    }
}

#[derive(Debug)]
struct Max {
    geometry: RegionsGeometry,
    scale: f64,
}

impl Generic for Max {
    fn reads(&self, place: usize) -> Lies {
        matrix_at(place, 1)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (x, regions) = (operands.real(0), operands.real(1));
        let (g, layout) = (&self.geometry, operands.layout);
        if let [y, indices] = operands.outputs {
            let indices = Some(indices.index());
            max::forward(ctx, layout, g, self.scale, regions, x, y.real(), indices);
        }
    }
}

#[derive(Debug)]
struct MaxBackward {
    geometry: RegionsGeometry,
}

impl Generic for MaxBackward {
    fn reads(&self, place: usize) -> Lies {
        matrix_at(place, 1)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (dy, regions, indices) = (operands.real(0), operands.real(1), operands.index(2));
        let dx = operands.outputs[0].real();
        let (g, layout) = (&self.geometry, operands.layout);
        max::backward(ctx, layout, g, regions, dy, indices, dx);
    }
}

#[derive(Debug)]
struct Average {
    geometry: RegionsGeometry,
    scale: f64,
    way: Way,
}

impl Generic for Average {
    fn reads(&self, place: usize) -> Lies {
        matrix_at(place, 1)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (map, regions) = (operands.real(0), operands.real(1));
        let made = operands.outputs[0].real();
        let (g, layout) = (&self.geometry, operands.layout);
        match self.way {
            Way::Forward => average::forward(ctx, layout, g, self.scale, regions, map, made),
            _ => average::backward(ctx, layout, g, self.scale, regions, map, made),
        }
    }
}

/// Maps, but for the list of regions.
fn matrix_at(place: usize, regions: usize) -> Lies {
    if place == regions {
        Lies::Plain
    } else {
        Lies::Map
    }
}
