use kernels::dropout::{DropoutKey, dropout};
use testkit::Draw;
use testkit::compare::{assert_exact, widen};

use crate::every::{operand, result, way};

const KEY: DropoutKey = DropoutKey {
    seed: 7,
    step: 1000,
    stream: 3,
};

/// Which of `len` elements are kept, checked to be the same in every way of running.
fn kept(len: usize, rate: f32, key: DropoutKey) -> Vec<bool> {
    let mask = std::cell::RefCell::new(Vec::new());
    way(
        &format!("{key:?}"),
        |context| {
            let mut y = result(len);
            dropout(context, &operand(&vec![1.0; len]), rate, key, &mut y);
            vec![y.to_vec()]
        },
        |_, got| {
            let now: Vec<bool> = got[0].iter().map(|&v| v != 0.0).collect();
            let before = mask.replace(now.clone());
            assert!(before.is_empty() || before == now, "families differ");
        },
    );
    mask.into_inner()
}

#[test]
fn masks_stay_what_they_were() {
    // Drawn by the documented hash, written down a second time in another language: a resumed run
    // depends on it.
    for (key, rate, want) in [
        (
            KEY,
            0.5,
            "0001001111011111110101000000110100100100000001001001101101111101",
        ),
        (
            DropoutKey {
                seed: 0,
                step: 0,
                stream: 0,
            },
            0.25,
            "1101110001100011110110001111100010111111111110100110110101111111",
        ),
    ] {
        let want: Vec<bool> = want.chars().map(|c| c == '1').collect();
        assert_eq!(kept(64, rate, key), want, "{key:?}");
    }
}

#[test]
fn elements_are_zeroed_or_scaled_and_the_backward_mask_is_the_same() {
    let len = 70_003;
    let mut draw = Draw::new(1);
    let (x, dy) = (draw.integers(len), draw.integers(len));
    let mask = kept(len, 0.75, KEY);
    for values in [x, dy] {
        way(
            "masked",
            |context| {
                let mut y = result(len);
                dropout(context, &operand(&values), 0.75, KEY, &mut y);
                vec![y.to_vec()]
            },
            |problem, got| {
                let pairs = widen(&values).into_iter().zip(&mask);
                let want: Vec<f64> = pairs.map(|(v, &k)| if k { 4.0 * v } else { 0.0 }).collect();
                assert_exact(problem, &got[0], &want);
            },
        );
    }
}

#[test]
fn rates_zero_and_one_keep_all_and_nothing() {
    let x = Draw::new(2).integers(1_000);
    for (rate, factor) in [(0.0, 1.0), (1.0, 0.0)] {
        way(
            "limit",
            |context| {
                let mut y = result(1_000);
                dropout(context, &operand(&x), rate, KEY, &mut y);
                vec![y.to_vec()]
            },
            |problem, got| {
                let want: Vec<f64> = x.iter().map(|&v| factor * f64::from(v)).collect();
                assert_exact(problem, &got[0], &want);
            },
        );
    }
}

/// Shares of `len` fair draws may stray by five deviations.
#[track_caller]
fn assert_share(what: &str, count: usize, len: usize, share: f64) {
    let expected = len as f64 * share;
    let deviation = (expected * (1.0 - share)).sqrt();
    assert!(
        (count as f64 - expected).abs() < 5.0 * deviation,
        "{what}: {count} of {len}, expected {expected}"
    );
}

#[test]
fn masks_are_independent_of_each_other_and_of_their_neighbours() {
    let (len, rate) = (100_000, 0.3);
    let p = 0.7f64;
    let agreement = p * p + (1.0 - p) * (1.0 - p);
    let mask = kept(len, rate, KEY);
    assert_share("kept", mask.iter().filter(|&&k| k).count(), len, p);
    for key in [
        DropoutKey { seed: 8, ..KEY },
        DropoutKey { step: 1001, ..KEY },
        DropoutKey { stream: 4, ..KEY },
        DropoutKey {
            seed: KEY.step,
            step: KEY.seed,
            ..KEY
        },
    ] {
        let other = kept(len, rate, key);
        let agree = mask.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert_share(&format!("{key:?}"), agree, len, agreement);
    }
    for lag in [1, 2, 16, 64, 1_024, 32_768] {
        let agree = mask
            .iter()
            .zip(&mask[lag..])
            .filter(|(a, b)| a == b)
            .count();
        assert_share(&format!("lag {lag}"), agree, len - lag, agreement);
    }
}
