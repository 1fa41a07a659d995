//! Channels side by side, and apart again.

use tensor::Layout;

use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::{Context, Real};

/// Copies `count` channels of one feature map into another of the same batch and area.
///
/// `from` is a map, its number of channels, and the first of them to read; `to` likewise, to write.
/// Called once an input, with `to` moving on, it concatenates; called once, it cuts channels out,
/// which is the gradient of concatenation. Other channels of `to` stay as they are.
///
/// ```
/// use kernels::{Context, Isa, Team, concat::copy_channels};
/// use tensor::Layout;
///
/// let team = Team::new(1).unwrap();
/// let context = Context { team: &team, isa: Isa::chosen() };
/// let (one, two) = ([1.0, 2.0], [10.0, 20.0, 30.0, 40.0]); // one and two channels of two pixels
/// let mut y = [0.0; 6];
/// copy_channels(&context, Layout::Nhwc, 1, 2, (&one, 1, 0), (&mut y, 3, 0), 1);
/// copy_channels(&context, Layout::Nhwc, 1, 2, (&two, 2, 0), (&mut y, 3, 1), 2);
/// assert_eq!(y, [1.0, 10.0, 20.0, 2.0, 30.0, 40.0]);
/// ```
///
/// # Panics
/// When a map does not hold `batch · channels · area` elements, or has no such channels.
pub fn copy_channels<T: Real>(
    context: &Context,
    layout: Layout,
    batch: usize,
    area: usize,
    from: (&[T], usize, usize),
    to: (&mut [T], usize, usize),
    count: usize,
) {
    let (source, source_channels, source_first) = from;
    let (target, target_channels, target_first) = to;
    for (what, len, channels, first) in [
        ("from", source.len(), source_channels, source_first),
        ("to", target.len(), target_channels, target_first),
    ] {
        assert_eq!(
            len,
            batch * channels * area,
            "copy_channels: `{what}` is not {batch} images of {channels} channels of {area}"
        );
        assert!(
            first + count <= channels,
            "copy_channels: `{what}` has {channels} channels, not {first}..{}",
            first + count
        );
    }
    if count == 0 {
        return;
    }
    // Both layouts are a matrix of which a column band is copied: a row an image, or a row a pixel.
    let (rows, unit) = match layout {
        Layout::Nchw => (batch, area),
        Layout::Nhwc => (batch * area, 1),
    };
    let target = Shared::new(target);
    for_rows(context.team, rows, count * unit, |range| {
        for row in range {
            let read = (row * source_channels + source_first) * unit;
            let write = (row * target_channels + target_first) * unit;
            // SAFETY: every row is copied by one task only.
            let target = unsafe { target.slice(write, count * unit) };
            target.copy_from_slice(&source[read..read + count * unit]);
        }
    });
}
