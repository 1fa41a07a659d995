//! Transposed convolutions.

use geometry::{ConvDesc, GeometryError, Padding, PaddingMode, TransposedDesc};
use graph::passes::{TrainingOptions, inference, training};
use graph::{
    Activation, ElementType, NetworkBuilder, Op, OpError, Role, TransposedOp, Value, summary,
};

fn value(shape: &[usize]) -> Value {
    Value {
        name: "v".to_owned(),
        shape: shape.to_vec(),
        element: ElementType::Real,
        role: Role::Input,
    }
}

fn infer(op: TransposedOp, inputs: &[&[usize]]) -> Result<Vec<usize>, OpError> {
    let values: Vec<_> = inputs.iter().map(|shape| value(shape)).collect();
    let values: Vec<_> = values.iter().collect();
    let mut made = Op::Transposed(op).infer(&values)?;
    assert_eq!(made.len(), 1);
    Ok(made.remove(0).shape)
}

fn layer(desc: &TransposedDesc, bias: bool, residual: bool) -> TransposedOp {
    TransposedOp::Conv {
        desc: desc.clone(),
        bias,
        residual,
        activation: None,
    }
}

/// As DCGAN has it, in two groups.
fn doubling() -> TransposedDesc {
    TransposedDesc::new(ConvDesc::new(32, 4).stride(2).padding(1).groups(2))
}

#[test]
fn shapes_in_all_directions() {
    let (x, w, y): (&[usize], &[usize], &[usize]) =
        (&[3, 64, 7, 5], &[64, 16, 4, 4], &[3, 32, 14, 10]);
    let desc = doubling();
    assert_eq!(infer(layer(&desc, false, false), &[x, w]).unwrap(), y);
    assert_eq!(infer(layer(&desc, true, false), &[x, w, &[32]]).unwrap(), y);
    assert_eq!(infer(layer(&desc, false, true), &[x, w, y]).unwrap(), y);
    assert_eq!(
        infer(layer(&desc, true, true), &[x, w, &[32], y]).unwrap(),
        y
    );
    let data = TransposedOp::BackwardData {
        desc: desc.clone(),
        input: x.to_vec(),
    };
    assert_eq!(infer(data, &[y, w]).unwrap(), x);
    let weights = TransposedOp::BackwardWeights { desc };
    assert_eq!(infer(weights, &[y, x]).unwrap(), w);
    // One and three axes, output padding, and SAME.
    let line = TransposedDesc::new(ConvDesc::new(2, 3).stride(3)).output_padding(2);
    assert_eq!(
        infer(layer(&line, false, false), &[&[1, 4, 6], &[4, 2, 3]]).unwrap(),
        [1, 2, 20]
    );
    let same = TransposedDesc::new(
        ConvDesc::new(2, [3, 1, 2])
            .stride([1, 2, 3])
            .padding(Padding::Same),
    );
    assert_eq!(
        infer(
            layer(&same, false, false),
            &[&[0, 4, 5, 6, 7], &[4, 2, 3, 1, 2]]
        )
        .unwrap(),
        [0, 2, 5, 12, 21]
    );
}

#[test]
fn operands_that_do_not_fit_are_refused_with_their_numbers() {
    let desc = doubling();
    let x: &[usize] = &[3, 64, 7, 5];
    let error = infer(layer(&desc, false, false), &[x, &[64, 32, 4, 4]]).unwrap_err();
    assert!(
        matches!(&error, OpError::Mismatch { input: "weight", expected, .. } if expected[..] == [64, 16, 4, 4]),
        "{error}"
    );
    let error = infer(layer(&desc, true, false), &[x, &[64, 16, 4, 4], &[64]]).unwrap_err();
    assert!(
        matches!(&error, OpError::Mismatch { input: "bias", expected, .. } if expected[..] == [32]),
        "{error}"
    );
    let geometry =
        |desc: &TransposedDesc, x: &[usize]| match infer(layer(desc, false, false), &[x, &[1]])
            .unwrap_err()
        {
            OpError::Geometry { source, .. } => source,
            other => panic!("{other}"),
        };
    assert!(matches!(
        geometry(&desc, &[3, 63, 7, 5]),
        GeometryError::Groups {
            side: "input",
            channels: 63,
            groups: 2
        }
    ));
    assert!(matches!(
        geometry(&desc, &[3, 64]),
        GeometryError::Rank { .. }
    ));
    assert!(matches!(
        geometry(&desc.clone().output_padding(2), x),
        GeometryError::OutputPadding {
            given: 2,
            below: 2,
            ..
        }
    ));
    let circular = TransposedDesc::new(desc.conv.padding_mode(PaddingMode::Circular));
    assert!(matches!(
        geometry(&circular, x),
        GeometryError::ZerosOnly { .. }
    ));
}

/// Images of 3×8×8 through a transposed layer to logits.
fn network(desc: TransposedDesc) -> graph::Graph {
    let mut network = NetworkBuilder::new("up", [2, 3, 8, 8]);
    let x = network.input();
    let x = network
        .conv("first", x, ConvDesc::new(4, 1), false)
        .unwrap();
    let x = network.conv_transposed("up", x, desc, true).unwrap();
    let x = network.relu(x).unwrap();
    let x = network.global_average_pool(x).unwrap();
    let x = network.flatten(x).unwrap();
    let y = network.linear("fc", x, 3).unwrap();
    network.finish(y).unwrap()
}

#[test]
fn a_network_names_counts_and_differentiates_it() {
    let desc = TransposedDesc::new(ConvDesc::new(6, 3).stride(2).groups(2)).output_padding(1);
    let network = network(desc);
    let shape = |name: &str| {
        let found = network.parameters().find(|(_, value)| value.name == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.shape.clone()
    };
    assert_eq!(shape("up.weight"), [4, 3, 3, 3]);
    assert_eq!(shape("up.bias"), [6]);
    // Counted at the input: every element meets every weight of its channel.
    let counted = summary(&network).rows;
    let up = counted.iter().find(|row| row.layer == "up").unwrap();
    assert_eq!(up.macs, Some(8 * 8 * 4 * 3 * 9));
    assert_eq!(up.kernel, "o6k3s2g2a1");

    let step = training(&network, TrainingOptions::default()).unwrap();
    assert_eq!(step.gradients.len(), 5);
    let names: Vec<_> = step.nodes.iter().map(|node| node.op.name()).collect();
    let expected = [
        "activation backward",
        "channel sum",
        "transposed conv backward-weights",
        "transposed conv backward-data",
        "conv backward-weights",
    ];
    assert_eq!(names[names.len() - expected.len()..], expected);
}

#[test]
fn inference_fuses_what_follows_it() {
    let network = network(TransposedDesc::new(ConvDesc::new(6, 3).stride(2)));
    let graph = inference(&network).unwrap();
    let op = graph.nodes.iter().find_map(|node| match &node.op {
        Op::Transposed(op) => Some(op.clone()),
        _ => None,
    });
    assert!(matches!(
        op,
        Some(TransposedOp::Conv {
            bias: true,
            residual: false,
            activation: Some(Activation::Relu),
            ..
        })
    ));
}
