//! Pools with known answers.

use crate::{assert_near, counting};
use testkit::{PoolCase, draw::pool_cases, escaped};

#[test]
fn pytorch_average_ceil() {
    let case = PoolCase::new(1, 1, [4, 4], [3, 3])
        .stride([2, 2])
        .padding([1, 1])
        .ceil();
    let y = case.average_forward(&counting(16), true);
    let want = [1.5556, 3.3333, 2.0, 6.3333, 11.0, 6.0, 4.5, 7.5, 4.0];
    assert_near(&y, &want, 5e-5);
}

#[test]
fn average_of_ones_by_divisor() {
    let case = PoolCase::new(1, 1, [3, 3], [3, 3]).padding([1, 1]);
    let counted = case.average_forward(&[1.0; 9], true);
    let (corner, edge) = (4.0 / 9.0, 6.0 / 9.0);
    let want = [corner, edge, corner, edge, 1.0, edge, corner, edge, corner];
    assert_near(&counted, &want, 1e-15);

    for case in pool_cases(11, 60) {
        let ones = vec![1.0; case.input_len()];
        let seen = case.max_forward(&ones).indices;
        let averages = case.average_forward(&ones, false);
        for (average, seen) in averages.iter().zip(seen) {
            let want = if seen.is_some() { 1.0 } else { 0.0 };
            assert_eq!(*average, want, "{}", case.average_problem(false));
        }
    }
}

#[test]
fn asymmetric_padding_counts_on_its_own_side() {
    // Padded: · · 1 2 3 ·; windows of 2 at 0, 2, 4.
    let case = PoolCase::new(1, 1, [3], [2])
        .stride([2])
        .padding_sides([2], [1]);
    assert_eq!(case.average_forward(&counting(3), true), [0.0, 1.5, 1.5]);
    assert_eq!(case.average_forward(&counting(3), false), [0.0, 1.5, 3.0]);
    assert_eq!(
        case.average_backward(&[9.0, 4.0, 6.0], true),
        [2.0, 2.0, 3.0]
    );
    assert_eq!(
        case.average_backward(&[9.0, 4.0, 6.0], false),
        [2.0, 2.0, 6.0]
    );
}

#[test]
fn onnx_max_dilated_ceil_and_reduced_by_one() {
    let sixteen = counting(16);
    let dilated = PoolCase::new(1, 1, [4, 4], [2, 2]).dilation([2, 2]);
    let ceil = PoolCase::new(1, 1, [4, 4], [3, 3]).stride([2, 2]).ceil();
    for case in [dilated, ceil] {
        assert_eq!(case.max_forward(&sixteen).values, [11.0, 12.0, 15.0, 16.0]);
    }
    let reduced = PoolCase::new(1, 1, [2, 2], [1, 1]).stride([2, 2]).ceil();
    assert_eq!(reduced.max_forward(&counting(4)).values, [1.0]);
}

#[test]
fn onnx_max_indices() {
    let case = PoolCase::new(1, 1, [5, 5], [5, 5]).padding([2, 2]);
    let maxima = case.max_forward(&counting(25));
    assert_eq!(maxima.values[..5], [13.0, 14.0, 15.0, 15.0, 15.0]);
    let indices: Vec<_> = maxima.indices.into_iter().flatten().collect();
    assert_eq!(indices[..5], [12, 13, 14, 14, 14]);
    assert_eq!(indices[20..], [22, 23, 24, 24, 24]);
}

#[test]
fn first_of_equal_maxima_takes_the_gradient() {
    let case = PoolCase::new(2, 1, [2, 2], [2, 2]);
    let x = [1.0, 5.0, 5.0, 5.0, 3.0, 3.0, 3.0, 3.0];
    let dx = case.max_backward(&x, &[7.0, 9.0]);
    assert_eq!(dx, [0.0, 7.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0]);
}

#[test]
fn overlapping_windows_add_their_gradients() {
    let case = PoolCase::new(1, 1, [4], [3]);
    assert_eq!(
        case.max_backward(&[0.0, 1.0, 9.0, 2.0], &[3.0, 4.0]),
        [0.0, 0.0, 7.0, 0.0]
    );
}

#[test]
fn nan_beats_every_number_and_the_last_nan_wins() {
    let case = PoolCase::new(1, 1, [4], [4]);
    let maxima = case.max_forward(&[1.0, f64::NAN, f64::NAN, f64::INFINITY]);
    assert!(maxima.values[0].is_nan());
    assert_eq!(maxima.indices, [Some(2)]);
}

#[test]
fn all_minus_infinity_has_a_first_maximum_and_no_image_has_none() {
    let case = PoolCase::new(1, 1, [3], [2])
        .stride([2])
        .padding_sides([2], [1]);
    let maxima = case.max_forward(&[f64::NEG_INFINITY; 3]);
    assert_eq!(maxima.values, [f64::NEG_INFINITY; 3]);
    assert_eq!(maxima.indices, [None, Some(0), Some(2)]);
    assert_eq!(
        case.max_backward(&counting(3), &[5.0, 6.0, 7.0]),
        [0.0, 6.0, 7.0]
    );
}

#[test]
fn global_pools_are_the_mean_and_the_maximum() {
    let case = PoolCase::global(1, 2, [2, 3]);
    assert_eq!(case.average_forward(&counting(12), true), [3.5, 9.5]);
    assert_eq!(case.max_forward(&counting(12)).values, [6.0, 12.0]);
}

#[test]
fn onnx_lp_dilated() {
    // The onnx backend test `lppool_2d_dilations`.
    let case = PoolCase::new(1, 1, [4, 4], [2, 2]).dilation([2, 2]);
    let want = [
        14.560_219_778_561_036,
        16.248_076_809_271_92,
        21.633_307_652_783_937,
        23.494_680_248_941_46,
    ];
    assert_near(&case.lp_forward(&counting(16), 2.0), &want, 1e-14);
}

#[test]
fn norms_of_a_window() {
    let case = PoolCase::new(1, 1, [2], [2]);
    let x = [-3.0, 4.0];
    assert_near(&case.lp_forward(&x, 1.0), &[7.0], 1e-15);
    assert_near(&case.lp_forward(&x, 2.0), &[5.0], 1e-15);
    assert_near(&case.lp_forward(&x, 3.0), &[91f64.cbrt()], 1e-14);
    assert_near(&case.lp_backward(&x, &[10.0], 1.0), &[-10.0, 10.0], 1e-15);
    assert_near(&case.lp_backward(&x, &[10.0], 2.0), &[-6.0, 8.0], 1e-14);
    // A large order comes to the maximum; a window of zeros has no direction.
    assert_near(&case.lp_forward(&x, 400.0), &[4.0], 1e-12);
    assert_eq!(case.lp_backward(&[0.0; 2], &[1.0], 1.5), [0.0, 0.0]);
    // Padding counts as zeros, and so does a window that sees nothing else.
    let padded = PoolCase::new(1, 1, [1], [1]).padding_sides([1], [0]);
    assert_eq!(padded.lp_forward(&[-2.0], 3.0), [0.0, 2.0]);
}

#[test]
fn ceil_sizes_are_those_of_the_formula() {
    for case in pool_cases(12, 200) {
        for (axis, size) in case.output_size().into_iter().enumerate() {
            let (n, s) = (case.input[axis] as i64, case.stride[axis] as i64);
            let (before, after) = (case.before[axis] as i64, case.after[axis] as i64);
            let extent = (case.dilation[axis] * (case.kernel[axis] - 1) + 1) as i64;
            let round = if case.ceil { s - 1 } else { 0 };
            let mut want = (n + before + after - extent + round).div_euclid(s) + 1;
            if case.ceil && (want - 1) * s >= n + before {
                want -= 1;
            }
            assert_eq!(size as i64, want, "{}", case.max_problem());
        }
    }
}

#[test]
fn sizes_of_escaped_cases() {
    let sizes: Vec<_> = escaped::pools()
        .iter()
        .map(|(_, case)| case.output_size())
        .collect();
    assert_eq!(sizes, [[2, 2], [3, 3], [5, 7], [3, 3], [4, 2]]);
}
