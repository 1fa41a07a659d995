//! Stages, sizes, cost and refusals of separable convolutions.

use geometry::{ConvDesc, GeometryError, Padding, PaddingMode, SeparableDesc};

#[test]
fn a_filter_for_each_channel_and_a_mixture_of_them() {
    let desc = SeparableDesc::new(
        ConvDesc::new(5, [3, 2])
            .stride([2, 1])
            .padding(Padding::Same)
            .padding_mode(PaddingMode::Replicate),
    )
    .multiplier(3);
    let both = desc.resolve(&[2, 4, 7, 6]).unwrap();
    assert_eq!(both.depthwise.weight_shape(), [12, 1, 3, 2]);
    assert_eq!(both.depthwise.output_shape(), [2, 12, 4, 6]);
    assert_eq!(both.depthwise.padding_mode, PaddingMode::Replicate);
    let pointwise = both.pointwise.unwrap();
    assert_eq!(pointwise.weight_shape(), [5, 12, 1, 1]);
    assert_eq!(both.output_shape(), [2, 5, 4, 6]);

    let alone = SeparableDesc::new(ConvDesc {
        out_channels: 0,
        ..desc.conv
    })
    .multiplier(3)
    .resolve(&[0, 4, 7, 6])
    .unwrap();
    assert_eq!(alone.pointwise, None);
    assert_eq!(alone.output_shape(), [0, 12, 4, 6]);
    for input in [&[1, 2, 9][..], &[1, 2, 5, 6, 7]] {
        let got = SeparableDesc::new(ConvDesc::new(3, 2)).resolve(input);
        let got = got.unwrap();
        let less: Vec<_> = input[2..].iter().map(|extent| extent - 1).collect();
        assert_eq!(got.output_shape(), [&[1, 3], &less[..]].concat());
        let twos = vec![2; less.len()];
        assert_eq!(got.depthwise.weight_shape(), [&[2, 1], &twos[..]].concat());
        let ones = vec![1; less.len()];
        assert_eq!(
            got.pointwise.unwrap().weight_shape(),
            [&[3, 2], &ones[..]].concat()
        );
    }
}

/// MobileNet v1's first separable layer (Howard et al. 2017, table 1), and other fractions by hand.
#[test]
fn it_costs_the_published_fraction_of_a_dense_convolution() {
    let layer = |outputs, kernel, multiplier| {
        let conv = ConvDesc::new(outputs, kernel).padding(Padding::Same);
        let desc = SeparableDesc::new(conv).multiplier(multiplier);
        desc.resolve(&[1, 32, 112, 112]).unwrap()
    };
    let first = layer(64, 3, 1);
    let cost = first.cost();
    assert_eq!(cost.parameters, 288 + 2048);
    assert_eq!(cost.macs, 12_544 * (288 + 2048));
    assert_eq!(cost.receptive_field, [3, 3]);
    assert_eq!(first.dense().unwrap().weight_count(), 18_432);
    assert_eq!(first.dense().unwrap().macs(), 231_211_008);
    // 1/64 + 1/9
    assert_eq!(first.ratio(), Ok((73, 576)));
    // 1/25 + 1/10
    assert_eq!(layer(10, 5, 1).ratio(), Ok((7, 50)));
    // m·(1/o + 1/k)
    assert_eq!(layer(64, 3, 2).ratio(), Ok((73, 288)));
    // Nothing is mixed: one input channel in the place of 32.
    assert_eq!(layer(0, 3, 4).ratio(), Ok((1, 32)));
    // A pointwise stage behind a kernel of one tap costs more than it alone.
    assert_eq!(layer(64, 1, 1).ratio(), Ok((65, 64)));
}

#[test]
fn settings_without_meaning_say_their_numbers() {
    let conv = || ConvDesc::new(8, 3).padding(1);
    let input = [1, 4, 9, 9];
    let refusal = |conv: ConvDesc, multiplier, input: &[usize]| {
        let desc = SeparableDesc::new(conv).multiplier(multiplier);
        desc.resolve(input).unwrap_err()
    };
    let error = refusal(conv(), 0, &input);
    assert_eq!(
        error.to_string(),
        "depth multiplier must be at least 1, not 0"
    );
    let error = refusal(conv().dilation([1, 3]).stride([2, 1]), 1, &input);
    assert_eq!(
        error,
        GeometryError::DilatedStride {
            axis: 0,
            stride: 2,
            dilation: 3
        }
    );
    assert_eq!(
        error.to_string(),
        "a separable convolution with a dilation (rate) of 3 must have stride 1 on every axis, \
         not 2 on spatial axis 0"
    );
    let strided = SeparableDesc::new(conv().stride(2)).resolve(&input);
    assert_eq!(strided.unwrap().output_shape(), [1, 8, 5, 5]);
    let dilated = SeparableDesc::new(conv().dilation(2)).resolve(&input);
    assert_eq!(dilated.unwrap().output_shape(), [1, 8, 7, 7]);

    assert_eq!(
        refusal(conv().groups(2), 1, &input),
        GeometryError::SeparableGroups { groups: 2 }
    );
    let what = "input channels";
    assert_eq!(
        refusal(conv(), 1, &[1, 0, 9, 9]),
        GeometryError::Zero { what }
    );
    let what = "depth multiplier";
    assert_eq!(
        refusal(conv(), usize::MAX, &input),
        GeometryError::Overflow { what }
    );
    assert!(matches!(
        refusal(conv(), 1, &[4, 9]),
        GeometryError::Rank { .. }
    ));
    assert!(matches!(
        refusal(ConvDesc::new(8, 3).dilation(5), 1, &input),
        GeometryError::WindowTooLarge { window: 11, .. }
    ));
}
