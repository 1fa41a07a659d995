//! Padding modes: where their elements come from, how many there can be, and the problem behind them.

use geometry::{ConvDesc, GeometryError, PaddingMode, TransposedDesc};

fn padded(mode: PaddingMode, input: usize, before: usize, after: usize) -> Vec<Option<usize>> {
    (-(before as isize)..(input + after) as isize)
        .map(|position| mode.source(input, position))
        .collect()
}

fn indices(list: &[usize]) -> Vec<Option<usize>> {
    list.iter().map(|&index| Some(index)).collect()
}

#[test]
fn each_mode_takes_the_elements_that_pytorch_takes() {
    assert_eq!(
        padded(PaddingMode::Reflect, 4, 3, 2),
        indices(&[3, 2, 1, 0, 1, 2, 3, 2, 1])
    );
    assert_eq!(
        padded(PaddingMode::Replicate, 3, 2, 4),
        indices(&[0, 0, 0, 1, 2, 2, 2, 2, 2])
    );
    assert_eq!(
        padded(PaddingMode::Circular, 3, 3, 2),
        indices(&[0, 1, 2, 0, 1, 2, 0, 1])
    );
    assert_eq!(
        padded(PaddingMode::Zeros, 2, 1, 2),
        [None, Some(0), Some(1), None, None]
    );
}

#[test]
fn a_mode_cannot_take_more_than_the_input_has() {
    for (mode, most) in [
        (PaddingMode::Zeros, usize::MAX),
        (PaddingMode::Reflect, 3),
        (PaddingMode::Replicate, usize::MAX),
        (PaddingMode::Circular, 4),
    ] {
        assert_eq!(mode.most(4), most);
        let resolve = |padding: usize| {
            let desc = ConvDesc::new(2, [1, 3]).padding([0, padding]);
            desc.padding_mode(mode).resolve(&[1, 1, 9, 4])
        };
        assert!(resolve(most.min(9)).is_ok(), "{mode}");
        if most < 9 {
            let error = GeometryError::PaddingMode {
                axis: 1,
                mode,
                padding: most + 1,
                most,
                input: 4,
            };
            assert_eq!(resolve(most + 1), Err(error));
        }
    }
    let message = ConvDesc::new(1, 3)
        .padding(4)
        .padding_mode(PaddingMode::Reflect)
        .resolve(&[1, 1, 4])
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "reflect padding of 4 on spatial axis 0 is more than the 3 that an input of 4 allows"
    );
}

#[test]
fn an_empty_axis_has_nothing_to_repeat() {
    for mode in PaddingMode::ALL {
        let desc = ConvDesc::new(1, 1).padding(1).padding_mode(mode);
        assert_eq!(desc.resolve(&[1, 1, 0]).is_ok(), mode == PaddingMode::Zeros);
    }
}

#[test]
fn the_padded_problem_reads_the_same_elements() {
    for mode in PaddingMode::ALL {
        let desc = ConvDesc::new(4, [3, 2])
            .stride([2, 1])
            .dilation([1, 3])
            .padding([2, 1])
            .padding_mode(mode);
        let whole = desc.resolve(&[2, 3, 7, 9]).unwrap();
        let inner = whole.padded();
        assert_eq!(inner.output_shape(), whole.output_shape());
        assert_eq!(inner.input_shape(), [2, 3, 11, 11]);
        assert_eq!(inner.macs(), whole.macs());
        assert!(inner.pads_with_zeros());
        assert_eq!(whole.pads_with_zeros(), mode == PaddingMode::Zeros);
        assert_eq!(inner.padded(), inner);
        for (window, inner) in whole.windows.iter().zip(&inner.windows) {
            for (output, tap) in
                (0..window.output).flat_map(|o| (0..window.kernel).map(move |t| (o, t)))
            {
                let padded = inner.source(output, tap).unwrap();
                let position = padded as isize - window.before as isize;
                let taken = PaddingMode::Zeros.source(window.input, position);
                assert_eq!(taken, window.source(output, tap));
            }
        }
    }
}

#[test]
fn circular_padding_on_one_side_only() {
    // pytorch#37844: padding (0, 1) mixed up the axes.
    let desc = ConvDesc::new(1, 3)
        .padding([0, 1])
        .padding_mode(PaddingMode::Circular);
    let geometry = desc.resolve(&[1, 1, 20, 10]).unwrap();
    assert_eq!(geometry.output_shape(), [1, 1, 18, 10]);
    assert_eq!(geometry.padded().input_shape(), [1, 1, 20, 12]);
}

#[test]
fn same_padding_can_be_of_any_mode() {
    let desc = ConvDesc::new(1, 4).padding(geometry::Padding::Same);
    let geometry = desc.padding_mode(PaddingMode::Reflect).resolve(&[1, 1, 5]);
    assert_eq!(geometry.unwrap().padded().input_shape(), [1, 1, 8]);
}

#[test]
fn a_transposed_convolution_pads_with_zeros() {
    let conv = ConvDesc::new(1, 3)
        .padding(1)
        .padding_mode(PaddingMode::Circular);
    let error = TransposedDesc::new(conv).resolve(&[1, 1, 5]).unwrap_err();
    assert!(matches!(error, GeometryError::ZerosOnly { .. }), "{error}");
}
