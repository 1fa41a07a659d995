//! `bench`: what its numbers mean, not how large they are.

use serde_json::Value;

use crate::fixture::folder;
use crate::invoke::{fail, objects, succeed};

/// GFLOP/s are two operations for every multiply-accumulate, by the median time.
#[track_caller]
fn check(answer: &Value, macs: u64) {
    let number = |key: &str| answer[key].as_f64().unwrap();
    assert!(number("min_ms") > 0.0 && number("min_ms") <= number("median_ms"));
    let expected = 2.0 * macs as f64 / number("median_ms") / 1e6;
    // Both are rounded to six digits, each by half a unit of the last one at most.
    assert!(
        (number("gflops") / expected - 1.0).abs() < 1.01e-5,
        "{answer}"
    );
    for key in ["median_ms", "min_ms", "gflops"] {
        assert!(digits(&answer[key]) <= 6, "{answer}");
    }
    assert!(answer["runs"].as_u64().unwrap() >= 3);
}

/// Digits of a number as it is written, without the zeros in front of them.
fn digits(number: &Value) -> usize {
    let text = number.to_string();
    let mantissa = text.split('e').next().unwrap();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len()
}

#[test]
fn every_problem_has_a_line() {
    let folder = folder();
    let problems = ["conv:n1c8h10w10:o16k3p1", "conv:n2c8h9w9:o8k3x3s2p1x1d1g8"];
    for direction in ["forward", "backward-data", "backward-weights"] {
        let arguments = ["bench", "--problem", problems[0], "--problem", problems[1]];
        let how = [
            "--direction",
            direction,
            "--threads",
            "2",
            "--seconds",
            "0",
            "--json",
        ];
        let answers = objects(&succeed(folder.path(), &[&arguments[..], &how].concat()));
        // Output elements × channels of the group × taps.
        let macs = [1600 * 8 * 9, 2 * 8 * 25 * 9];
        assert_eq!(answers.len(), 2);
        for ((answer, problem), macs) in answers.iter().zip(problems).zip(macs) {
            assert_eq!(answer["problem"], problem);
            assert_eq!(answer["direction"], direction);
            check(answer, macs);
        }
        assert_eq!(answers[1]["algorithm"], "depthwise");
    }
}

/// What `bench` says of one problem, as JSON and as a row of the table.
fn measured(problem: &str, direction: &str) -> (Value, String) {
    let folder = folder();
    let arguments = ["bench", "--problem", problem, "--direction", direction];
    let how = ["--threads", "1", "--seconds", "0"];
    let arguments = [&arguments[..], &how].concat();
    let table = succeed(folder.path(), &arguments);
    let json = succeed(folder.path(), &[&arguments[..], &["--json"]].concat());
    (
        objects(&json).remove(0),
        table.lines().nth(1).unwrap().to_owned(),
    )
}

#[test]
fn what_runs_has_a_name_and_what_multiplies_nothing_has_no_gflops() {
    for (problem, direction, runs) in [
        ("pool-max:n1c3h8w8:k2s2", "forward", "pool"),
        (
            "pool-adaptive-avg:n1c3h8w8:o3",
            "forward",
            "adaptive average pool",
        ),
        ("conv:n1c3h8w8:o4k3", "backward-bias", "channel sum"),
        (
            "conv-separable:n1c3h8w8:o4k3m1",
            "backward-bias",
            "channel sum",
        ),
    ] {
        let (json, row) = measured(problem, direction);
        assert_eq!(json["algorithm"], runs);
        assert!(json["gflops"].is_null(), "{json}");
        assert!(json["median_ms"].as_f64().unwrap() > 0.0, "{json}");
        // Problem, algorithm, median and minimum: nothing stands in the last column.
        let cells = row.split("  ").filter(|cell| !cell.is_empty());
        assert_eq!(cells.count(), 4, "{row}");
    }
}

#[test]
fn a_transposed_convolution_is_told_from_a_plain_one() {
    let direction = "backward-data";
    let (plain, _) = measured("conv:n1c3h8w8:o4k3", direction);
    let (transposed, _) = measured("conv-transposed:n1c3h8w8:o4k3", direction);
    let (padded, _) = measured("conv:n1c3h8w8:o4k3p1,reflect", direction);
    assert_eq!(plain["algorithm"], "direct");
    assert_eq!(transposed["algorithm"], "transposed: direct forward");
    let padded = padded["algorithm"].as_str().unwrap();
    assert!(padded.starts_with("direct backward-data + pad"), "{padded}");
}

#[test]
fn a_network_is_measured_forward_and_in_training() {
    let folder = folder();
    let bench = |more: &[&str]| {
        let arguments = [
            "bench",
            "lenet5",
            "--batch",
            "4",
            "--seconds",
            "0",
            "--threads",
            "1",
        ];
        let how = ["--precision", "f32", "--json"];
        objects(&succeed(
            folder.path(),
            &[&arguments[..], &how, more].concat(),
        ))
        .remove(0)
    };
    // LeNet-5 takes 416 520 products an image, the first layer 117 600 of them; the gradient of the
    // images is nobody's, so training takes three times all less that one.
    check(&bench(&[]), 4 * 416_520);
    check(&bench(&["--train"]), 4 * (3 * 416_520 - 117_600));
    check(&bench(&["--layout", "nchw"]), 4 * 416_520);

    let profiled = bench(&["--profile"]);
    let steps = profiled["profile"].as_array().unwrap();
    let macs = |step: &Value| step["macs"].as_u64().unwrap();
    assert_eq!(steps.iter().map(macs).sum::<u64>(), 4 * 416_520);
}

#[test]
fn the_peak_is_a_number() {
    let text = succeed(
        folder().path(),
        &["bench", "--peak", "--seconds", "0", "--json"],
    );
    let peak = &objects(&text)[0];
    assert!(peak["gflops"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_cannot_be_measured_is_wrong_usage() {
    let folder = folder();
    let problem = "conv:n1c3h8w8:o4k3";
    let refused: [(&[&str], &str); 16] = [
        (&["bench"], "--problem"),
        (&["bench", "vgg99"], "no model is called 'vgg99'"),
        (&["bench", "nothing-alike"], "`convolve models` lists"),
        (
            &[
                "bench",
                "--problem",
                "conv-deformable:n1c4h8w8:o4k3",
                "--algorithm",
                "direct",
            ],
            "--algorithm direct is for plain, transposed and separable",
        ),
        (
            &["bench", "--problem", problem, "--direction=backward-mask"],
            "the problem has no --mask, only --input, --weight",
        ),
        (
            &["bench", "lenet5", "--precision", "bf16"],
            "f32 is the only precision yet",
        ),
        (&["bench", "lenet5", "--seconds", "-1"], "seconds"),
        (&["bench", "--peak", "--train"], "--train"),
        (&["bench", "--peak", "--batch", "4"], "--batch"),
        (&["bench", "--problem", problem, "--batch", "4"], "--batch"),
        (
            &["bench", "--peak", "--direction", "forward"],
            "--direction",
        ),
        (
            &["bench", "lenet5", "--direction", "forward"],
            "--direction",
        ),
        (&["bench", "lenet5", "--algorithm", "direct"], "--algorithm"),
        (&["bench", "--peak", "--algorithm", "direct"], "--algorithm"),
        (
            &[
                "bench",
                "--problem",
                "conv:n1c3h8w8:o4k3",
                "--problem",
                "conv:x",
            ],
            "conv:x",
        ),
        (
            &["bench", "--problem", "pool-max:n1c3h8w8:k9"],
            "kernel larger than padded input",
        ),
    ];
    for (arguments, word) in refused {
        fail(folder.path(), 2, arguments, &[word]);
    }
}
