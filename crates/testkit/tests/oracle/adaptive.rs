//! Adaptive pools and unpooling with known answers.

use crate::{assert_near, counting, dot};
use testkit::compare::widen;
use testkit::draw::adaptive_cases;
use testkit::{AdaptiveCase, Draw, PoolCase, unpool};

#[test]
fn bins_of_pytorch() {
    let bins = |n: usize, m: usize| AdaptiveCase::new(1, 1, [n], [m]).bins();
    assert_eq!(bins(5, 3), [vec![0, 1], vec![1, 2, 3], vec![3, 4]]);
    assert_eq!(
        bins(3, 5),
        [vec![0], vec![0, 1], vec![1], vec![1, 2], vec![2]]
    );
    assert_eq!(bins(4, 2), [[0, 1], [2, 3]]);
    // The formula with its rounding.
    for (n, m) in [(7, 3), (3, 7), (10, 7), (1, 4), (13, 13), (40, 9)] {
        for (o, bin) in bins(n, m).into_iter().enumerate() {
            let want = o * n / m..((o + 1) * n).div_ceil(m);
            assert_eq!(bin, want.collect::<Vec<_>>(), "{n} cells, bin {o} of {m}");
        }
    }
}

#[test]
fn means_and_maxima() {
    let case = AdaptiveCase::new(1, 1, [5], [3]);
    assert_near(&case.average_forward(&counting(5)), &[1.5, 3.0, 4.5], 1e-15);
    assert_eq!(
        case.average_backward(&[2.0, 3.0, 4.0]),
        [1.0, 2.0, 1.0, 3.0, 2.0]
    );
    let maxima = case.max_forward(&[1.0, 3.0, 3.0, 2.0, f64::NAN]);
    assert_eq!(maxima.values[..2], [3.0, 3.0]);
    assert!(maxima.values[2].is_nan());
    assert_eq!(maxima.indices, [Some(1), Some(1), Some(4)]);

    let case = AdaptiveCase::new(1, 1, [3, 4], [2, 3]);
    let maxima = case.max_forward(&counting(12));
    assert_eq!(maxima.values, [6.0, 7.0, 8.0, 10.0, 11.0, 12.0]);
    let want = [3.5, 4.5, 5.5, 7.5, 8.5, 9.5];
    assert_near(&case.average_forward(&counting(12)), &want, 1e-14);
}

#[test]
fn one_bin_is_global_pooling() {
    for case in adaptive_cases(3, 30) {
        let one = AdaptiveCase {
            output: vec![1; case.input.len()],
            ..case
        };
        let global = PoolCase::global(one.batch, one.channels, &one.input[..]);
        let x = widen(&Draw::new(4).integers(one.input_len()));
        assert_eq!(one.max_forward(&x), global.max_forward(&x));
        assert_eq!(one.average_forward(&x), global.average_forward(&x, true));
        assert_eq!(one.lp_forward(&x, 2.0), global.lp_forward(&x, 2.0));
    }
}

#[test]
fn the_average_is_linear_and_its_gradient_the_adjoint() {
    for (seed, case) in adaptive_cases(5, 60).iter().enumerate() {
        let mut draw = Draw::new(seed as u64);
        let x = widen(&draw.integers(case.input_len()));
        let dy = widen(&draw.integers(case.output_len()));
        let there = dot(&dy, &case.average_forward(&x));
        let back = dot(&case.average_backward(&dy), &x);
        assert!((there - back).abs() < 1e-9, "{case:?}: {there} and {back}");
    }
}

#[test]
fn values_return_to_their_places() {
    // The example of PyTorch's documentation: 4×5, pooled 2×2, told the size.
    let case = PoolCase::new(1, 1, [4, 5], [2, 2]).stride([2, 2]);
    let maxima = case.max_forward(&counting(20));
    let y = unpool::forward(&maxima.values, &maxima.indices, 1, 20);
    let mut want = vec![0.0; 20];
    for value in [7, 9, 17, 19] {
        want[value - 1] = value as f64;
    }
    assert_eq!(y, want);
    assert_eq!(
        unpool::backward(&counting(20), &maxima.indices, 1, 20),
        [7.0, 9.0, 17.0, 19.0]
    );
}

#[test]
fn the_last_value_wins_a_shared_place() {
    let places = [Some(1), Some(1), None, Some(0)];
    let y = unpool::forward(&counting(4), &places, 2, 2);
    assert_eq!(y, [0.0, 2.0, 4.0, 0.0]);
    let dx = unpool::backward(&[5.0, 6.0, 7.0, 8.0], &places, 2, 2);
    assert_eq!(dx, [6.0, 6.0, 0.0, 7.0]);
}
