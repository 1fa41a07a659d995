//! One problem run in every way there is.

use std::sync::OnceLock;

use kernels::{Context, Isa, Team};
use tensor::Layout;
use testkit::guard::GuardedF32;
use testkit::layout::{channels_first, channels_last};

/// Channel counts around the vector widths, and past the widest row of lanes.
pub(crate) const CHANNELS: [usize; 8] = [1, 3, 15, 16, 17, 33, 64, 70];

/// Areas: a single position, less than a vector, odd, a little more than a row of lanes.
pub(crate) const AREAS: [usize; 4] = [1, 5, 49, 67];

/// Runs a problem with every family of instructions and every size of team. The results of all teams
/// must be equal to the bit; `check` gets them, once a family, and the problem's name.
pub(crate) fn way(
    problem: &str,
    run: impl Fn(&Context) -> Vec<Vec<f32>>,
    check: impl Fn(&str, &[Vec<f32>]),
) {
    static TEAMS: OnceLock<Vec<Team>> = OnceLock::new();
    let teams = TEAMS.get_or_init(|| [1, 2, 3, 7].map(|t| Team::new(t).unwrap()).into());
    for isa in Isa::available() {
        let problem = format!("{problem} {isa}");
        let results: Vec<_> = teams
            .iter()
            .map(|team| run(&Context { team, isa }))
            .collect();
        for (team, result) in teams.iter().zip(&results) {
            for (first, other) in results[0].iter().zip(result) {
                let same = first
                    .iter()
                    .map(|v| v.to_bits())
                    .eq(other.iter().map(|v| v.to_bits()));
                assert!(
                    same,
                    "{problem}: {} threads differ from one",
                    team.threads()
                );
            }
        }
        check(&problem, &results[0]);
    }
}

/// An operand whose end touches a page that must not be read.
pub(crate) fn operand(values: &[f32]) -> GuardedF32 {
    GuardedF32::from_slice(values)
}

/// A result whose end touches a page that must not be written, full of NaN to be written over.
pub(crate) fn result(len: usize) -> GuardedF32 {
    GuardedF32::from_slice(&vec![f32::NAN; len])
}

/// A feature map of the oracle, in another layout.
pub(crate) fn laid_out<T: Copy>(
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
pub(crate) fn as_nchw<T: Copy>(layout: Layout, map: &[T], batch: usize, channels: usize) -> Vec<T> {
    match layout {
        Layout::Nchw => map.to_vec(),
        Layout::Nhwc => channels_first(map, batch, channels),
    }
}
