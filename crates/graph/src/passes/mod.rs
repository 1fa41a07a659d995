//! Passes: whole graphs to whole graphs, verified afterwards.
//!
//! They know operators and nothing of kernels. [`training`] and [`inference`] each take the network
//! as its author wrote it; [`remove_dead`] and [`pad_first`] take any graph.

mod dead;
mod epilogue;
mod frozen_norms;
mod inference;
mod loss;
mod pad_first;
mod penalty;
mod rewrite;
mod scale;
mod training;

pub use dead::remove_dead;
pub use inference::inference;
pub use pad_first::pad_first;
pub use training::{TrainingOptions, training};
