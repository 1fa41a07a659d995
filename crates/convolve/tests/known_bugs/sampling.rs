//! Resizing.

use convolve::geometry::{ResizeCoordinates, ResizeDesc};
use convolve::graph::{Op, SamplingOp};

use crate::ways::answers;

/// pytorch#183523: resized to 1×1, `half_pixel` reads the middle of the map and `pytorch_half_pixel` its
/// first element; one was taken for the other.
#[test]
fn resized_to_a_single_pixel() {
    let x: Vec<f32> = (0..24).map(|v| v as f32).collect();
    // The middle of 4×6, between the rows 1 and 2 and the columns 2 and 3: (8 + 9 + 14 + 15) / 4.
    for (coordinates, want) in [
        (ResizeCoordinates::HalfPixel, 11.5),
        (ResizeCoordinates::PytorchHalfPixel, 0.0),
    ] {
        let desc = ResizeDesc::linear([1, 1]).coordinates(coordinates);
        let op = Op::Sampling(SamplingOp::Resize {
            resizing: desc.into(),
        });
        for (way, made) in answers(&op, &[(vec![1, 1, 4, 6], x.clone())], &[1.0], 1) {
            assert_eq!(made[0].dims(), [1, 1, 1, 1], "{way}");
            assert_eq!(made[0].data(), [want], "{coordinates:?} {way}");
            let mut dx = [0.0; 24];
            if want == 0.0 {
                dx[0] = 1.0;
            } else {
                for place in [8, 9, 14, 15] {
                    dx[place] = 0.25;
                }
            }
            assert_eq!(made[1].data(), dx, "{coordinates:?} {way}");
        }
    }
}
