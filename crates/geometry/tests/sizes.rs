//! Output sizes, padding rules and refusals against published values.

use geometry::{Axes, ConvDesc, GeometryError, Padding, PoolDesc, TransposedDesc};

fn output(desc: ConvDesc, input: &[usize]) -> Vec<usize> {
    desc.resolve(input).unwrap().output_shape()
}

#[test]
fn published_networks_have_their_published_sizes() {
    let shape = [1, 3, 224, 224];
    assert_eq!(
        output(ConvDesc::new(64, 7).stride(2).padding(3), &shape),
        [1, 64, 112, 112]
    );
    assert_eq!(
        output(ConvDesc::new(64, 11).stride(4).padding(2), &shape),
        [1, 64, 55, 55]
    );
    assert_eq!(
        output(ConvDesc::new(32, 3).stride(2), &[1, 3, 299, 299]),
        [1, 32, 149, 149]
    );
    // candle #633: ViT's patch embedding.
    assert_eq!(
        output(ConvDesc::new(8, 16).stride(16), &shape),
        [1, 8, 14, 14]
    );
}

#[test]
fn same_padding_divides_by_the_stride_and_rounds_up() {
    for (input, kernel, stride) in [(224, 3, 2), (7, 3, 2), (5, 2, 3), (9, 4, 4), (3, 1, 2)] {
        for padding in [Padding::Same, Padding::SameLower] {
            let desc = ConvDesc::new(1, kernel).stride(stride).padding(padding);
            assert_eq!(output(desc, &[1, 1, input])[2], input.div_ceil(stride));
        }
    }
    let upper = ConvDesc::new(1, 2)
        .padding(Padding::Same)
        .resolve(&[1, 1, 5])
        .unwrap();
    let lower = ConvDesc::new(1, 2)
        .padding(Padding::SameLower)
        .resolve(&[1, 1, 5])
        .unwrap();
    assert_eq!((upper.windows[2].before, upper.windows[2].after), (0, 1));
    assert_eq!((lower.windows[2].before, lower.windows[2].after), (1, 0));
    // Without elements there is nothing to keep.
    assert_eq!(
        ConvDesc::new(1, 2)
            .padding(Padding::Same)
            .resolve(&[1, 1, 0]),
        Err(GeometryError::Zero { what: "width" })
    );
    // tinygrad PR#17805: unequal kernel and dilation.
    let desc = ConvDesc::new(1, [3, 5])
        .dilation([2, 3])
        .padding(Padding::Same);
    assert_eq!(output(desc, &[1, 1, 28, 31]), [1, 1, 28, 31]);
}

#[test]
fn ceil_mode_drops_a_window_that_starts_in_the_far_padding() {
    // onnx#4958: k4 s4 p2 ceil on 9.
    let pool = PoolDesc::average(4).stride(4).padding(2).ceil(true);
    assert_eq!(pool.resolve(&[1, 1, 9]).unwrap().output_shape(), [1, 1, 3]);
    let pool = PoolDesc::max(3).stride(2).padding(1).ceil(true);
    assert_eq!(
        pool.resolve(&[1, 1, 4, 4]).unwrap().output_shape(),
        [1, 1, 3, 3]
    );
    let pool = PoolDesc::max(2).stride(2).padding(1).ceil(true);
    assert_eq!(pool.resolve(&[1, 1, 3]).unwrap().output_shape(), [1, 1, 2]);
    // Where the padding behind is as wide as the kernel, also without a remainder.
    let behind = |amount| {
        let pool = PoolDesc::max(1).padding(Padding::Explicit(vec![(0, amount)]));
        pool.ceil(true)
    };
    assert_eq!(
        behind(1).resolve(&[1, 1, 1]).unwrap().output_shape(),
        [1, 1, 1]
    );
    assert_eq!(
        behind(1).resolve(&[1, 1, 0]),
        Err(GeometryError::Zero { what: "width" })
    );
}

/// PyTorch 2 on four elements, `F.max_pool1d(x, k, s, p, ceil_mode=True)`: a kernel larger than the padded axis has
/// one output as long as it hangs over by less than a stride, and is refused beyond.
#[test]
fn ceil_mode_keeps_a_window_that_hangs_over_by_less_than_a_stride() {
    for (kernel, stride, padding, one) in [
        (5, 4, 0, true),
        (7, 4, 0, true),
        (8, 4, 0, false),
        (7, 3, 1, true),
        (8, 3, 1, true),
        (9, 3, 1, false),
        (8, usize::MAX, 0, true),
    ] {
        let pool = PoolDesc::max(kernel).stride(stride).padding(padding);
        assert!(pool.resolve(&[1, 1, 4]).is_err(), "{pool:?}");
        match pool.clone().ceil(true).resolve(&[1, 1, 4]) {
            Ok(geometry) => assert!(one && geometry.output_shape() == [1, 1, 1], "{pool:?}"),
            Err(error) => {
                assert!(!one, "{pool:?}: {error}");
                assert!(matches!(error, GeometryError::WindowTooLarge { .. }));
            }
        }
    }
}

#[test]
fn average_divisors_follow_pytorch() {
    // PyTorch: 4×4, k3 s2 p1 ceil; divisors of 1.5556 = 14/9, 4.5 = 27/6, 4 = 16/4.
    let pool = PoolDesc::average(3).stride(2).padding(1).ceil(true);
    let pool = pool.resolve(&[1, 1, 4, 4]).unwrap();
    assert_eq!(pool.divisor([0, 0, 0]), 9);
    assert_eq!(pool.divisor([0, 2, 0]), 6);
    assert_eq!(pool.divisor([0, 2, 2]), 4);
}

#[test]
fn transposed_sizes_follow_the_note() {
    let dcgan = TransposedDesc {
        conv: ConvDesc::new(32, 4).stride(2).padding(1),
        output_padding: 0.into(),
    };
    assert_eq!(
        dcgan.resolve(&[1, 64, 7, 7]).unwrap().input_shape(),
        [1, 32, 14, 14]
    );
    // The note: i=6, k=3, s=2, p=1 does not divide; the extra row a=(i+2p−k) mod s brings it back.
    let odd = TransposedDesc {
        conv: ConvDesc::new(1, 3).stride(2).padding(1),
        output_padding: 1.into(),
    };
    assert_eq!(
        odd.resolve(&[1, 1, 3, 3]).unwrap().input_shape(),
        [1, 1, 6, 6]
    );
    // ORT #4086 and #11927: SAME gives n·s, whatever the kernel.
    for (kernel, stride, extra, input) in [(3, 1, 0, 2), (3, 2, 1, 3), (5, 2, 0, 4)] {
        let same = TransposedDesc {
            conv: ConvDesc::new(1, kernel)
                .stride(stride)
                .padding(Padding::Same),
            output_padding: Axes::from(extra),
        };
        let geometry = same.resolve(&[1, 1, input, input]).unwrap();
        assert_eq!(
            geometry.input_shape()[2..],
            [input * stride, input * stride]
        );
    }
}

#[test]
fn meaningless_combinations_say_their_numbers() {
    let refuse = |desc: ConvDesc, input: &[usize]| desc.resolve(input).unwrap_err();
    let square = [1, 6, 4, 4];
    // pytorch PR#9640
    assert_eq!(
        refuse(ConvDesc::new(1, 3).stride(2).dilation(2), &square),
        GeometryError::WindowTooLarge {
            axis: 0,
            window: 5,
            padded: 4
        }
    );
    assert_eq!(
        refuse(ConvDesc::new(1, 3).stride(0), &square),
        GeometryError::Zero { what: "stride" }
    );
    assert_eq!(
        refuse(ConvDesc::new(4, 1).groups(4), &square),
        GeometryError::Groups {
            side: "input",
            channels: 6,
            groups: 4
        }
    );
    assert_eq!(
        refuse(ConvDesc::new(4, 1).groups(3), &square),
        GeometryError::Groups {
            side: "output",
            channels: 4,
            groups: 3
        }
    );
    assert!(matches!(
        refuse(ConvDesc::new(1, 1), &[1, 1]),
        GeometryError::Rank { .. }
    ));
    assert!(matches!(
        refuse(ConvDesc::new(1, [3, 3]), &[1, 1, 9]),
        GeometryError::AxisCount {
            what: "kernel",
            given: 2,
            rank: 1
        }
    ));
    for (desc, input) in [
        (ConvDesc::new(1, 1), [usize::MAX, 1, 1, 1]),
        (ConvDesc::new(1, 1), [1 << 40, 1 << 20, 1 << 10, 1]),
        (ConvDesc::new(usize::MAX, 3), [1, 1, 9, 9]),
        (
            ConvDesc::new(1, usize::MAX).dilation(usize::MAX),
            [1, 1, 9, 9],
        ),
        (ConvDesc::new(1, 3).padding(usize::MAX), [1, 1, 9, 9]),
        (ConvDesc::new(1, 3).padding(usize::MAX / 4), [1, 1, 9, 9]),
        (ConvDesc::new(1, 1 << 40).padding(1 << 40), [1, 1, 9, 9]),
    ] {
        let error = refuse(desc, &input);
        assert!(
            matches!(error, GeometryError::Overflow { .. }),
            "{input:?}: {error}"
        );
    }
}

#[test]
fn an_empty_batch_is_legal() {
    assert_eq!(output(ConvDesc::new(4, 3), &[0, 3, 9, 9]), [0, 4, 7, 7]);
}
