//! Every way in which the engine can compute one operator.

use std::sync::{Arc, LazyLock};

use convolve::kernels::conv::Algorithm;
use convolve::kernels::{Isa, Team};
use convolve::runtime::{Eager, RuntimeOptions};
use convolve::tensor::Layout;

/// An engine set to one layout, one number of threads and, for convolutions, one algorithm.
pub(crate) struct Way {
    /// As the program's options have it: `--algorithm direct --layout nhwc --threads 3 on avx2`.
    pub(crate) name: String,
    /// The algorithm of convolutions; without one, the best that serves.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) eager: Eager,
}

/// Every algorithm that is exact on integers and the strict choice of the best, in both layouts, by 1, 2, 3 and 7 threads. The family of
/// instructions goes round, so that each meets every algorithm in every layout.
pub(crate) fn ways() -> &'static [Way] {
    static WAYS: LazyLock<Vec<Way>> = LazyLock::new(|| {
        let teams = [1, 2, 3, 7].map(|threads| Arc::new(Team::new(threads).unwrap()));
        let strict = Algorithm::ALL.into_iter().filter(|a| !a.reassociates());
        let algorithms = strict.map(Some).chain([None]);
        let families: Vec<_> = Isa::available().collect();
        let mut families = families.iter().cycle();
        let mut ways = Vec::new();
        for algorithm in algorithms {
            for layout in Layout::ALL {
                for team in &teams {
                    let isa = *families.next().unwrap();
                    let threads = team.threads();
                    let options = RuntimeOptions {
                        layout,
                        threads,
                        isa,
                        algorithm,
                        strict: true,
                    };
                    let chosen =
                        algorithm.map_or_else(String::new, |a| format!("--algorithm {a} "));
                    ways.push(Way {
                        name: format!("{chosen}--layout {layout} --threads {threads} on {isa}"),
                        algorithm,
                        eager: Eager::with_team(options, Arc::clone(team)),
                    });
                }
            }
        }
        ways
    });
    &WAYS
}
