use geometry::{
    AffineGridDesc, GeometryError, GridInterpolation, GridSampleDesc, ResizeCoordinates, ResizeDesc,
};
use graph::{
    ElementType, Graph, NetworkBuilder, Op, OpError, Resizing, Role, SamplingOp, Value, pullback,
};

const LINEAR: GridSampleDesc = GridSampleDesc {
    interpolation: GridInterpolation::Linear,
    padding: geometry::GridPadding::Zeros,
    align_corners: false,
};

fn value(shape: &[usize]) -> Value {
    Value {
        name: "value".to_owned(),
        shape: shape.to_vec(),
        element: ElementType::Real,
        role: Role::Input,
    }
}

fn infer(op: SamplingOp, inputs: &[&[usize]]) -> Result<Vec<usize>, OpError> {
    let values: Vec<_> = inputs.iter().map(|shape| value(shape)).collect();
    let values: Vec<_> = values.iter().collect();
    Ok(Op::Sampling(op).infer(&values)?.remove(0).shape)
}

fn resize(resizing: impl Into<Resizing>, input: &[usize]) -> Result<Vec<usize>, OpError> {
    let resizing = resizing.into();
    infer(SamplingOp::Resize { resizing }, &[input])
}

#[test]
fn shapes() {
    let desc = AffineGridDesc::new([5, 6]);
    let forward = SamplingOp::AffineGrid { desc: desc.clone() };
    assert_eq!(infer(forward, &[&[2, 2, 3]]), Ok(vec![2, 5, 6, 2]));
    let backward = SamplingOp::AffineGridBackward { desc };
    assert_eq!(infer(backward, &[&[2, 5, 6, 2]]), Ok(vec![2, 2, 3]));

    let (x, grid, y) = ([2, 3, 7, 9], [2, 5, 6, 2], [2, 3, 5, 6]);
    let forward = SamplingOp::GridSample { desc: LINEAR };
    assert_eq!(infer(forward, &[&x, &grid]), Ok(y.to_vec()));
    let by_input = SamplingOp::GridSampleBackwardInput {
        desc: LINEAR,
        input: x.to_vec(),
    };
    assert_eq!(infer(by_input, &[&grid, &y]), Ok(x.to_vec()));
    let by_grid = SamplingOp::GridSampleBackwardGrid { desc: LINEAR };
    assert_eq!(infer(by_grid, &[&x, &grid, &y]), Ok(grid.to_vec()));

    assert_eq!(resize(ResizeDesc::cubic([5, 6]), &x), Ok(y.to_vec()));
    let backward = SamplingOp::ResizeBackward {
        resizing: ResizeDesc::cubic([5, 6]).into(),
        input: x.to_vec(),
    };
    assert_eq!(infer(backward, &[&y]), Ok(x.to_vec()));
    let scaled = Resizing::scaled(&x, &[1.5, 0.75], ResizeDesc::linear).unwrap();
    assert_eq!(resize(scaled, &x), Ok(vec![2, 3, 10, 6]));
}

#[test]
fn what_does_not_go_together_is_refused_with_its_numbers() {
    let desc = AffineGridDesc::new([5, 6]);
    let error = infer(SamplingOp::AffineGrid { desc: desc.clone() }, &[&[2, 6]]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "affine grid on input [2, 6]: affine matrices of shape [2, 6] are neither [n, 2, 3] nor \
         [n, 3, 4]"
    );
    let backward = SamplingOp::AffineGridBackward { desc: desc.clone() };
    let error = infer(backward.clone(), &[&[2, 5, 7, 2]]).unwrap_err();
    assert!(matches!(error, OpError::Mismatch { expected, .. } if expected == [2, 5, 6, 2]));
    assert!(matches!(
        infer(backward, &[&[2, 5]]),
        Err(OpError::Rank { .. })
    ));
    let volume = infer(SamplingOp::AffineGrid { desc }, &[&[2, 3, 4]]);
    assert!(matches!(
        volume,
        Err(OpError::Geometry {
            source: GeometryError::AxisCount { .. },
            ..
        })
    ));

    let sample = SamplingOp::GridSample { desc: LINEAR };
    let error = infer(sample.clone(), &[&[2, 3, 7, 9], &[2, 5, 6, 3]]).unwrap_err();
    assert!(error.to_string().contains("[2, 5, 6, 3]"), "{error}");
    assert!(matches!(
        infer(sample, &[&[2, 3, 7, 9]]),
        Err(OpError::MissingInput { input: "grid", .. })
    ));
    let cubic = SamplingOp::GridSample {
        desc: GridSampleDesc::new(GridInterpolation::Cubic),
    };
    assert!(infer(cubic, &[&[2, 3, 4, 5, 6], &[2, 4, 5, 6, 3]]).is_err());
    let by_input = SamplingOp::GridSampleBackwardInput {
        desc: LINEAR,
        input: vec![2, 3, 7, 9],
    };
    assert!(matches!(
        infer(by_input, &[&[2, 5, 6, 2], &[2, 3, 5, 7]]),
        Err(OpError::Mismatch { input: "dy", .. })
    ));
    let by_grid = SamplingOp::GridSampleBackwardGrid { desc: LINEAR };
    assert!(matches!(
        infer(by_grid, &[&[2, 3, 7, 9], &[2, 5, 6, 2], &[2, 4, 5, 6]]),
        Err(OpError::Mismatch { input: "dy", .. })
    ));
}

#[test]
fn resizes_without_meaning_are_refused() {
    let x = [2, 3, 7, 9];
    assert!(matches!(
        resize(ResizeDesc::linear([4, 0]), &x),
        Err(OpError::Geometry {
            source: GeometryError::Zero { what: "size" },
            ..
        })
    ));
    assert!(resize(ResizeDesc::linear([4, 5, 6]), &x).is_err());
    assert!(resize(ResizeDesc::linear(4), &[2, 3]).is_err());
    assert!(resize(ResizeDesc::linear(4), &[2, 3, 4, 5, 6, 7]).is_err());

    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Resizing::scaled(&x, &[1.0, scale], ResizeDesc::linear).unwrap_err();
        assert!(matches!(
            error,
            OpError::Setting {
                setting: "scale",
                ..
            }
        ));
        let resizing = Resizing {
            scales: Some(vec![1.0, scale]),
            ..ResizeDesc::linear([7, 9]).into()
        };
        assert!(resize(resizing, &x).is_err(), "{scale}");
    }
    assert!(matches!(
        Resizing::scaled(&x, &[2.0], ResizeDesc::linear),
        Err(OpError::Geometry {
            source: GeometryError::AxisCount {
                what: "scales",
                given: 1,
                rank: 2
            },
            ..
        })
    ));
    // Nothing would be left; more than can be addressed.
    for scale in [0.1, 1e300] {
        let resizing = Resizing::scaled(&x, &[1.0, scale], ResizeDesc::linear).unwrap();
        assert!(resize(resizing, &x).is_err(), "{scale}");
    }
    // Scales that do not lead to the size.
    let resizing = Resizing {
        scales: Some(vec![2.0, 2.0]),
        ..ResizeDesc::linear([14, 17]).into()
    };
    let error = resize(resizing, &x).unwrap_err();
    assert!(matches!(error, OpError::Mismatch { expected, .. } if expected == [14, 18]));

    let boxed = |crop| Resizing {
        crop: Some(crop),
        ..ResizeDesc::linear([4, 5])
            .coordinates(ResizeCoordinates::CropAndResize)
            .into()
    };
    assert!(resize(boxed(vec![(0.0, 1.0), (0.25, 0.5)]), &x).is_ok());
    assert!(resize(boxed(vec![(0.0, 1.0)]), &x).is_err());
    assert!(matches!(
        resize(boxed(vec![(0.0, 1.0), (0.25, f64::NAN)]), &x),
        Err(OpError::Setting {
            setting: "crop",
            ..
        })
    ));
}

/// A graph of one operator, and the ids of its inputs.
fn single(op: SamplingOp, inputs: &[&[usize]]) -> (Graph, Vec<graph::ValueId>) {
    let mut graph = Graph::default();
    let inputs: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(place, shape)| {
            graph.add_value(Value {
                name: format!("input {place}"),
                ..value(shape)
            })
        })
        .collect();
    graph.inputs.clone_from(&inputs);
    let made = graph.append(Op::Sampling(op), "layer", inputs.clone());
    graph.outputs = made.unwrap();
    (graph, inputs)
}

#[test]
fn gradients_have_the_shapes_of_what_they_belong_to() {
    let x: &[usize] = &[2, 3, 7, 9];
    let cases: [(SamplingOp, &[&[usize]]); 6] = [
        (
            SamplingOp::AffineGrid {
                desc: AffineGridDesc::new([5, 6]),
            },
            &[&[2, 2, 3]],
        ),
        (
            SamplingOp::AffineGridBackward {
                desc: AffineGridDesc::new([5, 6]),
            },
            &[&[2, 5, 6, 2]],
        ),
        (SamplingOp::GridSample { desc: LINEAR }, &[x, &[2, 5, 6, 2]]),
        (
            SamplingOp::GridSampleBackwardInput {
                desc: LINEAR,
                input: x.to_vec(),
            },
            &[&[2, 5, 6, 2], &[2, 3, 5, 6]],
        ),
        (
            SamplingOp::Resize {
                resizing: ResizeDesc::linear([4, 5]).into(),
            },
            &[x],
        ),
        (
            SamplingOp::ResizeBackward {
                resizing: ResizeDesc::linear([4, 5]).into(),
                input: x.to_vec(),
            },
            &[&[2, 3, 4, 5]],
        ),
    ];
    for (op, shapes) in cases {
        let (graph, inputs) = single(op, shapes);
        let grown = pullback(&graph, graph.outputs[0], &inputs).unwrap();
        grown.verify().unwrap();
        // Behind what the operator makes stand the gradients.
        let made = grown.outputs[1..].iter();
        let made: Vec<_> = made.map(|&id| &grown.value(id).shape[..]).collect();
        assert_eq!(made, shapes, "{}", graph.nodes[0].op.name());
    }
    let (graph, inputs) = single(
        SamplingOp::GridSampleBackwardGrid { desc: LINEAR },
        &[x, &[2, 5, 6, 2], &[2, 3, 5, 6]],
    );
    assert!(pullback(&graph, graph.outputs[0], &inputs).is_err());
}

#[test]
fn a_spatial_transformer_in_a_network() {
    let mut network = NetworkBuilder::new("transformer", [4, 1, 8, 8]);
    let x = network.input();
    let features = network.flatten(x).unwrap();
    let theta = network.linear("theta", features, 6).unwrap();
    let grid = network
        .affine_grid(theta, AffineGridDesc::new([6, 5]))
        .unwrap();
    let y = network.grid_sample(x, grid, LINEAR).unwrap();
    let y = network.upsample(y, 2.0, ResizeDesc::nearest).unwrap();
    assert_eq!(network.shape(y).unwrap(), [4, 1, 12, 10]);
    let y = network.resize(y, ResizeDesc::cubic([3, 4])).unwrap();
    assert_eq!(network.shape(y).unwrap(), [4, 1, 3, 4]);
    assert!(network.upsample(y, -2.0, ResizeDesc::nearest).is_err());
    let graph = network.finish(y).unwrap();
    let layers: Vec<_> = graph.nodes.iter().map(|node| node.layer.as_str()).collect();
    assert_eq!(
        layers,
        [
            "flatten",
            "theta",
            "unflatten",
            "affine_grid",
            "grid_sample",
            "upsample",
            "resize"
        ]
    );
}
