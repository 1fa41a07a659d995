//! Mean and variance of every channel, in one pass over the map.
//!
//! The sum of squares minus the square of the sum loses every digit when the mean is large beside
//! the deviation, and a second pass costs as much as the normalisation itself. So each chunk sums
//! distances from a value near its mean, which the first thousand elements give (they are then
//! still in the first cache). However the values are spread, what cancels afterwards is bounded:
//! with `n` elements in the chunk of which `k` gave the shift, the shift's square distance from the
//! mean is at most `n/k` variances. Chunks are joined in f64 by Chan's formula (Chan, Golub &
//! LeVeque 1983), in their order.

use crate::reduce::add_rows;
use crate::row::{for_each_group, load, store};
use crate::shared::Shared;
use crate::simd::{Vector, dispatch};
use crate::strips::{Cut, LANES, SLOTS, Strip, Sums, Task};
use crate::{Context, Isa};

/// Numbers kept of each chunk and channel: the mean as an unevaluated sum of two f32, and the sum of
/// squared distances from it.
pub(super) const PARTIALS: usize = 3;

/// Elements of a slot that choose the shift of its channels.
const PILOT: usize = 1024;

/// The moments of a set of values.
#[derive(Clone, Copy)]
pub(super) struct Moments {
    count: f64,
    pub(super) mean: f64,
    /// Sum of squared distances from the mean.
    pub(super) squares: f64,
}

impl Moments {
    pub(super) const NONE: Self = Self {
        count: 0.0,
        mean: 0.0,
        squares: 0.0,
    };

    /// Of `count` values with this mean and this sum of squared distances from it.
    pub(super) fn new(count: usize, mean: f64, squares: f64) -> Self {
        Self {
            count: count as f64,
            mean,
            squares,
        }
    }

    /// The moments of both sets together.
    pub(super) fn join(self, other: Self) -> Self {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let apart = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * other.count / count,
            squares: self.squares
                + other.squares
                + apart * apart * self.count * other.count / count,
        }
    }

    /// The mean squared distance from the mean.
    pub(super) fn biased_variance(self) -> f64 {
        self.squares / self.count.max(1.0)
    }

    /// The estimate of the variance of what the values were drawn from; of one value, 0.
    pub(super) fn unbiased_variance(self) -> f64 {
        self.squares / (self.count - 1.0).max(1.0)
    }
}

/// Leaves the moments of every chunk in `partials`, for [`channel_moments`].
pub(super) fn chunk_moments(
    context: &Context,
    cut: &Cut,
    channels: usize,
    x: &[f32],
    partials: &mut [f32],
) {
    let isa = context.isa.min(Isa::best());
    let out = Shared::new(partials);
    context.team.for_each(cut.tasks(), |index, _| {
        let task = cut.task(index);
        let pilot = pilot_means(isa, cut, task, x);
        let shift = task.lanes(|channel| pilot[channel - task.first]);
        let mut sums = Sums::<2>::new(isa);
        cut.for_each_strip(task, |slot, strip| {
            let x = x[strip.start..strip.end()].as_ptr();
            let shift = shift[slot].as_ptr();
            let [near, squares] = sums.open(slot, strip.rows);
            let (near, squares) = (near.as_mut_ptr(), squares.as_mut_ptr());
            // SAFETY: `x` points at the whole strip, the others at all lanes.
            dispatch!(isa => moments(
                strip: Strip, x: *const f32, shift: *const f32, near: *mut f32, squares: *mut f32,
            ));
        });
        sums.settle();
        let count = cut.count(task.chunk) as f64;
        let row = |k| (task.chunk * PARTIALS + k) * channels + task.first;
        // SAFETY: the channels of a chunk belong to one task.
        let [high, low, spread] = [0, 1, 2].map(|k| unsafe { out.slice(row(k), task.channels) });
        task.for_each_channel(&sums, |channel, [near, squares]| {
            let at = channel - task.first;
            let mean = f64::from(pilot[at]) + near / count;
            high[at] = mean as f32;
            low[at] = (mean - f64::from(high[at])) as f32;
            // Rounding may take the difference of equal numbers below zero.
            let squares = squares - near * near / count;
            spread[at] = if squares < 0.0 { 0.0 } else { squares as f32 };
        });
    });
}

/// The moments of one channel over all chunks.
pub(super) fn channel_moments(
    cut: &Cut,
    channels: usize,
    partials: &[f32],
    channel: usize,
) -> Moments {
    (0..cut.chunks()).fold(Moments::NONE, |moments, chunk| {
        let partial = |k: usize| f64::from(partials[(chunk * PARTIALS + k) * channels + channel]);
        moments.join(Moments {
            count: cut.count(chunk) as f64,
            mean: partial(0) + partial(1),
            squares: partial(2),
        })
    })
}

/// The mean of the first elements of each of a task's channels.
fn pilot_means(isa: Isa, cut: &Cut, task: Task, x: &[f32]) -> [f32; LANES * SLOTS] {
    let mut sums = Sums::<1>::new(isa);
    let mut seen = [0; SLOTS];
    cut.for_each_strip(task, |slot, strip| {
        if seen[slot] >= PILOT {
            return;
        }
        seen[slot] += strip.rows * strip.width;
        let x = x[strip.start..strip.end()].as_ptr();
        let sum = sums.open(slot, strip.rows)[0].as_mut_ptr();
        // SAFETY: `x` points at the whole strip and `sum` at all lanes.
        dispatch!(isa => add_rows(strip: Strip, x: *const f32, sum: *mut f32));
    });
    sums.settle();
    let mut means = [0.0; LANES * SLOTS];
    task.for_each_channel(&sums, |channel, [sum]| {
        // Every strip covers all channels of its slot equally.
        let (slot, channels) = task.slot_of(channel);
        means[channel - task.first] = (sum / (seen[slot] / channels) as f64) as f32;
    });
    means
}

/// Adds `x − shift` and its square to `near` and `squares`.
#[inline(always)]
unsafe fn moments<V: Vector>(
    strip: Strip,
    x: *const f32,
    shift: *const f32,
    near: *mut f32,
    squares: *mut f32,
) {
    #[inline(always)]
    unsafe fn group<V: Vector, const N: usize, const PARTIAL: bool>(
        lane: usize,
        tail: usize,
        strip: Strip,
        x: *const f32,
        shift: *const f32,
        near: *mut f32,
        squares: *mut f32,
    ) {
        // SAFETY: the group lies within the row, and every row within the strip.
        unsafe {
            let shift = load::<V, N, PARTIAL>(shift.add(lane), tail);
            let mut first = load::<V, N, PARTIAL>(near.add(lane), tail);
            let mut second = load::<V, N, PARTIAL>(squares.add(lane), tail);
            for row in 0..strip.rows {
                let x = load::<V, N, PARTIAL>(x.add(row * strip.stride + lane), tail);
                for n in 0..N {
                    let distance = x[n].sub(shift[n]);
                    first[n] = first[n].add(distance);
                    second[n] = distance.mul_add(distance, second[n]);
                }
            }
            store::<V, N, PARTIAL>(first, near.add(lane), tail);
            store::<V, N, PARTIAL>(second, squares.add(lane), tail);
        }
    }
    // SAFETY: passed on to the caller.
    unsafe { for_each_group!(group::<V>(strip.width; strip, x, shift, near, squares)) }
}
