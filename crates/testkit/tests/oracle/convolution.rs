//! Convolutions with known answers.

use crate::counting;
use testkit::{ConvCase, escaped, layout};

/// Runs a case given as Keras does it: input NHWC and weights HWIO, both filled 1, 2, 3, …; output NHWC.
fn keras(case: &ConvCase) -> Vec<f64> {
    let x = layout::channels_first(&counting(case.input_len()), case.batch, case.in_channels);
    // HWIO → O, then HW·I → I, HW: twice the swap of "channels last" and "channels first".
    let hwio = counting(case.weight_len());
    let ohwi = layout::channels_first(&hwio, 1, case.out_channels);
    let oihw = layout::channels_first(&ohwi, case.out_channels, case.in_channels);
    layout::channels_last(
        &case.forward(&x, &oihw, None),
        case.batch,
        case.out_channels,
    )
}

#[test]
fn keras_two_by_two_filter_stride_two_same() {
    let case = ConvCase::new(1, 3, 3, [2, 3], [2, 2])
        .stride([2, 2])
        .padding_sides([0, 0], [0, 1]);
    assert_eq!(case.output_size(), [1, 2]);
    assert_eq!(
        keras(&case),
        [2271.0, 2367.0, 2463.0, 1230.0, 1305.0, 1380.0]
    );
}

#[test]
fn keras_kernel_smaller_than_the_stride() {
    let one = ConvCase::new(1, 1, 1, [3, 3], [1, 1]).stride([2, 2]);
    assert_eq!(keras(&one), [1.0, 3.0, 7.0, 9.0]);
    let two = ConvCase::new(1, 1, 1, [4, 4], [2, 2])
        .stride([3, 3])
        .padding_sides([0, 0], [1, 1]);
    assert_eq!(keras(&two), [44.0, 28.0, 41.0, 16.0]);
}

#[test]
fn one_axis_by_hand() {
    // Padded: 0 1 2 3 4 5 0 0; windows at 0 and 2 with taps 2 apart.
    let case = ConvCase::new(1, 1, 1, [5], [3])
        .stride([2])
        .dilation([2])
        .padding_sides([1], [2]);
    let y = case.forward(&counting(5), &[1.0, 10.0, 100.0], Some(&[0.5]));
    assert_eq!(y, [420.5, 42.5]);
    // dx: each tap hands the window's gradient back to the cell it looked at.
    let dx = case.backward_data(&[1.0, 3.0], &[1.0, 10.0, 100.0]);
    assert_eq!(dx, [0.0, 10.0 + 3.0, 0.0, 100.0 + 30.0, 0.0]);
    let dw = case.backward_weights(&counting(5), &[1.0, 3.0]);
    assert_eq!(dw, [2.0 * 3.0, 2.0 + 4.0 * 3.0, 4.0]);
    assert_eq!(case.backward_bias(&[1.0, 3.0]), [4.0]);
}

#[test]
fn groups_do_not_mix() {
    let case = ConvCase::new(1, 4, 2, [1, 1], [1, 1]).groups(2);
    let w = [1.0, 10.0, 100.0, 1000.0];
    assert_eq!(case.forward(&counting(4), &w, None), [21.0, 4300.0]);
    let dx = case.backward_data(&[1.0, 2.0], &w);
    assert_eq!(dx, [1.0, 10.0, 200.0, 2000.0]);
    let dw = case.backward_weights(&counting(4), &[1.0, 2.0]);
    assert_eq!(dw, [1.0, 2.0, 6.0, 8.0]);
}

#[test]
fn three_axes_are_told_apart() {
    // One cell set, one weight set: the output has one cell, where window + tap = cell on every axis.
    let case = ConvCase::new(1, 1, 1, [4, 5, 6], [2, 3, 4]);
    let mut x = vec![0.0; case.input_len()];
    x[(2 * 5 + 3) * 6 + 5] = 2.0;
    let mut w = vec![0.0; case.weight_len()];
    w[(3 + 2) * 4 + 3] = 3.0;
    let y = case.forward(&x, &w, None);
    assert_eq!(case.output_size(), [3, 3, 3]);
    let set: Vec<_> = (0..y.len()).filter(|&i| y[i] != 0.0).collect();
    assert_eq!(set, [(3 + 1) * 3 + 2]);
    assert_eq!(y[set[0]], 6.0);
}

#[test]
fn onnx_strides_and_padding_on_one_axis() {
    let case = ConvCase::new(1, 1, 1, [7, 5], [3, 3])
        .stride([2, 2])
        .padding([1, 0]);
    let x: Vec<f64> = (0..35).map(f64::from).collect();
    let y = case.forward(&x, &[1.0; 9], None);
    assert_eq!(case.output_size(), [4, 2]);
    assert_eq!(y, [21.0, 33.0, 99.0, 117.0, 189.0, 207.0, 171.0, 183.0]);
}

#[test]
fn onnx_transposed_is_backward_data() {
    // ConvTranspose 1 → 2 channels of 3×3: the convolution 2 → 1 of 5×5 backwards.
    let case = ConvCase::new(1, 2, 1, [5, 5], [3, 3]);
    let x: Vec<f64> = (0..9).map(f64::from).collect();
    let y = case.backward_data(&x, &[1.0; 18]);
    let plane = [
        0.0, 1.0, 3.0, 3.0, 2.0, //
        3.0, 8.0, 15.0, 12.0, 7.0, //
        9.0, 21.0, 36.0, 27.0, 15.0, //
        9.0, 20.0, 33.0, 24.0, 13.0, //
        6.0, 13.0, 21.0, 15.0, 8.0,
    ];
    assert_eq!(y, [plane, plane].concat());
}

#[test]
fn transposed_products_are_counted_at_the_input() {
    // Transposed 3 → 1, 2×2 taps, stride 2, on 2×2.
    let case = ConvCase::new(1, 1, 3, [4, 4], [2, 2]).stride([2, 2]);
    assert_eq!(case.output_size(), [2, 2]);
    assert_eq!(case.products(), 48);
}

#[test]
fn transposed_same_sizes() {
    // ORT#4086: 2×2, 3×3 taps, stride 1, total padding 2 → 2×2.
    let kept = ConvCase::new(1, 1, 1, [2, 2], [3, 3]).padding([1, 1]);
    assert_eq!(kept.output_size(), [2, 2]);
    // ORT#11927: 3×3 doubled to 6×6 by 3×3 taps with stride 2.
    let doubled = ConvCase::new(1, 1, 1, [6, 6], [3, 3])
        .stride([2, 2])
        .padding_sides([0, 0], [1, 1]);
    assert_eq!(doubled.output_size(), [3, 3]);
}

#[test]
fn transposed_output_padding_with_stride_one() {
    // ORT#14208: 2 taps, padding 3, dilation 2 and one row of output padding turn 5 rows into
    // 5 − 1 − 6 + 3 + 1 = 2, of which row o reads the rows o + 3 and, by the second tap, o + 1.
    let case = ConvCase::new(1, 1, 1, [2], [2])
        .padding_sides([3], [2])
        .dilation([2]);
    assert_eq!(case.output_size(), [5]);
    assert_eq!(case.backward_data(&counting(5), &[1.0, 10.0]), [24.0, 35.0]);
}

#[test]
fn depthwise_weight_gradient_of_ones() {
    let gradient = |channels: usize, size: usize| {
        let case = ConvCase::new(1, channels, channels, [size, size], [3, 3])
            .stride([2, 2])
            .padding([1, 1])
            .groups(channels);
        let (x, dy) = (vec![1.0; case.input_len()], vec![1.0; case.output_len()]);
        case.backward_weights(&x, &dy)
    };
    for channels in [23, 24, 25] {
        let want = [4.0, 6.0, 6.0, 6.0, 9.0, 9.0, 6.0, 9.0, 9.0];
        assert_eq!(
            gradient(channels, 6),
            want.repeat(channels),
            "pytorch#50042"
        );
    }
    let want = [1.0, 2.0, 2.0, 2.0, 4.0, 4.0, 2.0, 4.0, 4.0];
    assert_eq!(gradient(4, 4), want.repeat(4), "burn PR#1891");
}

#[test]
fn grouped_one_by_one_is_not_zero() {
    // pytorch#19912
    let case = ConvCase::new(1, 4, 16, [1, 1], [1, 1]).groups(2);
    let y = case.forward(&counting(4), &[1.0; 32], None);
    assert_eq!(y, [vec![3.0; 8], vec![7.0; 8]].concat());
}

#[test]
fn inputs_in_no_window_get_no_gradient() {
    // burn PR#4806: 1603 = 400 · 4 + 3
    let case = ConvCase::new(1, 1, 1, [1603], [4]).stride([4]);
    let dx = case.backward_data(&[1.0; 400], &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(dx.len(), 1603);
    assert_eq!(dx[1596..], [1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0]);
}

#[test]
fn sizes_of_escaped_cases() {
    let size = |name: &str| {
        let cases = escaped::convolutions().into_iter();
        let mut cases = cases.chain(escaped::impossible_convolutions());
        let (_, case) = cases.find(|(report, _)| report.starts_with(name)).unwrap();
        case.output_size()
    };
    assert_eq!(size("tinygrad PR#17805"), [28, 31]);
    assert_eq!(size("onnx#7721"), [4, 2]);
    assert_eq!(size("candle#633"), [14, 14]);
    assert_eq!(size("ACL PR#395"), [202, 201]);
    assert_eq!(size("pytorch PR#9640"), [0, 0]);
    assert_eq!(size("a kernel wider"), [9, 0]);
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    let case = ConvCase::new(0, 3, 4, [5, 5], [3, 3]);
    let w = vec![1.0; case.weight_len()];
    assert!(case.forward(&[], &w, Some(&[1.0; 4])).is_empty());
    assert!(case.backward_data(&[], &w).is_empty());
    assert_eq!(case.backward_weights(&[], &[]), vec![0.0; w.len()]);
}
