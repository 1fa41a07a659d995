//! CPU kernels of convolutional networks, by direction: forward, backward-data, backward-weights.
//!
//! A kernel is planned once for a [`geometry`], an [`Isa`] and a layout, and then runs without
//! allocating or failing. All work is split over a [`Team`] by the problem alone, so every result is
//! bitwise the same for any number of threads.

pub mod activation;
pub mod concat;
pub mod conv;
pub mod dropout;
pub mod elementwise;
pub mod norm;
pub mod peak;
pub mod pool;
pub mod reduce;
pub mod softmax;
pub mod transpose;

mod blocks;
mod context;
mod exponential;
mod isa;
mod map;
mod real;
mod row;
mod shared;
mod simd;
mod strips;
mod sum;
mod team;
mod vectorise;

pub use activation::Activation;
pub use context::Context;
pub use isa::Isa;
pub use real::Real;
pub use team::{Team, TeamError};
