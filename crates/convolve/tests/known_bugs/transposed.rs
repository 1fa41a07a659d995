//! Transposed convolutions: sizes, SAME, output padding, gradients, borders.

use convolve::geometry::{ConvDesc, GeometryError, Problem, TransposedDesc};
use convolve::graph::{GraphError, Op, OpError, TransposedOp};
use convolve::kernels::conv::{Direction, Epilogue};
use convolve::kernels::{Context, Isa, Team};
use convolve::runtime::RuntimeError;
use convolve::tensor::{Layout, Tensor};
use testkit::compare::{assert_exact, widen};
use testkit::frame::NanFramed;
use testkit::layout::{channels_first, channels_last};

use crate::plans::plans;
use crate::ways::{Case, Subject, answers, prove, ways};

/// The layer of a problem, without a bias.
fn op(text: &str) -> Op {
    match text.parse() {
        Ok(Problem::ConvTransposed(_, desc)) => Op::Transposed(TransposedOp::Conv {
            desc,
            bias: false,
            residual: false,
            activation: None,
        }),
        other => panic!("{text}: {other:?}"),
    }
}

/// The output size of a problem that is proved in every way.
fn size(text: &str) -> Vec<usize> {
    match prove(text).0.case {
        Case::Transposed(case) => case.output_size(),
        case => panic!("{text}: {case:?}"),
    }
}

/// What a layer of one channel makes of one row by taps 1, 10, 100, …
fn row(text: &str, x: &[f32], taps: usize) -> Vec<f32> {
    let w = (0..taps).map(|tap| 10f32.powi(tap as i32)).collect();
    let operands = [(vec![1, 1, x.len()], x.to_vec()), (vec![1, 1, taps], w)];
    let made = answers(&op(text), &operands, &[], 0);
    let first = made[0].1[0].data().to_vec();
    for (way, made) in &made {
        assert_eq!(made[0].data(), first, "{text} {way}");
    }
    first
}

/// candle PR#2337: the gradients of a transposed convolution of stride 2.
#[test]
fn gradients_with_stride_2() {
    for text in [
        "conv-transposed:n2c4h7w6:o3k3s2p1a1",
        "conv-transposed:n2c4h5w4:o6k4s2p1g2",
        "conv-transposed:n1c17w9:o5k3s2",
        "conv-transposed:n1c3h4w3:o4k2x5s2x3p0x1a1x2",
    ] {
        prove(text);
    }
}

/// ORT#4086: SAME_UPPER keeps 2×2 under a 3×3 kernel of stride 1.
#[test]
fn same_keeps_two_by_two() {
    assert_eq!(size("conv-transposed:n1c1h2w2:o1k3psame"), [2, 2]);
    let operands = [
        (vec![1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]),
        (vec![1, 1, 3, 3], vec![1.0; 9]),
    ];
    for (way, made) in answers(&op("conv-transposed:n1c1h2w2:o1k3psame"), &operands, &[], 0) {
        assert_eq!(made[0].data(), [10.0; 4], "{way}");
    }
}

/// ORT#9370: of an odd total padding, SAME_UPPER cuts the odd row off behind and SAME_LOWER before.
/// By hand: 1, 2, 3 stretched by taps 1, 10 is 1, 12, 23, 30.
#[test]
fn the_odd_row_of_same_padding_is_on_its_side() {
    let x = [1.0, 2.0, 3.0];
    let line = |rule: &str| row(&format!("conv-transposed:n1c1w3:o1k2p{rule}"), &x, 2);
    assert_eq!(line("same"), [1.0, 12.0, 23.0]);
    assert_eq!(line("same-lower"), [12.0, 23.0, 30.0]);
    for rule in ["same", "same-lower"] {
        assert_eq!(
            size(&format!("conv-transposed:n2c3h5w4:o4k4x2p{rule}")),
            [5, 4]
        );
        // And of the direct convolution, whose odd zero is behind, or before.
        prove(&format!("conv:n2c3h5w4:o4k4x2p{rule}"));
        prove(&format!("conv:n2c3h6w6:o4k3s2p{rule}"));
    }
}

/// ORT#11927: SAME with output padding, 3×3 under a 3×3 kernel of stride 2, gives 6×6.
#[test]
fn same_with_output_padding_doubles() {
    assert_eq!(size("conv-transposed:n1c2h3w3:o2k3s2psamea1"), [6, 6]);
    assert_eq!(
        size("conv-transposed:n1c2h3w4:o2k3x5s2x3psame-lowera1x2"),
        [6, 12]
    );
}

/// ORT#14208: 2 taps, padding 3, dilation 2 and output padding 1 turn 5 rows into 2. Row o reads the
/// rows o + 3 and, by the second tap, o + 1.
#[test]
fn output_padding_with_stride_one() {
    let text = "conv-transposed:n1c1w5:o1k2p3d2a1";
    assert_eq!(row(text, &[1.0, 2.0, 3.0, 4.0, 5.0], 2), [24.0, 35.0]);
    prove("conv-transposed:n2c3h5w6:o4k2p3d2a1");
}

/// rten PR#1398: padding that cuts into the first and last copies of the kernel led to writes out of
/// bounds. The output stands between two strips of NaN that must stay.
#[test]
fn padding_never_writes_beyond_the_output() {
    let (team, isa) = (Team::new(3).unwrap(), Isa::best());
    let ctx = Context { team: &team, isa };
    for text in [
        "conv-transposed:n1c2h3w4:o3k3s1p2",
        "conv-transposed:n2c3h5w4:o5k4x3s2x3p3,0,1,2",
        "conv-transposed:n1c4h3w3:o4k3s2p1a1g2",
        "conv-transposed:n1c8h4w5:o8k3s2p2x1g8",
        // More padding than the kernel reaches.
        "conv-transposed:n1c2h6w6:o2k2p3,2,2,3",
    ] {
        let subject = Subject::read(text).unwrap();
        let (Case::Transposed(case), Problem::ConvTransposed(shape, desc)) =
            (&subject.case, &subject.problem)
        else {
            panic!("{text}")
        };
        let geometry = desc.resolve(&shape.dims).unwrap();
        let mut draw = subject.draw();
        let (x, w) = (
            draw.integers(case.input_len()),
            draw.integers(case.weight_len()),
        );
        let want = case.forward(&widen(&x), &widen(&w), None);
        for (plan, layout) in plans(&geometry, Direction::BackwardData) {
            let name = format!("{text} {} {layout}", plan.algorithm());
            let mut packed = vec![f32::NAN; plan.packed_len()];
            plan.pack(&ctx, &w, &mut packed);
            let mut scratch = NanFramed::new(plan.scratch_len(team.threads()), 4096);
            let mut y = NanFramed::new(want.len(), 4096);
            let x = match layout {
                Layout::Nchw => x.clone(),
                Layout::Nhwc => channels_last(&x, case.batch, case.in_channels),
            };
            plan.backward_data(
                &ctx,
                &x,
                &packed,
                Epilogue::default(),
                y.as_mut_slice(),
                scratch.as_mut_slice(),
            );
            y.assert_frame_untouched(&name);
            scratch.assert_frame_untouched(&name);
            let y = match layout {
                Layout::Nchw => y.as_slice().to_vec(),
                Layout::Nhwc => channels_first(y.as_slice(), case.batch, case.out_channels),
            };
            assert_exact(&name, &y, &want);
        }
    }
}

/// rten PR#1399: SAME of a kernel with unequal sides took one side's padding for both.
#[test]
fn same_of_an_unequal_kernel() {
    for (text, want) in [
        ("conv-transposed:n1c2h5w4:o3k3x5psame", [5, 4]),
        ("conv-transposed:n1c2h5w4:o3k2x5s2x1psame", [10, 4]),
        ("conv-transposed:n2c4h3w4:o2k1x4s2x3psame-lower", [6, 12]),
        ("conv-transposed:n1c2h4w3:o3k3x2psamed1x3", [4, 3]),
    ] {
        assert_eq!(size(text), want, "{text}");
    }
}

/// rten PR#1378: a weight for another number of channels made the layer panic.
#[test]
fn another_number_of_channels_is_an_error() {
    let eager = &ways()[0].eager;
    let x = Tensor::<f32>::zeros(&[1, 4, 5, 5]).unwrap();
    let desc = TransposedDesc::new(ConvDesc::new(2, 3).stride(2));
    for weight in [[3, 2, 3, 3], [4, 3, 3, 3], [2, 4, 3, 3], [4, 2, 3, 2]] {
        let weight = Tensor::<f32>::zeros(&weight).unwrap();
        let error = eager.conv_transposed(&x, &weight, None, &desc).unwrap_err();
        let RuntimeError::Graph(GraphError::Layer { source, .. }) = &error else {
            panic!("{error}");
        };
        assert!(
            matches!(
                **source,
                OpError::Mismatch {
                    input: "weight",
                    ..
                }
            ),
            "{error}"
        );
        let text = error.to_string();
        assert!(text.contains("[4, 2, 3, 3]"), "{text}");
    }
    let grouped = TransposedDesc::new(ConvDesc::new(3, 3).groups(3));
    assert_eq!(
        grouped.resolve(&[1, 4, 5, 5]),
        Err(GeometryError::Groups {
            side: "input",
            channels: 4,
            groups: 3
        })
    );
}
