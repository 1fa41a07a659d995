//! The definition, in f32 or f64.

use tensor::Layout;

use crate::map::Map;
use crate::shared::Shared;
use crate::{Context, Real};

/// Writes `x`, a feature map in layout `from`, to `y` in layout `to`.
///
/// # Panics
/// When a slice does not hold `batch · channels · area` elements.
pub fn reorder<T: Real>(
    ctx: &Context<'_>,
    from: Layout,
    to: Layout,
    batch: usize,
    channels: usize,
    area: usize,
    x: &[T],
    y: &mut [T],
) {
    let len = batch * channels * area;
    assert_eq!(x.len(), len, "reorder: length of x");
    assert_eq!(y.len(), len, "reorder: length of y");
    let [from, to] = [from, to].map(|layout| Map {
        channels,
        area,
        layout,
    });
    let out = Shared::new(y);
    ctx.team.for_each(batch * channels, |task, _| {
        let (image, channel) = (task / channels, task % channels);
        for position in 0..area {
            // SAFETY: a channel of an image belongs to one task.
            let y = unsafe { out.slice(to.at(image, channel, position), 1) };
            y[0] = x[from.at(image, channel, position)];
        }
    });
}
