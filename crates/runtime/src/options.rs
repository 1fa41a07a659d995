//! How a program computes, and what one run of it is told.

use kernels::Isa;
use kernels::conv::Algorithm;
use tensor::Layout;

/// How a program computes. Results do not depend on the threads, and on the rest only in rounding.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeOptions {
    /// Layout of the feature maps inside the program; channels last by default. What goes in and
    /// comes out is channels first in any case.
    pub layout: Layout,
    /// Threads, one a core by default.
    pub threads: usize,
    /// Instructions, [`Isa::chosen`] by default.
    pub isa: Isa,
    /// One algorithm for all convolutions, or for each the best that serves it.
    pub algorithm: Option<Algorithm>,
    /// Leaves out the algorithms that sum anything but products of operands
    /// ([`Algorithm::reassociates`]).
    pub strict: bool,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            layout: Layout::default(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            isa: Isa::chosen(),
            algorithm: None,
            strict: false,
        }
    }
}

/// What one run is told besides its inputs. It chooses the masks of dropout and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Seed of the whole training.
    pub seed: u64,
    /// Training step.
    pub step: u64,
}
