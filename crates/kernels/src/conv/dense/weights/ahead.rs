//! Asking for what is fetched next while what was fetched is summed over.
//!
//! Fetching waits for memory and summing waits for arithmetic; one after the other they take the time
//! of both. So each tile asks for its share of what the next units are fetched from, pixel by pixel: all at once
//! it would wait for the lines itself.

use std::ops::Range;

use tensor::Layout;

use super::WeightsPlan;
use crate::conv::dense::cut::Block;
use crate::conv::dense::walk::Slice;

/// Elements of both maps together that are not to be found in a second-level cache.
const FAR_ELEMENTS: usize = 512 * 1024;

/// Two stretches of memory, shared out among tiles.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a> {
    source: &'a [f32],
    gradient: &'a [f32],
    tiles: usize,
    /// Pixels of a tile.
    pixels: usize,
}

/// What a tile asks for: for each of its pixels the line so many elements on.
#[derive(Clone, Copy)]
pub(in crate::conv) struct Ask {
    pub(super) from: *const f32,
    pub(super) step: usize,
}

impl Ask {
    /// The same line over and over: nothing to ask for.
    pub(in crate::conv) fn nothing(at: *const f32) -> Self {
        Self { from: at, step: 0 }
    }
}

impl<'a> Ahead<'a> {
    /// Nothing but the first element of a map, over and over: asking for an address that is no memory's would have it looked up
    /// every time.
    pub(super) fn nothing(map: &'a [f32]) -> Self {
        Self {
            source: &[],
            gradient: &map[..0],
            tiles: 1,
            pixels: 1,
        }
    }

    /// What some units, one after the other, are fetched from; asked for by so many tiles of so
    /// many pixels.
    pub(super) fn new(
        plan: &WeightsPlan,
        units: Range<usize>,
        x: &'a [f32],
        dy: &'a [f32],
        (tiles, pixels): (usize, usize),
    ) -> Self {
        let walk = &plan.walk;
        let far = x.len() + dy.len() >= FAR_ELEMENTS;
        // Channels first a unit's elements are strewn, and along a depth axis its rows are.
        if units.is_empty() || !far || walk.layout == Layout::Nchw || walk.slices.count > 1 {
            return Self::nothing(x);
        }
        let place = |unit: usize| {
            let (slice, block) = plan.unit(unit);
            let Slice { image, .. } = walk.slice(slice);
            (image, block)
        };
        let ((first_image, first), (last_image, last)) = (place(units.start), place(units.end - 1));
        let (_, area) = walk.target_areas();
        let pixel = |image: usize, row: usize, column: usize| {
            (image * area + row * walk.columns.count + column) * walk.target_channels
        };
        let gradient = pixel(first_image, first.rows.0, first.columns.0)
            ..pixel(last_image, last.rows.1 - 1, last.columns.1);
        // Where a span begins or ends: off the map, at its edge.
        let source = |image: usize, row: isize, column: isize| {
            let inside = |at: isize, len: usize| at.clamp(0, len as isize) as usize;
            let row = image * walk.rows.source + inside(row, walk.rows.source);
            let column = inside(column, walk.columns.source);
            (row * walk.columns.source + column) * walk.source_channels
        };
        let span = |block: &Block| {
            (
                walk.rows.span(block.rows.0, block.rows.1),
                walk.columns.span(block.columns.0, block.columns.1),
            )
        };
        let ((top, _), (left, _)) = span(&first);
        let ((bottom, height), (right, width)) = span(&last);
        let (bottom, right) = (bottom + height as isize - 1, right + width as isize);
        let source = source(first_image, top, left)..source(last_image, bottom, right);
        Self {
            source: x.get(source).unwrap_or_default(),
            gradient: dy.get(gradient).unwrap_or_default(),
            tiles,
            pixels: pixels.max(1),
        }
    }

    /// The share of a tile: the first ones ask for the source.
    pub(super) fn share(&self, tile: usize) -> Ask {
        let all = self.source.len() + self.gradient.len();
        let of_source = (self.tiles * self.source.len()).div_ceil(all.max(1));
        let (map, index, tiles) = match tile < of_source {
            true => (self.source, tile, of_source),
            false => (self.gradient, tile - of_source, self.tiles - of_source),
        };
        let share = map.len().div_ceil(tiles.max(1));
        Ask {
            from: map.as_ptr().wrapping_add(share * index),
            step: share.div_ceil(self.pixels),
        }
    }
}
