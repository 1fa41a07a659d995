//! What layers and neurons see, by small networks that can be drawn on paper.

use geometry::{ConvDesc, DeformableDesc, IndexSet, PoolDesc, Rational, Region, TransposedDesc};
use graph::{
    AxisRoles, Graph, NetworkBuilder, Neuron, NeuronError, ReceptiveFields, ValueId,
    receptive_fields,
};

fn network(size: [usize; 2], body: impl FnOnce(&mut NetworkBuilder, ValueId) -> ValueId) -> Graph {
    let mut net = NetworkBuilder::new("drawn", [1, 2, size[0], size[1]]);
    let x = net.input();
    let y = body(&mut net, x);
    net.finish(y).unwrap()
}

fn square(rows: &[usize], columns: &[usize]) -> Region {
    let set = |places: &[usize]| IndexSet::of(places.iter().map(|&at| at..at + 1));
    Region::product(&[set(rows), set(columns)]).unwrap()
}

#[test]
fn branches_that_lie_apart_are_found_where_they_meet() {
    // A pool of two and a padded convolution, both in steps of two: half a pixel apart.
    let network = network([8, 8], |net, x| {
        let pool = PoolDesc::max(2).stride(2);
        let pooled = net.max_pool("pool", x, pool).unwrap();
        let conv = ConvDesc::new(2, 3).stride(2).padding(1);
        let strided = net.conv("conv", x, conv, false).unwrap();
        let joined = net.concat(&[pooled, strided]).unwrap();
        net.conv("after", joined, ConvDesc::new(2, 1), false)
            .unwrap()
    });
    let fields = receptive_fields(&network, 0).unwrap();
    let found: Vec<_> = fields
        .misaligned
        .iter()
        .map(|m| (m.layer.as_str(), m.axis))
        .collect();
    assert_eq!(found, [("concat", 0), ("concat", 1)]);
    let centres = fields.misaligned[0].branches.map(|branch| branch.centre());
    assert_eq!(centres, [Rational::new(1, 2).unwrap(), Rational::ZERO]);
    let last = fields.layers.last().unwrap().axes[0].local.unwrap();
    assert!(!last.aligned);
    assert_eq!(last.longest.size().to_string(), "3");
    // Pixels of either branch: rows 1 to 3 of the convolution, 2 to 3 of the pool.
    let neuron = Neuron::trace(&network, "after", &[1, 1], 0).unwrap();
    assert_eq!(neuron.pixels, square(&[1, 2, 3], &[1, 2, 3]));
}

#[test]
fn crossed_branches_see_a_cross() {
    let network = network([9, 9], |net, x| {
        let along =
            |kernel: [usize; 2], padding: [usize; 2]| ConvDesc::new(2, kernel).padding(padding);
        let rows = net.conv("rows", x, along([1, 5], [0, 2]), false).unwrap();
        let columns = net
            .conv("columns", x, along([5, 1], [2, 0]), false)
            .unwrap();
        net.add(rows, columns).unwrap()
    });
    let neuron = Neuron::trace(&network, "add", &[4, 4], 0).unwrap();
    let cross = square(&[4], &[2, 3, 4, 5, 6])
        .union(square(&[2, 3, 4, 5, 6], &[4]))
        .unwrap();
    assert_eq!(neuron.pixels, cross);
    assert_eq!(neuron.pixels.len(), 9);
}

#[test]
fn dilation_leaves_holes_and_borders_cut_off() {
    let network = network([9, 9], |net, x| {
        let conv = ConvDesc::new(2, 3).dilation(3).padding(3);
        net.conv("conv", x, conv, false).unwrap()
    });
    let pixels = |at: [usize; 2]| Neuron::trace(&network, "conv", &at, 0).unwrap().pixels;
    assert_eq!(pixels([4, 4]), square(&[1, 4, 7], &[1, 4, 7]));
    assert_eq!(pixels([0, 8]), square(&[0, 3], &[5, 8]));
}

#[test]
fn upsampled_places_see_by_their_phase() {
    let network = network([4, 4], |net, x| {
        let up = TransposedDesc::new(ConvDesc::new(2, 3).stride(2).padding(1));
        net.conv_transposed("up", x, up, false).unwrap()
    });
    let rows = |at| {
        let pixels = Neuron::trace(&network, "up", &[at, 0], 0).unwrap().pixels;
        pixels.bounds().unwrap()[0].clone()
    };
    assert_eq!([rows(0), rows(1), rows(2)], [0..1, 0..2, 1..2]);
    let field = receptive_fields(&network, 0).unwrap().layers[0].axes[0]
        .local
        .unwrap()
        .longest;
    assert_eq!(field.jump(), Rational::new(1, 2).unwrap());
    assert_eq!(field.centre(), Rational::ZERO);
    assert_eq!(field.size().to_string(), "2");
}

#[test]
fn what_moves_its_samples_may_see_everything() {
    let network = network([8, 8], |net, x| {
        let desc = DeformableDesc::new(ConvDesc::new(2, 3).padding(1));
        net.deformable_layer("deformable", x, desc, false).unwrap()
    });
    let fields = receptive_fields(&network, 0).unwrap();
    let axis = fields.layers.last().unwrap().axes[0];
    // The place without offsets, and the layer that makes the offsets.
    assert!(axis.global);
    assert_eq!(axis.local.unwrap().longest.size().to_string(), "3");
    let layer = &network.nodes.last().unwrap().layer;
    assert_eq!(
        Neuron::trace(&network, layer, &[0, 0], 0)
            .unwrap()
            .pixels
            .len(),
        64
    );
}

#[test]
fn channels_that_are_left_out_see_nothing() {
    // Of two maps side by side the one with the larger field is cut off again.
    let network = network([9, 9], |net, x| {
        let wide = net
            .conv("wide", x, ConvDesc::new(2, 5).padding(2), false)
            .unwrap();
        let joined = net.concat(&[x, wide]).unwrap();
        let kept = geometry::SliceDesc::new().axis(1, 0, 2, 1);
        net.slice(joined, kept).unwrap()
    });
    let neuron = Neuron::trace(&network, "slice", &[4, 4], 0).unwrap();
    assert_eq!(neuron.pixels.len(), 1);
}

#[test]
fn vectors_see_everything_and_need_no_place() {
    let network = network([6, 5], |net, x| {
        let x = net.flatten(x).unwrap();
        net.linear("fc", x, 3).unwrap()
    });
    assert_eq!(
        Neuron::trace(&network, "fc", &[], 0).unwrap().pixels.len(),
        30
    );
}

#[test]
fn what_is_not_there_is_named() {
    let network = network([6, 5], |net, x| {
        let x = net
            .conv("stage1.conv", x, ConvDesc::new(2, 3), false)
            .unwrap();
        net.conv("stage2.conv", x, ConvDesc::new(2, 3), false)
            .unwrap()
    });
    let error = |layer, at: &[usize], input| {
        let error = Neuron::trace(&network, layer, at, input).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        error("stage1.conf", &[], 0),
        "there is no layer 'stage1.conf'; did you mean stage1.conv, stage2.conv?"
    );
    assert_eq!(
        error("zzzzzz", &[], 0),
        "there is no layer 'zzzzzz'; `convolve summary MODEL --wide` lists all there are"
    );
    assert_eq!(
        error("stage2.conv", &[2, 0], 0),
        "stage2.conv has no neuron at [2, 0]: its map is [2, 1]"
    );
    assert_eq!(
        error("stage1.conv", &[], 1),
        "the network has 1 inputs, and none at place 1"
    );
    assert!(receptive_fields(&Graph::new("empty"), 0).is_err());
}

#[test]
fn sets_too_large_to_keep_are_refused() {
    // A sieve of 4096 × 4096 single pixels.
    let network = network([8200, 8200], |net, x| {
        let conv = ConvDesc::new(1, 4096).dilation(2);
        net.conv("sieve", x, conv, false).unwrap()
    });
    let error = Neuron::trace(&network, "sieve", &[0, 0], 0).unwrap_err();
    assert!(matches!(error, NeuronError::TooLarge { .. }), "{error}");
}

/// Rows and columns by their own strides, so that no two axes see alike.
fn strided(net: &mut NetworkBuilder, x: ValueId) -> ValueId {
    let conv = ConvDesc::new(4, [3, 5]).stride([1, 2]).padding([1, 0]);
    let x = net.conv("conv", x, conv, false).unwrap();
    net.max_pool("pool", x, PoolDesc::max([2, 1]).stride([2, 1]))
        .unwrap()
}

#[test]
fn channels_last_are_told_in_their_own_order() {
    let first = network([8, 11], strided);
    let mut net = NetworkBuilder::new("last", [1, 8, 11, 2]);
    let image = net.input();
    let x = net.permute(image, &[0, 3, 1, 2]).unwrap();
    let x = strided(&mut net, x);
    // Brought back, as converted networks do before what their authors wrote with channels last.
    let x = net.permute(x, &[0, 2, 3, 1]).unwrap();
    let back = net.relu(x).unwrap();
    let last = net.finish(back).unwrap();

    let roles = AxisRoles::of(&last, 0).unwrap();
    assert_eq!(roles.channels(&last, image), Some(3));
    assert_eq!(roles.space(&last, back), [1, 2]);
    let [fields, expected] = [&last, &first].map(|net| receptive_fields(net, 0).unwrap());
    assert_eq!(fields.input, [8, 11]);
    for layer in ["conv", "pool"] {
        let row = |of: &ReceptiveFields| {
            let found = of.layers.iter().find(|row| row.layer == layer);
            found.cloned().unwrap()
        };
        assert_eq!(row(&fields), row(&expected));
    }
    let behind = fields.layers.last().unwrap();
    assert_eq!((behind.op, behind.map.as_slice()), ("relu", &[4, 4][..]));
    let sizes = behind.axes.iter().map(|axis| axis.local.unwrap().longest);
    let sizes: Vec<String> = sizes.map(|field| field.size().to_string()).collect();
    assert_eq!(sizes, ["4", "5"]);
    for at in [[0, 0], [1, 3], [3, 2]] {
        let expected = Neuron::trace(&first, "pool", &at, 0).unwrap();
        for layer in ["pool", "relu"] {
            let neuron = Neuron::trace(&last, layer, &at, 0).unwrap();
            assert_eq!(neuron.pixels, expected.pixels, "{layer}{at:?}");
            assert_eq!((neuron.map, neuron.input), (vec![4, 4], vec![8, 11]));
        }
    }
}

#[test]
fn an_axis_of_one_channel_may_be_moved_by_a_reshape() {
    // As tf2onnx turns grey images round: no element moves.
    let mut net = NetworkBuilder::new("grey", [1, 8, 11, 1]);
    let image = net.input();
    let x = net.reshape(image, &[1, 1, 8, 11]).unwrap();
    let x = strided(&mut net, x);
    let net = net.finish(x).unwrap();
    let roles = AxisRoles::of(&net, 0).unwrap();
    assert_eq!(
        (roles.channels(&net, image), roles.space(&net, image)),
        (Some(3), vec![1, 2])
    );
    let neuron = Neuron::trace(&net, "pool", &[1, 3], 0).unwrap();
    assert_eq!(neuron.pixels, square(&[1, 2, 3, 4], &[6, 7, 8, 9, 10]));
}

/// A network of `strided` on an image of these extents, which `read` brings into the order of a map.
fn reading(
    extents: &[usize],
    read: impl Fn(&mut NetworkBuilder, ValueId) -> ValueId,
) -> (Graph, ValueId) {
    let mut net = NetworkBuilder::new("without a batch", extents);
    let image = net.input();
    let map = read(&mut net, image);
    let y = strided(&mut net, map);
    (net.finish(y).unwrap(), image)
}

#[test]
fn images_may_be_without_batch_and_channels() {
    let permuted = |net: &mut NetworkBuilder, x, axes: &[usize]| net.permute(x, axes).unwrap();
    let shaped = |net: &mut NetworkBuilder, x, shape: &[usize]| net.reshape(x, shape).unwrap();
    type Roles = (Option<usize>, Option<usize>, Vec<usize>);
    let cases: [(Graph, ValueId, Roles); 7] = [
        // Rows, columns, channels.
        (
            reading(&[8, 11, 2], |net, x| {
                let x = shaped(net, x, &[1, 8, 11, 2]);
                permuted(net, x, &[0, 3, 1, 2])
            }),
            (None, Some(2), vec![0, 1]),
        ),
        (
            reading(&[8, 11, 2], |net, x| {
                let x = permuted(net, x, &[2, 0, 1]);
                shaped(net, x, &[1, 2, 8, 11])
            }),
            (None, Some(2), vec![0, 1]),
        ),
        (
            reading(&[2, 8, 11], |net, x| shaped(net, x, &[1, 2, 8, 11])),
            (None, Some(0), vec![1, 2]),
        ),
        // A batch of grey images; a single one.
        (
            reading(&[3, 8, 11], |net, x| shaped(net, x, &[3, 1, 8, 11])),
            (Some(0), None, vec![1, 2]),
        ),
        (
            reading(&[8, 11], |net, x| {
                let x = shaped(net, x, &[1, 8, 11]);
                shaped(net, x, &[1, 1, 8, 11])
            }),
            (None, None, vec![0, 1]),
        ),
        // Frames of a film, and an axis of one that goes.
        (
            reading(&[1, 4, 2, 8, 11], |net, x| shaped(net, x, &[4, 2, 8, 11])),
            (Some(1), Some(2), vec![3, 4]),
        ),
        // Two films: their frames lie in one axis.
        (
            reading(&[2, 4, 2, 8, 11], |net, x| shaped(net, x, &[8, 2, 8, 11])),
            (None, Some(2), vec![3, 4]),
        ),
    ]
    .map(|((net, image), roles)| (net, image, roles));
    let first = network([8, 11], strided);
    let expected = receptive_fields(&first, 0).unwrap();
    for (net, image, (batch, channels, space)) in cases {
        let shape = &net.value(image).shape;
        let roles = AxisRoles::of(&net, 0).unwrap();
        assert_eq!(roles.batch(&net, image), batch, "{shape:?}");
        assert_eq!(roles.channels(&net, image), channels, "{shape:?}");
        assert_eq!(roles.space(&net, image), space, "{shape:?}");
        let fields = receptive_fields(&net, 0).unwrap();
        assert_eq!(fields.input, [8, 11], "{shape:?}");
        for layer in ["conv", "pool"] {
            let row = |of: &ReceptiveFields| {
                let found = of.layers.iter().find(|row| row.layer == layer);
                let found = found.unwrap();
                (found.map.clone(), found.axes.clone())
            };
            assert_eq!(row(&fields), row(&expected), "{shape:?}");
            let neuron = Neuron::trace(&net, layer, &[1, 3], 0).unwrap();
            let same = Neuron::trace(&first, layer, &[1, 3], 0).unwrap();
            assert_eq!((neuron.pixels, neuron.input), (same.pixels, same.input));
        }
    }
}

#[test]
fn axes_that_a_network_puts_in_leave_again() {
    let mut net = NetworkBuilder::new("there and back", [8, 11, 2]);
    let image = net.input();
    let x = net.reshape(image, &[1, 8, 11, 2]).unwrap();
    let x = net.permute(x, &[0, 3, 1, 2]).unwrap();
    let x = strided(&mut net, x);
    let x = net.permute(x, &[0, 2, 3, 1]).unwrap();
    let x = net.reshape(x, &[4, 4, 4]).unwrap();
    let y = net.relu(x).unwrap();
    let net = net.finish(y).unwrap();
    let roles = AxisRoles::of(&net, 0).unwrap();
    assert_eq!(
        (roles.batch(&net, y), roles.space(&net, y)),
        (None, vec![0, 1])
    );
    let fields = receptive_fields(&net, 0).unwrap();
    let last = fields.layers.last().unwrap();
    assert_eq!(last.map, [4, 4]);
    let sizes = last.axes.iter().map(|axis| axis.local.unwrap().longest);
    let sizes: Vec<String> = sizes.map(|field| field.size().to_string()).collect();
    assert_eq!(sizes, ["4", "5"]);
}

#[test]
fn rows_that_are_no_axis_are_not_made_up() {
    // Pixels in a line, and their channels.
    let (net, _) = reading(&[1, 88, 2], |net, x| {
        let x = net.reshape(x, &[1, 8, 11, 2]).unwrap();
        net.permute(x, &[0, 3, 1, 2]).unwrap()
    });
    let words = "conv reads rows and columns that are no axes of the input 'images' [1, 88, 2]: which of these are space \
                 cannot be told";
    assert_eq!(receptive_fields(&net, 0).unwrap_err().to_string(), words);
    let error = Neuron::trace(&net, "conv", &[0, 0], 0).unwrap_err();
    assert_eq!(error.to_string(), words);
    // A vector has no rows, whatever is made of it.
    let (net, image) = reading(&[1, 176], |net, x| net.reshape(x, &[1, 2, 8, 11]).unwrap());
    let roles = AxisRoles::of(&net, 0).unwrap();
    assert!(roles.space(&net, image).is_empty());
    assert!(receptive_fields(&net, 0).unwrap().input.is_empty());
}

#[test]
fn the_image_is_the_input_with_rows_and_columns() {
    let net = NetworkBuilder::new("two inputs", [1]);
    let scale = net.input();
    let graph = net.finish(scale).unwrap();
    assert_eq!(AxisRoles::image(&graph), 0);
    let mut graph = graph;
    let image = graph.add_value(graph::Value {
        name: "image".to_owned(),
        shape: vec![1, 2, 8, 11],
        ..graph.value(scale).clone()
    });
    graph.inputs.push(image);
    assert_eq!(AxisRoles::image(&graph), 1);
}

#[test]
fn a_map_whose_rows_were_made_on_the_way_has_rows_all_the_same() {
    let mut net = NetworkBuilder::new("pixel shuffle in three steps", [1, 3, 8, 11]);
    let image = net.input();
    let desc = ConvDesc::new(8, 3).padding(1);
    let x = net.conv("before", image, desc.clone(), false).unwrap();
    let x = net.reshape(x, &[1, 2, 2, 2, 8, 11]).unwrap();
    let x = net.permute(x, &[0, 1, 4, 2, 5, 3]).unwrap();
    let x = net.reshape(x, &[1, 2, 16, 22]).unwrap();
    let y = net.conv("behind", x, desc, false).unwrap();
    let net = net.finish(y).unwrap();
    let roles = AxisRoles::of(&net, 0).unwrap();
    assert_eq!(
        (roles.channels(&net, y), roles.space(&net, y)),
        (Some(1), vec![2, 3])
    );
    let fields = receptive_fields(&net, 0).unwrap();
    let behind = fields.layers.iter().find(|row| row.layer == "behind");
    assert_eq!(behind.unwrap().map, [16, 22]);
    let neuron = Neuron::trace(&net, "behind", &[6, 9], 0).unwrap();
    assert_eq!(neuron.map, [16, 22]);
}

/// Channels that lie last are mixed by products of rows, as ConvNeXt does: a place sees what it saw before.
#[test]
fn products_row_by_row_see_what_their_places_see() {
    let network = network([9, 12], |net, x| {
        let conv = |channels| ConvDesc::new(channels, 3).padding(1);
        let y = net.conv("before", x, conv(4), false).unwrap();
        let y = net.permute(y, &[0, 2, 3, 1]).unwrap();
        let y = net.reshape(y, &[9 * 12, 4]).unwrap();
        let y = net.linear("wide", y, 16).unwrap();
        let y = net.relu(y).unwrap();
        let y = net.linear("narrow", y, 4).unwrap();
        let y = net.reshape(y, &[1, 9, 12, 4]).unwrap();
        let y = net.permute(y, &[0, 3, 1, 2]).unwrap();
        net.conv("after", y, conv(2), false).unwrap()
    });
    let fields = receptive_fields(&network, 0).unwrap();
    let last = fields.layers.last().unwrap();
    assert_eq!(last.map, [9, 12]);
    for axis in &last.axes {
        assert!(!axis.global);
        let field = axis.local.unwrap().longest;
        assert_eq!(
            (field.size().to_string(), field.jump()),
            ("5".to_owned(), Rational::ONE)
        );
    }
    let pixels = |at: [usize; 2]| Neuron::trace(&network, "after", &at, 0).unwrap().pixels;
    assert_eq!(pixels([0, 6]), square(&[0, 1, 2], &[4, 5, 6, 7, 8]));
}
