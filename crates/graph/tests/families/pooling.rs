//! Adaptive pooling, Lp pooling and max unpooling.

use geometry::{AdaptiveDesc, GeometryError, NormOrder, Padding, PoolDesc, PoolKind, UnpoolDesc};
use graph::passes::{TrainingOptions, training};
use graph::{
    ElementType, Graph, GraphError, NetworkBuilder, Op, OpError, PoolingOp, Role, Value, pullback,
    summary,
};

fn float(shape: &[usize]) -> Value {
    Value {
        name: "v".to_owned(),
        shape: shape.to_vec(),
        element: ElementType::Real,
        role: Role::Input,
    }
}

fn index(shape: &[usize]) -> Value {
    Value {
        element: ElementType::Index,
        ..float(shape)
    }
}

/// Shapes and elements of the outputs.
fn infer(
    op: impl Into<Family>,
    inputs: &[Value],
) -> Result<Vec<(Vec<usize>, ElementType)>, OpError> {
    let inputs: Vec<_> = inputs.iter().collect();
    let types = op.into().0.infer(&inputs)?;
    Ok(types.into_iter().map(|t| (t.shape, t.element)).collect())
}

/// An operator of the family or of none.
struct Family(Op);

impl From<PoolingOp> for Family {
    fn from(op: PoolingOp) -> Self {
        Self(Op::Pooling(op))
    }
}

impl From<Op> for Family {
    fn from(op: Op) -> Self {
        Self(op)
    }
}

fn real(shape: &[usize]) -> (Vec<usize>, ElementType) {
    (shape.to_vec(), ElementType::Real)
}

fn places(shape: &[usize]) -> (Vec<usize>, ElementType) {
    (shape.to_vec(), ElementType::Index)
}

fn adaptive(desc: AdaptiveDesc, indices: bool) -> PoolingOp {
    PoolingOp::Adaptive { desc, indices }
}

fn order() -> NormOrder {
    NormOrder::from_millionths(1_500_000).unwrap()
}

#[test]
fn adaptive_pools_have_the_bins_asked_for() {
    let x = float(&[2, 5, 8, 11]);
    let y = [2, 5, 3, 4];
    for desc in [
        AdaptiveDesc::max([3, 4]),
        AdaptiveDesc::average([3, 4]),
        AdaptiveDesc::lp(order(), [3, 4]),
    ] {
        let is_max = desc == AdaptiveDesc::max([3, 4]);
        let plain = infer(adaptive(desc.clone(), false), std::slice::from_ref(&x));
        assert_eq!(plain.unwrap(), [real(&y)]);
        let mut expected = vec![real(&y)];
        if is_max {
            expected.push(places(&y));
        }
        let with_places = infer(adaptive(desc.clone(), true), std::slice::from_ref(&x));
        assert_eq!(with_places.unwrap(), expected);

        let back = PoolingOp::AdaptiveBackward {
            desc: desc.clone(),
            input: x.shape.clone(),
        };
        let mut inputs = vec![float(&y)];
        if is_max {
            inputs.push(index(&y));
        } else if desc == AdaptiveDesc::lp(order(), [3, 4]) {
            inputs.extend([x.clone(), float(&y)]);
        }
        let made = infer(back.clone(), &inputs).unwrap();
        assert_eq!(made, [real(&x.shape)], "{desc:?}");
        // An input less, one more, and the first of another shape.
        assert!(infer(back.clone(), &inputs[1..]).is_err());
        inputs[0] = float(&[2, 5, 4, 3]);
        let error = infer(back.clone(), &inputs).unwrap_err();
        assert!(matches!(error, OpError::Mismatch { .. }), "{error}");
        inputs[0] = float(&y);
        inputs.push(float(&y));
        let error = infer(back, &inputs).unwrap_err();
        assert!(matches!(error, OpError::ExtraInputs { .. }), "{error}");
    }
    let one_axis = adaptive(AdaptiveDesc::average(6), false);
    let made = infer(one_axis, &[float(&[0, 2, 9])]).unwrap();
    assert_eq!(made, [real(&[0, 2, 6])]);
}

#[test]
fn what_adaptive_pools_refuse() {
    let refuse = |desc: AdaptiveDesc, shape: &[usize]| {
        let op = adaptive(desc, true);
        match infer(op, &[float(shape)]).unwrap_err() {
            OpError::Geometry { op, input, source } => {
                assert_eq!(op, "adaptive max pool");
                assert_eq!(input, shape);
                source
            }
            error => panic!("{error}"),
        }
    };
    let zero = |what| GeometryError::Zero { what };
    assert_eq!(
        refuse(AdaptiveDesc::max(0), &[1, 1, 4]),
        zero("output size")
    );
    assert_eq!(refuse(AdaptiveDesc::max(2), &[1, 1, 0]), zero("input size"));
    assert!(matches!(
        refuse(AdaptiveDesc::max([2, 2]), &[1, 1, 4]),
        GeometryError::AxisCount {
            given: 2,
            rank: 1,
            ..
        }
    ));
    assert!(matches!(
        refuse(AdaptiveDesc::max(2), &[1, 1]),
        GeometryError::Rank { .. }
    ));
    assert!(matches!(
        refuse(AdaptiveDesc::max(2), &[1, 1, 1, 1, 1, 1]),
        GeometryError::Rank { .. }
    ));
    // The places of 2³² elements do not fit 32 bits.
    let what = "the places of a plane";
    assert_eq!(
        refuse(AdaptiveDesc::max(2), &[1, 1, 1 << 16, 1 << 16]),
        GeometryError::Overflow { what }
    );
    let op = adaptive(AdaptiveDesc::max(2), false);
    let error = infer(op, &[index(&[1, 1, 4])]).unwrap_err();
    assert!(matches!(error, OpError::Element { .. }), "{error}");
}

#[test]
fn unpooling_gives_the_size_asked_for() {
    let x = float(&[2, 5, 4, 4]);
    let indices = index(&[2, 5, 4, 4]);
    let unpool = |desc: UnpoolDesc| PoolingOp::MaxUnpool { desc };
    let made = |desc| infer(unpool(desc), &[x.clone(), indices.clone()]);
    assert_eq!(made(UnpoolDesc::new(2)).unwrap(), [real(&[2, 5, 8, 8])]);
    let told = UnpoolDesc::new(2).output([9, 7]);
    assert_eq!(made(told.clone()).unwrap(), [real(&[2, 5, 9, 7])]);

    let back = PoolingOp::MaxUnpoolBackward {
        desc: told,
        input: x.shape.clone(),
    };
    let dy = float(&[2, 5, 9, 7]);
    let dx = infer(back.clone(), &[dy.clone(), indices.clone()]);
    assert_eq!(dx.unwrap(), [real(&x.shape)]);
    for wrong in [
        [float(&[2, 5, 8, 8]), indices.clone()],
        [dy.clone(), index(&[2, 5, 9, 7])],
        [dy, float(&x.shape)],
    ] {
        assert!(infer(back.clone(), &wrong).is_err(), "{wrong:?}");
    }

    let error = infer(unpool(UnpoolDesc::new(2)), &[x.clone(), index(&[2, 5, 4])]).unwrap_err();
    assert_eq!(
        error,
        OpError::Mismatch {
            op: "max unpool",
            input: "indices",
            shape: vec![2, 5, 4],
            other: "x",
            other_shape: x.shape.clone(),
            expected: x.shape.clone(),
        }
    );
    for (desc, source) in [
        (
            UnpoolDesc::new(2).output(10),
            GeometryError::UnpooledSize {
                axis: 0,
                given: 10,
                usual: 8,
                stride: 2,
            },
        ),
        (UnpoolDesc::new(0), GeometryError::Zero { what: "kernel" }),
        (
            UnpoolDesc::new(2).stride(0),
            GeometryError::Zero { what: "stride" },
        ),
        (
            UnpoolDesc::new(2).padding(Padding::symmetric(5)),
            GeometryError::EmptyTransposed {
                axis: 0,
                full: 8,
                padding: 10,
            },
        ),
    ] {
        assert_eq!(
            made(desc).unwrap_err(),
            OpError::Geometry {
                op: "max unpool",
                input: x.shape.clone(),
                source
            }
        );
    }
}

#[test]
fn the_gradient_of_a_norm_reads_input_and_output() {
    let desc = PoolDesc::lp(order(), 2).stride(2);
    let pool = Op::Pool {
        desc: desc.clone(),
        // Of no meaning: only maxima have places.
        indices: true,
    };
    let (x, y) = (float(&[1, 3, 8, 6]), float(&[1, 3, 4, 3]));
    assert_eq!(
        infer(pool, std::slice::from_ref(&x)).unwrap(),
        [real(&y.shape)]
    );
    let back = Op::PoolBackward {
        desc,
        input: x.shape.clone(),
    };
    let dx = infer(back.clone(), &[y.clone(), x.clone(), y.clone()]);
    assert_eq!(dx.unwrap(), [real(&x.shape)]);
    for wrong in [
        vec![y.clone()],
        vec![y.clone(), y.clone(), y.clone()],
        vec![y.clone(), x.clone(), x.clone()],
    ] {
        assert!(infer(back.clone(), &wrong).is_err(), "{wrong:?}");
    }
}

/// A network with every pool of the family.
fn network() -> Graph {
    let mut network = NetworkBuilder::new("pools", [2, 3, 12, 12]);
    let x = network.input();
    let x = network
        .conv("conv", x, geometry::ConvDesc::new(4, 3).padding(1), false)
        .unwrap();
    let (y, indices) = network
        .max_pool_with_indices("pool", x, PoolDesc::average(3).stride(2).padding(1))
        .unwrap();
    let y = network
        .pool("norm", y, PoolDesc::lp(NormOrder::TWO, 1))
        .unwrap();
    let desc = UnpoolDesc::new(3).stride(2).padding(1).output(12);
    let y = network.max_unpool("unpool", y, indices, desc).unwrap();
    let y = network.adaptive_average_pool("avg", y, [7, 5]).unwrap();
    let y = network.adaptive_max_pool("max", y, 3).unwrap();
    let max = network.global_max_pool(y).unwrap();
    let norm = network.global_lp_pool(y, order()).unwrap();
    let both = network.concat(&[max, norm]).unwrap();
    let flat = network.flatten(both).unwrap();
    let logits = network.linear("fc", flat, 5).unwrap();
    network.finish(logits).unwrap()
}

#[test]
fn layers_are_named_and_summarised() {
    let table = summary(&network());
    let rows: Vec<_> = table
        .rows
        .iter()
        .map(|row| {
            (
                row.layer.as_str(),
                row.op,
                row.kernel.as_str(),
                &row.output[..],
            )
        })
        .collect();
    assert_eq!(
        rows[1..8],
        [
            ("pool", "pool", "k3s2p1", &[2, 4, 6, 6][..]),
            ("norm", "pool", "k1", &[2, 4, 6, 6]),
            ("unpool", "max unpool", "", &[2, 4, 12, 12]),
            ("avg", "adaptive average pool", "o7x5", &[2, 4, 7, 5]),
            ("max", "adaptive max pool", "o3", &[2, 4, 3, 3]),
            ("global_max_pool", "adaptive max pool", "o1", &[2, 4, 1, 1]),
            ("global_lp_pool", "adaptive lp pool", "o1", &[2, 4, 1, 1]),
        ]
    );
    let network = network();
    let name = |name: &str| network.values().iter().any(|value| value.name == name);
    assert!(name("pool.indices"));
}

#[test]
fn training_remembers_every_maximum() {
    let network = network();
    let step = training(&network, TrainingOptions::default()).unwrap();
    let indices: Vec<_> = step
        .nodes
        .iter()
        .filter_map(|node| match &node.op {
            Op::Pool { desc, indices } if desc.kind == PoolKind::Max => Some(*indices),
            Op::Pooling(PoolingOp::Adaptive { desc, indices })
                if desc.kind == geometry::AdaptiveKind::Max =>
            {
                Some(*indices)
            }
            _ => None,
        })
        .collect();
    assert_eq!(indices, [true; 3]);
    let has = |name: &str| step.nodes.iter().any(|node| node.op.name() == name);
    for name in [
        "pool backward",
        "max unpool backward",
        "adaptive average pool backward",
        "adaptive max pool backward",
        "adaptive lp pool backward",
    ] {
        assert!(has(name), "{name}");
    }
    // Without them there is no gradient.
    let mut bare = NetworkBuilder::new("bare", [1, 1, 4]);
    let x = bare.input();
    let y = bare.global_max_pool(x).unwrap();
    let bare = bare.finish(y).unwrap();
    let error = pullback(&bare, y, &[x]).unwrap_err();
    assert!(
        matches!(error, GraphError::NotDifferentiable { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("without its indices"), "{error}");
}
