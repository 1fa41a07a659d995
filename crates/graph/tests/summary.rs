//! The table of a network against published and hand-counted costs.

use geometry::{ConvDesc, PoolDesc};
use graph::{LayerSummary, NetworkBuilder, summary};

#[test]
fn rows_say_what_the_layers_are() {
    let mut network = NetworkBuilder::new("rows", [8, 3, 224, 224]);
    let x = network.input();
    let stem = ConvDesc::new(64, 7).stride(2).padding(3);
    let x = network.conv("conv1", x, stem, false).unwrap();
    let x = network.batch_norm("bn1", x).unwrap();
    let x = network.relu(x).unwrap();
    let pool = PoolDesc::max(3).stride(2).padding(1);
    let x = network.max_pool("maxpool", x, pool).unwrap();
    let x = network.global_average_pool(x).unwrap();
    let x = network.flatten(x).unwrap();
    let x = network.linear("fc", x, 1000).unwrap();
    let table = summary(&network.finish(x).unwrap());

    let row = |layer: &str, op, output: &[usize], kernel: &str, parameters, macs, numbers: u64| {
        LayerSummary {
            layer: layer.to_owned(),
            op,
            output: output.to_vec(),
            of_image: output[1..].to_vec(),
            kernel: kernel.to_owned(),
            parameters,
            macs,
            bytes: 4 * numbers,
            auxiliary: false,
        }
    };
    let map = [8, 64, 112, 112];
    // Numbers of one image that are read and written; a flattened map is the same numbers.
    let (image, large, small) = (3 * 224 * 224, 64 * 112 * 112, 64 * 56 * 56);
    assert_eq!(
        table.rows,
        [
            row(
                "conv1",
                "conv",
                &map,
                "o64k7s2p3",
                9_408,
                Some(118_013_952),
                image + 9_408 + large
            ),
            row("bn1", "batch norm", &map, "", 128, None, 2 * large + 256),
            row("relu", "relu", &map, "", 0, None, 2 * large),
            row(
                "maxpool",
                "pool",
                &[8, 64, 56, 56],
                "k3s2p1",
                0,
                None,
                large + small
            ),
            row(
                "global_average_pool",
                "global average pool",
                &[8, 64, 1, 1],
                "",
                0,
                None,
                small + 64
            ),
            row("flatten", "flatten", &[8, 64], "", 0, None, 0),
            row(
                "fc",
                "linear",
                &[8, 1000],
                "",
                65_000,
                Some(64_000),
                64 + 65_000 + 1000
            ),
        ]
    );
    assert_eq!(table.parameters, 9_408 + 128 + 65_000);
    assert_eq!(table.macs, 118_013_952 + 64_000);
    assert_eq!(
        table.not_counted,
        [
            "batch norm",
            "relu",
            "pool",
            "global average pool",
            "flatten"
        ]
    );
}

#[test]
fn depthwise_separable_costs_what_the_paper_says() {
    // Howard et al. 2017, equation 5: 1/N + 1/k² of the dense convolution.
    let macs = |separable: bool| {
        let mut network = NetworkBuilder::new("cost", [1, 64, 14, 14]);
        let x = network.input();
        let spatial = |outputs| ConvDesc::new(outputs, 3).padding(1);
        let y = if separable {
            let y = network
                .conv("dw", x, spatial(64).groups(64), false)
                .unwrap();
            network.conv("pw", y, ConvDesc::new(128, 1), false).unwrap()
        } else {
            network.conv("dense", x, spatial(128), false).unwrap()
        };
        summary(&network.finish(y).unwrap()).macs as f64
    };
    let ratio = macs(true) / macs(false);
    assert!((ratio - (1.0 / 128.0 + 1.0 / 9.0)).abs() < 1e-12, "{ratio}");
}

#[test]
fn shared_parameters_are_counted_once() {
    let mut network = NetworkBuilder::new("shared", [1, 4, 8, 8]);
    let x = network.input();
    let x = network
        .conv("a", x, ConvDesc::new(4, 3).padding(1), false)
        .unwrap();
    let x = network
        .conv("b", x, ConvDesc::new(4, 3).padding(1), false)
        .unwrap();
    let mut network = network.finish(x).unwrap();
    network.nodes[1].inputs[1] = network.nodes[0].inputs[1];
    let table = summary(&network);
    let counts: Vec<_> = table.rows.iter().map(|row| row.parameters).collect();
    assert_eq!(counts, [144, 0]);
    assert_eq!((table.parameters, table.macs), (144, 2 * 64 * 144));
}

#[test]
fn an_image_without_a_batch_is_one_image() {
    let conv = |extents: &[usize], maps: &[usize]| {
        let mut network = NetworkBuilder::new("conv", extents);
        let x = network.input();
        let x = network.reshape(x, maps).unwrap();
        let y = network.conv("conv", x, ConvDesc::new(4, 3), false).unwrap();
        let network = network.finish(y).unwrap();
        let peak = graph::Traffic::of(&network).peak_activations();
        (summary(&network).rows.remove(1), peak)
    };
    // Twenty rows are no twenty images.
    let (alone, peak) = conv(&[20, 12], &[1, 1, 20, 12]);
    assert_eq!(
        (alone.of_image, alone.bytes),
        (vec![4, 18, 10], 4 * (240 + 36 + 720))
    );
    assert_eq!((alone.macs, peak), (Some(180 * 36), 4 * (240 + 720)));
    let (grey, peak_of_grey) = conv(&[5, 20, 12], &[5, 1, 20, 12]);
    assert_eq!((grey.of_image, grey.bytes), (vec![4, 18, 10], alone.bytes));
    assert_eq!((grey.macs, peak_of_grey), (alone.macs, peak));
}

#[test]
fn places_that_a_product_reads_as_a_batch_are_all_counted() {
    for batch in [1, 3] {
        let mut network = NetworkBuilder::new("tokens", [batch, 7, 5]);
        let x = network.input();
        let x = network.reshape(x, &[7 * batch, 5]).unwrap();
        let y = network.linear_without_bias("product", x, 4).unwrap();
        let network = network.finish(y).unwrap();
        let table = summary(&network);
        assert_eq!(table.macs, 7 * 5 * 4, "batch {batch}");
        let count = |counting: graph::Counting| counting.count(&network).total;
        assert_eq!(count(graph::Counting::Convolve), 7 * 5 * 4);
        // The others count the batch; torchinfo reads each weight once an image.
        let images = batch as u64;
        assert_eq!(count(graph::Counting::Torch), images * 2 * 7 * 5 * 4);
        assert_eq!(count(graph::Counting::Torchinfo), images * 5 * 4);
    }
}
