//! The transforms of inputs and outputs, a line of vectors at a time.
//!
//! A line is the inputs or products of one axis of a tile, each a vector of channels. A tile is
//! transformed column by column into a small [`Buffer`] and row by row out of it. Where vectors come
//! from and go to is the caller's: the loops here hold nothing but arithmetic, and its constants stay
//! in registers from line to line.
//!
//! All is inlined by force, closures among it: one that is called instead would be compiled for the
//! baseline's instructions.

use std::mem::MaybeUninit;

use super::points::{Line, MOST_INPUTS, MOST_PAIRS};
use crate::simd::Vector;

/// A tile half transformed: its vectors by row and column, in the first-level cache.
struct Buffer<V>([[MaybeUninit<V>; MOST_INPUTS]; MOST_INPUTS]);

impl<V: Vector> Buffer<V> {
    #[inline(always)]
    fn new() -> Self {
        Self([[MaybeUninit::uninit(); MOST_INPUTS]; MOST_INPUTS])
    }

    #[inline(always)]
    fn set(&mut self, row: usize, column: usize, value: V) {
        self.0[row][column].write(value);
    }

    /// # Safety
    /// The vector has been set.
    #[inline(always)]
    unsafe fn get(&self, row: usize, column: usize) -> V {
        // SAFETY: the contract of this function.
        unsafe { self.0[row][column].assume_init() }
    }
}

/// `Bᵀ d B` of a tile: `read(row, column)` gives the inputs, `write(row, column, value)` gets their values
/// at the points.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
pub(super) unsafe fn to_points<V: Vector>(
    (rows, columns): (&Line, &Line),
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of this function; columns set what rows get.
    unsafe {
        if rows.pairs == 0 {
            return inputs(
                columns,
                1,
                #[inline(always)]
                |_, column| read(0, column),
                #[inline(always)]
                |_, column, value| write(0, column, value),
            );
        }
        if columns.pairs == 0 {
            return inputs(
                rows,
                1,
                #[inline(always)]
                |_, row| read(row, 0),
                #[inline(always)]
                |_, row, value| write(row, 0, value),
            );
        }
        let mut half = Buffer::new();
        inputs(
            rows,
            columns.inputs(),
            #[inline(always)]
            |column, row| read(row, column),
            #[inline(always)]
            |column, row, value| half.set(row, column, value),
        );
        inputs(
            columns,
            rows.inputs(),
            #[inline(always)]
            |row, column| half.get(row, column),
            write,
        );
    }
}

/// `Aᵀ m A` of a tile: `read(row, column)` gives the products at the points, `write(row, column, value)`
/// gets the outputs of the first `used` rows.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
pub(super) unsafe fn from_points<V: Vector>(
    (rows, columns): (&Line, &Line),
    used: usize,
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of this function; columns set what rows get.
    unsafe {
        if rows.pairs == 0 {
            return outputs(
                columns,
                1,
                #[inline(always)]
                |_, column| read(0, column),
                #[inline(always)]
                |_, column, value| write(0, column, value),
            );
        }
        if columns.pairs == 0 {
            return outputs(
                rows,
                1,
                #[inline(always)]
                |_, row| read(row, 0),
                #[inline(always)]
                |_, row, value| {
                    if row < used {
                        write(row, 0, value);
                    }
                },
            );
        }
        let mut half = Buffer::new();
        outputs(
            rows,
            columns.inputs(),
            #[inline(always)]
            |column, row| read(row, column),
            #[inline(always)]
            |column, row, value| half.set(row, column, value),
        );
        outputs(
            columns,
            used,
            #[inline(always)]
            |row, column| half.get(row, column),
            write,
        );
    }
}

/// `Bᵀ` of some lines: `read(line, input)` gives what `write(line, point, value)` gets the values of.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
unsafe fn inputs<V: Vector>(
    line: &Line,
    lines: usize,
    read: impl Fn(usize, usize) -> V,
    write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of this function.
    unsafe {
        match line.pairs {
            1 => each_input::<V, 1, 4>(line, lines, read, write),
            2 => each_input::<V, 2, 6>(line, lines, read, write),
            _ => each_input::<V, MOST_PAIRS, MOST_INPUTS>(line, lines, read, write),
        }
    }
}

#[inline(always)]
unsafe fn each_input<V: Vector, const PAIRS: usize, const INPUTS: usize>(
    line: &Line,
    lines: usize,
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    let last = INPUTS - 1;
    // SAFETY: the contract of `inputs`.
    unsafe {
        for index in 0..lines {
            let mut d = [V::zero(); INPUTS];
            for (k, d) in d.iter_mut().enumerate() {
                *d = read(index, k);
            }
            let (mut zero, mut infinity) = (d[last - 1], d[last]);
            for k in 0..PAIRS {
                let factor = V::splat(line.all[k]);
                zero = d[2 * k].mul_add(factor, zero);
                infinity = d[2 * k + 1].mul_add(factor, infinity);
            }
            write(index, 0, zero);
            write(index, last, infinity);
            for pair in 0..PAIRS {
                let (mut even, mut odd) = (d[last - 1], d[last - 2]);
                for k in 0..PAIRS - 1 {
                    let factor = V::splat(line.others[pair][k]);
                    even = d[2 * k + 2].mul_add(factor, even);
                    odd = d[2 * k + 1].mul_add(factor, odd);
                }
                let point = line.powers[pair][1];
                write(index, 2 * pair + 1, odd.mul_add(V::splat(point), even));
                write(index, 2 * pair + 2, odd.mul_add(V::splat(-point), even));
            }
        }
    }
}

/// `Aᵀ` of some lines: `read(line, point)` gives what `write(line, output, value)` gets the sums of.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
unsafe fn outputs<V: Vector>(
    line: &Line,
    lines: usize,
    read: impl Fn(usize, usize) -> V,
    write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of this function.
    unsafe {
        match (line.pairs, line.outputs) {
            (1, _) => each_output::<V, 1, 2>(line, lines, read, write),
            (2, 2) => each_output::<V, 2, 2>(line, lines, read, write),
            (2, _) => each_output::<V, 2, 4>(line, lines, read, write),
            (_, 2) => each_output::<V, MOST_PAIRS, 2>(line, lines, read, write),
            _ => each_output::<V, MOST_PAIRS, 4>(line, lines, read, write),
        }
    }
}

#[inline(always)]
unsafe fn each_output<V: Vector, const PAIRS: usize, const OUTPUTS: usize>(
    line: &Line,
    lines: usize,
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of `outputs`.
    unsafe {
        for index in 0..lines {
            let mut pairs = [[V::zero(); 2]; PAIRS];
            for (pair, terms) in pairs.iter_mut().enumerate() {
                let plus = read(index, 2 * pair + 1);
                let minus = read(index, 2 * pair + 2);
                *terms = [plus.add(minus), plus.sub(minus)];
            }
            for output in 0..OUTPUTS {
                let mut sum = match output {
                    0 => read(index, 0),
                    _ if output + 1 == OUTPUTS => read(index, 2 * PAIRS + 1),
                    _ => V::zero(),
                };
                for (pair, terms) in pairs.iter().enumerate() {
                    let term = terms[output % 2];
                    sum = match output {
                        0 => sum.add(term),
                        _ => term.mul_add(V::splat(line.powers[pair][output]), sum),
                    };
                }
                write(index, output, sum);
            }
        }
    }
}
