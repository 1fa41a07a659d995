//! Pointwise and depthwise convolutions of large maps are made together, row by row.

use geometry::ConvDesc;
use graph::{Graph, NetworkBuilder, passes};
use tensor::Layout;

use crate::networks::answer;

/// An inverted residual; another layer reads the map behind the depthwise convolution if it is `seen`.
fn network(size: usize, seen: bool) -> Graph {
    let mut network = NetworkBuilder::new("inverted", [1, 4, size, size]);
    let x = network.input();
    let expand = ConvDesc::new(24, 1);
    let wide = network.conv("expand", x, expand, true).unwrap();
    let wide = network.relu6(wide).unwrap();
    let depthwise = ConvDesc::new(24, 3).padding(1).groups(24);
    let deep = network.conv("depthwise", wide, depthwise, true).unwrap();
    let narrow = ConvDesc::new(4, 1);
    let narrow = network.conv("project", deep, narrow, true).unwrap();
    let y = network.add(narrow, x).unwrap();
    let y = match seen {
        true => {
            let more = network
                .conv("more", deep, ConvDesc::new(4, 1), false)
                .unwrap();
            network.add(y, more).unwrap()
        }
        false => y,
    };
    passes::inference(&network.finish(y).unwrap()).unwrap()
}

#[test]
fn answers_are_those_of_separate_steps() {
    for (size, seen, chained) in [
        (80, false, "direct + depthwise + direct forward"),
        // The last map is wanted by somebody else.
        (80, true, "direct + depthwise forward"),
        // Small maps stay in the caches anyway.
        (12, false, ""),
    ] {
        let graph = network(size, seen);
        let (want, apart) = answer(&graph, Layout::Nchw, 1);
        assert!(apart.iter().all(|kernel| !kernel.contains('+')));
        for threads in [1, 2, 3] {
            let (got, kernels) = answer(&graph, Layout::Nhwc, threads);
            assert_eq!(got, want, "{size}, seen {seen}, {threads} threads");
            let chain = kernels.iter().find(|kernel| kernel.contains('+'));
            assert_eq!(chain.map_or("", |kernel| kernel), chained);
        }
    }
}
