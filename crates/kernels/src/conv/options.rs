//! How a plan computes.

use tensor::Layout;

use super::Algorithm;
use crate::Isa;

/// How a plan computes.
#[derive(Clone, Copy, Debug)]
pub struct ConvOptions {
    /// Layout of the feature maps.
    pub layout: Layout,
    /// Instructions to use.
    pub isa: Isa,
    /// An algorithm, or the best that serves the problem.
    pub algorithm: Option<Algorithm>,
    /// Leaves out what computes sums of anything but products of operands, unless it is the algorithm
    /// asked for: see [`Algorithm::reassociates`].
    pub strict: bool,
    /// The weights change between runs, as in training, and are packed for each.
    pub repacked: bool,
}

impl Default for ConvOptions {
    /// The quickest way on this machine, channels last.
    fn default() -> Self {
        Self {
            layout: Layout::Nhwc,
            isa: Isa::best(),
            algorithm: None,
            strict: false,
            repacked: false,
        }
    }
}
