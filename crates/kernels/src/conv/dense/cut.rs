//! How the positions of a slice are cut into blocks, and how what the sums of a block read is fetched.

use std::ops::Range;

use tensor::Layout;

use super::columns::{Columns, LINE, evicts};
use super::walk::{Segment, Slice, Walk, stretches};
use crate::share::share;
use crate::simd::{Vector, turn};

/// What the sums of a block are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::conv) enum Fetch {
    /// A strip of source rows. Each pixel's sum runs over a few stretches of it.
    Strips,
    /// A matrix of columns made from the strip: each pixel's sum runs over a row of its own, which
    /// holds what every tap reads.
    Columns,
}

/// A slice cut into blocks: strips of whole rows, or pieces of single rows.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// Rows of a whole block.
    rows: usize,
    /// Columns of a whole block.
    columns: usize,
    /// Blocks side by side.
    across: usize,
    /// Blocks of a slice.
    pub(super) blocks: usize,
    /// Pixels of a whole block.
    pub(super) pixels: usize,
    /// Elements between the pixels of a strip, and between its rows.
    pixel: usize,
    pitch: usize,
    /// Scratch elements for the source rows of a block; 0 when they are read in place.
    strip_len: usize,
    in_place: bool,
    matrix: Option<Columns>,
}

/// The positions of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// First row and the one past the last.
    pub(super) rows: (usize, usize),
    /// First column and the one past the last.
    pub(super) columns: (usize, usize),
}

impl Block {
    pub(super) fn height(&self) -> usize {
        self.rows.1 - self.rows.0
    }

    pub(super) fn width(&self) -> usize {
        self.columns.1 - self.columns.0
    }

    pub(super) fn pixels(&self) -> usize {
        self.height() * self.width()
    }
}

/// What strips are counted in, and the pixels of one: rows, or pixels where there is a single row.
pub(super) fn units(walk: &Walk) -> (usize, usize) {
    match walk.rows.count {
        1 => (walk.columns.count, 1),
        rows => (rows, walk.columns.count),
    }
}

/// Most elements of the source between the first and the last that a strip reads, unless a single
/// unit reaches farther.
const STRIP_REACH: u128 = 1 << 20;

/// Elements from the first to the last source element that so many rows of positions read, row by
/// row, all columns and channels of each.
fn reach(walk: &Walk, rows: usize) -> u128 {
    let rows = walk.rows.span(0, rows).1 as u128;
    rows * walk.columns.span(0, walk.columns.count).1 as u128 * walk.source_channels as u128
}

/// Rows of positions that reach no farther than `elements`.
fn rows_within(walk: &Walk, elements: u128) -> usize {
    if walk.rows.count == 0 || walk.columns.count == 0 {
        return 1;
    }
    let (first, height) = (reach(walk, 1), walk.rows.span(0, 1).1 as u128);
    let step = first / height.max(1) * walk.rows.source_step as u128;
    let more = elements.saturating_sub(first) / step.max(1);
    usize::try_from(more).map_or(usize::MAX, |more| more.saturating_add(1))
}

/// The same in [`units`].
fn units_within(walk: &Walk, elements: u128) -> usize {
    if walk.rows.count != 1 {
        return rows_within(walk, elements);
    }
    let step = walk.columns.source_step as u128 * walk.source_channels as u128;
    let step = step * walk.rows.span(0, 1).1 as u128;
    usize::try_from(elements / step.max(1)).unwrap_or(usize::MAX)
}

/// Whether what a row of positions reads can be fetched as a whole: it reaches not much farther than
/// the source is large. Strides and padding can be a billion times the size of the map.
pub(in crate::conv) fn fits(walk: &Walk) -> bool {
    if walk.rows.count == 0 || walk.columns.count == 0 {
        return true;
    }
    let axes = [&walk.slices, &walk.rows, &walk.columns].map(|axis| axis.source as u128);
    let image = axes.into_iter().product::<u128>() * walk.source_channels as u128;
    reach(walk, 1) <= (16 * STRIP_REACH).max(4 * image)
}

/// In what form blocks of pixels are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Strips of source rows, where they lie if nothing lies outside.
    Strip,
    /// Copies of strips, a cache line between the pixels.
    Apart,
    /// Matrices of columns made of strips.
    Matrix,
}

/// Whether the rows of a slice can be read where they lie.
fn reads_in_place(walk: &Walk) -> bool {
    walk.stays_inside && walk.layout == Layout::Nhwc
}

impl Cut {
    /// Cuts into strips of `strip` units, to be read as they are; of fewer where they would reach over
    /// more of the source than [`STRIP_REACH`].
    pub(super) fn strips(walk: &Walk, strip: usize) -> Self {
        Self::of_units(walk, strip, Form::Strip)
    }

    /// The same, but pixels that evict each other from the nearest cache are copied apart, which costs less. The few of
    /// its source that a pointwise convolution reads become rows of a matrix.
    pub(super) fn strips_apart(walk: &Walk, strip: usize) -> Self {
        let step = walk.columns.source_step * walk.source_channels;
        let form = match evicts(step) {
            false => Form::Strip,
            true if reads_in_place(walk) && walk.taps() == 1 => Form::Matrix,
            true => Form::Apart,
        };
        Self::of_units(walk, strip, form)
    }

    fn of_units(walk: &Walk, strip: usize, form: Form) -> Self {
        let (units, _) = units(walk);
        let strip = strip
            .min(units_within(walk, STRIP_REACH))
            .clamp(1, units.max(1));
        match walk.rows.count {
            1 => Self::new(walk, (1, strip), form),
            _ => Self::new(walk, (strip, walk.columns.count), form),
        }
    }

    /// Cuts into blocks of about `pixels`, to be made matrices of columns. Under a single tap the
    /// strip is that matrix.
    pub(super) fn columns(walk: &Walk, pixels: usize) -> Self {
        let (height, width) = (walk.rows.count, walk.columns.count);
        let pixels = pixels.max(1);
        let block = if pixels < width {
            (1, width.div_ceil(width.div_ceil(pixels)))
        } else {
            let rows = (pixels / width.max(1)).min(rows_within(walk, STRIP_REACH));
            (rows.clamp(1, height), width)
        };
        let form = match walk.taps() {
            0 | 1 => Form::Strip,
            _ => Form::Matrix,
        };
        Self::new(walk, block, form)
    }

    fn new(walk: &Walk, (rows, columns): (usize, usize), form: Form) -> Self {
        let in_place = reads_in_place(walk)
            && match form {
                Form::Strip => walk.slices.stays_inside(),
                Form::Apart => false,
                Form::Matrix => true,
            };
        let pixel = match form {
            Form::Apart => walk.source_channels + LINE,
            Form::Strip | Form::Matrix => walk.source_channels,
        };
        let (source_rows, source_columns) = if walk.rows.count * walk.columns.count == 0 {
            (0, 0)
        } else {
            (walk.rows.span(0, rows).1, walk.columns.span(0, columns).1)
        };
        let pitch_columns = if in_place {
            walk.columns.source
        } else {
            source_columns
        };
        let pitch = pitch_columns * pixel;
        let across = walk.columns.count.div_ceil(columns.max(1));
        Self {
            rows,
            columns,
            across,
            blocks: walk.rows.count.div_ceil(rows) * across,
            pixels: rows * columns,
            pixel,
            pitch,
            strip_len: if in_place { 0 } else { source_rows * pitch },
            in_place,
            matrix: (form == Form::Matrix).then(|| Columns::new(walk, pitch)),
        }
    }

    /// Whether blocks are read where they lie.
    pub(super) fn is_in_place(&self) -> bool {
        self.in_place && self.matrix.is_none()
    }

    /// The positions of block `index`. Its pixels follow each other without a gap in the slice. All blocks of rows have as
    /// many as whole numbers allow: a last one with few would be less work for whoever gets it.
    pub(super) fn block(&self, walk: &Walk, index: usize) -> Block {
        let (down, at) = (index / self.across, index % self.across);
        let rows = share(walk.rows.count, down, self.blocks / self.across);
        let (first, last) = (at * self.columns, (at + 1) * self.columns);
        Block {
            rows: (rows.start, rows.end),
            columns: (first, last.min(walk.columns.count)),
        }
    }

    /// A cache line lies between pixels that are neighbours in the source.
    pub(super) fn is_apart(&self, walk: &Walk) -> bool {
        self.pixel > walk.source_channels
    }

    /// Blocks are made matrices of columns.
    pub(super) fn is_matrix(&self) -> bool {
        self.matrix.is_some()
    }

    /// Rows and columns of a whole block.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Elements between neighbouring rows and neighbouring pixels of what a block reads.
    pub(super) fn steps(&self) -> (usize, usize) {
        match &self.matrix {
            Some(matrix) => (self.columns * matrix.row, matrix.row),
            None => (self.pitch, self.pixel),
        }
    }

    /// Elements from what a pixel reads to what the pixel below it reads.
    pub(super) fn by_row(&self, walk: &Walk) -> usize {
        let step = match &self.matrix {
            Some(_) => 1,
            None => walk.rows.source_step,
        };
        step * self.steps().0
    }

    /// Elements from what a pixel reads to what the pixel beside it reads.
    pub(super) fn by_column(&self, walk: &Walk) -> usize {
        let step = match &self.matrix {
            Some(_) => 1,
            None => walk.columns.source_step,
        };
        step * self.steps().1
    }

    /// The stretches that a pixel's sum runs over, from the first element it reads of its group.
    pub(super) fn segments(&self, walk: &Walk) -> Vec<Segment> {
        let channels = walk.source_channels_per_group();
        match &self.matrix {
            Some(_) => stretches(
                (0..walk.taps()).map(|tap| tap * walk.source_channels),
                channels,
            ),
            None => walk.segments((self.pitch, self.pixel), channels),
        }
    }

    /// Scratch elements of a worker: a strip, and the matrix made of it.
    pub(super) fn scratch_len(&self) -> usize {
        self.matrix_len() + self.strip_len.next_multiple_of(16)
    }

    /// In whole cache lines.
    fn matrix_len(&self) -> usize {
        let row = self.matrix.as_ref().map_or(0, |matrix| matrix.row);
        (self.pixels * row).next_multiple_of(16)
    }

    /// What a block of positions of slice `index` reads, channels last, with zeros for what lies
    /// outside the source. Gives the element, first channel, under the first tap of the block's first
    /// position.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    ///
    /// # Panics
    /// When `source` is shorter than the walk's source or `scratch` than [`Cut::scratch_len`].
    #[inline(always)]
    pub(super) unsafe fn source<V: Vector>(
        &self,
        walk: &Walk,
        source: &[f32],
        index: usize,
        block: Block,
        scratch: &mut [f32],
    ) -> *const f32 {
        let Slice { image, position } = walk.slice(index);
        let source = walk.image(source, image);
        let (columns, strip) = scratch.split_at_mut(self.matrix_len());
        let slice = |tap| walk.slices.source_of(position, tap);
        let Some(matrix) = &self.matrix else {
            let slice = slice(&walk.slices.taps[0]);
            // SAFETY: V's instructions exist.
            return unsafe { self.strip::<V>(walk, source, slice, block, strip) };
        };
        for (tap, slice) in walk.slices.taps.iter().map(slice).enumerate() {
            let columns = &mut columns[..block.pixels() * matrix.row];
            if slice.is_none() {
                matrix.clear(tap, columns);
                continue;
            }
            let steps = (
                walk.rows.source_step * self.pitch,
                walk.columns.source_step * walk.source_channels,
            );
            // SAFETY: V's instructions exist; the strip holds what the taps of the slice read.
            unsafe {
                let from = self.strip::<V>(walk, source, slice, block, strip);
                matrix.copy::<V>(tap, from, steps, block.width(), columns);
            }
        }
        columns.as_ptr()
    }

    /// What [`Cut::source`] gives, of a single row of the strip and some channels: in place, or copied to `scratch`. For cuts
    /// that make no matrix, of walks with one tap a slice.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    ///
    /// # Panics
    /// When `source` is shorter than the walk's source or `scratch` than [`Cut::row_len`].
    #[inline(always)]
    pub(super) unsafe fn row<V: Vector>(
        &self,
        walk: &Walk,
        source: &[f32],
        index: usize,
        (block, row): (Block, usize),
        channels: Range<usize>,
        scratch: &mut [f32],
    ) -> *const f32 {
        let Slice { image, position } = walk.slice(index);
        let source = walk.image(source, image);
        let slice = walk.slices.source_of(position, &walk.slices.taps[0]);
        if self.in_place {
            let start = self.start_in_place(walk, source, slice, block);
            return start.wrapping_add(row * self.pitch);
        }
        let row = walk.rows.span(block.rows.0, block.rows.1).0 + row as isize;
        let target = &mut scratch[..self.pitch];
        // SAFETY: V's instructions exist.
        unsafe { self.copy_row::<V>(walk, source, slice, (block, row), channels, target) };
        target.as_ptr()
    }

    /// Elements of a row of a strip, in whole cache lines; 0 where rows are read in place.
    pub(super) fn row_len(&self) -> usize {
        match self.in_place {
            true => 0,
            false => self.pitch.next_multiple_of(16),
        }
    }

    /// Where [`Cut::source`] has left what a block reads: in the same `scratch`, or where it was.
    pub(super) fn fetched(
        &self,
        walk: &Walk,
        source: &[f32],
        index: usize,
        block: Block,
        scratch: &[f32],
    ) -> *const f32 {
        if !self.is_in_place() {
            return scratch.as_ptr();
        }
        let Slice { image, position } = walk.slice(index);
        let slice = walk.slices.source_of(position, &walk.slices.taps[0]);
        self.start_in_place(walk, walk.image(source, image), slice, block)
    }

    /// The first element that a block reads of a slice of an image, all of which lies inside.
    fn start_in_place(
        &self,
        walk: &Walk,
        image: &[f32],
        slice: Option<usize>,
        block: Block,
    ) -> *const f32 {
        let width = walk.columns.source;
        let first = slice.unwrap_or(0) * walk.rows.source * width;
        let (top, _) = walk.rows.span(block.rows.0, block.rows.1);
        let (left, _) = walk.columns.span(block.columns.0, block.columns.1);
        let pixel = first + top as usize * width + left as usize;
        image[pixel * walk.source_channels..].as_ptr()
    }

    /// The source rows that a block of positions reads of one slice of an image, in place where
    /// nothing lies outside, otherwise copied to `scratch`.
    ///
    /// The copy costs one pass over the strip, small beside the sums that read every element of it
    /// `taps × target channels` times, and frees the inner loops of every case distinction, that of
    /// the layout among them.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    #[inline(always)]
    unsafe fn strip<V: Vector>(
        &self,
        walk: &Walk,
        source: &[f32],
        slice: Option<usize>,
        block: Block,
        scratch: &mut [f32],
    ) -> *const f32 {
        if self.in_place {
            return self.start_in_place(walk, source, slice, block);
        }
        let (top, rows) = walk.rows.span(block.rows.0, block.rows.1);
        for (index, target) in scratch[..rows * self.pitch]
            .chunks_exact_mut(self.pitch)
            .enumerate()
        {
            let row = (block, top + index as isize);
            let channels = 0..walk.source_channels;
            // SAFETY: V's instructions exist.
            unsafe { self.copy_row::<V>(walk, source, slice, row, channels, target) };
        }
        scratch.as_ptr()
    }

    /// Some channels of what a block reads of a row of the source, zeros where it lies outside.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    #[inline(always)]
    unsafe fn copy_row<V: Vector>(
        &self,
        walk: &Walk,
        source: &[f32],
        slice: Option<usize>,
        (block, row): (Block, isize),
        some: Range<usize>,
        target: &mut [f32],
    ) {
        let channels = walk.source_channels;
        let width = walk.columns.source;
        let slice_area = walk.rows.source * width;
        let area = walk.slices.source * slice_area;
        let (left, columns) = walk.columns.span(block.columns.0, block.columns.1);
        let before = left.min(0).unsigned_abs().min(columns);
        let from = left.max(0) as usize;
        let inside = (columns - before).min(width.saturating_sub(from));
        let Some(slice) = slice.filter(|_| row >= 0 && (row as usize) < walk.rows.source) else {
            target.fill(0.0);
            return;
        };
        let row = slice * slice_area + row as usize * width + from;
        let (zeros, rest) = target.split_at_mut(before * self.pixel);
        let (pixels, more_zeros) = rest.split_at_mut(inside * self.pixel);
        zeros.fill(0.0);
        more_zeros.fill(0.0);
        match walk.layout {
            _ if inside == 0 => {}
            Layout::Nhwc => {
                let row = &source[row * channels..][..inside * channels];
                if self.pixel == channels && some.len() == channels {
                    pixels.copy_from_slice(row);
                    return;
                }
                let apart = pixels.chunks_exact_mut(self.pixel);
                for (pixel, to) in row.chunks_exact(channels).zip(apart) {
                    to[some.clone()].copy_from_slice(&pixel[some.clone()]);
                }
            }
            // SAFETY: `inside` pixels of this row of every plane, into as many of the strip.
            Layout::Nchw => unsafe {
                let planes = source[some.start * area + row..].as_ptr();
                let (size, to) = ((some.len(), inside), pixels[some.start..].as_mut_ptr());
                turn::<V>(planes, area, size, to, self.pixel);
            },
        }
    }
}
