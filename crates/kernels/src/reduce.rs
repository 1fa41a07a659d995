//! Sums over all positions of a channel: the gradient of a bias. [`mod@reference`] is for f64 too.

pub mod reference;

use tensor::Layout;

use crate::row::{for_each_group, load, store};
use crate::shared::Shared;
use crate::simd::{Vector, dispatch};
use crate::strips::{Cut, Strip, Sums};
use crate::{Context, Isa};

/// Elements of `scratch` that [`channel_sums`] needs.
pub fn scratch_len(layout: Layout, batch: usize, channels: usize, area: usize) -> usize {
    Cut::new(layout, batch, channels, area).chunks() * channels
}

/// `db[channel] = Σ dy[·, channel, ·]`. The rounding error does not grow with the number of
/// positions: short sums are kept in f32, sums of these in f64.
///
/// # Panics
/// When `dy` does not hold `batch · channels · area` elements, `db` does not hold `channels`, or
/// `scratch` is shorter than [`scratch_len`].
pub fn channel_sums(
    context: &Context,
    layout: Layout,
    batch: usize,
    channels: usize,
    area: usize,
    dy: &[f32],
    db: &mut [f32],
    scratch: &mut [f32],
) {
    assert_eq!(
        dy.len(),
        batch * channels * area,
        "channel_sums: length of dy"
    );
    assert_eq!(db.len(), channels, "channel_sums: length of db");
    let cut = Cut::new(layout, batch, channels, area);
    let partial = &mut scratch[..cut.chunks() * channels];
    let isa = context.isa.min(Isa::best());
    let out = Shared::new(partial);
    context.team.for_each(cut.tasks(), |index, _| {
        let task = cut.task(index);
        let mut sums = Sums::<1>::new(isa);
        cut.for_each_strip(task, |slot, strip| {
            let x = dy[strip.start..strip.end()].as_ptr();
            let sum = sums.open(slot, strip.rows)[0].as_mut_ptr();
            // SAFETY: `x` points at the whole strip and `sum` at all lanes.
            dispatch!(isa => add_rows(strip: Strip, x: *const f32, sum: *mut f32));
        });
        sums.settle();
        // SAFETY: the channels of a chunk belong to one task.
        let partial = unsafe { out.slice(task.chunk * channels + task.first, task.channels) };
        task.for_each_channel(&sums, |channel, [sum]| {
            partial[channel - task.first] = sum as f32;
        });
    });
    for (channel, db) in db.iter_mut().enumerate() {
        let chunks = partial.iter().skip(channel).step_by(channels);
        *db = chunks.map(|&sum| f64::from(sum)).sum::<f64>() as f32;
    }
}

/// Adds every row of a strip to `sum`.
///
/// # Safety
/// Of [`Vector`]; `x` points at the first element of the strip, `sum` at as many lanes as it has.
#[inline(always)]
pub(crate) unsafe fn add_rows<V: Vector>(strip: Strip, x: *const f32, sum: *mut f32) {
    #[inline(always)]
    unsafe fn group<V: Vector, const N: usize, const PARTIAL: bool>(
        lane: usize,
        tail: usize,
        strip: Strip,
        x: *const f32,
        sum: *mut f32,
    ) {
        // SAFETY: the group lies within the row, and every row within the strip.
        unsafe {
            let mut total = load::<V, N, PARTIAL>(sum.add(lane), tail);
            for row in 0..strip.rows {
                let x = load::<V, N, PARTIAL>(x.add(row * strip.stride + lane), tail);
                for n in 0..N {
                    total[n] = total[n].add(x[n]);
                }
            }
            store::<V, N, PARTIAL>(total, sum.add(lane), tail);
        }
    }
    // SAFETY: passed on to the caller.
    unsafe { for_each_group!(group::<V>(strip.width; strip, x, sum)) }
}
