//! CPU kernels of convolutional networks, by direction: forward, backward-data, backward-weights.
//!
//! A kernel is planned once for a [`geometry`], an [`Isa`] and a layout, and then runs without
//! allocating or failing. All work is split over a [`Team`] by the problem alone, so every result is
//! bitwise the same for any number of threads.

pub mod activation;
mod blocks;
mod context;
pub mod conv;
mod isa;
mod shared;
mod simd;
mod team;
pub mod transpose;
mod vectorise;

pub use activation::Activation;
pub use context::Context;
pub use isa::Isa;
pub use team::{Team, TeamError};
