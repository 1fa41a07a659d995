//! Spatial transformers and resizing.

use std::sync::Arc;

use geometry::{AffineGridGeometry, GridSampleGeometry, MAX_RANK};
use graph::{Resizing, SamplingOp};
use kernels::sampling::resize::{ResizePlacement, ResizePlan};
use kernels::sampling::{affine, grid, resize};
use kernels::{Context, Real};
use tensor::{Layout, MemoryError};

use super::{Generic, Kernel, Lies, Operands, Shapes};

/// The kernel of an operator.
///
/// # Errors
/// When there is no memory for the tables of a resizing.
pub(super) fn kernel(op: &SamplingOp, shapes: Shapes<'_>) -> Result<Arc<dyn Kernel>, MemoryError> {
    const RESOLVED: &str = "inference resolved it";
    let (first, made) = (shapes.input(0), shapes.output(0));
    Ok(match op {
        SamplingOp::AffineGrid { desc } => Arc::new(AffineGrid {
            geometry: desc.resolve(first).expect(RESOLVED),
        }),
        SamplingOp::AffineGridBackward { desc } => Arc::new(AffineGridBackward {
            geometry: desc.resolve(made).expect(RESOLVED),
        }),
        SamplingOp::GridSample { desc } => Arc::new(GridSample {
            geometry: desc.resolve(first, shapes.input(1)).expect(RESOLVED),
        }),
        SamplingOp::GridSampleBackwardInput { desc, .. } => Arc::new(GridSampleBackwardInput {
            geometry: desc.resolve(made, first).expect(RESOLVED),
        }),
        SamplingOp::GridSampleBackwardGrid { desc } => Arc::new(GridSampleBackwardGrid {
            geometry: desc.resolve(first, shapes.input(1)).expect(RESOLVED),
        }),
        SamplingOp::Resize { resizing } => Arc::new(Resize {
            plan: plan(resizing, first)?,
        }),
        SamplingOp::ResizeBackward { resizing, .. } => Arc::new(ResizeBackward {
            plan: plan(resizing, made)?,
        }),
    })
}

/// Tables of a resizing that has been verified.
fn plan(resizing: &Resizing, input: &[usize]) -> Result<ResizePlan, MemoryError> {
    let geometry = resizing.desc.resolve(input).expect("inference resolved it");
    let first = MAX_RANK - geometry.rank;
    let mut placement = ResizePlacement {
        extrapolation: resizing.extrapolation,
        ..ResizePlacement::default()
    };
    if let Some(scales) = &resizing.scales {
        let mut lifted = [1.0; MAX_RANK];
        lifted[first..].copy_from_slice(scales);
        placement.scales = Some(lifted);
    }
    if let Some(crop) = &resizing.crop
        && crop.len() == geometry.rank
    {
        placement.crop[first..].copy_from_slice(crop);
    }
    ResizePlan::new(&geometry, &placement)
}

#[derive(Debug)]
struct AffineGrid {
    geometry: AffineGridGeometry,
}

impl Generic for AffineGrid {
    fn reads(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn makes(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let theta = operands.real(0);
        affine::forward(ctx, &self.geometry, theta, operands.outputs[0].real());
    }
}

#[derive(Debug)]
struct AffineGridBackward {
    geometry: AffineGridGeometry,
}

impl Generic for AffineGridBackward {
    fn reads(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn makes(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn scratch_len(&self, _threads: usize) -> usize {
        affine::scratch_len(&self.geometry)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let dgrid = operands.real(0);
        let dtheta = operands.outputs[0].real();
        affine::backward(ctx, &self.geometry, dgrid, dtheta, operands.scratch);
    }
}

#[derive(Debug)]
struct GridSample {
    geometry: GridSampleGeometry,
}

impl Generic for GridSample {
    /// `x, grid`
    fn reads(&self, place: usize) -> Lies {
        [Lies::Map, Lies::Plain][place]
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (x, points) = (operands.real(0), operands.real(1));
        let y = operands.outputs[0].real();
        grid::forward(ctx, operands.layout, &self.geometry, x, points, y);
    }
}

#[derive(Debug)]
struct GridSampleBackwardInput {
    geometry: GridSampleGeometry,
}

impl Generic for GridSampleBackwardInput {
    /// `grid, dy`
    fn reads(&self, place: usize) -> Lies {
        [Lies::Plain, Lies::Map][place]
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (points, dy) = (operands.real(0), operands.real(1));
        let dx = operands.outputs[0].real();
        grid::backward_input(ctx, operands.layout, &self.geometry, points, dy, dx);
    }
}

#[derive(Debug)]
struct GridSampleBackwardGrid {
    geometry: GridSampleGeometry,
}

impl Generic for GridSampleBackwardGrid {
    /// `x, grid, dy`
    fn reads(&self, place: usize) -> Lies {
        [Lies::Map, Lies::Plain, Lies::Map][place]
    }

    fn makes(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let [x, points, dy] = [0, 1, 2].map(|place| operands.real(place));
        let dgrid = operands.outputs[0].real();
        grid::backward_grid(ctx, operands.layout, &self.geometry, x, points, dy, dgrid);
    }
}

#[derive(Debug)]
struct Resize {
    plan: ResizePlan,
}

impl Generic for Resize {
    fn scratch_len(&self, threads: usize) -> usize {
        scratch_len(&self.plan, threads)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (x, layout) = (operands.real(0), operands.layout);
        let y = operands.outputs[0].real();
        resize::forward(ctx, layout, &self.plan, x, y, operands.scratch);
    }
}

#[derive(Debug)]
struct ResizeBackward {
    plan: ResizePlan,
}

impl Generic for ResizeBackward {
    fn scratch_len(&self, threads: usize) -> usize {
        scratch_len(&self.plan, threads)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let (dy, layout) = (operands.real(0), operands.layout);
        let dx = operands.outputs[0].real();
        resize::backward(ctx, layout, &self.plan, dy, dx, operands.scratch);
    }
}

/// Enough in any layout.
fn scratch_len(plan: &ResizePlan, threads: usize) -> usize {
    let lens = Layout::ALL.map(|layout| plan.scratch_len(layout, threads));
    lens.into_iter().max().unwrap_or(0)
}
