//! `op` and `bench` of separable convolutions: every direction against the oracle, exactly on integers.

use std::path::Path;

use tensor::{NpyElement, read_npy};
use testkit::compare::{assert_exact, widen};
use testkit::{ConvCase, Draw, SeparableCase};

use crate::fixture::{folder, npy};
use crate::invoke::{fail, objects, succeed};

/// A direction, the shape of its result and its elements.
type Direction = (&'static str, Vec<usize>, Vec<f64>);

/// Writes `x.npy`, `w.npy`, `p.npy`, `b.npy` and `dy.npy` of a case, and what each direction must give.
fn prepare(folder: &Path, case: &SeparableCase, seed: u64) -> Vec<Direction> {
    let filters = &case.depthwise;
    let outputs = case.last().out_channels;
    let map = |channels, spatial: &[usize]| [&[filters.batch, channels], spatial].concat();
    let shapes = [
        ("x.npy", map(filters.in_channels, &filters.input)),
        (
            "w.npy",
            [&[filters.out_channels, 1], &filters.kernel[..]].concat(),
        ),
        (
            "p.npy",
            [&[outputs, filters.out_channels], &[1, 1][..]].concat(),
        ),
        ("b.npy", vec![outputs]),
        ("dy.npy", map(outputs, &case.last().output_size())),
    ];
    let mut draw = Draw::new(seed);
    let [x, w, p, b, dy] = shapes.clone().map(|(name, shape)| {
        let elements = draw.integers(shape.iter().product());
        npy(&folder.join(name), &shape, &elements);
        let wide = widen(&elements);
        tensor::write_npy(&folder.join(format!("wide-{name}")), &shape, &wide).unwrap();
        wide
    });
    let [x_shape, w_shape, p_shape, b_shape, y_shape] = shapes.map(|(_, shape)| shape);
    let gradients = case.backward(&x, &w, &p, &dy);
    let mut directions = vec![
        ("forward", y_shape, case.forward(&x, &w, &p, Some(&b))),
        ("backward-data", x_shape, gradients.x),
        ("backward-weights", w_shape, gradients.depthwise),
        ("backward-bias", b_shape, gradients.bias),
    ];
    if case.pointwise.is_some() {
        directions.push(("backward-pointwise", p_shape, gradients.pointwise));
    }
    directions
}

fn cases() -> [SeparableCase; 2] {
    let strided = ConvCase::new(2, 5, 7, [9, 7], [3, 2])
        .stride([3, 2])
        .padding_sides([1, 0], [2, 1]);
    let alone = ConvCase::new(1, 4, 0, [6, 7], [2, 3]).dilation([2, 1]);
    [
        SeparableCase::new(&strided, 3),
        SeparableCase::new(&alone, 2),
    ]
}

#[track_caller]
fn check<T: NpyElement + testkit::compare::Element>(
    folder: &Path,
    problem: &str,
    prefix: &str,
    more: &[&str],
    (direction, shape, want): &Direction,
) {
    let files = ["x", "w", "p", "b", "dy"].map(|name| format!("{prefix}{name}.npy"));
    let flags = ["--input", "--weight", "--pointwise", "--bias", "--grad"];
    let mut arguments = vec!["op", problem, "--direction", direction, "--output", "y.npy"];
    // Without a second stage there is no array for it.
    let alone = problem.contains(":o0");
    for (flag, file) in flags.into_iter().zip(&files) {
        if flag != "--pointwise" || !alone {
            arguments.extend([flag, file]);
        }
    }
    arguments.extend(more);
    assert_eq!(succeed(folder, &arguments), "");
    let got = read_npy::<T>(&folder.join("y.npy")).unwrap();
    assert_eq!(got.dims(), shape);
    assert_exact(&arguments.join(" "), got.data(), want);
}

#[test]
fn every_direction_and_layout_is_exact() {
    let folder = folder();
    for (seed, case) in (0..).zip(cases()) {
        let directions = prepare(folder.path(), &case, seed);
        let problem = case.to_string();
        for direction in &directions {
            for layout in ["nchw", "nhwc"] {
                let how = ["--layout", layout, "--threads", "2"];
                check::<f32>(folder.path(), &problem, "", &how, direction);
            }
            let reference = ["--algorithm", "reference"];
            check::<f32>(folder.path(), &problem, "", &reference, direction);
            let wide = ["--precision", "f64"];
            check::<f64>(folder.path(), &problem, "wide-", &wide, direction);
        }
    }
}

#[test]
fn only_what_a_direction_reads_is_asked_for() {
    let folder = folder();
    let [case, alone] = cases();
    let directions = prepare(folder.path(), &case, 1);
    let problem = case.to_string();
    let reads = [
        ("backward-data", "--weight w.npy --pointwise p.npy"),
        ("backward-weights", "--input x.npy --pointwise p.npy"),
        ("backward-pointwise", "--input x.npy --weight w.npy"),
        ("backward-bias", ""),
    ];
    for (direction, arrays) in reads {
        let mut arguments = vec![
            "op",
            &problem,
            "--direction",
            direction,
            "--output",
            "g.npy",
        ];
        arguments.extend(["--grad", "dy.npy"]);
        arguments.extend(arrays.split_whitespace());
        succeed(folder.path(), &arguments);
        let (_, _, want) = directions.iter().find(|d| d.0 == direction).unwrap();
        let got = read_npy::<f32>(&folder.path().join("g.npy")).unwrap();
        assert_exact(direction, got.data(), want);
    }
    let forward = ["--input", "x.npy", "--weight", "w.npy", "--output", "n.npy"];
    let given = |problem| [&["op", problem], &forward[..]].concat();
    let wanted = "forward needs --pointwise";
    fail(folder.path(), 2, &given(&problem), &[wanted]);
    let problem = alone.to_string();
    let direction = ["--direction", "backward-pointwise", "--grad", "dy.npy"];
    let wanted = "the problem has no --pointwise, only --input, --weight";
    fail(
        folder.path(),
        2,
        &[&given(&problem), &direction[..]].concat(),
        &[wanted],
    );
    let refused = [
        (
            "conv-separable:n1c4h6w6:o5k3m0",
            "depth multiplier must be at least 1",
        ),
        (
            "conv-separable:n1c4h6w6:o5k3s2d2m1",
            "dilation (rate) of 2 must have stride 1",
        ),
        (
            "conv-separable:n1c4h2w2:o5k3m1",
            "kernel larger than padded input",
        ),
    ];
    for (problem, words) in refused {
        fail(folder.path(), 2, &given(problem), &[problem, words]);
    }
    let arrays = ["--weight", "p.npy", "--pointwise", "p.npy"];
    let problem = case.to_string();
    let wrong = [
        &["op", &problem, "--input", "x.npy", "--output", "n.npy"],
        &arrays[..],
    ]
    .concat();
    fail(
        folder.path(),
        1,
        &wrong,
        &["the problem wants [15, 1, 3, 2]"],
    );
    assert!(!folder.path().join("n.npy").exists());
}

/// Both stages, or the gradient of one of them and of what lies between: the operator itself is not counted
/// where it only has to run before a gradient.
#[test]
fn both_stages_are_measured() {
    let folder = folder();
    // 2 · 64 places of the output: 9 products for each of 16 filters, 16 for each of 24 outputs.
    let problem = "conv-separable:n2c8h8w8:o24k3psamem2";
    let (filters, mixture) = (128 * 9 * 16, 128 * 16 * 24);
    let directions = [
        ("forward", filters + mixture),
        ("backward-data", filters + mixture),
        ("backward-weights", filters + mixture),
        ("backward-pointwise", mixture),
    ];
    for (direction, macs) in directions {
        let arguments = ["bench", "--problem", problem, "--direction", direction];
        let how = ["--threads", "1", "--seconds", "0", "--json"];
        let answers = objects(&succeed(folder.path(), &[&arguments[..], &how].concat()));
        let number = |key: &str| answers[0][key].as_f64().unwrap();
        let counted = number("gflops") * number("median_ms") * 1e6 / 2.0;
        // Both numbers are rounded to six digits.
        assert!(
            (counted / f64::from(macs) - 1.0).abs() < 1.01e-5,
            "{direction}: {counted}"
        );
    }
}
