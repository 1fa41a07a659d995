//! Separable convolutions of tensors against the oracle, exactly on integers.

use geometry::{ConvDesc, Problem, SeparableDesc};
use runtime::{Eager, RuntimeError, RuntimeOptions};
use tensor::{Layout, Tensor};
use testkit::compare::{assert_exact, widen};
use testkit::{ConvCase, Draw, SeparableCase};

use crate::engines::{engine, tensor};

/// One to three axes, strides, rates, uneven sides; channels around the width of a vector.
fn cases() -> Vec<SeparableCase> {
    let windows = [
        (ConvCase::new(2, 3, 4, [9], [3]).stride([2]), 2),
        (
            ConvCase::new(2, 5, 7, [9, 7], [3, 2])
                .stride([3, 2])
                .padding_sides([1, 0], [2, 1]),
            3,
        ),
        (
            ConvCase::new(1, 17, 15, [6, 8], [3, 3])
                .padding([2, 1])
                .dilation([2, 1]),
            1,
        ),
        (ConvCase::new(1, 8, 0, [7, 5], [2, 3]).padding([1, 1]), 2),
        (ConvCase::new(1, 2, 3, [3, 4, 5], [2, 1, 3]), 2),
        (ConvCase::new(0, 2, 3, [4, 4], [2, 2]), 1),
    ];
    let windows = windows.iter();
    windows
        .map(|(window, multiplier)| SeparableCase::new(window, *multiplier))
        .collect()
}

fn problem(case: &SeparableCase) -> SeparableDesc {
    match case.to_string().parse() {
        Ok(Problem::ConvSeparable(_, desc)) => desc,
        other => panic!("{case}: {other:?}"),
    }
}

fn shape(channels: [usize; 2], spatial: &[usize]) -> Vec<usize> {
    [&channels[..], spatial].concat()
}

#[test]
fn both_stages_equal_their_definition() {
    let mut draw = Draw::new(31);
    for case in cases() {
        let ConvCase {
            batch,
            in_channels,
            out_channels: filters,
            input,
            kernel,
            ..
        } = &case.depthwise;
        let desc = problem(&case);
        let outputs = case.last().out_channels;
        let mixture = shape([outputs, *filters], &vec![1; input.len()]);
        let mixed = case.pointwise.is_some();
        let [x, w, p, b] = [
            shape([*batch, *in_channels], input),
            shape([*filters, 1], kernel),
            mixture,
            vec![outputs],
        ]
        .map(|dims| {
            let len = dims.iter().product();
            (dims, widen(&draw.integers(len)))
        });
        let want = case.forward(&x.1, &w.1, &p.1, Some(&b.1));
        let dims = shape([*batch, outputs], &case.last().output_size());
        for layout in Layout::ALL {
            let options = RuntimeOptions {
                layout,
                threads: 2,
                ..RuntimeOptions::default()
            };
            let eager = Eager::new(options).unwrap();
            let [x, w, p, b] = [&x, &w, &p, &b].map(|(dims, v)| tensor::<f32>(dims, v));
            let p = mixed.then_some(&p);
            let y = eager.conv_separable(&x, &w, p, Some(&b), &desc).unwrap();
            assert_eq!(y.dims(), dims);
            assert_exact(&format!("{case} {layout}"), y.data(), &want);
        }
        let [x, w, p, b] = [&x, &w, &p, &b].map(|(dims, v)| tensor::<f64>(dims, v));
        let p = mixed.then_some(&p);
        let y = engine().conv_separable(&x, &w, p, Some(&b), &desc);
        assert_exact(&format!("{case} in f64"), y.unwrap().data(), &want);
    }
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let eager = engine();
    let zeros = |dims: &[usize]| Tensor::<f32>::zeros(dims).unwrap();
    let desc = SeparableDesc::new(ConvDesc::new(5, 3)).multiplier(2);
    let (x, w, p) = (
        zeros(&[1, 4, 6, 6]),
        zeros(&[8, 1, 3, 3]),
        zeros(&[5, 8, 1, 1]),
    );
    let refusal = |w: &Tensor<f32>, p: Option<&Tensor<f32>>, desc: &SeparableDesc| {
        let error = eager.conv_separable(&x, w, p, None, desc).unwrap_err();
        assert!(!matches!(error, RuntimeError::Memory { .. }));
        error.to_string()
    };
    assert_eq!(
        refusal(&w, None, &desc),
        "a separable convolution to 5 output channels needs a pointwise weight"
    );
    let alone = SeparableDesc::new(ConvDesc::new(0, 3)).multiplier(2);
    assert_eq!(
        refusal(&w, Some(&p), &alone),
        "a separable convolution to 0 output channels has no pointwise weight"
    );
    // As TensorFlow has it, it is another array.
    let text = refusal(&zeros(&[3, 3, 4, 2]), Some(&p), &desc);
    assert!(text.contains("must be [8, 1, 3, 3]"), "{text}");
    let text = refusal(&w, Some(&zeros(&[8, 5, 1, 1])), &desc);
    assert!(text.contains("must be [5, 8, 1, 1]"), "{text}");
    let text = refusal(&w, Some(&p), &desc.clone().multiplier(0));
    assert!(
        text.contains("depth multiplier must be at least 1"),
        "{text}"
    );
}
