//! The gradient of the output in panels: the channels of a tile side by side, pixel by pixel.

use std::ops::Range;

use tensor::Layout;

use crate::conv::dense::walk::Walk;
use crate::simd::{Vector, turn};

/// Some panels of a group.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    pub(super) group: usize,
    /// Vectors of output channels in the group, and in each of its panels but the last.
    pub(super) vectors: usize,
    pub(super) wide: usize,
    /// Pixels that a panel has room for.
    pub(super) room: usize,
    /// Which of the group's panels.
    pub(super) of: Range<usize>,
}

impl Panels {
    /// First vector and number of vectors of each.
    fn each(&self) -> impl Iterator<Item = (usize, usize)> {
        let firsts = self.of.clone().map(|panel| panel * self.wide);
        firsts.map(|first| (first, self.wide.min(self.vectors - first)))
    }
}

/// Copies the output channels of panels side by side, zeros for those past the group's last.
///
/// Channels last, a pixel is read as a whole and strewn over the panels: what comes from far away is read in the order in
/// which it lies, and the panels are near.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
pub(super) unsafe fn pack<V: Vector>(
    walk: &Walk,
    panels: Panels,
    gradient: &[f32],
    (first_pixel, pixels): (usize, usize),
    packed: &mut [f32],
) {
    let per_group = walk.target_channels_per_group();
    let channel = panels.group * per_group;
    let start = |first: usize| first * V::LANES * panels.room;
    if walk.layout == Layout::Nchw {
        let (_, plane) = walk.target_areas();
        for (first, vectors) in panels.each() {
            let (before, row) = (first * V::LANES, vectors * V::LANES);
            let channels = (per_group - before).min(row);
            let planes = gradient[(channel + before) * plane + first_pixel..].as_ptr();
            let panel = &mut packed[start(first)..][..pixels * row];
            if channels < row {
                panel.fill(0.0);
            }
            // SAFETY: `pixels` elements of `channels` planes, into as many rows of the panel.
            unsafe { turn::<V>(planes, plane, (channels, pixels), panel.as_mut_ptr(), row) };
        }
        return;
    }
    let gradient = &gradient[first_pixel * walk.target_channels..][..pixels * walk.target_channels];
    for (index, pixel) in gradient.chunks_exact(walk.target_channels).enumerate() {
        let pixel = &pixel[channel..][..per_group];
        for (first, vectors) in panels.each() {
            let row = vectors * V::LANES;
            let to = &mut packed[start(first) + index * row..][..row];
            for (v, to) in to.chunks_exact_mut(V::LANES).enumerate() {
                let from = &pixel[((first + v) * V::LANES).min(per_group)..];
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
}
