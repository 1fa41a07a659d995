//! Thousands of small problems in oneDNN's notation: each is read, run in every direction and both layouts,
//! and compared with the oracle bit for bit.
//!
//! `CONVOLVE_PROBLEMS=50000 cargo test --release -p convolve-kernels --test onednn -- --nocapture` checks more
//! of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use geometry::onednn;
use kernels::conv::{ConvOptions, ConvPlan, Direction, Epilogue};
use kernels::{Context, Isa, Team};
use tensor::Layout;
use testkit::ConvCase;
use testkit::compare::{assert_exact, widen};
use testkit::draw::{Draw, onednn_cases};
use testkit::guard::GuardedF32;
use testkit::layout::{channels_first, channels_last};

/// Problems checked unless the environment asks for more.
const PROBLEMS: usize = 5_000;

/// A descriptor and the convolution it has to mean, in all directions and layouts.
fn check(text: &str, case: &ConvCase, seed: usize, teams: &[Team]) {
    let listed = onednn::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let geometry = listed.desc.resolve(&listed.shape.dims);
    let g = geometry.unwrap_or_else(|error| panic!("{text}: {error}"));
    let spatial: Vec<usize> = g.spatial().iter().map(|w| w.output).collect();
    assert_eq!(spatial, case.output_size(), "{text} is not {case}");

    let mut draw = Draw::new(seed as u64);
    let x = draw.integers(case.input_len());
    let w = draw.integers(case.weight_len());
    let dy = draw.integers(case.output_len());
    let (x64, w64, dy64) = (widen(&x), widen(&w), widen(&dy));
    let laid = |layout: Layout, values: &[f32], channels: usize| match layout {
        Layout::Nchw => GuardedF32::from_slice(values),
        Layout::Nhwc => GuardedF32::from_slice(&channels_last(values, g.batch, channels)),
    };
    let blank = |len: usize| GuardedF32::from_slice(&vec![f32::NAN; len]);
    for direction in Direction::ALL {
        let want = match direction {
            Direction::Forward => case.forward(&x64, &w64, None),
            Direction::BackwardData => case.backward_data(&dy64, &w64),
            Direction::BackwardWeights => case.backward_weights(&x64, &dy64),
        };
        for layout in Layout::ALL {
            let isas: Vec<Isa> = Isa::available().collect();
            // Every family of instructions and every team, spread over the problems.
            let isa = isas[seed % isas.len()];
            let team = &teams[seed / isas.len() % teams.len()];
            let ctx = Context { team, isa };
            let options = ConvOptions {
                layout,
                isa,
                strict: true,
                ..ConvOptions::default()
            };
            let plan = ConvPlan::new(&g, direction, options).unwrap();
            let mut packed = vec![f32::NAN; plan.packed_len()];
            let mut scratch = vec![f32::NAN; plan.scratch_len(team.threads())];
            let mut result = blank(want.len());
            let x = || laid(layout, &x, g.in_channels);
            let dy = || laid(layout, &dy, g.out_channels);
            let channels = match direction {
                Direction::Forward => {
                    plan.pack(&ctx, &w, &mut packed);
                    let epilogue = Epilogue::default();
                    plan.forward(&ctx, &x(), &packed, epilogue, &mut result, &mut scratch);
                    g.out_channels
                }
                Direction::BackwardData => {
                    plan.pack(&ctx, &w, &mut packed);
                    let epilogue = Epilogue::default();
                    let dy = dy();
                    plan.backward_data(&ctx, &dy, &packed, epilogue, &mut result, &mut scratch);
                    g.in_channels
                }
                Direction::BackwardWeights => {
                    plan.backward_weights(&ctx, &x(), &dy(), &mut result, &mut scratch);
                    assert_exact(
                        &format!("{text} {direction} {layout} {isa}"),
                        &result,
                        &want,
                    );
                    continue;
                }
            };
            let result = match layout {
                Layout::Nchw => result.to_vec(),
                Layout::Nhwc => channels_first(&result, g.batch, channels),
            };
            assert_exact(
                &format!("{text} {direction} {layout} {isa}"),
                &result,
                &want,
            );
        }
    }
}

#[test]
#[allow(clippy::print_stdout)] // the number of problems is what the test is about
fn shrunk_problems_are_exact_in_every_direction_and_layout() {
    let count = std::env::var("CONVOLVE_PROBLEMS").map_or(PROBLEMS, |count| {
        count.parse().expect("CONVOLVE_PROBLEMS is a number")
    });
    let cases = onednn_cases(2024, count);
    // As a file would hold them, and be read.
    let file: String = cases.iter().map(|(text, _)| format!("{text}\n")).collect();
    let list = onednn::parse_list(&file).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(list.problems.len(), count);

    let teams: Vec<Team> = [1, 2, 3].map(|t| Team::new(t).unwrap()).into();
    let (next, checked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((text, case)) = cases.get(index) else {
                        break;
                    };
                    check(text, case, index, &teams);
                    checked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let checked = checked.into_inner();
    assert_eq!(checked, count);
    println!("{checked} problems, 3 directions, 2 layouts: all exact");
}
