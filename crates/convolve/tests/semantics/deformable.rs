//! Deformable convolution as torchvision and ONNX have it.

use convolve::geometry::{ConvDesc, DeformableDesc};
use convolve::graph::{DeformableOp, Op};

use crate::ways::answers;

/// One channel under one tap, or under two in a row, moved by `offset` and weighted by `mask`.
fn sample(
    x: (&[usize], &[f32]),
    taps: usize,
    offset: Vec<f32>,
    mask: Option<Vec<f32>>,
) -> Vec<f32> {
    let desc = DeformableDesc::new(ConvDesc::new(1, [1, taps])).modulated(mask.is_some());
    let op = Op::Deformable(DeformableOp::Conv { desc, bias: false });
    let [h, w] = [x.0[0], x.0[1] + 1 - taps];
    let weight = [1.0, 1000.0][..taps].to_vec();
    let mut operands = vec![
        (vec![1, 1, x.0[0], x.0[1]], x.1.to_vec()),
        (vec![1, 2 * taps, h, w], offset),
    ];
    operands.extend(mask.map(|mask| (vec![1, taps, h, w], mask)));
    operands.push((vec![1, 1, 1, taps], weight));
    let made = answers(&op, &operands, &[], 0);
    let first = made[0].1[0].data().to_vec();
    for (way, made) in &made {
        assert_eq!(made[0].data(), first, "{way}");
    }
    first
}

/// Of tap `t`, channel `2t` of the offsets moves down and `2t + 1` across; taps go row by row.
#[test]
fn order_of_the_offsets() {
    let x: Vec<f32> = (1..=9).map(|v| v as f32).collect();
    let mut offset = vec![0.0; 4 * 6];
    // The window at row 1, column 0: the first tap down one, the second across one.
    (offset[2], offset[3 * 6 + 2]) = (1.0, 1.0);
    let y = sample((&[3, 3], &x), 2, offset, None);
    assert_eq!(y, [2001.0, 3002.0, 6007.0, 6005.0, 8007.0, 9008.0]);
}

/// Samples are bilinear; outside the map there are zeros, and from −1 and H on nothing at all.
#[test]
fn samples_at_and_beyond_the_border() {
    let x = [4.0f32, 8.0, 16.0, 32.0];
    for (place, want) in [
        ([0.0, 0.0], 4.0),
        ([0.5, 0.0], 10.0),
        ([0.0, 0.25], 5.0),
        ([0.5, 0.5], 15.0),
        ([-0.5, 0.0], 2.0),
        ([-0.75, -0.5], 0.5),
        ([1.5, 1.5], 8.0),
        ([1.75, 0.0], 4.0),
        ([-1.0, 0.0], 0.0),
        ([0.0, -1.0], 0.0),
        ([2.0, 0.0], 0.0),
        ([0.0, 2.0], 0.0),
        ([-7.0, 1.0], 0.0),
    ] {
        let mut offset = vec![9.0; 8];
        (offset[0], offset[4]) = (place[0], place[1]);
        assert_eq!(sample((&[2, 2], &x), 1, offset, None)[0], want, "{place:?}");
    }
}

/// The mask is used as it is given: no sigmoid.
#[test]
fn the_mask_is_used_as_given() {
    let x = [1.0, 2.0, 3.0];
    let y = sample((&[1, 3], &x), 1, vec![0.0; 6], Some(vec![0.0, -2.0, 5.0]));
    assert_eq!(y, [0.0, -4.0, 15.0]);
}
