//! `op` against the oracle: every direction, both layouts, every algorithm, exactly on integers.

use std::path::Path;

use tensor::read_npy;
use testkit::compare::{assert_exact, widen};
use testkit::{ConvCase, Draw};

use crate::fixture::{folder, names, npy, text};
#[cfg(unix)]
use crate::invoke::below_limit;
use crate::invoke::{fail, succeed};

/// The arrays of a case, and what each direction must give.
pub(crate) struct Prepared {
    pub(crate) problem: String,
    pub(crate) forward: Vec<f64>,
    pub(crate) backward_data: Vec<f64>,
    pub(crate) backward_weights: Vec<f64>,
}

/// Writes `x.npy`, `w.npy`, `b.npy` and `dy.npy` of a case.
pub(crate) fn prepare(folder: &Path, case: &ConvCase, seed: u64) -> Prepared {
    let mut draw = Draw::new(seed);
    let x = draw.integers(case.input_len());
    let w = draw.integers(case.weight_len());
    let b = draw.integers(case.out_channels);
    let dy = draw.integers(case.output_len());
    let shape = |channels, spatial: &[usize]| [&[case.batch, channels], spatial].concat();
    let weight = [
        &[case.out_channels, case.in_channels / case.groups],
        &case.kernel[..],
    ]
    .concat();
    npy(
        &folder.join("x.npy"),
        &shape(case.in_channels, &case.input),
        &x,
    );
    npy(&folder.join("w.npy"), &weight, &w);
    npy(&folder.join("b.npy"), &[case.out_channels], &b);
    npy(
        &folder.join("dy.npy"),
        &shape(case.out_channels, &case.output_size()),
        &dy,
    );
    let [x, w, b, dy] = [x, w, b, dy].map(|values| widen(&values));
    Prepared {
        problem: case.to_string(),
        forward: case.forward(&x, &w, Some(&b)),
        backward_data: case.backward_data(&dy, &w),
        backward_weights: case.backward_weights(&x, &dy),
    }
}

#[test]
fn every_direction_and_layout_is_exact() {
    let folder = folder();
    let at = |name: &str| text(&folder.path().join(name)).to_owned();
    let cases = [
        ConvCase::new(2, 6, 4, [9, 7], [3, 2])
            .stride([2, 1])
            .padding_sides([1, 0], [2, 1])
            .groups(2),
        ConvCase::new(1, 5, 5, [8, 8], [3, 3])
            .padding([1, 1])
            .groups(5),
        ConvCase::new(1, 3, 18, [11], [4]).dilation([2]),
    ];
    for (seed, case) in cases.iter().enumerate() {
        let prepared = prepare(folder.path(), case, seed as u64);
        for layout in ["nchw", "nhwc"] {
            for algorithm in [None, Some("reference")] {
                let runs = [
                    (
                        "forward",
                        vec!["--input", "x.npy", "--weight", "w.npy", "--bias", "b.npy"],
                        &prepared.forward,
                    ),
                    (
                        "backward-data",
                        vec!["--weight", "w.npy", "--grad", "dy.npy"],
                        &prepared.backward_data,
                    ),
                    (
                        "backward-weights",
                        vec!["--input", "x.npy", "--grad", "dy.npy"],
                        &prepared.backward_weights,
                    ),
                ];
                for (direction, arrays, want) in runs {
                    let mut arguments = vec!["op", &prepared.problem, "--direction", direction];
                    arguments.extend(["--layout", layout, "--threads", "2", "--output", "y.npy"]);
                    arguments.extend(algorithm.iter().flat_map(|name| ["--algorithm", name]));
                    arguments.extend(arrays);
                    assert_eq!(succeed(folder.path(), &arguments), "");
                    let got = read_npy::<f32>(Path::new(&at("y.npy"))).unwrap();
                    assert_exact(&arguments.join(" "), got.data(), want);
                }
            }
        }
    }
}

#[test]
fn the_result_has_the_shape_of_what_it_is() {
    let folder = folder();
    let case = ConvCase::new(2, 4, 6, [9, 7], [3, 2]).stride([2, 1]);
    let problem = prepare(folder.path(), &case, 1).problem;
    let shapes = [
        ("forward", vec![2, 6, 4, 6]),
        ("backward-data", vec![2, 4, 9, 7]),
        ("backward-weights", vec![6, 4, 3, 2]),
    ];
    for (direction, shape) in shapes {
        let arrays = ["--input", "x.npy", "--weight", "w.npy", "--grad", "dy.npy"];
        let arguments = [
            "op",
            &problem,
            "--direction",
            direction,
            "--output",
            "y.npy",
        ];
        succeed(folder.path(), &[&arguments[..], &arrays].concat());
        let got = read_npy::<f32>(&folder.path().join("y.npy")).unwrap();
        assert_eq!(got.dims(), shape);
    }
}

#[test]
fn arrays_are_held_against_the_problem() {
    let folder = folder();
    let problem = prepare(folder.path(), &ConvCase::new(1, 2, 3, [5, 5], [3, 3]), 1).problem;
    let given = |input, weight| {
        vec![
            "op", &problem, "--input", input, "--weight", weight, "--output", "y.npy",
        ]
    };
    let shapes = [
        "w.npy: --input has shape [3, 2, 3, 3]",
        "wants [1, 2, 5, 5]",
    ];
    fail(folder.path(), 1, &given("w.npy", "w.npy"), &shapes);
    let missing = ["none.npy: no such file or folder"];
    fail(folder.path(), 2, &given("none.npy", "w.npy"), &missing);
    let wanting = ["op", &problem, "--input", "x.npy", "--output", "y.npy"];
    fail(folder.path(), 2, &wanting, &["forward needs --weight"]);

    let whole = std::fs::read(folder.path().join("x.npy")).unwrap();
    std::fs::write(folder.path().join("short.npy"), &whole[..whole.len() - 4]).unwrap();
    fail(
        folder.path(),
        1,
        &given("short.npy", "w.npy"),
        &["short.npy: the header promises 200 bytes of elements, the file holds 196"],
    );
    #[cfg(unix)]
    fail(
        folder.path(),
        1,
        &given("/dev/zero", "w.npy"),
        &["/dev/zero: not a regular file"],
    );
    std::fs::write(folder.path().join("text.npy"), "no array").unwrap();
    fail(folder.path(), 1, &given("text.npy", "w.npy"), &["text.npy"]);
    assert!(!folder.path().join("y.npy").exists());

    let nowhere = [
        "op",
        &problem,
        "--input",
        "x.npy",
        "--weight",
        "w.npy",
        "--output",
        "none/y.npy",
    ];
    fail(folder.path(), 2, &nowhere, &["none/y.npy"]);
    let onto = [
        "op", &problem, "--input", "x.npy", "--weight", "w.npy", "--output", "./x.npy",
    ];
    fail(folder.path(), 2, &onto, &["./x.npy: it is read"]);
    assert!(std::fs::read(folder.path().join("x.npy")).unwrap() == whole);
}

#[test]
fn what_would_be_ignored_is_refused_before_arrays_are_read() {
    let folder = folder();
    let refused: [(&str, &[&str], &str); 5] = [
        (
            "conv:n1c3h8w8:o4k3",
            &["--algorithm", "depthwise"],
            "algorithm depthwise cannot compute this problem",
        ),
        (
            "conv-deformable:n1c4h8w8:o4k3",
            &["--algorithm", "direct"],
            "--algorithm direct is for plain, transposed and separable",
        ),
        (
            "conv-deformable:n1c4h8w8:o4k3",
            &["--mask", "m.npy"],
            "the problem has no --mask, only --input, --offset, --weight",
        ),
        (
            "conv-separable:n1c4h8w8:o0k3m1",
            &["--pointwise", "p.npy"],
            "no --pointwise, only --input, --weight",
        ),
        (
            "pool-avg:n1c4h8w8:k3",
            &["--direction", "backward-data", "--bias", "b.npy"],
            "no --bias, only --input",
        ),
    ];
    for (problem, flags, words) in refused {
        let arguments = ["op", problem, "--input", "none.npy", "--output", "y.npy"];
        fail(folder.path(), 2, &[&arguments, flags].concat(), &[words]);
    }
}

#[test]
fn a_maximum_goes_back_by_its_input_or_by_its_place() {
    for (problem, words) in [
        (
            "pool-max:n1c1h5w4:k2s2",
            "backward-data needs --input or --indices",
        ),
        (
            "pool-adaptive-max:n1c1h5w4:o2",
            "backward-data needs --input or --indices",
        ),
        ("pool-l2:n1c1h5w4:k2s2", "backward-data needs --input"),
    ] {
        let arguments = ["op", problem, "--direction", "backward-data"];
        let arguments = [&arguments[..], &["--grad", "dy.npy", "--output", "dx.npy"]].concat();
        fail(folder().path(), 2, &arguments, &[words]);
    }
}

#[test]
fn places_are_checked_before_they_are_followed() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let problem = "pool-max:n1c1h5w4:k2s2";
    let output = [1, 1, 2, 2];
    npy(&at("dy.npy"), &output, &[1.0; 4]);
    let places = |name: &str, last: u32| {
        tensor::write_npy(&at(name), &output, &[0, 2, 8, last]).unwrap();
    };
    places("good.npy", 19);
    places("bad.npy", 20);
    let run = |direction, indices| {
        [
            ["op", problem, "--direction", direction],
            ["--grad", "dy.npy", "--indices", indices],
        ]
        .concat()
    };
    let with_output = |mut run: Vec<&'static str>| {
        run.extend(["--output", "dx.npy"]);
        run
    };
    let good = with_output(run("backward-data", "good.npy"));
    succeed(folder.path(), &good);
    let dx = read_npy::<f32>(&at("dx.npy")).unwrap();
    let reached: Vec<_> = (0..20).filter(|&place| dx.data()[place] == 1.0).collect();
    assert_eq!(reached, [0, 2, 8, 19]);

    let bad = with_output(run("backward-data", "bad.npy"));
    let words = ["bad.npy", "index 20", "a plane of 20 elements"];
    fail(folder.path(), 1, &bad, &words);
    let other = with_output(run("backward-weights", "good.npy"));
    fail(folder.path(), 2, &other, &["the problem has no --weight"]);
    npy(&at("x.npy"), &[1, 1, 5, 4], &[1.0; 20]);
    let forward = ["op", problem, "--input", "x.npy", "--output", "y.npy"];
    let twice = |indices| [&forward[..], &["--indices", indices]].concat();
    #[cfg(unix)]
    std::os::unix::fs::symlink("y.npy", at("link.npy")).unwrap();
    let spellings = ["y.npy", "./y.npy", "link.npy"];
    for spelling in &spellings[..if cfg!(unix) { 3 } else { 2 }] {
        let words = ["both --output and --indices"];
        fail(folder.path(), 2, &twice(spelling), &words);
    }
    fail(folder.path(), 2, &twice("none/i.npy"), &["none/i.npy"]);
    // A place where no file can be.
    std::fs::create_dir(at("i.npy")).unwrap();
    fail(
        folder.path(),
        2,
        &twice("i.npy"),
        &["i.npy", "not a regular file"],
    );
    assert!(!at("y.npy").exists());
    fail(
        folder.path(),
        1,
        &with_output(run("backward-data", "dy.npy")),
        &["dy.npy: elements of type <f4 are not read; integers are"],
    );
}

#[test]
fn an_algorithm_is_refused_where_nothing_can_be_chosen() {
    let folder = folder();
    npy(&folder.path().join("x.npy"), &[1, 1, 4, 4], &[1.0; 16]);
    for problem in ["pool-max:n1c1h4w4:k2s2", "pool-avg:n1c1h4w4:k2s2"] {
        let words = [problem, "--algorithm direct"];
        let op = ["op", problem, "--input", "x.npy", "--output", "y.npy"];
        let op = [&op[..], &["--algorithm", "direct"]].concat();
        fail(folder.path(), 2, &op, &words);
        let bench = ["bench", "--problem", problem, "--algorithm", "direct"];
        fail(folder.path(), 2, &bench, &words);
    }
    assert_eq!(names(folder.path()), ["x.npy"]);
}

/// The system ends a program that writes past the limit on the size of files, unless it asks for an error instead.
#[cfg(unix)]
#[test]
fn a_file_past_the_size_limit_is_an_error_and_leaves_nothing() {
    let folder = folder();
    npy(&folder.path().join("x.npy"), &[1, 1, 64, 64], &[1.0; 4096]);
    let pool = "pool-max:n1c1h64w64:k1";
    let op = ["op", pool, "--input", "x.npy", "--output", "y.npy"];
    let output = below_limit(folder.path(), "ulimit -f 1", &op)
        .output()
        .unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.starts_with("error: y.npy: "), "{line}");
    assert_eq!(names(folder.path()), ["x.npy"]);
}

#[test]
fn numbers_too_large_for_the_precision_are_refused() {
    let folder = folder();
    let x = folder.path().join("x.npy");
    tensor::write_npy(&x, &[1, 1, 1, 3], &[1.0, f64::INFINITY, 1e300]).unwrap();
    let problem = "pool-max:n1c1h1w3:k1";
    let op = ["op", problem, "--input", "x.npy", "--output", "y.npy"];
    let words = ["x.npy: a number is larger than float32 holds"];
    fail(folder.path(), 1, &op, &words);
    succeed(folder.path(), &[&op[..], &["--precision", "f64"]].concat());
    let got = read_npy::<f64>(&folder.path().join("y.npy")).unwrap();
    assert_eq!(got.data(), [1.0, f64::INFINITY, 1e300]);
}
