//! Passes: whole graphs to whole graphs, verified afterwards.
//!
//! They know operators and nothing of kernels. [`training`] and [`inference`] each take the network
//! as its author wrote it; [`remove_dead`] takes any graph.

mod dead;
mod epilogue;
mod inference;
mod rewrite;
mod training;

pub use dead::remove_dead;
pub use inference::inference;
pub use training::{TrainingOptions, training};
