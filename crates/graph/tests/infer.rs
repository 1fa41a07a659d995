//! Shapes of every operator against values worked out by hand, and refusals.

use geometry::{ConvDesc, GeometryError, PoolDesc, PoolKind};
use graph::{Activation, ElementType, Op, OpError, Role, Value};

const RELU: Option<Activation> = Some(Activation::Relu);

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

fn infer(op: &Op, inputs: &[Value]) -> Result<Vec<(Vec<usize>, ElementType)>, OpError> {
    let inputs: Vec<_> = inputs.iter().collect();
    let types = op.infer(&inputs)?;
    Ok(types.into_iter().map(|t| (t.shape, t.element)).collect())
}

/// Shapes of floating-point outputs.
#[track_caller]
fn gives(op: Op, inputs: &[&[usize]], outputs: &[&[usize]]) {
    let inputs: Vec<_> = inputs.iter().map(|shape| float(shape)).collect();
    let expected: Vec<_> = outputs
        .iter()
        .map(|shape| (shape.to_vec(), ElementType::Real))
        .collect();
    assert_eq!(infer(&op, &inputs).unwrap(), expected, "{op:?}");

    // With an input less or more, every operator of fixed inputs refuses.
    if op != Op::Concat {
        let fewer = infer(&op, &inputs[1..]);
        assert!(fewer.is_err(), "{op:?} without its first input");
        let more = [inputs.as_slice(), &[float(&[1])]].concat();
        let more = infer(&op, &more).unwrap_err();
        assert!(matches!(more, OpError::ExtraInputs { .. }), "{more}");
    }
}

fn stem() -> ConvDesc {
    ConvDesc::new(64, 7).stride(2).padding(3)
}

fn conv(desc: ConvDesc, bias: bool, residual: bool) -> Op {
    Op::Conv {
        desc,
        bias,
        residual,
        activation: None,
    }
}

#[test]
fn convolutions() {
    let (x, w, y): (&[usize], &[usize], &[usize]) =
        (&[2, 3, 224, 224], &[64, 3, 7, 7], &[2, 64, 112, 112]);
    gives(conv(stem(), false, false), &[x, w], &[y]);
    gives(conv(stem(), true, false), &[x, w, &[64]], &[y]);
    gives(conv(stem(), true, true), &[x, w, &[64], y], &[y]);
    gives(conv(stem(), false, true), &[x, w, y], &[y]);
    let data = Op::ConvBackwardData {
        desc: stem(),
        input: x.to_vec(),
    };
    gives(data, &[y, w], &[x]);
    gives(Op::ConvBackwardWeights { desc: stem() }, &[x, y], &[w]);
    gives(Op::ChannelSum, &[y], &[&[64]]);
    // Depthwise, and one and three spatial axes.
    let depthwise = ConvDesc::new(32, 3).padding(1).stride(2).groups(32);
    let x = [1, 32, 15, 15];
    gives(
        conv(depthwise, false, false),
        &[&x, &[32, 1, 3, 3]],
        &[&[1, 32, 8, 8]],
    );
    let line = ConvDesc::new(8, 3);
    let (x, w, y): (&[usize], &[usize], &[usize]) = (&[4, 2, 100], &[8, 2, 3], &[4, 8, 98]);
    gives(conv(line.clone(), false, false), &[x, w], &[y]);
    gives(Op::ConvBackwardWeights { desc: line }, &[x, y], &[w]);
    gives(
        conv(ConvDesc::new(8, 3), false, false),
        &[&[1, 2, 5, 6, 7], &[8, 2, 3, 3, 3]],
        &[&[1, 8, 3, 4, 5]],
    );
    // An empty batch is legal.
    gives(
        conv(stem(), false, false),
        &[&[0, 3, 224, 224], &[64, 3, 7, 7]],
        &[&[0, 64, 112, 112]],
    );
}

#[test]
fn linear_layers() {
    gives(
        Op::Linear { bias: false },
        &[&[8, 400], &[120, 400]],
        &[&[8, 120]],
    );
    gives(
        Op::Linear { bias: true },
        &[&[8, 400], &[120, 400], &[120]],
        &[&[8, 120]],
    );
    gives(
        Op::LinearBackwardData,
        &[&[8, 120], &[120, 400]],
        &[&[8, 400]],
    );
    gives(
        Op::LinearBackwardWeights,
        &[&[8, 400], &[8, 120]],
        &[&[120, 400]],
    );
}

#[test]
fn pools() {
    let desc = PoolDesc::max(3).stride(2).padding(1);
    let (x, y) = ([2, 64, 112, 112], [2, 64, 56, 56]);
    let pool = |indices| Op::Pool {
        desc: desc.clone(),
        indices,
    };
    gives(pool(false), &[&x], &[&y]);
    assert_eq!(
        infer(&pool(true), &[float(&x)]).unwrap(),
        [
            (y.to_vec(), ElementType::Real),
            (y.to_vec(), ElementType::Index)
        ]
    );
    let backward = |desc: PoolDesc| Op::PoolBackward {
        desc,
        input: x.to_vec(),
    };
    let max = backward(desc.clone());
    assert_eq!(
        infer(&max, &[float(&y), index(&y)]).unwrap(),
        [(x.to_vec(), ElementType::Real)]
    );
    assert!(matches!(
        infer(&max, &[float(&y), float(&y)]).unwrap_err(),
        OpError::Element {
            input: "indices",
            ..
        }
    ));
    assert!(matches!(
        infer(&max, &[float(&y)]).unwrap_err(),
        OpError::MissingInput {
            input: "indices",
            ..
        }
    ));
    let kind = PoolKind::Average {
        count_padding: true,
    };
    gives(backward(PoolDesc { kind, ..desc }), &[&y], &[&x]);
    gives(Op::GlobalAveragePool, &[&[2, 9, 7, 5]], &[&[2, 9, 1, 1]]);
    gives(Op::GlobalAveragePool, &[&[2, 9, 7]], &[&[2, 9, 1]]);
    let input = vec![2, 9, 7, 5];
    gives(
        Op::GlobalAveragePoolBackward { input },
        &[&[2, 9, 1, 1]],
        &[&[2, 9, 7, 5]],
    );
}

#[test]
fn normalisations() {
    let (x, c): (&[usize], &[usize]) = (&[4, 16, 9, 9], &[16]);
    let (epsilon, momentum) = (1e-5, 0.1);
    gives(Op::BatchNorm { epsilon, momentum }, &[x, c, c, c, c], &[x]);
    let training = |residual| Op::BatchNormTraining {
        epsilon,
        momentum,
        residual,
        activation: RELU,
    };
    gives(training(false), &[x, c, c, c, c], &[x, c, c, c, c]);
    gives(training(true), &[x, c, c, c, c, x], &[x, c, c, c, c]);
    let backward = |residual, activation| Op::BatchNormBackward {
        residual,
        activation,
    };
    gives(backward(false, None), &[x, x, c, c, c], &[x, c, c]);
    gives(backward(false, RELU), &[x, x, c, c, c, x], &[x, c, c]);
    gives(backward(true, RELU), &[x, x, c, c, c, x], &[x, c, c, x]);
    gives(backward(true, None), &[x, x, c, c, c], &[x, c, c, x]);
    let inference = |residual| Op::BatchNormInference {
        epsilon,
        residual,
        activation: None,
    };
    gives(inference(false), &[x, c, c, c, c], &[x]);
    gives(inference(true), &[x, c, c, c, c, x], &[x]);
    let w: &[usize] = &[16, 3, 5, 5];
    let fold = |bias| Op::FoldBatchNorm { epsilon, bias };
    gives(fold(false), &[w, c, c, c, c], &[w, c]);
    gives(fold(true), &[w, c, c, c, c, c], &[w, c]);
    // The features of a linear layer are channels too.
    let c: &[usize] = &[120];
    gives(
        Op::BatchNorm { epsilon, momentum },
        &[&[4, 120], c, c, c, c],
        &[&[4, 120]],
    );
}

#[test]
fn elementwise_and_rearranging_operators() {
    let x: &[usize] = &[2, 6, 4, 5];
    gives(Op::Activation(Activation::Relu6), &[x], &[x]);
    gives(Op::ActivationBackward(Activation::Relu), &[x, x], &[x]);
    gives(Op::Add, &[x, x], &[x]);
    gives(
        Op::Concat,
        &[x, &[2, 1, 4, 5], &[2, 3, 4, 5]],
        &[&[2, 10, 4, 5]],
    );
    gives(Op::Concat, &[x], &[x]);
    let slice = |start, count| Op::ChannelSlice { start, count };
    gives(slice(2, 4), &[x], &[&[2, 4, 4, 5]]);
    gives(Op::Flatten, &[x], &[&[2, 120]]);
    gives(Op::Flatten, &[&[0, 6, 4, 5]], &[&[0, 120]]);
    gives(Op::Unflatten { shape: x.to_vec() }, &[&[2, 120]], &[x]);
    let dropout = |rate| Op::Dropout { rate, stream: 3 };
    gives(dropout(0.5), &[x], &[x]);
    gives(Op::Softmax, &[&[2, 10]], &[&[2, 10]]);
}

#[test]
fn losses() {
    let inputs = [float(&[8, 10]), index(&[8])];
    let label_smoothing = 0.1;
    assert_eq!(
        infer(&Op::CrossEntropy { label_smoothing }, &inputs).unwrap(),
        [(vec![], ElementType::Real)]
    );
    let backward = |upstream| Op::CrossEntropyBackward {
        label_smoothing,
        upstream,
    };
    let made = [(vec![8, 10], ElementType::Real)];
    assert_eq!(infer(&backward(false), &inputs).unwrap(), made);
    let [logits, labels] = inputs.clone();
    let with = |dloss: &[usize]| [logits.clone(), labels.clone(), float(dloss)];
    assert_eq!(infer(&backward(true), &with(&[])).unwrap(), made);
    let error = infer(&backward(true), &with(&[8])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cross-entropy backward dloss [8] does not fit logits [8, 10]: it must be []"
    );
    let labels_of_others = [float(&[8, 10]), index(&[7])];
    let error = infer(&Op::CrossEntropy { label_smoothing }, &labels_of_others).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cross-entropy labels [7] does not fit logits [8, 10]: it must be [8]"
    );
    let labels_that_are_not = [float(&[8, 10]), float(&[8])];
    let error = infer(&Op::CrossEntropy { label_smoothing }, &labels_that_are_not).unwrap_err();
    assert!(matches!(
        error,
        OpError::Element {
            input: "labels",
            ..
        }
    ));
}

#[test]
fn a_weight_that_does_not_fit_is_named_with_both_shapes() {
    let desc = ConvDesc::new(16, 3).padding(1);
    let inputs = [float(&[1, 8, 32, 32]), float(&[16, 3, 3, 3])];
    let error = infer(&conv(desc, false, false), &inputs).unwrap_err();
    assert_eq!(
        error.to_string(),
        "conv weight [16, 3, 3, 3] does not fit x [1, 8, 32, 32]: it must be [16, 8, 3, 3]"
    );
}

/// Every operand of every operator, one extent too many or an axis too few, is refused.
#[test]
fn every_operand_is_checked() {
    let desc = ConvDesc::new(8, 3).padding(1);
    let (x, y, w, c): (&[usize], &[usize], &[usize], &[usize]) =
        (&[2, 4, 6, 6], &[2, 8, 6, 6], &[8, 4, 3, 3], &[8]);
    let input = x.to_vec();
    let backward_data = Op::ConvBackwardData {
        desc: desc.clone(),
        input,
    };
    let weights = Op::ConvBackwardWeights { desc: desc.clone() };
    let training = Op::BatchNormTraining {
        epsilon: 1e-5,
        momentum: 0.1,
        residual: true,
        activation: None,
    };
    let backward = Op::BatchNormBackward {
        residual: true,
        activation: RELU,
    };
    let inference = Op::BatchNormInference {
        epsilon: 1e-5,
        residual: true,
        activation: None,
    };
    let fold = Op::FoldBatchNorm {
        epsilon: 1e-5,
        bias: true,
    };
    let average_backward = Op::PoolBackward {
        desc: PoolDesc::average(3).padding(1),
        input: y.to_vec(),
    };
    let global_backward = Op::GlobalAveragePoolBackward { input: y.to_vec() };
    let cases: Vec<(Op, Vec<&[usize]>)> = vec![
        (conv(desc, true, true), vec![x, w, c, y]),
        (backward_data, vec![y, w]),
        (weights, vec![x, y]),
        (Op::Linear { bias: true }, vec![&[2, 5], &[3, 5], &[3]]),
        (Op::LinearBackwardData, vec![&[2, 3], &[3, 5]]),
        (Op::LinearBackwardWeights, vec![&[2, 5], &[2, 3]]),
        (average_backward, vec![y]),
        (global_backward, vec![&[2, 8, 1, 1]]),
        (training, vec![y, c, c, c, c, y]),
        (backward, vec![y, y, c, c, c, y]),
        (inference, vec![y, c, c, c, c, y]),
        (fold, vec![w, c, c, c, c, c]),
        (Op::ActivationBackward(Activation::Relu), vec![y, y]),
        (Op::Add, vec![y, y]),
        (Op::Concat, vec![x, y]),
        (Op::Unflatten { shape: y.to_vec() }, vec![&[2, 288]]),
    ];
    // Extents that no other operand shares: the batch of a linear layer, the channels of one side
    // of a gradient or side by side, the filter of a folded weight.
    let free = |op: &Op, operand: usize, axis: usize| match op {
        Op::ConvBackwardWeights { .. } => (operand, axis) == (0, 1),
        Op::Linear { .. } => (operand, axis) == (0, 0),
        Op::LinearBackwardData => operand == axis,
        Op::LinearBackwardWeights | Op::Concat => axis == 1,
        Op::FoldBatchNorm { .. } => operand == 0 && axis > 0,
        _ => false,
    };
    for (op, shapes) in cases {
        let inputs: Vec<_> = shapes.iter().map(|shape| float(shape)).collect();
        infer(&op, &inputs).unwrap_or_else(|error| panic!("{op:?}: {error}"));
        for operand in 0..inputs.len() {
            let mut fewer = inputs.clone();
            fewer[operand].shape.clear();
            assert!(infer(&op, &fewer).is_err(), "{op:?} operand {operand}");
            for axis in 0..inputs[operand].shape.len() {
                let mut wrong = inputs.clone();
                wrong[operand].shape[axis] += 1;
                let answer = infer(&op, &wrong);
                assert_eq!(
                    answer.is_ok(),
                    free(&op, operand, axis),
                    "{op:?} operand {operand} axis {axis}: {answer:?}"
                );
            }
            let mut labels = inputs.clone();
            labels[operand].element = ElementType::Index;
            let error = infer(&op, &labels).unwrap_err();
            assert!(matches!(error, OpError::Element { .. }), "{op:?}: {error}");
        }
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let x = || float(&[2, 4, 6, 6]);
    let c = || float(&[4]);
    let norm = [x(), c(), c(), c(), c()];
    for (epsilon, momentum) in [(-1.0, 0.1), (f32::NAN, 0.1), (1e-5, 1.5), (1e-5, f32::NAN)] {
        let error = infer(&Op::BatchNorm { epsilon, momentum }, &norm).unwrap_err();
        assert!(matches!(error, OpError::Setting { .. }), "{error}");
    }
    for rate in [-0.1, 1.0, f32::NAN] {
        let error = infer(&Op::Dropout { rate, stream: 0 }, &[x()]).unwrap_err();
        assert!(matches!(error, OpError::Setting { .. }), "{error}");
    }
    for label_smoothing in [-0.1, 1.1, f32::NAN] {
        let inputs = [float(&[8, 10]), index(&[8])];
        let error = infer(&Op::CrossEntropy { label_smoothing }, &inputs).unwrap_err();
        assert!(matches!(error, OpError::Setting { .. }), "{error}");
    }
    for (start, count) in [(0, 5), (4, 1), (usize::MAX, 2)] {
        let error = infer(&Op::ChannelSlice { start, count }, &[x()]).unwrap_err();
        assert!(
            matches!(error, OpError::Channels { channels: 4, .. }),
            "{error}"
        );
    }
}

#[test]
fn sizes_that_cannot_be_addressed_are_refused() {
    let huge = 1 << 40;
    let error = infer(&Op::Flatten, &[float(&[1, huge, huge, 1])]).unwrap_err();
    assert!(matches!(error, OpError::TooLarge { .. }), "{error}");
    let inputs = [float(&[huge, 1]), float(&[huge, 1])];
    let error = infer(&Op::Linear { bias: false }, &inputs).unwrap_err();
    assert!(matches!(error, OpError::TooLarge { .. }), "{error}");
    let inputs = [float(&[1, usize::MAX, 0]), float(&[1, 1, 0])];
    let error = infer(&Op::Concat, &inputs).unwrap_err();
    let overflow = GeometryError::Overflow { what: "channels" };
    assert!(matches!(error, OpError::Geometry { source, .. } if source == overflow));
}

#[test]
fn statistics_of_one_value_are_refused() {
    let training = Op::BatchNormTraining {
        epsilon: 1e-5,
        momentum: 0.1,
        residual: false,
        activation: None,
    };
    let c = || float(&[4]);
    for (shape, values) in [([1, 4, 1, 1], 1), ([0, 4, 3, 3], 0)] {
        let error = infer(&training, &[float(&shape), c(), c(), c(), c()]).unwrap_err();
        assert!(matches!(error, OpError::TooFewValues { values: v, .. } if v == values));
    }
    infer(&training, &[float(&[1, 4, 1, 2]), c(), c(), c(), c()]).unwrap();
}
