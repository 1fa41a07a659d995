//! Convolutions: channels, groups, gradients, padding.

use convolve::geometry::Problem;
use convolve::graph::{ElementType, Graph, Op, RearrangeOp, Role, Value, pullback};
use convolve::runtime::RuntimeError;
use convolve::runtime::eager::Given;
use convolve::tensor::Tensor;
use testkit::compare::{assert_exact, widen};
use testkit::{ConvCase, Draw};

use crate::plans::run_with;
use crate::ways::{Case, answers, prove, tensor, ways};

/// The operator of a problem, without a bias.
fn op(text: &str) -> Op {
    match text.parse() {
        Ok(Problem::Conv(_, desc)) => Op::Conv {
            desc,
            bias: false,
            residual: false,
            activation: None,
        },
        other => panic!("{text}: {other:?}"),
    }
}

/// pytorch#19912: 1×1 kernels, 4 → 16 channels in 2 groups, gave all zeros. Every output is the sum of
/// the two channels of its group.
#[test]
fn grouped_pointwise_is_not_all_zeros() {
    let operands = [
        (vec![1, 4, 1, 1], vec![1.0, 2.0, 3.0, 4.0]),
        (vec![16, 2, 1, 1], vec![1.0; 32]),
    ];
    let want = [[3.0; 8], [7.0; 8]].concat();
    for (way, made) in answers(&op("conv:n1c4h1w1:o16k1g2"), &operands, &[], 0) {
        assert_eq!(made[0].data(), want, "{way}");
    }
    for text in ["conv:n2c4h5w6:o16k1g2", "conv:n1c4w9:o16k1s2g2"] {
        prove(text);
    }
}

/// pytorch#21597: 6 input channels, where 8 or more were assumed. All counts up to beyond a vector.
#[test]
fn fewer_channels_than_a_vector_holds() {
    for channels in 1..=17 {
        prove(&format!("conv:n1c{channels}h7w5:o6k3p1"));
        prove(&format!("conv:n1c6h7w5:o{channels}k3x2s2x1p1x0"));
    }
}

/// modular#6129: 16 groups, 768 → 128 channels, gave wrong sums.
#[test]
fn sixteen_groups_of_forty_eight_channels() {
    prove("conv:n1c768h4w5:o128k3p1g16");
    prove("conv:n1c768w6:o128k1g16");
}

/// pytorch#50042: the weight gradient of a depthwise 3×3 with stride 2 and padding 1 was wrong for 24
/// channels and right for 23 and 25. Of ones it counts the windows in which a tap sees the 6×6 image.
#[test]
fn depthwise_weight_gradient_of_24_channels() {
    for channels in [23, 24, 25] {
        weight_gradient_of_ones(channels, 6, [4.0, 6.0, 6.0, 6.0, 9.0, 9.0, 6.0, 9.0, 9.0]);
    }
}

/// burn PR#1891: the weight gradient of a depthwise 3×3 of 4 channels on 4×4, stride 2, padding 1.
#[test]
fn depthwise_weight_gradient_of_4_channels() {
    weight_gradient_of_ones(4, 4, [1.0, 2.0, 2.0, 2.0, 4.0, 4.0, 2.0, 4.0, 4.0]);
}

fn weight_gradient_of_ones(channels: usize, size: usize, of_a_channel: [f32; 9]) {
    let text = format!("conv:n1c{channels}h{size}w{size}:o{channels}k3s2p1g{channels}");
    let ones = |dims: Vec<usize>| {
        let len = dims.iter().product();
        (dims, vec![1.0; len])
    };
    let operands = [
        ones(vec![1, channels, size, size]),
        ones(vec![channels, 1, 3, 3]),
    ];
    let upstream = vec![1.0; channels * (size / 2) * (size / 2)];
    let made = answers(&op(&text), &operands, &upstream, 2);
    // Depthwise, direct, im2col, reference, and the best: two layouts, four teams.
    assert!(made.len() >= 40, "{text}: {} ways", made.len());
    for (way, made) in made {
        assert_eq!(
            made[2].data(),
            of_a_channel.repeat(channels),
            "{text} {way}"
        );
    }
    prove(&text);
}

/// candle#3735, candle#3853: a kernel that is a transposed view of other weights was read as if it were
/// not, in the forward pass and in the gradients. Here a permutation stands before the convolution.
#[test]
fn a_kernel_that_is_a_transposed_view() {
    let case = ConvCase::new(2, 5, 7, [6, 8], [3, 2])
        .stride([1, 2])
        .padding([1, 0]);
    let [o, c, kh, kw] = [7, 5, 3, 2];
    let mut draw = Draw::new(3);
    let x = draw.integers(case.input_len());
    let stored = draw.integers(case.weight_len());
    let dy = draw.integers(case.output_len());
    // As they are stored, by the axes [o, c, kh, kw]; and the permutation that brings them back.
    for (axes, back) in [
        ([1, 0, 2, 3], [1, 0, 2, 3]),
        ([0, 1, 3, 2], [0, 1, 3, 2]),
        ([2, 3, 1, 0], [3, 2, 0, 1]),
    ] {
        let extents = axes.map(|axis| [o, c, kh, kw][axis]);
        // Where an element [o, c, kh, kw] is stored.
        let places: Vec<usize> = (0..stored.len())
            .map(|index| {
                let at = [
                    index / (c * kh * kw),
                    index / (kh * kw) % c,
                    index / kw % kh,
                    index % kw,
                ];
                (0..4).fold(0, |place, axis| place * extents[axis] + at[axes[axis]])
            })
            .collect();
        let w: Vec<f64> = places
            .iter()
            .map(|&place| f64::from(stored[place]))
            .collect();
        let want = case.forward(&widen(&x), &w, None);
        let dw = case.backward_weights(&widen(&x), &widen(&dy));
        let mut stored_gradient = vec![0.0; dw.len()];
        for (gradient, &place) in dw.iter().zip(&places) {
            stored_gradient[place] = *gradient;
        }
        let dx = case.backward_data(&widen(&dy), &w);

        let mut graph = Graph::new("view");
        let mut input = |name: &str, shape: &[usize]| {
            let id = graph.add_value(Value {
                name: name.to_owned(),
                shape: shape.to_vec(),
                element: ElementType::Real,
                role: Role::Input,
            });
            graph.inputs.push(id);
            id
        };
        let (x_id, w_id) = (input("x", &[2, 5, 6, 8]), input("w", &extents));
        let permute = Op::Rearrange(RearrangeOp::Permute {
            axes: back.to_vec(),
        });
        let view = graph.append(permute, "view", vec![w_id]).unwrap();
        let conv = op(&case.to_string());
        let y = graph.append(conv, "conv", vec![x_id, view[0]]).unwrap();
        let mut grown = pullback(&graph, y[0], &[x_id, w_id]).unwrap();
        grown.outputs.insert(0, y[0]);

        let operands: [Tensor<f32>; 3] = [
            tensor(&[2, 5, 6, 8], &x),
            tensor(&extents, &stored),
            tensor(&[2, 7, 6, 4], &dy),
        ];
        let given = operands
            .each_ref()
            .map(|operand| Some(Given::Real(operand)));
        for way in ways() {
            let made = match way.eager.run(grown.clone(), &given) {
                Err(RuntimeError::Plan { .. }) => continue,
                made => made.unwrap(),
            };
            assert_eq!(made.len(), 3);
            for (made, want) in made.into_iter().zip([&want, &dx, &stored_gradient]) {
                let name = format!("stored by {axes:?} {}", way.name);
                assert_exact(&name, made.real().data(), want);
            }
        }
    }
}

/// pytorch#82060: a weight of one input channel kept channels last, 1 → 64 on 100×100.
#[test]
fn a_channels_last_weight_of_one_channel() {
    prove("conv:n1c1h100w100:o64k3p1");
}

/// pytorch PR#60460: a depthwise 3×3 with a channel multiplier, 2 → 32 in 2 groups, by Winograd.
#[test]
fn depthwise_with_a_multiplier() {
    for text in ["conv:n1c2h8w9:o32k3p1g2", "conv:n2c3h9w11:o9k3g3"] {
        prove(text);
    }
}

/// burn PR#4806: four taps, stride 4, on 1603 elements, the last 3 of which are in no window: their
/// gradient is there, and zero.
#[test]
fn elements_in_no_window_have_a_gradient() {
    let operands = [
        (vec![1, 1, 1603], vec![1.0; 1603]),
        (vec![1, 1, 4], vec![1.0, 2.0, 3.0, 4.0]),
    ];
    let text = "conv:n1c1w1603:o1k4s4";
    for (way, made) in answers(&op(text), &operands, &[1.0; 400], 1) {
        assert_eq!(made[1].dims(), [1, 1, 1603], "{way}");
        let last = [1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0];
        assert_eq!(made[1].data()[1596..], last, "{way}");
    }
    prove("conv:n1c2w1603:o3k4s4");
}

/// candle#1212: the gradients of a 7×7 kernel with stride 2 and padding 3, a stem of networks.
#[test]
fn gradients_of_a_stem() {
    prove("conv:n1c3h30w29:o16k7s2p3");
}

/// candle#633: patches of 16×16 with stride 16 on 224×224 are 14×14.
#[test]
fn patches_of_sixteen() {
    let (subject, _) = prove("conv:n1c3h224w224:o5k16s16");
    let Case::Conv(case) = subject.case else {
        panic!("{subject}")
    };
    assert_eq!(case.output_size(), [14, 14]);
}

/// candle#3404: as many channels as rows and columns hid which axis was which.
#[test]
fn as_many_channels_as_rows_and_columns() {
    for text in [
        "conv:n2c8h8w8:o8k3p1",
        "conv:n3c3h3w3:o3k3p1",
        "conv:n5c5h5w5:o5k5p2g5",
    ] {
        prove(text);
    }
}

/// tinygrad PR#17805: kernel 3×5 with dilation 2×3 and SAME keeps 28×31; the test had k = d = 3.
#[test]
fn same_padding_of_an_unequal_dilated_kernel() {
    let (subject, _) = prove("conv:n1c2h28w31:o3k3x5psamed2x3");
    let Case::Conv(case) = subject.case else {
        panic!("{subject}")
    };
    assert_eq!(case.output_size(), [28, 31]);
    assert_eq!(
        (&case.before[..], &case.after[..]),
        (&[2, 6][..], &[2, 6][..])
    );
}

/// pytorch#37844: circular padding (0, 1) of 20×10 under a 3×3 kernel gives 18×10, for rows are not
/// padded and columns are.
#[test]
fn circular_padding_of_columns_only() {
    let text = "conv:n2c3h20w10:o4k3p0x1,circular";
    let plain = ConvCase::new(2, 3, 4, [20, 12], [3, 3]);
    let mut draw = Draw::new(11);
    let (x, w) = (
        draw.integers(2 * 3 * 200),
        draw.integers(plain.weight_len()),
    );
    // Every row with its last element before it and its first behind.
    let padded: Vec<f64> = x
        .chunks_exact(10)
        .flat_map(|row| [&row[9..], row, &row[..1]].concat())
        .map(f64::from)
        .collect();
    let want = plain.forward(&padded, &widen(&w), None);
    let dy = draw.integers(plain.output_len());
    let turned = plain.backward_data(&widen(&dy), &widen(&w));
    let dx: Vec<f64> = turned
        .chunks_exact(12)
        .flat_map(|row| {
            let mut sums = row[1..11].to_vec();
            sums[9] += row[0];
            sums[0] += row[11];
            sums
        })
        .collect();
    let dw = plain.backward_weights(&padded, &widen(&dy));
    let operands = [(vec![2, 3, 20, 10], x), (vec![4, 3, 3, 3], w)];
    for (way, made) in answers(&op(text), &operands, &dy, 2) {
        assert_eq!(made[0].dims(), [2, 4, 18, 10], "{way}");
        for (made, want) in made.iter().zip([&want, &dx, &dw]) {
            assert_exact(&format!("{text} {way}"), made.data(), want);
        }
    }
}

/// onnx#7721: padding [1, 0, 1, 0] (rows only), stride 2, 3×3 on 7×5 gives 4×2.
#[test]
fn padding_of_rows_only() {
    let (subject, _) = prove("conv:n1c2h7w5:o3k3s2p1x0");
    let Case::Conv(case) = subject.case else {
        panic!("{subject}")
    };
    assert_eq!(case.output_size(), [4, 2]);
}

/// ORT#26669: 64 channels, then 320, then 64 again: a buffer of zeros for the padding, kept between
/// runs, was stale. Engines are used one after another, and one scratch memory by all plans.
#[test]
fn other_channels_between_two_runs() {
    let cases = [64, 320, 64].map(|channels| {
        let text = format!("conv:n1c{channels}h6w5:o8k3p1");
        let (subject, _) = prove(&text);
        subject
    });
    let mut scratch = Vec::new();
    for subject in &cases {
        run_with(subject, &mut scratch);
    }
}

/// ncnn PR#1891: maps that leave a remainder of every tile, of 2, 4 and 6 outputs.
#[test]
fn remainders_of_tiles() {
    for (height, width) in [(7, 11), (5, 5), (1, 3), (13, 9), (15, 17)] {
        prove(&format!("conv:n1c9h{height}w{width}:o17k3p1"));
    }
}

/// ACL PR#395: a padding of 100 around a map of 4×3.
#[test]
fn a_padding_of_a_hundred() {
    let (subject, _) = prove("conv:n1c2h4w3:o3k3p100");
    let Case::Conv(case) = subject.case else {
        panic!("{subject}")
    };
    assert_eq!(case.output_size(), [202, 201]);
    prove("conv:n1c2h3w4:o3k3p100,0,0,99");
}
