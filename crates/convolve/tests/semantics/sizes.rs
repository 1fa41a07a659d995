//! Padding rules, ceil mode and divisors: published answers.

use convolve::geometry::{ConvDesc, Padding, PoolDesc, Problem};
use convolve::graph::Op;
use testkit::layout::{channels_first, channels_last};

use crate::ways::{answers, prove, tensor, ways};

fn counting(len: usize) -> Vec<f32> {
    (1..=len).map(|value| value as f32).collect()
}

/// The convolution or pool of a problem, of one operand or two.
fn op(text: &str) -> Op {
    match text.parse() {
        Ok(Problem::Conv(_, desc)) => Op::Conv {
            desc,
            bias: false,
            residual: false,
            activation: None,
        },
        Ok(Problem::Pool(_, desc)) => Op::Pool {
            desc,
            indices: false,
        },
        other => panic!("{text}: {other:?}"),
    }
}

/// A convolution as Keras has it: input NHWC, weights HWIO, output NHWC.
fn assert_keras(text: &str, x: &[f32], hwio: &[f32], want: &[f32]) {
    let Ok(Problem::Conv(shape, desc)) = text.parse() else {
        panic!("{text}");
    };
    let geometry = desc.resolve(&shape.dims).unwrap();
    let (n, c, o) = (geometry.batch, geometry.in_channels, geometry.out_channels);
    // HWIO is channels last twice over.
    let oihw = channels_first(&channels_first(hwio, 1, o), o, c);
    let operands = [
        (shape.dims.clone(), channels_first(x, n, c)),
        (geometry.weight_shape(), oihw),
    ];
    for (way, made) in answers(&op(text), &operands, &[], 0) {
        let y = channels_last(made[0].data(), n, o);
        assert_eq!(y, want, "{text} {way}");
    }
}

/// Keras and TensorFlow, SAME with strides: the answers that implementations get wrong.
#[test]
fn keras_answers() {
    let same = |shape: &str, settings: &str| format!("conv:{shape}:{settings}psame");
    let want = [2271.0, 2367.0, 2463.0, 1230.0, 1305.0, 1380.0];
    let text = same("n1c3h2w3", "o3k2s2");
    assert_keras(&text, &counting(18), &counting(36), &want);
    let text = same("n1c1h3w3", "o1k1s2");
    assert_keras(&text, &counting(9), &[1.0], &[1.0, 3.0, 7.0, 9.0]);
    let text = same("n1c1h4w4", "o1k2s3");
    assert_keras(
        &text,
        &counting(16),
        &counting(4),
        &[44.0, 28.0, 41.0, 16.0],
    );
    // A kernel larger than the map: the one window sees four elements.
    let text = same("n1c1h2w2", "o1k3s2");
    assert_keras(&text, &[1.0; 4], &[1.0; 9], &[4.0]);
    assert_keras(&text, &[1.0; 4], &[2.0; 9], &[8.0]);
}

/// SAME pads a convolution with zeros, a maximum with −∞, and an average with nothing.
#[test]
fn what_same_padding_holds() {
    let x = [(vec![1, 1, 2, 3], vec![-1.0; 6])];
    let rows = |text: &str| {
        let made = answers(&op(text), &x, &[], 0);
        let made: Vec<_> = made
            .iter()
            .map(|(_, made)| made[0].data().to_vec())
            .collect();
        assert!(made.iter().all(|y| *y == made[0]), "{text}");
        made[0].clone()
    };
    assert_eq!(rows("pool-max:n1c1h2w3:k3psame"), [-1.0; 6]);
    assert_eq!(rows("pool-avg:n1c1h2w3:k3psame,nopad"), [-1.0; 6]);
    let conv = [x[0].clone(), (vec![1, 1, 3, 3], vec![1.0; 9])];
    for (way, made) in answers(&op("conv:n1c1h2w3:o1k3psame"), &conv, &[], 0) {
        assert_eq!(
            made[0].data(),
            [-4.0, -6.0, -4.0, -4.0, -6.0, -4.0],
            "{way}"
        );
    }
    for text in [
        "pool-max:n2c3h5w7:k4x2s3x2psame",
        "pool-avg:n2c3h5w7:k4x2s3x2psame-lower,nopad",
    ] {
        prove(text);
    }
}

/// Valid is no padding, full is `ke − 1`, half is `⌊ke/2⌋` for odd `ke`, with dilation too.
#[test]
fn names_of_paddings() {
    for (kernel, dilation) in [(1, 1), (3, 1), (3, 2), (4, 2), (5, 3)] {
        let effective = dilation * (kernel - 1) + 1;
        let amounts = |rule: Padding| {
            let desc = ConvDesc::new(1, kernel).dilation(dilation).padding(rule);
            let window = desc.resolve(&[1, 1, 20]).unwrap().windows[2];
            (window.before, window.after)
        };
        assert_eq!(amounts(Padding::Valid), (0, 0));
        assert_eq!(amounts(Padding::Full), (effective - 1, effective - 1));
        assert_eq!(amounts(Padding::Same), (effective / 2, effective / 2));
    }
    for text in [
        "conv:n1c3h5w6:o4k3x2pfulld2x3",
        "conv:n1c3h5w6:o4k2x3s2x1pfull",
    ] {
        prove(text);
    }
}

/// PyTorch's average of 1 … 16 in ceil mode: padding counts, what hangs over never does.
#[test]
fn pytorch_average() {
    let want = [1.5556, 3.3333, 2.0, 6.3333, 11.0, 6.0, 4.5, 7.5, 4.0];
    let x = [(vec![1, 1, 4, 4], counting(16))];
    for (way, made) in answers(&op("pool-avg:n1c1h4w4:k3s2p1,ceil"), &x, &[], 0) {
        assert_eq!(made[0].dims(), [1, 1, 3, 3], "{way}");
        for (got, want) in made[0].data().iter().zip(want) {
            assert!((got - want).abs() < 5e-5, "{way}: {got}, should be {want}");
        }
    }
}

/// PyTorch and ONNX: in ceil mode the last window must begin on the image or on the padding before it.
#[test]
fn ceil_mode() {
    let size = |n: usize, k: usize, s: usize, p: usize| {
        let pool = PoolDesc::max(k).stride(s).padding(p).ceil(true);
        pool.resolve(&[1, 1, n]).unwrap().output_shape()[2]
    };
    let mut kept = [0; 2];
    for (n, k, s) in (1..12).flat_map(|n| (1..5).flat_map(move |k| (1..5).map(move |s| (n, k, s))))
    {
        for p in 0..k.min(3) {
            let Some(room) = usize::checked_sub(n + 2 * p, k) else {
                continue;
            };
            let mut out = room.div_ceil(s) + 1;
            let dropped = (out - 1) * s >= n + p;
            out -= usize::from(dropped);
            kept[usize::from(dropped)] += 1;
            assert_eq!(size(n, k, s, p), out, "n{n} k{k} s{s} p{p}");
        }
    }
    assert!(kept.iter().all(|&count| count > 20), "{kept:?}");
    let eager = &ways()[0].eager;
    let x = tensor::<f32>(&[1, 1, 5], &counting(5));
    let pool = PoolDesc::max(2).stride(2).ceil(true);
    assert_eq!(eager.max_pool(&x, pool).unwrap().data(), [2.0, 4.0, 5.0]);
}
