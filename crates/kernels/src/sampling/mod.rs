//! Feature maps read at other places: spatial transformers and resizing.
//!
//! | | forward | backward |
//! |---|---|---|
//! | affine grid | [`affine::forward`] | [`affine::backward`] |
//! | sampling along a grid | [`grid::forward`] | [`grid::backward_input`], [`grid::backward_grid`] |
//! | resizing | [`resize::forward`] | [`resize::backward`] |
//!
//! All of them make an output element a weighted sum of a few input elements. In NHWC the inner loop
//! runs over the channels of a pixel; in NCHW places and weights are found once for a run of pixels
//! and used for every channel.

pub mod affine;
pub mod grid;
pub mod resize;

mod blend;
mod cubic;
