//! Copying between two tensors that lie differently in memory.

use std::cmp::Reverse;

use geometry::MAX_AXES;

use crate::Context;
use crate::blocks::{for_blocks, for_rows};
use crate::nest::{Loop, Nest};
use crate::shared::Shared;
use crate::vectorise::vectorised;

/// Side of the square tiles that a transposition goes through: a tile's reads and writes fill whole
/// cache lines of four-byte elements twice over.
const SIDE: usize = 8;
/// Rows and columns of a transposition that a task takes together.
const BAND: (usize, usize) = (64, 512);

/// Copies `from` to `to` in nested loops whose steps are (of `from`, of `to`); both start at the
/// offsets given. No two rounds of the loops may write the same element.
///
/// # Panics
/// When a loop leads out of a slice.
pub(super) fn copy<T: Copy + Send + Sync>(
    context: &Context,
    loops: impl IntoIterator<Item = Loop<2>>,
    (from, from_start): (&[T], usize),
    (to, to_start): (&mut [T], usize),
) {
    // Whole cache lines are to be written: the result decides the order of the loops.
    let mut sorted = [Loop {
        extent: 1,
        steps: [0; 2],
    }; MAX_AXES];
    for (place, l) in sorted.iter_mut().zip(loops) {
        *place = l;
    }
    sorted.sort_unstable_by_key(|l| Reverse(l.steps[1].unsigned_abs()));
    let nest = Nest::new(sorted);
    if nest.len() == 0 {
        return;
    }
    for (what, which, start, len) in [
        ("from", 0, from_start, from.len()),
        ("to", 1, to_start, to.len()),
    ] {
        let (first, last) = nest.reach(which);
        let start = start as isize;
        assert!(
            start + first >= 0 && start + last < len as isize,
            "copy: `{what}` of {len} elements is left"
        );
    }
    let ends = Ends {
        from,
        from_start,
        to: Shared::new(to),
        to_start,
    };
    let unit = |l: &Loop<2>| l.steps[0] == 1;
    let inner = nest.inner();
    match (inner.steps, nest.loops().iter().position(unit)) {
        ([1, 1], _) => ends.runs(context, &nest),
        ([_, 1], Some(row)) => ends.transpose(context, &nest, row),
        _ => ends.elements(context, &nest),
    }
}

/// Both ends of a copy, whose bounds were checked.
struct Ends<'a, T> {
    from: &'a [T],
    from_start: usize,
    to: Shared<'a, T>,
    to_start: usize,
}

impl<T: Copy + Send + Sync> Ends<'_, T> {
    /// Where a round that stands at (`read`, `write`) reads and writes.
    ///
    /// # Safety
    /// The round is one of the nest's.
    #[inline(always)]
    unsafe fn at(&self, read: isize, write: isize) -> (*const T, *mut T) {
        // SAFETY: passed on to the caller; every round of the nest stays within both slices.
        unsafe {
            (
                self.from.as_ptr().add(self.from_start).offset(read),
                self.to.as_mut_ptr().add(self.to_start).offset(write),
            )
        }
    }

    /// Runs that are contiguous on both sides.
    fn runs(&self, context: &Context, nest: &Nest<2>) {
        for_blocks(context.team, nest.len(), |rounds| {
            nest.for_each_run(rounds, |[read, write], len| {
                let start = (self.from_start as isize + read) as usize;
                let from = &self.from[start..start + len];
                let start = (self.to_start as isize + write) as usize;
                // SAFETY: only this round writes here.
                let to = unsafe { self.to.slice(start, len) };
                // A call to copy a few elements would cost more than the copy.
                if len < 16 {
                    for (to, from) in to.iter_mut().zip(from) {
                        *to = *from;
                    }
                } else {
                    to.copy_from_slice(from);
                }
            });
        });
    }

    /// Element by element.
    fn elements(&self, context: &Context, nest: &Nest<2>) {
        let [read_step, write_step] = nest.inner().steps;
        for_blocks(context.team, nest.len(), |rounds| {
            nest.for_each_run(rounds, |[read, write], len| {
                // SAFETY: within the slices, and only this round writes here.
                unsafe {
                    let (from, to) = self.at(read, write);
                    for i in 0..len as isize {
                        *to.offset(i * write_step) = *from.offset(i * read_step);
                    }
                }
            });
        });
    }

    /// The innermost loop is contiguous in `to`, loop `row` in `from`: planes of these two loops are
    /// transposed tile by tile.
    fn transpose(&self, context: &Context, nest: &Nest<2>, row: usize) {
        let (rows, columns) = (nest.loops()[row], nest.inner());
        let others = nest.loops().iter().enumerate();
        let others = others.filter(|&(i, _)| i != row && i + 1 != nest.loops().len());
        let planes = Nest::new(others.map(|(_, l)| *l));
        let (row_band, column_band) = (BAND.0.min(rows.extent), BAND.1.min(columns.extent));
        let row_bands = rows.extent.div_ceil(row_band);
        let column_bands = columns.extent.div_ceil(column_band);
        for_rows(
            context.team,
            planes.len() * row_bands * column_bands,
            row_band * column_band,
            |tasks| {
                for task in tasks {
                    let [read, write] = planes.place(task / (row_bands * column_bands));
                    let first_row = task / column_bands % row_bands * row_band;
                    let first_column = task % column_bands * column_band;
                    let band = Band {
                        rows: row_band.min(rows.extent - first_row),
                        columns: column_band.min(columns.extent - first_column),
                        read_step: columns.steps[0],
                        write_step: rows.steps[1],
                    };
                    let (first_row, first_column) = (first_row as isize, first_column as isize);
                    let read = read + first_row + first_column * band.read_step;
                    let write = write + first_row * band.write_step + first_column;
                    // SAFETY: the band lies within both slices, and only this task writes it.
                    unsafe {
                        let (from, to) = self.at(read, write);
                        vectorised(
                            context.isa,
                            #[inline(always)]
                            || band.turn(from, to),
                        );
                    }
                }
            },
        );
    }
}

/// A part of a plane to be transposed: a step of 1 along its rows in `from` and along its columns in
/// `to`.
struct Band {
    rows: usize,
    columns: usize,
    read_step: isize,
    write_step: isize,
}

impl Band {
    /// # Safety
    /// Both pointers are valid for the whole band.
    #[inline(always)]
    unsafe fn turn<T: Copy>(&self, from: *const T, to: *mut T) {
        for row in (0..self.rows).step_by(SIDE) {
            for column in (0..self.columns).step_by(SIDE) {
                let (rows, columns) = (self.rows - row, self.columns - column);
                let (row, column) = (row as isize, column as isize);
                // SAFETY: the tile lies within the band.
                unsafe {
                    let from = from.offset(row + column * self.read_step);
                    let to = to.offset(row * self.write_step + column);
                    // The same call twice: in the first the compiler knows the size.
                    if rows >= SIDE && columns >= SIDE {
                        self.tile(from, to, SIDE, SIDE);
                    } else {
                        self.tile(from, to, rows.min(SIDE), columns.min(SIDE));
                    }
                }
            }
        }
    }

    /// # Safety
    /// Both pointers are valid for the tile.
    #[inline(always)]
    unsafe fn tile<T: Copy>(&self, from: *const T, to: *mut T, rows: usize, columns: usize) {
        for row in 0..rows as isize {
            for column in 0..columns as isize {
                // SAFETY: passed on to the caller.
                unsafe {
                    *to.offset(row * self.write_step + column) =
                        *from.offset(row + column * self.read_step);
                }
            }
        }
    }
}
