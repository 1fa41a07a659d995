//! Pools: ceil mode, divisors, dilation.

use convolve::geometry::Problem;
use convolve::graph::Op;

use crate::ways::{Case, answers, prove};

/// Proves a pool of every kind on the same windows; the output size.
fn size(windows: &str) -> Vec<usize> {
    let (shape, settings) = windows.split_once(':').unwrap();
    let mut sizes = Vec::new();
    for (kind, flag) in [("max", ""), ("avg", ""), ("avg", ",nopad"), ("l1", "")] {
        let text = format!("pool-{kind}:{shape}:{settings}{flag}");
        match prove(&text).0.case {
            Case::Pool(case, _) => sizes.push(case.output_size()),
            case => panic!("{text}: {case:?}"),
        }
    }
    assert!(
        sizes.iter().all(|size| *size == sizes[0]),
        "{windows}: {sizes:?}"
    );
    sizes.swap_remove(0)
}

/// What a pool makes of numbers, and the gradient, the same in every way.
fn pool(text: &str, dims: &[usize], x: &[f32], dy: &[f32]) -> [Vec<f32>; 2] {
    let desc = match text.parse() {
        Ok(Problem::Pool(_, desc)) => desc,
        other => panic!("{text}: {other:?}"),
    };
    let op = Op::Pool {
        indices: text.starts_with("pool-max"),
        desc,
    };
    let made = answers(&op, &[(dims.to_vec(), x.to_vec())], dy, 1);
    let first = [0, 1].map(|place| made[0].1[place].data().to_vec());
    for (way, made) in &made {
        for (made, first) in made.iter().zip(&first) {
            assert_eq!(made.data(), first, "{text} {way}");
        }
    }
    first
}

/// burn#5791: in ceil mode a last window that lies wholly in the padding is left out; it was kept, and
/// its maximum was −∞.
#[test]
fn no_window_lies_wholly_in_the_padding() {
    assert_eq!(size("n1c3h4w7:k2x3s3x4p1,ceil"), [2, 2]);
    let x = [-1.0, -2.0, -3.0];
    // Of three elements and a zero on both sides, the windows are (0, −1), (−2, −3); a third one would
    // begin behind the last element.
    let [y, _] = pool("pool-max:n1c1w3:k2s2p1,ceil", &[1, 1, 3], &x, &[1.0, 1.0]);
    assert_eq!(y, [-1.0, -2.0]);
}

/// convolve, ceil mode: a kernel larger than the padded map was refused; PyTorch rounds the size up to one window. The numbers
/// are those of `F.max_pool2d` and `F.avg_pool2d` there.
#[test]
fn ceil_mode_has_one_window_of_a_kernel_larger_than_the_map() {
    assert_eq!(size("n1c3h4w4:k5s4,ceil"), [1, 1]);
    assert_eq!(size("n1c2h3w7:k7x8s5x4p1,ceil"), [1, 2]);
    let x: Vec<f32> = (1..13).map(|number| number as f32).collect();
    let max = "pool-max:n1c1h3w4:k4x3s2x3p0x1,ceil";
    let [y, dx] = pool(max, &[1, 1, 3, 4], &x, &[1.0, 2.0]);
    assert_eq!(y, [10.0, 12.0]);
    assert_eq!(
        dx,
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 2.0]
    );
    for (flag, mean) in [("", 0.625), (",nopad", 2.5)] {
        let text = format!("pool-avg:n1c1h2w2:k5s2p1,ceil{flag}");
        let [y, _] = pool(&text, &[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0], &[1.0]);
        assert_eq!(y, [mean]);
    }
}

/// burn#5604: the backward pass of an average divides by the divisor of the window it goes back
/// through, which is smaller at a border that does not count.
#[test]
fn gradients_of_averages_have_the_divisor_of_their_window() {
    // Windows (0, 1), (2, 3), (4, _): divisors 1, 2, 1 of the image, 2, 2, 1 with the padding; what
    // hangs over in ceil mode never counts.
    let x = [1.0, 3.0, 5.0, 7.0];
    let run = |flag| {
        let text = format!("pool-avg:n1c1w4:k2s2p1,0,ceil{flag}");
        pool(&text, &[1, 1, 4], &x, &[1.0, 10.0, 100.0])
    };
    assert_eq!(
        run(",nopad"),
        [vec![1.0, 4.0, 7.0], vec![1.0, 5.0, 5.0, 100.0]]
    );
    assert_eq!(run(""), [vec![0.5, 4.0, 7.0], vec![0.5, 5.0, 5.0, 100.0]]);
}

/// burn#5450: padding that is not the same on both sides, counted and not.
#[test]
fn divisors_of_asymmetric_padding() {
    assert_eq!(size("n1c3h5w7:k3x4s2x3p0,1,2,2"), [3, 3]);
    // One zero before, two behind: (0 3), (3 6), (6 0), (0 0).
    let x = [3.0, 6.0];
    let dy = [2.0, 2.0, 2.0, 2.0];
    let [y, dx] = pool("pool-avg:n1c1w2:k2p1,2", &[1, 1, 2], &x, &dy);
    assert_eq!((y, dx), (vec![1.5, 4.5, 3.0, 0.0], vec![2.0, 2.0]));
}

/// tract#2847: the dilation of a pool was ignored.
#[test]
fn dilation_is_not_ignored() {
    assert_eq!(size("n1c3h9w10:k3x2d2x3"), [5, 7]);
    let x = [1.0, 9.0, 2.0, 8.0, 3.0];
    let [y, dx] = pool("pool-max:n1c1w5:k2d2", &[1, 1, 5], &x, &[1.0, 10.0, 100.0]);
    assert_eq!(y, [2.0, 9.0, 3.0]);
    assert_eq!(dx, [0.0, 10.0, 1.0, 0.0, 100.0]);
}

/// onnx#4958: an average of 4 with stride 4 and padding 2 on 9 elements in ceil mode has 3 windows and
/// not 4; the fourth would see no element, and was NaN in some engines.
#[test]
fn ceil_mode_makes_no_empty_window() {
    assert_eq!(size("n1c2h9w9:k4s4p2,ceil"), [3, 3]);
    let x = [1.0; 9];
    let dy = [1.0; 3];
    let [y, _] = pool("pool-avg:n1c1w9:k4s4p2,ceil", &[1, 1, 9], &x, &dy);
    // Cells −2..2, 2..6, 6..10: two zeros before, one behind.
    assert_eq!(y, [0.5, 1.0, 0.75]);
}

/// onnx#7721: padding [1, 0, 1, 0] (rows only), stride 2, 3×3 on 7×5 gives 4×2.
#[test]
fn padding_of_rows_only() {
    assert_eq!(size("n1c2h7w5:k3s2p1x0"), [4, 2]);
}
