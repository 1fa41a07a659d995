//! The operators that belong to no family.

mod case;
mod convolution;
mod elementwise;
mod loss;
mod normalisation;
mod pooling;
mod rearrange;
