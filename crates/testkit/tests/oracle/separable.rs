//! Separable convolutions: which channel goes where, and gradients against differences.

use crate::{counting, dot};
use testkit::compare::widen;
use testkit::{ConvCase, Draw, SeparableCase, gradient};

/// Two channels of one pixel with two filters each: the products stand channel by channel.
#[test]
fn filters_of_a_channel_stand_side_by_side() {
    let window = ConvCase::new(1, 2, 0, [1, 1], [1, 1]);
    let alone = SeparableCase::new(&window, 2);
    assert_eq!(alone.to_string(), "conv-separable:n1c2h1w1:o0k1m2");
    let (x, w) = ([10.0, 1000.0], [1.0, 2.0, 3.0, 4.0]);
    let z = [10.0, 20.0, 3000.0, 4000.0];
    assert_eq!(alone.forward(&x, &w, &[], None), z);

    let mixed = SeparableCase::new(
        &ConvCase {
            out_channels: 3,
            ..window
        },
        2,
    );
    assert_eq!(mixed.to_string(), "conv-separable:n1c2h1w1:o3k1m2");
    // The first of all, the second of each channel, the difference between the channels.
    let p = [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 1.0],
        [-1.0, -1.0, 1.0, 1.0],
    ];
    let y = mixed.forward(&x, &w, &p.concat(), Some(&[0.0, 1.0, 2.0]));
    assert_eq!(y, [10.0, 4021.0, 6972.0]);
}

#[test]
fn a_row_by_hand() {
    let window = ConvCase::new(1, 1, 1, [4], [2]).stride([2]);
    let case = SeparableCase::new(&window, 2);
    // 1·1 + 10·2 and 1·3 + 10·4; 100·1 − 2 and 100·3 − 4.
    let w = [1.0, 10.0, 100.0, -1.0];
    let y = case.forward(&counting(4), &w, &[1.0, 1000.0], None);
    assert_eq!(y, [98_021.0, 296_043.0]);
}

#[test]
fn gradients_are_slopes() {
    let windows = [
        ConvCase::new(2, 3, 4, [5, 4], [3, 2])
            .stride([2, 1])
            .padding_sides([1, 0], [2, 1]),
        ConvCase::new(1, 2, 0, [6], [3]).dilation([2]),
    ];
    for (seed, window) in windows.iter().enumerate() {
        let case = SeparableCase::new(window, 2);
        let mut draw = Draw::new(seed as u64);
        let [x, w, p, b, dy] = [
            case.depthwise.input_len(),
            case.depthwise.weight_len(),
            case.pointwise.as_ref().map_or(0, ConvCase::weight_len),
            case.last().out_channels,
            case.last().output_len(),
        ]
        .map(|len| widen(&draw.reals(len)));
        let got = case.backward(&x, &w, &p, &dy);
        let y =
            |x: &[f64], w: &[f64], p: &[f64], b: &[f64]| dot(&case.forward(x, w, p, Some(b)), &dy);
        let checks = [
            gradient::check(|x| y(x, &w, &p, &b), &x, &got.x),
            gradient::check(|w| y(&x, w, &p, &b), &w, &got.depthwise),
            gradient::check(|p| y(&x, &w, p, &b), &p, &got.pointwise),
            gradient::check(|b| y(&x, &w, &p, b), &b, &got.bias),
        ];
        for check in checks {
            check.unwrap_or_else(|error| panic!("{case}: {error}"));
        }
    }
}
