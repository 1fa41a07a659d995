//! Sizes of transposed convolutions as PyTorch, ONNX and Keras have them, and the stretched view.

use geometry::{ConvDesc, GeometryError, Padding, TransposedDesc};
use testkit::Draw;

fn size(layer: &TransposedDesc, input: &[usize]) -> Vec<usize> {
    let mut shape = vec![1, layer.conv.groups];
    shape.extend(input);
    let geometry = layer
        .resolve(&shape)
        .unwrap_or_else(|e| panic!("{layer:?}: {e}"));
    assert_eq!(geometry.output_shape(), shape);
    geometry.input_shape()[2..].to_vec()
}

#[test]
fn explicit_padding_follows_the_formula() {
    let mut draw = Draw::new(41);
    let mut beyond_stride = 0;
    for _ in 0..2000 {
        let (n, k, s, d) = (
            1 + draw.below(9),
            1 + draw.below(5),
            1 + draw.below(4),
            1 + draw.below(4),
        );
        let (before, after, a) = (draw.below(4), draw.below(4), draw.below(s.max(d)));
        let conv = ConvDesc::new(1, k).stride(s).dilation(d);
        let conv = conv.padding(Padding::Explicit(vec![(before, after)]));
        let layer = TransposedDesc::new(conv).output_padding(a);
        let (full, taken) = ((n - 1) * s + d * (k - 1) + 1 + a, before + after);
        if taken >= full {
            assert_eq!(
                layer.resolve(&[1, 1, n]),
                Err(GeometryError::EmptyTransposed {
                    axis: 0,
                    full,
                    padding: taken
                })
            );
            continue;
        }
        beyond_stride += usize::from(a >= s);
        assert_eq!(size(&layer, &[n]), [full - taken]);
    }
    assert!(beyond_stride > 100);
}

#[test]
fn output_padding_must_stay_below_stride_or_dilation() {
    let conv = ConvDesc::new(1, 3).stride([2, 1]).dilation([1, 3]);
    let layer = TransposedDesc::new(conv);
    assert_eq!(
        size(&layer.clone().output_padding([1, 2]), &[4, 4]),
        [10, 12]
    );
    assert_eq!(
        layer.output_padding([1, 3]).resolve(&[1, 1, 4, 4]),
        Err(GeometryError::OutputPadding {
            axis: 1,
            given: 3,
            below: 3
        })
    );
}

#[test]
fn output_padding_of_a_whole_stride_adds_no_placement() {
    // ORT#14208: k2 p3 d2 a1 on 5 rows gives 2, and reads all 5.
    let conv = ConvDesc::new(1, 2).padding(3).dilation(2);
    let layer = TransposedDesc::new(conv).output_padding(1);
    assert_eq!(size(&layer, &[5]), [2]);
    let axis = layer.stretched(&[1, 1, 5]).unwrap()[2];
    assert_eq!((axis.before, axis.after, axis.remainder), (-1, 0, 1));
}

#[test]
fn same_gives_input_times_stride() {
    // ORT#4086: 2×2, k3 s1 → 2×2. ORT#11927: 3×3, k3 s2 a1 → 6×6. And kernels below the stride.
    for (n, k, s, d, a) in [
        (2, 3, 1, 1, 0),
        (3, 3, 2, 1, 1),
        (3, 1, 2, 1, 0),
        (4, 2, 5, 1, 1),
        (4, 3, 2, 3, 2),
    ] {
        for rule in [Padding::Same, Padding::SameLower] {
            let conv = ConvDesc::new(1, k).stride(s).dilation(d).padding(rule);
            let layer = TransposedDesc::new(conv).output_padding(a);
            assert_eq!(size(&layer, &[n, n]), [n * s, n * s]);
        }
    }
    let pads = |rule| {
        let conv = ConvDesc::new(1, 4).stride(1).padding(rule);
        let window = TransposedDesc::new(conv)
            .resolve(&[1, 1, 5])
            .unwrap()
            .windows[2];
        (window.before, window.after)
    };
    assert_eq!(pads(Padding::Same), (1, 2));
    assert_eq!(pads(Padding::SameLower), (2, 1));
}

#[test]
fn an_output_shape_decides_the_padding() {
    let mut draw = Draw::new(42);
    for _ in 0..1000 {
        let (n, k, s) = (1 + draw.below(7), 1 + draw.below(6), 1 + draw.below(4));
        let a = draw.below(s);
        let full = (n - 1) * s + k + a;
        let wanted = 1 + draw.below(full);
        for rule in [Padding::Same, Padding::SameLower, Padding::Valid] {
            let conv = ConvDesc::new(1, k).stride(s).padding(rule.clone());
            let layer = TransposedDesc::new(conv).output_padding(a);
            let layer = layer.for_output(&[1, 1, n], &[wanted]).unwrap();
            assert_eq!(size(&layer, &[n]), [wanted]);
            let (total, half) = (full - wanted, (full - wanted) / 2);
            let pair = if rule == Padding::Same {
                (half, total - half)
            } else {
                (total - half, half)
            };
            assert_eq!(layer.conv.padding, Padding::Explicit(vec![pair]));
        }
    }
    // The ONNX specification's example: 3×3, k3 s[3, 2], output shape 10×8.
    let layer = TransposedDesc::new(ConvDesc::new(1, 3).stride([3, 2]));
    let layer = layer.for_output(&[1, 1, 3, 3], &[10, 8]).unwrap();
    assert_eq!(size(&layer, &[3, 3]), [10, 8]);
    assert_eq!(layer.output_padding, [1, 1].into());
    // As much as no output padding can give.
    let layer = TransposedDesc::new(ConvDesc::new(1, 3).stride(2));
    let layer = layer.for_output(&[1, 1, 3], &[9]).unwrap();
    let error = layer.resolve(&[1, 1, 3]).unwrap_err();
    assert!(
        matches!(error, GeometryError::OutputPadding { .. }),
        "{error}"
    );
}

#[test]
fn keras_leaves_no_row_out() {
    for (n, k, s, d) in [
        (3, 2, 2, 1),
        (3, 1, 2, 1),
        (4, 2, 5, 1),
        (4, 5, 2, 1),
        (4, 2, 4, 2),
    ] {
        let conv = ConvDesc::new(1, k).stride(s).dilation(d);
        let valid = TransposedDesc::keras(conv.clone()).unwrap();
        let effective = d * (k - 1) + 1;
        assert_eq!(size(&valid, &[n]), [(n - 1) * s + effective.max(s)]);
        let same = TransposedDesc::keras(conv.padding(Padding::Same)).unwrap();
        assert_eq!(size(&same, &[n]), [n * s]);
    }
}

#[test]
fn sides_are_named_as_the_layer_has_them() {
    let conv = ConvDesc::new(4, 3).groups(2);
    let error = TransposedDesc::new(conv).resolve(&[1, 3, 5]).unwrap_err();
    assert_eq!(
        error,
        GeometryError::Groups {
            side: "input",
            channels: 3,
            groups: 2
        }
    );
}

/// The definition of both sides: which input element, by which tap, adds to which output element.
#[test]
fn the_stretched_view_reads_what_the_layer_reads() {
    let mut draw = Draw::new(43);
    let mut cropped = 0;
    for _ in 0..3000 {
        let (n, k, s, d) = (
            1 + draw.below(6),
            1 + draw.below(4),
            1 + draw.below(4),
            1 + draw.below(3),
        );
        let a = draw.below(s.max(d));
        let conv = ConvDesc::new(1, k).stride(s).dilation(d);
        let pads = (draw.below(9), draw.below(9));
        let layer =
            TransposedDesc::new(conv.padding(Padding::Explicit(vec![pads]))).output_padding(a);
        let Ok(geometry) = layer.resolve(&[1, 1, n]) else {
            continue;
        };
        let axis = layer.stretched(&[1, 1, n]).unwrap()[2];
        cropped += usize::from(axis.before < 0 || axis.after < 0);
        let direct = geometry.stretched();
        assert_eq!(direct.input_shape(), [1, 1, axis.padded()]);
        assert_eq!(direct.output_shape(), geometry.input_shape());
        assert_eq!(
            axis.padded() as isize,
            axis.extent as isize + axis.before + axis.after
        );
        let mut scattered = Vec::new();
        for input in 0..n {
            for tap in 0..k {
                let place = (input * s + tap * d).checked_sub(pads.0);
                let place = place.filter(|&o| o < axis.output);
                scattered.extend(place.map(|output| (output, input, tap)));
            }
        }
        scattered.sort_unstable();
        let window = direct.windows[2];
        let mut gathered = Vec::new();
        for output in 0..window.output {
            for tap in 0..k {
                let source = axis.source(window.source(output, tap).unwrap());
                gathered.extend(source.map(|input| (output, input, k - 1 - tap)));
            }
        }
        gathered.sort_unstable();
        assert_eq!(gathered, scattered, "{layer:?} on {n}");
    }
    assert!(cropped > 200, "{cropped} views were cropped");
}

#[test]
fn the_exchanged_convolution_has_the_exchanged_channels() {
    let conv = ConvDesc::new(6, [3, 2]).stride([2, 3]).groups(2);
    let geometry = TransposedDesc::new(conv).resolve(&[5, 4, 7, 8]).unwrap();
    let direct = geometry.stretched();
    assert_eq!(direct.input_shape(), [5, 4, 17, 24]);
    assert_eq!(direct.output_shape(), [5, 6, 15, 23]);
    assert_eq!(direct.weight_shape(), [6, 2, 3, 2]);
    assert_eq!(geometry.weight_shape(), [4, 3, 3, 2]);
}
