//! Short convolutions: sums of products of sums.
//!
//! Tiles of two elements of a 3-tap kernel have transforms of halves and ones, so they are exact on
//! small integers like any other algorithm. The others are near: the error of a result is measured
//! against the largest sum of absolute products, which its tile may bring into every element.

use geometry::{ConvDesc, ConvGeometry};
use kernels::conv::{Algorithm, ConvOptions, ConvPlan, Direction, Epilogue, Refusal};
use kernels::{Activation, Context, Isa, Team};
use tensor::Layout;
use testkit::compare::assert_exact;
use testkit::conv::ConvCase;
use testkit::draw::Draw;
use testkit::layout::channels_first;

use crate::directions::{Task, run, tasks};
use crate::plans::{Planned, plans_by, resolve, teams, to_layout};

/// Sixty-four roundings of the largest sum.
const NEAR: f64 = 64.0 / (1 << 24) as f64;

fn short_plans(geometry: &ConvGeometry, direction: Direction) -> Vec<Planned> {
    plans_by(geometry, direction, Algorithm::reassociates)
}

/// Kernels of every size served, on maps that end within tiles, are smaller than one, and hang over;
/// channels that fill vectors, panels and rounds, and that do not.
fn cases() -> Vec<ConvCase> {
    let sizes = [
        [3, 3],
        [1, 3],
        [3, 1],
        [5, 5],
        [1, 7],
        [7, 1],
        [7, 7],
        [3, 5],
        [1, 5],
    ];
    let channels = [(1, 1), (3, 16), (16, 17), (20, 33), (33, 80), (64, 5)];
    let maps = [[6, 6], [1, 9], [13, 4], [8, 15], [2, 3]];
    let mut cases = Vec::new();
    for (index, kernel) in sizes.into_iter().enumerate() {
        for (turn, (c, o)) in channels.into_iter().enumerate() {
            let map = maps[(index + turn) % maps.len()];
            let size: Vec<usize> = (0..2).map(|axis| map[axis].max(kernel[axis])).collect();
            let case = ConvCase::new(1 + turn % 3, c, o, size, kernel);
            cases.push(match turn % 3 {
                0 => case.padding([kernel[0] / 2, kernel[1] / 2]),
                1 => case.padding_sides([kernel[0] - 1, 0], [0, kernel[1]]),
                _ => case,
            });
        }
    }
    // Dilations that divide the map and that do not, that differ by axis, and of a map hardly larger or smaller.
    for (turn, (kernel, map, dilation)) in [
        ([3, 3], [12, 12], [2, 2]),
        ([3, 3], [13, 17], [2, 3]),
        ([3, 3], [9, 31], [4, 7]),
        ([5, 5], [11, 9], [2, 2]),
        ([1, 7], [5, 20], [3, 2]),
        ([3, 1], [7, 6], [3, 6]),
        ([3, 5], [14, 21], [6, 1]),
    ]
    .into_iter()
    .enumerate()
    {
        let (c, o) = channels[turn % channels.len()];
        let padding = [0, 1].map(|axis| dilation[axis] * (kernel[axis] / 2));
        let case = ConvCase::new(1 + turn % 2, c, o, map, kernel).dilation(dilation);
        cases.push(case.clone().padding(padding));
        cases.push(case.padding_sides([padding[0] * 2, padding[1]], [1, padding[1] + 3]));
    }
    // Several blocks of tiles and rounds of channels.
    cases.push(ConvCase::new(2, 70, 300, [29, 30], [3, 3]).padding([1, 1]));
    cases.push(ConvCase::new(3, 9, 40, [40, 41], [3, 3]).padding([1, 1]));
    // Several rounds of a gradient of weights.
    cases.push(ConvCase::new(1, 2, 3, [70, 66], [3, 3]).padding([1, 1]));
    cases.push(
        ConvCase::new(2, 20, 70, [50, 41], [3, 3])
            .dilation([2, 2])
            .padding([2, 2]),
    );
    // Weights in several chunks, and tiles in several rounds, where weights are taken as they lie.
    cases.push(ConvCase::new(1, 310, 40, [9, 10], [3, 3]).padding([1, 1]));
    cases.push(ConvCase::new(1, 90, 610, [5, 7], [3, 3]).padding([1, 1]));
    cases.push(ConvCase::new(1, 128, 130, [30, 31], [3, 3]).padding([1, 1]));
    cases
}

/// The largest distance from what is wanted, relative to the largest sum of absolute products.
fn distance(case: &ConvCase, task: &Task, got: &[f32]) -> f64 {
    let absolute = |values: &[f32]| {
        values
            .iter()
            .map(|&v| f64::from(v.abs()))
            .collect::<Vec<_>>()
    };
    let (first, second) = (absolute(&task.first), absolute(&task.second));
    let sums = match task.direction {
        Direction::Forward => case.forward(&first, &second, None),
        Direction::BackwardData => case.backward_data(&first, &second),
        Direction::BackwardWeights => case.backward_weights(&first, &second),
    };
    let largest = sums.into_iter().fold(f64::MIN_POSITIVE, f64::max);
    let pairs = got.iter().zip(&task.want);
    let distance = pairs.map(|(&got, want)| (f64::from(got) - want).abs() / largest);
    distance.fold(0.0, |worst, one| {
        if one.is_nan() {
            f64::NAN
        } else {
            worst.max(one)
        }
    })
}

fn is_exact(plan: &ConvPlan) -> bool {
    let windows = &plan.geometry().windows;
    plan.algorithm() == Algorithm::Winograd2 && windows.iter().all(|window| window.kernel <= 3)
}

#[test]
fn results_are_near_and_those_of_halves_and_ones_exact() {
    let teams = teams();
    let (mut count, mut fresh) = (0, 0);
    for (seed, case) in cases().into_iter().enumerate() {
        let geometry = resolve(&case);
        let mut draw = Draw::new(seed as u64);
        let x = draw.integers(case.input_len());
        let w = draw.integers(case.weight_len());
        let dy = draw.integers(case.output_len());
        for task in tasks(&case, &x, &w, &dy) {
            for (name, plan, isa, layout) in short_plans(&geometry, task.direction) {
                let team = &teams[(seed + count) % teams.len()];
                let got = run(&plan, layout, &Context { team, isa }, &task);
                let name = format!("{case} {name} --threads {}", team.threads());
                if is_exact(&plan) {
                    assert_exact(&name, &got, &task.want);
                }
                let distance = distance(&case, &task, &got);
                assert!(distance <= NEAR, "{name}: {distance:e} of the largest sum");
                count += 1;
                fresh += usize::from(!plan.packs());
            }
        }
    }
    assert!(count > 900, "only {count} plans ran");
    assert!(fresh > 300, "only {fresh} plans with weights as they lie");
}

#[test]
fn results_are_bitwise_equal_for_every_team() {
    let teams = teams();
    for case in [
        ConvCase::new(3, 40, 72, [19, 22], [3, 3]).padding([1, 1]),
        // Few tiles of many channels: a large team shares the channels.
        ConvCase::new(1, 300, 310, [8, 9], [3, 3]).padding([1, 1]),
    ] {
        let geometry = resolve(&case);
        let mut draw = Draw::new(5);
        let x = draw.reals(case.input_len());
        let w = draw.reals(case.weight_len());
        let dy = draw.reals(case.output_len());
        for task in tasks(&case, &x, &w, &dy) {
            for (name, plan, isa, layout) in short_plans(&geometry, task.direction) {
                let bits = |team: &Team| -> Vec<u32> {
                    let result = run(&plan, layout, &Context { team, isa }, &task);
                    result.iter().map(|v| v.to_bits()).collect()
                };
                let alone = bits(&teams[0]);
                for team in &teams[1..] {
                    let threads = team.threads();
                    assert!(
                        bits(team) == alone,
                        "{case} {name}: {threads} threads differ"
                    );
                }
            }
        }
    }
}

/// Layers of the widths and sizes of real networks, each with the algorithm that is chosen for it.
#[test]
fn where_they_are_chosen_the_relative_error_is_below_two_hundred_thousandths() {
    let team = Team::new(2).unwrap();
    let mut chosen = Vec::new();
    for (seed, (c, o, size, kernel, dilation)) in [
        (64, 64, 28, [3, 3], 1),
        (256, 256, 14, [3, 3], 1),
        (128, 192, 17, [1, 7], 1),
        (128, 128, 17, [7, 1], 1),
        (48, 64, 18, [5, 5], 1),
        (512, 128, 8, [3, 3], 1),
        (128, 128, 28, [3, 3], 2),
    ]
    .into_iter()
    .enumerate()
    {
        let case = ConvCase::new(2, c, o, [size, size], kernel)
            .dilation([dilation; 2])
            .padding(kernel.map(|taps| taps / 2 * dilation));
        let geometry = resolve(&case);
        let mut draw = Draw::new(seed as u64);
        let x = draw.reals(case.input_len());
        let w = draw.reals(case.weight_len());
        let dy = draw.reals(case.output_len());
        let tasks = tasks(&case, &x, &w, &dy);
        let ways = tasks
            .iter()
            .flat_map(|task| Isa::available().map(move |isa| (task, isa)));
        for (task, isa) in ways {
            let options = ConvOptions {
                isa,
                ..ConvOptions::default()
            };
            let plan = ConvPlan::new(&geometry, task.direction, options).unwrap();
            let got = run(&plan, Layout::Nhwc, &Context { team: &team, isa }, task);
            let pairs = got.iter().zip(&task.want);
            let square = |v: f64| v * v;
            let error: f64 = pairs
                .map(|(&got, want)| square(f64::from(got) - want))
                .sum();
            let norm: f64 = task.want.iter().copied().map(square).sum();
            let (direction, algorithm) = (task.direction, plan.algorithm());
            let error = (error / norm).sqrt();
            assert!(
                error <= 2e-5,
                "{case} {direction} {algorithm} {isa}: {error:e}"
            );
            chosen.push(algorithm);
        }
    }
    for algorithm in Algorithm::ALL.into_iter().filter(|a| a.reassociates()) {
        assert!(chosen.contains(&algorithm), "{algorithm} was never chosen");
    }
}

#[test]
fn the_epilogue_adds_bias_and_residual_and_then_activates() {
    let team = Team::new(2).unwrap();
    let case = ConvCase::new(2, 18, 35, [7, 10], [3, 3]).padding([1, 1]);
    let geometry = resolve(&case);
    let mut draw = Draw::new(9);
    let x = draw.integers(case.input_len());
    let w = draw.integers(case.weight_len());
    let dy = draw.integers(case.output_len());
    for task in &tasks(&case, &x, &w, &dy)[..2] {
        let (from, to) = match task.direction {
            Direction::Forward => (case.in_channels, case.out_channels),
            _ => (case.out_channels, case.in_channels),
        };
        let (bias, residual) = (draw.integers(to), draw.integers(task.want.len()));
        let area = task.want.len() / (case.batch * to);
        let want: Vec<f64> = (0..task.want.len())
            .map(|at| {
                let bias = f64::from(bias[at / area % to]);
                (task.want[at] + bias + f64::from(residual[at])).max(0.0)
            })
            .collect();
        for (name, plan, isa, layout) in short_plans(&geometry, task.direction) {
            if !is_exact(&plan) {
                continue;
            }
            let ctx = Context { team: &team, isa };
            let mut packed = vec![f32::NAN; plan.packed_len()];
            plan.pack(&ctx, &task.second, &mut packed);
            let residual = to_layout(layout, &residual, case.batch, to);
            let epilogue = Epilogue {
                bias: Some(&bias),
                residual: Some(&residual),
                activation: Some(Activation::Relu),
            };
            let source = to_layout(layout, &task.first, case.batch, from);
            let mut y = vec![f32::NAN; want.len()];
            let mut scratch = vec![f32::NAN; plan.scratch_len(2)];
            match task.direction {
                Direction::Forward => {
                    plan.forward(&ctx, &source, &packed, epilogue, &mut y, &mut scratch);
                }
                _ => plan.backward_data(&ctx, &source, &packed, epilogue, &mut y, &mut scratch),
            }
            let y = match layout {
                Layout::Nchw => y,
                Layout::Nhwc => channels_first(&y, case.batch, to),
            };
            assert_exact(&format!("{case} {name}"), &y, &want);
        }
    }
}

#[test]
fn problems_without_a_short_convolution_are_refused_with_the_reason() {
    let refusal = |desc: ConvDesc, shape: &[usize], direction| {
        let geometry = desc.resolve(shape).unwrap();
        let options = ConvOptions {
            algorithm: Some(Algorithm::Winograd4),
            ..ConvOptions::default()
        };
        ConvPlan::new(&geometry, direction, options)
            .map(drop)
            .unwrap_err()
            .refusal
    };
    let shape = [1, 8, 12, 12];
    let forward = Direction::Forward;
    assert_eq!(
        refusal(ConvDesc::new(8, 3).stride(2), &shape, forward),
        Refusal::Strided
    );
    assert_eq!(
        refusal(
            ConvDesc::new(8, 3).dilation(13).padding(13),
            &shape,
            forward
        ),
        Refusal::Reach
    );
    assert_eq!(
        refusal(ConvDesc::new(8, 3).groups(2), &shape, forward),
        Refusal::Groups
    );
    for kernel in [1, 2, 4, 7, 9] {
        // Seven taps by four elements would need ten points.
        assert_eq!(
            refusal(ConvDesc::new(8, kernel), &shape, forward),
            Refusal::KernelSize
        );
    }
    let deep = refusal(ConvDesc::new(8, 3), &[1, 8, 5, 12, 12], forward);
    assert_eq!(deep, Refusal::Depth);
}

#[test]
fn strict_sums_are_never_short() {
    let geometry = ConvDesc::new(64, 3)
        .padding(1)
        .resolve(&[4, 64, 28, 28])
        .unwrap();
    let plan = |strict| {
        let options = ConvOptions {
            strict,
            ..ConvOptions::default()
        };
        ConvPlan::new(&geometry, Direction::Forward, options).unwrap()
    };
    assert!(plan(false).algorithm().reassociates());
    assert_eq!(plan(true).algorithm(), Algorithm::Direct);
    assert!(
        plan(true)
            .refused()
            .contains(&(Algorithm::Winograd4, Refusal::Strict))
    );
}
