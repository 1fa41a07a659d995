//! What a convolutional network looks at, and what ails it: numbers, no pictures.
//!
//! A network, its parameters and prepared images come in; maps over the image, statistics and findings go out. Who wants
//! to see them draws them with the `figures` room.
//!
//! | to see … | use |
//! |---|---|
//! | what a network is asked through | [`Subject`] |
//! | the filters of a layer | [`filters`] |
//! | the feature maps of an image by depth, their statistics | [`feature_maps`], [`statistics`] |
//! | which pixels a class depends on, by gradients | [`saliency`], [`guided`], [`deconvnet`], [`Backpropagation`] |
//! | which regions speak for a class | [`grad_cam`] |
//! | what is lost when a window is covered | [`Occlusion`] |
//! | what a layer computes, number by number | [`computation`] |
//! | how much of its field a neuron uses | [`effective_field`] |
//! | what excites a filter most | [`TopPatches`] |
//! | whether a map tells the truth | [`Deletion`], [`Randomisation`] |
//! | what ails a network | [`doctor`] |

mod backpropagation;
mod baseline;
mod batches;
mod computation;
mod deletion;
pub mod doctor;
mod effective_field;
mod error;
mod feature_maps;
mod filters;
mod forward;
mod grad_cam;
mod map;
mod named;
mod occlusion;
mod pullback;
mod random;
mod randomisation;
mod rank_correlation;
mod statistics;
mod subject;
mod target;
mod top_patches;

pub use backpropagation::{Backpropagation, deconvnet, guided, saliency};
pub use baseline::Baseline;
pub use computation::{Computation, computation};
pub use deletion::Deletion;
pub use effective_field::{EffectiveField, effective_field};
pub use error::ExplainError;
pub use feature_maps::{FeatureMaps, feature_maps, glance};
pub use filters::{Filters, filters};
pub use grad_cam::{GradCam, grad_cam};
pub use graph::{OutputActivation, RectifierRule};
pub use map::Map;
pub use occlusion::{Occlusion, OcclusionMaps, Strongest};
pub use randomisation::{Randomisation, Randomised};
pub use rank_correlation::rank_correlation;
pub use statistics::{LayerStatistics, Statistics, statistics};
pub use subject::{BuildError, Layer, Subject};
pub use target::Target;
pub use top_patches::{Patch, TopPatches};
