//! Optimisers, schedules, augmentation, batching, metrics and checkpoints of the convolve system, and the training
//! loop that joins them.
//!
//! The loss is a node of the graph; here is everything around a step of it.
//!
//! | to … | use |
//! |---|---|
//! | train | [`Trainer`] with a [`TrainConfig`] |
//! | continue a run | [`Trainer::resume`] |
//! | measure a trained network | [`Evaluator`] |
//! | name what is on a picture | [`Classifier`] |
//! | read a trained network | [`Checkpoint`] |
//! | read what a run has left behind | [`RunFolder::metrics`], [`History`], [`Guessing`] |
//! | read weights, published ones too | [`Weights`] |
//! | train as a paper did | [`Recipe`] |
//! | train an ONNX model further | [`Architecture`] |
//! | write another loop | [`Loader`], [`Augmenter`], [`Optimiser`], [`Schedule`] |

mod architecture;
mod augment;
mod checkpoint;
mod common_size;
mod config;
mod error;
mod evaluate;
mod filters;
mod freeze;
mod guessing;
mod history;
mod loader;
mod logits;
mod loss;
mod model_card;
mod optimiser;
mod predict;
mod random;
mod recipe;
mod report;
mod run_folder;
mod sampler;
mod schedule;
mod state_dict;
mod statistics;
mod trainer;
mod weights;

pub use architecture::{Architecture, ArchitectureError, OnnxNetwork, OnnxNetworkError};
pub use augment::{Augment, Augmenter, Crop};
pub use checkpoint::{Checkpoint, Progress, Score, Sums};
pub use config::TrainConfig;
pub use error::{CheckpointError, TrainError};
pub use evaluate::{Answer, ClassPlaces, Evaluation, Evaluator, class_places};
pub use filters::FilterBank;
pub use guessing::Guessing;
pub use history::{History, Snapshot};
pub use loader::{Batch, Job, Loader, Transform};
pub use loss::Loss;
pub use model_card::ModelCard;
pub use optimiser::clip::clip_by_norm;
pub use optimiser::{Moment, Optimiser, Rule, Segment};
pub use predict::{Classifier, Prediction};
pub use recipe::Recipe;
pub use report::{EpochReport, Outcome, Progressing, StepReport};
pub use run_folder::{Replaced, RunFolder, RunLock};
pub use sampler::{permutation, whole_batches};
pub use schedule::{Schedule, Shape};
pub use state_dict::{Mismatch, NamedShape, Reshaped};
pub use statistics::channel_statistics;
pub use trainer::Trainer;
pub use weights::Weights;
