//! Images, data sets, weights, ONNX models and event files of the convolve system.
//!
//! Untrusted bytes enter the system in this crate and nowhere else. Three rules follow: every size a file
//! declares is checked before memory is taken for it, every failure is a typed error that names the file, and
//! nothing here panics on what a file holds.
//!
//! | to … | use |
//! |---|---|
//! | open a data set | [`open`] with a [`Source`], giving [`Splits`] of [`Dataset`]s |
//! | hold a small data set decoded in memory | [`cache`] |
//! | decode one image | [`Picture::open`], [`images_below`] |
//! | turn a picture into a network's input | [`Preprocess`] |
//! | read and write weights and checkpoints | [`weights::TensorFile`], [`weights::WeightsReader`] |
//! | read what timm writes beside weights | [`ModelConfig`] |
//! | find published weights | [`hub::HubId`] |
//! | write a file that is whole or absent | [`atomic::write`] |
//! | read an ONNX model as a graph | [`onnx::Model::open`] |
//! | write curves for TensorBoard | [`events::EventWriter`] |
//!
//! ```
//! use formats::{OpenOptions, Source, open};
//! # use convolve_formats as formats;
//!
//! let splits = open(&"shapes".parse::<Source>()?, &OpenOptions::default())?;
//! let picture = splits.train.picture(0)?;
//! assert_eq!((picture.height, picture.width, picture.channels), (32, 32, 3));
//! assert_eq!(splits.train.classes().len(), 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod atomic;
mod dataset;
mod error;
pub mod events;
pub mod hub;
pub mod imagenet;
mod model_config;
pub mod onnx;
mod picture;
mod preprocess;
mod resize;
pub mod weights;

pub use dataset::cache::cache;
pub use dataset::memory::MemoryDataset;
pub use dataset::shapes::{Part, Shapes};
pub use dataset::skipped::Skipped;
pub use dataset::source::{HeldOut, OpenOptions, Source, Splits, open};
pub use dataset::split::Subset;
pub use dataset::{Dataset, folder::FolderDataset};
pub use error::DataError;
pub use model_config::{ModelConfig, ModelConfigError};
pub use picture::{Picture, images_below};
pub use preprocess::{CropMode, Interpolation, Preprocess, PreprocessError};
pub use resize::{Region, resize};
