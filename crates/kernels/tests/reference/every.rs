//! One problem run by every team.

use std::sync::OnceLock;

use kernels::{Context, Isa, Real, Team};
use tensor::Layout;
use testkit::Draw;
use testkit::compare::{Element, assert_close};
use testkit::layout::{channels_first, channels_last};

/// What f64 may be off, relative to the absolute values that were added up.
pub(crate) const TIGHT: f64 = 1e-12;

/// Layouts by batch, channels and area: odd ones, a single position, more than a task of plain loops.
pub(crate) const MAPS: [(usize, usize, usize); 5] =
    [(1, 1, 1), (3, 5, 7), (2, 17, 1), (2, 3, 49), (2, 18, 2_000)];

/// Runs a problem by teams of 1, 2, 3 and 7 threads, whose results must be equal to the bit.
pub(crate) fn run<T: Real>(problem: &str, run: impl Fn(&Context) -> Vec<Vec<T>>) -> Vec<Vec<T>> {
    static TEAMS: OnceLock<Vec<Team>> = OnceLock::new();
    let teams = TEAMS.get_or_init(|| [1, 2, 3, 7].map(|t| Team::new(t).unwrap()).into());
    let isa = Isa::best();
    let results = teams.iter().map(|team| run(&Context { team, isa }));
    let bits = |result: &[Vec<T>]| -> Vec<Vec<u64>> {
        let bits = |values: &Vec<T>| values.iter().map(|v| v.wide().to_bits()).collect();
        result.iter().map(bits).collect()
    };
    let results: Vec<_> = results.collect();
    for (team, result) in teams.iter().zip(&results).skip(1) {
        let threads = team.threads();
        assert!(
            bits(result) == bits(&results[0]),
            "{problem}: {threads} threads differ from one"
        );
    }
    results.into_iter().next().unwrap()
}

/// Reals from [−1, 1) that use all digits of f64.
pub(crate) fn reals(draw: &mut Draw, len: usize) -> Vec<f64> {
    let (high, low) = (draw.reals(len), draw.reals(len));
    let digits = high.iter().zip(&low);
    digits
        .map(|(&h, &l)| f64::from(h) + f64::from(l) * 2f64.powi(-24))
        .collect()
}

/// The nearest elements of another type.
pub(crate) fn rounded<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&v| T::of(v)).collect()
}

/// A result to be written over.
pub(crate) fn result<T: Real>(len: usize) -> Vec<T> {
    vec![T::nan(); len]
}

/// A feature map of the oracle, in another layout.
pub(crate) fn laid_out<T: Real>(
    layout: Layout,
    nchw: &[T],
    batch: usize,
    channels: usize,
) -> Vec<T> {
    match layout {
        Layout::Nchw => nchw.to_vec(),
        Layout::Nhwc => channels_last(nchw, batch, channels),
    }
}

/// A feature map as the oracle has it.
pub(crate) fn as_nchw<T: Real>(layout: Layout, map: &[T], batch: usize, channels: usize) -> Vec<T> {
    match layout {
        Layout::Nchw => map.to_vec(),
        Layout::Nhwc => channels_first(map, batch, channels),
    }
}

/// Checks that every element is within `share` of its own size.
#[track_caller]
pub(crate) fn assert_within<T: Element>(
    problem: &str,
    got: &[T],
    want: &[f64],
    sizes: &[f64],
    share: f64,
) {
    let bound: Vec<f64> = sizes.iter().map(|size| share * size.abs()).collect();
    assert_close(problem, got, want, &bound);
}
