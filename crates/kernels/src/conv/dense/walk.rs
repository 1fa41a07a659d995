//! One dense walk over a feature map, and the strips of padded source rows it reads.
//!
//! A forward convolution is one walk. Its backward-data pass is one walk for each stride phase,
//! over the output's gradient with the kernel turned round. Both come to the same loop nest, so the
//! rest of the dense path knows only walks:
//!
//! ```text
//! target[start + u·target_step] = Σ_taps Σ_c source[u·source_step + tap.offset, c] · w[tap, c]
//! ```

use geometry::{ConvGeometry, Tap, Window};

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
    pub(super) batch: usize,
    pub(super) rows: AxisWalk,
    pub(super) columns: AxisWalk,
    /// Channels of the source, all groups together.
    pub(super) source_channels: usize,
    /// Channels of the target, all groups together.
    pub(super) target_channels: usize,
    pub(super) groups: usize,
    /// No position reads outside the source, so no padded copy is needed.
    pub(super) stays_inside: bool,
}

impl Walk {
    /// The walks of a direction; depth must be a unit axis.
    pub(super) fn all(geometry: &ConvGeometry, direction: Direction) -> Vec<Self> {
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

    /// A pointwise walk of stride one sees no rows and no images: it is one long row of pixels.
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
        let pixels = self.batch * self.rows.count * self.columns.count;
        Self {
            batch: 1,
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

/// Source rows for a strip of positions: where the first one's sums start, and how far rows lie
/// apart.
pub(super) struct Strip {
    /// The source element, first channel, under the first tap of the strip's first position.
    pub(super) origin: *const f32,
    /// Elements between source rows.
    pub(super) pitch: usize,
}

impl Walk {
    /// Columns of a padded strip.
    fn padded_columns(&self) -> usize {
        self.columns.span(0, self.columns.count).1
    }

    /// Elements between the rows of the source a strip is read from.
    pub(super) fn pitch(&self) -> usize {
        self.source_channels
            * if self.stays_inside {
                self.columns.source
            } else {
                self.padded_columns()
            }
    }

    /// Scratch elements for a padded strip of `rows` positions; 0 when the source is read in place.
    pub(super) fn strip_len(&self, rows: usize) -> usize {
        if self.stays_inside || self.depth() == 0 {
            return 0;
        }
        self.rows.span(0, rows).1 * self.padded_columns() * self.source_channels
    }

    /// The source rows that positions `from .. to` of `image` read, with zeros for what lies
    /// outside the source: in place where nothing does, otherwise copied to `scratch`.
    ///
    /// The copy costs one pass over the strip, small beside the sums that read every element of it
    /// `taps × target channels` times, and frees the inner loops of every case distinction.
    ///
    /// # Panics
    /// When `source` is shorter than the walk's source or `scratch` than [`Walk::strip_len`].
    pub(super) fn strip(
        &self,
        source: &[f32],
        image: usize,
        (from, to): (usize, usize),
        scratch: &mut [f32],
    ) -> Strip {
        let channels = self.source_channels;
        let row_len = self.columns.source * channels;
        let image_len = self.rows.source * row_len;
        let source = &source[image * image_len..(image + 1) * image_len];
        let pitch = self.pitch();
        let (top, rows) = self.rows.span(from, to);
        let (left, columns) = self.columns.span(0, self.columns.count);
        if rows == 0 || columns == 0 {
            // A phase without taps sums nothing and reads nothing.
            let origin = source.as_ptr();
            return Strip { origin, pitch };
        }
        if self.stays_inside {
            let origin = source[top as usize * row_len + left as usize * channels..].as_ptr();
            return Strip { origin, pitch };
        }
        let padded_columns = columns;
        let before = left.min(0).unsigned_abs().min(padded_columns);
        let inside_from = left.max(0) as usize;
        let inside = (padded_columns - before).min(self.columns.source.saturating_sub(inside_from));
        for (index, target) in scratch[..rows * pitch].chunks_exact_mut(pitch).enumerate() {
            let row = top + index as isize;
            if row < 0 || row as usize >= self.rows.source {
                target.fill(0.0);
                continue;
            }
            let row = &source[row as usize * row_len..][..row_len];
            let (left, rest) = target.split_at_mut(before * channels);
            let (middle, right) = rest.split_at_mut(inside * channels);
            left.fill(0.0);
            if inside > 0 {
                middle.copy_from_slice(&row[inside_from * channels..][..inside * channels]);
            }
            right.fill(0.0);
        }
        let origin = scratch.as_ptr();
        Strip { origin, pitch }
    }
}
