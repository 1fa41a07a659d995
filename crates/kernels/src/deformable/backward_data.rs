//! Backward-data: the gradients of input, offsets and mask.
//!
//! Samples of neighbouring pixels share corners, so an element of the input's gradient has one owner: a
//! task has one image and one *band* of the channels of every weight group. Strip by strip it multiplies
//! the output's gradient by its part of the weights and hands the resulting columns on, in the order of
//! the pixels. What offsets and mask get is summed over the bands at the end, in order. There is more
//! than one band only where there are few images.

use geometry::DeformableGeometry;
use tensor::Layout;

use super::columns::Columns;
use super::plan::pack_band;
use super::product::Product;
use super::sample::{SampleMaps, Sampler};
use super::{DeformableOptions, Gradients, Sources};
use crate::blocks::for_rows;
use crate::conv::{Direction, Epilogue};
use crate::shared::Shared;
use crate::vectorise::vectorised;
use crate::{Context, Isa, Team};

/// Elements of columns that leave room for a panel of weights in a second-level cache of 512 KiB.
const STRIP_ELEMENTS: usize = 64 * 1024;
/// Tasks worth cutting bands for.
const TASKS: usize = 8;
/// Channels below which a band spends its time on finding its samples.
const BAND: usize = 32;
/// Numbers of a sample: the gradients of its mask and of its offset down and across.
const GAINS: usize = 3;

#[derive(Clone, Debug)]
pub(super) struct BackwardData {
    geometry: DeformableGeometry,
    layout: Layout,
    isa: Isa,
    bands: Vec<Columns>,
    /// The product of one band over one image; all bands are alike.
    product: Product,
}

impl BackwardData {
    pub(super) fn new(geometry: &DeformableGeometry, options: DeformableOptions) -> Self {
        let count = bands(geometry);
        let bands: Vec<_> = (0..count)
            .map(|index| Columns::new(geometry, index, count))
            .collect();
        let (row, pixels) = (bands[0].row_len(), geometry.conv.output_area());
        let strip = Product::strip(pixels, row, STRIP_ELEMENTS, 1);
        let direction = Direction::BackwardData;
        Self {
            product: Product::new(geometry, direction, row, pixels, strip, options.isa),
            geometry: *geometry,
            layout: options.layout,
            isa: options.isa,
            bands,
        }
    }

    /// Packed weights of every band, and the weights of a band in the order of the columns.
    pub(super) fn packed_len(&self) -> usize {
        self.bands.len() * self.product.packed_len() + self.ordered_len()
    }

    fn ordered_len(&self) -> usize {
        self.geometry.conv.weight_count() / self.bands.len()
    }

    pub(super) fn pack(&self, ctx: &Context<'_>, weight: &[f32], packed: &mut [f32]) {
        let len = self.product.packed_len();
        let (packed, ordered) = packed.split_at_mut(self.bands.len() * len);
        let band = self.geometry.conv.in_channels_per_group() / self.bands.len();
        for index in 0..self.bands.len() {
            pack_band(ctx, &self.geometry, index * band, band, weight, ordered);
            let packed = &mut packed[index * len..][..len];
            self.product.pack(ctx, ordered, packed);
        }
    }

    pub(super) fn scratch_len(&self, threads: usize) -> usize {
        self.gains_len() + threads * self.scratch_per_worker()
    }

    /// The gains of every sample from every band.
    fn gains_len(&self) -> usize {
        let len = self.bands.len() * self.pixels() * self.geometry.samples() * GAINS;
        len.next_multiple_of(16)
    }

    /// A strip of columns, zeros for pixels off the map, and what the product needs.
    fn scratch_per_worker(&self) -> usize {
        self.strip_len() + self.zeros_len() + self.product.scratch_len(1)
    }

    fn strip_len(&self) -> usize {
        (self.product.strip_pixels() * self.bands[0].row_len()).next_multiple_of(16)
    }

    fn zeros_len(&self) -> usize {
        let longest = self.bands.iter().map(Columns::longest_run).max();
        longest.unwrap_or(0).next_multiple_of(16)
    }

    /// Output pixels of all images.
    fn pixels(&self) -> usize {
        self.geometry.conv.batch * self.geometry.conv.output_area()
    }

    /// `sources.x`, `dy` and `gradients.x` are channels last.
    pub(super) fn run(
        &self,
        ctx: &Context<'_>,
        sources: Sources<'_>,
        dy: &[f32],
        packed: &[f32],
        gradients: Gradients<'_>,
        scratch: &mut [f32],
    ) {
        let (gains, scratch) = scratch.split_at_mut(self.gains_len());
        let sampler = Sampler::new(&self.geometry, self.layout, &sources);
        let alone = Team::new(1).expect("a team of one starts no thread");
        let alone = Context {
            team: &alone,
            isa: self.isa,
        };
        let per_worker = self.scratch_per_worker();
        let shared = Shared::new(scratch);
        let (dx, all_gains) = (Shared::new(gradients.x), Shared::new(gains));
        let tasks = self.geometry.conv.batch * self.bands.len();
        ctx.team.for_each(tasks, |task, worker| {
            // SAFETY: a worker runs one task at a time.
            let scratch = unsafe { shared.slice(worker * per_worker, per_worker) };
            let (image, band) = (task / self.bands.len(), task % self.bands.len());
            // SAFETY: this band of this image is this task's alone.
            unsafe { self.bands[band].clear(image, dx) };
            for strip in 0..self.product.strips() {
                let strip = Strip { image, band, strip };
                self.strip(
                    &alone, &sampler, sources.x, dy, packed, strip, dx, all_gains, scratch,
                );
            }
        });
        self.gather_gains(ctx, gains, gradients.offset, gradients.mask);
    }

    fn strip(
        &self,
        alone: &Context<'_>,
        sampler: &Sampler<'_, f32>,
        x: &[f32],
        dy: &[f32],
        packed: &[f32],
        at: Strip,
        dx: Shared<'_>,
        gains: Shared<'_>,
        scratch: &mut [f32],
    ) {
        let conv = &self.geometry.conv;
        let (samples, taps) = (self.geometry.samples(), conv.kernel_area());
        let columns = &self.bands[at.band];
        let (pixels, plan) = self.product.at(at.strip);
        let first = at.image * conv.output_area();
        let pixels = first + pixels.start..first + pixels.end;
        let (strip, rest) = scratch.split_at_mut(self.strip_len());
        let (zeros, scratch) = rest.split_at_mut(self.zeros_len());
        zeros.fill(0.0);
        let strip = &mut strip[..pixels.len() * columns.row_len()];
        let dy = &dy[pixels.start * conv.out_channels..][..pixels.len() * conv.out_channels];
        let packed = &packed[at.band * self.product.packed_len()..][..self.product.packed_len()];
        plan.backward_data(alone, dy, packed, Epilogue::default(), strip, scratch);
        let gains_of = |pixel: usize, sample: usize| {
            ((at.band * self.pixels() + pixel) * samples + sample) * GAINS
        };
        vectorised(
            self.isa,
            #[inline(always)]
            || {
                // SAFETY: the band of the image, and its gains, are this task's alone.
                unsafe {
                    columns.scatter(
                        sampler,
                        x,
                        pixels,
                        zeros,
                        strip,
                        dx,
                        #[inline(always)]
                        |pixel, group, tap, gain| {
                            let from = gains_of(pixel, group * taps + tap);
                            gains.slice(from, GAINS).copy_from_slice(&gain);
                        },
                    );
                }
            },
        );
    }

    /// Adds the gains of the bands up, in order, and writes them as the offsets and the mask lie.
    fn gather_gains(
        &self,
        ctx: &Context<'_>,
        gains: &[f32],
        offset: &mut [f32],
        mask: Option<&mut [f32]>,
    ) {
        let maps = SampleMaps::new(&self.geometry, self.layout);
        let (samples, pixels) = (self.geometry.samples(), self.pixels());
        let (offset, mask) = (Shared::new(offset), mask.map(Shared::new));
        let write = |map: &Shared<'_>, at: usize, value: f32| {
            // SAFETY: every pixel belongs to one task.
            let element = unsafe { map.slice(at, 1) };
            element[0] = value;
        };
        for_rows(ctx.team, pixels, samples * GAINS, |range| {
            for pixel in range {
                for sample in 0..samples {
                    let mut sum = [0.0; GAINS];
                    for band in 0..self.bands.len() {
                        let from = ((band * pixels + pixel) * samples + sample) * GAINS;
                        for (sum, gain) in sum.iter_mut().zip(&gains[from..]) {
                            *sum += gain;
                        }
                    }
                    let [value, down, across] = sum;
                    write(&offset, maps.offset.at(pixel, 2 * sample), down);
                    write(&offset, maps.offset.at(pixel, 2 * sample + 1), across);
                    if let Some(mask) = &mask {
                        write(mask, maps.mask.at(pixel, sample), value);
                    }
                }
            }
        });
    }
}

/// A strip of an image, and the band that is worked on.
#[derive(Clone, Copy)]
struct Strip {
    image: usize,
    band: usize,
    strip: usize,
}

/// Into how many bands the channels of a weight group are cut: the fewest that make tasks enough, or as
/// many as stay wide enough.
fn bands(geometry: &DeformableGeometry) -> usize {
    let channels = geometry.conv.in_channels_per_group();
    let wanted = TASKS.div_ceil(geometry.conv.batch.max(1));
    let mut chosen = 1;
    for bands in 2..=channels / BAND {
        if chosen < wanted && channels.is_multiple_of(bands) {
            chosen = bands;
        }
    }
    chosen
}
