//! Flags that say how the engine computes.

use std::ops::RangeInclusive;

use clap::Args;
use kernels::{Isa, Team};
use runtime::RuntimeOptions;
use tensor::Layout;

/// How many threads may be asked for.
pub(crate) const THREADS: RangeInclusive<i64> = 1..=Team::MOST as i64;

/// Threads and layout; results do not depend on the first, and on the second only in rounding.
#[derive(Args, Clone, Copy)]
pub(crate) struct Engine {
    /// Threads; one a core by default
    #[arg(short = 'j', long, value_parser = clap::value_parser!(u16).range(THREADS))]
    threads: Option<u16>,
    /// How feature maps lie in memory while computing: nchw or nhwc
    #[arg(long, default_value_t, value_name = "LAYOUT")]
    pub(crate) layout: Layout,
    /// Convolutions as sums of products of their operands and nothing else: without Winograd's algorithms,
    /// which are quicker, differ in the last digits, and spread a NaN, an infinity or an overflow near the
    /// largest number over a few neighbours. `op` is strict in any case
    #[arg(long)]
    pub(crate) strict: bool,
}

impl Engine {
    pub(crate) fn threads(&self) -> usize {
        self.asked_threads()
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The number of threads typed, if one was.
    pub(crate) fn asked_threads(&self) -> Option<usize> {
        self.threads.map(usize::from)
    }

    pub(crate) fn isa(&self) -> Isa {
        Isa::chosen()
    }

    pub(crate) fn options(&self) -> RuntimeOptions {
        RuntimeOptions {
            layout: self.layout,
            threads: self.threads(),
            isa: self.isa(),
            algorithm: None,
            strict: self.strict,
        }
    }
}
