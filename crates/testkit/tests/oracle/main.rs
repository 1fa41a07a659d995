//! The oracle's own proof: known answers, laws that hold for every problem, and differences.

mod adaptive;
mod adjoint;
mod arithmetic;
mod axes;
mod buffers;
mod comparison;
mod convolution;
mod deformable;
mod draws;
mod functions;
mod gradients;
mod layers;
mod normalisation;
mod notation;
mod pooling;
mod regions;
mod sampling;
mod separable;
mod softmax;
mod transposed;

/// 1, 2, 3, …
fn counting(len: usize) -> Vec<f64> {
    (1..=len).map(|v| v as f64).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[track_caller]
fn assert_near(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{got:?} should be {want:?}");
    let near = |(g, w): (&f64, &f64)| (g - w).abs() <= tolerance;
    assert!(
        got.iter().zip(want).all(near),
        "{got:?} should be {want:?} ± {tolerance:e}"
    );
}
