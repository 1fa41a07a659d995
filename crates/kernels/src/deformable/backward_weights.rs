//! Backward-weights: columns of a few thousand pixels at a time, and their product with the output's
//! gradient, each shared out over the whole team.

use geometry::DeformableGeometry;
use tensor::Layout;

use super::columns::Columns;
use super::product::Product;
use super::sample::Sampler;
use super::{DeformableOptions, Sources};
use crate::blocks::for_rows;
use crate::conv::Direction;
use crate::shared::Shared;
use crate::vectorise::vectorised;
use crate::{Context, Isa};

/// Elements of columns: 8 MiB, so that a weight is written once for thousands of pixels.
const CHUNK_ELEMENTS: usize = 2 * 1024 * 1024;
/// Pixels below which a chunk spends its time on writing the weights.
const CHUNK_PIXELS: usize = 1024;

#[derive(Clone, Debug)]
pub(super) struct BackwardWeights {
    geometry: DeformableGeometry,
    layout: Layout,
    isa: Isa,
    columns: Columns,
    product: Product,
}

impl BackwardWeights {
    pub(super) fn new(geometry: &DeformableGeometry, options: DeformableOptions) -> Self {
        let columns = Columns::new(geometry, 0, 1);
        let row = columns.row_len();
        let pixels = geometry.conv.batch * geometry.conv.output_area();
        let elements = CHUNK_ELEMENTS.max(row.saturating_mul(CHUNK_PIXELS));
        let chunk = Product::strip(pixels, row, elements, 1);
        let direction = Direction::BackwardWeights;
        Self {
            product: Product::new(geometry, direction, row, pixels, chunk, options.isa),
            geometry: *geometry,
            layout: options.layout,
            isa: options.isa,
            columns,
        }
    }

    /// The columns of a chunk, zeros for pixels off the map, the weights of a chunk in the order of the
    /// columns, and what the product needs.
    pub(super) fn scratch_len(&self, threads: usize) -> usize {
        self.chunk_len() + self.zeros_len() + self.ordered_len() + self.product.scratch_len(threads)
    }

    fn chunk_len(&self) -> usize {
        (self.product.strip_pixels() * self.columns.row_len()).next_multiple_of(16)
    }

    fn zeros_len(&self) -> usize {
        self.columns.longest_run().next_multiple_of(16)
    }

    fn ordered_len(&self) -> usize {
        self.geometry.conv.weight_count().next_multiple_of(16)
    }

    /// `sources.x` and `dy` are channels last.
    pub(super) fn run(
        &self,
        ctx: &Context<'_>,
        sources: Sources<'_>,
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        let conv = &self.geometry.conv;
        let sampler = Sampler::new(&self.geometry, self.layout, &sources);
        let row = self.columns.row_len();
        let (chunk, rest) = scratch.split_at_mut(self.chunk_len());
        let (zeros, rest) = rest.split_at_mut(self.zeros_len());
        let (ordered, scratch) = rest.split_at_mut(self.ordered_len());
        let ordered = &mut ordered[..conv.weight_count()];
        zeros.fill(0.0);
        let zeros = &*zeros;
        if self.product.strips() == 0 {
            dw.fill(0.0);
        }
        for index in 0..self.product.strips() {
            let (pixels, plan) = self.product.at(index);
            let columns = &mut chunk[..pixels.len() * row];
            let shared = Shared::new(columns);
            for_rows(ctx.team, pixels.len(), row, |range| {
                // SAFETY: every pixel belongs to one task.
                let columns = unsafe { shared.slice(range.start * row, range.len() * row) };
                let pixels = pixels.start + range.start..pixels.start + range.end;
                vectorised(
                    self.isa,
                    #[inline(always)]
                    || {
                        let x = sources.x;
                        self.columns.gather(&sampler, x, pixels, zeros, columns);
                    },
                );
            });
            let dy = &dy[pixels.start * conv.out_channels..][..pixels.len() * conv.out_channels];
            plan.backward_weights(ctx, columns, dy, ordered, scratch);
            self.add(ctx, ordered, dw, index == 0);
        }
    }

    /// Adds the gradient of a chunk, `[o, kh, kw, c/g]`, to `dw`, `[o, c/g, kh, kw]`; the first one is
    /// written.
    fn add(&self, ctx: &Context<'_>, ordered: &[f32], dw: &mut [f32], first: bool) {
        let conv = &self.geometry.conv;
        let (channels, taps) = (conv.in_channels_per_group(), conv.kernel_area());
        let len = channels * taps;
        let out = Shared::new(dw);
        ctx.team.for_each(conv.out_channels, |index, _| {
            // SAFETY: every output channel belongs to one task.
            let dw = unsafe { out.slice(index * len, len) };
            let ordered = &ordered[index * len..][..len];
            for (channel, dw) in dw.chunks_exact_mut(taps).enumerate() {
                for (tap, dw) in dw.iter_mut().enumerate() {
                    let sum = ordered[tap * channels + channel];
                    *dw = if first { sum } else { *dw + sum };
                }
            }
        });
    }
}
