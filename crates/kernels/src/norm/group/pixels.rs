//! Channels last: the loops run over rows of lanes, and a group is some lanes of every row.

use std::ops::Range;

use super::{Affine, Backward, GroupGeometry};
use crate::norm::phases::in_phases;
use crate::norm::rows::inverse_deviation;
use crate::pixels::Pixels;
use crate::shared::Shared;
use crate::{Context, Real};

/// Vectors of lanes that belong to a chunk: its sums.
const OF_CHUNK: usize = 3;
/// Vectors of lanes that belong to an image: the sums of its chunks, and then what is done to its elements.
const OF_IMAGE: usize = 4;

/// Lanes whose chunks are added up at a time.
const BAND: usize = 32;

/// The images as columns of pixels, and the vectors that go with them.
struct Columns<'a, T> {
    geometry: &'a GroupGeometry,
    pixels: Pixels,
    /// Of every image the vectors of its chunks and then its own.
    vectors: Shared<'a, T>,
}

/// Elements of `scratch` that either direction needs.
pub(super) fn scratch_len(geometry: &GroupGeometry) -> usize {
    let pixels = Pixels::new(geometry.channels, geometry.area);
    geometry.batch * (pixels.chunks() * OF_CHUNK + OF_IMAGE) * pixels.width()
}

impl<'a, T: Real> Columns<'a, T> {
    fn new(geometry: &'a GroupGeometry, scratch: &'a mut [T]) -> Self {
        Self {
            geometry,
            pixels: Pixels::new(geometry.channels, geometry.area),
            vectors: Shared::new(&mut scratch[..scratch_len(geometry)]),
        }
    }

    /// Elements of an image.
    fn image(&self) -> usize {
        self.geometry.channels * self.geometry.area
    }

    /// Where a chunk lies in the map.
    fn at(&self, image: usize, chunk: usize) -> Range<usize> {
        let at = self.pixels.elements(chunk);
        image * self.image() + at.start..image * self.image() + at.end
    }

    fn start(&self, image: usize) -> usize {
        image * (self.pixels.chunks() * OF_CHUNK + OF_IMAGE) * self.pixels.width()
    }

    /// # Safety
    /// The chunk belongs to the caller's task.
    unsafe fn of_chunk(&self, image: usize, chunk: usize) -> [&'a mut [T]; OF_CHUNK] {
        let width = self.pixels.width();
        let start = self.start(image) + chunk * OF_CHUNK * width;
        // SAFETY: passed on to the caller; the vectors are apart.
        std::array::from_fn(|k| unsafe { self.vectors.slice(start + k * width, width) })
    }

    /// The vectors of all chunks of an image, and its own.
    ///
    /// # Safety
    /// The image belongs to the caller's task, and its chunks have been seen to.
    unsafe fn of_image(&self, image: usize) -> (&'a [T], [&'a mut [T]; OF_IMAGE]) {
        let (start, width) = (self.start(image), self.pixels.width());
        let len = self.pixels.chunks() * OF_CHUNK * width;
        // SAFETY: passed on to the caller; the vectors are apart.
        unsafe {
            (
                self.vectors.read(start, len),
                std::array::from_fn(|k| self.vectors.slice(start + len + k * width, width)),
            )
        }
    }

    /// # Safety
    /// The image has been seen to.
    unsafe fn read(&self, image: usize) -> [&[T]; OF_IMAGE] {
        let width = self.pixels.width();
        let start = self.start(image) + self.pixels.chunks() * OF_CHUNK * width;
        // SAFETY: passed on to the caller.
        std::array::from_fn(|k| unsafe { self.vectors.read(start + k * width, width) })
    }

    /// Calls `sum(lanes, place)` for bands of lanes; they belong to the `place`-th pixel of a row.
    #[inline(always)]
    fn for_each_band(&self, mut sum: impl FnMut(Range<usize>, usize)) {
        let channels = self.geometry.channels;
        for place in 0..self.pixels.fold() {
            for first in (0..channels).step_by(BAND) {
                let width = BAND.min(channels - first);
                let first = place * channels + first;
                sum(first..first + width, place);
            }
        }
    }

    /// Numbers that the chunks of an image have of some neighbouring lanes.
    #[inline(always)]
    fn chunk_lanes<'b>(
        &self,
        vectors: &'b [T],
        lanes: Range<usize>,
    ) -> impl Iterator<Item = [&'b [T]; OF_CHUNK]> {
        let width = self.pixels.width();
        vectors.chunks_exact(OF_CHUNK * width).map(
            #[inline(always)]
            move |vectors| {
                [0, 1, 2].map(
                    #[inline(always)]
                    |k| &vectors[k * width + lanes.start..k * width + lanes.end],
                )
            },
        )
    }

    /// The sum over a group's lanes of what `vector` has there.
    #[inline(always)]
    fn over_group(&self, group: usize, vector: &[T]) -> f64 {
        let width = self.geometry.width();
        let mut total = 0.0;
        for lanes in vector.chunks_exact(self.geometry.channels) {
            for lane in &lanes[group * width..][..width] {
                total += lane.wide();
            }
        }
        total
    }

    /// Copies the channels of the first pixel to the others of a row.
    fn repeat(&self, lanes: &mut [T]) {
        let (first, copies) = lanes.split_at_mut(self.geometry.channels);
        for copy in copies.chunks_exact_mut(first.len()) {
            copy.copy_from_slice(first);
        }
    }
}

pub(super) fn forward<T: Real>(
    context: &Context<'_>,
    geometry: &GroupGeometry,
    epsilon: f32,
    affine: Affine<'_, T>,
    x: &[T],
    y: &mut [T],
    mean: &mut [T],
    inv_std: &mut [T],
    scratch: &mut [T],
) {
    let columns = Columns::new(geometry, scratch);
    let (chunks, width) = (columns.pixels.chunks(), columns.pixels.width());
    let groups = geometry.groups;
    let [y, mean, inv_std] = [y, mean, inv_std].map(Shared::new);
    in_phases(
        context.team,
        geometry.batch,
        chunks,
        columns.image(),
        |image, chunk| {
            let x = &x[columns.at(image, chunk)];
            // SAFETY: every chunk belongs to one task.
            let vectors = unsafe { columns.of_chunk(image, chunk) };
            T::vectorised(
                context.isa,
                #[inline(always)]
                || lane_moments(x, width, vectors),
            );
        },
        |image| {
            // SAFETY: every image belongs to one task.
            let (mean, inv_std) = unsafe {
                (
                    mean.slice(image * groups, groups),
                    inv_std.slice(image * groups, groups),
                )
            };
            T::vectorised(
                context.isa,
                #[inline(always)]
                || columns.normalisers(image, epsilon, affine, mean, inv_std),
            );
        },
        |image, chunk| {
            let at = columns.at(image, chunk);
            // SAFETY: the image has been measured, and every chunk belongs to one task.
            let ([means, scales, shifts, _], y) =
                unsafe { (columns.read(image), y.slice(at.start, at.len())) };
            let x = &x[at];
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_mut(width).zip(x.chunks(width)) {
                        let lanes = means.iter().zip(scales).zip(shifts);
                        for ((y, &x), ((&mean, &scale), &shift)) in y.iter_mut().zip(x).zip(lanes) {
                            *y = (x - mean) * scale + shift;
                        }
                    }
                },
            );
        },
    );
}

/// Leaves in `vectors` of each lane: the mean, the sum of distances from it (what it was rounded by)
/// and the sum of squared distances.
#[inline(always)]
fn lane_moments<T: Real>(x: &[T], width: usize, vectors: [&mut [T]; OF_CHUNK]) {
    let [mean, near, squares] = vectors;
    mean.fill(T::zero());
    near.fill(T::zero());
    squares.fill(T::zero());
    for x in x.chunks(width) {
        for (sum, &x) in mean.iter_mut().zip(x) {
            *sum += x;
        }
    }
    // The last row may be a part of one.
    let (rows, part) = (x.len() / width, x.len() % width);
    let (longer, shorter) = mean.split_at_mut(part);
    let shares = [rows + 1, rows.max(1)].map(|rows| T::of(1.0 / rows as f64));
    for sum in longer {
        *sum *= shares[0];
    }
    for sum in shorter {
        *sum *= shares[1];
    }
    for x in x.chunks(width) {
        let lanes = near.iter_mut().zip(squares.iter_mut()).zip(&*mean);
        for (((near, squares), &mean), &x) in lanes.zip(x) {
            let distance = x - mean;
            *near += distance;
            *squares += distance * distance;
        }
    }
}

impl<T: Real> Columns<'_, T> {
    /// Finds the statistics of the groups of an image in the moments of its chunks, and leaves in its vectors
    /// of each lane the mean, `γ·r` and `β`.
    #[inline(always)]
    fn normalisers(
        &self,
        image: usize,
        epsilon: f32,
        affine: Affine<'_, T>,
        mean: &mut [T],
        inv_std: &mut [T],
    ) {
        let (channels, width) = (self.geometry.channels, self.geometry.width());
        // SAFETY: every image belongs to one task, and its chunks have been measured.
        let (vectors, [means, high, low, _]) = unsafe { self.of_image(image) };
        let count = |chunk: usize, place: usize| self.pixels.count(chunk, place) as f64;
        // The sum of each lane, as an unevaluated sum of two.
        self.for_each_band(
            #[inline(always)]
            |lanes, place| {
                let mut sums = [0.0; BAND];
                let chunks = self.chunk_lanes(vectors, lanes.clone());
                for (chunk, [mean, near, _]) in chunks.enumerate() {
                    let count = count(chunk, place);
                    for ((sum, mean), near) in sums.iter_mut().zip(mean).zip(near) {
                        *sum += count * mean.wide() + near.wide();
                    }
                }
                let parts = high[lanes.clone()].iter_mut().zip(&mut low[lanes]);
                for ((high, low), sum) in parts.zip(sums) {
                    *high = T::of(sum);
                    *low = T::of(sum - high.wide());
                }
            },
        );
        let share = 1.0 / self.geometry.count().max(1) as f64;
        let centre = |group, high: &[T], low: &[T]| {
            (self.over_group(group, high) + self.over_group(group, low)) * share
        };
        for (group, mean) in mean.iter_mut().enumerate() {
            *mean = T::of(centre(group, high, low));
            // What the mean was rounded by, for the variance.
            inv_std[group] = T::of(centre(group, high, low) - mean.wide());
            means[group * width..][..width].fill(*mean);
        }
        self.repeat(means);
        // The sum of each lane's squared distances from the mean of its group.
        self.for_each_band(
            #[inline(always)]
            |lanes, place| {
                let mut sums = [0.0; BAND];
                let chunks = self.chunk_lanes(vectors, lanes.clone());
                for (chunk, [mean, near, squares]) in chunks.enumerate() {
                    let count = count(chunk, place);
                    let terms = mean.iter().zip(near).zip(squares);
                    let lanes = sums.iter_mut().zip(&means[lanes.clone()]);
                    for ((sum, centre), ((mean, near), squares)) in lanes.zip(terms) {
                        // Σ (d + a)², where a is the distance between the means.
                        let apart = mean.wide() - centre.wide();
                        *sum += squares.wide() + apart * (2.0 * near.wide() + count * apart);
                    }
                }
                for (square, sum) in high[lanes].iter_mut().zip(sums) {
                    *square = T::of(sum);
                }
            },
        );
        for inv_std in inv_std.iter_mut().enumerate() {
            let (group, inv_std) = inv_std;
            let variance = self.over_group(group, high) * share - inv_std.wide() * inv_std.wide();
            // Rounding may take the difference of equal numbers below zero.
            let variance = if variance < 0.0 { 0.0 } else { variance };
            *inv_std = inverse_deviation(variance, epsilon);
        }
        let (scales, shifts) = (high, low);
        for (group, &inv_std) in inv_std.iter().enumerate() {
            scales[group * width..][..width].fill(inv_std);
        }
        for channel in 0..channels {
            scales[channel] *= affine.gamma(channel);
            shifts[channel] = affine.beta(channel);
        }
        self.repeat(scales);
        self.repeat(shifts);
    }
}

pub(super) fn backward<T: Real>(backward: &Backward<'_, T>, scratch: &mut [T], dx: &mut [T]) {
    let (context, geometry) = (backward.context, backward.geometry);
    let columns = Columns::new(geometry, scratch);
    let (chunks, width) = (columns.pixels.chunks(), columns.pixels.width());
    let out = Shared::new(dx);
    in_phases(
        context.team,
        geometry.batch,
        chunks,
        columns.image(),
        |image, chunk| {
            let at = columns.at(image, chunk);
            let (x, dy) = (&backward.x[at.clone()], &backward.dy[at]);
            // SAFETY: every chunk belongs to one task.
            let [sums, products, means] = unsafe { columns.of_chunk(image, chunk) };
            backward.means(image, &mut means[..geometry.channels]);
            columns.repeat(means);
            sums.fill(T::zero());
            products.fill(T::zero());
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    for (x, dy) in x.chunks(width).zip(dy.chunks(width)) {
                        let lanes = sums.iter_mut().zip(products.iter_mut()).zip(&*means);
                        for (((sum, product), &mean), (&x, &dy)) in lanes.zip(x.iter().zip(dy)) {
                            *sum += dy;
                            *product += dy * (x - mean);
                        }
                    }
                },
            );
        },
        |image| {
            T::vectorised(
                context.isa,
                #[inline(always)]
                || columns.slopes(image, backward),
            );
        },
        |image, chunk| {
            let at = columns.at(image, chunk);
            // SAFETY: the image has been summed, and every chunk belongs to one task.
            let ([means, of_gradient, of_input, constant], dx) =
                unsafe { (columns.read(image), out.slice(at.start, at.len())) };
            let (x, dy) = (&backward.x[at.clone()], &backward.dy[at]);
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    for (dx, (x, dy)) in dx
                        .chunks_mut(width)
                        .zip(x.chunks(width).zip(dy.chunks(width)))
                    {
                        let slopes = of_gradient.iter().zip(of_input).zip(constant);
                        let lanes = means.iter().zip(slopes);
                        for ((dx, (&x, &dy)), (&mean, ((&of_gradient, &of_input), &constant))) in
                            dx.iter_mut().zip(x.iter().zip(dy)).zip(lanes)
                        {
                            *dx = dy * of_gradient + ((x - mean) * of_input + constant);
                        }
                    }
                },
            );
        },
    );
}

impl<T: Real> Backward<'_, T> {
    /// The mean of each channel of an image.
    fn means(&self, image: usize, means: &mut [T]) {
        let groups = self.geometry.groups;
        let channels = means.chunks_exact_mut(self.geometry.width());
        for (channels, &mean) in channels.zip(&self.mean[image * groups..][..groups]) {
            channels.fill(mean);
        }
    }
}

impl<T: Real> Columns<'_, T> {
    /// Adds up the chunks of an image, and leaves in its vectors of each lane the mean and what `dx` is made
    /// of: a multiple of `dy`, one of `x − μ` and a constant.
    #[inline(always)]
    fn slopes(&self, image: usize, backward: &Backward<'_, T>) {
        let (groups, channels) = (self.geometry.groups, self.geometry.channels);
        let width = self.geometry.width();
        // SAFETY: every image belongs to one task, and its chunks have been summed.
        let (vectors, [means, of_gradient, of_input, constant]) = unsafe { self.of_image(image) };
        self.for_each_band(
            #[inline(always)]
            |lanes, _| {
                let mut totals = [[0.0; BAND]; 2];
                for [sums, products, _] in self.chunk_lanes(vectors, lanes.clone()) {
                    for (total, part) in totals.iter_mut().zip([sums, products]) {
                        for (total, part) in total.iter_mut().zip(part) {
                            *total += part.wide();
                        }
                    }
                }
                let sums = of_input[lanes.clone()].iter_mut().zip(&mut constant[lanes]);
                for ((sum, product), (first, second)) in sums.zip(totals[0].iter().zip(&totals[1]))
                {
                    *sum = T::of(*first);
                    *product = T::of(*second);
                }
            },
        );
        backward.means(image, &mut means[..channels]);
        for group in 0..groups {
            let unit = image * groups + group;
            let of_channel = |place: usize| {
                [&*of_input, &*constant].map(|lanes| {
                    let lanes = lanes[group * width + place..].iter().step_by(channels);
                    lanes.map(|lane| lane.wide()).sum()
                })
            };
            // SAFETY: every image belongs to one task.
            unsafe { backward.settle(image, group, of_channel) };
            of_gradient[group * width..][..width].fill(backward.inv_std[unit]);
        }
        for group in 0..groups {
            // SAFETY: the shares have just been written.
            let [shift, slope] = unsafe { backward.shares(image * groups + group) };
            constant[group * width..][..width].fill(shift);
            of_input[group * width..][..width].fill(slope);
        }
        for (channel, of_gradient) in of_gradient[..channels].iter_mut().enumerate() {
            *of_gradient *= backward.affine.gamma(channel);
        }
        for lanes in [means, of_gradient, of_input, constant] {
            self.repeat(lanes);
        }
    }
}
