//! The matrix product of columns and weights, strip by strip.
//!
//! A strip of columns is a row of pixels whose channels are all samples, and the weights are those of a
//! pointwise convolution over it, which has register tiles of its own.

use std::ops::Range;

use geometry::{ConvDesc, DeformableGeometry};
use tensor::Layout;

use crate::conv::{Algorithm, ConvOptions, ConvPlan, Direction};
use crate::{Context, Isa};

/// Pixels of a tall register tile, so that strips are whole tiles.
const TILE: usize = 14;

/// Output pixels cut into strips of `strip`, and the product of a strip.
#[derive(Clone, Debug)]
pub(super) struct Product {
    strip: usize,
    whole: ConvPlan,
    /// The last strip, where it is a shorter one. Its weights are packed as those of the others: their
    /// order does not depend on the number of pixels.
    rest: Option<ConvPlan>,
    /// Output pixels that are cut.
    pixels: usize,
}

impl Product {
    /// Pixels of a strip: of `pixels` in all, so many that their columns, `row` elements a pixel, have
    /// about `elements`, and that there are about `tasks` strips.
    pub(super) fn strip(pixels: usize, row: usize, elements: usize, tasks: usize) -> usize {
        let strip = (elements / row.max(1)).min(pixels.div_ceil(tasks));
        let tall = strip.max(2 * TILE).next_multiple_of(TILE);
        tall.min(pixels).max(1)
    }

    /// The product with columns whose rows have `row` elements.
    pub(super) fn new(
        geometry: &DeformableGeometry,
        direction: Direction,
        row: usize,
        pixels: usize,
        strip: usize,
        isa: Isa,
    ) -> Self {
        let plan = |count: usize| {
            let pointwise = ConvDesc::new(geometry.conv.out_channels, 1)
                .groups(geometry.conv.groups)
                .resolve(&[1, row, count])
                .expect("no larger than the convolution it is part of");
            let options = ConvOptions {
                layout: Layout::Nhwc,
                isa,
                algorithm: Some(Algorithm::Direct),
                ..ConvOptions::default()
            };
            ConvPlan::new(&pointwise, direction, options)
                .expect("the direct algorithm serves every pointwise problem")
        };
        let (whole, rest) = (plan(strip), pixels % strip);
        let rest = (rest > 0).then(|| plan(rest));
        debug_assert!(
            rest.as_ref()
                .is_none_or(|rest| rest.packed_len() == whole.packed_len())
        );
        Self {
            strip,
            whole,
            rest,
            pixels,
        }
    }

    /// Strips in all.
    pub(super) fn strips(&self) -> usize {
        self.pixels.div_ceil(self.strip)
    }

    /// Pixels of a whole strip.
    pub(super) fn strip_pixels(&self) -> usize {
        self.strip
    }

    /// A strip: its pixels and its plan.
    pub(super) fn at(&self, strip: usize) -> (Range<usize>, &ConvPlan) {
        let start = strip * self.strip;
        let end = (start + self.strip).min(self.pixels);
        match &self.rest {
            Some(rest) if end - start < self.strip => (start..end, rest),
            _ => (start..end, &self.whole),
        }
    }

    /// Elements of the packed weights.
    pub(super) fn packed_len(&self) -> usize {
        self.whole.packed_len()
    }

    /// Packs pointwise weights.
    pub(super) fn pack(&self, ctx: &Context<'_>, weight: &[f32], packed: &mut [f32]) {
        self.whole.pack(ctx, weight, packed);
    }

    /// Scratch elements of a strip worked on by a team of `threads`.
    pub(super) fn scratch_len(&self, threads: usize) -> usize {
        let rest = self
            .rest
            .as_ref()
            .map_or(0, |plan| plan.scratch_len(threads));
        self.whole.scratch_len(threads).max(rest)
    }
}
