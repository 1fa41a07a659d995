//! CPU kernels of convolutional networks, by direction: forward, backward-data, backward-weights.
//!
//! A kernel is planned once for a [`geometry`], an [`Isa`] and a layout, and then runs without
//! allocating or failing. Sums are cut by the problem alone, whatever the [`Team`], so every result is
//! bitwise the same for any number of threads.

pub mod activation;
pub mod arithmetic;
pub mod concat;
pub mod conv;
pub mod deformable;
pub mod dropout;
pub mod elementwise;
pub mod norm;
pub mod peak;
pub mod pool;
pub mod rearrange;
pub mod reduce;
pub mod regions;
pub mod sampling;
pub mod softmax;
pub mod transpose;
pub mod unary;

mod bands;
mod bilinear;
mod blocks;
mod context;
mod elementary;
mod exponential;
mod isa;
mod map;
mod nest;
mod pixels;
mod prefetch;
mod real;
mod row;
mod runs;
mod share;
mod shared;
mod simd;
mod stream;
mod strips;
mod sum;
mod team;
mod vectorise;
mod vectors;

pub use activation::Activation;
pub use context::Context;
pub use isa::Isa;
pub use real::Real;
pub use team::{Team, TeamError};
