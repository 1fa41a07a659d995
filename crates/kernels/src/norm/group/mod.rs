//! Group normalisation (Wu & He 2018): each image's channels in groups, each group with its own mean and
//! deviation. With a group a channel it is instance normalisation (Ulyanov et al. 2016), with one group
//! the layer normalisation of images.
//!
//! `y = γ·(x − μ)·r + β` with `r = 1/√(σ² + ε)`, μ and σ² of the group in its image; γ and β one a channel.
//!
//! Backwards, with `x̂ = (x − μ)·r`, `g = γ·dy` and sums over the `m` elements of the group:
//! `dx = r·(g − Σ g/m − x̂·Σ g·x̂/m)`. As γ is one a channel, `Σ dy` and `Σ dy·x̂` of each channel of each image are
//! all that has to be summed; over the images they are `dβ` and `dγ`.

mod pixels;
mod planes;

use tensor::Layout;

use crate::shared::Shared;
use crate::vectors::add_vectors;
use crate::{Context, Real};

/// The feature map that is normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupGeometry {
    /// Images.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Groups of neighbouring channels; they divide the channels.
    pub groups: usize,
    /// Positions of a map.
    pub area: usize,
    /// How the map lies in memory.
    pub layout: Layout,
}

impl GroupGeometry {
    /// Elements of `scratch` that [`forward`] needs.
    pub fn forward_scratch_len(&self) -> usize {
        match self.layout {
            Layout::Nchw => planes::forward_scratch_len(self),
            Layout::Nhwc => pixels::scratch_len(self),
        }
    }

    /// Elements of `scratch` that [`backward`] needs.
    pub fn backward_scratch_len(&self) -> usize {
        let partials = match self.layout {
            Layout::Nchw => planes::backward_scratch_len(self),
            Layout::Nhwc => pixels::scratch_len(self),
        };
        partials + self.batch * self.channels * 2 + self.units() * 2
    }

    /// Groups of all images.
    fn units(&self) -> usize {
        self.batch * self.groups
    }

    /// Channels of a group.
    fn width(&self) -> usize {
        self.channels / self.groups.max(1)
    }

    /// Elements of a group.
    fn count(&self) -> usize {
        self.width() * self.area
    }

    fn check(&self, maps: &[usize], vectors: &[Option<usize>], statistics: &[usize]) {
        assert!(
            self.channels.is_multiple_of(self.groups) && (self.groups > 0 || self.channels == 0),
            "group norm: {} groups of {} channels",
            self.groups,
            self.channels
        );
        let is = |len: usize| move |given: &usize| *given == len;
        assert!(
            maps.iter().all(is(self.batch * self.channels * self.area)),
            "group norm: lengths of maps {maps:?} for {self:?}"
        );
        assert!(
            vectors.iter().flatten().all(is(self.channels)),
            "group norm: lengths of vectors {vectors:?} for {self:?}"
        );
        assert!(
            statistics.iter().all(is(self.units())),
            "group norm: lengths of statistics {statistics:?} for {self:?}"
        );
    }
}

/// γ and β; without them 1 and 0.
#[derive(Clone, Copy)]
struct Affine<'a, T> {
    gamma: Option<&'a [T]>,
    beta: Option<&'a [T]>,
}

impl<T: Real> Affine<'_, T> {
    fn gamma(&self, channel: usize) -> T {
        self.gamma.map_or(T::one(), |gamma| gamma[channel])
    }

    fn beta(&self, channel: usize) -> T {
        self.beta.map_or(T::zero(), |beta| beta[channel])
    }
}

/// Normalises every group of every image. Without γ it is 1, without β 0. `saved_mean` and
/// `saved_inv_std`, `[batch, groups]`, receive what the backward pass needs.
///
/// ```
/// use kernels::norm::group::{GroupGeometry, forward};
/// use kernels::{Context, Isa, Team};
/// use tensor::Layout;
///
/// let team = Team::new(1).unwrap();
/// let context = Context { team: &team, isa: Isa::chosen() };
/// // One pixel of four channels in two groups.
/// let geometry =
///     GroupGeometry { batch: 1, channels: 4, groups: 2, area: 1, layout: Layout::Nhwc };
/// let (mut y, mut mean, mut inv_std) = ([0.0; 4], [0.0; 2], [0.0; 2]);
/// let mut scratch = vec![0.0; geometry.forward_scratch_len()];
/// forward(
///     &context, &geometry, 0.0, &[1.0f64, 3.0, 10.0, 30.0], None, Some(&[0.0, 0.0, 0.0, 5.0]),
///     &mut y, &mut mean, &mut inv_std, &mut scratch,
/// );
/// assert_eq!(y, [-1.0, 1.0, -1.0, 6.0]);
/// assert_eq!((mean, inv_std), ([2.0, 20.0], [1.0, 0.1]));
/// ```
///
/// # Panics
/// When the groups do not divide the channels, a map does not hold `batch · channels · area` elements, a
/// vector not one a channel, the statistics not one a group, or `scratch` is shorter than
/// [`GroupGeometry::forward_scratch_len`].
pub fn forward<T: Real>(
    context: &Context<'_>,
    geometry: &GroupGeometry,
    epsilon: f32,
    x: &[T],
    gamma: Option<&[T]>,
    beta: Option<&[T]>,
    y: &mut [T],
    saved_mean: &mut [T],
    saved_inv_std: &mut [T],
    scratch: &mut [T],
) {
    geometry.check(
        &[x.len(), y.len()],
        &[gamma.map(<[T]>::len), beta.map(<[T]>::len)],
        &[saved_mean.len(), saved_inv_std.len()],
    );
    let affine = Affine { gamma, beta };
    let run = match geometry.layout {
        Layout::Nchw => planes::forward,
        Layout::Nhwc => pixels::forward,
    };
    run(
        context,
        geometry,
        epsilon,
        affine,
        x,
        y,
        saved_mean,
        saved_inv_std,
        scratch,
    );
}

/// The gradients of [`forward`]; those of γ and β only where they are asked for.
///
/// # Panics
/// As [`forward`], with [`GroupGeometry::backward_scratch_len`].
pub fn backward<T: Real>(
    context: &Context<'_>,
    geometry: &GroupGeometry,
    x: &[T],
    gamma: Option<&[T]>,
    saved_mean: &[T],
    saved_inv_std: &[T],
    dy: &[T],
    dx: &mut [T],
    dgamma: Option<&mut [T]>,
    dbeta: Option<&mut [T]>,
    scratch: &mut [T],
) {
    geometry.check(
        &[x.len(), dy.len(), dx.len()],
        &[
            gamma.map(<[T]>::len),
            dgamma.as_ref().map(|dgamma| dgamma.len()),
            dbeta.as_ref().map(|dbeta| dbeta.len()),
        ],
        &[saved_mean.len(), saved_inv_std.len()],
    );
    let (batch, channels) = (geometry.batch, geometry.channels);
    let (by_channel, scratch) = scratch.split_at_mut(batch * channels * 2);
    let (shares, partials) = scratch.split_at_mut(geometry.units() * 2);
    let backward = Backward {
        context,
        geometry,
        affine: Affine { gamma, beta: None },
        x,
        mean: saved_mean,
        inv_std: saved_inv_std,
        dy,
        by_channel: Shared::new(&mut *by_channel),
        shares: Shared::new(shares),
    };
    match geometry.layout {
        Layout::Nchw => planes::backward(&backward, partials, dx),
        Layout::Nhwc => pixels::backward(&backward, partials, dx),
    }
    let by_channel = &*by_channel;
    if let Some(dbeta) = dbeta {
        add_vectors(context, by_channel, batch, |n| 2 * n * channels, dbeta);
    }
    if let Some(dgamma) = dgamma {
        add_vectors(
            context,
            by_channel,
            batch,
            |n| (2 * n + 1) * channels,
            dgamma,
        );
    }
}

/// The operands of the backward pass, and the sums it leaves.
struct Backward<'a, T> {
    context: &'a Context<'a>,
    geometry: &'a GroupGeometry,
    affine: Affine<'a, T>,
    x: &'a [T],
    mean: &'a [T],
    inv_std: &'a [T],
    dy: &'a [T],
    /// `Σ dy` and `Σ dy·x̂`: `[batch, 2, channels]`.
    by_channel: Shared<'a, T>,
    /// What is added to `γ·r·dy` in every element of a group, a constant and a multiple of `x − μ`:
    /// `[batch · groups, 2]`.
    shares: Shared<'a, T>,
}

impl<T: Real> Backward<'_, T> {
    /// Keeps the sums of the channels of a group of an image, `Σ dy` and `Σ dy·(x − μ)` by their place in the
    /// group, and makes the group's shares of them.
    ///
    /// # Safety
    /// The group belongs to the caller's task.
    unsafe fn settle(&self, image: usize, group: usize, sums: impl Fn(usize) -> [f64; 2]) {
        let g = self.geometry;
        let (unit, width) = (image * g.groups + group, g.width());
        let inv_std = self.inv_std[unit].wide();
        // SAFETY: passed on to the caller.
        let ([first, second], shares) = unsafe {
            (
                [0, 1].map(|k| {
                    self.by_channel
                        .slice((image * 2 + k) * g.channels + group * width, width)
                }),
                self.shares.slice(unit * 2, 2),
            )
        };
        let mut totals = [0.0; 2];
        for place in 0..width {
            let [sum, product] = sums(place);
            let product = product * inv_std;
            first[place] = T::of(sum);
            second[place] = T::of(product);
            let gamma = self.affine.gamma(group * width + place).wide();
            totals = [totals[0] + gamma * sum, totals[1] + gamma * product];
        }
        let share = -inv_std / g.count() as f64;
        shares.copy_from_slice(&[share * totals[0], share * inv_std * totals[1]].map(T::of));
    }

    /// The shares of a group.
    ///
    /// # Safety
    /// They have been written.
    unsafe fn shares(&self, unit: usize) -> [T; 2] {
        // SAFETY: passed on to the caller.
        let shares = unsafe { self.shares.read(unit * 2, 2) };
        [shares[0], shares[1]]
    }
}
