//! The notation round-trips, and refuses what it does not mean.

use geometry::{NormOrder, Padding, PoolKind, Problem};

#[test]
fn every_form_of_the_notation_round_trips() {
    for text in [
        "conv:n1c64h56w56:o64k3p1",
        "conv:n8c32h28w28:o32k1x7p0x3",
        "conv:n1c96h112w112:o96k3s2p1g96",
        "conv:n1c64h28w28:o32k3p2d2",
        "conv:n1c3h224w224:o32k3s2psame",
        "conv:n1c3h224w224:o32k3s2psame-lower",
        "conv:n1c3h9w9:o4k3pfull",
        "conv:n1c3h9w9:o4k3p0,1,2,3",
        "conv:n1c8w100:o8k3p1,0",
        "conv:n1c3h8w8:o4k3p1,reflect",
        "conv:n1c8w100:o8k3p1,0,circular",
        "conv:n1c8w100:o8k3psameg4,replicate",
        "conv:n1c8d8h16w16:o8k3x1x3p1,2,3,4,5,6",
        "conv-transposed:n1c64h7w7:o32k4s2p1",
        "conv-transposed:n1c64h7w7:o32k4s2p1a1x0",
        "conv-deformable:n1c64h28w28:o64k3p1f1m",
        "conv-deformable:n1c64h28w28:o64k3p1f2",
        "conv-separable:n1c32h56w56:o64k3p1m2",
        "conv-separable:n1c32h56w56:o0k3p1m1",
        "conv-separable:n1c32h56w56:o64k3p1m2,reflect",
        "pool-max:n1c64h112w112:k3s2p1,ceil",
        "pool-avg:n1c64h112w112:k3s2p1,ceil,nopad",
        "pool-avg:n1c64h112w112:k3s2p1,0,0,1,ceil,nopad",
        "pool-adaptive-avg:n1c64h13w17:o3x2",
        "pool-adaptive-max:n1c8w100:o7",
        "pool-adaptive-l2.5:n1c8d4h9w9:o2x1x3",
    ] {
        let problem: Problem = text.parse().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(problem.to_string(), text);
    }
}

#[test]
fn longer_spellings_mean_the_same_problem() {
    for (long, short) in [
        (
            "conv:n1c64h56w56:o64k3x3s1p1d1g1",
            "conv:n1c64h56w56:o64k3p1",
        ),
        ("conv:n1c64h56w56:o64k3s1p1x1", "conv:n1c64h56w56:o64k3p1"),
        ("conv:n1c3h9w9:o4k3pvalid", "conv:n1c3h9w9:o4k3p0"),
        ("conv:n1c3h9w9:o4k3p1,zeros", "conv:n1c3h9w9:o4k3p1"),
        (
            "conv-transposed:n1c64h7w7:o32k4s2p1a0",
            "conv-transposed:n1c64h7w7:o32k4s2p1",
        ),
    ] {
        let (long, short): (Problem, Problem) = (long.parse().unwrap(), short.parse().unwrap());
        assert_eq!(long, short);
    }
}

#[test]
fn a_comma_before_a_digit_continues_the_padding() {
    let Problem::Pool(_, desc) = "pool-max:n1c1h9w9:k3p0,1,0,2,ceil".parse().unwrap() else {
        panic!("not a pool");
    };
    assert_eq!(desc.padding, Padding::Explicit(vec![(0, 0), (1, 2)]));
    assert!(desc.ceil);
}

#[test]
fn what_has_no_meaning_is_refused() {
    for text in [
        "",
        "conv",
        "conv:n1c3:o4k3",
        "conv:n1c3h9:o4k3",
        "conv:n1c3d9w9:o4k3",
        "conv:n1c3h9w9:o4",
        "conv:n1c3h9w9:k3",
        "conv:n1c3h9w9:o4k3k3",
        "conv:n1c3h9w9:o4k3q1",
        "conv:n1c3h9w9:o4k3x3x3",
        "conv:n1c3h9w9:o4k3p1,2",
        "conv:n1c3h9w9:o4k3p1,2,3,4,5",
        "conv:n1c3h9w9:o4k99999999999999999999999",
        "conv:n1c3h9w9:o4k3a1",
        "conv:n1c3h9w9:o4k3,ceil",
        "conv:n1c3h9w9:o4k3p1,mirror",
        "conv:n1c3h9w9:o4k3p1,reflect,circular",
        "conv:n1c3h9w9:o4k3p1,reflectg3",
        "conv:n1c3h9w9:o4k3p1,",
        "conv-transposed:n1c3h9w9:o4k3p1,reflect",
        "pool-max:n1c3h9w9:k3p1,reflect",
        "pool-max:n1c3h9w9:k3,ceils2",
        "pool-max:n1c3h9w9:k3,ceil,ceil",
        "pool-avg:n1c3h9w9:k3,nopad,ceil,nopad",
        "pool-max:n1c3h9w9:k3,nopad",
        "pool-max:n1c3h9w9:o4k3",
        "pool-adaptive-avg:n1c3h9w9:k3",
        "pool-adaptive-avg:n1c3h9w9:o3x2x1",
        "pool-adaptive-avg:n1c3h9w9:o3s2",
        "pool-adaptive-l0:n1c3h9w9:o3",
        "conv:n1c3h９w9:o4k3",
    ] {
        assert!(text.parse::<Problem>().is_err(), "{text} was accepted");
    }
}

/// The message about a text that is no problem.
#[track_caller]
fn refusal(text: &str) -> String {
    text.parse::<Problem>().unwrap_err().to_string()
}

#[test]
fn a_message_ends_in_an_example_of_its_kind() {
    for (text, example) in [
        ("conv:n1", "conv:n1c64h56w56:o64k3s1p1"),
        ("pool-max:n1c3h9w9:o4", "pool-max:n1c64h56w56:k3s2p1"),
        ("pool-l3:n1c3h9w9:", "pool-l2:n1c64h56w56:k2s2"),
        (
            "pool-adaptive-avg:n1c3h9w9:k3",
            "pool-adaptive-avg:n1c64h56w56:o7",
        ),
        (
            "conv-transposed:n1c3h9w9:o4k3q1",
            "conv-transposed:n1c64h28w28:o64k4s2p1",
        ),
    ] {
        let line = refusal(text);
        assert!(line.ends_with(&format!("(example: {example})")), "{line}");
        let read: Problem = example.parse().unwrap();
        assert_eq!(read, read.to_string().parse().unwrap());
    }
}

#[test]
fn a_misspelt_kind_gets_the_nearest() {
    for (text, kind) in [
        ("conv-transpose:n1c3h9w9:o4k3", "conv-transposed:"),
        ("deformable:n1c3h9w9:o4k3", "conv-deformable:"),
        ("convolution", "conv:"),
        ("pool-average:n1c3h9w9:k3", "pool-avg:"),
    ] {
        let line = refusal(text);
        assert!(
            line.contains(&format!("expected {kind} at position 0")),
            "{line}"
        );
        assert!(line.contains(&format!("(example: {kind}")), "{line}");
    }
    // The one that is meant need not be the likest.
    let line = refusal("pool-adaptive-mean:n1c3h9w9:o3");
    let near =
        "expected one of pool-adaptive-max:, pool-adaptive-avg:, pool-adaptive-l2: at position 0";
    assert!(line.contains(near), "{line}");
    assert!(line.contains("(example: pool-adaptive-max:"), "{line}");
    let line = refusal("nothing:n1c3h9w9:k3");
    assert!(
        line.contains("expected one of conv:, conv-transposed:, "),
        "{line}"
    );
    assert!(line.contains("pool-l2:, pool-adaptive-max:, "), "{line}");
}

#[test]
fn a_padding_for_each_axis_is_offered_for_half_a_list() {
    let line = refusal("conv:n1c3h9w9:o4k3p1,2");
    assert!(
        line.contains(
            "expected 4 paddings, all befores then all afters; the same before and after is p1x2"
        ),
        "{line}"
    );
    let line = refusal("conv:n1c3h9w9:o4k3p1,2,3");
    assert!(
        line.contains("all befores then all afters at position"),
        "{line}"
    );
}

#[test]
fn a_message_quotes_the_beginning_of_a_long_text() {
    let text = format!("conv:{}", "é".repeat(100_000));
    let line = text.parse::<Problem>().unwrap_err().to_string();
    assert!(
        line.contains(&format!("'conv:{}…'", "é".repeat(75))),
        "{line}"
    );
    assert!(line.chars().count() < 250, "{line}");
    let short = "conv:x".parse::<Problem>().unwrap_err().to_string();
    assert!(short.starts_with("problem 'conv:x': "), "{short}");
}

#[test]
fn the_order_of_a_norm_is_part_of_the_name() {
    for (text, millionths) in [
        ("pool-l2:n1c8h9w9:k3s2p1", 2_000_000),
        ("pool-l1:n1c8w9:k3,ceil", 1_000_000),
        ("pool-l1.5:n1c8d4h9w9:k3p1,2,3,4,5,6d2", 1_500_000),
        ("pool-l2.000001:n1c8h9w9:k3", 2_000_001),
    ] {
        let problem: Problem = text.parse().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(problem.to_string(), text);
        let Problem::Pool(_, desc) = problem else {
            panic!("not a pool");
        };
        let order = NormOrder::from_millionths(millionths).unwrap();
        assert_eq!(desc.kind, PoolKind::Lp { order });
    }
    let long: Problem = "pool-l2.50:n1c1w9:k3".parse().unwrap();
    assert_eq!(long, "pool-l2.5:n1c1w9:k3".parse().unwrap());
    for text in [
        "pool-l",
        "pool-l:n1c1w9:k3",
        "pool-l0:n1c1w9:k3",
        "pool-l0.999999:n1c1w9:k3",
        "pool-l2",
        "pool-l2.:n1c1w9:k3",
        "pool-l.5:n1c1w9:k3",
        "pool-l1.0000001:n1c1w9:k3",
        "pool-l-2:n1c1w9:k3",
        "pool-l+2:n1c1w9:k3",
        "pool-l1e2:n1c1w9:k3",
        "pool-l99999999999999999999:n1c1w9:k3",
        "pool-l2:n1c1w9:k3,nopad",
    ] {
        assert!(text.parse::<Problem>().is_err(), "{text} was accepted");
    }
}
