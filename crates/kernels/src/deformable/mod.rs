//! Deformable convolution (Dai et al. 2017) and its modulated version (Zhu et al. 2018).
//!
//! `y[p, o] = b[o] + Σ_{t, c} w[o, c, t] · mask[p, t] · x(p·s + t·d − before + offset[p, t], c)`, where
//! `x(·)` interpolates between pixels and is 0 off the map. Offsets and masks are shared by the input
//! channels of an *offset group*; the *weight groups* are those of any convolution. The results are
//! those of torchvision's `deform_conv2d` and ONNX's `DeformConv`.
//!
//! A [`DeformablePlan`] computes in f32. It lays the samples of a strip of pixels out as columns
//! (`columns.rs`), vectors over channels, and leaves the sums to the register tiles of the dense
//! convolution, as the product of columns and weights (`product.rs`). [`mod@reference`] is the
//! definition for every element type. Both take their samples from one place (`sample.rs`).

mod backward_data;
mod backward_weights;
mod columns;
mod forward;
mod plan;
mod product;
pub mod reference;
mod sample;
mod sources;

pub use plan::{DeformableOptions, DeformablePlan};
pub use sources::{Gradients, Sources};
