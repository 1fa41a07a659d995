use geometry::{ConvDesc, ConvGeometry, Padding, PaddingMode, Problem};
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
                reference::backward_data(ctx, layout, &g, &dy, &w, Epilogue::default(), &mut dx);
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

/// Backwards, the epilogue makes a layer of a transposed convolution.
#[test]
fn a_gradient_may_have_an_epilogue_too() {
    let case = ConvCase::new(2, 4, 6, [5, 7], [3, 2]).stride([2, 1]);
    let g = resolve(&case);
    let mut draw = Draw::new(7);
    let dy = reals(&mut draw, case.output_len());
    let w = reals(&mut draw, case.weight_len());
    let bias = reals(&mut draw, 4);
    let residual = reals(&mut draw, case.input_len());
    let sums = case.backward_data(&dy, &w).into_iter().enumerate();
    let sums: Vec<f64> = sums
        .map(|(i, sum)| sum + bias[i / 35 % 4] + residual[i])
        .collect();
    let want = testkit::activation::relu(&sums);
    for layout in Layout::ALL {
        let (dy, residual) = (
            laid_out(layout, &dy, 2, 6),
            laid_out(layout, &residual, 2, 4),
        );
        let got = run("transposed", |ctx| {
            let epilogue = Epilogue {
                bias: Some(&bias[..]),
                residual: Some(&residual),
                activation: Some(Activation::Relu),
            };
            let mut dx = result(residual.len());
            reference::backward_data(ctx, layout, &g, &dy, &w, epilogue, &mut dx);
            vec![as_nchw(layout, &dx, 2, 4)]
        });
        assert_within("transposed", &got[0], &want, &vec![10.0; want.len()], TIGHT);
    }
}

/// The input once padded, as places of the input or nothing, by the definition of each mode.
fn places(mode: PaddingMode, len: isize, before: isize, after: isize) -> Vec<Option<usize>> {
    let last = len - 1;
    let inside = |place: isize| Some(place as usize);
    (-before..len + after)
        .map(|at| match mode {
            _ if (0..len).contains(&at) => inside(at),
            PaddingMode::Zeros => None,
            PaddingMode::Reflect if at < 0 => inside(-at),
            PaddingMode::Reflect => inside(2 * last - at),
            PaddingMode::Replicate if at < 0 => inside(0),
            PaddingMode::Replicate => inside(last),
            PaddingMode::Circular if at < 0 => inside(at + len),
            PaddingMode::Circular => inside(at - len),
        })
        .collect()
}

#[test]
fn every_padding_mode_is_a_convolution_of_the_padded_input() {
    let ((top, bottom), (left, right)) = ((2, 1), (5, 3));
    let case = ConvCase::new(2, 4, 6, [5 + 3, 6 + 8], [3, 2])
        .stride([2, 3])
        .dilation([2, 1])
        .groups(2);
    for mode in PaddingMode::ALL {
        let g = ConvDesc::new(6, [3, 2])
            .stride([2, 3])
            .dilation([2, 1])
            .groups(2)
            .padding(Padding::Explicit(vec![(top, bottom), (left, right)]))
            .padding_mode(mode)
            .resolve(&[2, 4, 5, 6])
            .unwrap();
        let rows = places(mode, 5, top as isize, bottom as isize);
        let columns = places(mode, 6, left as isize, right as isize);
        // Of every element of the padded maps, the one of the maps that it is.
        let origins: Vec<Option<usize>> = (0..2 * 4)
            .flat_map(|plane| rows.iter().map(move |row| (plane, row)))
            .flat_map(|(plane, row)| columns.iter().map(move |column| (plane, row, column)))
            .map(|(plane, row, column)| Some((plane * 5 + (*row)?) * 6 + (*column)?))
            .collect();
        assert_eq!(origins.len(), case.input_len());

        let mut draw = Draw::new(8);
        let (x, w) = (reals(&mut draw, 240), reals(&mut draw, case.weight_len()));
        let dy = reals(&mut draw, case.output_len());
        let padded: Vec<f64> = origins.iter().map(|o| o.map_or(0.0, |o| x[o])).collect();
        let mut dx = vec![0.0; x.len()];
        for (origin, gradient) in origins.iter().zip(case.backward_data(&dy, &w)) {
            if let Some(origin) = *origin {
                dx[origin] += gradient;
            }
        }
        let wants = [
            case.forward(&padded, &w, None),
            dx,
            case.backward_weights(&padded, &dy),
        ];
        for layout in Layout::ALL {
            let problem = format!("{mode} {layout}");
            let (x, dy) = (laid_out(layout, &x, 2, 4), laid_out(layout, &dy, 2, 6));
            let got = run(&problem, |ctx| {
                let (mut y, mut dx) = (result(dy.len()), result(x.len()));
                let mut dw = result(w.len());
                let epilogue = Epilogue::default();
                reference::forward(ctx, layout, &g, &x, &w, epilogue, &mut y);
                reference::backward_data(ctx, layout, &g, &dy, &w, epilogue, &mut dx);
                reference::backward_weights(ctx, layout, &g, &x, &dy, &mut dw);
                vec![as_nchw(layout, &y, 2, 6), as_nchw(layout, &dx, 2, 4), dw]
            });
            for (got, want) in got.iter().zip(&wants) {
                assert_within(&problem, got, want, &vec![20.0; want.len()], TIGHT);
            }
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
        reference::backward_data(ctx, Layout::Nhwc, &g, &dy, &w, Epilogue::default(), &mut dx);
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
