//! Feature maps cut into tiles, and what a tile reads of them.

use std::ops::Range;

use geometry::{ConvGeometry, Window};

use super::axis::Axis;
use super::points::{Line, MOST_INPUTS};
use crate::conv::{Direction, Refusal};
use crate::simd::Vector;

/// Elements of a map that is not to be found in any cache when it is read.
const FAR_ELEMENTS: usize = 2 * 1024 * 1024;
/// Elements of a page: where the rows of a tile lie on different ones, the processor does not foresee the next.
const PAGE_ELEMENTS: usize = 1024;

/// The maps of all images of a convolution, cut into tiles row by row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    batch: usize,
    pub(super) rows: Axis,
    pub(super) columns: Axis,
}

impl Grid {
    /// Tiles of `outputs` target elements along every axis with more than one tap.
    pub(super) fn new(
        geometry: &ConvGeometry,
        direction: Direction,
        outputs: usize,
    ) -> Result<Self, Refusal> {
        if geometry.groups != 1 {
            return Err(Refusal::Groups);
        }
        if geometry.windows[0] != Window::UNIT {
            return Err(Refusal::Depth);
        }
        if geometry.kernel_area() == 1 {
            return Err(Refusal::KernelSize);
        }
        let axis = |window| Axis::new(window, direction, outputs);
        Ok(Self {
            batch: geometry.batch,
            rows: axis(&geometry.windows[1])?,
            columns: axis(&geometry.windows[2])?,
        })
    }

    /// The transforms of both axes.
    pub(super) fn lines(&self) -> (&Line, &Line) {
        (&self.rows.line, &self.columns.line)
    }

    /// Points of a tile.
    pub(super) fn points(&self) -> usize {
        self.rows.line.inputs() * self.columns.line.inputs()
    }

    /// Tiles of all images.
    pub(super) fn tiles(&self) -> usize {
        self.batch * self.rows.tiles * self.columns.tiles
    }

    /// Target elements of all images.
    pub(super) fn targets(&self) -> usize {
        self.batch * self.rows.target * self.columns.target
    }

    /// Image, row and column of a tile.
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let (rows, columns) = (self.rows.tiles, self.columns.tiles);
        (
            tile / (rows * columns),
            tile / columns % rows,
            tile % columns,
        )
    }

    /// The source elements that a tile reads, of a map of so many channels.
    pub(super) fn source<'a>(&self, source: &'a [f32], channels: usize, tile: usize) -> Patch<'a> {
        let (image, row, column) = self.place(tile);
        let (rows, columns) = (&self.rows, &self.columns);
        let (inside_rows, inside_columns) = (rows.inside(row), columns.inside(column));
        let whole = inside_rows.len() == rows.line.inputs()
            && inside_columns.len() == columns.line.inputs();
        // Where the tile's first element is, or would be if the source went on.
        let first = (rows.source_of(row) + (image * rows.source) as isize)
            * columns.source as isize
            + columns.source_of(column);
        Patch {
            map: source,
            first: first * channels as isize,
            by_row: columns.source * rows.step * channels,
            by_column: columns.step * channels,
            channels,
            rows: inside_rows,
            columns: inside_columns,
            whole,
            height: rows.line.inputs(),
            ahead: ahead(&columns.line, columns.line.inputs()),
        }
    }

    /// The target elements of a tile, of a map of so many channels.
    pub(super) fn target<'a>(&self, target: &'a [f32], channels: usize, tile: usize) -> Patch<'a> {
        let (pixel, rows, columns) = self.target_of(tile);
        let whole = (rows, columns) == (self.rows.line.outputs, self.columns.line.outputs);
        Patch {
            map: target,
            first: (pixel * channels) as isize,
            by_row: self.by_row() * channels,
            by_column: self.columns.step * channels,
            channels,
            rows: 0..rows,
            columns: 0..columns,
            whole,
            height: self.rows.line.outputs,
            ahead: ahead(&self.columns.line, self.columns.line.outputs),
        }
    }

    /// Target pixels between the rows of a tile.
    pub(super) fn by_row(&self) -> usize {
        self.columns.target * self.rows.step
    }

    /// The first target pixel of a tile, and how many rows and columns of it lie on the target.
    pub(super) fn target_of(&self, tile: usize) -> (usize, usize, usize) {
        let (image, row, column) = self.place(tile);
        let (first_row, rows) = self.rows.targets_of(row);
        let (first_column, columns) = self.columns.targets_of(column);
        let pixel = (image * self.rows.target + first_row) * self.columns.target + first_column;
        (pixel, rows, columns)
    }
}

/// The columns that come next, of tiles of which each has `width`.
fn ahead(line: &Line, width: usize) -> Range<usize> {
    width..width + line.outputs
}

/// The elements of a map that belong to a tile, channels last.
pub(super) struct Patch<'a> {
    map: &'a [f32],
    /// Where the tile's first element is, or would be if the map went on.
    first: isize,
    /// Elements between the rows and between the columns of the tile.
    by_row: usize,
    by_column: usize,
    channels: usize,
    /// Rows and columns of the tile that lie on the map.
    rows: Range<usize>,
    columns: Range<usize>,
    /// All of them do.
    whole: bool,
    /// Rows of the tile.
    height: usize,
    /// Columns of the next tile that are not among its own.
    ahead: Range<usize>,
}

impl Patch<'_> {
    /// Calls `tile` for every vector of some channels, of which the first begins a vector, with its first
    /// channel. What it is called with gives the elements of the tile by row and column, zeros off the map
    /// and for channels past the last.
    ///
    /// # Safety
    /// `V`'s instructions exist, and the patch is one of the map's tiles.
    #[inline(always)]
    pub(super) unsafe fn each_vector<V: Vector>(&self, of: Range<usize>, mut each: impl Each<V>) {
        let channels = self.channels;
        let origin = self.map.as_ptr().wrapping_offset(self.first);
        let far = self.map.len() >= FAR_ELEMENTS && self.by_row >= PAGE_ELEMENTS;
        // Where whole vectors of a whole tile end.
        let end = match self.whole {
            true => (of.end / V::LANES * V::LANES).max(of.start),
            false => of.start,
        };
        for channel in (of.start..end).step_by(V::LANES) {
            let origin = origin.wrapping_add(channel);
            // SAFETY: the whole tile lies on the map.
            unsafe {
                if far {
                    self.ask_ahead::<V>(origin);
                }
                each.tile(
                    channel,
                    #[inline(always)]
                    |row, column| V::load(origin.add(row * self.by_row + column * self.by_column)),
                );
            }
        }
        if end == of.end {
            return;
        }
        // What lies on the map is copied into zeros.
        // SAFETY: the contract of this function.
        let zero = unsafe { V::zero() };
        let mut padded = [[zero; MOST_INPUTS]; MOST_INPUTS];
        for channel in (end..of.end).step_by(V::LANES) {
            let count = V::LANES.min(channels - channel);
            let origin = origin.wrapping_add(channel);
            // SAFETY: only elements on the map are read.
            unsafe {
                if far {
                    self.ask_ahead::<V>(origin);
                }
                for row in self.rows.clone() {
                    for column in self.columns.clone() {
                        let at = origin.wrapping_add(row * self.by_row + column * self.by_column);
                        padded[row][column] = match count == V::LANES {
                            true => V::load(at),
                            false => V::load_partial(at, count),
                        };
                    }
                }
                each.tile(
                    channel,
                    #[inline(always)]
                    |row, column| padded[row][column],
                );
            }
        }
    }

    /// Asks for what the next tile reads of these channels and this one does not.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    #[inline(always)]
    unsafe fn ask_ahead<V: Vector>(&self, origin: *const f32) {
        for row in 0..self.height {
            for column in self.ahead.clone() {
                let at = row * self.by_row + column * self.by_column;
                // SAFETY: a hint.
                unsafe { V::prefetch(origin.wrapping_add(at)) };
            }
        }
    }
}

/// What is done with the elements of a tile, for each vector of channels.
pub(super) trait Each<V> {
    /// # Safety
    /// As [`Patch::each_vector`].
    unsafe fn tile(&mut self, channel: usize, read: impl Fn(usize, usize) -> V);
}
