//! Gradients of batch normalisation.
//!
//! With `g` the gradient behind the activation and `x̂ = (x − μ)·r`:
//! `dβ = Σ g`, `dγ = Σ g·x̂`, and in training `dx = γ·r·(g − dβ/m − x̂·dγ/m)` over the `m` elements
//! of a channel, because the statistics depend on `x` too. So the map is read twice: once for the
//! sums, once for `dx`.

use super::gradient_maps::{GradientMaps, Maps};
use super::{Activation, NormGeometry, inverse_deviation};
use crate::row::{for_each_group, load, store};
use crate::shared::Shared;
use crate::simd::{Vector, dispatch};
use crate::strips::{LANES, Lanes, SLOTS, Strip, Sums, Task};
use crate::{Context, Isa};

/// How the gradient passes the activation that the forward pass applied last.
#[derive(Clone, Copy, Debug)]
pub enum Gate<'a, T = f32> {
    /// There was none.
    Open,
    /// It passes where the output `y` says so.
    Output {
        /// What was applied.
        activation: Activation,
        /// The output of the forward pass.
        y: &'a [T],
    },
    /// There was no residual, so the sign of the output follows from `x`: it is computed again, to
    /// the same bit, which is quicker than reading `y` twice.
    Recomputed {
        /// What was applied.
        activation: Activation,
        /// β of the forward pass.
        beta: &'a [T],
    },
}

/// The gradients of [`forward_training`](super::forward_training).
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, a vector not one a channel, or
/// `scratch` fewer than [`NormGeometry::scratch_len`].
pub fn backward(
    context: &Context,
    geometry: &NormGeometry,
    gate: Gate,
    maps: GradientMaps<'_>,
    x: &[f32],
    gamma: &[f32],
    saved_mean: &[f32],
    saved_inv_std: &[f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
    scratch: &mut [f32],
) {
    geometry.check_vectors(&[("saved_inv_std", saved_inv_std.len())]);
    let norm = Norm {
        geometry,
        gamma,
        mean: saved_mean,
        inv_std: |channel: usize| saved_inv_std[channel],
        of_batch: true,
    };
    norm.backward(context, gate, maps, x, dgamma, dbeta, scratch);
}

/// The gradients of [`inference`](super::inference): the statistics are constants, as in a network
/// whose norms are frozen.
///
/// # Panics
/// As [`backward`].
pub fn inference_backward(
    context: &Context,
    geometry: &NormGeometry,
    epsilon: f32,
    gate: Gate,
    maps: GradientMaps<'_>,
    x: &[f32],
    gamma: &[f32],
    mean: &[f32],
    var: &[f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
    scratch: &mut [f32],
) {
    geometry.check_vectors(&[("var", var.len())]);
    let norm = Norm {
        geometry,
        gamma,
        mean,
        inv_std: |channel: usize| inverse_deviation(f64::from(var[channel]), epsilon),
        of_batch: false,
    };
    norm.backward(context, gate, maps, x, dgamma, dbeta, scratch);
}

/// Sums kept of each chunk and channel: `Σ g` and `Σ g·(x − mean)`.
const PARTIALS: usize = 2;

struct Norm<'a, R> {
    geometry: &'a NormGeometry,
    gamma: &'a [f32],
    mean: &'a [f32],
    inv_std: R,
    /// The statistics are those of `x`, and carry gradient.
    of_batch: bool,
}

impl<R: Fn(usize) -> f32 + Sync> Norm<'_, R> {
    fn backward(
        &self,
        context: &Context,
        gate: Gate,
        maps: GradientMaps<'_>,
        x: &[f32],
        dgamma: &mut [f32],
        dbeta: &mut [f32],
        scratch: &mut [f32],
    ) {
        let maps = Maps::new(maps);
        let (y_len, beta) = match gate {
            Gate::Open => (x.len(), self.gamma),
            Gate::Output { y, .. } => (y.len(), self.gamma),
            Gate::Recomputed { beta, .. } => (x.len(), beta),
        };
        let [dy, dx, dresidual] = maps.lengths;
        self.geometry.check_maps(&[
            ("dy", dy),
            ("x", x.len()),
            ("y", y_len),
            ("dx", dx),
            ("dresidual", dresidual),
        ]);
        self.geometry.check_vectors(&[
            ("gamma", self.gamma.len()),
            ("beta", beta.len()),
            ("mean", self.mean.len()),
            ("dgamma", dgamma.len()),
            ("dbeta", dbeta.len()),
        ]);
        let channels = self.geometry.channels;
        let partials = &mut scratch[..self.geometry.cut().chunks() * PARTIALS * channels];
        self.chunk_sums(context, gate, maps, x, partials);
        for channel in 0..channels {
            let sum = |k: usize| -> f64 {
                let chunks = partials.iter().skip(k * channels + channel);
                chunks
                    .step_by(PARTIALS * channels)
                    .map(|&s| f64::from(s))
                    .sum()
            };
            dbeta[channel] = sum(0) as f32;
            dgamma[channel] = (sum(1) * f64::from((self.inv_std)(channel))) as f32;
        }
        // Behind the activation already, where the first pass had to write it anyway.
        match maps.behind_activation() {
            Some(maps) => self.apply(context, Gate::Open, maps, x, dgamma, dbeta),
            None => self.apply(context, gate, maps, x, dgamma, dbeta),
        }
    }

    /// The first pass.
    fn chunk_sums(
        &self,
        context: &Context,
        gate: Gate,
        maps: Maps<'_>,
        x: &[f32],
        partials: &mut [f32],
    ) {
        let cut = self.geometry.cut();
        let channels = self.geometry.channels;
        let isa = context.isa.min(Isa::best());
        let out = Shared::new(partials);
        context.team.for_each(cut.tasks(), |index, _| {
            let task = cut.task(index);
            let lanes = GateLanes::new(self, gate, task);
            let mean = task.lanes(|c| self.mean[c]);
            let mut sums = Sums::<PARTIALS>::new(isa);
            cut.for_each_strip(task, |slot, strip| {
                let gate = lanes.on(slot, strip);
                let x = x[strip.start..strip.end()].as_ptr();
                let (dy, _, masked) = maps.on(strip);
                let mean = mean[slot].as_ptr();
                let [sum, product] = sums.open(slot, strip.rows);
                let (sum, product) = (sum.as_mut_ptr(), product.as_mut_ptr());
                // SAFETY: the maps are valid for the whole strip, the vectors for all lanes; what
                // is written of a map is this task's alone.
                dispatch!(isa => gradient_sums(
                    strip: Strip, gate: GatePointers, dy: *const f32, x: *const f32,
                    mean: *const f32, masked: *mut f32, sum: *mut f32, product: *mut f32,
                ));
            });
            sums.settle();
            let row = |k| (task.chunk * PARTIALS + k) * channels + task.first;
            // SAFETY: the channels of a chunk belong to one task.
            let [first, second] = [0, 1].map(|k| unsafe { out.slice(row(k), task.channels) });
            task.for_each_channel(&sums, |channel, [sum, product]| {
                first[channel - task.first] = sum as f32;
                second[channel - task.first] = product as f32;
            });
        });
    }

    /// The second pass.
    fn apply(
        &self,
        context: &Context,
        gate: Gate,
        maps: Maps<'_>,
        x: &[f32],
        dgamma: &[f32],
        dbeta: &[f32],
    ) {
        let cut = self.geometry.cut();
        let isa = context.isa.min(Isa::best());
        let share = if self.of_batch {
            1.0 / self.geometry.count() as f32
        } else {
            0.0
        };
        context.team.for_each(cut.tasks(), |index, _| {
            let task = cut.task(index);
            let lanes = GateLanes::new(self, gate, task);
            let scale = |c: usize| self.gamma[c] * (self.inv_std)(c);
            let slopes = Slopes {
                mean: task.lanes(|c| self.mean[c]),
                of_gradient: task.lanes(scale),
                of_input: task.lanes(|c| -scale(c) * (self.inv_std)(c) * dgamma[c] * share),
                constant: task.lanes(|c| -scale(c) * dbeta[c] * share),
            };
            cut.for_each_strip(task, |slot, strip| {
                let gate = lanes.on(slot, strip);
                let x = x[strip.start..strip.end()].as_ptr();
                let slopes = slopes.of(slot);
                let (dy, dx, _) = maps.on(strip);
                // SAFETY: as in the first pass.
                dispatch!(isa => gradient(
                    strip: Strip, gate: GatePointers, dy: *const f32, x: *const f32,
                    slopes: SlopePointers, dx: *mut f32,
                ));
            });
        });
    }
}

/// `dx = of_gradient·g + of_input·(x − mean) + constant`
struct Slopes {
    mean: [Lanes; SLOTS],
    of_gradient: [Lanes; SLOTS],
    of_input: [Lanes; SLOTS],
    constant: [Lanes; SLOTS],
}

/// [`Slopes`] of a slot.
#[derive(Clone, Copy)]
struct SlopePointers {
    mean: *const f32,
    of_gradient: *const f32,
    of_input: *const f32,
    constant: *const f32,
}

impl Slopes {
    fn of(&self, slot: usize) -> SlopePointers {
        SlopePointers {
            mean: self.mean[slot].as_ptr(),
            of_gradient: self.of_gradient[slot].as_ptr(),
            of_input: self.of_input[slot].as_ptr(),
            constant: self.constant[slot].as_ptr(),
        }
    }
}

/// A [`Gate`] for the channels of a task.
struct GateLanes<'a> {
    activation: Option<Activation>,
    y: Option<&'a [f32]>,
    scale: [Lanes; SLOTS],
    shift: [Lanes; SLOTS],
}

/// A [`Gate`] on a strip. The activation was none, or its output is at `y`, or where that is null it
/// is `(x − mean)·scale + shift`.
#[derive(Clone, Copy)]
struct GatePointers {
    activation: Option<Activation>,
    y: *const f32,
    scale: *const f32,
    shift: *const f32,
}

impl<'a> GateLanes<'a> {
    fn new<R: Fn(usize) -> f32>(norm: &Norm<R>, gate: Gate<'a>, task: Task) -> Self {
        let mut lanes = Self {
            activation: None,
            y: None,
            scale: [[0.0; LANES]; SLOTS],
            shift: [[0.0; LANES]; SLOTS],
        };
        match gate {
            Gate::Open => {}
            Gate::Output { activation, y } => {
                (lanes.activation, lanes.y) = (Some(activation), Some(y));
            }
            Gate::Recomputed { activation, beta } => {
                lanes.activation = Some(activation);
                lanes.scale = task.lanes(|c| norm.gamma[c] * (norm.inv_std)(c));
                lanes.shift = task.lanes(|c| beta[c]);
            }
        }
        lanes
    }

    fn on(&self, slot: usize, strip: Strip) -> GatePointers {
        let y = self
            .y
            .map_or(std::ptr::null(), |y| y[strip.start..strip.end()].as_ptr());
        GatePointers {
            activation: self.activation,
            y,
            scale: self.scale[slot].as_ptr(),
            shift: self.shift[slot].as_ptr(),
        }
    }
}

impl GatePointers {
    /// What passes of a row of gradients; `centred` is `x − mean`.
    #[inline(always)]
    unsafe fn pass<V: Vector, const N: usize, const PARTIAL: bool>(
        self,
        dy: [V; N],
        centred: [V; N],
        at: usize,
        lane: usize,
        tail: usize,
    ) -> [V; N] {
        let Some(activation) = self.activation else {
            return dy;
        };
        // SAFETY: passed on to the caller, who stands on a row of the gate's strip.
        unsafe {
            let mut y = centred;
            if self.y.is_null() {
                let scale = load::<V, N, PARTIAL>(self.scale.add(lane), tail);
                let shift = load::<V, N, PARTIAL>(self.shift.add(lane), tail);
                for n in 0..N {
                    y[n] = y[n].mul_add(scale[n], shift[n]);
                }
            } else {
                y = load::<V, N, PARTIAL>(self.y.add(at), tail);
            }
            let mut passed = dy;
            for n in 0..N {
                passed[n] = activation.gate_vector(dy[n], y[n]);
            }
            passed
        }
    }
}

/// Adds `g` and `g·(x − mean)` to `sum` and `product`, and writes `g` to `masked` unless it is null.
#[inline(always)]
unsafe fn gradient_sums<V: Vector>(
    strip: Strip,
    gate: GatePointers,
    dy: *const f32,
    x: *const f32,
    mean: *const f32,
    masked: *mut f32,
    sum: *mut f32,
    product: *mut f32,
) {
    #[inline(always)]
    unsafe fn group<V: Vector, const N: usize, const PARTIAL: bool>(
        lane: usize,
        tail: usize,
        strip: Strip,
        gate: GatePointers,
        dy: *const f32,
        x: *const f32,
        mean: *const f32,
        masked: *mut f32,
        sum: *mut f32,
        product: *mut f32,
    ) {
        // SAFETY: the group lies within the row, and every row within the strip.
        unsafe {
            let mean = load::<V, N, PARTIAL>(mean.add(lane), tail);
            let mut first = load::<V, N, PARTIAL>(sum.add(lane), tail);
            let mut second = load::<V, N, PARTIAL>(product.add(lane), tail);
            for row in 0..strip.rows {
                let at = row * strip.stride + lane;
                let dy = load::<V, N, PARTIAL>(dy.add(at), tail);
                let mut centred = load::<V, N, PARTIAL>(x.add(at), tail);
                for n in 0..N {
                    centred[n] = centred[n].sub(mean[n]);
                }
                let g = gate.pass::<V, N, PARTIAL>(dy, centred, at, lane, tail);
                if !masked.is_null() {
                    store::<V, N, PARTIAL>(g, masked.add(at), tail);
                }
                for n in 0..N {
                    first[n] = first[n].add(g[n]);
                    second[n] = g[n].mul_add(centred[n], second[n]);
                }
            }
            store::<V, N, PARTIAL>(first, sum.add(lane), tail);
            store::<V, N, PARTIAL>(second, product.add(lane), tail);
        }
    }
    // SAFETY: passed on to the caller.
    unsafe {
        for_each_group!(group::<V>(strip.width; strip, gate, dy, x, mean, masked, sum, product));
    }
}

/// Writes `dx`.
#[inline(always)]
unsafe fn gradient<V: Vector>(
    strip: Strip,
    gate: GatePointers,
    dy: *const f32,
    x: *const f32,
    slopes: SlopePointers,
    dx: *mut f32,
) {
    #[inline(always)]
    unsafe fn group<V: Vector, const N: usize, const PARTIAL: bool>(
        lane: usize,
        tail: usize,
        strip: Strip,
        gate: GatePointers,
        dy: *const f32,
        x: *const f32,
        slopes: SlopePointers,
        dx: *mut f32,
    ) {
        // SAFETY: the group lies within the row, and every row within the strip.
        unsafe {
            let mean = load::<V, N, PARTIAL>(slopes.mean.add(lane), tail);
            let of_gradient = load::<V, N, PARTIAL>(slopes.of_gradient.add(lane), tail);
            let of_input = load::<V, N, PARTIAL>(slopes.of_input.add(lane), tail);
            let constant = load::<V, N, PARTIAL>(slopes.constant.add(lane), tail);
            for row in 0..strip.rows {
                let at = row * strip.stride + lane;
                let dy = load::<V, N, PARTIAL>(dy.add(at), tail);
                let mut centred = load::<V, N, PARTIAL>(x.add(at), tail);
                for n in 0..N {
                    centred[n] = centred[n].sub(mean[n]);
                }
                let mut g = gate.pass::<V, N, PARTIAL>(dy, centred, at, lane, tail);
                for n in 0..N {
                    let from_input = centred[n].mul_add(of_input[n], constant[n]);
                    g[n] = g[n].mul_add(of_gradient[n], from_input);
                }
                store::<V, N, PARTIAL>(g, dx.add(at), tail);
            }
        }
    }
    // SAFETY: passed on to the caller.
    unsafe {
        for_each_group!(group::<V>(strip.width; strip, gate, dy, x, slopes, dx));
    }
}
