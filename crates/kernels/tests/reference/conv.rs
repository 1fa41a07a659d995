use geometry::{ConvDesc, ConvGeometry, Problem};
use kernels::Activation;
use kernels::conv::{Epilogue, reference};
use tensor::Layout;
use testkit::ConvCase;
use testkit::compare::magnitude;
use testkit::dense::DenseCase;
use testkit::draw::{Draw, conv_cases};

use crate::every::{TIGHT, as_nchw, assert_within, laid_out, reals, result, run};

fn resolve(case: &ConvCase) -> ConvGeometry {
    match case.to_string().parse() {
        Ok(Problem::Conv(shape, desc)) => desc.resolve(&shape.dims).unwrap(),
        other => panic!("{case}: {other:?}"),
    }
}

#[test]
fn every_direction_equals_the_oracle_in_f64() {
    for (seed, case) in conv_cases(3, 112).into_iter().enumerate() {
        let g = resolve(&case);
        let mut draw = Draw::new(seed as u64);
        let x = reals(&mut draw, case.input_len());
        let w = reals(&mut draw, case.weight_len());
        let dy = reals(&mut draw, case.output_len());
        let (batch, c, o) = (case.batch, case.in_channels, case.out_channels);
        let [x_size, w_size, dy_size] = [&x, &w, &dy].map(|v| magnitude(v));
        let answers = [
            (
                case.forward(&x, &w, None),
                case.forward(&x_size, &w_size, None),
            ),
            (
                case.backward_data(&dy, &w),
                case.backward_data(&dy_size, &w_size),
            ),
            (
                case.backward_weights(&x, &dy),
                case.backward_weights(&x_size, &dy_size),
            ),
        ];
        for layout in Layout::ALL {
            let problem = format!("{case} {layout}");
            let (x, dy) = (
                laid_out(layout, &x, batch, c),
                laid_out(layout, &dy, batch, o),
            );
            let got = run(&problem, |ctx| {
                let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                let mut dw = result(w.len());
                let epilogue = Epilogue::default();
                reference::forward(ctx, layout, &g, &x, &w, epilogue, &mut y);
                reference::backward_data(ctx, layout, &g, &dy, &w, &mut dx);
                reference::backward_weights(ctx, layout, &g, &x, &dy, &mut dw);
                vec![
                    as_nchw(layout, &y, batch, o),
                    as_nchw(layout, &dx, batch, c),
                    dw,
                ]
            });
            for (got, (want, size)) in got.iter().zip(&answers) {
                assert_within(&problem, got, want, size, TIGHT);
            }
        }
    }
}

#[test]
fn bias_and_residual_are_added_and_then_activated() {
    let case = ConvCase::new(2, 4, 6, [5, 7], [3, 2])
        .stride([2, 1])
        .padding([1, 0])
        .groups(2);
    let g = resolve(&case);
    let mut draw = Draw::new(5);
    let x = reals(&mut draw, case.input_len());
    let w: Vec<f64> = reals(&mut draw, case.weight_len());
    let w: Vec<f64> = w.iter().map(|w| 4.0 * w).collect();
    let bias = reals(&mut draw, 6);
    let residual = reals(&mut draw, case.output_len());
    let sums = case.forward(&x, &w, Some(&bias));
    let sums: Vec<f64> = sums.iter().zip(&residual).map(|(s, r)| s + r).collect();
    for activation in [None, Some(Activation::Relu), Some(Activation::Relu6)] {
        let want: Vec<f64> = match activation {
            None => sums.clone(),
            Some(Activation::Relu) => testkit::activation::relu(&sums),
            Some(Activation::Relu6) => testkit::activation::relu6(&sums),
        };
        for layout in Layout::ALL {
            let problem = format!("{case} {layout} {activation:?}");
            let x = laid_out(layout, &x, 2, 4);
            let residual = laid_out(layout, &residual, 2, 6);
            let got = run(&problem, |ctx| {
                let epilogue = Epilogue {
                    bias: Some(&bias[..]),
                    residual: Some(&residual),
                    activation,
                };
                let mut y = result(residual.len());
                reference::forward(ctx, layout, &g, &x, &w, epilogue, &mut y);
                vec![as_nchw(layout, &y, 2, 6)]
            });
            assert_within(&problem, &got[0], &want, &vec![10.0; want.len()], TIGHT);
        }
    }
}

/// A linear layer is a 1×1 convolution whose positions are the images.
#[test]
fn a_linear_layer_is_a_convolution() {
    let case = DenseCase {
        batch: 5,
        inputs: 19,
        outputs: 3,
    };
    let g = ConvDesc::new(3, 1).resolve(&[1, 19, 5]).unwrap();
    let mut draw = Draw::new(6);
    let (x, w) = (reals(&mut draw, 95), reals(&mut draw, 57));
    let (dy, bias) = (reals(&mut draw, 15), reals(&mut draw, 3));
    let got = run("linear", |ctx| {
        let (mut y, mut dx, mut dw) = (result(15), result(95), result(57));
        let epilogue = Epilogue {
            bias: Some(&bias[..]),
            ..Epilogue::default()
        };
        reference::forward(ctx, Layout::Nhwc, &g, &x, &w, epilogue, &mut y);
        reference::backward_data(ctx, Layout::Nhwc, &g, &dy, &w, &mut dx);
        reference::backward_weights(ctx, Layout::Nhwc, &g, &x, &dy, &mut dw);
        vec![y, dx, dw]
    });
    let wants = [
        case.forward(&x, &w, Some(&bias)),
        case.backward_data(&dy, &w),
        case.backward_weights(&x, &dy),
    ];
    for (got, want) in got.iter().zip(wants) {
        assert_within("linear", got, &want, &vec![20.0; want.len()], TIGHT);
    }
}

#[test]
#[should_panic(expected = "length of the weight")]
fn a_weight_of_another_size_is_refused() {
    let case = ConvCase::new(1, 2, 3, [4, 4], [3, 3]);
    let g = resolve(&case);
    run("short", |ctx| {
        let (x, mut y) = (vec![0.0; 32], vec![0.0; 12]);
        let epilogue = Epilogue::default();
        reference::forward(ctx, Layout::Nchw, &g, &x, &[0.0; 53], epilogue, &mut y);
        vec![y]
    });
}
