//! Feature maps cut into tiles, and what a tile reads of them.

use std::mem::MaybeUninit;
use std::ops::Range;

use geometry::{ConvGeometry, Window};

use super::axis::Axis;
use super::points::{Line, MOST_INPUTS};
use crate::conv::{Direction, Refusal};
use crate::simd::Vector;

/// Elements of a map that is not to be found in a near cache when it is read.
const FAR_ELEMENTS: usize = 256 * 1024;
/// Elements of a row from which on the processor does not foresee the next tile: its rows are short stretches that lie apart.
const APART_ELEMENTS: usize = 256;
/// How many tiles before it is read a tile is asked for.
const TILES_AHEAD: usize = 2;

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
    #[inline]
    fn place(&self, tile: usize) -> [usize; 3] {
        let (rows, columns) = (self.rows.tiles, self.columns.tiles);
        [
            tile / (rows * columns),
            tile / columns % rows,
            tile % columns,
        ]
    }

    /// The source elements that a tile reads, of a map of so many channels.
    #[inline]
    pub(super) fn source<'a>(&self, source: &'a [f32], channels: usize, tile: usize) -> Patch<'a> {
        let [image, row, column] = self.place(tile);
        let (rows, columns) = (&self.rows, &self.columns);
        // Where a tile's first element is, or would be if the source went on.
        let first = |[image, row, column]: [usize; 3]| {
            let row = rows.source_of(row) + (image * rows.source) as isize;
            (row * columns.source as isize + columns.source_of(column)) * channels as isize
        };
        Patch {
            map: source,
            first: first([image, row, column]),
            by_row: columns.source * rows.step * channels,
            by_column: columns.step * channels,
            channels,
            rows: rows.inside(row),
            columns: columns.inside(column),
            size: [rows.line.inputs(), columns.line.inputs()],
            later: self.later(tile, columns.line.inputs(), first),
        }
    }

    /// The target elements of a tile, of a map of so many channels.
    #[inline]
    pub(super) fn target<'a>(&self, target: &'a [f32], channels: usize, tile: usize) -> Patch<'a> {
        let (pixel, rows, columns) = self.target_of(tile);
        let first = |place| (self.pixel_of(place) * channels) as isize;
        let line = &self.columns.line;
        Patch {
            map: target,
            first: (pixel * channels) as isize,
            by_row: self.by_row() * channels,
            by_column: self.columns.step * channels,
            channels,
            rows: 0..rows,
            columns: 0..columns,
            size: [self.rows.line.outputs, line.outputs],
            later: self.later(tile, line.outputs, first),
        }
    }

    /// What a later tile reads and the one before it does not, of tiles of which each has `width` columns. Where a dilated axis turns
    /// to its next phase the first columns are left out, too.
    #[inline]
    fn later(&self, tile: usize, width: usize, first: impl Fn([usize; 3]) -> isize) -> Later {
        let place = self.place(tile + TILES_AHEAD);
        let shared = match place[2] {
            0 => 0,
            _ => width - self.columns.line.outputs,
        };
        Later {
            first: first(place),
            columns: shared..width,
        }
    }

    /// Target pixels between the rows of a tile.
    pub(super) fn by_row(&self) -> usize {
        self.columns.target * self.rows.step
    }

    /// The first target pixel of a tile, and how many rows and columns of it lie on the target.
    #[inline]
    pub(super) fn target_of(&self, tile: usize) -> (usize, usize, usize) {
        let place = self.place(tile);
        let [_, row, column] = place;
        let (rows, columns) = (self.rows.targets_of(row), self.columns.targets_of(column));
        (self.pixel_of(place), rows, columns)
    }

    /// The first target pixel of the tile at a place.
    #[inline]
    fn pixel_of(&self, [image, row, column]: [usize; 3]) -> usize {
        let row = image * self.rows.target + self.rows.first_of(row);
        row * self.columns.target + self.columns.first_of(column)
    }
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
    /// Rows and columns of the tile.
    size: [usize; 2],
    later: Later,
}

/// A tile that comes later: where its first element is, and the columns that it reads first of all.
struct Later {
    first: isize,
    columns: Range<usize>,
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
        let far = self.map.len() >= FAR_ELEMENTS && self.by_row >= APART_ELEMENTS;
        // Where whole vectors of a whole tile end.
        let whole = [self.rows.len(), self.columns.len()] == self.size;
        let end = match whole {
            true => (of.end / V::LANES * V::LANES).max(of.start),
            false => of.start,
        };
        for channel in (of.start..end).step_by(V::LANES) {
            let origin = origin.wrapping_add(channel);
            // SAFETY: the whole tile lies on the map.
            unsafe {
                if far {
                    self.ask_ahead::<V>(channel);
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
        // What lies on the map is copied, and what does not is zero.
        // SAFETY: the contract of this function.
        let zero = unsafe { V::zero() };
        let mut padded = [[MaybeUninit::uninit(); MOST_INPUTS]; MOST_INPUTS];
        for channel in (end..of.end).step_by(V::LANES) {
            let count = V::LANES.min(channels - channel);
            let origin = origin.wrapping_add(channel);
            // SAFETY: only elements on the map are read; all of the tile are set.
            unsafe {
                if far {
                    self.ask_ahead::<V>(channel);
                }
                for (row, line) in padded.iter_mut().enumerate().take(self.size[0]) {
                    for (column, value) in line.iter_mut().enumerate().take(self.size[1]) {
                        let at = origin.wrapping_add(row * self.by_row + column * self.by_column);
                        let inside = self.rows.contains(&row) && self.columns.contains(&column);
                        value.write(match (inside, count == V::LANES) {
                            (true, true) => V::load(at),
                            (true, false) => V::load_partial(at, count),
                            (false, _) => zero,
                        });
                    }
                }
                each.tile(
                    channel,
                    #[inline(always)]
                    |row, column| padded[row][column].assume_init(),
                );
            }
        }
    }

    /// Asks for what a later tile reads, of the vector of channels from this one on.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    #[inline(always)]
    unsafe fn ask_ahead<V: Vector>(&self, channel: usize) {
        let origin = self.map.as_ptr().wrapping_offset(self.later.first);
        let origin = origin.wrapping_add(channel);
        for row in 0..self.size[0] {
            for column in self.later.columns.clone() {
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
