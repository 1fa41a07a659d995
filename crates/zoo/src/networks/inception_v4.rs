//! Inception v4 (Szegedy et al. 2016), as timm builds and names it.
//!
//! ```text
//! stem /8 ─▶ 4 × A ─▶ reduction A /2 ─▶ 7 × B ─▶ reduction B /2 ─▶ 3 × C ─▶ mean ─▶ last_linear
//! ```

use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::{
    ReductionA, inception_reduction_a, inception_v4_a, inception_v4_b, inception_v4_c,
    inception_v4_reduction_b, inception_v4_stem,
};
use crate::{Model, Task, Width};

pub(super) const PAPER: &str = "Szegedy et al. 2016, Inception-v4, Inception-ResNet and the impact of residual \
                                connections on learning, arXiv:1602.07261";

pub(crate) const MODELS: &[Model] = &[Model {
    name: "inception_v4",
    summary: "a uniform Inception, deeper than v3",
    paper: PAPER,
    task: Task::Classification,
    input: [3, 299, 299],
    classes: 1000,
    network,
}];

/// A block, in its scope.
type Block = fn(&mut NetworkBuilder, ValueId, Width) -> Result<ValueId, GraphError>;

/// Blocks and how many of each stand one after the other.
const BLOCKS: [(Block, usize); 5] = [
    (inception_v4_a, 4),
    (reduction_a, 1),
    (inception_v4_b, 7),
    (inception_v4_reduction_b, 1),
    (inception_v4_c, 3),
];

/// Layers and blocks are numbered from the first of the stem, which has six numbers.
const AFTER_STEM: usize = 6;

/// `[n, c, h, w] → [n, classes]`
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    network.conv_init(WeightInit::KaimingNormalFanIn);
    let mut x = network.input();
    x = network.scope("features", |network| -> Result<ValueId, GraphError> {
        let mut x = inception_v4_stem(network, x, width)?;
        let blocks = BLOCKS
            .into_iter()
            .flat_map(|(block, count)| std::iter::repeat_n(block, count));
        for (place, block) in (AFTER_STEM..).zip(blocks) {
            x = network.scope(&place.to_string(), |network| block(network, x, width))?;
        }
        Ok(x)
    })?;
    x = network.global_average_pool(x)?;
    x = network.flatten(x)?;
    x = network.dropout(x, 0.2)?;
    network.linear("last_linear", x, classes)
}

/// Reduction A with the row of the paper's table 1 for v4.
fn reduction_a(
    network: &mut NetworkBuilder,
    x: ValueId,
    width: Width,
) -> Result<ValueId, GraphError> {
    let channels = ReductionA {
        k: 192,
        l: 224,
        m: 256,
        n: 384,
    };
    inception_reduction_a(network, x, width, channels)
}
