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
//! Positions are cut into chunks by the shape alone. A task is one chunk of one strip's channels; it
//! leaves its partial sums in scratch memory, and whoever adds them up does so in the order of the
//! chunks. So sums are bitwise the same for any number of threads.

use tensor::Layout;

/// Most lanes of a strip: four of the widest registers, enough independent sums to hide the latency
/// of an addition.
pub(crate) const LANES: usize = 64;

/// Most rows of a strip. Sums over a strip are kept in f32, sums of strips in f64.
const ROWS: usize = 64;

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
    },
}

/// One chunk of some channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// Which chunk.
    pub(crate) chunk: usize,
    /// First channel.
    pub(crate) first: usize,
    /// Channels; lane `l` of every strip belongs to channel `first + l mod channels`.
    pub(crate) channels: usize,
}

impl Cut {
    pub(crate) fn new(layout: Layout, batch: usize, channels: usize, area: usize) -> Self {
        let kind = match layout {
            // A plane of one element is a pixel: the layouts coincide.
            Layout::Nchw if area > 1 => Self::channels_first(batch, area),
            _ => Self::channels_last(batch * area, channels),
        };
        let chunks = match kind {
            Kind::ChannelsLast {
                pixels, per_chunk, ..
            } => pixels.div_ceil(per_chunk),
            Kind::ChannelsFirst {
                batch,
                images,
                parts,
                ..
            } => batch.div_ceil(images) * parts,
        };
        Self {
            channels,
            kind,
            chunks,
        }
    }

    fn channels_last(pixels: usize, channels: usize) -> Kind {
        let fold = (LANES / channels.max(1)).max(1);
        let rows = CHUNK_ROWS.max(pixels.div_ceil(MOST_CHUNKS * fold));
        Kind::ChannelsLast {
            pixels,
            fold,
            per_chunk: rows.next_multiple_of(ROWS) * fold,
        }
    }

    fn channels_first(batch: usize, area: usize) -> Kind {
        let target = CHUNK_ROWS * LANES;
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
        Kind::ChannelsFirst {
            batch,
            area,
            images,
            parts,
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
            } => {
                let (from, to) = part(area, parts, chunk % parts);
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
        let (first, channels) = match self.kind {
            Kind::ChannelsLast { .. } => {
                let first = band * LANES;
                (first, LANES.min(self.channels - first))
            }
            Kind::ChannelsFirst { .. } => (band, 1),
        };
        Task {
            chunk,
            first,
            channels,
        }
    }

    fn bands(&self) -> usize {
        match self.kind {
            Kind::ChannelsLast { .. } => self.channels.div_ceil(LANES),
            Kind::ChannelsFirst { .. } => self.channels,
        }
    }

    /// Calls `visit` with every strip of a task, in a fixed order.
    pub(crate) fn for_each_strip(&self, task: Task, mut visit: impl FnMut(Strip)) {
        match self.kind {
            Kind::ChannelsLast {
                fold, per_chunk, ..
            } => {
                let pixels = self.count(task.chunk);
                let mut strip = Strip {
                    start: task.chunk * per_chunk * self.channels + task.first,
                    rows: pixels / fold,
                    width: task.channels * fold,
                    stride: self.channels * fold,
                };
                strip.for_each_part(&mut visit);
                strip.start += strip.rows * strip.stride;
                (strip.rows, strip.width) = (1, task.channels * (pixels % fold));
                strip.for_each_part(&mut visit);
            }
            Kind::ChannelsFirst {
                batch,
                area,
                images,
                parts,
            } => {
                let image = task.chunk / parts * images;
                let images = images.min(batch - image);
                let (from, to) = part(area, parts, task.chunk % parts);
                let stride = self.channels * area;
                let start = image * stride + task.first * area + from;
                if area <= LANES {
                    let strip = Strip {
                        start,
                        rows: images,
                        width: area,
                        stride,
                    };
                    return strip.for_each_part(&mut visit);
                }
                for image in 0..images {
                    let mut strip = Strip {
                        start: start + image * stride,
                        rows: (to - from) / LANES,
                        width: LANES,
                        stride: LANES,
                    };
                    strip.for_each_part(&mut visit);
                    strip.start += strip.rows * LANES;
                    (strip.rows, strip.width) = (1, (to - from) % LANES);
                    strip.for_each_part(&mut visit);
                }
            }
        }
    }
}

/// Elements `from .. to` of part `index` of `parts` of a plane, cut at multiples of [`LANES`].
fn part(area: usize, parts: usize, index: usize) -> (usize, usize) {
    let size = area.div_ceil(parts).next_multiple_of(LANES);
    ((index * size).min(area), ((index + 1) * size).min(area))
}

impl Strip {
    /// Calls `visit` with pieces of at most [`ROWS`] rows; with none when the strip is empty.
    fn for_each_part(&self, visit: &mut impl FnMut(Self)) {
        if self.width == 0 {
            return;
        }
        for row in (0..self.rows).step_by(ROWS) {
            visit(Self {
                start: self.start + row * self.stride,
                rows: ROWS.min(self.rows - row),
                ..*self
            });
        }
    }

    /// One past the last element.
    pub(crate) fn end(&self) -> usize {
        self.start + (self.rows - 1) * self.stride + self.width
    }
}

impl Task {
    /// `value(channel)` in every lane of that channel.
    pub(crate) fn lanes(&self, value: impl Fn(usize) -> f32) -> Lanes {
        let mut lanes = [0.0; LANES];
        for (offset, lane) in lanes.iter_mut().take(self.channels).enumerate() {
            *lane = value(self.first + offset);
        }
        for lane in self.channels..LANES {
            lanes[lane] = lanes[lane - self.channels];
        }
        lanes
    }

    /// Adds up the lanes of each channel, in a fixed order, and hands them to `give(channel, sums)`.
    pub(crate) fn for_each_channel<const K: usize>(
        &self,
        sums: &Sums<K>,
        mut give: impl FnMut(usize, [f64; K]),
    ) {
        for offset in 0..self.channels {
            let channel = std::array::from_fn(|k| {
                sums.total[k][offset..].iter().step_by(self.channels).sum()
            });
            give(self.first + offset, channel);
        }
    }
}

/// `K` sums a lane, in two levels: at most 64 rows in f32, all of them in f64. The rounding error of
/// a sum is that of 64 additions, however long it is.
pub(crate) struct Sums<const K: usize> {
    recent: [Lanes; K],
    rows: usize,
    total: [Lanes<f64>; K],
}

impl<const K: usize> Sums<K> {
    pub(crate) fn new() -> Self {
        Self {
            recent: [[0.0; LANES]; K],
            rows: 0,
            total: [[0.0; LANES]; K],
        }
    }

    /// The sums that a kernel adds `rows` further rows to.
    pub(crate) fn open(&mut self, rows: usize) -> &mut [Lanes; K] {
        if self.rows + rows > ROWS {
            self.settle();
        }
        self.rows += rows;
        &mut self.recent
    }

    /// Moves the recent sums into the total.
    pub(crate) fn settle(&mut self) {
        for (total, recent) in self.total.iter_mut().zip(&mut self.recent) {
            for (total, recent) in total.iter_mut().zip(recent) {
                *total += f64::from(std::mem::take(recent));
            }
        }
        self.rows = 0;
    }
}
