//! Blocks by themselves: shapes, names, and what they refuse.

use graph::{Graph, GraphError, NetworkBuilder, ValueId};
use zoo::blocks::{
    Bottleneck, Sampling, ShuffleUnit, aspp, bottleneck_dense_layer, dense_block, dense_layer,
    inverted_residual, shuffle_unit_v2, shuffle_unit_v2_down, transition, unet_up,
};

/// A network of one block on a map of such a shape.
fn of(
    shape: [usize; 4],
    block: impl FnOnce(&mut NetworkBuilder, ValueId) -> Result<ValueId, GraphError>,
) -> Result<Graph, GraphError> {
    let mut network = NetworkBuilder::new("block", shape);
    let x = network.input();
    let y = block(&mut network, x)?;
    network.finish(y)
}

fn result(graph: &Graph) -> Vec<usize> {
    graph.value(graph.outputs[0]).shape.clone()
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.parameters().map(|(_, p)| p.name.as_str()).collect()
}

#[test]
fn a_dense_layer_adds_its_growth() {
    let layer = of([1, 24, 9, 7], |network, x| dense_layer(network, x, 12)).unwrap();
    assert_eq!(result(&layer), [1, 12, 9, 7]);
    assert_eq!(
        names(&layer),
        ["norm1.weight", "norm1.bias", "conv1.weight"]
    );
    let layer = of([1, 24, 9, 7], |network, x| {
        bottleneck_dense_layer(network, x, 12, 4)
    });
    let layer = layer.unwrap();
    assert_eq!(result(&layer), [1, 12, 9, 7]);
    assert_eq!(names(&layer)[5], "conv2.weight");
    for bottleneck in [None, Some(4)] {
        let block = of([1, 24, 9, 7], |network, x| {
            dense_block(network, x, 3, 12, bottleneck)
        });
        assert_eq!(result(&block.unwrap()), [1, 60, 9, 7]);
    }
    let halved = of([1, 24, 9, 7], |network, x| transition(network, x, 12));
    assert_eq!(result(&halved.unwrap()), [1, 12, 4, 3]);
}

#[test]
fn a_deformable_bottleneck_makes_its_own_offsets() {
    for (sampling, offsets) in [(Sampling::Deformable, 18), (Sampling::Modulated, 27)] {
        let block = Bottleneck {
            sampling,
            ..Bottleneck::new(8, 2)
        };
        let graph = of([2, 32, 11, 10], |network, x| block.build(network, x)).unwrap();
        assert_eq!(result(&graph), [2, 32, 6, 5]);
        let mut parameters = graph.parameters().map(|(_, value)| value);
        let offset = parameters
            .find(|value| value.name == "conv2.conv_offset.weight")
            .unwrap();
        assert_eq!(offset.shape, [offsets, 8, 3, 3]);
    }
}

#[test]
fn channels_that_do_not_divide_are_refused() {
    let refused = |result: Result<Graph, GraphError>| result.unwrap_err().to_string();
    let grouped = Bottleneck {
        groups: 3,
        ..Bottleneck::new(8, 1)
    };
    let error = refused(of([1, 32, 8, 8], |network, x| grouped.build(network, x)));
    assert!(
        error.contains("conv2") && error.contains("groups"),
        "{error}"
    );
    let error = refused(of([1, 7, 8, 8], shuffle_unit_v2));
    assert!(
        error.contains("channel_shuffle") && error.contains('7'),
        "{error}"
    );
    let unit = ShuffleUnit {
        channels: 16,
        stride: 2,
        groups: 1,
        first_groups: 1,
    };
    // No channels are left for the branch.
    let error = refused(of([1, 24, 8, 8], |network, x| unit.build(network, x)));
    assert!(error.contains("conv3"), "{error}");
    let error = refused(of([1, 24, 8, 8], |network, x| {
        inverted_residual(network, x, 24, 0, 6)
    }));
    assert!(
        error.contains("conv.1.0") && error.contains("stride"),
        "{error}"
    );
    let error = refused(of([1, 24, 8, 8], |network, x| aspp(network, x, 8, &[6, 0])));
    assert!(error.contains("convs.2.0"), "{error}");
    refused(of([1, 24, 8, 8], |network, x| {
        shuffle_unit_v2_down(network, x, 0)
    }));
}

#[test]
fn a_step_up_meets_the_size_of_its_skip() {
    for side in [8, 9, 12] {
        let graph = of([1, 4, side, side + 1], |network, skip| {
            let halved = geometry::PoolDesc::max(2).stride(2);
            let x = network.max_pool("pool", skip, halved)?;
            unet_up(network, x, skip, 6)
        });
        assert_eq!(result(&graph.unwrap()), [1, 6, side, side + 1]);
    }
}

#[test]
fn every_example_of_a_block_can_be_built_and_found() {
    let mut names = std::collections::HashSet::new();
    for block in zoo::blocks::examples() {
        assert!(names.insert(block.name), "{} twice", block.name);
        let graph = block.graph().unwrap();
        assert_eq!(graph.value(graph.inputs[0]).shape[1..], block.input);
        assert_eq!(zoo::blocks::example(block.name).unwrap().name, block.name);
    }
    let error = zoo::blocks::example("inception-v4-aa").unwrap_err();
    assert!(
        error.to_string().contains("did you mean inception-v4-a"),
        "{error}"
    );
    let error = zoo::blocks::example("zzz").unwrap_err();
    assert!(error.to_string().contains("lists all"), "{error}");
}
