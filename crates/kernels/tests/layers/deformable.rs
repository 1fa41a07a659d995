use geometry::{DeformableGeometry, Problem};
use kernels::conv::{Direction, Epilogue};
use kernels::deformable::{DeformableOptions, DeformablePlan, Gradients, Sources, reference};
use kernels::{Activation, Context, Isa, Team};
use tensor::Layout;
use testkit::compare::{assert_close, assert_exact, magnitude, widen};
use testkit::deformable::{DeformableCase, Inputs};
use testkit::draw::conv_cases;
use testkit::{ConvCase, Draw, gradient};

use crate::every::{as_nchw, laid_out, operand, result, way};

/// A problem and its numbers, maps in NCHW.
struct Numbers {
    case: DeformableCase,
    x: Vec<f32>,
    offset: Vec<f32>,
    mask: Option<Vec<f32>>,
    w: Vec<f32>,
    dy: Vec<f32>,
}

impl Numbers {
    /// Integers, and quarters for offsets and mask: every sum is exact. Many samples fall on pixels, on
    /// the border, and off the map.
    fn exact(case: DeformableCase, modulated: bool, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let quarters = |draw: &mut Draw, len: usize, from: f32, below: usize| -> Vec<f32> {
            (0..len)
                .map(|_| from + draw.below(below) as f32 / 4.0)
                .collect()
        };
        Self {
            x: draw.integers(case.conv.input_len()),
            offset: quarters(&mut draw, case.offset_len(), -3.0, 25),
            mask: modulated.then(|| quarters(&mut draw, case.mask_len(), 0.0, 5)),
            w: draw.integers(case.conv.weight_len()),
            dy: draw.integers(case.conv.output_len()),
            case,
        }
    }

    /// Reals; offsets and masks are multiples of 2⁻¹⁰, so that at least the places are exact.
    fn real(case: DeformableCase, modulated: bool, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let fine = |draw: &mut Draw, len: usize| -> Vec<f32> {
            let reals = draw.reals(len).into_iter();
            reals.map(|v| (v * 3072.0).round() / 1024.0).collect()
        };
        Self {
            x: draw.reals(case.conv.input_len()),
            offset: fine(&mut draw, case.offset_len()),
            mask: modulated.then(|| fine(&mut draw, case.mask_len())),
            w: draw.reals(case.conv.weight_len()),
            dy: draw.reals(case.conv.output_len()),
            case,
        }
    }

    fn geometry(&self) -> DeformableGeometry {
        let text = self.name();
        match text.parse() {
            Ok(Problem::ConvDeformable(shape, desc)) => desc
                .resolve(&shape.dims)
                .unwrap_or_else(|error| panic!("{text}: {error}")),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn name(&self) -> String {
        self.case.problem(self.mask.is_some())
    }

    /// Output, and the gradients of input, offsets, mask (if any) and weights, by the oracle.
    fn want(&self) -> Vec<Vec<f64>> {
        let mask = self.mask.as_deref().map(widen);
        let (x, offset, w) = (widen(&self.x), widen(&self.offset), widen(&self.w));
        let inputs = Inputs {
            x: &x,
            offset: &offset,
            mask: mask.as_deref(),
            w: &w,
        };
        let y = self.case.forward(inputs, None);
        let gradients = self.case.backward(inputs, &widen(&self.dy));
        let mut want = vec![y, gradients.x, gradients.offset];
        want.extend(mask.is_some().then_some(gradients.mask));
        want.push(gradients.w);
        want
    }

    /// All maps in a layout.
    fn maps(&self, layout: Layout) -> Maps {
        let conv = &self.case.conv;
        let taps: usize = conv.kernel.iter().product();
        let samples = self.case.offset_groups * taps;
        let map = |values: &[f32], channels| laid_out(layout, values, conv.batch, channels);
        Maps {
            x: map(&self.x, conv.in_channels),
            offset: map(&self.offset, 2 * samples),
            mask: self.mask.as_ref().map(|mask| map(mask, samples)),
            dy: map(&self.dy, conv.out_channels),
            samples,
        }
    }
}

struct Maps {
    x: Vec<f32>,
    offset: Vec<f32>,
    mask: Option<Vec<f32>>,
    dy: Vec<f32>,
    samples: usize,
}

/// Everything a plan computes, on guarded memory full of NaN; maps come back in NCHW.
fn planned(ctx: &Context<'_>, layout: Layout, numbers: &Numbers, maps: &Maps) -> Vec<Vec<f32>> {
    let geometry = numbers.geometry();
    let (batch, channels) = (geometry.conv.batch, geometry.conv.in_channels);
    let options = DeformableOptions {
        layout,
        isa: ctx.isa,
    };
    let plan = |direction| DeformablePlan::new(&geometry, direction, options);
    let scratch = |plan: &DeformablePlan| result(plan.scratch_len(ctx.team.threads()));
    let pack = |plan: &DeformablePlan| {
        let mut packed = result(plan.packed_len());
        plan.pack(ctx, &operand(&numbers.w), &mut packed);
        packed
    };
    let (x, offset, dy) = (operand(&maps.x), operand(&maps.offset), operand(&maps.dy));
    let mask = maps.mask.as_deref().map(operand);
    let sources = Sources {
        x: &x,
        offset: &offset,
        mask: mask.as_deref(),
    };

    let forward = plan(Direction::Forward);
    let mut y = result(dy.len());
    let packed = pack(&forward);
    let epilogue = Epilogue::default();
    forward.forward(
        ctx,
        sources,
        &packed,
        epilogue,
        &mut y,
        &mut scratch(&forward),
    );

    let data = plan(Direction::BackwardData);
    let (mut dx, mut doffset) = (result(x.len()), result(offset.len()));
    let mut dmask = mask.as_ref().map(|mask| result(mask.len()));
    let packed = pack(&data);
    let gradients = Gradients {
        x: &mut dx,
        offset: &mut doffset,
        mask: dmask.as_deref_mut(),
    };
    data.backward_data(ctx, sources, &dy, &packed, gradients, &mut scratch(&data));

    let weights = plan(Direction::BackwardWeights);
    let mut dw = result(numbers.w.len());
    weights.backward_weights(ctx, sources, &dy, &mut dw, &mut scratch(&weights));

    let mut all = vec![
        as_nchw(layout, &y, batch, geometry.conv.out_channels),
        as_nchw(layout, &dx, batch, channels),
        as_nchw(layout, &doffset, batch, 2 * maps.samples),
    ];
    all.extend(dmask.map(|dmask| as_nchw(layout, &dmask, batch, maps.samples)));
    all.push(dw.to_vec());
    all
}

/// The same by the definition, in any element type.
fn defined<T: kernels::Real>(
    ctx: &Context<'_>,
    layout: Layout,
    numbers: &Numbers,
    maps: &Maps,
) -> Vec<Vec<f64>> {
    let geometry = numbers.geometry();
    let (batch, channels) = (geometry.conv.batch, geometry.conv.in_channels);
    let of = |values: &[f32]| -> Vec<T> { values.iter().map(|&v| T::of(v.into())).collect() };
    let (x, offset, dy, w) = (of(&maps.x), of(&maps.offset), of(&maps.dy), of(&numbers.w));
    let mask = maps.mask.as_deref().map(of);
    let sources = Sources {
        x: &x,
        offset: &offset,
        mask: mask.as_deref(),
    };
    let nan = |len: usize| vec![T::nan(); len];
    let (mut y, mut dx, mut doffset) = (nan(dy.len()), nan(x.len()), nan(offset.len()));
    let (mut dmask, mut dw) = (mask.as_ref().map(|mask| nan(mask.len())), nan(w.len()));
    reference::forward(ctx, layout, &geometry, sources, &w, None, &mut y);
    let gradients = Gradients {
        x: &mut dx,
        offset: &mut doffset,
        mask: dmask.as_deref_mut(),
    };
    reference::backward_data(ctx, layout, &geometry, sources, &dy, &w, gradients);
    reference::backward_weights(ctx, layout, &geometry, sources, &dy, &mut dw);
    let mut all = vec![
        as_nchw(layout, &y, batch, geometry.conv.out_channels),
        as_nchw(layout, &dx, batch, channels),
        as_nchw(layout, &doffset, batch, 2 * maps.samples),
    ];
    all.extend(dmask.map(|dmask| as_nchw(layout, &dmask, batch, maps.samples)));
    all.push(dw);
    let wide = |values: &Vec<T>| values.iter().map(|v| v.wide()).collect();
    all.iter().map(wide).collect()
}

/// Runs a problem in every way; all of it must equal the oracle exactly.
fn assert_every_way(numbers: &Numbers) {
    let want = numbers.want();
    for layout in Layout::ALL {
        let maps = numbers.maps(layout);
        let name = format!("{layout} {}", numbers.name());
        way(
            &name,
            |ctx| planned(ctx, layout, numbers, &maps),
            |problem, got| {
                assert_eq!(got.len(), want.len());
                for (got, want) in got.iter().zip(&want) {
                    assert_exact(problem, got, want);
                }
            },
        );
        for threads in [1, 3] {
            let team = Team::new(threads).unwrap();
            let isa = Isa::best();
            let ctx = Context { team: &team, isa };
            assert_eq!(defined::<f32>(&ctx, layout, numbers, &maps), want, "{name}");
            assert_eq!(defined::<f64>(&ctx, layout, numbers, &maps), want, "{name}");
        }
    }
}

/// Convolutions of two spatial axes with as many offset groups as may be, or fewer.
fn cases(seed: u64, count: usize) -> Vec<(DeformableCase, bool)> {
    let mut draw = Draw::new(seed);
    let convs = conv_cases(seed, 2 * count).into_iter();
    convs
        .filter(|conv| conv.input.len() == 2)
        .map(|conv| {
            let channels = conv.in_channels;
            let divisors: Vec<usize> = (1..=channels)
                .filter(|&d| channels.is_multiple_of(d))
                .collect();
            let offset_groups = draw.pick(&divisors);
            (
                DeformableCase {
                    conv,
                    offset_groups,
                },
                draw.once_in(2),
            )
        })
        .collect()
}

#[test]
fn drawn_problems_are_exact() {
    for (seed, (case, modulated)) in cases(41, 56).into_iter().enumerate() {
        assert_every_way(&Numbers::exact(case, modulated, seed as u64));
    }
}

#[test]
fn the_problem_of_torchvision_in_batches_of_33_and_64() {
    // vision#2817: batches that do not divide into the chunks of 32 were wrong.
    for (batch, modulated) in [(33, false), (33, true), (64, true)] {
        let conv = ConvCase::new(batch, 6, 2, [5, 4], [3, 2])
            .stride([2, 1])
            .padding([1, 0])
            .dilation([2, 1])
            .groups(2);
        let case = DeformableCase {
            conv,
            offset_groups: 3,
        };
        assert_every_way(&Numbers::exact(case, modulated, batch as u64));
    }
}

#[test]
fn bands_strips_and_chunks_have_no_seams() {
    // Few images of many channels are cut into bands; many pixels into strips and chunks of columns.
    for (conv, offset_groups) in [
        (ConvCase::new(1, 96, 5, [6, 7], [2, 3]).padding([1, 1]), 4),
        (ConvCase::new(2, 192, 6, [4, 5], [1, 2]).groups(3), 8),
        (ConvCase::new(1, 40, 3, [41, 43], [1, 1]), 1),
        (ConvCase::new(3, 1, 2, [70, 66], [3, 3]).padding([1, 1]), 1),
    ] {
        let case = DeformableCase {
            conv,
            offset_groups,
        };
        assert_every_way(&Numbers::exact(case, true, 5));
    }
}

#[test]
fn reals_stay_within_the_bound_of_their_sums() {
    let conv = ConvCase::new(2, 80, 48, [9, 11], [3, 3])
        .stride([1, 2])
        .padding([1, 2]);
    let case = DeformableCase {
        conv,
        offset_groups: 2,
    };
    let numbers = Numbers::real(case, true, 9);
    let want = numbers.want();
    // The sums of absolute values; of the offsets' gradients those of both ends of a slope.
    let absolute = |values: &[f32]| values.iter().map(|v| v.abs()).collect();
    let sizes = Numbers {
        x: absolute(&numbers.x),
        w: absolute(&numbers.w),
        dy: absolute(&numbers.dy),
        mask: numbers.mask.as_deref().map(absolute),
        case: numbers.case.clone(),
        offset: numbers.offset.clone(),
    }
    .want();
    let unit = 2f64.powi(-24);
    for layout in Layout::ALL {
        let maps = numbers.maps(layout);
        way(
            &format!("{layout} {}", numbers.name()),
            |ctx| planned(ctx, layout, &numbers, &maps),
            |problem, got| {
                // Terms of a sum: samples of an output, outputs of an input, both of an offset or a
                // mask, places of a weight.
                let terms = [80 * 9, 48 * 9 * 9, 48 * 40, 48 * 40, 2 * 9 * 6];
                for (index, (got, want)) in got.iter().zip(&want).enumerate() {
                    if index == 2 {
                        // A slope is a difference, whose size the gradient of a sample's value bounds.
                        let bound = vec![1e-4; want.len()];
                        assert_close(problem, got, want, &bound);
                        continue;
                    }
                    let factor = (terms[index] + 8) as f64 * unit;
                    let bound: Vec<f64> = magnitude(&sizes[index])
                        .iter()
                        .map(|m| m * factor)
                        .collect();
                    assert_close(problem, got, want, &bound);
                }
            },
        );
    }
}

#[test]
fn without_offsets_it_is_the_plain_convolution() {
    for (seed, (case, _)) in cases(42, 12).into_iter().enumerate() {
        let mut numbers = Numbers::exact(case, false, seed as u64);
        numbers.offset.fill(0.0);
        let conv = &numbers.case.conv;
        let (x, w, dy) = (widen(&numbers.x), widen(&numbers.w), widen(&numbers.dy));
        let want = [
            conv.forward(&x, &w, None),
            conv.backward_data(&dy, &w),
            conv.backward_weights(&x, &dy),
        ];
        for layout in Layout::ALL {
            let maps = numbers.maps(layout);
            way(
                &format!("{layout} {} plain", numbers.name()),
                |ctx| planned(ctx, layout, &numbers, &maps),
                |problem, got| {
                    for (index, want) in [0, 1, 3].into_iter().zip(&want) {
                        assert_exact(problem, &got[index], want);
                    }
                },
            );
        }
    }
}

#[test]
fn whole_offsets_read_whole_pixels() {
    let conv = ConvCase::new(2, 5, 3, [7, 6], [3, 2])
        .stride([2, 1])
        .padding([1, 2])
        .dilation([1, 3]);
    let case = DeformableCase {
        conv,
        offset_groups: 5,
    };
    let mut numbers = Numbers::exact(case, false, 8);
    numbers.offset = Draw::new(9).integers(numbers.offset.len());
    let conv = &numbers.case.conv;
    let [rows, columns] = [4, 7];
    assert_eq!(conv.output_size(), [rows, columns]);
    let mut want = vec![0.0; conv.output_len()];
    for (index, y) in want.iter_mut().enumerate() {
        let (n, o) = (index / (3 * rows * columns), index / (rows * columns) % 3);
        let (row, column) = (index / columns % rows, index % columns);
        for (c, tap) in (0..5).flat_map(|c| (0..6).map(move |tap| (c, tap))) {
            let offset = ((n * 5 + c) * 12 + 2 * tap) * rows * columns + row * columns + column;
            let down = numbers.offset[offset] as isize;
            let across = numbers.offset[offset + rows * columns] as isize;
            let y_at = (row * 2 + tap / 2) as isize - 1 + down;
            let x_at = (column + tap % 2 * 3) as isize - 2 + across;
            if (0..7).contains(&y_at) && (0..6).contains(&x_at) {
                let x = numbers.x[((n * 5 + c) * 7 + y_at as usize) * 6 + x_at as usize];
                *y += f64::from(x * numbers.w[(o * 5 + c) * 6 + tap]);
            }
        }
    }
    for layout in Layout::ALL {
        let maps = numbers.maps(layout);
        way(
            &format!("{layout} whole offsets"),
            |ctx| planned(ctx, layout, &numbers, &maps),
            |problem, got| assert_exact(problem, &got[0], &want),
        );
    }
}

#[test]
fn samples_moved_by_nan_or_without_end_are_off_the_map() {
    let conv = ConvCase::new(2, 18, 5, [6, 5], [3, 2]).padding([1, 1]);
    let case = DeformableCase {
        conv,
        offset_groups: 2,
    };
    let mut numbers = Numbers::exact(case, true, 4);
    let mut draw = Draw::new(4);
    let odd = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        -1e30,
        3e9,
    ];
    for offset in &mut numbers.offset {
        if draw.once_in(4) {
            *offset = draw.pick(&odd);
        }
    }
    assert_every_way(&numbers);
}

#[test]
fn the_epilogue_adds_bias_and_residual_and_then_activates() {
    let conv = ConvCase::new(2, 6, 20, [9, 7], [3, 3]).padding([1, 1]);
    let case = DeformableCase {
        conv,
        offset_groups: 1,
    };
    let numbers = Numbers::exact(case, true, 6);
    let geometry = numbers.geometry();
    let (bias, residual) = (
        Draw::new(1).integers(20),
        Draw::new(2).integers(numbers.dy.len()),
    );
    let sums = &numbers.want()[0];
    let want: Vec<f64> = sums
        .iter()
        .enumerate()
        .map(|(i, sum)| sum + f64::from(bias[i / 63 % 20]) + f64::from(residual[i]))
        .map(|v| v.max(0.0))
        .collect();
    for layout in Layout::ALL {
        let maps = numbers.maps(layout);
        let residual = laid_out(layout, &residual, 2, 20);
        way(
            &format!("{layout} epilogue"),
            |ctx| {
                let options = DeformableOptions {
                    layout,
                    isa: ctx.isa,
                };
                let plan = DeformablePlan::new(&geometry, Direction::Forward, options);
                let mut packed = result(plan.packed_len());
                plan.pack(ctx, &numbers.w, &mut packed);
                let sources = Sources {
                    x: &maps.x,
                    offset: &maps.offset,
                    mask: maps.mask.as_deref(),
                };
                let epilogue = Epilogue {
                    bias: Some(&bias),
                    residual: Some(&residual),
                    activation: Some(Activation::Relu),
                };
                let mut y = result(want.len());
                let mut scratch = result(plan.scratch_len(ctx.team.threads()));
                plan.forward(ctx, sources, &packed, epilogue, &mut y, &mut scratch);
                vec![as_nchw(layout, &y, 2, 20)]
            },
            |problem, got| assert_exact(problem, &got[0], &want),
        );
    }
    let team = Team::new(1).unwrap();
    let isa = Isa::best();
    let ctx = Context { team: &team, isa };
    let sources = Sources {
        x: &numbers.x,
        offset: &numbers.offset,
        mask: numbers.mask.as_deref(),
    };
    let mut y = vec![f32::NAN; want.len()];
    let (layout, bias) = (Layout::Nchw, Some(&bias[..]));
    reference::forward(&ctx, layout, &geometry, sources, &numbers.w, bias, &mut y);
    let with_bias: Vec<f64> = (0..y.len())
        .map(|i| sums[i] + f64::from(bias.unwrap()[i / 63 % 20]))
        .collect();
    assert_exact("reference with bias", &y, &with_bias);
}

#[test]
fn double_precision_gradients_are_differences() {
    let conv = ConvCase::new(2, 4, 6, [5, 4], [3, 2])
        .stride([2, 1])
        .padding([1, 0])
        .dilation([2, 1])
        .groups(2);
    let case = DeformableCase {
        conv,
        offset_groups: 2,
    };
    let numbers = Numbers::real(case, true, 12);
    let geometry = numbers.geometry();
    let (x, w, dy) = (widen(&numbers.x), widen(&numbers.w), widen(&numbers.dy));
    let mask = widen(numbers.mask.as_ref().unwrap());
    // Away from pixels, where the slope jumps.
    let offset: Vec<f64> = widen(&numbers.offset)
        .iter()
        .map(|v| v.floor() + 0.05 + 0.9 * (v - v.floor()))
        .collect();
    let team = Team::new(2).unwrap();
    let isa = Isa::best();
    let ctx = Context { team: &team, isa };
    let layout = Layout::Nchw;
    fn sources<'a>(x: &'a [f64], offset: &'a [f64], mask: &'a [f64]) -> Sources<'a, f64> {
        let mask = Some(mask);
        Sources { x, offset, mask }
    }
    let loss = |x: &[f64], offset: &[f64], mask: &[f64], w: &[f64]| -> f64 {
        let mut y = vec![f64::NAN; dy.len()];
        let sources = sources(x, offset, mask);
        reference::forward(&ctx, layout, &geometry, sources, w, None, &mut y);
        y.iter().zip(&dy).map(|(y, dy)| y * dy).sum()
    };
    let (mut dx, mut doffset) = (vec![f64::NAN; x.len()], vec![f64::NAN; offset.len()]);
    let (mut dmask, mut dw) = (vec![f64::NAN; mask.len()], vec![f64::NAN; w.len()]);
    let gradients = Gradients {
        x: &mut dx,
        offset: &mut doffset,
        mask: Some(&mut dmask),
    };
    let all = sources(&x, &offset, &mask);
    reference::backward_data(&ctx, layout, &geometry, all, &dy, &w, gradients);
    reference::backward_weights(&ctx, layout, &geometry, all, &dy, &mut dw);
    gradient::check(|x| loss(x, &offset, &mask, &w), &x, &dx).unwrap();
    gradient::check(|o| loss(&x, o, &mask, &w), &offset, &doffset).unwrap();
    gradient::check(|m| loss(&x, &offset, m, &w), &mask, &dmask).unwrap();
    gradient::check(|w| loss(&x, &offset, &mask, w), &w, &dw).unwrap();
}

#[test]
fn a_long_narrow_map_twice() {
    // vision#2598: 1000 × 110, the second call was wrong.
    let conv = ConvCase::new(1, 1, 1, [1000, 110], [3, 3]).padding([1, 1]);
    let case = DeformableCase {
        conv,
        offset_groups: 1,
    };
    let mut numbers = Numbers::exact(case, false, 2);
    numbers.offset.fill(0.0);
    let conv = &numbers.case.conv;
    let want = conv.forward(&widen(&numbers.x), &widen(&numbers.w), None);
    let maps = numbers.maps(Layout::Nhwc);
    let team = Team::new(2).unwrap();
    let isa = Isa::best();
    let ctx = Context { team: &team, isa };
    for _ in 0..2 {
        let got = planned(&ctx, Layout::Nhwc, &numbers, &maps);
        assert_exact("1000x110", &got[0], &want);
    }
}

#[test]
fn an_empty_batch_gives_empty_maps_and_zero_weights() {
    let case = DeformableCase {
        conv: ConvCase::new(0, 6, 4, [5, 4], [3, 3]).groups(2),
        offset_groups: 3,
    };
    assert_every_way(&Numbers::exact(case, true, 1));
}
