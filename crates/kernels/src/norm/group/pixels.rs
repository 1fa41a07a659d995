//! Channels last: the loops run over rows of lanes, and a group is some lanes of every row.

use super::{Affine, Backward, GroupGeometry};
use crate::norm::phases::in_phases;
use crate::norm::rows::inverse_deviation;
use crate::pixels::Pixels;
use crate::shared::Shared;
use crate::{Context, Real};

/// Vectors of lanes that belong to a chunk. First they hold its sums; when these have been added up,
/// what is done to its elements.
const FORWARD: usize = 3;
const BACKWARD: usize = 4;

/// The pixels of one image.
fn pixels(geometry: &GroupGeometry) -> Pixels {
    Pixels::new(geometry.channels, geometry.area)
}

pub(super) fn forward_scratch_len(geometry: &GroupGeometry) -> usize {
    let pixels = pixels(geometry);
    geometry.batch * pixels.chunks() * FORWARD * pixels.width()
}

pub(super) fn backward_scratch_len(geometry: &GroupGeometry) -> usize {
    let pixels = pixels(geometry);
    geometry.batch * pixels.chunks() * BACKWARD * pixels.width()
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
    let pixels = pixels(geometry);
    let (chunks, width) = (pixels.chunks(), pixels.width());
    let groups = geometry.groups;
    let image = geometry.channels * geometry.area;
    let vectors = Shared::new(&mut scratch[..forward_scratch_len(geometry)]);
    let [y, mean, inv_std] = [y, mean, inv_std].map(Shared::new);
    in_phases(
        context.team,
        geometry.batch,
        chunks,
        image,
        |unit, chunk| {
            let x = &x[unit * image..][pixels.elements(chunk)];
            let start = (unit * chunks + chunk) * FORWARD * width;
            // SAFETY: every chunk belongs to one task.
            let vectors = unsafe { vectors.slice(start, FORWARD * width) };
            T::vectorised(
                context.isa,
                #[inline(always)]
                || lane_moments(x, width, vectors),
            );
        },
        |unit| {
            let len = chunks * FORWARD * width;
            // SAFETY: the chunks of the image have been summed, and every image belongs to one task.
            let (vectors, mean, inv_std) = unsafe {
                (
                    vectors.read(unit * len, len),
                    mean.slice(unit * groups, groups),
                    inv_std.slice(unit * groups, groups),
                )
            };
            for group in 0..groups {
                let (centre, variance) = group_moments(geometry, &pixels, vectors, group);
                mean[group] = T::of(centre);
                inv_std[group] = inverse_deviation(variance, epsilon);
            }
        },
        |unit, chunk| {
            let at = pixels.elements(chunk);
            let start = (unit * chunks + chunk) * FORWARD * width;
            // SAFETY: the image has been measured, and every chunk belongs to one task.
            let (vectors, mean, inv_std, y) = unsafe {
                (
                    vectors.slice(start, FORWARD * width),
                    mean.read(unit * groups, groups),
                    inv_std.read(unit * groups, groups),
                    y.slice(unit * image + at.start, at.len()),
                )
            };
            let x = &x[unit * image..][at];
            let group = |channel: usize| channel / geometry.width();
            let (means, vectors) = vectors.split_at_mut(width);
            let (scales, shifts) = vectors.split_at_mut(width);
            pixels.fill(means, |channel| mean[group(channel)]);
            pixels.fill(scales, |channel| {
                affine.gamma(channel) * inv_std[group(channel)]
            });
            pixels.fill(shifts, |channel| affine.beta(channel));
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_mut(width).zip(x.chunks(width)) {
                        let lanes = means.iter().zip(&*scales).zip(&*shifts);
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
fn lane_moments<T: Real>(x: &[T], width: usize, vectors: &mut [T]) {
    vectors.fill(T::zero());
    let (mean, vectors) = vectors.split_at_mut(width);
    let (near, squares) = vectors.split_at_mut(width);
    for x in x.chunks(width) {
        for (sum, &x) in mean.iter_mut().zip(x) {
            *sum += x;
        }
    }
    // The last row may be a part of one.
    let (rows, part) = (x.len() / width, x.len() % width);
    let (longer, shorter) = mean.split_at_mut(part);
    let share = |rows: usize| T::of(1.0 / rows.max(1) as f64);
    for sum in longer {
        *sum *= share(rows + 1);
    }
    for sum in shorter {
        *sum *= share(rows);
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

/// What is done with a count of values, their means, what they lie near to, and their squares.
type Visitor<'a, T> = dyn FnMut(f64, &[T], &[T], &[T]) + 'a;

/// Mean and biased variance of a group, from the moments of its lanes in all chunks of an image.
fn group_moments<T: Real>(
    geometry: &GroupGeometry,
    pixels: &Pixels,
    vectors: &[T],
    group: usize,
) -> (f64, f64) {
    let width = pixels.width();
    // Calls `visit(count, means, nears, squares)` for the neighbouring lanes of the group.
    let for_each = |visit: &mut Visitor<'_, T>| {
        for (chunk, vectors) in vectors.chunks_exact(FORWARD * width).enumerate() {
            for place in 0..pixels.fold() {
                let first = place * geometry.channels + group * geometry.width();
                let part = |k: usize| &vectors[k * width + first..][..geometry.width()];
                visit(pixels.count(chunk, place) as f64, part(0), part(1), part(2));
            }
        }
    };
    let total = geometry.count().max(1) as f64;
    let mut sum = Chains::default();
    for_each(&mut |count, means, nears, _| {
        let lanes = means.iter().zip(nears);
        sum.add(lanes.map(|(mean, near)| count * mean.wide() + near.wide()));
    });
    let centre = sum.total() / total;
    let mut squares = Chains::default();
    for_each(&mut |count, means, nears, squared| {
        let lanes = means.iter().zip(nears).zip(squared);
        // Σ (d + a)² over the lane, where a is its mean's distance from the group's.
        squares.add(lanes.map(|((mean, near), squares)| {
            let apart = mean.wide() - centre;
            squares.wide() + apart * (2.0 * near.wide() + count * apart)
        }));
    });
    (centre, squares.total() / total)
}

/// A sum in chains that do not wait for each other.
#[derive(Default)]
struct Chains([f64; 8]);

impl Chains {
    fn add(&mut self, terms: impl Iterator<Item = f64>) {
        for (place, term) in terms.enumerate() {
            self.0[place % 8] += term;
        }
    }

    fn total(&self) -> f64 {
        self.0.iter().sum()
    }
}

pub(super) fn backward<T: Real>(backward: &Backward<'_, T>, scratch: &mut [T], dx: &mut [T]) {
    let (context, geometry) = (backward.context, backward.geometry);
    let pixels = pixels(geometry);
    let (chunks, width) = (pixels.chunks(), pixels.width());
    let (groups, channels) = (geometry.groups, geometry.channels);
    let image = channels * geometry.area;
    let vectors = Shared::new(&mut scratch[..backward_scratch_len(geometry)]);
    let out = Shared::new(dx);
    let group = |channel: usize| channel / geometry.width();
    in_phases(
        context.team,
        geometry.batch,
        chunks,
        image,
        |unit, chunk| {
            let at = pixels.elements(chunk);
            let (x, dy) = (
                &backward.x[unit * image..][at.clone()],
                &backward.dy[unit * image..][at],
            );
            let start = (unit * chunks + chunk) * BACKWARD * width;
            // SAFETY: every chunk belongs to one task.
            let vectors = unsafe { vectors.slice(start, BACKWARD * width) };
            let (sums, vectors) = vectors.split_at_mut(width);
            let (products, vectors) = vectors.split_at_mut(width);
            let means = &mut vectors[..width];
            sums.fill(T::zero());
            products.fill(T::zero());
            pixels.fill(means, |channel| {
                backward.mean[unit * groups + group(channel)]
            });
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
        |unit| {
            let len = chunks * BACKWARD * width;
            // SAFETY: the chunks of the image have been summed.
            let vectors = unsafe { vectors.read(unit * len, len) };
            for group in 0..groups {
                let mut totals = [0.0; 2];
                for place in 0..geometry.width() {
                    let channel = group * geometry.width() + place;
                    let sum = |k: usize| -> f64 {
                        let chunks = vectors.chunks_exact(BACKWARD * width);
                        let lanes = chunks.flat_map(|vectors| {
                            vectors[k * width + channel..(k + 1) * width]
                                .iter()
                                .step_by(channels)
                        });
                        lanes.map(|lane| lane.wide()).sum()
                    };
                    // SAFETY: every image belongs to one task.
                    let part =
                        unsafe { backward.keep(unit * groups + group, place, sum(0), sum(1)) };
                    totals = [totals[0] + part[0], totals[1] + part[1]];
                }
                // SAFETY: as above.
                unsafe { backward.share(unit * groups + group, totals) };
            }
        },
        |unit, chunk| {
            let at = pixels.elements(chunk);
            let start = (unit * chunks + chunk) * BACKWARD * width;
            // SAFETY: the image has been summed, and every chunk belongs to one task.
            let (vectors, dx) = unsafe {
                (
                    vectors.slice(start, BACKWARD * width),
                    out.slice(unit * image + at.start, at.len()),
                )
            };
            let (x, dy) = (
                &backward.x[unit * image..][at.clone()],
                &backward.dy[unit * image..][at],
            );
            let (means, vectors) = vectors.split_at_mut(width);
            let (of_gradient, vectors) = vectors.split_at_mut(width);
            let (of_input, constant) = vectors.split_at_mut(width);
            let unit = |channel: usize| unit * groups + group(channel);
            // SAFETY: the shares of the image have been written.
            let share = |channel: usize| unsafe { backward.shares(unit(channel)) };
            pixels.fill(means, |channel| backward.mean[unit(channel)]);
            pixels.fill(of_gradient, |channel| {
                backward.affine.gamma(channel) * backward.inv_std[unit(channel)]
            });
            pixels.fill(constant, |channel| share(channel)[0]);
            pixels.fill(of_input, |channel| share(channel)[1]);
            T::vectorised(
                context.isa,
                #[inline(always)]
                || {
                    for (dx, (x, dy)) in dx
                        .chunks_mut(width)
                        .zip(x.chunks(width).zip(dy.chunks(width)))
                    {
                        let slopes = of_gradient.iter().zip(&*of_input).zip(&*constant);
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
