//! Transposed convolutions as PyTorch, ONNX and Keras have them, by values.

use convolve::geometry::{ConvDesc, Padding, TransposedDesc};
use convolve::graph::{Op, TransposedOp};

use crate::ways::{answers, prove};

/// What a layer of one input channel makes of a map, the same in every way.
fn layer(desc: &TransposedDesc, size: &[usize], x: &[f32], w: &[f32]) -> (Vec<usize>, Vec<f32>) {
    let kernel = desc.conv.kernel.expand("kernel", size.len()).unwrap();
    let op = Op::Transposed(TransposedOp::Conv {
        desc: desc.clone(),
        bias: false,
        residual: false,
        activation: None,
    });
    let operands = [
        ([&[1, 1], size].concat(), x.to_vec()),
        (
            [&[1, desc.conv.out_channels], &kernel[..]].concat(),
            w.to_vec(),
        ),
    ];
    let made = answers(&op, &operands, &[], 0);
    let first = made[0].1[0].clone();
    for (way, made) in &made {
        assert_eq!(made[0].data(), first.data(), "{desc:?} {way}");
    }
    (first.dims()[2..].to_vec(), first.data().to_vec())
}

/// PyTorch: `out = (n − 1)s − before − after + ke + a`, and `a` adds rows at the far side only.
#[test]
fn output_padding_is_at_the_far_side() {
    let desc = |a| TransposedDesc::new(ConvDesc::new(1, 2).stride(3)).output_padding(a);
    let run = |a| layer(&desc(a), &[2], &[1.0, 2.0], &[1.0, 10.0]).1;
    assert_eq!(run(0), [1.0, 10.0, 0.0, 2.0, 20.0]);
    assert_eq!(run(2), [1.0, 10.0, 0.0, 2.0, 20.0, 0.0, 0.0]);
}

/// ONNX's example of `output_shape`: 3×3 under ones 3×3, strides 3 and 2, to 10×8.
#[test]
fn onnx_output_shape() {
    let x: Vec<f32> = (0..9).map(|v| v as f32).collect();
    let desc = TransposedDesc::new(ConvDesc::new(2, 3).stride([3, 2]));
    let desc = desc.for_output(&[1, 1, 3, 3], &[10, 8]).unwrap();
    let rows = [
        [0.0, 0.0, 1.0, 1.0, 3.0, 2.0, 2.0, 0.0],
        [3.0, 3.0, 7.0, 4.0, 9.0, 5.0, 5.0, 0.0],
        [6.0, 6.0, 13.0, 7.0, 15.0, 8.0, 8.0, 0.0],
    ];
    let plane = [[rows[0]; 3], [rows[1]; 3], [rows[2]; 3]].concat();
    let plane = [plane.concat(), vec![0.0; 8]].concat();
    let want = (vec![10, 8], [plane.clone(), plane].concat());
    assert_eq!(layer(&desc, &[3, 3], &x, &[1.0; 18]), want);
}

/// ONNX, of a smaller `output_shape`: of the `s(n − 1) + a + ke − out` rows too many, SAME_UPPER takes the
/// odd one off behind, and any other rule before.
#[test]
fn onnx_output_shape_smaller() {
    let desc = |rule| TransposedDesc::new(ConvDesc::new(1, 3).stride(2).padding(rule));
    let run = |rule: Padding| {
        let desc = desc(rule).for_output(&[1, 1, 2], &[4]).unwrap();
        layer(&desc, &[2], &[1.0, 2.0], &[1.0, 10.0, 100.0]).1
    };
    // 1, 10, 100 + 2, 20, 200.
    assert_eq!(run(Padding::Same), [1.0, 10.0, 102.0, 20.0]);
    assert_eq!(run(Padding::SameLower), [10.0, 102.0, 20.0, 200.0]);
    assert_eq!(run(Padding::Valid), [10.0, 102.0, 20.0, 200.0]);
}

/// Keras, valid: `(n − 1)s + max(k, s)`; a stride beyond the kernel leaves rows of zeros behind the last.
#[test]
fn keras_valid() {
    let keras = |k: usize, s| TransposedDesc::keras(ConvDesc::new(1, k).stride(s)).unwrap();
    let run = |k: usize, s| {
        let w = [1.0, 10.0, 100.0, 1000.0];
        layer(&keras(k, s), &[2], &[1.0, 2.0], &w[..k]).1
    };
    assert_eq!(run(1, 3), [1.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
    assert_eq!(run(2, 2), [1.0, 10.0, 2.0, 20.0]);
    assert_eq!(run(3, 2), [1.0, 10.0, 102.0, 20.0, 200.0]);
}

/// Keras, same: `n·s`, cutting off what is too much, the odd row behind, and filling up what is missing.
#[test]
fn keras_same() {
    let keras = |k: usize, s| {
        let conv = ConvDesc::new(1, k).stride(s).padding(Padding::Same);
        TransposedDesc::keras(conv).unwrap()
    };
    let run = |k: usize, s| {
        let w = [1.0, 10.0, 100.0, 1000.0];
        layer(&keras(k, s), &[2], &[1.0, 2.0], &w[..k]).1
    };
    assert_eq!(run(3, 2), [1.0, 10.0, 102.0, 20.0]);
    assert_eq!(run(4, 1), [12.0, 120.0]);
    assert_eq!(run(1, 3), [1.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
}

/// The weight is `[Cin, Cout/g, kernel…]`: with groups, and unequal in every number.
#[test]
fn layout_of_the_weight() {
    for text in [
        "conv-transposed:n2c6h4w3:o4k3x2s2x3p1x0a1x2g2",
        "conv-transposed:n1c9w5:o3k4s3p1g3",
        "conv-transposed:n1c2d2h3w2:o4k2x1x3s1x2x3p0x0x1a0x1x2g2",
    ] {
        prove(text);
    }
}
