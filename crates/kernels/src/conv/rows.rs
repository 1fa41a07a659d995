//! A single pixel: what a linear layer makes of a single image.
//!
//! Then every weight is used once, and nothing is as slow as bringing it from memory. So weights are read as they lie,
//! `[o, c]`, a few rows at a time, and no second copy of them is made: the linear layers of a network may hold nine tenths
//! of its parameters. Each row is multiplied with the pixel, vectors over source channels, and its sum is that of the lanes.

use geometry::ConvGeometry;

use super::finish::Finish;
use super::{Direction, Epilogue, Refusal};
use crate::shared::Shared;
use crate::simd::{Vector, dispatch};
use crate::{Context, Isa};

/// Rows of the weight that are read at once, with sums of their own; twice as many hide the latency of a multiply-add.
const AT_ONCE: usize = 4;
/// Target channels of a task, at least.
const TASK: usize = 16;
/// Weights worth handing to another thread.
const TASK_WEIGHTS: usize = 64 * 1024;

/// Why this does not serve a problem, if so.
pub(super) fn refuse(geometry: &ConvGeometry, direction: Direction) -> Option<Refusal> {
    if direction != Direction::Forward {
        return Some(Refusal::Direction);
    }
    if geometry.groups != 1 {
        return Some(Refusal::Groups);
    }
    let single = geometry.batch * geometry.input_area() == 1 && geometry.output_area() == 1;
    let plain = geometry.kernel_area() == 1 && geometry.windows.iter().all(|w| w.before == 0);
    (!single || !plain).then_some(Refusal::Pixels)
}

/// The target's single pixel. The caller has checked every length.
pub(super) fn run(
    ctx: &Context<'_>,
    isa: Isa,
    source: &[f32],
    weight: &[f32],
    epilogue: Epilogue<'_>,
    target: &mut [f32],
) {
    let targets = target.len();
    let per_task = (TASK_WEIGHTS / source.len().max(1))
        .next_multiple_of(TASK)
        .max(TASK);
    let target = Shared::new(target);
    ctx.team.for_each(targets.div_ceil(per_task), |task, _| {
        let first = task * per_task;
        // SAFETY: a task has its channels to itself.
        let target = unsafe { target.slice(first, per_task.min(targets - first)) };
        let weight = &weight[first * source.len()..][..target.len() * source.len()];
        // SAFETY: `isa` proves the family; there is a row of weights for each of the target's channels, and the
        // epilogue has as many channels as the whole target.
        dispatch!(isa => rows(
            source: &[f32], weight: &[f32], epilogue: Epilogue<'_>, first: usize, target: &mut [f32],
        ));
    });
}

/// Some channels of the target, of which `first` is the first.
///
/// # Safety
/// `V`'s instructions exist; the weight has a row for every channel, the epilogue's tensors begin with channel 0.
#[inline(always)]
unsafe fn rows<V: Vector>(
    source: &[f32],
    weight: &[f32],
    epilogue: Epilogue<'_>,
    first: usize,
    target: &mut [f32],
) {
    let len = source.len();
    for (index, sums) in target.chunks_mut(AT_ONCE).enumerate() {
        let rows = weight[index * AT_ONCE * len..].as_ptr();
        // SAFETY: as many rows as there are sums.
        unsafe {
            match sums {
                [a, b, c, d] => [*a, *b, *c, *d] = products::<V, AT_ONCE>(source, rows),
                some => {
                    for (row, sum) in some.iter_mut().enumerate() {
                        [*sum] = products::<V, 1>(source, rows.add(row * len));
                    }
                }
            }
        }
    }
    let finish = Finish {
        bias: (epilogue.bias).map_or(std::ptr::null(), |bias| bias[first..].as_ptr()),
        residual: (epilogue.residual).map_or(std::ptr::null(), |map| map[first..].as_ptr()),
        activation: epilogue.activation,
    };
    let channels = target.len();
    for channel in (0..channels).step_by(V::LANES) {
        let count = V::LANES.min(channels - channel);
        // SAFETY: so many channels are left in the target, and in what is added.
        unsafe {
            let sum = V::load_partial(target[channel..].as_ptr(), count);
            finish.write(sum, target.as_mut_ptr(), channel, channel, count);
        }
    }
}

/// The sums of the products of a pixel with `N` rows of the weight.
///
/// # Safety
/// `V`'s instructions exist; `N` rows as long as the pixel lie behind each other.
#[inline(always)]
unsafe fn products<V: Vector, const N: usize>(source: &[f32], rows: *const f32) -> [f32; N] {
    let len = source.len();
    // SAFETY: reads stay below the length of a row.
    unsafe {
        let mut sums = [[V::zero(); 2]; N];
        let mut at = 0;
        while at + 2 * V::LANES <= len {
            for half in 0..2 {
                let at = at + half * V::LANES;
                let x = V::load(source.as_ptr().add(at));
                for (row, sums) in sums.iter_mut().enumerate() {
                    sums[half] = V::load(rows.add(row * len + at)).mul_add(x, sums[half]);
                }
            }
            at += 2 * V::LANES;
        }
        while at < len {
            let count = V::LANES.min(len - at);
            let x = V::load_partial(source.as_ptr().add(at), count);
            for (row, sums) in sums.iter_mut().enumerate() {
                let weights = V::load_partial(rows.add(row * len + at), count);
                sums[0] = weights.mul_add(x, sums[0]);
            }
            at += V::LANES;
        }
        let mut products = [0.0; N];
        for (product, sums) in products.iter_mut().zip(sums) {
            *product = sums[0].add(sums[1]).sum();
        }
        products
    }
}
