//! Batch normalisation (Ioffe & Szegedy 2015): training, inference, and the gradients of both.
//!
//! `y = activation(γ·(x − μ)·r + β + residual)` with `r = 1/√(σ² + ε)`. In training μ and σ² are
//! those of the batch, in inference running means of them. The residual and the activation belong
//! to the operator because they cost nothing here: the pass over memory is the price.
//!
//! All vectors of statistics and parameters hold one value a channel. The functions here are for
//! f32; those of [`mod@reference`] are for f64 too.

mod backward;
pub mod channel;
mod forward;
mod gradient_maps;
pub mod group;
pub mod layer;
mod phases;
pub mod reference;
pub mod response;
mod rows;
mod statistics;

use tensor::Layout;

use crate::Activation;
use crate::strips::Cut;

pub use backward::{Gate, backward, inference_backward};
pub use forward::{NormTraining, forward_training, inference};
pub use gradient_maps::GradientMaps;

/// The feature map that is normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NormGeometry {
    /// Images.
    pub batch: usize,
    /// Channels, normalised one by one.
    pub channels: usize,
    /// Positions of a map: height times width.
    pub area: usize,
    /// How the map lies in memory.
    pub layout: Layout,
}

impl NormGeometry {
    /// Elements of `scratch` that every function here needs.
    pub fn scratch_len(&self) -> usize {
        self.cut().chunks() * self.channels * statistics::PARTIALS
    }

    fn cut(&self) -> Cut {
        Cut::new(self.layout, self.batch, self.channels, self.area)
    }

    /// Elements of each channel.
    fn count(&self) -> usize {
        self.batch * self.area
    }

    fn check_maps(&self, maps: &[(&str, usize)]) {
        let len = self.batch * self.channels * self.area;
        for (what, given) in maps {
            assert_eq!(*given, len, "norm: length of {what} for {self:?}");
        }
    }

    fn check_vectors(&self, vectors: &[(&str, usize)]) {
        for (what, given) in vectors {
            assert_eq!(*given, self.channels, "norm: length of {what} for {self:?}");
        }
    }
}

/// `1/√(σ² + ε)`
fn inverse_deviation(variance: f64, epsilon: f32) -> f32 {
    (1.0 / (variance + f64::from(epsilon)).sqrt()) as f32
}
