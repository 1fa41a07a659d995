//! Deformable convolutions with known answers, and the laws that tie them to the plain ones.

use crate::{assert_near, counting, dot};
use testkit::compare::widen;
use testkit::deformable::Inputs;
use testkit::gradient::check;
use testkit::{ConvCase, DeformableCase, Draw};

fn case(conv: ConvCase, offset_groups: usize) -> DeformableCase {
    DeformableCase {
        conv,
        offset_groups,
    }
}

#[test]
fn onnx_without_padding() {
    let case = case(ConvCase::new(1, 1, 1, [3, 3], [2, 2]), 1);
    let x: Vec<f64> = counting(9).iter().map(|v| v - 1.0).collect();
    let mut offset = vec![0.0; case.offset_len()];
    // Down, of the first tap at the first place; across, of the third tap at the second.
    offset[0] = 0.5;
    offset[5 * 4 + 1] = -0.1;
    let mut inputs = Inputs {
        x: &x,
        offset: &offset,
        mask: None,
        w: &[1.0; 4],
    };
    let y = case.forward(inputs, None);
    assert_near(&y, &[9.5, 11.9, 20.0, 24.0], 1e-12);

    let mut mask = vec![1.0; case.mask_len()];
    mask[2 * 4 + 3] = 0.2;
    inputs.mask = Some(&mask);
    let y = case.forward(inputs, Some(&[1.0]));
    assert_near(&y, &[10.5, 12.9, 21.0, 19.4], 1e-12);
}

#[test]
fn onnx_with_padding() {
    let case = case(ConvCase::new(1, 1, 1, [3, 3], [2, 2]).padding([1, 1]), 1);
    let x: Vec<f64> = counting(9).iter().map(|v| v - 1.0).collect();
    let mut offset = vec![0.0; case.offset_len()];
    offset[0] = 0.5;
    offset[5 * 16 + 6] = -0.1;
    let inputs = Inputs {
        x: &x,
        offset: &offset,
        mask: None,
        w: &[1.0; 4],
    };
    let want = [
        [0.0, 1.0, 3.0, 2.0],
        [3.0, 8.0, 11.9, 7.0],
        [9.0, 20.0, 24.0, 13.0],
        [6.0, 13.0, 15.0, 8.0],
    ];
    assert_near(&case.forward(inputs, None), want.as_flattened(), 1e-12);
}

#[test]
fn onnx_two_offset_groups() {
    let case = case(ConvCase::new(1, 2, 1, [3, 3], [2, 2]), 2);
    let up = counting(9).into_iter().map(|v| v - 1.0);
    let x: Vec<f64> = up
        .chain(counting(9).into_iter().rev().map(|v| v - 1.0))
        .collect();
    let mut offset = vec![0.0; case.offset_len()];
    offset[0] = 0.5;
    offset[13 * 4 + 1] = -0.1;
    let inputs = Inputs {
        x: &x,
        offset: &offset,
        mask: None,
        w: &[1.0; 8],
    };
    let y = case.forward(inputs, None);
    assert_near(&y, &[33.5, 32.1, 32.0, 32.0], 1e-12);
}

#[test]
fn without_offsets_it_is_the_plain_convolution() {
    for (seed, conv) in testkit::draw::conv_cases(21, 40).into_iter().enumerate() {
        if conv.input.len() != 2 {
            continue;
        }
        let mut draw = Draw::new(seed as u64);
        let x = widen(&draw.integers(conv.input_len()));
        let w = widen(&draw.integers(conv.weight_len()));
        let dy = widen(&draw.integers(conv.output_len()));
        let case = case(conv.clone(), conv.in_channels);
        let offset = vec![0.0; case.offset_len()];
        let inputs = Inputs {
            x: &x,
            offset: &offset,
            mask: None,
            w: &w,
        };
        assert_eq!(
            case.forward(inputs, None),
            conv.forward(&x, &w, None),
            "{conv}"
        );
        let gradients = case.backward(inputs, &dy);
        assert_eq!(gradients.x, conv.backward_data(&dy, &w), "{conv}");
        assert_eq!(gradients.w, conv.backward_weights(&x, &dy), "{conv}");
    }
}

#[test]
fn a_sample_a_pixel_off_the_map_is_nothing_but_about_to_be_something() {
    let case = case(ConvCase::new(1, 1, 1, [2, 2], [1, 1]), 1);
    let gradient = |down: f64, across: f64| {
        let offset = [down, 0.0, 0.0, 0.0, across, 0.0, 0.0, 0.0];
        let inputs = Inputs {
            x: &[3.0, 5.0, 7.0, 9.0],
            offset: &offset,
            mask: None,
            w: &[1.0],
        };
        let gradients = case.backward(inputs, &[1.0, 0.0, 0.0, 0.0]);
        let y = case.forward(inputs, None)[0];
        (y, gradients.offset[0], gradients.offset[4])
    };
    assert_eq!(gradient(-1.0, 0.0), (0.0, 3.0, 0.0));
    assert_eq!(gradient(-0.5, 0.5), (2.0, 4.0, 1.0));
    assert_eq!(gradient(2.0, 0.0), (0.0, 0.0, 0.0));
    assert_eq!(gradient(1.5, 0.0), (3.5, -7.0, 1.0));
    assert_eq!(gradient(f64::NAN, 0.0), (0.0, 0.0, 0.0));
    assert_eq!(gradient(0.0, f64::INFINITY), (0.0, 0.0, 0.0));
}

#[test]
fn gradients_are_differences() {
    let mut draw = Draw::new(22);
    let conv = ConvCase::new(2, 6, 2, [5, 4], [3, 2])
        .stride([2, 1])
        .padding([1, 0])
        .dilation([2, 1])
        .groups(2);
    let case = case(conv, 3);
    let mut reals = |len: usize| widen(&draw.reals(len));
    let (x, w) = (reals(case.conv.input_len()), reals(case.conv.weight_len()));
    let (mask, dy) = (reals(case.mask_len()), reals(case.conv.output_len()));
    // Away from pixels, where the slope jumps.
    let offset: Vec<f64> = reals(case.offset_len())
        .iter()
        .map(|v| (v * 2.0).floor() + 0.1 + 0.8 * v.abs())
        .collect();
    let inputs = Inputs {
        x: &x,
        offset: &offset,
        mask: Some(&mask),
        w: &w,
    };
    let gradients = case.backward(inputs, &dy);
    let loss = |inputs: Inputs<'_>| dot(&dy, &case.forward(inputs, None));
    check(|x| loss(Inputs { x, ..inputs }), &x, &gradients.x).unwrap();
    check(
        |offset| loss(Inputs { offset, ..inputs }),
        &offset,
        &gradients.offset,
    )
    .unwrap();
    let with_mask = |mask: &[f64]| {
        loss(Inputs {
            mask: Some(mask),
            ..inputs
        })
    };
    check(with_mask, &mask, &gradients.mask).unwrap();
    check(|w| loss(Inputs { w, ..inputs }), &w, &gradients.w).unwrap();
}
