//! How work per channel is cut: chunks of the positions, strips of neighbouring elements.
//!
//! Batch norm and bias gradients reduce a feature map to one number a channel and apply one number a
//! channel back. In NCHW a channel is a set of planes, in NHWC a column of a tall matrix. Both come
//! to the same inner loop once the map is seen as *strips*: matrices of at most [`LANES`] columns in
//! which lane `l` of every row belongs to the same channel.
//!
//! - NHWC: a strip is a band of [`LANES`] channels over some pixels. Few channels are folded: with 16
//!   of them, four pixels side by side make one row of 64 lanes, and lane `l` is channel `l mod 16`.
//!   So thin maps fill the registers too, and three channels waste none of sixteen lanes.
//! - NCHW: planes of at most [`LANES`] elements are rows, one an image; larger planes are cut into
//!   rows of [`LANES`]. All lanes belong to the same channel.
//!
//! One strip alone would read short pieces far apart, which no prefetcher follows. So a task takes up
//! to [`SLOTS`] strips that lie side by side and walks over them together, a few rows at a time.
//!
//! Positions are cut into chunks by the shape alone. A task is one chunk of one strip's channels; it
//! leaves its partial sums in scratch memory, and whoever adds them up does so in the order of the
//! chunks. So sums are bitwise the same for any number of threads.

use tensor::Layout;

use crate::Isa;
use crate::vectorise::vectorised;

/// Most lanes of a strip: four of the widest registers, enough independent sums to hide the latency
/// of an addition.
pub(crate) const LANES: usize = 64;

/// Most rows of a strip. Sums over a strip are kept in f32, sums of strips in f64.
const ROWS: usize = 64;

/// Most strips that a task walks over side by side.
pub(crate) const SLOTS: usize = 8;

/// Rows of each strip before the walk turns to the strip beside it.
const ROWS_AT_A_TIME: usize = 16;

/// A chunk has at least so many rows of lanes, so that its partial sums cost little to keep.
const CHUNK_ROWS: usize = 256;

/// No channel is cut into more chunks.
const MOST_CHUNKS: usize = 64;

/// One value a lane.
pub(crate) type Lanes<T = f32> = [T; LANES];

/// A matrix of neighbouring elements, `rows × width`, whose rows are `stride` elements apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strip {
    /// First element, within the feature map.
    pub(crate) start: usize,
    /// At most 64.
    pub(crate) rows: usize,
    /// At most [`LANES`].
    pub(crate) width: usize,
    /// From one row to the next.
    pub(crate) stride: usize,
}

/// The cut of a feature map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    channels: usize,
    kind: Kind,
    chunks: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// `pixels` rows of `channels`, taken `fold` at a time, `per_chunk` pixels a chunk.
    ChannelsLast {
        pixels: usize,
        fold: usize,
        per_chunk: usize,
    },
    /// `batch` images of planes of `area`; a chunk is `images` planes, or part of one plane.
    ChannelsFirst {
        batch: usize,
        area: usize,
        images: usize,
        parts: usize,
        /// Elements of a row of a plane.
        width: usize,
    },
}

/// One chunk of some channels, in up to [`SLOTS`] slots of `per_slot` channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// Which chunk.
    pub(crate) chunk: usize,
    /// First channel.
    pub(crate) first: usize,
    /// Channels.
    pub(crate) channels: usize,
    per_slot: usize,
}

impl Cut {
    pub(crate) fn new(layout: Layout, batch: usize, channels: usize, area: usize) -> Self {
        let kind = match layout {
            // A plane of one element is a pixel: the layouts coincide.
            Layout::Nchw if area > 1 => Self::channels_first(batch, area),
            _ => Self::channels_last(batch * area, channels),
        };
        Self {
            channels,
            kind,
            chunks: Self::chunks_of(kind),
        }
    }

    fn chunks_of(kind: Kind) -> usize {
        match kind {
            Kind::ChannelsLast {
                pixels, per_chunk, ..
            } => pixels.div_ceil(per_chunk),
            Kind::ChannelsFirst {
                batch,
                images,
                parts,
                ..
            } => batch.div_ceil(images) * parts,
        }
    }

    /// The same cut with a row for every pixel, however few its channels.
    pub(crate) fn unfolded(self) -> Self {
        match self.kind {
            Kind::ChannelsLast { pixels, .. } => {
                let kind = Self::rows(pixels, 1);
                Self {
                    kind,
                    chunks: Self::chunks_of(kind),
                    ..self
                }
            }
            Kind::ChannelsFirst { .. } => self,
        }
    }

    fn channels_last(pixels: usize, channels: usize) -> Kind {
        Self::rows(pixels, (LANES / channels.max(1)).max(1))
    }

    fn rows(pixels: usize, fold: usize) -> Kind {
        let rows = CHUNK_ROWS.max(pixels.div_ceil(MOST_CHUNKS * fold));
        Kind::ChannelsLast {
            pixels,
            fold,
            per_chunk: rows.next_multiple_of(ROWS) * fold,
        }
    }

    fn channels_first(batch: usize, area: usize) -> Kind {
        let target = CHUNK_ROWS * LANES / 2;
        let images = (target / area)
            .max(batch.div_ceil(MOST_CHUNKS))
            .clamp(1, batch.max(1));
        let parts = if images == 1 {
            // One image may be all there is: cut its planes, but not into more than fit the limit.
            let most = (MOST_CHUNKS / batch.max(1)).max(1);
            (area / target).clamp(1, most)
        } else {
            1
        };
        // Rows that end where the plane ends, if that leaves them half full.
        let whole = (LANES / 2..=LANES).rev().find(|w| area.is_multiple_of(*w));
        Kind::ChannelsFirst {
            batch,
            area,
            images,
            parts,
            width: whole.unwrap_or(LANES),
        }
    }

    /// Chunks of each channel.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks
    }

    /// Elements of each channel in a chunk.
    pub(crate) fn count(&self, chunk: usize) -> usize {
        match self.kind {
            Kind::ChannelsLast {
                pixels, per_chunk, ..
            } => per_chunk.min(pixels - chunk * per_chunk),
            Kind::ChannelsFirst {
                batch,
                area,
                images,
                parts,
                width,
            } => {
                let (from, to) = part(area, parts, width, chunk % parts);
                images.min(batch - chunk / parts * images) * (to - from)
            }
        }
    }

    /// How many tasks cover the map.
    pub(crate) fn tasks(&self) -> usize {
        self.chunks * self.bands()
    }

    /// Task `index`; neighbouring tasks lie in neighbouring memory.
    pub(crate) fn task(&self, index: usize) -> Task {
        let (chunk, band) = (index / self.bands(), index % self.bands());
        let first = band * self.band();
        Task {
            chunk,
            first,
            channels: self.band().min(self.channels - first),
            per_slot: self.band() / SLOTS,
        }
    }

    /// Channels of a task.
    fn band(&self) -> usize {
        match self.kind {
            Kind::ChannelsLast { .. } => LANES * SLOTS,
            Kind::ChannelsFirst { .. } => SLOTS,
        }
    }

    fn bands(&self) -> usize {
        self.channels.div_ceil(self.band())
    }

    /// Calls `visit(slot, strip)` with every strip of a task, in a fixed order.
    pub(crate) fn for_each_strip(&self, task: Task, mut visit: impl FnMut(usize, Strip)) {
        match self.kind {
            Kind::ChannelsLast {
                fold, per_chunk, ..
            } => {
                let pixels = self.count(task.chunk);
                let start = task.chunk * per_chunk * self.channels + task.first;
                let stride = self.channels * fold;
                let rows = pixels / fold;
                task.walk(rows, &mut visit, |slot, row, rows| Strip {
                    start: start + row * stride + slot * LANES,
                    rows,
                    width: task.channels_of(slot) * fold,
                    stride,
                });
                // What is left of the pixels is a shorter row. More than one slot means no fold.
                let width = task.channels * (pixels % fold);
                if width > 0 {
                    let start = start + rows * stride;
                    let rows = 1;
                    visit(
                        0,
                        Strip {
                            start,
                            rows,
                            width,
                            stride,
                        },
                    );
                }
            }
            Kind::ChannelsFirst {
                batch,
                area,
                images,
                parts,
                width,
            } => {
                let image = task.chunk / parts * images;
                let images = images.min(batch - image);
                let (from, to) = part(area, parts, width, task.chunk % parts);
                let stride = self.channels * area;
                let start = image * stride + task.first * area + from;
                if area <= LANES {
                    return task.walk(images, &mut visit, |slot, image, rows| Strip {
                        start: start + image * stride + slot * area,
                        rows,
                        width: area,
                        stride,
                    });
                }
                let (rows, rest) = ((to - from) / width, (to - from) % width);
                for image in 0..images {
                    for slot in 0..task.slots() {
                        let start = start + image * stride + slot * area;
                        for row in (0..rows).step_by(ROWS) {
                            visit(
                                slot,
                                Strip {
                                    start: start + row * width,
                                    rows: ROWS.min(rows - row),
                                    width,
                                    stride: width,
                                },
                            );
                        }
                        if rest > 0 {
                            visit(
                                slot,
                                Strip {
                                    start: start + rows * width,
                                    rows: 1,
                                    width: rest,
                                    stride: rest,
                                },
                            );
                        }
                    }
                }
            }
        }
    }
}

/// Elements `from .. to` of part `index` of `parts` of a plane, cut between rows of `width`.
fn part(area: usize, parts: usize, width: usize, index: usize) -> (usize, usize) {
    let size = area.div_ceil(parts).next_multiple_of(width);
    ((index * size).min(area), ((index + 1) * size).min(area))
}

impl Strip {
    /// One past the last element.
    pub(crate) fn end(&self) -> usize {
        self.start + (self.rows - 1) * self.stride + self.width
    }
}

impl Task {
    fn slots(&self) -> usize {
        self.channels.div_ceil(self.per_slot)
    }

    /// Channels of a slot: lane `l` belongs to the one with index `l mod channels_of(slot)` in it.
    fn channels_of(&self, slot: usize) -> usize {
        self.per_slot.min(self.channels - slot * self.per_slot)
    }

    /// The slot a channel is in, and how many channels it shares it with, itself counted.
    pub(crate) fn slot_of(&self, channel: usize) -> (usize, usize) {
        let slot = (channel - self.first) / self.per_slot;
        (slot, self.channels_of(slot))
    }

    /// Walks over `rows` rows of all slots; `strip(slot, row, rows)` says where some of them lie.
    fn walk(
        &self,
        rows: usize,
        visit: &mut impl FnMut(usize, Strip),
        strip: impl Fn(usize, usize, usize) -> Strip,
    ) {
        let step = if self.slots() > 1 {
            ROWS_AT_A_TIME
        } else {
            ROWS
        };
        for row in (0..rows).step_by(step) {
            for slot in 0..self.slots() {
                visit(slot, strip(slot, row, step.min(rows - row)));
            }
        }
    }

    /// `value(channel)` in every lane of that channel, slot by slot.
    pub(crate) fn lanes(&self, value: impl Fn(usize) -> f32) -> [Lanes; SLOTS] {
        let mut lanes = [[0.0; LANES]; SLOTS];
        for (slot, lanes) in lanes.iter_mut().enumerate().take(self.slots()) {
            let channels = self.channels_of(slot);
            for (offset, lane) in lanes.iter_mut().take(channels).enumerate() {
                *lane = value(self.first + slot * self.per_slot + offset);
            }
            match lanes.split_at_mut(channels) {
                // Copied one by one, every lane would wait for the one before it.
                ([value], rest) => rest.fill(*value),
                (values, rest) => {
                    for rest in rest.chunks_mut(channels) {
                        rest.copy_from_slice(&values[..rest.len()]);
                    }
                }
            }
        }
        lanes
    }

    /// Adds up the lanes of each channel, in a fixed order, and hands them to `give(channel, sums)`.
    pub(crate) fn for_each_channel<const K: usize>(
        &self,
        sums: &Sums<K>,
        mut give: impl FnMut(usize, [f64; K]),
    ) {
        for slot in 0..self.slots() {
            let channels = self.channels_of(slot);
            let sums = sums.total[slot].map(|lanes| fold_lanes(lanes, channels));
            for offset in 0..channels {
                let channel = self.first + slot * self.per_slot + offset;
                give(channel, sums.each_ref().map(|lanes| lanes[offset]));
            }
        }
    }
}

/// The sums of the lanes of each of `channels` channels, in the first so many places.
fn fold_lanes(mut lanes: Lanes<f64>, channels: usize) -> Lanes<f64> {
    if channels == 1 {
        // Eight chains, and then one: a single chain would wait for 63 additions.
        let mut chains = [0.0; 8];
        for lanes in lanes.as_chunks::<8>().0 {
            for (chain, lane) in chains.iter_mut().zip(lanes) {
                *chain += lane;
            }
        }
        lanes[0] = chains.iter().sum();
    } else {
        let (first, rest) = lanes.split_at_mut(channels);
        for rest in rest.chunks(channels) {
            for (first, lane) in first.iter_mut().zip(rest) {
                *first += lane;
            }
        }
    }
    lanes
}

/// `K` sums a lane, in two levels: at most 64 rows in f32, all of them in f64. The rounding error of
/// a sum is that of 64 additions, however long it is.
pub(crate) struct Sums<const K: usize> {
    isa: Isa,
    recent: [[Lanes; K]; SLOTS],
    rows: [usize; SLOTS],
    total: [[Lanes<f64>; K]; SLOTS],
}

impl<const K: usize> Sums<K> {
    pub(crate) fn new(isa: Isa) -> Self {
        Self {
            isa,
            recent: [[[0.0; LANES]; K]; SLOTS],
            rows: [0; SLOTS],
            total: [[[0.0; LANES]; K]; SLOTS],
        }
    }

    /// The sums of a slot, for a kernel to add `rows` further rows to.
    pub(crate) fn open(&mut self, slot: usize, rows: usize) -> &mut [Lanes; K] {
        if self.rows[slot] + rows > ROWS {
            self.settle_slot(slot);
        }
        self.rows[slot] += rows;
        &mut self.recent[slot]
    }

    /// Moves all recent sums into the totals.
    pub(crate) fn settle(&mut self) {
        for slot in 0..SLOTS {
            if self.rows[slot] > 0 {
                self.settle_slot(slot);
            }
        }
    }

    fn settle_slot(&mut self, slot: usize) {
        let (total, recent) = (&mut self.total[slot], &mut self.recent[slot]);
        vectorised(
            self.isa,
            #[inline(always)]
            || {
                for (total, recent) in total.iter_mut().zip(recent) {
                    for (total, recent) in total.iter_mut().zip(recent) {
                        *total += f64::from(*recent);
                        *recent = 0.0;
                    }
                }
            },
        );
        self.rows[slot] = 0;
    }
}
