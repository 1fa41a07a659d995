//! Golden values: PyTorch 2, four steps, weight decay 0.1 on the first three parameters and none on the last.

use super::*;

/// Parameters lie in two segments with a gap between them, which must stay as it is.
fn four_steps(rule: Rule, learning_rate: f64) -> Vec<f32> {
    let segments = vec![
        Segment {
            range: 0..3,
            decays: true,
        },
        Segment {
            range: 5..6,
            decays: false,
        },
    ];
    let mut parameters = vec![1.0, -2.0, 0.5, 7.0, 7.0, 0.25];
    let mut optimiser = Optimiser::new(rule, 0.1, segments, 6).unwrap();
    for scale in [1.0, 2.0, -3.0, 4.0] {
        let gradients = [0.5 * scale, -0.25 * scale, scale, 9.0, 9.0, -0.125];
        optimiser.step(&mut parameters, &gradients, learning_rate);
    }
    assert_eq!(parameters[3..5], [7.0, 7.0], "the gap moved");
    assert_eq!(optimiser.steps(), 4);
    parameters
}

#[track_caller]
fn assert_golden(rule: Rule, learning_rate: f64, expected: [f32; 4]) {
    let found = four_steps(rule, learning_rate);
    for (found, expected) in found[..3].iter().chain(&found[5..]).zip(expected) {
        assert!((found - expected).abs() < 4e-7, "{found} {expected}");
    }
}

#[test]
fn sgd_is_pytorchs() {
    let rule = |momentum, nesterov| Rule::Sgd { momentum, nesterov };
    assert_golden(
        rule(0.0, false),
        0.1,
        [0.762_571_1, -1.822_179_6, 0.084_248_126, 0.299_999_95],
    );
    assert_golden(
        rule(0.9, false),
        0.1,
        [0.559_712_9, -1.646_186, -0.246_903_76, 0.363_112_48],
    );
    assert_golden(
        rule(0.9, true),
        0.1,
        [0.374_674_35, -1.510_269_8, -0.573_583_54, 0.401_801_23],
    );
}

#[test]
fn rmsprop_is_pytorchs() {
    let rule = |momentum| Rule::RmsProp {
        alpha: 0.9,
        epsilon: 1e-8,
        momentum,
    };
    assert_golden(
        rule(0.0),
        0.01,
        [0.940_243_9, -1.934_621_8, 0.441_480_73, 0.340_826_12],
    );
    assert_golden(
        rule(0.9),
        0.01,
        [0.837_065_7, -1.828_162_3, 0.338_753_8, 0.474_472_67],
    );
}

#[test]
fn adam_and_adamw_are_pytorchs() {
    assert_golden(
        "adam".parse().unwrap(),
        0.01,
        [0.975_544_15, -1.971_339_5, 0.476_737_8, 0.289_999_96],
    );
    assert_golden(
        "adamw".parse().unwrap(),
        0.01,
        [0.973_195_9, -1.969_202, 0.475_192_96, 0.289_999_96],
    );
}

#[test]
fn names_are_read_and_written_alike() {
    for name in Rule::NAMES {
        assert_eq!(name.parse::<Rule>().unwrap().to_string(), name);
    }
    let message = "lion".parse::<Rule>().unwrap_err();
    assert_eq!(
        message,
        "optimiser 'lion' is none of sgd, rmsprop, adam, adamw"
    );
}

#[test]
fn averages_that_no_memory_holds_are_an_error() {
    for name in Rule::NAMES {
        let error = Optimiser::new(name.parse().unwrap(), 0.0, Vec::new(), 1 << 60).unwrap_err();
        assert_eq!(error.bytes, 1 << 62, "{name}");
    }
}
