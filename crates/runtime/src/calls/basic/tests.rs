//! Every kernel says rightly which operands are maps: it computes the same in both layouts.

use geometry::{ConvDesc, PoolDesc};
use graph::{Activation, ElementType, Op, Role, Value};
use kernels::{Context, Isa, Team};
use tensor::Layout;
use testkit::Draw;
use testkit::compare::{assert_relative_l2, widen};
use testkit::layout::{channels_first, channels_last};

use crate::Run;
use crate::calls::{Kernel, Lies, Operands, Shapes, Source, Target, kernel};

const X: [usize; 4] = [2, 4, 5, 3];
const C: [usize; 1] = [4];

/// Operators with operands of more than one kind; all operands are floating-point numbers.
fn cases() -> Vec<(Op, Vec<Vec<usize>>)> {
    let desc = ConvDesc::new(6, [3, 2]).padding([1, 0]).groups(2);
    let (y, w) = ([2, 6, 5, 2], [6, 2, 3, 2]);
    let activation = Some(Activation::Relu);
    let (epsilon, momentum) = (1e-3, 0.1);
    let conv = Op::Conv {
        desc: desc.clone(),
        bias: true,
        residual: true,
        activation,
    };
    let data = Op::ConvBackwardData {
        desc: desc.clone(),
        input: X.to_vec(),
    };
    let training = Op::BatchNormTraining {
        epsilon,
        momentum,
        residual: true,
        activation,
    };
    let backward = Op::BatchNormBackward {
        residual: true,
        activation,
    };
    let inference = Op::BatchNormInference {
        epsilon,
        residual: true,
        activation,
    };
    let fold = Op::FoldBatchNorm {
        epsilon,
        bias: false,
    };
    let mean = Op::GlobalAveragePoolBackward { input: X.to_vec() };
    let shape = X.to_vec();
    let (start, count) = (1, 2);
    let x = || X.to_vec();
    let c = || C.to_vec();
    vec![
        (conv, vec![x(), w.to_vec(), vec![6], y.to_vec()]),
        (data, vec![y.to_vec(), w.to_vec()]),
        (Op::ConvBackwardWeights { desc }, vec![x(), y.to_vec()]),
        (Op::ChannelSum, vec![x()]),
        (training, vec![x(), c(), c(), c(), c(), x()]),
        (backward, vec![x(), x(), c(), c(), c(), x()]),
        (inference, vec![x(), c(), c(), c(), c(), x()]),
        (fold, vec![x(), vec![2], vec![2], vec![2], vec![2]]),
        (Op::Activation(Activation::Relu6), vec![x()]),
        (Op::Add, vec![x(), x()]),
        (Op::Concat, vec![x(), vec![2, 3, 5, 3]]),
        (Op::ChannelSlice { start, count }, vec![x()]),
        (Op::Flatten, vec![x()]),
        (Op::Unflatten { shape }, vec![vec![2, 60]]),
        (
            Op::Pool {
                desc: PoolDesc::average(2),
                indices: false,
            },
            vec![x()],
        ),
        (
            Op::Pool {
                desc: PoolDesc::max(2),
                indices: true,
            },
            vec![x()],
        ),
        (Op::GlobalAveragePool, vec![x()]),
        (mean, vec![vec![2, 4, 1, 1]]),
    ]
}

fn value(shape: &[usize], element: ElementType) -> Value {
    Value {
        name: String::new(),
        shape: shape.to_vec(),
        element,
        role: Role::Input,
    }
}

/// A value as an operand that lies so.
fn laid_out<T: Copy>(layout: Layout, lies: Lies, shape: &[usize], values: &[T]) -> Vec<T> {
    match (layout, lies) {
        (Layout::Nhwc, Lies::Map) => channels_last(values, shape[0], shape[1]),
        _ => values.to_vec(),
    }
}

/// The way back.
fn as_nchw<T: Copy>(layout: Layout, lies: Lies, shape: &[usize], values: &[T]) -> Vec<T> {
    match (layout, lies) {
        (Layout::Nhwc, Lies::Map) => channels_first(values, shape[0], shape[1]),
        _ => values.to_vec(),
    }
}

/// Every output, channels first; indices as numbers.
fn run(kernel: &dyn Kernel, layout: Layout, inputs: &[Value], outputs: &[Value]) -> Vec<Vec<f64>> {
    let team = Team::new(2).unwrap();
    let ctx = Context {
        team: &team,
        isa: Isa::best(),
    };
    let mut draw = Draw::new(3);
    let given: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(place, input)| {
            let len = input.shape.iter().product();
            // Above zero, as a variance is.
            let values: Vec<f64> = widen(&draw.reals(len)).iter().map(|v| 1.0 + v).collect();
            laid_out(layout, kernel.reads(place), &input.shape, &values)
        })
        .collect();
    let sources: Vec<_> = given.iter().map(|values| Source::Real(values)).collect();
    let len = |output: &Value| output.shape.iter().product::<usize>();
    let mut reals: Vec<_> = outputs.iter().map(|o| vec![f64::NAN; len(o)]).collect();
    let mut indices: Vec<_> = outputs.iter().map(|o| vec![0u32; len(o)]).collect();
    let mut targets: Vec<_> = outputs
        .iter()
        .zip(reals.iter_mut().zip(&mut indices))
        .map(|(output, (reals, indices))| match output.element {
            ElementType::Real => Target::Real(reals),
            ElementType::Index => Target::Index(indices),
        })
        .collect();
    let operands = Operands {
        inputs: &sources,
        outputs: &mut targets,
        scratch: &mut vec![f64::NAN; kernel.scratch_len(2)],
        layout,
        run: Run::default(),
    };
    kernel.run_f64(&ctx, operands);
    outputs
        .iter()
        .enumerate()
        .map(|(place, output)| {
            let numbers = match output.element {
                ElementType::Real => reals[place].clone(),
                ElementType::Index => indices[place].iter().map(|&i| f64::from(i)).collect(),
            };
            as_nchw(layout, kernel.makes(place), &output.shape, &numbers)
        })
        .collect()
}

#[test]
fn both_layouts_compute_the_same() {
    for (op, shapes) in cases() {
        let inputs: Vec<_> = shapes
            .iter()
            .map(|shape| value(shape, ElementType::Real))
            .collect();
        let inputs_by_reference: Vec<_> = inputs.iter().collect();
        let outputs: Vec<_> = op
            .infer(&inputs_by_reference)
            .unwrap()
            .iter()
            .map(|made| value(&made.shape, made.element))
            .collect();
        let outputs_by_reference: Vec<_> = outputs.iter().collect();
        let shapes = Shapes::new(&inputs_by_reference, &outputs_by_reference);
        let kernel = kernel(&op, shapes).unwrap().unwrap();
        let [first, last] = Layout::ALL.map(|layout| run(&*kernel, layout, &inputs, &outputs));
        for (first, last) in first.iter().zip(&last) {
            assert_relative_l2(op.name(), last, first, 1e-14);
        }
    }
}
