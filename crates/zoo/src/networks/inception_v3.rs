//! Inception v3 (Szegedy et al. 2015), as torchvision builds and names it, with its auxiliary head.
//!
//! ```text
//! stem /8 ─▶ Mixed_5b, c, d: A ─▶ 6a: B /2 ─▶ 6b, c, d, e: C ──┬──▶ 7a: D /2 ─▶ 7b, c: E ─▶ mean ─▶ fc
//!                                                              └─▶ AuxLogits (in training only)
//! ```
//! Images are scaled as Inception's are, to [−1, 1]; torchvision's switch `transform_input`, which takes images scaled
//! for ResNets, is off.

use graph::{GraphError, NetworkBuilder, ValueId, WeightInit};

use crate::blocks::{
    inception_v3_a, inception_v3_auxiliary, inception_v3_b, inception_v3_c, inception_v3_d,
    inception_v3_e, inception_v3_stem,
};
use crate::{Model, Task, Width};

pub(crate) const MODELS: &[Model] = &[Model {
    name: "inception_v3",
    summary: "factorised convolutions, an auxiliary head with batch normalisation",
    paper: "Szegedy et al. 2015, Rethinking the Inception architecture, arXiv:1512.00567",
    task: Task::Classification,
    input: [3, 299, 299],
    classes: 1000,
    network,
}];

/// The loss of the auxiliary head counts so much.
const AUXILIARY_WEIGHT: f32 = 0.4;

/// Blocks A and the channels after their pools; blocks C and those inside their factorised branches.
const A: [(&str, usize); 3] = [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)];
const C: [(&str, usize); 4] = [
    ("Mixed_6b", 128),
    ("Mixed_6c", 160),
    ("Mixed_6d", 160),
    ("Mixed_6e", 192),
];

/// `[n, c, h, w] → [n, classes]`
fn network(
    network: &mut NetworkBuilder,
    width: Width,
    classes: usize,
) -> Result<ValueId, GraphError> {
    let init = WeightInit::Normal { deviation: 0.1 };
    network.conv_init(init).linear_init(init);
    let mut x = network.input();
    x = inception_v3_stem(network, x, width)?;
    for (name, pool) in A {
        x = network.scope(name, |network| inception_v3_a(network, x, width, pool))?;
    }
    x = network.scope("Mixed_6a", |network| inception_v3_b(network, x, width))?;
    for (name, hidden) in C {
        x = network.scope(name, |network| inception_v3_c(network, x, width, hidden))?;
    }
    let logits = network.scope("AuxLogits", |network| {
        inception_v3_auxiliary(network, x, width, classes)
    })?;
    network.auxiliary(logits, AUXILIARY_WEIGHT);
    x = network.scope("Mixed_7a", |network| inception_v3_d(network, x, width))?;
    for name in ["Mixed_7b", "Mixed_7c"] {
        x = network.scope(name, |network| inception_v3_e(network, x, width))?;
    }
    x = network.global_average_pool(x)?;
    x = network.dropout(x, 0.5)?;
    x = network.flatten(x)?;
    network.linear("fc", x, classes)
}
