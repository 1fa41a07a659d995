//! The definition, in f32 or f64.

use tensor::Layout;

use crate::map::Map;
use crate::shared::Shared;
use crate::{Context, Real};

/// `db[channel] = Σ dy[·, channel, ·]`, summed in f64 in the order of the map.
///
/// # Panics
/// When `dy` does not hold `batch · channels · area` elements, or `db` does not hold `channels`.
pub fn channel_sums<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    batch: usize,
    channels: usize,
    area: usize,
    dy: &[T],
    db: &mut [T],
) {
    let len = batch * channels * area;
    assert_eq!(dy.len(), len, "channel_sums: length of dy");
    assert_eq!(db.len(), channels, "channel_sums: length of db");
    let map = Map {
        channels,
        area,
        layout,
    };
    let out = Shared::new(db);
    ctx.team.for_each(channels, |channel, _| {
        let sum = map.channel(batch, channel).map(|at| dy[at].wide()).sum();
        // SAFETY: every channel belongs to one task.
        unsafe { out.slice(channel, 1)[0] = T::of(sum) };
    });
}
