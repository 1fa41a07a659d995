//! Passes: whole graphs to whole graphs, verified afterwards.
//!
//! They know operators and nothing of kernels. [`training`] and [`inference`] each take the network
//! as its author wrote it; [`logits`] and [`with_classes`] make a classifier from elsewhere ready for
//! that; [`remove_dead`], [`remember_maxima`] and
//! [`pad_first`] take any graph.

mod classes;
mod dead;
mod epilogue;
mod frozen_norms;
mod inference;
mod logits;
mod loss;
mod maxima;
mod pad_first;
mod penalty;
mod rewrite;
mod scale;
mod training;

pub use classes::with_classes;
pub use dead::remove_dead;
pub use inference::inference;
pub use logits::logits;
pub use maxima::remember_maxima;
pub use pad_first::pad_first;
pub use training::{TrainingOptions, training};
