//! One dense walk over a feature map.
//!
//! A forward convolution is one walk. Its backward-data pass is one walk for each stride phase,
//! over the output's gradient with the kernel turned round. Both come to the same loop nest, so the
//! rest of the dense path knows only walks:
//!
//! ```text
//! target[start + u·target_step] = Σ_taps Σ_c source[u·source_step + tap.offset, c] · w[tap, c]
//! ```

use geometry::{ConvGeometry, Tap, Window};
use tensor::Layout;

use crate::conv::Direction;

/// One axis of a walk.
#[derive(Clone, Debug)]
pub(in crate::conv) struct AxisWalk {
    /// Elements of the source along this axis.
    pub(in crate::conv) source: usize,
    /// Source elements between neighbouring positions.
    pub(in crate::conv) source_step: usize,
    /// Elements of the target along this axis.
    pub(in crate::conv) target: usize,
    /// First target element.
    pub(in crate::conv) target_start: usize,
    /// Target elements between neighbouring positions.
    pub(in crate::conv) target_step: usize,
    /// Positions.
    pub(in crate::conv) count: usize,
    /// Taps by ascending offset, never none.
    pub(in crate::conv) taps: Vec<Tap>,
}

impl AxisWalk {
    fn forward(window: &Window) -> Self {
        Self {
            source: window.input,
            source_step: window.stride,
            target: window.output,
            target_start: 0,
            target_step: 1,
            count: window.output,
            taps: window.forward_taps(),
        }
    }

    fn backward_data(window: &Window) -> Vec<Self> {
        window
            .backward_phases()
            .into_iter()
            .map(|phase| Self {
                source: window.output,
                source_step: 1,
                target: window.input,
                target_start: phase.start,
                target_step: phase.step,
                count: phase.count,
                taps: phase.taps,
            })
            .collect()
    }

    /// The single placements of kernels that [cover](covers) images of `area` elements, which lie
    /// behind each other, as positions of one axis.
    fn of_images(batch: usize, area: usize, direction: Direction) -> impl Iterator<Item = Self> {
        let tap = |kernel, offset| Tap { kernel, offset };
        let backward = direction == Direction::BackwardData;
        let walks = if backward { area } else { 1 };
        (0..walks).map(move |start| {
            if backward {
                // The elements under a tap are a phase of their own.
                Self {
                    source: batch,
                    source_step: 1,
                    target: batch * area,
                    target_start: start,
                    target_step: area,
                    count: batch,
                    taps: vec![tap(start, 0)],
                }
            } else {
                Self {
                    source: batch * area,
                    source_step: area,
                    target: batch,
                    target_start: 0,
                    target_step: 1,
                    count: batch,
                    taps: (0..area).map(|index| tap(index, index as isize)).collect(),
                }
            }
        })
    }

    /// The source element that a position reads under a tap, if it lies inside.
    pub(super) fn source_of(&self, position: usize, tap: &Tap) -> Option<usize> {
        (position * self.source_step)
            .checked_add_signed(tap.offset)
            .filter(|&index| index < self.source)
    }

    /// The target element of a position.
    pub(in crate::conv) fn target_of(&self, position: usize) -> usize {
        self.target_start + position * self.target_step
    }

    /// Source elements that positions `from .. to` read: first, and how many.
    pub(super) fn span(&self, from: usize, to: usize) -> (isize, usize) {
        let (Some(first), Some(last)) = (self.taps.first(), self.taps.last()) else {
            return (0, 0);
        };
        let start = (from * self.source_step) as isize + first.offset;
        let end = ((to - 1) * self.source_step) as isize + last.offset;
        (start, (end - start) as usize + 1)
    }

    /// No position reads outside the source.
    pub(super) fn stays_inside(&self) -> bool {
        let (start, length) = self.span(0, self.count);
        start >= 0 && start as usize + length <= self.source
    }

    /// Position `u` reads element `u` and writes element `u`, and there is one for each.
    fn is_plain(&self) -> bool {
        matches!(self.taps.as_slice(), [tap] if tap.offset == 0)
            && self.source_step == 1
            && self.target_step == 1
            && self.count == self.target
            && self.source == self.target
    }

    /// A plain axis of `count` elements in the place of this plain axis.
    fn with_count(self, count: usize) -> Self {
        Self {
            source: count,
            target: count,
            count,
            ..self
        }
    }
}

/// Most elements of a map that is taken for a single placement: backwards each is a walk.
const MOST_COVERED: usize = 256;

/// Whether the kernel covers the map, so that it is placed once, without padding. Then images are to
/// such a convolution what pixels are to a pointwise one: it is a single matrix product.
fn covers(windows: &[Window; 3]) -> bool {
    let covered = |window: &Window| {
        window.output == 1
            && window.before == 0
            && window.dilation == 1
            && window.kernel == window.input
    };
    let area: usize = windows.iter().map(|window| window.input).product();
    windows.iter().all(covered) && (2..=MOST_COVERED).contains(&area)
}

/// Whether some target elements belong to none of a direction's walks, as no tap reaches them.
pub(in crate::conv) fn leave_gaps(
    walks: &[Walk],
    geometry: &ConvGeometry,
    direction: Direction,
) -> bool {
    let phases = |window: &Window| window.stride.min(window.input);
    direction == Direction::BackwardData
        && walks.len() < geometry.windows.iter().map(phases).product()
}

/// A run of taps whose source elements lie side by side: one stretch of the summation.
#[derive(Clone, Copy, Debug)]
pub(in crate::conv) struct Segment {
    /// Distance from a position's first source element, in elements.
    pub(in crate::conv) offset: usize,
    /// Elements to sum over.
    pub(in crate::conv) len: usize,
}

/// A walk along depth, height and width, for all groups alike.
#[derive(Clone, Debug)]
pub(in crate::conv) struct Walk {
    pub(super) layout: Layout,
    pub(in crate::conv) batch: usize,
    /// The depth axis. Each of its positions in each image is a *slice*, a walk in two dimensions.
    pub(super) slices: AxisWalk,
    pub(in crate::conv) rows: AxisWalk,
    pub(in crate::conv) columns: AxisWalk,
    /// Channels of the source, all groups together.
    pub(super) source_channels: usize,
    /// Channels of the target, all groups together.
    pub(super) target_channels: usize,
    pub(super) groups: usize,
    /// No position of a row or column reads outside the source.
    pub(super) stays_inside: bool,
}

/// A slice of a walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    pub(super) image: usize,
    /// Position along the depth.
    pub(super) position: usize,
}

impl Walk {
    /// The walks of a direction.
    pub(in crate::conv) fn all(
        geometry: &ConvGeometry,
        direction: Direction,
        layout: Layout,
    ) -> Vec<Self> {
        let (source_channels, target_channels) = direction.channels(geometry);
        if layout == Layout::Nhwc && covers(&geometry.windows) {
            let walk = |columns: AxisWalk| Self {
                layout,
                batch: 1,
                slices: AxisWalk::forward(&Window::UNIT),
                rows: AxisWalk::forward(&Window::UNIT),
                stays_inside: true,
                columns,
                source_channels,
                target_channels,
                groups: geometry.groups,
            };
            let (batch, area) = (geometry.batch, geometry.input_area());
            return AxisWalk::of_images(batch, area, direction)
                .map(walk)
                .collect();
        }
        let [slices, rows, columns] = geometry.windows.each_ref().map(|window| match direction {
            Direction::BackwardData => AxisWalk::backward_data(window),
            _ => vec![AxisWalk::forward(window)],
        });
        let mut walks = Vec::with_capacity(slices.len() * rows.len() * columns.len());
        for slices in &slices {
            for rows in &rows {
                for columns in &columns {
                    let walk = Self {
                        layout,
                        batch: geometry.batch,
                        stays_inside: rows.stays_inside() && columns.stays_inside(),
                        slices: slices.clone(),
                        rows: rows.clone(),
                        columns: columns.clone(),
                        source_channels,
                        target_channels,
                        groups: geometry.groups,
                    };
                    walks.push(walk.flattened());
                }
            }
        }
        walks
    }

    /// A pointwise walk of stride one sees no rows: it is one long row of pixels. Channels last it
    /// sees no images either; channels first the planes of one image end before the next begins.
    fn flattened(self) -> Self {
        if ![&self.slices, &self.rows, &self.columns]
            .into_iter()
            .all(AxisWalk::is_plain)
        {
            return self;
        }
        let area = self.slices.count * self.rows.count * self.columns.count;
        let (batch, pixels) = match self.layout {
            Layout::Nchw => (self.batch, area),
            Layout::Nhwc => (1, self.batch * area),
        };
        Self {
            batch,
            slices: self.slices.with_count(1),
            rows: self.rows.with_count(1),
            columns: self.columns.with_count(pixels),
            ..self
        }
    }

    pub(super) fn source_channels_per_group(&self) -> usize {
        self.source_channels / self.groups
    }

    pub(super) fn target_channels_per_group(&self) -> usize {
        self.target_channels / self.groups
    }

    /// Taps of all axes together.
    pub(super) fn taps(&self) -> usize {
        self.slices.taps.len() * self.rows.taps.len() * self.columns.taps.len()
    }

    /// The kernel elements of the taps in the order of the summation, for a kernel of `height` rows
    /// of `width`.
    pub(in crate::conv) fn kernel_taps(
        &self,
        height: usize,
        width: usize,
    ) -> impl Iterator<Item = usize> {
        self.slices.taps.iter().flat_map(move |slice| {
            self.rows.taps.iter().flat_map(move |row| {
                let row = (slice.kernel * height + row.kernel) * width;
                self.columns.taps.iter().map(move |tap| row + tap.kernel)
            })
        })
    }

    /// Products summed for one target element.
    pub(in crate::conv) fn depth(&self) -> usize {
        self.taps() * self.source_channels_per_group()
    }

    /// Slices of all images.
    pub(super) fn slice_count(&self) -> usize {
        self.batch * self.slices.count
    }

    /// Slice `index` of all images.
    pub(super) fn slice(&self, index: usize) -> Slice {
        Slice {
            image: index / self.slices.count,
            position: index % self.slices.count,
        }
    }

    /// Elements of an image of the source.
    pub(super) fn image_len(&self) -> usize {
        self.slices.source * self.rows.source * self.columns.source * self.source_channels
    }

    /// An image of the source.
    pub(super) fn image<'a>(&self, source: &'a [f32], index: usize) -> &'a [f32] {
        let len = self.image_len();
        &source[index * len..][..len]
    }

    /// Multiply-accumulates of the walk.
    pub(super) fn macs(&self) -> usize {
        self.slice_count()
            * self.rows.count
            * self.columns.count
            * self.depth()
            * self.target_channels
    }

    /// Target elements of one channel of one slice, and of one image.
    pub(super) fn target_areas(&self) -> (usize, usize) {
        let slice = self.rows.target * self.columns.target;
        (slice, self.slices.target * slice)
    }

    /// The summation of one target element over one slice of the source as stretches of its memory,
    /// `channels` for every tap, where source rows and pixels lie so many elements apart.
    pub(super) fn segments(&self, (pitch, pixel): (usize, usize), channels: usize) -> Vec<Segment> {
        let first = |taps: &[Tap]| taps.first().map_or(0, |tap| tap.offset);
        let (top, left) = (first(&self.rows.taps), first(&self.columns.taps));
        let offsets = self.rows.taps.iter().flat_map(|row| {
            self.columns.taps.iter().map(move |column| {
                (row.offset - top) as usize * pitch + (column.offset - left) as usize * pixel
            })
        });
        stretches(offsets, channels)
    }
}

/// Stretches of `len` elements from every offset. Neighbouring taps of a dense kernel join into one
/// stretch, since the channels of neighbouring pixels are neighbours in memory; a group's are not.
pub(super) fn stretches(offsets: impl Iterator<Item = usize>, len: usize) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for offset in offsets {
        match segments.last_mut() {
            Some(last) if last.offset + last.len == offset => last.len += len,
            _ => segments.push(Segment { offset, len }),
        }
    }
    segments
}
