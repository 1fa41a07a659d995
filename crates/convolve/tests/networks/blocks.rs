//! Blocks that no network of the registry is made of.

use graph::passes::inference;
use graph::{GraphError, NetworkBuilder, ValueId};
use runtime::Run;
use zoo::blocks::{
    Bottleneck, InceptionV1, InceptionV2A, InceptionV2B, InceptionV2C, Sampling, WideKernel,
    dense_block, inception_v1, inception_v1_naive, inception_v2_a, inception_v2_b, inception_v2_c,
    squeeze_excite,
};

use crate::fixture::{Fixture, norm};

type Block = fn(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>;

const BLOCKS: [(&str, Block); 9] = [
    ("inception_v1_naive", |network, x| {
        inception_v1_naive(network, x, [5, 6, 7])
    }),
    ("inception_v1", |network, x| {
        let channels = InceptionV1 {
            pointwise: 5,
            reduce3: 4,
            conv3: 6,
            reduce5: 3,
            conv5: 7,
            pool: 8,
        };
        inception_v1(network, x, channels, WideKernel::Five)
    }),
    ("inception_v2_a", |network, x| {
        let channels = InceptionV2A {
            pointwise: 5,
            reduce3: 4,
            conv3: 6,
            reduce_double: 3,
            double: 7,
            pool: 8,
        };
        inception_v2_a(network, x, channels)
    }),
    ("inception_v2_b", |network, x| {
        let channels = InceptionV2B {
            pointwise: 5,
            hidden: 4,
            factorised: 6,
            pool: 8,
        };
        inception_v2_b(network, x, 5, channels)
    }),
    ("inception_v2_c", |network, x| {
        let channels = InceptionV2C {
            pointwise: 5,
            reduce: 4,
            reduce_double: 3,
            conv3: 7,
            side: 6,
            pool: 8,
        };
        inception_v2_c(network, x, channels)
    }),
    ("squeeze_excite", |network, x| squeeze_excite(network, x, 3)),
    ("deformable_bottleneck", |network, x| {
        let block = Bottleneck {
            sampling: Sampling::Deformable,
            ..Bottleneck::new(5, 2)
        };
        block.build(network, x)
    }),
    ("modulated_bottleneck", |network, x| {
        let block = Bottleneck {
            sampling: Sampling::Modulated,
            ..Bottleneck::new(5, 1)
        };
        block.build(network, x)
    }),
    ("dense_block", |network, x| {
        dense_block(network, x, 3, 5, None)
    }),
];

/// Relative error that rounding in 32 bits may leave, in the sense of L2.
const BOUND: f64 = 1e-6;

#[test]
fn every_block_makes_what_pytorch_makes() {
    let fixture = Fixture::read("blocks.safetensors");
    assert_eq!(fixture.networks.len(), BLOCKS.len());
    for (name, block) in BLOCKS {
        let settings = &fixture.networks[name];
        let mut network = NetworkBuilder::new(name, settings.images);
        let x = network.input();
        let y = block(&mut network, x).unwrap();
        let network = network.finish(y).unwrap();
        let (shape, wanted) = fixture.tensor(name).unwrap();
        assert_eq!(network.value(y).shape, shape, "{name}");
        let mut program = settings.program(inference(&network).unwrap());
        program.run(Run::default());
        let found = program.output(0).iter();
        let differences = found.zip(&wanted).map(|(&a, &b)| f64::from(a) - b);
        let error = norm(differences) / norm(wanted.iter().copied());
        assert!(error <= BOUND, "{name}: {error:.2e}");
    }
}
