//! The operators that belong to no family.

pub(crate) mod case;
mod convolution;
mod elementwise;
mod layers;
mod loss;
mod normalisation;
mod rearrange;
