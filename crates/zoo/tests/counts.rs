//! Operations of networks as other programs count them (`reference/counts.py`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use geometry::{ConvDesc, PoolDesc, ResizeDesc, TransposedDesc};
use graph::{Counting, Graph, NetworkBuilder, Resizing};

/// What `counts.py` wrote: by network and program.
fn counted() -> BTreeMap<String, BTreeMap<String, u64>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/counts.txt");
    let mut table: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for line in fs::read_to_string(file).unwrap().lines() {
        let [network, program, count] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let counts = table.entry(network.to_owned()).or_default();
        counts.insert(program.to_owned(), count.parse().unwrap());
    }
    table
}

/// See `counts.py`.
fn upsampler() -> Graph {
    let mut net = NetworkBuilder::new("upsampler", [1, 3, 16, 16]);
    let x = net.input();
    let stem = ConvDesc::new(8, 3).stride(2).padding(1);
    let x = net.conv("0", x, stem, true).unwrap();
    let x = net.group_norm("1", x, 4).unwrap();
    let x = net.relu(x).unwrap();
    let up = ConvDesc::new(6, 3).stride(2).padding(1).groups(2);
    let up = TransposedDesc::new(up).output_padding(1);
    let x = net.conv_transposed("3", x, up, true).unwrap();
    let x = net.batch_norm("4", x).unwrap();
    let x = net
        .average_pool("5", x, PoolDesc::average(2).stride(2))
        .unwrap();
    let x = net
        .resize(x, Resizing::from(ResizeDesc::linear([16, 16])))
        .unwrap();
    let x = net
        .resize(x, Resizing::from(ResizeDesc::nearest([32, 32])))
        .unwrap();
    net.finish(x).unwrap()
}

/// Elements that torchvision's networks rectify and average by functions, which ptflops counts once,
/// instead of by modules, which it counts twice.
fn called_as_functions(name: &str) -> u64 {
    match name {
        // The last ReLU, and the pool behind it.
        "densenet121" => 2 * 1024 * 7 * 7,
        // The pool.
        "mobilenet_v2" => 1280 * 7 * 7,
        _ => 0,
    }
}

#[test]
fn operations_are_counted_as_others_count_them() {
    let table = counted();
    assert!(table.len() >= 9);
    for (name, counts) in table {
        let network = match name.as_str() {
            "upsampler" => upsampler(),
            name => {
                let found = zoo::find(name).unwrap();
                found.build(&found.model.options()).unwrap()
            }
        };
        assert_eq!(counts.len(), 4, "{name}");
        for (program, count) in counts {
            let counting: Counting = program.parse().unwrap();
            let functions = match counting {
                Counting::Ptflops => called_as_functions(&name),
                _ => 0,
            };
            let total = counting.count(&network).total;
            assert_eq!(total - functions, count, "{name} as {program}");
        }
    }
}

#[test]
fn this_programs_count_is_that_of_its_summary() {
    for name in ["resnet50", "googlenet"] {
        let found = zoo::find(name).unwrap();
        let network = found.build(&found.model.options()).unwrap();
        let count = Counting::Convolve.count(&network);
        assert_eq!(count.total, graph::summary(&network).macs, "{name}");
    }
}
