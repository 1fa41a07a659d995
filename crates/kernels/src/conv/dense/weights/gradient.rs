//! The gradient of the output in panels: the channels of a tile side by side, pixel by pixel.

use tensor::Layout;

use crate::conv::dense::walk::Walk;
use crate::simd::{Vector, turn};

/// A few vectors of output channels of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    pub(super) group: usize,
    /// First vector.
    pub(super) first: usize,
    pub(super) vectors: usize,
}

/// Copies a panel's output channels of every pixel side by side, zeros for those past the last.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
pub(super) unsafe fn pack<V: Vector>(
    walk: &Walk,
    tile: Panel,
    gradient: &[f32],
    (first_pixel, pixels): (usize, usize),
    panel: &mut [f32],
) {
    let per_group = walk.target_channels_per_group();
    let first = tile.first * V::LANES;
    let row = tile.vectors * V::LANES;
    let channels = (per_group - first).min(row);
    let channel = tile.group * per_group + first;
    let panel = &mut panel[..pixels * row];
    if walk.layout == Layout::Nchw {
        let (_, plane) = walk.target_areas();
        let planes = gradient[channel * plane + first_pixel..].as_ptr();
        if channels < row {
            panel.fill(0.0);
        }
        // SAFETY: `pixels` elements of `channels` planes, into as many rows of the panel.
        unsafe { turn::<V>(planes, plane, (channels, pixels), panel.as_mut_ptr(), row) };
        return;
    }
    let gradient = &gradient[first_pixel * walk.target_channels..][..pixels * walk.target_channels];
    let pixels = gradient.chunks_exact(walk.target_channels);
    for (pixel, row) in pixels.zip(panel.chunks_exact_mut(row)) {
        let pixel = &pixel[channel..][..channels];
        for (v, to) in row.chunks_exact_mut(V::LANES).enumerate() {
            let from = &pixel[(v * V::LANES).min(channels)..];
            // SAFETY: `to` has LANES elements; of `from` no more than it holds are read.
            unsafe {
                let vector = if from.len() >= V::LANES {
                    V::load(from.as_ptr())
                } else {
                    V::load_partial(from.as_ptr(), from.len())
                };
                vector.store(to.as_mut_ptr());
            }
        }
    }
}
