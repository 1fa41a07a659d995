//! The transforms, a line of vectors at a time.
//!
//! A line is the inputs or products of one axis of a tile, each a vector of channels. A tile is
//! transformed column by column into a small [`Buffer`] and row by row out of it. Where vectors come
//! from and go to is the caller's: the loops here hold nothing but arithmetic, and its constants stay
//! in registers from line to line.
//!
//! All is inlined by force, closures among it: one that is called instead would be compiled for the
//! baseline's instructions.

use std::mem::MaybeUninit;

use super::points::{Line, MOST_INPUTS, MOST_OUTPUTS, MOST_PAIRS, MOST_TAPS};
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

/// A transform of lines, of one axis. Its loops are compiled for each shape that there is, with its lengths for constants;
/// but where registers are few, once, for any.
pub(super) trait Step {
    /// Vectors of a line before and after.
    fn lengths(line: &Line) -> (usize, usize);

    /// Transforms some lines: `read(line, index)` gives what `write(line, index, value)` gets the results of.
    ///
    /// # Safety
    /// `V`'s instructions exist.
    unsafe fn lines<V: Vector>(
        line: &Line,
        lines: usize,
        read: impl Fn(usize, usize) -> V,
        write: impl FnMut(usize, usize, V),
    );
}

/// Transforms a tile along both axes: `read(row, column)` gives its vectors, `write(row, column, value)` gets
/// the first `used` rows of the results. An axis of a single tap is left as it is.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
pub(super) unsafe fn tile<S: Step, V: Vector>(
    (rows, columns): (&Line, &Line),
    used: usize,
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    let mut half = Buffer::new();
    let width = S::lengths(columns).0;
    // An axis that is left as it is goes through the buffer too: a loop of its own for every step of each axis alone
    // would be half of all code here, for a load and a store of every vector.
    //
    // SAFETY: the contract of this function; columns set what rows get.
    unsafe {
        if rows.pairs == 0 {
            for column in 0..width {
                half.set(0, column, read(0, column));
            }
        } else {
            S::lines(
                rows,
                width,
                #[inline(always)]
                |column, row| read(row, column),
                #[inline(always)]
                |column, row, value| half.set(row, column, value),
            );
        }
        if columns.pairs == 0 {
            for row in 0..used {
                write(row, 0, half.get(row, 0));
            }
        } else {
            S::lines(
                columns,
                used,
                #[inline(always)]
                |row, column| half.get(row, column),
                write,
            );
        }
    }
}

/// As [`tile`], all rows of the results.
///
/// # Safety
/// `V`'s instructions exist.
#[inline(always)]
pub(super) unsafe fn whole_tile<S: Step, V: Vector>(
    (rows, columns): (&Line, &Line),
    read: impl Fn(usize, usize) -> V,
    write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of this function.
    unsafe { tile::<S, V>((rows, columns), S::lengths(rows).1, read, write) }
}

/// `Bᵀ`: inputs to their values at the points.
pub(super) struct Inputs;

impl Step for Inputs {
    fn lengths(line: &Line) -> (usize, usize) {
        (line.inputs(), line.inputs())
    }

    #[inline(always)]
    unsafe fn lines<V: Vector>(
        line: &Line,
        lines: usize,
        read: impl Fn(usize, usize) -> V,
        write: impl FnMut(usize, usize, V),
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            if !V::HOLDS_16 {
                return each_input::<V>(line, line.pairs, lines, read, write);
            }
            match line.pairs {
                1 => each_input::<V>(line, 1, lines, read, write),
                2 => each_input::<V>(line, 2, lines, read, write),
                _ => each_input::<V>(line, MOST_PAIRS, lines, read, write),
            }
        }
    }
}

#[inline(always)]
unsafe fn each_input<V: Vector>(
    line: &Line,
    pairs: usize,
    lines: usize,
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    let last = 2 * pairs + 1;
    // SAFETY: the contract of `Step::lines`.
    unsafe {
        for index in 0..lines {
            let mut d = [V::zero(); MOST_INPUTS];
            for (k, d) in d[..=last].iter_mut().enumerate() {
                *d = read(index, k);
            }
            let (mut zero, mut infinity) = (d[last - 1], d[last]);
            for k in 0..pairs {
                let factor = V::splat(line.all[k]);
                zero = d[2 * k].mul_add(factor, zero);
                infinity = d[2 * k + 1].mul_add(factor, infinity);
            }
            write(index, 0, zero);
            write(index, last, infinity);
            for pair in 0..pairs {
                let (mut even, mut odd) = (d[last - 1], d[last - 2]);
                for k in 0..pairs - 1 {
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

/// `Aᵀ`: products at the points to outputs.
pub(super) struct Outputs;

impl Step for Outputs {
    fn lengths(line: &Line) -> (usize, usize) {
        (line.inputs(), line.outputs)
    }

    #[inline(always)]
    unsafe fn lines<V: Vector>(
        line: &Line,
        lines: usize,
        read: impl Fn(usize, usize) -> V,
        write: impl FnMut(usize, usize, V),
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            if !V::HOLDS_16 {
                return each_output::<V>(line, (line.pairs, line.outputs), lines, read, write);
            }
            match (line.pairs, line.outputs) {
                (1, _) => each_output::<V>(line, (1, 2), lines, read, write),
                (2, 2) => each_output::<V>(line, (2, 2), lines, read, write),
                (2, _) => each_output::<V>(line, (2, 4), lines, read, write),
                (_, 2) => each_output::<V>(line, (MOST_PAIRS, 2), lines, read, write),
                _ => each_output::<V>(line, (MOST_PAIRS, 4), lines, read, write),
            }
        }
    }
}

#[inline(always)]
unsafe fn each_output<V: Vector>(
    line: &Line,
    (pairs, outputs): (usize, usize),
    lines: usize,
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of `Step::lines`.
    unsafe {
        for index in 0..lines {
            let mut both = [[V::zero(); 2]; MOST_PAIRS];
            let both = &mut both[..pairs];
            for (pair, terms) in both.iter_mut().enumerate() {
                let plus = read(index, 2 * pair + 1);
                let minus = read(index, 2 * pair + 2);
                *terms = [plus.add(minus), plus.sub(minus)];
            }
            for output in 0..outputs {
                let mut sum = match output {
                    0 => read(index, 0),
                    _ if output + 1 == outputs => read(index, 2 * pairs + 1),
                    _ => V::zero(),
                };
                for (pair, terms) in both.iter().enumerate() {
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

/// `A`: gradients of outputs to those of the products at the points.
pub(super) struct Gradients;

impl Step for Gradients {
    fn lengths(line: &Line) -> (usize, usize) {
        (line.outputs, line.inputs())
    }

    #[inline(always)]
    unsafe fn lines<V: Vector>(
        line: &Line,
        lines: usize,
        read: impl Fn(usize, usize) -> V,
        write: impl FnMut(usize, usize, V),
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            if !V::HOLDS_16 {
                return each_gradient::<V>(line, (line.pairs, line.outputs), lines, read, write);
            }
            match (line.pairs, line.outputs) {
                (1, _) => each_gradient::<V>(line, (1, 2), lines, read, write),
                (2, 2) => each_gradient::<V>(line, (2, 2), lines, read, write),
                (2, _) => each_gradient::<V>(line, (2, 4), lines, read, write),
                (_, 2) => each_gradient::<V>(line, (MOST_PAIRS, 2), lines, read, write),
                _ => each_gradient::<V>(line, (MOST_PAIRS, 4), lines, read, write),
            }
        }
    }
}

#[inline(always)]
unsafe fn each_gradient<V: Vector>(
    line: &Line,
    (pairs, outputs): (usize, usize),
    lines: usize,
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of `Step::lines`.
    unsafe {
        for index in 0..lines {
            let mut dy = [V::zero(); MOST_OUTPUTS];
            for (output, dy) in dy[..outputs].iter_mut().enumerate() {
                *dy = read(index, output);
            }
            write(index, 0, dy[0]);
            write(index, 2 * pairs + 1, dy[outputs - 1]);
            for pair in 0..pairs {
                let powers = &line.powers[pair];
                let mut even = dy[0];
                let mut odd = dy[1].mul_add(V::splat(powers[1]), V::zero());
                if outputs == 4 {
                    even = dy[2].mul_add(V::splat(powers[2]), even);
                    odd = dy[3].mul_add(V::splat(powers[3]), odd);
                }
                write(index, 2 * pair + 1, even.add(odd));
                write(index, 2 * pair + 2, even.sub(odd));
            }
        }
    }
}

/// `G`: the taps of a kernel to their values at the points.
pub(super) struct Taps;

impl Step for Taps {
    fn lengths(line: &Line) -> (usize, usize) {
        (line.taps, line.inputs())
    }

    #[inline(always)]
    unsafe fn lines<V: Vector>(
        line: &Line,
        lines: usize,
        read: impl Fn(usize, usize) -> V,
        write: impl FnMut(usize, usize, V),
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            if !V::HOLDS_16 {
                return each_kernel::<V>(line, (line.taps, line.pairs), lines, read, write);
            }
            match (line.taps, line.pairs) {
                (3, 1) => each_kernel::<V>(line, (3, 1), lines, read, write),
                (3, _) => each_kernel::<V>(line, (3, 2), lines, read, write),
                (5, 2) => each_kernel::<V>(line, (5, 2), lines, read, write),
                (5, _) => each_kernel::<V>(line, (5, MOST_PAIRS), lines, read, write),
                _ => each_kernel::<V>(line, (MOST_TAPS, MOST_PAIRS), lines, read, write),
            }
        }
    }
}

/// The two rows of a pair are the same but for the sign of odd powers.
#[inline(always)]
unsafe fn each_kernel<V: Vector>(
    line: &Line,
    (taps, pairs): (usize, usize),
    lines: usize,
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of `Step::lines`.
    unsafe {
        for index in 0..lines {
            let mut values = [V::zero(); MOST_TAPS];
            let values = &mut values[..taps];
            for (tap, value) in values.iter_mut().enumerate() {
                *value = read(index, tap);
            }
            let first = V::splat(line.kernel[0][0]);
            write(index, 0, values[0].mul_add(first, V::zero()));
            write(index, 2 * pairs + 1, values[taps - 1]);
            for pair in 0..pairs {
                let factors = &line.kernel[2 * pair + 1];
                let (mut plus, mut minus) = (V::zero(), V::zero());
                for (tap, value) in values.iter().enumerate() {
                    let sign = if tap % 2 == 0 { 1.0 } else { -1.0 };
                    plus = value.mul_add(V::splat(factors[tap]), plus);
                    minus = value.mul_add(V::splat(sign * factors[tap]), minus);
                }
                write(index, 2 * pair + 1, plus);
                write(index, 2 * pair + 2, minus);
            }
        }
    }
}

/// `Gᵀ`: gradients of the products at the points to those of the taps.
pub(super) struct TapGradients;

impl Step for TapGradients {
    fn lengths(line: &Line) -> (usize, usize) {
        (line.inputs(), line.taps)
    }

    #[inline(always)]
    unsafe fn lines<V: Vector>(
        line: &Line,
        lines: usize,
        read: impl Fn(usize, usize) -> V,
        write: impl FnMut(usize, usize, V),
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            if !V::HOLDS_16 {
                return each_tap_gradient::<V>(line, (line.taps, line.pairs), lines, read, write);
            }
            match (line.taps, line.pairs) {
                (3, 1) => each_tap_gradient::<V>(line, (3, 1), lines, read, write),
                (3, _) => each_tap_gradient::<V>(line, (3, 2), lines, read, write),
                (5, 2) => each_tap_gradient::<V>(line, (5, 2), lines, read, write),
                (5, _) => each_tap_gradient::<V>(line, (5, MOST_PAIRS), lines, read, write),
                _ => each_tap_gradient::<V>(line, (MOST_TAPS, MOST_PAIRS), lines, read, write),
            }
        }
    }
}

#[inline(always)]
unsafe fn each_tap_gradient<V: Vector>(
    line: &Line,
    (taps, pairs): (usize, usize),
    lines: usize,
    read: impl Fn(usize, usize) -> V,
    mut write: impl FnMut(usize, usize, V),
) {
    // SAFETY: the contract of `Step::lines`.
    unsafe {
        for index in 0..lines {
            let mut sums = [V::zero(); MOST_TAPS];
            let sums = &mut sums[..taps];
            let first = V::splat(line.kernel[0][0]);
            sums[0] = read(index, 0).mul_add(first, V::zero());
            for pair in 0..pairs {
                let factors = &line.kernel[2 * pair + 1];
                let (plus, minus) = (read(index, 2 * pair + 1), read(index, 2 * pair + 2));
                for (tap, sum) in sums.iter_mut().enumerate() {
                    let sign = if tap % 2 == 0 { 1.0 } else { -1.0 };
                    *sum = plus.mul_add(V::splat(factors[tap]), *sum);
                    *sum = minus.mul_add(V::splat(sign * factors[tap]), *sum);
                }
            }
            sums[taps - 1] = sums[taps - 1].add(read(index, 2 * pairs + 1));
            for (tap, &sum) in sums.iter().enumerate() {
                write(index, tap, sum);
            }
        }
    }
}
