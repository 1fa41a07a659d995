//! Deformable convolution.

use convolve::geometry::Problem;
use convolve::graph::{DeformableOp, Op};
use testkit::compare::{assert_exact, widen};
use testkit::{ConvCase, Draw};

use crate::ways::{answers, prove};

/// vision#2817: batches that are no multiple of the chunks of 32 images in which they were computed.
#[test]
fn batches_of_33_and_64() {
    for batch in [33, 64] {
        prove(&format!(
            "conv-deformable:n{batch}c6h5w4:o2k3x2s2x1p1x0d2x1g2f3"
        ));
        prove(&format!(
            "conv-deformable:n{batch}c6h5w4:o2k3x2s2x1p1x0d2x1g2f3m"
        ));
    }
}

/// vision#2598: on a map of 1000×110 the second call gave another result than the first. Every sample
/// is moved one down and one to the left, which a convolution of other padding computes.
#[test]
fn a_long_map_twice() {
    let plain = ConvCase::new(1, 1, 1, [1000, 110], [3, 3]).padding_sides([1, 3], [3, 1]);
    let text = "conv-deformable:n1c1h1000w110:o1k3p2f1";
    let Ok(Problem::ConvDeformable(_, desc)) = text.parse() else {
        panic!("{text}");
    };
    let op = Op::Deformable(DeformableOp::Conv { desc, bias: false });
    let mut draw = Draw::new(1);
    let (x, w) = (draw.integers(plain.input_len()), draw.integers(9));
    let dy = draw.integers(plain.output_len());
    let map = 1002 * 112;
    let offset = (0..18)
        .flat_map(|place| vec![[1.0, -1.0][place % 2]; map])
        .collect();
    let want = [
        plain.forward(&widen(&x), &widen(&w), None),
        plain.backward_data(&widen(&dy), &widen(&w)),
        plain.backward_weights(&widen(&x), &widen(&dy)),
    ];
    let operands = [
        (vec![1, 1, 1000, 110], x),
        (vec![1, 18, 1002, 112], offset),
        (vec![1, 1, 3, 3], w),
    ];
    // Every way is an engine; all of them share teams, and each is asked twice.
    for call in ["first", "second"] {
        for (way, made) in answers(&op, &operands, &dy, 3) {
            for (place, want) in [0, 1, 3].into_iter().zip(&want) {
                assert_exact(&format!("{text} {call} {way}"), made[place].data(), want);
            }
        }
    }
}
