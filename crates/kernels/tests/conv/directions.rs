//! All three directions on drawn, escaped and real problems.

use kernels::conv::{ConvPlan, Direction, Epilogue};
use kernels::{Context, Team};
use tensor::Layout;
use testkit::compare::{assert_close, assert_exact, widen};
use testkit::conv::ConvCase;
use testkit::draw::{Draw, conv_cases};
use testkit::guard::GuardedF32;
use testkit::layout::channels_first;

use crate::plans::{plans, resolve, teams, to_layout};

/// One direction's operands and right answer, channels first.
pub(crate) struct Task {
    pub(crate) direction: Direction,
    pub(crate) first: Vec<f32>,
    pub(crate) second: Vec<f32>,
    pub(crate) want: Vec<f64>,
}

pub(crate) fn tasks(case: &ConvCase, x: &[f32], w: &[f32], dy: &[f32]) -> [Task; 3] {
    let (x64, w64, dy64) = (widen(x), widen(w), widen(dy));
    let task = |direction, first: &[f32], second: &[f32], want| Task {
        direction,
        first: first.to_vec(),
        second: second.to_vec(),
        want,
    };
    [
        task(Direction::Forward, x, w, case.forward(&x64, &w64, None)),
        task(
            Direction::BackwardData,
            dy,
            w,
            case.backward_data(&dy64, &w64),
        ),
        task(
            Direction::BackwardWeights,
            x,
            dy,
            case.backward_weights(&x64, &dy64),
        ),
    ]
}

/// Runs a task on guarded memory whose scratch and output start as NaN; the result channels first.
pub(crate) fn run(plan: &ConvPlan, layout: Layout, ctx: &Context<'_>, task: &Task) -> Vec<f32> {
    let g = plan.geometry();
    let (input, output) = (g.in_channels, g.out_channels);
    let guarded = |values: &[f32], channels: usize| {
        GuardedF32::from_slice(&to_layout(layout, values, g.batch, channels))
    };
    let nan = |len: usize| GuardedF32::from_slice(&vec![f32::NAN; len]);
    let mut scratch = nan(plan.scratch_len(ctx.team.threads()));
    let mut result = nan(task.want.len());
    let mut packed = nan(plan.packed_len());
    match task.direction {
        Direction::BackwardWeights => {
            let (x, dy) = (guarded(&task.first, input), guarded(&task.second, output));
            plan.backward_weights(ctx, &x, &dy, &mut result, &mut scratch);
            return result.to_vec();
        }
        Direction::Forward => {
            plan.pack(ctx, &GuardedF32::from_slice(&task.second), &mut packed);
            let x = guarded(&task.first, input);
            let epilogue = Epilogue::default();
            plan.forward(ctx, &x, &packed, epilogue, &mut result, &mut scratch);
        }
        Direction::BackwardData => {
            plan.pack(ctx, &GuardedF32::from_slice(&task.second), &mut packed);
            let dy = guarded(&task.first, output);
            plan.backward_data(
                ctx,
                &dy,
                &packed,
                Epilogue::default(),
                &mut result,
                &mut scratch,
            );
        }
    }
    let channels = match task.direction {
        Direction::Forward => output,
        _ => input,
    };
    match layout {
        Layout::Nchw => result.to_vec(),
        Layout::Nhwc => channels_first(&result, g.batch, channels),
    }
}

pub(crate) fn check(case: &ConvCase, teams: &[Team], seed: u64) -> usize {
    let geometry = resolve(case);
    let mut draw = Draw::new(seed);
    let x = draw.integers(case.input_len());
    let w = draw.integers(case.weight_len());
    let dy = draw.integers(case.output_len());
    let mut count = 0;
    for task in tasks(case, &x, &w, &dy) {
        for (name, plan, isa, layout) in plans(&geometry, task.direction) {
            // One team a plan, every team over the plans: each meets every kernel many times.
            let team = &teams[(seed as usize + count) % teams.len()];
            let ctx = Context { team, isa };
            let got = run(&plan, layout, &ctx, &task);
            let threads = team.threads();
            assert_exact(
                &format!("{case} {name} --threads {threads}"),
                &got,
                &task.want,
            );
            count += 1;
        }
    }
    count
}

#[test]
#[allow(clippy::print_stdout)] // the number of problems is what the test is about
fn drawn_problems_are_exact_on_integers() {
    let teams = teams();
    let mut plans = 0;
    for (seed, case) in conv_cases(1, 600).into_iter().enumerate() {
        plans += check(&case, &teams, seed as u64);
    }
    assert!(plans > 600 * 3 * 4, "only {plans} plans ran");
    println!("600 drawn problems in all directions, {plans} plans: all exact on guarded memory");
}

#[test]
fn problems_that_escaped_elsewhere_are_exact() {
    let teams = teams();
    for (seed, (report, case)) in testkit::escaped::convolutions().into_iter().enumerate() {
        assert!(check(&case, &teams, seed as u64) >= 6, "{report}");
    }
}

#[test]
fn layers_of_real_networks_are_exact() {
    let teams = teams();
    let case = |c, o, size, k, s, p, g| {
        ConvCase::new(2, c, o, [size, size + 1], [k, k])
            .stride([s, s])
            .padding([p, p])
            .groups(g)
    };
    for (seed, case) in [
        case(3, 16, 32, 3, 1, 1, 1),
        case(16, 16, 24, 3, 1, 1, 1),
        case(16, 32, 16, 3, 2, 1, 1),
        case(32, 80, 9, 3, 1, 1, 1),
        case(96, 48, 7, 1, 1, 0, 1),
        case(16, 32, 16, 1, 2, 0, 1),
        case(3, 64, 28, 7, 2, 3, 1),
        case(64, 64, 14, 3, 1, 1, 64),
        case(72, 72, 15, 3, 2, 1, 72),
        // Units enough for several rounds of fetching by a large team.
        case(12, 64, 100, 3, 1, 1, 1),
    ]
    .into_iter()
    .enumerate()
    {
        check(&case, &teams, seed as u64);
    }
}

/// A depthwise kernel slides over rows in tiles: every width that leaves another rest, with padding that is narrower than
/// the kernel, as wide and wider, the same before and after and not.
#[test]
fn depthwise_rows_of_all_widths_are_exact() {
    let teams = teams();
    let mut seed = 0;
    for kernel in [3, 4, 5] {
        for stride in [1, 2, 3] {
            for (before, after) in [
                (0, 0),
                (1, 1),
                (kernel - 1, 0),
                (2, kernel),
                (kernel + 1, 1),
            ] {
                for width in 5..=18 {
                    let channels = [3, 16, 35, 53][seed % 4];
                    let case = ConvCase::new(1, channels, channels, [4, width], [3, kernel]);
                    let case = case.stride([1, stride]).groups(channels);
                    let case = case.padding_sides([1, before], [0, after]);
                    check(&case, &teams, seed as u64);
                    seed += 1;
                }
            }
        }
    }
}

/// A kernel of three taps slides over the rows of maps with a single vector of channels: widths that leave every rest, maps
/// larger than the caches among them.
#[test]
fn rows_of_few_channels_are_exact() {
    let teams = teams();
    let mut seed = 0;
    for width in 5..=34 {
        let (input, output) = [(3, 16), (16, 8), (7, 13), (16, 16)][seed % 4];
        let height = [1, 3, 4][seed % 3];
        let case = ConvCase::new(2, input, output, [5, width], [height, 3]);
        let case = case.padding_sides([height / 2, seed % 4], [height / 2, 1]);
        check(&case, &teams, seed as u64);
        seed += 1;
    }
    let far = ConvCase::new(1, 5, 6, [300, 400], [3, 3]).padding([1, 1]);
    check(&far, &teams, seed as u64);
}

#[test]
fn single_pixels_are_exact() {
    let teams = teams();
    for (seed, (c, o)) in [(1, 1), (3, 7), (37, 23), (300, 70), (65, 1030), (33, 4)]
        .into_iter()
        .enumerate()
    {
        let case = ConvCase::new(1, c, o, [1, 1], [1, 1]);
        assert!(check(&case, &teams, seed as u64) >= 6);
    }
}

/// Few channels on either side, on maps whose rows are filled by tiles of every width, and cut in pieces where they are
/// long and deep.
#[test]
fn few_channels_are_exact() {
    let teams = teams();
    for (turn, width) in [5, 16, 40, 57, 75, 110, 131, 150, 230]
        .into_iter()
        .enumerate()
    {
        let few = 1 + turn;
        let (kernel, stride, dilation) = [(3, 1, 1), (7, 2, 1), (4, 2, 1), (3, 3, 2)][turn % 4];
        for (c, o) in [(few, 20), (20, few)] {
            let case = ConvCase::new(2, c, o, [9, width + 20], [3, kernel])
                .stride([1 + turn % 3, stride])
                .dilation([1 + turn % 2, dilation])
                .padding([1, kernel / 2]);
            check(&case, &teams, turn as u64);
        }
    }
    // Groups with few channels on one side and many on the other.
    for (c, o, groups) in [(60, 3, 3), (4, 80, 2), (10, 10, 10)] {
        let case = ConvCase::new(2, c, o, [7, 37], [3, 5]).padding([1, 2]);
        check(&case.groups(groups), &teams, 2);
    }
    for (c, o) in [(3, 200), (200, 2)] {
        let case = ConvCase::new(1, c, o, [4, 260], [3, 3]).padding([1, 1]);
        check(&case, &teams, 1);
    }
}

/// Pixels a multiple of 4 KiB apart are copied to where they do not evict each other: with one tap and with several, in
/// steps of two and not, inside the map and beyond it, in groups, in slices, over one vector of channels, as rows of columns.
#[test]
fn pixels_that_evict_each_other_are_exact() {
    let teams = teams();
    let case = |c, o, size: [usize; 2], k, s, p, g| {
        let case = ConvCase::new(2, c, o, size, [k, k]).groups(g);
        case.stride([s, s]).padding([p, p])
    };
    let volume = ConvCase::new(1, 1024, 20, [3, 2, 4], [2, 1, 1]).padding([1, 0, 0]);
    for (seed, case) in [
        case(1024, 40, [5, 4], 1, 1, 0, 1),
        case(1024, 20, [1, 17], 1, 1, 0, 1),
        case(2048, 6, [3, 5], 1, 1, 0, 2),
        case(512, 36, [7, 9], 1, 2, 0, 1),
        case(512, 24, [7, 6], 3, 2, 1, 1),
        case(512, 24, [7, 9], 3, 2, 0, 1),
        case(1024, 12, [4, 8], 3, 1, 1, 1),
        case(1024, 4, [3, 5], 1, 1, 1, 2),
        case(20, 1024, [4, 5], 3, 1, 1, 1),
        case(18, 1024, [7, 5], 1, 2, 0, 1),
        case(256, 18, [5, 6], 2, 1, 0, 1),
        case(256, 70, [4, 5], 2, 1, 0, 1),
        volume,
    ]
    .into_iter()
    .enumerate()
    {
        check(&case, &teams, seed as u64);
    }
}

/// Pointwise maps of whole vectors, whose gradients of weights are summed where the maps lie: rows that leave every rest, small
/// maps several images at a time, rows cut in pieces, slices of a volume; and images of few channels under kernels of several
/// widths, whose rows are cut into odd tiles.
#[test]
fn maps_of_whole_vectors_are_exact() {
    let teams = teams();
    let mut seed = 0;
    for c in (1..=27).chain([48, 100]) {
        let o = [64, 16, 48, 80, 32, 144][seed % 6];
        let size = [[7, 7], [3, 5], [17, 13], [2, 150]][seed % 4];
        check(&ConvCase::new(3, c, o, size, [1, 1]), &teams, seed as u64);
        seed += 1;
    }
    let volume = ConvCase::new(2, 20, 64, [3, 4, 5], [1, 1, 1]);
    check(&volume, &teams, 1);
    let deep = ConvCase::new(9, 13, 64, [3, 4, 5], [3, 1, 1]).padding([1, 0, 0]);
    check(&deep, &teams, 2);
    for (channels, kernel, o) in [(1, 5, 48), (3, 5, 16), (3, 7, 32), (3, 11, 48), (7, 3, 32)] {
        let case = ConvCase::new(2, channels, o, [17, 19], [kernel, kernel]);
        let case = case.stride([2, 2]).padding([kernel / 2, kernel / 2]);
        check(&case, &teams, seed as u64);
        seed += 1;
    }
}

#[test]
fn elements_that_no_tap_reaches_have_a_zero_gradient() {
    let teams = teams();
    for (seed, (kernel, stride)) in [(1, 3), (2, 5), (1, 40)].into_iter().enumerate() {
        let case = ConvCase::new(2, 9, 20, [41, 43], [kernel, 1]).stride([stride, 3]);
        check(&case, &teams, seed as u64);
    }
}

#[test]
fn a_plan_takes_memory_for_its_taps_and_not_for_its_stride() {
    let geometry = geometry::ConvDesc::new(1, 1)
        .stride(999_999)
        .resolve(&[1, 1, 1_000_000, 1_000_000])
        .unwrap();
    for direction in Direction::ALL {
        for (name, plan, ..) in plans(&geometry, direction) {
            assert!(plan.packed_len() <= 64, "{name}");
        }
    }
}

#[test]
fn results_are_bitwise_equal_for_every_team() {
    let teams = teams();
    for (c, o, size, k, s, g) in [
        (19, 37, 33, 3, 2, 1),
        (24, 24, 40, 5, 1, 24),
        (64, 96, 28, 1, 1, 1),
    ] {
        let case = ConvCase::new(5, c, o, [size, size], [k, k])
            .stride([s, s])
            .padding([k / 2, k / 2])
            .groups(g);
        let geometry = resolve(&case);
        let mut draw = Draw::new(7);
        let x = draw.reals(case.input_len());
        let w = draw.reals(case.weight_len());
        let dy = draw.reals(case.output_len());
        for direction in Direction::ALL {
            let (first, second, len) = match direction {
                Direction::Forward => (&x, &w, dy.len()),
                Direction::BackwardData => (&dy, &w, x.len()),
                Direction::BackwardWeights => (&x, &dy, w.len()),
            };
            let task = Task {
                direction,
                first: first.clone(),
                second: second.clone(),
                want: vec![0.0; len],
            };
            for (name, plan, isa, layout) in plans(&geometry, direction) {
                let bits = |team: &Team| -> Vec<u32> {
                    let result = run(&plan, layout, &Context { team, isa }, &task);
                    result.iter().map(|v| v.to_bits()).collect()
                };
                let alone = bits(&teams[0]);
                for team in &teams[1..] {
                    assert!(
                        bits(team) == alone,
                        "{case} {name}: {} threads differ",
                        team.threads()
                    );
                }
            }
        }
    }
}

/// Maps large enough for several partitions, which teams split further or not: blocked and padded, read where they lie, with a
/// panel of the gradient alone; as matrices of columns all of them.
#[test]
fn partitions_of_weights_are_bitwise_equal_for_every_team() {
    let teams = [1, 2, 4, 6].map(|threads| Team::new(threads).unwrap());
    for (c, o, size, k, p) in [(12, 64, 72, 3, 1), (20, 48, 70, 1, 0), (6, 16, 68, 3, 1)] {
        let case = ConvCase::new(2, c, o, [size, size], [k, k]).padding([p, p]);
        let geometry = resolve(&case);
        let mut draw = Draw::new(7);
        let task = Task {
            direction: Direction::BackwardWeights,
            first: draw.reals(case.input_len()),
            second: draw.reals(case.output_len()),
            want: vec![0.0; case.weight_len()],
        };
        for (name, plan, isa, layout) in plans(&geometry, task.direction) {
            let [alone, others @ ..] = teams
                .each_ref()
                .map(|team| run(&plan, layout, &Context { team, isa }, &task));
            for (got, team) in others.iter().zip(&teams[1..]) {
                let same = (got.iter().zip(&alone)).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{case} {name}: {} threads differ", team.threads());
            }
        }
    }
}

#[test]
fn reals_stay_within_the_bound_of_a_direct_sum() {
    let team = Team::new(2).unwrap();
    for (seed, case) in conv_cases(2, 120).into_iter().enumerate() {
        let geometry = resolve(&case);
        let mut draw = Draw::new(seed as u64);
        let x = draw.reals(case.input_len());
        let w = draw.reals(case.weight_len());
        let dy = draw.reals(case.output_len());
        let (x64, w64, dy64) = (widen(&x), widen(&w), widen(&dy));
        let bounds = [
            case.forward_bound(&x64, &w64, None),
            case.backward_data_bound(&dy64, &w64),
            case.backward_weights_bound(&x64, &dy64),
        ];
        for (task, bound) in tasks(&case, &x, &w, &dy).iter().zip(bounds) {
            for (name, plan, isa, layout) in plans(&geometry, task.direction) {
                let got = run(&plan, layout, &Context { team: &team, isa }, task);
                assert_close(&format!("{case} {name}"), &got, &task.want, &bound);
            }
        }
    }
}

#[test]
fn an_empty_batch_gives_an_empty_result_and_zero_gradients() {
    let geometry = geometry::ConvDesc::new(4, 3)
        .padding(1)
        .resolve(&[0, 3, 8, 8])
        .unwrap();
    let team = Team::new(2).unwrap();
    for direction in Direction::ALL {
        for (name, plan, isa, layout) in plans(&geometry, direction) {
            let weights = geometry.weight_count();
            let (second, want) = match direction {
                Direction::BackwardWeights => (vec![], vec![0.0; weights]),
                _ => (vec![1.0; weights], vec![]),
            };
            let task = Task {
                direction,
                first: vec![],
                second,
                want: want.clone(),
            };
            let got = run(&plan, layout, &Context { team: &team, isa }, &task);
            assert_exact(&name, &got, &want);
        }
    }
}

#[test]
fn kernels_that_cover_the_map_are_exact() {
    let teams = teams();
    for (seed, case) in [
        ConvCase::new(5, 7, 33, [4, 4], [4, 4]),
        ConvCase::new(17, 12, 20, [3, 5], [3, 5]).groups(2),
        ConvCase::new(1, 18, 40, [7, 2], [7, 2]).groups(1),
        ConvCase::new(3, 4, 9, [2, 3, 4], [2, 3, 4]),
        // The stride means nothing, and padding behind is never read.
        ConvCase::new(4, 6, 18, [3, 3], [3, 3])
            .stride([5, 4])
            .padding_sides([0, 0], [2, 1]),
        // More than are taken together.
        ConvCase::new(2, 3, 5, [17, 16], [17, 16]),
    ]
    .into_iter()
    .enumerate()
    {
        check(&case, &teams, seed as u64);
    }
}

#[test]
fn small_groups_are_exact_whatever_shares_a_vector() {
    let teams = teams();
    // Source and target channels of a group, and groups that leave the last vector part empty.
    for (seed, (sources, targets, groups)) in [
        (1, 2, 9),
        (2, 1, 17),
        (3, 3, 11),
        (4, 4, 8),
        (4, 4, 9),
        (5, 2, 7),
        (2, 7, 5),
        (8, 8, 3),
        (1, 8, 4),
        (8, 1, 5),
        (6, 4, 5),
    ]
    .into_iter()
    .enumerate()
    {
        let case = |size: [usize; 2], kernel: [usize; 2]| {
            ConvCase::new(2, sources * groups, targets * groups, size, kernel).groups(groups)
        };
        check(&case([6, 21], [3, 2]).padding([1, 1]), &teams, seed as u64);
        let strided = case([9, 8], [2, 3]).stride([3, 2]).padding([0, 2]);
        check(&strided, &teams, seed as u64);
    }
}

#[test]
fn weights_summed_over_several_small_images_at_once_are_exact() {
    let teams = teams();
    for (seed, case) in [
        // Panels of the gradient share packed rows; units are few or many, and do not divide evenly.
        ConvCase::new(11, 40, 70, [5, 7], [3, 3]).padding([1, 1]),
        ConvCase::new(7, 130, 96, [3, 4], [2, 1]),
        ConvCase::new(3, 20, 100, [30, 17], [1, 3]).padding([0, 1]),
        ConvCase::new(5, 24, 66, [4, 4], [1, 1]).groups(1),
        ConvCase::new(6, 36, 100, [6, 6], [3, 3]).groups(2),
    ]
    .into_iter()
    .enumerate()
    {
        check(&case, &teams, seed as u64);
    }
}

#[test]
fn strides_and_padding_beyond_all_measure_are_exact() {
    let teams = teams();
    let far = 4_294_967_295;
    for (seed, case) in [
        // Two outputs a side, of which only the first sees the map.
        ConvCase::new(1, 4, 4, [6, 6], [1, 1])
            .stride([far, far])
            .padding_sides([0, 0], [far - 5, far - 5]),
        ConvCase::new(1, 4, 4, [6, 6], [2, 2])
            .dilation([far, far])
            .padding_sides([0, 0], [far - 5, far - 5]),
        ConvCase::new(1, 3, 5, [6], [1])
            .stride([1 << 40])
            .padding_sides([0], [(1 << 40) - 6]),
        ConvCase::new(2, 3, 2, [7, 9], [3, 2])
            .stride([30_000, 50_000])
            .padding_sides([1, 0], [60_000, 100_000]),
        ConvCase::new(1, 8, 8, [4, 5], [2, 2])
            .dilation([1_000_000, 3])
            .padding_sides([1_000_000, 2], [0, 2])
            .groups(2),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(check(&case, &teams, seed as u64) > 0, "{case}");
    }
}
