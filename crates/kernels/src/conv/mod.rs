//! Convolution, by direction.
//!
//! A [`ConvPlan`] picks the first algorithm of [`Algorithm::ALL`] that serves a problem, and says of
//! the better ones why they did not. It then packs weights once and runs as often as wanted.
//!
//! Sums run channels last in either layout. Channels first, the dense path turns each strip of a
//! feature map on its way into and out of the cache; the other paths reorder whole maps at its edges.

mod algorithm;
mod chain;
mod dense;
mod direction;
mod epilogue;
mod finish;
mod grouped;
mod options;
mod planes;
pub mod reference;
mod rows;
mod winograd;

use geometry::ConvGeometry;
use tensor::Layout;

pub use self::algorithm::{Algorithm, PlanError, Refusal};
pub use self::chain::{ChainLink, ChainPlan};
use self::dense::Fetch;
pub use self::direction::Direction;
pub use self::epilogue::Epilogue;
pub use self::options::ConvOptions;
use self::winograd::Outputs;
use crate::transpose::reorder;
use crate::{Context, Isa};

/// One direction of one convolution, planned: nothing is checked, chosen or allocated after this.
///
/// ```
/// use geometry::ConvDesc;
/// use kernels::conv::{ConvOptions, ConvPlan, Direction, Epilogue};
/// use kernels::{Context, Isa, Team};
/// use tensor::Layout;
///
/// let geometry = ConvDesc::new(1, 2).resolve(&[1, 1, 2, 2])?;
/// let isa = Isa::best();
/// let options = ConvOptions { layout: Layout::Nhwc, isa, ..ConvOptions::default() };
/// let plan = ConvPlan::new(&geometry, Direction::Forward, options)?;
///
/// let team = Team::new(2)?;
/// let ctx = Context { team: &team, isa };
/// let mut packed = vec![0.0; plan.packed_len()];
/// plan.pack(&ctx, &[1., 10., 100., 1000.], &mut packed);
/// let mut scratch = vec![0.0; plan.scratch_len(team.threads())];
/// let mut y = [0.0];
/// plan.forward(&ctx, &[1., 2., 3., 4.], &packed, Epilogue::default(), &mut y, &mut scratch);
/// assert_eq!(y, [4321.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConvPlan {
    geometry: ConvGeometry,
    direction: Direction,
    layout: Layout,
    algorithm: Algorithm,
    refused: Vec<(Algorithm, Refusal)>,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Sweep(Box<dense::SweepPlan>),
    Weights(Box<dense::WeightsPlan>),
    Grouped(Box<grouped::GroupedPlan>),
    /// With these instructions.
    Rows(Isa),
    Planes(Box<planes::PlanesPlan>),
    Winograd(Box<winograd::WinogradPlan>),
    WinogradWeights(Box<winograd::GradientPlan>),
    Reference,
}

impl Body {
    fn winograd(
        geometry: &ConvGeometry,
        direction: Direction,
        options: ConvOptions,
        outputs: Outputs,
    ) -> Result<Self, Refusal> {
        if direction == Direction::BackwardWeights {
            let plan = winograd::GradientPlan::new(geometry, options.isa, outputs)?;
            return Ok(Self::WinogradWeights(Box::new(plan)));
        }
        let plan = winograd::WinogradPlan::new(geometry, direction, options, outputs)?;
        Ok(Self::Winograd(Box::new(plan)))
    }

    fn dense(
        geometry: &ConvGeometry,
        direction: Direction,
        ConvOptions { layout, isa, .. }: ConvOptions,
        fetch: Fetch,
    ) -> Self {
        if direction == Direction::BackwardWeights {
            let plan = dense::WeightsPlan::new(geometry, layout, isa, fetch);
            return Self::Weights(Box::new(plan));
        }
        Self::Sweep(Box::new(dense::SweepPlan::new(
            geometry, direction, layout, isa, fetch,
        )))
    }
}

impl ConvPlan {
    /// Plans one direction of a convolution.
    ///
    /// # Errors
    /// When a named algorithm does not serve the problem, or the padding is not zeros: then no
    /// algorithm does.
    pub fn new(
        geometry: &ConvGeometry,
        direction: Direction,
        options: ConvOptions,
    ) -> Result<Self, PlanError> {
        // Packing and running must agree on the width of a vector.
        let isa = options.isa.min(Isa::best());
        let options = ConvOptions { isa, ..options };
        let mut refused = Vec::new();
        let mut chosen = options.algorithm.unwrap_or(Algorithm::ALL[0]);
        let refuse = |algorithm: Algorithm| {
            let refusal = algorithm.refuse(geometry, direction, isa);
            match options.algorithm {
                // What was asked for need not be the quickest.
                Some(_) => refusal,
                None => refusal.or_else(|| algorithm.refuse_by_cost(geometry, direction, options)),
            }
        };
        while let Some(refusal) = refuse(chosen) {
            let next = Algorithm::ALL
                .into_iter()
                .skip_while(|&a| a != chosen)
                .nth(1);
            let (None, Some(next)) = (options.algorithm, next) else {
                return Err(PlanError {
                    algorithm: chosen,
                    refusal,
                });
            };
            refused.push((chosen, refusal));
            chosen = next;
        }
        let refused_at_last = |refusal| PlanError {
            algorithm: chosen,
            refusal,
        };
        let body = match (chosen, direction) {
            (Algorithm::Depthwise | Algorithm::Grouped, _) => Body::Grouped(Box::new(
                grouped::GroupedPlan::new(geometry, direction, isa),
            )),
            (Algorithm::Rows, _) => Body::Rows(isa),
            (Algorithm::Planes, _) => {
                let plan = planes::PlanesPlan::new(geometry, direction, isa);
                Body::Planes(Box::new(plan.map_err(refused_at_last)?))
            }
            (Algorithm::Winograd4 | Algorithm::Winograd2, _) => {
                let outputs = chosen.outputs().unwrap_or(Outputs::Two);
                let body = Body::winograd(geometry, direction, options, outputs);
                body.map_err(refused_at_last)?
            }
            (Algorithm::Direct, _) => Body::dense(geometry, direction, options, Fetch::Strips),
            (Algorithm::Im2col, _) => Body::dense(geometry, direction, options, Fetch::Columns),
            (Algorithm::Reference, _) => Body::Reference,
        };
        Ok(Self {
            geometry: *geometry,
            direction,
            layout: options.layout,
            algorithm: chosen,
            refused,
            body,
        })
    }

    /// The problem.
    pub fn geometry(&self) -> &ConvGeometry {
        &self.geometry
    }

    /// The layout of the feature maps.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// What it computes.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The algorithm chosen.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Better algorithms, and why they do not serve the problem.
    pub fn refused(&self) -> &[(Algorithm, Refusal)] {
        &self.refused
    }

    /// Elements of the packed weights; 0 in the backward-weights direction.
    pub fn packed_len(&self) -> usize {
        match &self.body {
            Body::Sweep(plan) => plan.packed_len(),
            Body::Grouped(plan) => plan.packed_len(),
            Body::Planes(plan) => plan.packed_len(),
            Body::Winograd(plan) => plan.packed_len(),
            Body::Weights(_) | Body::WinogradWeights(_) => 0,
            Body::Reference if self.direction == Direction::BackwardWeights => 0,
            Body::Reference | Body::Rows(_) => self.geometry.weight_count(),
        }
    }

    /// Whether packed weights are in another order than the weights: where they are not, these may be given in their
    /// place, and no copy need be kept.
    pub fn packs(&self) -> bool {
        match &self.body {
            Body::Rows(_) => false,
            Body::Winograd(plan) => plan.packs(),
            _ => true,
        }
    }

    /// Scratch elements of a run by a team of `threads`.
    pub fn scratch_len(&self, threads: usize) -> usize {
        self.reordered_len() + self.body_scratch_len(threads)
    }

    /// Packs weights `[o, c/g, kernel…]` into `packed`.
    ///
    /// # Panics
    /// When a slice has another length than the plan says.
    pub fn pack(&self, ctx: &Context<'_>, weight: &[f32], packed: &mut [f32]) {
        assert_eq!(weight.len(), self.geometry.weight_count(), "weight length");
        assert_eq!(packed.len(), self.packed_len(), "packed length");
        match &self.body {
            Body::Sweep(plan) => plan.pack(ctx, weight, packed),
            Body::Grouped(plan) => plan.pack(weight, packed),
            Body::Planes(plan) => plan.pack(weight, packed),
            Body::Winograd(plan) => plan.pack(ctx, weight, packed),
            Body::Weights(_) | Body::WinogradWeights(_) => {}
            Body::Reference | Body::Rows(_) => packed.copy_from_slice(weight),
        }
    }

    /// `y = activation(conv(x, w) + bias + residual)`
    ///
    /// # Panics
    /// When the plan is of another direction, or a slice has another length than the plan says.
    pub fn forward(
        &self,
        ctx: &Context<'_>,
        x: &[f32],
        packed: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        assert_eq!(self.direction, Direction::Forward, "direction of the plan");
        epilogue.check(self.geometry.out_channels, y.len());
        self.sweep(ctx, x, packed, epilogue, y, scratch);
    }

    /// The gradient of the input, from that of the output; with an epilogue the layer that a
    /// transposed convolution is, `dx = activation(convᵀ(dy, w) + bias + residual)`. Elements of `dx`
    /// that no tap reaches have a sum of zero.
    ///
    /// # Panics
    /// When the plan is of another direction, or a slice has another length than the plan says.
    pub fn backward_data(
        &self,
        ctx: &Context<'_>,
        dy: &[f32],
        packed: &[f32],
        epilogue: Epilogue<'_>,
        dx: &mut [f32],
        scratch: &mut [f32],
    ) {
        assert_eq!(
            self.direction,
            Direction::BackwardData,
            "direction of the plan"
        );
        epilogue.check(self.geometry.in_channels, dx.len());
        self.sweep(ctx, dy, packed, epilogue, dx, scratch);
    }

    /// The gradient of the weight `[o, c/g, kernel…]`.
    ///
    /// # Panics
    /// When the plan is of another direction, or a slice has another length than the plan says.
    pub fn backward_weights(
        &self,
        ctx: &Context<'_>,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        assert_eq!(
            self.direction,
            Direction::BackwardWeights,
            "direction of the plan"
        );
        assert_eq!(x.len(), self.input_len(), "input length");
        assert_eq!(dy.len(), self.output_len(), "gradient length");
        assert_eq!(dw.len(), self.geometry.weight_count(), "weight length");
        assert!(
            scratch.len() >= self.scratch_len(ctx.team.threads()),
            "scratch length"
        );
        let g = &self.geometry;
        let (reordered, scratch) = scratch.split_at_mut(self.reordered_len());
        let (x, dy) = if self.reorders() {
            let (x_last, dy_last) = reordered.split_at_mut(x.len());
            reorder(
                ctx,
                Layout::Nchw,
                Layout::Nhwc,
                g.batch,
                g.in_channels,
                g.input_area(),
                x,
                x_last,
            );
            reorder(
                ctx,
                Layout::Nchw,
                Layout::Nhwc,
                g.batch,
                g.out_channels,
                g.output_area(),
                dy,
                dy_last,
            );
            (&*x_last, &*dy_last)
        } else {
            (x, dy)
        };
        match &self.body {
            Body::Weights(plan) => plan.run(ctx, x, dy, dw, scratch),
            Body::Grouped(plan) => plan.backward_weights(ctx, x, dy, dw, scratch),
            Body::WinogradWeights(plan) => plan.run(ctx, x, dy, dw, scratch),
            Body::Sweep(_) | Body::Rows(_) | Body::Planes(_) | Body::Winograd(_) => {
                unreachable!("a sweep never plans backward-weights")
            }
            Body::Reference => reference::backward_weights(ctx, self.layout, g, x, dy, dw),
        }
    }

    /// Forward and backward-data: the same lengths are checked, the same reordering done.
    fn sweep(
        &self,
        ctx: &Context<'_>,
        source: &[f32],
        packed: &[f32],
        epilogue: Epilogue<'_>,
        target: &mut [f32],
        scratch: &mut [f32],
    ) {
        let g = &self.geometry;
        let (input, output) = (
            (g.in_channels, g.input_area(), self.input_len()),
            (g.out_channels, g.output_area(), self.output_len()),
        );
        let (from, to) = match self.direction {
            Direction::BackwardData => (output, input),
            _ => (input, output),
        };
        assert_eq!(source.len(), from.2, "source length");
        assert_eq!(target.len(), to.2, "target length");
        assert_eq!(packed.len(), self.packed_len(), "packed length");
        assert!(
            scratch.len() >= self.scratch_len(ctx.team.threads()),
            "scratch length"
        );
        let (reordered, scratch) = scratch.split_at_mut(self.reordered_len());
        if !self.reorders() {
            return self.sweep_body(ctx, source, packed, epilogue, target, scratch);
        }
        let (source_last, rest) = reordered.split_at_mut(from.2);
        let (target_last, residual_last) = rest.split_at_mut(to.2);
        reorder(
            ctx,
            Layout::Nchw,
            Layout::Nhwc,
            g.batch,
            from.0,
            from.1,
            source,
            source_last,
        );
        let residual = epilogue.residual.map(|residual| {
            reorder(
                ctx,
                Layout::Nchw,
                Layout::Nhwc,
                g.batch,
                to.0,
                to.1,
                residual,
                residual_last,
            );
            &*residual_last
        });
        let epilogue = Epilogue {
            residual,
            ..epilogue
        };
        self.sweep_body(ctx, source_last, packed, epilogue, target_last, scratch);
        reorder(
            ctx,
            Layout::Nhwc,
            Layout::Nchw,
            g.batch,
            to.0,
            to.1,
            target_last,
            target,
        );
    }

    fn sweep_body(
        &self,
        ctx: &Context<'_>,
        source: &[f32],
        packed: &[f32],
        epilogue: Epilogue<'_>,
        target: &mut [f32],
        scratch: &mut [f32],
    ) {
        let g = &self.geometry;
        match (&self.body, self.direction) {
            (Body::Sweep(plan), _) => plan.run(ctx, source, packed, epilogue, target, scratch),
            (Body::Grouped(plan), _) => plan.sweep(ctx, source, packed, epilogue, target),
            (Body::Rows(isa), _) => rows::run(ctx, *isa, source, packed, epilogue, target),
            (Body::Planes(plan), _) => plan.run(ctx, source, packed, epilogue, target, scratch),
            (Body::Winograd(plan), _) => plan.run(ctx, source, packed, epilogue, target, scratch),
            (_, Direction::BackwardData) => {
                reference::backward_data(ctx, self.layout, g, source, packed, epilogue, target);
            }
            _ => reference::forward(ctx, self.layout, g, source, packed, epilogue, target),
        }
    }

    /// Whether whole feature maps are reordered on their way in and out: a plan channels last does
    /// the same without.
    pub fn reorders(&self) -> bool {
        self.layout == Layout::Nchw
            && matches!(
                self.body,
                Body::Grouped(_) | Body::Planes(_) | Body::Winograd(_) | Body::WinogradWeights(_)
            )
    }

    /// Elements of the reordered copies.
    fn reordered_len(&self) -> usize {
        if !self.reorders() {
            return 0;
        }
        let residual = match self.direction {
            Direction::Forward => self.output_len(),
            Direction::BackwardData => self.input_len(),
            Direction::BackwardWeights => 0,
        };
        self.input_len() + self.output_len() + residual
    }

    fn body_scratch_len(&self, threads: usize) -> usize {
        match &self.body {
            Body::Sweep(plan) => plan.scratch_per_worker() * threads,
            Body::Weights(plan) => plan.scratch_len(threads),
            Body::Grouped(plan) => plan.scratch_len(),
            Body::Planes(plan) => plan.scratch_len(threads),
            Body::Winograd(plan) => plan.scratch_len(threads),
            Body::WinogradWeights(plan) => plan.scratch_len(threads),
            Body::Reference | Body::Rows(_) => 0,
        }
    }

    fn input_len(&self) -> usize {
        self.geometry.batch * self.geometry.in_channels * self.geometry.input_area()
    }

    fn output_len(&self) -> usize {
        self.geometry.batch * self.geometry.out_channels * self.geometry.output_area()
    }
}
