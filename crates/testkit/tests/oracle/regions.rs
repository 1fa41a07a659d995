//! Pools over regions with known answers.

use crate::{assert_near, counting, dot};
use testkit::compare::widen;
use testkit::gradient::check;
use testkit::regions::Sampling;
use testkit::{Draw, RegionsCase};

/// One image of 0, 1, 2, … and one region.
fn case(channels: usize, input: [usize; 2], bins: [usize; 2], region: [f64; 5]) -> RegionsCase {
    RegionsCase {
        batch: 1,
        channels,
        input,
        bins,
        position_sensitive: false,
        regions: vec![region],
        scale: 1.0,
    }
}

fn from_zero(len: usize) -> Vec<f64> {
    counting(len).iter().map(|v| v - 1.0).collect()
}

const CENTRE: Sampling = Sampling {
    points: 1,
    aligned: true,
};

#[test]
fn one_sample_in_the_middle_of_each_bin() {
    let case = case(1, [4, 4], [2, 2], [0.0, 0.0, 0.0, 4.0, 4.0]);
    let y = case.align(&from_zero(16), CENTRE, None);
    assert_eq!(y, [2.5, 4.5, 10.5, 12.5]);
    // Not aligned, everything lies half a pixel further: at rows and columns 1 and 3.
    let old = Sampling {
        aligned: false,
        ..CENTRE
    };
    assert_eq!(
        case.align(&from_zero(16), old, None),
        [5.0, 7.0, 13.0, 15.0]
    );
}

#[test]
fn an_adaptive_grid_has_a_sample_for_every_pixel() {
    let case = case(1, [6, 4], [2, 1], [0.0, 0.0, 0.0, 4.0, 6.0]);
    let adaptive = Sampling {
        points: 0,
        aligned: true,
    };
    // The means of the upper and of the lower half.
    assert_eq!(case.align(&from_zero(24), adaptive, None), [5.5, 17.5]);
}

#[test]
fn regions_without_extent() {
    let point = case(1, [4, 4], [1, 1], [0.0, 2.5, 1.5, 2.5, 1.5]);
    let adaptive = |aligned| Sampling { points: 0, aligned };
    assert_eq!(point.align(&from_zero(16), adaptive(true), None), [0.0]);
    // Grown to a pixel from (1.5, 2.5): the middle is (2, 3).
    assert_eq!(point.align(&from_zero(16), adaptive(false), None), [11.0]);
    assert_eq!(point.align(&from_zero(16), CENTRE, None), [6.0]);
}

#[test]
fn the_map_goes_on_for_a_pixel() {
    let place = |x: f64| {
        let case = case(1, [1, 3], [1, 1], [0.0, x, 0.5, x, 0.5]);
        case.align(&[3.0, 5.0, 7.0], CENTRE, None)[0]
    };
    assert_eq!([place(-0.5), place(0.0), place(0.5)], [3.0, 3.0, 3.0]);
    assert_eq!([place(1.0), place(3.0), place(3.5)], [4.0, 7.0, 7.0]);
    assert_eq!([place(-0.75), place(3.75)], [0.0, 0.0]);
}

#[test]
fn offsets_move_bins_by_tenths_of_the_region() {
    let case = case(1, [8, 8], [1, 2], [0.0, 0.0, 0.0, 4.0, 2.0]);
    // The second bin: across by 0.1 · 2.5 · 4 = 1, down by 0.1 · 10 · 2 = 2.
    let offset = [0.0, 2.5, 0.0, 10.0];
    let y = case.align(&from_zero(64), CENTRE, Some((&offset, 0.1)));
    assert_near(&y, &[4.5, 4.5 + 2.0 + 1.0 + 16.0], 1e-12);
}

#[test]
fn position_sensitive_bins_read_channels_of_their_own() {
    let mut case = case(8, [4, 4], [2, 2], [0.0, 0.0, 0.0, 4.0, 4.0]);
    case.position_sensitive = true;
    let y = case.align(&from_zero(128), CENTRE, None);
    let plane = |channel: f64, at: f64| channel * 16.0 + at;
    let want = [
        [
            plane(0.0, 2.5),
            plane(1.0, 4.5),
            plane(2.0, 10.5),
            plane(3.0, 12.5),
        ],
        [
            plane(4.0, 2.5),
            plane(5.0, 4.5),
            plane(6.0, 10.5),
            plane(7.0, 12.5),
        ],
    ];
    assert_eq!(y, want.as_flattened());
    // Bins of whole pixels stop short of the last row and column.
    let y = case.average(&from_zero(128));
    assert_near(
        &y[..4],
        &[
            plane(0.0, 2.5),
            plane(1.0, 4.0),
            plane(2.0, 8.5),
            plane(3.0, 10.0),
        ],
        1e-12,
    );
}

#[test]
fn the_largest_pixel_of_each_bin() {
    let x = from_zero(20);
    let whole = case(1, [4, 5], [2, 2], [0.0, 0.0, 0.0, 4.0, 3.0]);
    let maxima = whole.max(&x);
    // Five columns in two bins: they share the middle one.
    assert_eq!(maxima.values, [7.0, 9.0, 17.0, 19.0]);
    assert_eq!(maxima.indices[0], Some(7));
    let dx = whole.max_backward(&x, &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!((dx[7], dx[9], dx[17], dx[19]), (1.0, 2.0, 3.0, 4.0));
    let off = case(1, [4, 5], [1, 1], [0.0, 9.0, 9.0, 12.0, 12.0]);
    assert_eq!(off.max(&x).values, [0.0]);
    assert_eq!(off.max(&x).indices, [None]);
    let half = RegionsCase {
        scale: 0.5,
        ..case(1, [4, 5], [1, 1], [0.0, 1.0, 3.0, 1.0, 3.0])
    };
    // 0.5 and 1.5 round away from 0.
    assert_eq!(half.max(&x).values, [11.0]);
}

#[test]
fn regions_of_no_image_give_nothing() {
    for region in [
        [1.0, 0.0, 0.0, 3.0, 3.0],
        [-1.0, 0.0, 0.0, 3.0, 3.0],
        [f64::NAN, 0.0, 0.0, 3.0, 3.0],
        [0.0, f64::NAN, 0.0, 3.0, 3.0],
    ] {
        let case = case(1, [4, 4], [1, 1], region);
        assert_eq!(case.align(&[1.0; 16], CENTRE, None), [0.0]);
        assert_eq!(case.max(&[1.0; 16]).values, [0.0]);
        assert_eq!(case.average(&[1.0; 16]), [0.0]);
    }
}

#[test]
fn gradients_are_differences() {
    let mut draw = Draw::new(31);
    let mut reals = |len: usize| widen(&draw.reals(len));
    for position_sensitive in [false, true] {
        for points in [0, 2] {
            let case = RegionsCase {
                batch: 2,
                channels: 12,
                input: [6, 7],
                bins: [3, 2],
                position_sensitive,
                regions: vec![[1.0, 1.3, 0.4, 9.1, 8.3], [0.0, -3.2, 2.1, 14.7, 11.9]],
                scale: 0.5,
            };
            let sampling = Sampling {
                points,
                aligned: true,
            };
            let x = reals(case.input_len());
            let dy = reals(case.output_len());
            let offset = reals(case.offset_len());
            let y = |x: &[f64], offset: &[f64]| case.align(x, sampling, Some((offset, 0.1)));
            let moves = Some((&offset[..], 0.1));
            let dx = case.align_backward(&dy, sampling, moves);
            check(|x| dot(&dy, &y(x, &offset)), &x, &dx).unwrap();
            let doffset = case.align_backward_offset(&x, &dy, sampling, (&offset, 0.1));
            check(|o| dot(&dy, &y(&x, o)), &offset, &doffset).unwrap();
            let dx = case.average_backward(&dy);
            check(|x| dot(&dy, &case.average(x)), &x, &dx).unwrap();
            let dx = case.max_backward(&x, &dy);
            check(|x| dot(&dy, &case.max(x).values), &x, &dx).unwrap();
        }
    }
}
