//! Forward: each task gathers the columns of a strip and multiplies them while they are in its cache.

use geometry::DeformableGeometry;
use tensor::Layout;

use super::columns::Columns;
use super::plan::pack_band;
use super::product::Product;
use super::sample::Sampler;
use super::{DeformableOptions, Sources};
use crate::conv::{Direction, Epilogue};
use crate::shared::Shared;
use crate::vectorise::vectorised;
use crate::{Context, Isa, Team};

/// Elements of columns that leave room for a panel of weights in a second-level cache of 512 KiB.
const STRIP_ELEMENTS: usize = 64 * 1024;
/// Strips enough to keep a few dozen threads evenly busy.
const TASKS: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Forward {
    geometry: DeformableGeometry,
    layout: Layout,
    isa: Isa,
    columns: Columns,
    product: Product,
}

impl Forward {
    pub(super) fn new(geometry: &DeformableGeometry, options: DeformableOptions) -> Self {
        let columns = Columns::new(geometry, 0, 1);
        let row = columns.row_len();
        let pixels = geometry.conv.batch * geometry.conv.output_area();
        let strip = Product::strip(pixels, row, STRIP_ELEMENTS, TASKS);
        let direction = Direction::Forward;
        Self {
            product: Product::new(geometry, direction, row, pixels, strip, options.isa),
            geometry: *geometry,
            layout: options.layout,
            isa: options.isa,
            columns,
        }
    }

    /// Packed weights, and the weights in the order of the columns.
    pub(super) fn packed_len(&self) -> usize {
        self.product.packed_len() + self.geometry.conv.weight_count()
    }

    pub(super) fn pack(&self, ctx: &Context<'_>, weight: &[f32], packed: &mut [f32]) {
        let (packed, ordered) = packed.split_at_mut(self.product.packed_len());
        let band = self.geometry.conv.in_channels_per_group();
        pack_band(ctx, &self.geometry, 0, band, weight, ordered);
        self.product.pack(ctx, ordered, packed);
    }

    pub(super) fn scratch_len(&self, threads: usize) -> usize {
        threads * self.scratch_per_worker()
    }

    /// A strip of columns, zeros for pixels off the map, and what the product needs.
    fn scratch_per_worker(&self) -> usize {
        self.strip_len() + self.zeros_len() + self.product.scratch_len(1)
    }

    fn strip_len(&self) -> usize {
        (self.product.strip_pixels() * self.columns.row_len()).next_multiple_of(16)
    }

    fn zeros_len(&self) -> usize {
        self.columns.longest_run().next_multiple_of(16)
    }

    /// `sources.x`, the residual and `y` are channels last.
    pub(super) fn run(
        &self,
        ctx: &Context<'_>,
        sources: Sources<'_>,
        packed: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let packed = &packed[..self.product.packed_len()];
        let sampler = Sampler::new(&self.geometry, self.layout, &sources);
        let channels = self.geometry.conv.out_channels;
        let alone = Team::new(1).expect("a team of one starts no thread");
        let alone = Context {
            team: &alone,
            isa: self.isa,
        };
        let per_worker = self.scratch_per_worker();
        let (scratch, y) = (Shared::new(scratch), Shared::new(y));
        ctx.team.for_each(self.product.strips(), |strip, worker| {
            let (pixels, plan) = self.product.at(strip);
            // SAFETY: a worker runs one task at a time.
            let scratch = unsafe { scratch.slice(worker * per_worker, per_worker) };
            let (columns, rest) = scratch.split_at_mut(self.strip_len());
            let (zeros, scratch) = rest.split_at_mut(self.zeros_len());
            zeros.fill(0.0);
            let columns = &mut columns[..pixels.len() * self.columns.row_len()];
            vectorised(
                self.isa,
                #[inline(always)]
                || {
                    let x = sources.x;
                    self.columns
                        .gather(&sampler, x, pixels.clone(), zeros, columns);
                },
            );
            let (from, len) = (pixels.start * channels, pixels.len() * channels);
            let epilogue = Epilogue {
                residual: epilogue.residual.map(|r| &r[from..][..len]),
                ..epilogue
            };
            // SAFETY: every pixel belongs to one strip.
            let y = unsafe { y.slice(from, len) };
            plan.forward(&alone, columns, packed, epilogue, y, scratch);
        });
    }
}
