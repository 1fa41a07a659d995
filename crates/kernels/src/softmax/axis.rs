//! Softmax and its logarithm along any axis, in either element type.
//!
//! Whatever the axis and the layout, memory is `[outer, len, inner]` with the axis in the middle. Where
//! nothing lies inside it, a row of classes is contiguous; else the loops run over the elements side
//! by side, each of which has a softmax of its own.

use crate::bands::{BAND, BandSums};
use crate::blocks::for_rows;
use crate::runs::sums;
use crate::shared::Shared;
use crate::{Context, Real};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `exp(x) / Σ exp(x)`
    Softmax,
    /// `x − ln Σ exp(x)`
    LogSoftmax,
}

/// The axis within its tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Elements of the axes outside of it.
    pub outer: usize,
    /// Its extent.
    pub len: usize,
    /// Elements of the axes inside of it.
    pub inner: usize,
}

impl Axis {
    /// Axis `axis` of a tensor whose axes lie in memory in the order of `dims`.
    ///
    /// # Panics
    /// When there is no such axis.
    pub fn of(dims: &[usize], axis: usize) -> Self {
        Self {
            outer: dims[..axis].iter().product(),
            len: dims[axis],
            inner: dims[axis + 1..].iter().product(),
        }
    }

    fn check(&self, operands: &[usize]) {
        let len = self.outer * self.len * self.inner;
        assert!(
            operands.iter().all(|&operand| operand == len),
            "softmax: lengths {operands:?} for {self:?}"
        );
    }

    /// Runs `task(start, width)` for every band of elements side by side: the first of its elements, and
    /// how many there are; those of the next class are `inner` elements on.
    fn for_each_band(&self, context: &Context<'_>, task: impl Fn(usize, usize) + Sync) {
        let bands = self.inner.div_ceil(BAND);
        let elements = self.len * self.inner.min(BAND);
        for_rows(context.team, self.outer * bands, elements, |range| {
            for index in range {
                let (outer, first) = (index / bands, index % bands * BAND);
                let start = outer * self.len * self.inner + first;
                task(start, BAND.min(self.inner - first));
            }
        });
    }
}

/// `y` = the softmax of `x` along the axis, or its logarithm; computed of `x − max x`, which does not
/// overflow. Where an element along the axis is NaN or +∞, all of them become NaN.
///
/// # Panics
/// When a slice does not hold `outer · len · inner` elements.
pub fn forward<T: Real>(context: &Context<'_>, kind: Kind, axis: Axis, x: &[T], y: &mut [T]) {
    axis.check(&[x.len(), y.len()]);
    let len = axis.len;
    let out = Shared::new(y);
    if axis.inner == 1 {
        for_rows(context.team, axis.outer, len, |range| {
            for row in range {
                // SAFETY: every row belongs to one task.
                let y = unsafe { out.slice(row * len, len) };
                let x = &x[row * len..][..len];
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || row_forward(kind, x, y),
                );
            }
        });
        return;
    }
    axis.for_each_band(context, |start, width| {
        let rows = (0..len).map(|class| start + class * axis.inner);
        // SAFETY: every band belongs to one task, which holds one row of it at a time.
        let y = |at: usize| unsafe { out.slice(at, width) };
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                let mut top = [T::neg_infinity(); BAND];
                for at in rows.clone() {
                    for (top, &x) in top.iter_mut().zip(&x[at..][..width]) {
                        *top = if x > *top { x } else { *top };
                    }
                }
                let mut total = BandSums::new();
                for at in rows.clone() {
                    let x = &x[at..][..width];
                    match kind {
                        Kind::Softmax => {
                            for ((y, &x), &top) in y(at).iter_mut().zip(x).zip(&top) {
                                *y = (x - top).exponential();
                            }
                            total.add(y(at).iter().copied());
                        }
                        Kind::LogSoftmax => {
                            let pairs = x.iter().zip(&top);
                            total.add(pairs.map(
                                #[inline(always)]
                                |(&x, &top)| (x - top).exponential(),
                            ));
                        }
                    }
                }
                let total = total.totals();
                let factor = total.map(
                    #[inline(always)]
                    |sum| T::of(1.0 / sum),
                );
                let shift = total.map(
                    #[inline(always)]
                    |sum| T::of(sum.ln()),
                );
                for at in rows.clone() {
                    let x = &x[at..][..width];
                    match kind {
                        Kind::Softmax => {
                            for (y, &factor) in y(at).iter_mut().zip(&factor) {
                                *y *= factor;
                            }
                        }
                        Kind::LogSoftmax => {
                            let lanes = top.iter().zip(&shift);
                            for ((y, &x), (&top, &shift)) in y(at).iter_mut().zip(x).zip(lanes) {
                                *y = (x - top) - shift;
                            }
                        }
                    }
                }
            },
        );
    });
}

/// The gradient of [`forward`], read off its output: `dx = y·(dy − Σ dy·y)` of the softmax, `dx = dy −
/// exp(y)·Σ dy` of its logarithm, the sums along the axis.
///
/// # Panics
/// As [`forward`].
pub fn backward<T: Real>(
    context: &Context<'_>,
    kind: Kind,
    axis: Axis,
    y: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    axis.check(&[y.len(), dy.len(), dx.len()]);
    let len = axis.len;
    let out = Shared::new(dx);
    if axis.inner == 1 {
        for_rows(context.team, axis.outer, len, |range| {
            for row in range {
                let at = row * len..(row + 1) * len;
                // SAFETY: every row belongs to one task.
                let dx = unsafe { out.slice(at.start, len) };
                let (y, dy) = (&y[at.clone()], &dy[at]);
                T::vectorised(
                    context.isa,
                    #[inline(always)]
                    || row_backward(kind, y, dy, dx),
                );
            }
        });
        return;
    }
    axis.for_each_band(context, |start, width| {
        let rows = (0..len).map(|class| start + class * axis.inner);
        T::vectorised(
            context.isa,
            #[inline(always)]
            || {
                let mut total = BandSums::new();
                for at in rows.clone() {
                    let (y, dy) = (&y[at..][..width], &dy[at..][..width]);
                    match kind {
                        Kind::Softmax => total.add(dy.iter().zip(y).map(|(&dy, &y)| dy * y)),
                        Kind::LogSoftmax => total.add(dy.iter().copied()),
                    }
                }
                let total = total.totals().map(
                    #[inline(always)]
                    |sum| T::of(sum),
                );
                for at in rows.clone() {
                    // SAFETY: every band belongs to one task.
                    let dx = unsafe { out.slice(at, width) };
                    let terms = y[at..][..width].iter().zip(&dy[at..][..width]);
                    for ((dx, (&y, &dy)), &total) in dx.iter_mut().zip(terms).zip(&total) {
                        *dx = gradient(kind, y, dy, total);
                    }
                }
            },
        );
    });
}

#[inline(always)]
fn row_forward<T: Real>(kind: Kind, x: &[T], y: &mut [T]) {
    let top = maximum(x);
    match kind {
        Kind::Softmax => {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = (x - top).exponential();
            }
            let [sum] = sums(
                [&*y],
                #[inline(always)]
                |term| term,
            );
            let factor = T::of(1.0 / sum);
            for y in y {
                *y *= factor;
            }
        }
        Kind::LogSoftmax => {
            let [sum] = sums(
                [x],
                #[inline(always)]
                |[x]| [(x - top).exponential()],
            );
            let shift = T::of(sum.ln());
            for (y, &x) in y.iter_mut().zip(x) {
                *y = (x - top) - shift;
            }
        }
    }
}

#[inline(always)]
fn row_backward<T: Real>(kind: Kind, y: &[T], dy: &[T], dx: &mut [T]) {
    let [sum] = match kind {
        Kind::Softmax => sums(
            [y, dy],
            #[inline(always)]
            |[y, dy]| [dy * y],
        ),
        Kind::LogSoftmax => sums(
            [dy],
            #[inline(always)]
            |term| term,
        ),
    };
    let total = T::of(sum);
    for ((dx, &y), &dy) in dx.iter_mut().zip(y).zip(dy) {
        *dx = gradient(kind, y, dy, total);
    }
}

#[inline(always)]
fn gradient<T: Real>(kind: Kind, y: T, dy: T, total: T) -> T {
    match kind {
        Kind::Softmax => y * (dy - total),
        Kind::LogSoftmax => dy - y.exponential() * total,
    }
}

/// The largest element; NaNs are passed over.
#[inline(always)]
fn maximum<T: Real>(row: &[T]) -> T {
    const LANES: usize = 32;
    let mut lanes = [T::neg_infinity(); LANES];
    let (body, tail) = row.as_chunks::<LANES>();
    for chunk in body {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(tail) {
        *lane = if value > *lane { value } else { *lane };
    }
    // By halves: one after the other would take longer than the row.
    for width in [16, 8, 4, 2, 1] {
        let (halves, others) = lanes.split_at_mut(width);
        for (lane, &value) in halves.iter_mut().zip(&*others) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    lanes[0]
}
