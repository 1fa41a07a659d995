//! Max unpooling.

use geometry::{PoolKind, UnpoolDesc, UnpoolGeometry};
use kernels::pool::{NO_SOURCE, max, unpool};
use kernels::{Context, Isa, Team};
use tensor::Layout;
use testkit::compare::{assert_exact, widen};
use testkit::draw::pool_cases;
use testkit::{Draw, PoolCase};

use super::geometry;
use crate::every::{as_nchw, laid_out, operand, result, way};

/// Unpooling from the maps a case pools to back to those it pools, whatever its windows.
fn undone(case: &PoolCase) -> UnpoolGeometry {
    let lifted = |sizes: &[usize]| {
        let mut all = [1; 3];
        all[3 - sizes.len()..].copy_from_slice(sizes);
        all
    };
    UnpoolGeometry {
        batch: case.batch,
        channels: case.channels,
        rank: case.input.len(),
        input: lifted(&case.output_size()),
        output: lifted(&case.input),
    }
}

/// Runs unpooling in every way against the oracle, with places given in NCHW.
fn assert_unpool(case: &PoolCase, places: &[Option<usize>]) {
    let geometry = undone(case);
    let (batch, channels) = (case.batch, case.channels);
    let planes = batch * channels;
    let image = case.input.iter().product();
    let mut draw = Draw::new(4);
    let (x, dy) = (draw.integers(places.len()), draw.integers(case.input_len()));
    let raw: Vec<u32> = places
        .iter()
        .map(|place| place.map_or(NO_SOURCE, |place| place as u32))
        .collect();
    unpool::check_places(&raw, image).unwrap();
    let as_floats: Vec<f32> = raw.iter().map(|&i| f32::from_bits(i)).collect();
    for layout in Layout::ALL {
        let places_map: Vec<u32> = laid_out(layout, &as_floats, batch, channels)
            .into_iter()
            .map(f32::to_bits)
            .collect();
        let x_map = laid_out(layout, &x, batch, channels);
        let dy_map = laid_out(layout, &dy, batch, channels);
        way(
            &format!("{layout} unpool {case:?}"),
            |context| {
                let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                let (x, dy) = (operand(&x_map), operand(&dy_map));
                unpool::forward(context, layout, &geometry, &x, &places_map, &mut y);
                unpool::backward(context, layout, &geometry, &dy, &places_map, &mut dx);
                [&y, &dx]
                    .map(|v| as_nchw(layout, v, batch, channels))
                    .into()
            },
            |problem, got| {
                let want = testkit::unpool::forward(&widen(&x), places, planes, image);
                assert_exact(problem, &got[0], &want);
                let want = testkit::unpool::backward(&widen(&dy), places, planes, image);
                assert_exact(problem, &got[1], &want);
            },
        );
    }
}

#[test]
fn values_return_to_the_places_of_maxima() {
    let wide = PoolCase::new(2, 83, [5, 6], [3, 2])
        .stride([2, 3])
        .padding([1, 1]);
    for (seed, case) in pool_cases(41, 24).iter().chain([&wide]).enumerate() {
        let x = Draw::new(seed as u64).integers(case.input_len());
        assert_unpool(case, &case.max_forward(&widen(&x)).indices);
    }
}

#[test]
fn any_places_will_do_and_the_last_wins() {
    for (seed, case) in pool_cases(42, 24).iter().enumerate() {
        let mut draw = Draw::new(seed as u64);
        let image = case.input.iter().product();
        let places: Vec<_> = (0..case.output_len())
            .map(|_| (!draw.once_in(5)).then(|| draw.below(image)))
            .collect();
        assert_unpool(case, &places);
    }
}

#[test]
fn pooling_and_unpooling_keeps_the_maxima() {
    // PyTorch's documentation: 1 … 16, pooled and unpooled 2×2.
    let case = PoolCase::new(1, 1, [4, 4], [2, 2]).stride([2, 2]);
    let pool = geometry(&case, PoolKind::Max);
    let back = UnpoolDesc::new(2).resolve(&[1, 1, 2, 2]).unwrap();
    assert_eq!(back, undone(&case));
    let x: Vec<f32> = (1..=16u8).map(f32::from).collect();
    for layout in Layout::ALL {
        way(
            "1 … 16",
            |context| {
                let (mut pooled, mut y) = (result(4), result(16));
                let mut places = [0; 4];
                let some = Some(&mut places[..]);
                max::forward(context, layout, &pool, &operand(&x), &mut pooled, some);
                unpool::forward(context, layout, &back, &pooled, &places, &mut y);
                vec![y.to_vec()]
            },
            |problem, got| {
                let want: Vec<f64> = (1..=16)
                    .map(|v| if [6, 8, 14, 16].contains(&v) { v } else { 0 })
                    .map(f64::from)
                    .collect();
                assert_exact(problem, &got[0], &want);
            },
        );
    }
}

#[test]
fn a_place_outside_the_plane_is_found() {
    assert_eq!(unpool::check_places(&[0, 8, NO_SOURCE], 9), Ok(()));
    assert_eq!(unpool::check_places(&[], 0), Ok(()));
    let error = unpool::check_places(&[0, 9, 10], 9).unwrap_err();
    assert_eq!((error.element, error.place, error.plane), (1, 9, 9));
    assert_eq!(
        error.to_string(),
        "place 9 of element 1 lies outside a plane of 9 elements"
    );
}

#[test]
fn no_kernel_writes_or_reads_outside_its_plane() {
    let geometry = UnpoolDesc::new(2).resolve(&[1, 2, 2]).unwrap();
    let team = Team::new(1).unwrap();
    let context = Context {
        team: &team,
        isa: Isa::best(),
    };
    // Four elements a plane: 5 lies in that of the next channel, 100 in nobody's.
    for place in [4, 5, 100] {
        let places = [place, 0, 1, 2];
        for layout in Layout::ALL {
            for backward in [false, true] {
                let run = || {
                    let (small, mut large) = ([1.0f32; 4], [0.0f32; 8]);
                    if backward {
                        let (dy, mut dx) = (large, small);
                        unpool::backward(&context, layout, &geometry, &dy, &places, &mut dx);
                    } else {
                        unpool::forward(&context, layout, &geometry, &small, &places, &mut large);
                    }
                };
                let run = std::panic::AssertUnwindSafe(run);
                assert!(
                    std::panic::catch_unwind(run).is_err(),
                    "{layout}, place {place}, backward {backward}"
                );
            }
        }
    }
}

#[test]
fn an_empty_batch_gives_nothing() {
    assert_unpool(&PoolCase::new(0, 3, [4, 4], [2, 2]), &[]);
}
