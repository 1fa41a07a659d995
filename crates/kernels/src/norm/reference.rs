//! The definition, in f32 or f64, one channel a task: the statistics in two passes, sums in f64.
//!
//! Operands and options are those of the functions of the same names in [`norm`](super); only
//! scratch memory is not needed.

use super::{Gate, NormGeometry, NormTraining};
use crate::map::Map;
use crate::shared::Shared;
use crate::{Activation, Context, Real};

/// Normalises with the mean and the biased variance of the batch, as
/// [`norm::forward_training`](super::forward_training).
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, or a vector not one a channel.
pub fn forward_training<T: Real>(
    ctx: &Context<'_>,
    geometry: &NormGeometry,
    options: NormTraining,
    x: &[T],
    residual: Option<&[T]>,
    gamma: &[T],
    beta: &[T],
    running_mean: &mut [T],
    running_var: &mut [T],
    saved_mean: &mut [T],
    saved_inv_std: &mut [T],
    y: &mut [T],
) {
    geometry.check_maps(&[("x", x.len())]);
    geometry.check_vectors(&[
        ("running_mean", running_mean.len()),
        ("running_var", running_var.len()),
        ("saved_mean", saved_mean.len()),
        ("saved_inv_std", saved_inv_std.len()),
    ]);
    let map = map(geometry);
    let count = geometry.count() as f64;
    let vectors = [
        running_mean,
        running_var,
        &mut *saved_mean,
        &mut *saved_inv_std,
    ];
    let vectors = vectors.map(Shared::new);
    ctx.team.for_each(geometry.channels, |channel, _| {
        let values = || map.channel(geometry.batch, channel).map(|at| x[at].wide());
        let mean = values().sum::<f64>() / count.max(1.0);
        let squares: f64 = values().map(|x| (x - mean) * (x - mean)).sum();
        // SAFETY: every channel belongs to one task.
        let [running_mean, running_var, saved_mean, saved_inv_std] =
            vectors.map(|vector| unsafe { &mut vector.slice(channel, 1)[0] });
        *saved_mean = T::of(mean);
        *saved_inv_std = inverse_deviation(squares / count.max(1.0), options.epsilon);
        if count > 0.0 {
            let weight = f64::from(options.momentum);
            let blend = |old: T, new: f64| T::of((1.0 - weight) * old.wide() + weight * new);
            *running_mean = blend(*running_mean, mean);
            *running_var = blend(*running_var, squares / (count - 1.0).max(1.0));
        }
    });
    let (mean, inv_std) = (&*saved_mean, &*saved_inv_std);
    let affine = Affine { gamma, beta, mean };
    let inv_std = |channel: usize| inv_std[channel];
    affine.normalise(ctx, geometry, inv_std, options.activation, x, residual, y);
}

/// Normalises with the statistics given, as [`norm::inference`](super::inference).
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, or a vector not one a channel.
pub fn inference<T: Real>(
    ctx: &Context<'_>,
    geometry: &NormGeometry,
    epsilon: f32,
    activation: Option<Activation>,
    x: &[T],
    residual: Option<&[T]>,
    gamma: &[T],
    beta: &[T],
    mean: &[T],
    var: &[T],
    y: &mut [T],
) {
    geometry.check_vectors(&[("var", var.len())]);
    let affine = Affine { gamma, beta, mean };
    let inv_std = |channel: usize| inverse_deviation(var[channel].wide(), epsilon);
    affine.normalise(ctx, geometry, inv_std, activation, x, residual, y);
}

/// The gradients of [`forward_training`], as [`norm::backward`](super::backward).
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, or a vector not one a channel.
pub fn backward<T: Real>(
    ctx: &Context<'_>,
    geometry: &NormGeometry,
    gate: Gate<'_, T>,
    dy: &[T],
    x: &[T],
    gamma: &[T],
    saved_mean: &[T],
    saved_inv_std: &[T],
    dx: &mut [T],
    dgamma: &mut [T],
    dbeta: &mut [T],
    dresidual: Option<&mut [T]>,
) {
    geometry.check_vectors(&[("saved_inv_std", saved_inv_std.len())]);
    let norm = Differentiated {
        geometry,
        gate,
        gamma,
        mean: saved_mean,
        inv_std: |channel: usize| saved_inv_std[channel],
        of_batch: true,
    };
    norm.gradients(ctx, dy, x, dx, dgamma, dbeta, dresidual);
}

/// The gradients of [`inference`], as [`norm::inference_backward`](super::inference_backward).
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, or a vector not one a channel.
pub fn inference_backward<T: Real>(
    ctx: &Context<'_>,
    geometry: &NormGeometry,
    epsilon: f32,
    gate: Gate<'_, T>,
    dy: &[T],
    x: &[T],
    gamma: &[T],
    mean: &[T],
    var: &[T],
    dx: &mut [T],
    dgamma: &mut [T],
    dbeta: &mut [T],
    dresidual: Option<&mut [T]>,
) {
    geometry.check_vectors(&[("var", var.len())]);
    let norm = Differentiated {
        geometry,
        gate,
        gamma,
        mean,
        inv_std: |channel: usize| inverse_deviation(var[channel].wide(), epsilon),
        of_batch: false,
    };
    norm.gradients(ctx, dy, x, dx, dgamma, dbeta, dresidual);
}

/// `1/√(σ² + ε)`
fn inverse_deviation<T: Real>(variance: f64, epsilon: f32) -> T {
    T::of(1.0 / (variance + f64::from(epsilon)).sqrt())
}

fn map(geometry: &NormGeometry) -> Map {
    Map {
        channels: geometry.channels,
        area: geometry.area,
        layout: geometry.layout,
    }
}

/// What is done to every element of a channel, before the residual and the activation.
#[derive(Clone, Copy)]
struct Affine<'a, T> {
    gamma: &'a [T],
    beta: &'a [T],
    mean: &'a [T],
}

impl<T: Real> Affine<'_, T> {
    fn at(&self, channel: usize, inv_std: T, x: T) -> T {
        (x - self.mean[channel]) * (self.gamma[channel] * inv_std) + self.beta[channel]
    }

    fn normalise(
        &self,
        ctx: &Context<'_>,
        geometry: &NormGeometry,
        inv_std: impl Fn(usize) -> T + Sync,
        activation: Option<Activation>,
        x: &[T],
        residual: Option<&[T]>,
        y: &mut [T],
    ) {
        geometry.check_maps(&[
            ("x", x.len()),
            ("residual", residual.map_or(x.len(), <[T]>::len)),
            ("y", y.len()),
        ]);
        geometry.check_vectors(&[
            ("gamma", self.gamma.len()),
            ("beta", self.beta.len()),
            ("mean", self.mean.len()),
        ]);
        let map = map(geometry);
        let out = Shared::new(y);
        ctx.team.for_each(geometry.channels, |channel, _| {
            let inv_std = inv_std(channel);
            for at in map.channel(geometry.batch, channel) {
                let mut value = self.at(channel, inv_std, x[at]);
                value += residual.map_or(T::zero(), |residual| residual[at]);
                if let Some(activation) = activation {
                    value = activation.apply(value);
                }
                // SAFETY: every channel belongs to one task.
                unsafe { out.slice(at, 1)[0] = value };
            }
        });
    }
}

/// A normalisation and what was done behind it.
struct Differentiated<'a, T, R> {
    geometry: &'a NormGeometry,
    gate: Gate<'a, T>,
    gamma: &'a [T],
    mean: &'a [T],
    inv_std: R,
    /// The statistics are those of `x`, and carry gradient.
    of_batch: bool,
}

impl<T: Real, R: Fn(usize) -> T + Sync> Differentiated<'_, T, R> {
    fn gradients(
        &self,
        ctx: &Context<'_>,
        dy: &[T],
        x: &[T],
        dx: &mut [T],
        dgamma: &mut [T],
        dbeta: &mut [T],
        dresidual: Option<&mut [T]>,
    ) {
        self.check(dy, x, dx, dgamma, dbeta, dresidual.as_deref());
        let map = map(self.geometry);
        let batch = self.geometry.batch;
        let share = if self.of_batch {
            1.0 / self.geometry.count().max(1) as f64
        } else {
            0.0
        };
        let [dx, dgamma, dbeta] = [dx, dgamma, dbeta].map(Shared::new);
        let dresidual = dresidual.map(Shared::new);
        ctx.team.for_each(self.geometry.channels, |channel, _| {
            let inv_std = (self.inv_std)(channel);
            let passed = |at: usize| self.passed(channel, inv_std, at, dy[at], x[at]);
            let normalised = |at: usize| (x[at] - self.mean[channel]).wide() * inv_std.wide();
            let (mut sum, mut product) = (0.0, 0.0);
            for at in map.channel(batch, channel) {
                let g = passed(at);
                sum += g.wide();
                product += g.wide() * normalised(at);
                if let Some(dresidual) = dresidual {
                    // SAFETY: every channel belongs to one task.
                    unsafe { dresidual.slice(at, 1)[0] = g };
                }
            }
            // SAFETY: as above.
            unsafe {
                dbeta.slice(channel, 1)[0] = T::of(sum);
                dgamma.slice(channel, 1)[0] = T::of(product);
            }
            let scale = self.gamma[channel].wide() * inv_std.wide();
            for at in map.channel(batch, channel) {
                let of_statistics = (sum + normalised(at) * product) * share;
                // SAFETY: as above.
                let dx = unsafe { dx.slice(at, 1) };
                dx[0] = T::of(scale * (passed(at).wide() - of_statistics));
            }
        });
    }

    /// What passes the activation of the gradient of one element.
    fn passed(&self, channel: usize, inv_std: T, at: usize, dy: T, x: T) -> T {
        let passes = match self.gate {
            Gate::Open => true,
            Gate::Output { activation, y } => activation.passes(y[at]),
            Gate::Recomputed { activation, beta } => {
                let (gamma, mean) = (self.gamma, self.mean);
                activation.passes(Affine { gamma, beta, mean }.at(channel, inv_std, x))
            }
        };
        if passes { dy } else { T::zero() }
    }

    fn check(
        &self,
        dy: &[T],
        x: &[T],
        dx: &[T],
        dgamma: &[T],
        dbeta: &[T],
        dresidual: Option<&[T]>,
    ) {
        let (y, beta) = match self.gate {
            Gate::Open => (dy, dbeta),
            Gate::Output { y, .. } => (y, dbeta),
            Gate::Recomputed { beta, .. } => (dy, beta),
        };
        self.geometry.check_maps(&[
            ("dy", dy.len()),
            ("x", x.len()),
            ("y", y.len()),
            ("dx", dx.len()),
            ("dresidual", dresidual.map_or(dy.len(), <[T]>::len)),
        ]);
        self.geometry.check_vectors(&[
            ("gamma", self.gamma.len()),
            ("beta", beta.len()),
            ("mean", self.mean.len()),
            ("dgamma", dgamma.len()),
            ("dbeta", dbeta.len()),
        ]);
    }
}
