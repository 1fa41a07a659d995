//! Operations along axes: sizes against other engines' answers, and refusals with their numbers.

use geometry::{
    AxisError, Broadcast, ChannelShuffle, ConcatGeometry, PadDesc, PadGeometry, PadMode,
    PermuteGeometry, PixelOrder, PixelShuffleDesc, Reduction, SliceDesc, check_reshape,
};

fn padded(mode: PadMode, extent: usize, before: i64, after: i64) -> PadGeometry {
    let desc = PadDesc::new(mode, &[(before, after)]);
    desc.resolve(&[extent]).unwrap()
}

#[test]
fn every_mode_copies_what_numpy_copies() {
    let sources = |mode, before, after| -> Vec<Option<usize>> {
        let geometry = padded(mode, 4, before, after);
        let axis = &geometry.axes()[0];
        (0..axis.output()).map(|o| axis.source(mode, o)).collect()
    };
    let some = |places: &[usize]| places.iter().copied().map(Some).collect::<Vec<_>>();
    let constant = [None, Some(0), Some(1), Some(2), Some(3), None, None];
    assert_eq!(sources(PadMode::Constant, 1, 2), constant);
    let reflect = some(&[3, 2, 1, 0, 1, 2, 3, 2, 1]);
    assert_eq!(sources(PadMode::Reflect, 3, 2), reflect);
    let replicate = some(&[0, 0, 0, 1, 2, 3, 3]);
    assert_eq!(sources(PadMode::Replicate, 2, 1), replicate);
    let circular = some(&[2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
    assert_eq!(sources(PadMode::Circular, 2, 4), circular);
    // What is cut off is not seen again: the circle closes around what is left.
    assert_eq!(sources(PadMode::Circular, 2, -1), some(&[1, 2, 0, 1, 2]));
    assert_eq!(sources(PadMode::Reflect, -1, 2), some(&[1, 2, 3, 2, 1]));
    assert_eq!(sources(PadMode::Replicate, -3, 1), some(&[3, 3]));
    assert_eq!(sources(PadMode::Constant, -2, -2), []);
}

#[test]
fn targets_are_the_inverse_of_sources() {
    let mut tried = 0;
    for mode in PadMode::ALL {
        for extent in 0..6 {
            for before in -3..7 {
                for after in -3..7 {
                    let desc = PadDesc::new(mode, &[(before, after)]);
                    let Ok(geometry) = desc.resolve(&[extent]) else {
                        continue;
                    };
                    let axis = &geometry.axes()[0];
                    for input in 0..extent {
                        let got: Vec<usize> =
                            axis.targets(mode, input).into_iter().flatten().collect();
                        let want: Vec<usize> = (0..axis.output())
                            .filter(|&o| axis.source(mode, o) == Some(input))
                            .collect();
                        assert_eq!(got, want, "{axis:?} {mode:?} element {input}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

#[test]
fn padding_past_pytorchs_bounds_is_refused() {
    let refuse = |mode, extent, before, after| {
        let desc = PadDesc::new(mode, &[(before, after)]);
        desc.resolve(&[extent]).unwrap_err()
    };
    for (mode, extent, amounts, amount, most) in [
        (PadMode::Reflect, 4, (0, 4), 4, 3),
        (PadMode::Reflect, 4, (3, -1), 3, 2),
        (PadMode::Circular, 4, (5, 0), 5, 4),
        (PadMode::Replicate, 0, (1, 0), 1, 0),
    ] {
        let kept = extent + amounts.1.min(0);
        assert_eq!(
            refuse(mode, extent as usize, amounts.0, amounts.1),
            AxisError::Padding {
                axis: 0,
                mode,
                amount,
                most,
                extent: kept as usize
            }
        );
    }
    assert_eq!(
        refuse(PadMode::Constant, 4, -2, -3),
        AxisError::CropTooLarge {
            axis: 0,
            input: 4,
            cropped: 5
        }
    );
    for (before, after) in [(i64::MAX, 0), (i64::MAX, i64::MAX), (i64::MIN, i64::MIN)] {
        refuse(PadMode::Constant, 4, before, after);
    }
    assert_eq!(
        PadDesc::spatial(PadMode::Constant, &[(1, 1)]).resolve(&[1, 1, 4, 4]),
        Err(AxisError::EntryCount {
            what: "padding",
            given: 3,
            rank: 4
        })
    );
    // Nothing is mirrored, so nothing is too far to mirror.
    assert_eq!(padded(PadMode::Reflect, 0, 0, 0).output_shape(), [0]);
}

#[test]
fn a_batch_of_nothing_can_be_padded() {
    let amounts = [(1, 2), (0, 3)];
    for mode in PadMode::ALL {
        let geometry = PadDesc::spatial(mode, &amounts).resolve(&[0, 3, 8, 9]);
        assert_eq!(geometry.unwrap().output_shape(), [0, 3, 11, 12]);
    }
}

#[test]
fn slices_are_those_of_python() {
    let taken = |extent: usize, start, stop, step| -> Vec<isize> {
        let desc = SliceDesc::new().axis(0, start, stop, step);
        let geometry = desc.resolve(&[extent]).unwrap();
        let axis = geometry.axes()[0];
        (0..axis.count as isize)
            .map(|o| axis.first as isize + o * axis.step)
            .collect()
    };
    // Python: list(range(n))[start:stop:step]
    for extent in 0..7i64 {
        for start in -9..10 {
            for stop in -9..10 {
                for step in [-4, -3, -2, -1, 1, 2, 3, 4] {
                    let place = |at: i64| if at < 0 { at + extent } else { at };
                    let (from, to) = (place(start), place(stop));
                    let want: Vec<isize> = if step > 0 {
                        (from.max(0)..to.min(extent))
                            .step_by(step as usize)
                            .map(|i| i as isize)
                            .collect()
                    } else {
                        let first = from.min(extent - 1);
                        (to.max(-1) + 1..first + 1)
                            .rev()
                            .step_by(-step as usize)
                            .map(|i| i as isize)
                            .collect()
                    };
                    let got = taken(extent as usize, start, stop, step);
                    assert_eq!(got, want, "{extent}: {start}:{stop}:{step}");
                }
            }
        }
    }
    // ONNX writes "to the end" as the largest and smallest numbers there are.
    assert_eq!(taken(4, 1, i64::MAX, 1), [1, 2, 3]);
    assert_eq!(taken(4, -1, i64::MIN, -1), [3, 2, 1, 0]);
    assert_eq!(taken(4, i64::MIN, i64::MAX, i64::MAX), [0]);
    assert_eq!(taken(4, i64::MAX, i64::MIN, i64::MIN), [3]);
}

#[test]
fn slices_without_meaning_are_refused() {
    let refuse = |desc: SliceDesc| desc.resolve(&[2, 3, 4]).unwrap_err();
    let slice = SliceDesc::new();
    assert_eq!(
        refuse(slice.clone().axis(3, 0, 1, 1)),
        AxisError::NoSuchAxis { axis: 3, rank: 3 }
    );
    assert_eq!(
        refuse(slice.clone().axis(-4, 0, 1, 1)),
        AxisError::NoSuchAxis { axis: -4, rank: 3 }
    );
    assert_eq!(
        refuse(slice.clone().axis(2, 0, 1, 1).axis(-1, 0, 1, 1)),
        AxisError::RepeatedAxis { axis: 2 }
    );
    assert_eq!(
        refuse(slice.axis(1, 0, 1, 0)),
        AxisError::ZeroStep { axis: 1 }
    );
    let many = SliceDesc::new().resolve(&[1; 9]);
    assert_eq!(many, Err(AxisError::TooManyAxes { axes: 9 }));
}

#[test]
fn concatenation_joins_one_axis() {
    let joined = ConcatGeometry::resolve(-3, &[[2, 3, 4, 5], [2, 1, 4, 5], [2, 0, 4, 5]]).unwrap();
    assert_eq!(joined.shape(), [2, 4, 4, 5]);
    assert_eq!((joined.axis(), joined.starts()), (1, &[0, 3, 4, 4][..]));
    let refuse = |axis, shapes: &[&[usize]]| ConcatGeometry::resolve(axis, shapes).unwrap_err();
    assert_eq!(refuse(0, &[]), AxisError::NoInputs);
    assert_eq!(
        refuse(1, &[&[2, 3], &[3, 3]]),
        AxisError::ExtentsDiffer {
            input: 1,
            axis: 0,
            given: 3,
            expected: 2
        }
    );
    assert_eq!(
        refuse(1, &[&[2, 3], &[2, 3, 1]]),
        AxisError::RanksDiffer {
            input: 1,
            given: 3,
            expected: 2
        }
    );
    assert_eq!(
        refuse(0, &[&[usize::MAX], &[1]]),
        AxisError::Overflow {
            what: "the concatenated axis"
        }
    );
}

#[test]
fn permutations_invert() {
    let permuted = PermuteGeometry::resolve(&[0, 2, 3, 1], &[2, 3, 4, 5]).unwrap();
    assert_eq!(permuted.output_shape(), [2, 4, 5, 3]);
    let back = permuted.inverse();
    assert_eq!(back.axes(), [0, 3, 1, 2]);
    assert_eq!(back.output_shape(), [2, 3, 4, 5]);
    assert_eq!(back.inverse(), permuted);
    for axes in [&[0, 1][..], &[0, 1, 1], &[0, 1, 3], &[0, 1, 2, 3]] {
        let refused = PermuteGeometry::resolve(axes, &[2, 3, 4]).unwrap_err();
        assert_eq!(
            refused,
            AxisError::NotAPermutation {
                axes: axes.to_vec()
            }
        );
    }
}

#[test]
fn pixels_and_channels_divide() {
    let desc = PixelShuffleDesc::new([2, 3]).order(PixelOrder::BlockMajor);
    let geometry = desc.resolve_deep(&[2, 24, 5, 7]).unwrap();
    assert_eq!(geometry.wide_shape(), [2, 4, 10, 21]);
    assert_eq!(desc.resolve_wide(&[2, 4, 10, 21]), Ok(geometry));
    let refused = |result: Result<_, _>| -> AxisError { Result::<(), _>::unwrap_err(result) };
    assert_eq!(
        refused(desc.resolve_deep(&[2, 20, 5, 7]).map(|_| ())),
        AxisError::Indivisible {
            what: "the number of channels",
            extent: 20,
            parts: 6
        }
    );
    assert_eq!(
        refused(desc.resolve_wide(&[2, 4, 10, 20]).map(|_| ())),
        AxisError::Indivisible {
            what: "the spatial extent",
            extent: 20,
            parts: 3
        }
    );
    for (factor, shape) in [
        (0, &[1, 4, 2, 2][..]),
        (2, &[1, 4]),
        (usize::MAX, &[0, 4, 2, 2]),
        (2, &[1, 4, 1, 1, 1, 1]),
        (1 << 20, &[0, 1 << 40, 1 << 20, 1 << 20]),
    ] {
        assert!(PixelShuffleDesc::new(factor).resolve_deep(shape).is_err());
    }
    assert!(
        PixelShuffleDesc::new(1 << 30)
            .resolve_wide(&[1, 1 << 40, 0, 0])
            .is_err()
    );

    let shuffle = ChannelShuffle::resolve(3, &[2, 12, 5, 7]).unwrap();
    assert_eq!((shuffle.area, shuffle.inverse().groups), (35, 4));
    assert!(ChannelShuffle::resolve(5, &[2, 12, 5, 7]).is_err());
    assert!(ChannelShuffle::resolve(0, &[2, 12, 5, 7]).is_err());
    assert_eq!(
        ChannelShuffle::resolve(3, &[2, 0, 5])
            .unwrap()
            .inverse()
            .groups,
        1
    );
}

#[test]
fn shapes_broadcast_as_in_numpy() {
    for (left, right, want) in [
        (&[2, 3, 4, 5][..], &[][..], &[2, 3, 4, 5][..]),
        (&[2, 3, 4, 5], &[5], &[2, 3, 4, 5]),
        (&[4, 5], &[2, 3, 4, 5], &[2, 3, 4, 5]),
        (&[1, 4, 5], &[2, 3, 1, 1], &[2, 3, 4, 5]),
        (&[3, 4, 5], &[2, 1, 1, 1], &[2, 3, 4, 5]),
        (&[0, 3], &[1, 3], &[0, 3]),
        (&[1], &[0], &[0]),
    ] {
        for (left, right) in [(left, right), (right, left)] {
            let broadcast = Broadcast::resolve(left, right).unwrap();
            assert_eq!(broadcast.shape(), want);
            assert_eq!((broadcast.left(), broadcast.right()), (left, right));
        }
    }
    assert_eq!(
        Broadcast::resolve(&[2, 3], &[3, 1, 2]),
        Err(AxisError::NotBroadcastable {
            left: vec![2, 3],
            right: vec![3, 1, 2],
            axis: 2
        })
    );
    assert!(Broadcast::resolve(&[0], &[2]).is_err());
    assert!(Broadcast::resolve(&[1 << 40, 1], &[1, 1 << 40]).is_err());
}

#[test]
fn reductions_keep_their_axes() {
    let reduction = Reduction::resolve(&[-1, 1], &[2, 3, 4, 5]).unwrap();
    assert_eq!(reduction.output_shape(), [2, 1, 4, 1]);
    assert_eq!(reduction.count(), 15);
    assert_eq!(Reduction::resolve(&[], &[2, 3]).unwrap().count(), 1);
    assert!(Reduction::resolve(&[0, -2], &[2, 3]).is_err());
    assert!(Reduction::resolve(&[2], &[2, 3]).is_err());
}

#[test]
fn a_reshape_keeps_the_elements() {
    assert_eq!(check_reshape(&[2, 3, 4], &[4, 6, 1]), Ok(()));
    assert_eq!(check_reshape(&[0, 3], &[7, 0]), Ok(()));
    assert_eq!(check_reshape(&[], &[1]), Ok(()));
    assert_eq!(
        check_reshape(&[2, 3], &[4]),
        Err(AxisError::ElementsDiffer {
            input: vec![2, 3],
            output: vec![4]
        })
    );
    assert!(check_reshape(&[0], &[0, usize::MAX, usize::MAX]).is_err());
}
