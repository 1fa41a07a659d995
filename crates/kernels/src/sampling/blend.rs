//! Weighted sums of rows, and sums of products of two.

use crate::Real;

/// Elements of a row whose sums stay in registers.
const BAND: usize = 64;

/// Independent chains of a sum of products.
const LANES: usize = 16;

/// `y[i] = Σ weight · row[i]` over the terms `(weight, row)` in their order; rows may be longer than
/// `y`. A single row of weight one is copied.
#[inline(always)]
pub(super) fn blend<'a, T: Real>(
    mut terms: impl Iterator<Item = (T, &'a [T])> + Clone,
    y: &mut [T],
) {
    let mut first_two = terms.clone();
    if let (Some((weight, row)), None) = (first_two.next(), first_two.next())
        && weight == T::one()
    {
        y.copy_from_slice(&row[..y.len()]);
        return;
    }
    let (bands, rest) = y.as_chunks_mut::<BAND>();
    let mut from = 0;
    for y in bands {
        let mut sum = [T::zero(); BAND];
        for (weight, row) in terms.clone() {
            let row: &[T; BAND] = row[from..].first_chunk().expect("a row as long as y");
            for (sum, &v) in sum.iter_mut().zip(row) {
                *sum += weight * v;
            }
        }
        *y = sum;
        from += BAND;
    }
    if rest.is_empty() {
        return;
    }
    rest.fill(T::zero());
    terms.by_ref().for_each(
        #[inline(always)]
        |(weight, row)| add(weight, &row[from..], rest),
    );
}

/// `y[i] += weight · x[i]`; `x` may be longer than `y`.
#[inline(always)]
pub(super) fn add<T: Real>(weight: T, x: &[T], y: &mut [T]) {
    for (y, &v) in y.iter_mut().zip(x) {
        *y += weight * v;
    }
}

/// `Σ a[i] · b[i]`, in lanes, so in an order that depends on the length alone.
#[inline(always)]
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let (a_body, a_tail) = a.as_chunks::<LANES>();
    let (b_body, b_tail) = b.as_chunks::<LANES>();
    let mut lanes = [T::zero(); LANES];
    for (a, b) in a_body.iter().zip(b_body) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    let tail: T = a_tail.iter().zip(b_tail).map(|(&a, &b)| a * b).sum();
    lanes.into_iter().sum::<T>() + tail
}
