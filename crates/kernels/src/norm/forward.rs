//! Normalisation with the statistics of the batch, or with given ones.

use tensor::Layout;

use super::{Activation, NormGeometry, inverse_deviation, statistics};
use crate::row::{for_each_group, load, store};
use crate::shared::Shared;
use crate::simd::{Vector, dispatch};
use crate::stream::{LINE, streams};
use crate::strips::{LANES, Strip};
use crate::{Context, Isa};

/// What training needs to know beside the operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormTraining {
    /// ε, added to the variance.
    pub epsilon: f32,
    /// Weight of the batch in the running statistics (PyTorch's sense; ONNX counts the other way).
    pub momentum: f32,
    /// Applied last.
    pub activation: Option<Activation>,
}

/// Normalises with the mean and the biased variance of the batch.
///
/// `saved_mean` and `saved_inv_std` receive what the backward pass needs. The running statistics
/// become `(1 − momentum)·old + momentum·batch`, the batch's variance made unbiased (as PyTorch
/// does; of a single value a channel it is taken as 0). An empty batch leaves them as they are.
///
/// ```
/// use kernels::norm::{NormGeometry, NormTraining, forward_training};
/// use kernels::{Context, Isa, Team};
/// use tensor::Layout;
///
/// let team = Team::new(1).unwrap();
/// let context = Context { team: &team, isa: Isa::chosen() };
/// let geometry = NormGeometry { batch: 2, channels: 1, area: 2, layout: Layout::Nchw };
/// let options = NormTraining { epsilon: 0.0, momentum: 0.5, activation: None };
/// let (mut mean, mut variance) = ([0.0], [1.0]);
/// let (mut saved_mean, mut saved_inv_std, mut y) = ([0.0], [0.0], [0.0; 4]);
/// let mut scratch = vec![0.0; geometry.scratch_len()];
/// forward_training(
///     &context, &geometry, options, &[1.0, 1.0, 3.0, 3.0], None, &[2.0], &[10.0],
///     &mut mean, &mut variance, &mut saved_mean, &mut saved_inv_std, &mut y, &mut scratch,
/// );
/// assert_eq!(y, [8.0, 8.0, 12.0, 12.0]);
/// assert_eq!((mean, saved_mean, saved_inv_std), ([1.0], [2.0], [1.0]));
/// ```
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, a vector not one a channel, or
/// `scratch` fewer than [`NormGeometry::scratch_len`].
pub fn forward_training(
    context: &Context,
    geometry: &NormGeometry,
    options: NormTraining,
    x: &[f32],
    residual: Option<&[f32]>,
    gamma: &[f32],
    beta: &[f32],
    running_mean: &mut [f32],
    running_var: &mut [f32],
    saved_mean: &mut [f32],
    saved_inv_std: &mut [f32],
    y: &mut [f32],
    scratch: &mut [f32],
) {
    geometry.check_maps(&[("x", x.len())]);
    geometry.check_vectors(&[
        ("running_mean", running_mean.len()),
        ("running_var", running_var.len()),
        ("saved_mean", saved_mean.len()),
        ("saved_inv_std", saved_inv_std.len()),
    ]);
    let (cut, channels) = (geometry.cut(), geometry.channels);
    let partials = &mut scratch[..geometry.scratch_len()];
    statistics::chunk_moments(context, &cut, channels, x, partials);

    let partials = &*partials;
    let vectors = [
        running_mean,
        running_var,
        &mut *saved_mean,
        &mut *saved_inv_std,
    ];
    let [mean, var, batch_mean, inv_std] = vectors.map(Shared::new);
    context.team.for_each(channels.div_ceil(LANES), |block, _| {
        let first = block * LANES;
        let count = LANES.min(channels - first);
        // SAFETY: every block of channels belongs to one task.
        let [mean, var, batch_mean, inv_std] =
            [mean, var, batch_mean, inv_std].map(|s| unsafe { s.slice(first, count) });
        for at in 0..count {
            let moments = statistics::channel_moments(&cut, channels, partials, first + at);
            batch_mean[at] = moments.mean as f32;
            inv_std[at] = inverse_deviation(moments.biased_variance(), options.epsilon);
            if geometry.count() > 0 {
                let blend = |old: f32, new: f64| {
                    let weight = f64::from(options.momentum);
                    ((1.0 - weight) * f64::from(old) + weight * new) as f32
                };
                mean[at] = blend(mean[at], moments.mean);
                var[at] = blend(var[at], moments.unbiased_variance());
            }
        }
    });
    let (mean, inv_std) = (&*saved_mean, &*saved_inv_std);
    let affine = Affine { gamma, beta, mean };
    affine.normalise(
        context,
        geometry,
        |channel| inv_std[channel],
        options.activation,
        (x, geometry.channels),
        residual,
        y,
    );
}

/// Normalises with the statistics given, as a trained network does.
///
/// `x` comes with the channels of its map, of which the norm's are the first. Channels last these may be
/// more than the norm's: a concatenation that still grows.
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, or a vector not one a channel; when `x` has
/// fewer channels than the norm, or others channels first.
pub fn inference(
    context: &Context,
    geometry: &NormGeometry,
    epsilon: f32,
    activation: Option<Activation>,
    x: (&[f32], usize),
    residual: Option<&[f32]>,
    gamma: &[f32],
    beta: &[f32],
    mean: &[f32],
    var: &[f32],
    y: &mut [f32],
) {
    geometry.check_vectors(&[("var", var.len())]);
    let affine = Affine { gamma, beta, mean };
    let inv_std = |channel: usize| inverse_deviation(f64::from(var[channel]), epsilon);
    affine.normalise(context, geometry, inv_std, activation, x, residual, y);
}

/// What is done to every element of a channel.
struct Affine<'a> {
    gamma: &'a [f32],
    beta: &'a [f32],
    mean: &'a [f32],
}

impl Affine<'_> {
    fn normalise(
        &self,
        context: &Context,
        geometry: &NormGeometry,
        inv_std: impl Fn(usize) -> f32 + Sync,
        activation: Option<Activation>,
        (x, x_channels): (&[f32], usize),
        residual: Option<&[f32]>,
        y: &mut [f32],
    ) {
        let channels = geometry.channels;
        let fits = match geometry.layout {
            Layout::Nchw => x_channels == channels,
            Layout::Nhwc => x_channels >= channels,
        };
        assert!(fits, "norm: {channels} of the {x_channels} channels of x");
        let x_len = geometry.batch * x_channels * geometry.area;
        assert_eq!(x.len(), x_len, "norm: length of x for {geometry:?}");
        geometry.check_maps(&[
            ("residual", residual.map_or(y.len(), <[f32]>::len)),
            ("y", y.len()),
        ]);
        geometry.check_vectors(&[
            ("gamma", self.gamma.len()),
            ("beta", self.beta.len()),
            ("mean", self.mean.len()),
        ]);
        // Channels that `x` has besides are skipped pixel by pixel.
        let besides = x_channels - channels;
        let cut = match besides {
            0 => geometry.cut(),
            _ => geometry.cut().unfolded(),
        };
        let isa = context.isa.min(Isa::best());
        let y_len = y.len();
        let out = Shared::new(y);
        context.team.for_each(cut.tasks(), |index, _| {
            let task = cut.task(index);
            let mean = task.lanes(|c| self.mean[c]);
            let scale = task.lanes(|c| self.gamma[c] * inv_std(c));
            let shift = task.lanes(|c| self.beta[c]);
            let mut streamed = false;
            cut.for_each_strip(task, |slot, strip| {
                let (mean, scale) = (mean[slot].as_ptr(), scale[slot].as_ptr());
                let shift = shift[slot].as_ptr();
                let at = strip.start..strip.end();
                let skipped = match besides {
                    0 => 0,
                    besides => strip.start / channels * besides,
                };
                let x_stride = strip.stride + besides;
                let x_last = at.end + skipped + strip.rows.saturating_sub(1) * besides;
                let x = x[at.start + skipped..x_last].as_ptr();
                let residual = residual.map_or(std::ptr::null(), |r| r[at].as_ptr());
                // SAFETY: the strip ends within `y`.
                let y = unsafe { out.as_mut_ptr().add(strip.start) };
                let past_caches = streams(y, y_len, strip.stride, LINE);
                streamed |= past_caches;
                // SAFETY: the maps are valid for the whole strip, which is this task's alone, the
                // vectors for all lanes.
                dispatch!(isa => apply(
                    strip: Strip, past_caches: bool, x: *const f32, x_stride: usize, residual: *const f32, y: *mut f32,
                    mean: *const f32, scale: *const f32, shift: *const f32,
                    activation: Option<Activation>,
                ));
            });
            if streamed {
                // SAFETY: `isa` proves the family.
                dispatch!(isa => fence());
            }
        });
    }
}

/// Ends what a task has streamed.
#[inline(always)]
unsafe fn fence<V: Vector>() {
    // SAFETY: passed on to the caller.
    unsafe { V::fence() }
}

/// `y = activation((x − mean)·scale + shift + residual)`; no residual where its pointer is null.
///
/// The mean is subtracted first: in `x·scale + (shift − mean·scale)` a mean that is large beside the
/// deviation would cancel, and take the digits of `x` with it.
#[inline(always)]
unsafe fn apply<V: Vector>(
    strip: Strip,
    past_caches: bool,
    x: *const f32,
    x_stride: usize,
    residual: *const f32,
    y: *mut f32,
    mean: *const f32,
    scale: *const f32,
    shift: *const f32,
    activation: Option<Activation>,
) {
    #[inline(always)]
    unsafe fn group<V: Vector, const N: usize, const PARTIAL: bool>(
        lane: usize,
        tail: usize,
        strip: Strip,
        past_caches: bool,
        x: *const f32,
        x_stride: usize,
        residual: *const f32,
        y: *mut f32,
        mean: *const f32,
        scale: *const f32,
        shift: *const f32,
        activation: Option<Activation>,
    ) {
        // SAFETY: the group lies within the row, and every row within the strip.
        unsafe {
            let mean = load::<V, N, PARTIAL>(mean.add(lane), tail);
            let scale = load::<V, N, PARTIAL>(scale.add(lane), tail);
            let shift = load::<V, N, PARTIAL>(shift.add(lane), tail);
            for row in 0..strip.rows {
                let at = row * strip.stride + lane;
                let mut v = load::<V, N, PARTIAL>(x.add(row * x_stride + lane), tail);
                for n in 0..N {
                    v[n] = v[n].sub(mean[n]).mul_add(scale[n], shift[n]);
                }
                if !residual.is_null() {
                    let r = load::<V, N, PARTIAL>(residual.add(at), tail);
                    for n in 0..N {
                        v[n] = v[n].add(r[n]);
                    }
                }
                if let Some(activation) = activation {
                    for v in &mut v {
                        *v = activation.apply_vector(*v);
                    }
                }
                match past_caches && !PARTIAL {
                    true => {
                        for (n, v) in v.into_iter().enumerate() {
                            v.stream(y.add(at + n * V::LANES));
                        }
                    }
                    false => store::<V, N, PARTIAL>(v, y.add(at), tail),
                }
            }
        }
    }
    // SAFETY: passed on to the caller.
    unsafe {
        for_each_group!(
            group::<V>(
                strip.width; strip, past_caches, x, x_stride, residual, y, mean, scale, shift, activation,
            )
        );
    }
}
