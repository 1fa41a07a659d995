//! Transposed convolutions: known answers, and the definition against the two other views of it.

use crate::counting;
use testkit::compare::widen;
use testkit::draw::transposed_cases;
use testkit::{ConvCase, Draw, TransposedCase};

fn one_axis(input: usize, kernel: usize, stride: usize) -> TransposedCase {
    TransposedCase {
        batch: 1,
        in_channels: 1,
        out_channels: 1,
        groups: 1,
        input: vec![input],
        kernel: vec![kernel],
        stride: vec![stride],
        dilation: vec![1],
        before: vec![0],
        after: vec![0],
        output_padding: vec![0],
    }
}

#[test]
fn one_axis_by_hand() {
    // Copies 1·(1 10 100) at 0 and 2·(1 10 100) at 2; then one cell taken off in front and one added behind.
    let mut case = one_axis(2, 3, 2);
    let w = [1.0, 10.0, 100.0];
    assert_eq!(
        case.forward(&[1.0, 2.0], &w, None),
        [1.0, 10.0, 102.0, 20.0, 200.0]
    );
    (case.before[0], case.output_padding[0]) = (1, 1);
    let y = case.forward(&[1.0, 2.0], &w, Some(&[0.5]));
    assert_eq!(y, [10.5, 102.5, 20.5, 200.5, 0.5]);
    assert_eq!(case.to_string(), "conv-transposed:n1c1w2:o1k3s2p1,0a1");
}

#[test]
fn a_kernel_below_the_stride_leaves_cells_empty() {
    let case = one_axis(3, 1, 3);
    assert_eq!(
        case.forward(&counting(3), &[2.0], None),
        [2.0, 0.0, 0.0, 4.0, 0.0, 0.0, 6.0]
    );
}

#[test]
fn channels_of_a_group_are_exchanged() {
    // Weights [2 in, 1 out per group] of two groups: each input feeds the output of its own group.
    let case = TransposedCase {
        in_channels: 2,
        out_channels: 4,
        groups: 2,
        ..one_axis(1, 1, 1)
    };
    let y = case.forward(&[1.0, 10.0], &[1.0, 2.0, 3.0, 4.0], None);
    assert_eq!(y, [1.0, 2.0, 30.0, 40.0]);
}

#[test]
fn the_definition_is_the_stretched_convolution() {
    let mut draw = Draw::new(21);
    for case in transposed_cases(20, 200) {
        let x = widen(&draw.integers(case.input_len()));
        let w = widen(&draw.integers(case.weight_len()));
        let b = widen(&draw.integers(case.out_channels));
        let want = case.forward(&x, &w, Some(&b));
        assert_eq!(case.through_stretching(&x, &w, Some(&b)), want, "{case}");
    }
}

#[test]
fn the_definition_is_backward_data() {
    let mut draw = Draw::new(22);
    let mut tried = 0;
    for case in transposed_cases(23, 300) {
        // Output padding beyond the stride is so much less padding of the convolution.
        let hidden: Vec<usize> = (0..case.input.len())
            .map(|axis| case.output_padding[axis] / case.stride[axis] * case.stride[axis])
            .collect();
        if hidden
            .iter()
            .zip(&case.after)
            .any(|(hidden, after)| hidden > after)
        {
            continue;
        }
        let after: Vec<usize> = case.after.iter().zip(&hidden).map(|(a, h)| a - h).collect();
        let conv = ConvCase::new(
            case.batch,
            case.out_channels,
            case.in_channels,
            case.output_size(),
            case.kernel.clone(),
        )
        .stride(case.stride.clone())
        .dilation(case.dilation.clone())
        .padding_sides(case.before.clone(), after)
        .groups(case.groups);
        assert_eq!(conv.output_size(), case.input, "{case}");
        let x = widen(&draw.integers(case.input_len()));
        let w = widen(&draw.integers(case.weight_len()));
        assert_eq!(
            conv.backward_data(&x, &w),
            case.forward(&x, &w, None),
            "{case}"
        );
        tried += 1;
    }
    assert!(tried > 200, "{tried}");
}
