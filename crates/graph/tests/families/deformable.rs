use geometry::{ConvDesc, DeformableDesc, GeometryError};
use graph::{DeformableOp, NetworkBuilder, Op, OpError, passes, pullback, summary};

use crate::{gives, infer, inputs, real};

/// torchvision's own test: 6 channels to 2, unequal everything.
fn desc(modulated: bool) -> DeformableDesc {
    let conv = ConvDesc::new(2, [3, 2])
        .stride([2, 1])
        .padding([1, 0])
        .dilation([2, 1])
        .groups(2);
    DeformableDesc::new(conv)
        .offset_groups(3)
        .modulated(modulated)
}

const X: &[usize] = &[33, 6, 5, 4];
const OFFSET: &[usize] = &[33, 36, 2, 3];
const MASK: &[usize] = &[33, 18, 2, 3];
const WEIGHT: &[usize] = &[2, 3, 3, 2];
const Y: &[usize] = &[33, 2, 2, 3];

#[test]
fn shapes_of_the_three_directions() {
    for modulated in [false, true] {
        let desc = desc(modulated);
        let mask = modulated.then(|| real(MASK));
        let sources: Vec<_> = [real(X), real(OFFSET)].into_iter().chain(mask).collect();
        for bias in [false, true] {
            let op = Op::Deformable(DeformableOp::Conv {
                desc: desc.clone(),
                bias,
            });
            let bias = bias.then(|| real(&[2]));
            let inputs = sources.iter().cloned().chain([real(WEIGHT)]).chain(bias);
            gives(&op, &inputs.collect::<Vec<_>>(), &[Y]);
        }
        let op = Op::Deformable(DeformableOp::BackwardData { desc: desc.clone() });
        let inputs = [&[real(Y)], &sources[..], &[real(WEIGHT)]].concat();
        let made: &[&[usize]] = if modulated {
            &[X, OFFSET, MASK]
        } else {
            &[X, OFFSET]
        };
        gives(&op, &inputs, made);
        let op = Op::Deformable(DeformableOp::BackwardWeights { desc });
        gives(&op, &[&[real(Y)], &sources[..]].concat(), &[WEIGHT]);
    }
}

#[test]
fn operands_that_do_not_fit_say_their_shapes() {
    let op = Op::Deformable(DeformableOp::Conv {
        desc: desc(true),
        bias: true,
    });
    let good = [X, OFFSET, MASK, WEIGHT, &[2]];
    for (place, name, wrong) in [
        (1, "offset", &[33, 18, 2, 3][..]),
        (1, "offset", &[33, 36, 3, 2]),
        (1, "offset", &[32, 36, 2, 3]),
        (2, "mask", OFFSET),
        (3, "weight", &[2, 6, 3, 2]),
        (4, "bias", &[6]),
    ] {
        let mut shapes = good;
        shapes[place] = wrong;
        let inputs = shapes.map(real);
        let Err(OpError::Mismatch {
            input,
            shape,
            expected,
            ..
        }) = infer(&op, &inputs)
        else {
            panic!("{name} {wrong:?} was taken");
        };
        assert_eq!(
            (input, &shape[..], &expected[..]),
            (name, wrong, good[place])
        );
    }
}

#[test]
fn settings_without_meaning_say_their_numbers() {
    let refuse = |desc: DeformableDesc, x: &[usize]| {
        let op = Op::Deformable(DeformableOp::Conv { desc, bias: false });
        let inputs = [real(x), real(OFFSET), real(WEIGHT)];
        match infer(&op, &inputs) {
            Err(OpError::Geometry { source, .. }) => source,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        refuse(desc(false).offset_groups(4), X),
        GeometryError::OffsetGroups {
            channels: 6,
            groups: 4
        }
    );
    assert_eq!(
        refuse(desc(false).offset_groups(0), X),
        GeometryError::Zero {
            what: "offset groups"
        }
    );
    assert!(matches!(
        refuse(desc(false), &[33, 5, 5, 4]),
        GeometryError::Groups { .. }
    ));
    let line = DeformableDesc::new(ConvDesc::new(2, 3));
    assert!(matches!(
        refuse(line, &[33, 6, 5]),
        GeometryError::SpatialAxes { given: 1, .. }
    ));
}

#[test]
fn a_layer_learns_its_offsets_and_trains() {
    let mut network = NetworkBuilder::new("deformable", [4, 6, 9, 8]);
    let x = network.input();
    let conv = ConvDesc::new(5, 3).stride(2).padding(1);
    let desc = DeformableDesc::new(conv).offset_groups(2);
    let y = network.deformable_layer("conv", x, desc, true).unwrap();
    assert_eq!(network.shape(y).unwrap(), [4, 5, 5, 4]);
    let y = network.global_average_pool(y).unwrap();
    let y = network.flatten(y).unwrap();
    let network = network.finish(y).unwrap();
    let parameters: Vec<_> = network
        .parameters()
        .map(|(_, p)| (p.name.as_str(), p.shape.clone()))
        .collect();
    let want = [
        ("conv.conv_offset.weight", vec![36, 6, 3, 3]),
        ("conv.conv_offset.bias", vec![36]),
        ("conv.weight", vec![5, 6, 3, 3]),
        ("conv.bias", vec![5]),
    ];
    assert_eq!(parameters, want);
    // 5·4 places, each of them 5·6·9 products, and 36·6·9 for the offsets.
    assert_eq!(summary(&network).macs, 20 * (5 + 36) * 54);
    let trained = passes::training(&network, passes::TrainingOptions::default()).unwrap();
    assert_eq!(trained.gradients.len(), 4);
}

#[test]
fn gradients_are_built_for_what_wants_them() {
    let (mut graph, places) = inputs(&[X, OFFSET, MASK, WEIGHT]);
    let op = Op::Deformable(DeformableOp::Conv {
        desc: desc(true),
        bias: false,
    });
    let y = graph.append(op, "conv", places.clone()).unwrap()[0];
    graph.outputs = vec![y];
    let count = |wanted: &[graph::ValueId]| {
        let grown = pullback(&graph, y, wanted).unwrap();
        for (&value, &gradient) in wanted.iter().zip(&grown.outputs[1..]) {
            assert_eq!(grown.value(gradient).shape, grown.value(value).shape);
        }
        grown.nodes.len()
    };
    assert_eq!(count(&places), 3);
    assert_eq!(count(&places[1..2]), 2);
    assert_eq!(count(&places[3..]), 2);
}
