//! Affine grids, sampling along grids and resizing.

mod affine;
mod grid;
mod published;
mod resize;

use kernels::{Context, Isa, Team};

/// Numbers from −1 to 1 in f64.
fn reals(draw: &mut testkit::Draw, len: usize) -> Vec<f64> {
    // Two draws make more bits than f32 has.
    let (coarse, fine) = (draw.reals(len), draw.reals(len));
    let pairs = coarse.into_iter().zip(fine);
    pairs
        .map(|(a, b)| f64::from(a) * 0.875 + f64::from(b) * 2f64.powi(-20))
        .collect()
}

/// Runs something in f64 on three threads.
fn in_f64<R>(run: impl FnOnce(&Context<'_>) -> R) -> R {
    let team = Team::new(3).unwrap();
    run(&Context {
        team: &team,
        isa: Isa::best(),
    })
}

#[track_caller]
fn assert_near(problem: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{problem}: number of elements");
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(
            (got - want).abs() <= tolerance * (1.0 + want.abs()),
            "{problem}: element {index} is {got}, should be {want}"
        );
    }
}

/// Checks a gradient of `⟨dy, f(at)⟩` by central differences.
#[track_caller]
fn assert_gradient(
    problem: &str,
    f: impl Fn(&[f64]) -> Vec<f64>,
    at: &[f64],
    dy: &[f64],
    got: &[f64],
) {
    let dot = |at: &[f64]| f(at).iter().zip(dy).map(|(a, b)| a * b).sum();
    if let Err(mismatch) = testkit::gradient::check(dot, at, got) {
        panic!("{problem}: {mismatch}");
    }
}
