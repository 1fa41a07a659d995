//! A concatenation whose only reader is a channel shuffle becomes one step with it.

use geometry::ConvDesc;
use graph::passes;
use graph::{Graph, NetworkBuilder};
use tensor::Layout;

use crate::networks::answer;

/// Two or three pointwise convolutions side by side and shuffled by `groups`; the concatenation is an
/// output too if it is `seen`.
fn network(parts: usize, groups: usize, seen: bool) -> Graph {
    let mut network = NetworkBuilder::new("shuffled", [2, 3, 5, 4]);
    let x = network.input();
    let parts: Vec<_> = (0..parts)
        .map(|part| {
            let desc = ConvDesc::new(6, 1);
            network
                .conv(&format!("part{part}"), x, desc, false)
                .unwrap()
        })
        .collect();
    let joined = network.concat(&parts).unwrap();
    let shuffled = network.channel_shuffle(joined, groups).unwrap();
    let y = network
        .conv("last", shuffled, ConvDesc::new(4, 1), false)
        .unwrap();
    let y = match seen {
        true => {
            let more = network
                .conv("more", joined, ConvDesc::new(4, 1), false)
                .unwrap();
            network.add(y, more).unwrap()
        }
        false => y,
    };
    passes::inference(&network.finish(y).unwrap()).unwrap()
}

#[test]
fn answers_are_those_of_separate_steps() {
    for (parts, groups, seen, fused) in [
        (2, 2, false, true),
        (3, 3, false, true),
        // Somebody else wants the concatenation, or the groups are not the parts.
        (2, 2, true, false),
        (2, 3, false, false),
        (3, 2, false, false),
    ] {
        let graph = network(parts, groups, seen);
        let (want, apart) = answer(&graph, Layout::Nchw, 2);
        let (got, kernels) = answer(&graph, Layout::Nhwc, 2);
        assert_eq!(got, want, "{parts} parts, {groups} groups");
        let has = |kernels: &[String], name: &str| kernels.iter().any(|kernel| kernel == name);
        assert!(has(&apart, "channel shuffle"));
        assert_eq!(has(&kernels, "interleave channels"), fused);
        assert_eq!(has(&kernels, "channel shuffle"), !fused);
    }
}
