use geometry::ConvDesc;
use graph::{Activation, Op};
use testkit::ConvCase;
use testkit::activation::{relu, relu6};
use testkit::dense::DenseCase;

use super::case::Case;

/// The oracle's convolution as the operator has it.
fn problem(case: &ConvCase) -> ConvDesc {
    match case.to_string().parse() {
        Ok(geometry::Problem::Conv(_, desc)) => desc,
        other => panic!("{case}: {other:?}"),
    }
}

/// `[batch, channels, spatial…]`
fn map(batch: usize, channels: usize, spatial: &[usize]) -> Vec<usize> {
    [&[batch, channels], spatial].concat()
}

fn cases() -> Vec<ConvCase> {
    vec![
        ConvCase::new(2, 3, 5, [7], [3]).stride([2]).padding([1]),
        ConvCase::new(2, 4, 6, [5, 6], [3, 2])
            .stride([2, 3])
            .dilation([2, 1])
            .padding_sides([1, 0], [2, 1])
            .groups(2),
        ConvCase::new(2, 17, 17, [4, 5], [3, 3])
            .padding([1, 1])
            .groups(17),
        ConvCase::new(1, 2, 4, [3, 4, 3], [2, 3, 1])
            .stride([1, 2, 1])
            .padding([1, 0, 0])
            .groups(2),
    ]
}

#[test]
fn convolutions_with_every_epilogue() {
    for case in cases() {
        let desc = problem(&case);
        let input = map(case.batch, case.in_channels, &case.input);
        let output = map(case.batch, case.out_channels, &case.output_size());
        let group = case.in_channels / case.groups;
        let weight = map(case.out_channels, group, &case.kernel);
        for (bias, residual, activation) in [
            (false, false, None),
            (true, false, Some(Activation::Relu)),
            (false, true, Some(Activation::Relu6)),
            (true, true, None),
        ] {
            let mut checked = Case::of(Op::Conv {
                desc: desc.clone(),
                bias,
                residual,
                activation,
            })
            .real(&input)
            .around(&weight, 0.0, 2.0);
            if bias {
                checked = checked.real(&[case.out_channels]);
            }
            if residual {
                checked = checked.around(&output, 1.0, 2.0);
            }
            let (x, w) = (checked.values(0), checked.values(1));
            let mut y = case.forward(x, w, bias.then(|| checked.values(2)));
            if residual {
                let residual = checked.values(2 + usize::from(bias));
                y.iter_mut().zip(residual).for_each(|(y, r)| *y += r);
            }
            let y = match activation {
                None => y,
                Some(Activation::Relu) => relu(&y),
                Some(Activation::Relu6) => relu6(&y),
            };
            checked.check(&[y]);
        }
    }
}

/// What the gradient table is made of, as operators of their own.
#[test]
fn backward_convolutions() {
    for case in cases() {
        let desc = problem(&case);
        let input = map(case.batch, case.in_channels, &case.input);
        let output = map(case.batch, case.out_channels, &case.output_size());
        let group = case.in_channels / case.groups;
        let weight = map(case.out_channels, group, &case.kernel);
        let data = Case::of(Op::ConvBackwardData {
            desc: desc.clone(),
            input: input.clone(),
        });
        let data = data.given(&output, 0.0, 1.0).given(&weight, 0.0, 1.0);
        let want = case.backward_data(data.values(0), data.values(1));
        data.check(&[want]);
        let weights = Case::of(Op::ConvBackwardWeights { desc });
        let weights = weights.given(&input, 0.0, 1.0).given(&output, 0.0, 1.0);
        let want = case.backward_weights(weights.values(0), weights.values(1));
        weights.check(&[want]);
        let sums = Case::of(Op::ChannelSum).given(&output, 0.0, 1.0);
        let want = case.backward_bias(sums.values(0));
        sums.check(&[want]);
    }
}

#[test]
fn linear_layers() {
    let case = DenseCase {
        batch: 3,
        inputs: 19,
        outputs: 5,
    };
    for bias in [false, true] {
        let mut checked = Case::of(Op::Linear { bias }).real(&[3, 19]).real(&[5, 19]);
        if bias {
            checked = checked.real(&[5]);
        }
        let bias = bias.then(|| checked.values(2));
        let want = case.forward(checked.values(0), checked.values(1), bias);
        checked.check(&[want]);
    }
    let data = Case::of(Op::LinearBackwardData);
    let data = data.given(&[3, 5], 0.0, 1.0).given(&[5, 19], 0.0, 1.0);
    let want = case.backward_data(data.values(0), data.values(1));
    data.check(&[want]);
    let weights = Case::of(Op::LinearBackwardWeights);
    let weights = weights.given(&[3, 19], 0.0, 1.0).given(&[3, 5], 0.0, 1.0);
    let want = case.backward_weights(weights.values(0), weights.values(1));
    weights.check(&[want]);
}
