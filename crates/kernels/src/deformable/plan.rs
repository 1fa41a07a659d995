//! A direction of a deformable convolution, planned.

use geometry::DeformableGeometry;
use tensor::Layout;

use super::backward_data::BackwardData;
use super::backward_weights::BackwardWeights;
use super::forward::Forward;
use super::{Gradients, Sources};
use crate::conv::{Direction, Epilogue};
use crate::shared::Shared;
use crate::transpose::reorder;
use crate::{Context, Isa};

/// How a plan computes.
#[derive(Clone, Copy, Debug)]
pub struct DeformableOptions {
    /// Layout of the feature maps, offsets and masks.
    pub layout: Layout,
    /// Instructions to use.
    pub isa: Isa,
}

/// One direction of one deformable convolution in f32, planned: nothing is checked, chosen or
/// allocated after this.
///
/// ```
/// use geometry::{ConvDesc, DeformableDesc};
/// use kernels::conv::{Direction, Epilogue};
/// use kernels::deformable::{DeformableOptions, DeformablePlan, Sources};
/// use kernels::{Context, Isa, Team};
/// use tensor::Layout;
///
/// let geometry = DeformableDesc::new(ConvDesc::new(1, 1)).resolve(&[1, 1, 1, 2])?;
/// let isa = Isa::best();
/// let options = DeformableOptions { layout: Layout::Nhwc, isa };
/// let plan = DeformablePlan::new(&geometry, Direction::Forward, options);
///
/// let team = Team::new(2)?;
/// let ctx = Context { team: &team, isa };
/// let mut packed = vec![0.0; plan.packed_len()];
/// plan.pack(&ctx, &[10.0], &mut packed);
/// let mut scratch = vec![0.0; plan.scratch_len(team.threads())];
/// // The first pixel samples half a pixel to its right, the second a quarter above itself.
/// let sources = Sources { x: &[1.0, 2.0], offset: &[0.0, 0.5, -0.25, 0.0], mask: None };
/// let mut y = [0.0; 2];
/// plan.forward(&ctx, sources, &packed, Epilogue::default(), &mut y, &mut scratch);
/// assert_eq!(y, [15.0, 15.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeformablePlan {
    geometry: DeformableGeometry,
    direction: Direction,
    layout: Layout,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Forward(Forward),
    BackwardData(BackwardData),
    BackwardWeights(BackwardWeights),
}

impl DeformablePlan {
    /// Plans one direction. `BackwardData` gives the gradients of input, offsets and mask.
    pub fn new(
        geometry: &DeformableGeometry,
        direction: Direction,
        options: DeformableOptions,
    ) -> Self {
        // Packing and running must agree on the width of a vector.
        let options = DeformableOptions {
            isa: options.isa.min(Isa::best()),
            ..options
        };
        Self {
            geometry: *geometry,
            direction,
            layout: options.layout,
            body: match direction {
                Direction::Forward => Body::Forward(Forward::new(geometry, options)),
                Direction::BackwardData => Body::BackwardData(BackwardData::new(geometry, options)),
                Direction::BackwardWeights => {
                    Body::BackwardWeights(BackwardWeights::new(geometry, options))
                }
            },
        }
    }

    /// The problem.
    pub fn geometry(&self) -> &DeformableGeometry {
        &self.geometry
    }

    /// The direction.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Elements of the packed weights; 0 in the backward-weights direction.
    pub fn packed_len(&self) -> usize {
        match &self.body {
            Body::Forward(plan) => plan.packed_len(),
            Body::BackwardData(plan) => plan.packed_len(),
            Body::BackwardWeights(_) => 0,
        }
    }

    /// Scratch elements of a run by a team of `threads`.
    pub fn scratch_len(&self, threads: usize) -> usize {
        let body = match &self.body {
            Body::Forward(plan) => plan.scratch_len(threads),
            Body::BackwardData(plan) => plan.scratch_len(threads),
            Body::BackwardWeights(plan) => plan.scratch_len(threads),
        };
        self.reordered_len() + body
    }

    /// Packs weights `[o, c/g, kh, kw]` into `packed`.
    ///
    /// # Panics
    /// When a slice has another length than the plan says.
    pub fn pack(&self, ctx: &Context<'_>, weight: &[f32], packed: &mut [f32]) {
        let len = self.geometry.conv.weight_count();
        assert_eq!(weight.len(), len, "weight length");
        assert_eq!(packed.len(), self.packed_len(), "packed length");
        match &self.body {
            Body::Forward(plan) => plan.pack(ctx, weight, packed),
            Body::BackwardData(plan) => plan.pack(ctx, weight, packed),
            Body::BackwardWeights(_) => {}
        }
    }

    /// `y = activation(conv(x, w) + bias + residual)`
    ///
    /// # Panics
    /// When the plan is of another direction, or a slice has another length than the plan says.
    pub fn forward(
        &self,
        ctx: &Context<'_>,
        sources: Sources<'_>,
        packed: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let Body::Forward(plan) = &self.body else {
            panic!("a plan of direction {} runs forward", self.direction);
        };
        let g = &self.geometry.conv;
        self.check(ctx, &sources, packed, scratch);
        assert_eq!(y.len(), self.output_len(), "output length");
        let residual = epilogue.residual;
        assert!(
            residual.is_none_or(|r| r.len() == y.len()),
            "residual length"
        );
        let bias = epilogue.bias;
        assert!(
            bias.is_none_or(|b| b.len() == g.out_channels),
            "bias length"
        );
        let (reordered, scratch) = scratch.split_at_mut(self.reordered_len());
        if self.layout == Layout::Nhwc {
            return plan.run(ctx, sources, packed, epilogue, y, scratch);
        }
        let (x_last, rest) = reordered.split_at_mut(self.input_len());
        let (y_last, residual_last) = rest.split_at_mut(self.output_len());
        self.input_to_last(ctx, sources.x, x_last);
        let epilogue = Epilogue {
            residual: residual.map(|residual| {
                self.output_to_last(ctx, residual, residual_last);
                &*residual_last
            }),
            ..epilogue
        };
        let sources = Sources {
            x: x_last,
            ..sources
        };
        plan.run(ctx, sources, packed, epilogue, y_last, scratch);
        let (channels, area) = (g.out_channels, g.output_area());
        reorder(
            ctx,
            Layout::Nhwc,
            Layout::Nchw,
            g.batch,
            channels,
            area,
            y_last,
            y,
        );
    }

    /// The gradients of input, offsets and mask, from that of the output.
    ///
    /// # Panics
    /// When the plan is of another direction, or a slice has another length than the plan says.
    pub fn backward_data(
        &self,
        ctx: &Context<'_>,
        sources: Sources<'_>,
        dy: &[f32],
        packed: &[f32],
        gradients: Gradients<'_>,
        scratch: &mut [f32],
    ) {
        let Body::BackwardData(plan) = &self.body else {
            panic!("a plan of direction {} runs backward-data", self.direction);
        };
        let g = &self.geometry.conv;
        self.check(ctx, &sources, packed, scratch);
        assert_eq!(dy.len(), self.output_len(), "gradient length");
        gradients.check(&sources);
        let (reordered, scratch) = scratch.split_at_mut(self.reordered_len());
        if self.layout == Layout::Nhwc {
            return plan.run(ctx, sources, dy, packed, gradients, scratch);
        }
        let (x_last, rest) = reordered.split_at_mut(self.input_len());
        let (dx_last, dy_last) = rest.split_at_mut(self.input_len());
        self.input_to_last(ctx, sources.x, x_last);
        self.output_to_last(ctx, dy, dy_last);
        let sources = Sources {
            x: x_last,
            ..sources
        };
        let last = Gradients {
            x: &mut *dx_last,
            offset: gradients.offset,
            mask: gradients.mask,
        };
        plan.run(ctx, sources, dy_last, packed, last, scratch);
        let (channels, area, dx) = (g.in_channels, g.input_area(), gradients.x);
        reorder(
            ctx,
            Layout::Nhwc,
            Layout::Nchw,
            g.batch,
            channels,
            area,
            dx_last,
            dx,
        );
    }

    /// The gradient of the weight `[o, c/g, kh, kw]`. That of the bias is
    /// [`channel_sums`](crate::reduce::channel_sums).
    ///
    /// # Panics
    /// When the plan is of another direction, or a slice has another length than the plan says.
    pub fn backward_weights(
        &self,
        ctx: &Context<'_>,
        sources: Sources<'_>,
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        let Body::BackwardWeights(plan) = &self.body else {
            panic!(
                "a plan of direction {} runs backward-weights",
                self.direction
            );
        };
        self.check(ctx, &sources, &[], scratch);
        assert_eq!(dy.len(), self.output_len(), "gradient length");
        let len = self.geometry.conv.weight_count();
        assert_eq!(dw.len(), len, "weight length");
        let (reordered, scratch) = scratch.split_at_mut(self.reordered_len());
        if self.layout == Layout::Nhwc {
            return plan.run(ctx, sources, dy, dw, scratch);
        }
        let (x_last, dy_last) = reordered.split_at_mut(self.input_len());
        self.input_to_last(ctx, sources.x, x_last);
        self.output_to_last(ctx, dy, dy_last);
        let sources = Sources {
            x: x_last,
            ..sources
        };
        plan.run(ctx, sources, dy_last, dw, scratch);
    }

    /// Asserts the lengths that every direction shares.
    fn check(&self, ctx: &Context<'_>, sources: &Sources<'_>, packed: &[f32], scratch: &[f32]) {
        sources.check(&self.geometry);
        assert_eq!(packed.len(), self.packed_len(), "packed length");
        let threads = ctx.team.threads();
        assert!(scratch.len() >= self.scratch_len(threads), "scratch length");
    }

    fn input_len(&self) -> usize {
        let g = &self.geometry.conv;
        g.batch * g.in_channels * g.input_area()
    }

    fn output_len(&self) -> usize {
        let g = &self.geometry.conv;
        g.batch * g.out_channels * g.output_area()
    }

    /// Elements of the maps that are kept channels last beside those given channels first.
    fn reordered_len(&self) -> usize {
        let (input, output) = (self.input_len(), self.output_len());
        match (self.layout, self.direction) {
            (Layout::Nhwc, _) => 0,
            (_, Direction::Forward) => input + 2 * output,
            (_, Direction::BackwardData) => 2 * input + output,
            (_, Direction::BackwardWeights) => input + output,
        }
    }

    fn input_to_last(&self, ctx: &Context<'_>, x: &[f32], last: &mut [f32]) {
        let g = &self.geometry.conv;
        let (channels, area) = (g.in_channels, g.input_area());
        reorder(
            ctx,
            Layout::Nchw,
            Layout::Nhwc,
            g.batch,
            channels,
            area,
            x,
            last,
        );
    }

    fn output_to_last(&self, ctx: &Context<'_>, y: &[f32], last: &mut [f32]) {
        let g = &self.geometry.conv;
        let (channels, area) = (g.out_channels, g.output_area());
        reorder(
            ctx,
            Layout::Nchw,
            Layout::Nhwc,
            g.batch,
            channels,
            area,
            y,
            last,
        );
    }
}

/// Copies a band of weights `[o, c/g, kh, kw]` to the order of the columns, `[o, kh, kw, band]`.
pub(super) fn pack_band(
    ctx: &Context<'_>,
    geometry: &DeformableGeometry,
    first: usize,
    band: usize,
    weight: &[f32],
    packed: &mut [f32],
) {
    let taps = geometry.conv.kernel_area();
    let len = geometry.conv.in_channels_per_group() * taps;
    let out = Shared::new(packed);
    ctx.team.for_each(geometry.conv.out_channels, |index, _| {
        // SAFETY: every output channel belongs to one task.
        let packed = unsafe { out.slice(index * taps * band, taps * band) };
        let weight = &weight[index * len + first * taps..][..band * taps];
        for (tap, row) in packed.chunks_exact_mut(band).enumerate() {
            for (channel, to) in row.iter_mut().enumerate() {
                *to = weight[channel * taps + tap];
            }
        }
    });
}
