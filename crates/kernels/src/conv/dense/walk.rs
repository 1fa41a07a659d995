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
pub(super) struct AxisWalk {
    /// Elements of the source along this axis.
    pub(super) source: usize,
    /// Source elements between neighbouring positions.
    pub(super) source_step: usize,
    /// Elements of the target along this axis.
    pub(super) target: usize,
    /// First target element.
    pub(super) target_start: usize,
    /// Target elements between neighbouring positions.
    pub(super) target_step: usize,
    /// Positions.
    pub(super) count: usize,
    /// Taps by ascending offset.
    pub(super) taps: Vec<Tap>,
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
    fn stays_inside(&self) -> bool {
        let (start, length) = self.span(0, self.count);
        start >= 0 && start as usize + length <= self.source
    }
}

/// A run of taps whose source elements lie side by side: one stretch of the summation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// Distance from a position's first source element, in elements.
    pub(super) offset: usize,
    /// Elements to sum over.
    pub(super) len: usize,
}

/// A walk in two dimensions, for all groups alike.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) layout: Layout,
    pub(super) batch: usize,
    pub(super) rows: AxisWalk,
    pub(super) columns: AxisWalk,
    /// Channels of the source, all groups together.
    pub(super) source_channels: usize,
    /// Channels of the target, all groups together.
    pub(super) target_channels: usize,
    pub(super) groups: usize,
    /// No position reads outside the source.
    pub(super) stays_inside: bool,
}

impl Walk {
    /// The walks of a direction; depth must be a unit axis.
    pub(super) fn all(geometry: &ConvGeometry, direction: Direction, layout: Layout) -> Vec<Self> {
        let [_, height, width] = &geometry.windows;
        let (source_channels, target_channels, rows, columns) = match direction {
            Direction::BackwardData => (
                geometry.out_channels,
                geometry.in_channels,
                AxisWalk::backward_data(height),
                AxisWalk::backward_data(width),
            ),
            Direction::Forward | Direction::BackwardWeights => (
                geometry.in_channels,
                geometry.out_channels,
                vec![AxisWalk::forward(height)],
                vec![AxisWalk::forward(width)],
            ),
        };
        let mut walks = Vec::with_capacity(rows.len() * columns.len());
        for rows in &rows {
            for columns in &columns {
                walks.push(
                    Self {
                        layout,
                        batch: geometry.batch,
                        stays_inside: rows.stays_inside() && columns.stays_inside(),
                        rows: rows.clone(),
                        columns: columns.clone(),
                        source_channels,
                        target_channels,
                        groups: geometry.groups,
                    }
                    .flattened(),
                );
            }
        }
        walks
    }

    /// A pointwise walk of stride one sees no rows: it is one long row of pixels. Channels last it
    /// sees no images either; channels first the planes of one image end before the next begins.
    fn flattened(self) -> Self {
        let plain = |axis: &AxisWalk| {
            matches!(axis.taps.as_slice(), [tap] if tap.offset == 0)
                && axis.source_step == 1
                && axis.target_step == 1
                && axis.count == axis.target
                && axis.source == axis.target
        };
        if !plain(&self.rows) || !plain(&self.columns) {
            return self;
        }
        let row = |axis: AxisWalk, count: usize| AxisWalk {
            source: count,
            target: count,
            count,
            ..axis
        };
        let area = self.rows.count * self.columns.count;
        let (batch, pixels) = match self.layout {
            Layout::Nchw => (self.batch, area),
            Layout::Nhwc => (1, self.batch * area),
        };
        Self {
            batch,
            rows: row(self.rows, 1),
            columns: row(self.columns, pixels),
            ..self
        }
    }

    pub(super) fn source_channels_per_group(&self) -> usize {
        self.source_channels / self.groups
    }

    pub(super) fn target_channels_per_group(&self) -> usize {
        self.target_channels / self.groups
    }

    /// Products summed for one target element.
    pub(super) fn depth(&self) -> usize {
        self.rows.taps.len() * self.columns.taps.len() * self.source_channels_per_group()
    }

    /// Multiply-accumulates of the walk.
    pub(super) fn macs(&self) -> usize {
        self.batch * self.rows.count * self.columns.count * self.depth() * self.target_channels
    }

    /// The summation of one target element as stretches of source memory, for source rows that lie
    /// `pitch` elements apart. Neighbouring taps of a dense kernel join into one stretch, since the
    /// channels of neighbouring pixels are neighbours in memory; a group's are not.
    pub(super) fn segments(&self, pitch: usize) -> Vec<Segment> {
        let channels = self.source_channels_per_group();
        let mut segments: Vec<Segment> = Vec::new();
        let first = |taps: &[Tap]| taps.first().map_or(0, |tap| tap.offset);
        let (top, left) = (first(&self.rows.taps), first(&self.columns.taps));
        for row in &self.rows.taps {
            for column in &self.columns.taps {
                let offset = (row.offset - top) as usize * pitch
                    + (column.offset - left) as usize * self.source_channels;
                match segments.last_mut() {
                    Some(last) if last.offset + last.len == offset => last.len += channels,
                    _ => segments.push(Segment {
                        offset,
                        len: channels,
                    }),
                }
            }
        }
        segments
    }
}
