//! Layer normalisation over the channels of each pixel, as ConvNeXt has it (Liu et al. 2022): every
//! position of every image has its own mean and deviation, γ and β are one a channel.
//!
//! Channels last this is [layer normalisation](super::layer) of rows. Channels first the channels of a
//! pixel lie a plane apart, so a task takes a band of neighbouring pixels through all planes.

use tensor::Layout;

use super::layer::{self, LayerGeometry};
use super::rows::inverse_deviation;
use crate::bands::{BAND, BandSums};
use crate::runs::sums;
use crate::shared::Shared;
use crate::vectors::add_vectors;
use crate::{Context, Real};

/// The feature map that is normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelGeometry {
    /// Images.
    pub batch: usize,
    /// Channels, normalised together.
    pub channels: usize,
    /// Positions of a map.
    pub area: usize,
    /// How the map lies in memory.
    pub layout: Layout,
}

impl ChannelGeometry {
    /// Elements of `scratch` that [`forward`] needs.
    pub fn forward_scratch_len(&self) -> usize {
        match self.layout {
            Layout::Nchw => 0,
            Layout::Nhwc => self.as_rows().forward_scratch_len(),
        }
    }

    /// Elements of `scratch` that [`backward`] needs.
    pub fn backward_scratch_len(&self) -> usize {
        match self.layout {
            Layout::Nchw => self.batch * self.bands() * 2 * self.channels,
            Layout::Nhwc => self.as_rows().backward_scratch_len(),
        }
    }

    fn as_rows(&self) -> LayerGeometry {
        LayerGeometry {
            rows: self.batch * self.area,
            len: self.channels,
        }
    }

    /// Bands of a plane.
    fn bands(&self) -> usize {
        self.area.div_ceil(BAND)
    }

    fn check(&self, maps: &[usize], vectors: &[Option<usize>], statistics: &[usize]) {
        let is = |len: usize| move |given: &usize| *given == len;
        assert!(
            maps.iter().all(is(self.batch * self.channels * self.area)),
            "channel norm: lengths of maps {maps:?} for {self:?}"
        );
        assert!(
            vectors.iter().flatten().all(is(self.channels)),
            "channel norm: lengths of vectors {vectors:?} for {self:?}"
        );
        assert!(
            statistics.iter().all(is(self.batch * self.area)),
            "channel norm: lengths of statistics {statistics:?} for {self:?}"
        );
    }

    /// Runs `task` for every band of every image.
    fn for_each_band(&self, context: &Context<'_>, task: impl Fn(Band) + Sync) {
        let bands = self.bands();
        context.team.for_each(self.batch * bands, |index, _| {
            let (image, first) = (index / bands, index % bands * BAND);
            task(Band {
                index,
                width: BAND.min(self.area - first),
                first: image * self.area + first,
                start: image * self.channels * self.area + first,
                area: self.area,
            });
        });
    }
}

/// Neighbouring pixels of an image.
#[derive(Clone, Copy)]
struct Band {
    index: usize,
    /// How many pixels.
    width: usize,
    /// The first one among the pixels of all images.
    first: usize,
    /// Its first channel in the map.
    start: usize,
    area: usize,
}

impl Band {
    /// Where the band of a channel starts in the map.
    fn at(&self, channel: usize) -> usize {
        self.start + channel * self.area
    }

    /// The band of a channel.
    fn of<'a, T>(&self, map: &'a [T], channel: usize) -> &'a [T] {
        &map[self.at(channel)..][..self.width]
    }
}

/// Normalises every pixel. Without γ it is 1, without β 0. `saved_mean` and `saved_inv_std`,
/// `[batch, area]`, receive what the backward pass needs.
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, a vector not one a channel, the
/// statistics not `batch · area`, or `scratch` is shorter than
/// [`ChannelGeometry::forward_scratch_len`].
pub fn forward<T: Real>(
    context: &Context<'_>,
    geometry: &ChannelGeometry,
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
    if geometry.layout == Layout::Nhwc {
        let rows = geometry.as_rows();
        layer::forward(
            context,
            &rows,
            epsilon,
            x,
            gamma,
            beta,
            y,
            saved_mean,
            saved_inv_std,
            scratch,
        );
        return;
    }
    let channels = geometry.channels;
    let [y, saved_mean, saved_inv_std] = [y, saved_mean, saved_inv_std].map(Shared::new);
    geometry.for_each_band(context, |band| {
        // SAFETY: every band belongs to one task.
        let (saved_mean, saved_inv_std) = unsafe {
            (
                saved_mean.slice(band.first, band.width),
                saved_inv_std.slice(band.first, band.width),
            )
        };
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                let count = channels.max(1) as f64;
                let mut sum = BandSums::new();
                for channel in 0..channels {
                    sum.add(band.of(x, channel).iter().copied());
                }
                let sum = sum.totals();
                let mut mean = [T::zero(); BAND];
                for (mean, sum) in mean.iter_mut().zip(sum) {
                    *mean = T::of(sum / count);
                }
                let (mut near, mut squares) = (BandSums::new(), BandSums::new());
                for channel in 0..channels {
                    let pairs = band.of(x, channel).iter().zip(&mean);
                    near.add(pairs.clone().map(|(&x, &mean)| x - mean));
                    squares.add(pairs.map(|(&x, &mean)| (x - mean) * (x - mean)));
                }
                let moments = near.totals().into_iter().zip(squares.totals());
                let lanes = saved_mean.iter_mut().zip(&mut *saved_inv_std);
                for (((saved, inv_std), mean), (near, squares)) in lanes.zip(mean).zip(moments) {
                    // What the mean was rounded by counts too.
                    let near = near / count;
                    let variance = squares / count - near * near;
                    let variance = if variance < 0.0 { 0.0 } else { variance };
                    *saved = T::of(mean.wide() + near);
                    *inv_std = inverse_deviation(variance, epsilon);
                }
                for channel in 0..channels {
                    let gamma = gamma.map_or(T::one(), |gamma| gamma[channel]);
                    let beta = beta.map_or(T::zero(), |beta| beta[channel]);
                    // SAFETY: every band belongs to one task.
                    let y = unsafe { y.slice(band.at(channel), band.width) };
                    let lanes = saved_mean.iter().zip(&*saved_inv_std);
                    for ((y, &x), (&mean, &inv_std)) in
                        y.iter_mut().zip(band.of(x, channel)).zip(lanes)
                    {
                        *y = (x - mean) * inv_std * gamma + beta;
                    }
                }
            },
        );
    });
}

/// The gradients of [`forward`]; those of γ and β only where they are asked for.
///
/// # Panics
/// As [`forward`], with [`ChannelGeometry::backward_scratch_len`].
pub fn backward<T: Real>(
    context: &Context<'_>,
    geometry: &ChannelGeometry,
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
    if geometry.layout == Layout::Nhwc {
        let rows = geometry.as_rows();
        layer::backward(
            context,
            &rows,
            x,
            gamma,
            saved_mean,
            saved_inv_std,
            dy,
            dx,
            dgamma,
            dbeta,
            scratch,
        );
        return;
    }
    let channels = geometry.channels;
    let parameters = &mut scratch[..geometry.backward_scratch_len()];
    let by_band = Shared::new(&mut *parameters);
    let out = Shared::new(dx);
    geometry.for_each_band(context, |band| {
        let mean = &saved_mean[band.first..][..band.width];
        let inv_std = &saved_inv_std[band.first..][..band.width];
        let gamma = |channel: usize| gamma.map_or(T::one(), |gamma| gamma[channel]);
        // SAFETY: every band belongs to one task.
        let by_band = unsafe { by_band.slice(band.index * 2 * channels, 2 * channels) };
        let (dbeta, dgamma) = by_band.split_at_mut(channels);
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                let (mut sum, mut product) = (BandSums::new(), BandSums::new());
                for channel in 0..channels {
                    let (x, dy) = (band.of(x, channel), band.of(dy, channel));
                    let gamma = gamma(channel);
                    sum.add(dy.iter().map(|&dy| dy * gamma));
                    let lanes = dy.iter().zip(x.iter().zip(mean));
                    product.add(lanes.map(|(&dy, (&x, &mean))| dy * gamma * (x - mean)));
                    let [of_shift, of_scale] = sums(
                        [x, dy, mean, inv_std],
                        #[inline(always)]
                        |[x, dy, mean, inv_std]| [dy, dy * ((x - mean) * inv_std)],
                    );
                    dbeta[channel] = T::of(of_shift);
                    dgamma[channel] = T::of(of_scale);
                }
                let totals = sum.totals().into_iter().zip(product.totals());
                let mut constant = [T::zero(); BAND];
                let mut of_input = [T::zero(); BAND];
                let lanes = constant.iter_mut().zip(&mut of_input).zip(inv_std);
                for (((constant, of_input), inv_std), (sum, product)) in lanes.zip(totals) {
                    let inv_std = inv_std.wide();
                    let share = -inv_std / channels as f64;
                    *constant = T::of(share * sum);
                    *of_input = T::of(share * inv_std * inv_std * product);
                }
                for channel in 0..channels {
                    let (x, dy) = (band.of(x, channel), band.of(dy, channel));
                    let gamma = gamma(channel);
                    // SAFETY: every band belongs to one task.
                    let dx = unsafe { out.slice(band.at(channel), band.width) };
                    let lanes = mean.iter().zip(inv_std).zip(constant.iter().zip(&of_input));
                    for ((dx, (&x, &dy)), ((&mean, &inv_std), (&constant, &of_input))) in
                        dx.iter_mut().zip(x.iter().zip(dy)).zip(lanes)
                    {
                        *dx = dy * gamma * inv_std + ((x - mean) * of_input + constant);
                    }
                }
            },
        );
    });
    let (bands, parameters) = (geometry.batch * geometry.bands(), &*parameters);
    if let Some(dbeta) = dbeta {
        add_vectors(context, parameters, bands, |k| 2 * k * channels, dbeta);
    }
    if let Some(dgamma) = dgamma {
        add_vectors(
            context,
            parameters,
            bands,
            |k| (2 * k + 1) * channels,
            dgamma,
        );
    }
}
