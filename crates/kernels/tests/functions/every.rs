//! One problem run in every way there is, in either element type.

use std::sync::OnceLock;

use kernels::{Context, Isa, Real, Team};
use tensor::Layout;
use testkit::Draw;
use testkit::compare::{Element, assert_close};
use testkit::guard::{Guarded, Number};
use testkit::layout::{channels_first, channels_last};

/// An element type under test.
pub(crate) trait Tested: Real + Element + Number {
    /// What one rounding is taken for: of f32 what it is, of f64 enough for the oracle's own.
    const UNIT: f64;
}

impl Tested for f32 {
    const UNIT: f64 = 1.0 / (1u64 << 24) as f64;
}

impl Tested for f64 {
    const UNIT: f64 = 1.0 / (1u64 << 45) as f64;
}

/// Maps by batch, channels and area: around the vector widths and the rows of lanes, a single position,
/// one chunk and several of every kind, few images and many.
pub(crate) const MAPS: [(usize, usize, usize); 16] = [
    (1, 1, 1),
    (3, 3, 1),
    (3, 3, 5),
    (2, 15, 49),
    (3, 16, 67),
    (2, 17, 5),
    (3, 33, 49),
    (2, 64, 67),
    (2, 66, 49),
    (1, 130, 1),
    (2, 4, 5_000),
    (70, 2, 50),
    (1, 1, 40_000),
    (33, 34, 70),
    (2, 520, 9),
    (1, 40, 1_100),
];

/// Runs a problem with every family of instructions and every size of team. The results of all teams
/// must be equal to the bit; `check` gets them, once a family, and the problem's name.
pub(crate) fn way<T: Tested>(
    problem: &str,
    run: impl Fn(&Context) -> Vec<Guarded<T>>,
    check: impl Fn(&str, &[Guarded<T>]),
) {
    static TEAMS: OnceLock<Vec<Team>> = OnceLock::new();
    let teams = TEAMS.get_or_init(|| [1, 2, 3, 7].map(|t| Team::new(t).unwrap()).into());
    for isa in Isa::available() {
        let problem = format!("{problem} {isa} {}", std::any::type_name::<T>());
        // How work is cut has nothing to do with the instructions.
        let teams = if isa == Isa::best() {
            &teams[..]
        } else {
            &teams[..1]
        };
        let results: Vec<_> = teams
            .iter()
            .map(|team| run(&Context { team, isa }))
            .collect();
        for (team, result) in teams.iter().zip(&results).skip(1) {
            for (first, other) in results[0].iter().zip(result) {
                let bits = |values: &Guarded<T>| -> Vec<u64> {
                    values.iter().map(|v| v.wide().to_bits()).collect()
                };
                assert!(
                    bits(first) == bits(other),
                    "{problem}: {} threads differ from one",
                    team.threads()
                );
            }
        }
        check(&problem, &results[0]);
    }
}

/// An operand whose end touches a page that must not be read.
pub(crate) fn operand<T: Tested>(values: &[f64]) -> Guarded<T> {
    let values: Vec<T> = values.iter().map(|&v| T::of(v)).collect();
    Guarded::from_slice(&values)
}

/// A feature map whose end touches a page that must not be read.
pub(crate) fn map<T: Tested>(
    layout: Layout,
    nchw: &[f64],
    batch: usize,
    channels: usize,
) -> Guarded<T> {
    match layout {
        Layout::Nchw => operand(nchw),
        Layout::Nhwc => operand(&channels_last(nchw, batch, channels)),
    }
}

/// A result whose end touches a page that must not be written, full of NaN to be written over.
pub(crate) fn result<T: Tested>(len: usize) -> Guarded<T> {
    Guarded::from_slice(&vec![T::nan(); len])
}

/// A feature map as the oracle has it.
pub(crate) fn as_nchw<T: Tested>(
    layout: Layout,
    map: &Guarded<T>,
    batch: usize,
    channels: usize,
) -> Guarded<T> {
    let values = match layout {
        Layout::Nchw => map.to_vec(),
        Layout::Nhwc => channels_first(map, batch, channels),
    };
    Guarded::from_slice(&values)
}

/// Reals from [−1, 1) that f32 can hold.
pub(crate) fn reals(draw: &mut Draw, len: usize) -> Vec<f64> {
    draw.reals(len).into_iter().map(f64::from).collect()
}

/// Checks that every element is within so many roundings of the size that goes with it.
#[track_caller]
pub(crate) fn assert_within<T: Tested>(
    problem: &str,
    got: &[T],
    want: &[f64],
    roundings: f64,
    sizes: &[f64],
) {
    let bound: Vec<f64> = sizes
        .iter()
        .map(|size| roundings * T::UNIT * size.abs())
        .collect();
    assert_close(problem, got, want, &bound);
}

/// A context for f64 in a single thread.
pub(crate) fn alone<R>(run: impl FnOnce(&Context) -> R) -> R {
    let team = Team::new(1).unwrap();
    run(&Context {
        team: &team,
        isa: Isa::best(),
    })
}

/// A weighted sum, as a loss.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
