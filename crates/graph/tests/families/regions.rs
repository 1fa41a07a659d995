use geometry::{GeometryError, RegionsDesc};
use graph::{AlignSettings, ElementType, NetworkBuilder, Op, OpError, RegionOp, pullback};

use crate::{gives, index, infer, inputs, real};

const X: &[usize] = &[2, 12, 9, 7];
const REGIONS: &[usize] = &[5, 5];
const OFFSET: &[usize] = &[5, 2, 3, 2];

fn desc(position_sensitive: bool) -> RegionsDesc {
    RegionsDesc::new([3, 2]).position_sensitive(position_sensitive)
}

fn moving() -> AlignSettings {
    AlignSettings {
        gamma: Some(0.1),
        ..AlignSettings::default()
    }
}

#[test]
fn shapes_of_every_operator() {
    let (x, regions, offset) = (real(X), real(REGIONS), real(OFFSET));
    for (position_sensitive, y) in [(false, &[5, 12, 3, 2][..]), (true, &[5, 2, 3, 2])] {
        let desc = || desc(position_sensitive);
        let input = X.to_vec();
        let settings = AlignSettings::default();
        let one = |op: RegionOp, inputs: &[&graph::Value], made: &[usize]| {
            let inputs: Vec<_> = inputs.iter().map(|&v| v.clone()).collect();
            gives(&Op::Region(op), &inputs, &[made]);
        };
        let align = |settings| RegionOp::Align {
            desc: desc(),
            settings,
        };
        one(align(settings), &[&x, &regions], y);
        one(align(moving()), &[&x, &regions, &offset], y);
        let back = |settings| RegionOp::AlignBackward {
            desc: desc(),
            settings,
            input: input.clone(),
        };
        let dy = real(y);
        one(back(settings), &[&dy, &regions], X);
        one(back(moving()), &[&dy, &regions, &offset], X);
        let op = RegionOp::AlignBackwardOffset {
            desc: desc(),
            settings: moving(),
        };
        one(op, &[&dy, &x, &regions, &offset], OFFSET);
        let scale = 0.25;
        let op = RegionOp::Average {
            desc: desc(),
            scale,
        };
        one(op, &[&x, &regions], y);
        let op = RegionOp::AverageBackward {
            desc: desc(),
            scale,
            input: input.clone(),
        };
        one(op, &[&dy, &regions], X);
        let op = RegionOp::MaxBackward {
            desc: desc(),
            input,
        };
        one(op, &[&dy, &regions, &index(y)], X);
        let op = Op::Region(RegionOp::Max {
            desc: desc(),
            scale,
        });
        let made = infer(&op, &[x.clone(), regions.clone()]).unwrap();
        let want = [ElementType::Real, ElementType::Index].map(|element| (y.to_vec(), element));
        assert_eq!(made, want);
    }
}

#[test]
fn what_has_no_meaning_says_its_numbers() {
    let align = |desc: RegionsDesc, settings| Op::Region(RegionOp::Align { desc, settings });
    let plain = AlignSettings::default();
    let refuse = |op: &Op, inputs: &[&[usize]]| {
        let inputs: Vec<_> = inputs.iter().map(|shape| real(shape)).collect();
        infer(op, &inputs).unwrap_err()
    };
    let geometry = |error: OpError| match error {
        OpError::Geometry { source, .. } => source,
        other => panic!("{other}"),
    };
    let own = RegionsDesc::new(5).position_sensitive(true);
    assert_eq!(
        geometry(refuse(&align(own, plain), &[X, REGIONS])),
        GeometryError::BinChannels {
            channels: 12,
            bins: [5, 5]
        }
    );
    assert_eq!(
        geometry(refuse(&align(desc(false), plain), &[X, &[5, 4]])),
        GeometryError::RegionList { shape: vec![5, 4] }
    );
    assert_eq!(
        geometry(refuse(&align(desc(false), plain), &[&[2, 12, 9], REGIONS])),
        GeometryError::SpatialAxes {
            what: "pooling of regions",
            needed: 2,
            given: 1
        }
    );
    assert_eq!(
        geometry(refuse(&align(RegionsDesc::new(0), plain), &[X, REGIONS])),
        GeometryError::Zero { what: "bins" }
    );
    assert!(matches!(
        refuse(&align(desc(false), moving()), &[X, REGIONS, &[5, 1, 3, 2]]),
        OpError::Mismatch {
            input: "offset",
            ..
        }
    ));
    for (settings, setting) in [
        (
            AlignSettings {
                scale: 0.0,
                ..plain
            },
            "scale",
        ),
        (
            AlignSettings {
                scale: f64::NAN,
                ..plain
            },
            "scale",
        ),
        (
            AlignSettings {
                gamma: Some(f64::INFINITY),
                ..plain
            },
            "gamma",
        ),
    ] {
        let error = refuse(&align(desc(false), settings), &[X, REGIONS, OFFSET]);
        assert!(
            matches!(error, OpError::Setting { setting: s, .. } if s == setting),
            "{error}"
        );
    }
    let op = Op::Region(RegionOp::MaxBackward {
        desc: desc(false),
        input: X.to_vec(),
    });
    let y = &[5, 12, 3, 2];
    let wrong = infer(&op, &[real(y), real(REGIONS), real(y)]).unwrap_err();
    assert!(
        matches!(
            wrong,
            OpError::Element {
                input: "indices",
                ..
            }
        ),
        "{wrong}"
    );
    let wrong = infer(&op, &[real(OFFSET), real(REGIONS), index(OFFSET)]).unwrap_err();
    assert!(
        matches!(wrong, OpError::Mismatch { input: "dy", .. }),
        "{wrong}"
    );
}

#[test]
fn a_network_pools_the_regions_it_is_given() {
    let mut network = NetworkBuilder::new("head", X);
    let x = network.input();
    let regions = network.regions("regions", 5).unwrap();
    let settings = AlignSettings {
        scale: 0.25,
        ..AlignSettings::default()
    };
    let y = network
        .region_align(x, regions, None, desc(true), settings)
        .unwrap();
    assert_eq!(network.shape(y).unwrap(), [5, 2, 3, 2]);
    let max = network
        .region_max_pool(x, regions, desc(false), 0.25)
        .unwrap();
    assert_eq!(network.shape(max).unwrap(), [5, 12, 3, 2]);
    let mean = network
        .region_average_pool(x, regions, desc(true), 0.25)
        .unwrap();
    let sum = network.add(y, mean).unwrap();
    let network = network.finish(sum).unwrap();
    assert_eq!(network.inputs, [x, regions]);
}

#[test]
fn gradients_flow_to_maps_and_offsets_but_not_to_regions() {
    let (mut graph, places) = inputs(&[X, REGIONS, OFFSET]);
    let op = Op::Region(RegionOp::Align {
        desc: desc(false),
        settings: moving(),
    });
    let y = graph.append(op, "align", places.clone()).unwrap()[0];
    graph.outputs = vec![y];
    let grown = pullback(&graph, y, &places).unwrap();
    let ops: Vec<_> = grown.nodes.iter().map(|node| node.op.name()).collect();
    let want = [
        "region align",
        "region align backward",
        "region align backward-offset",
        "fill",
    ];
    assert_eq!(ops, want);
}
