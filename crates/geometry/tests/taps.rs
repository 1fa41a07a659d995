//! Backward phases enumerate exactly the pairs that the forward walk enumerates.

use std::collections::BTreeSet;

use geometry::{ConvDesc, Padding, PoolDesc, PoolKind};

#[test]
fn phases_and_targets_touch_what_the_forward_walk_touches() {
    for input in 1..9 {
        for kernel in 1..5 {
            for stride in 1..5 {
                for dilation in 1..4 {
                    for pads in [(0, 0), (1, 0), (0, 2), (3, 1), (4, 6)] {
                        let desc = ConvDesc::new(1, kernel).stride(stride).dilation(dilation);
                        let desc = desc.padding(Padding::Explicit(vec![pads]));
                        let Ok(geometry) = desc.resolve(&[1, 1, input]) else {
                            continue;
                        };
                        let window = geometry.windows[2];
                        // (output, tap, input) triples, straight from the definition.
                        let mut triples = BTreeSet::new();
                        for o in 0..window.output {
                            for t in 0..kernel {
                                let padded = o * stride + t * dilation;
                                if (pads.0..pads.0 + input).contains(&padded) {
                                    triples.insert((o, t, padded - pads.0));
                                }
                            }
                        }
                        let mut by_phase = BTreeSet::new();
                        let mut covered = BTreeSet::new();
                        for phase in window.backward_phases() {
                            assert!(phase.taps.windows(2).all(|p| p[0].offset < p[1].offset));
                            for u in 0..phase.count {
                                let i = phase.start + u * phase.step;
                                assert!(i < input && covered.insert(i));
                                for tap in &phase.taps {
                                    let o = u as isize + tap.offset;
                                    if (0..window.output as isize).contains(&o) {
                                        by_phase.insert((o as usize, tap.kernel, i));
                                    }
                                }
                            }
                        }
                        // What no phase covers, no tap reaches.
                        assert!(triples.iter().all(|(.., i)| covered.contains(i)));
                        assert_eq!(by_phase, triples);
                        let mut by_target = BTreeSet::new();
                        for i in 0..input {
                            for t in 0..kernel {
                                by_target.extend(window.target(i, t).map(|o| (o, t, i)));
                            }
                        }
                        assert_eq!(by_target, triples);
                    }
                }
            }
        }
    }
}

#[test]
fn a_huge_stride_has_no_more_phases_than_taps() {
    let desc = ConvDesc::new(1, 2).stride(1 << 40);
    let geometry = desc.resolve(&[1, 1, (1 << 40) + 2]).unwrap();
    assert_eq!(geometry.windows[2].backward_phases().len(), 2);
}

#[test]
fn the_taps_on_the_image_and_the_divisor_are_those_one_counts() {
    let mut seen = 0;
    for input in 1..7 {
        for kernel in 1..6 {
            for stride in 1..9 {
                for dilation in 1..4 {
                    for pads in [(0, 0), (1, 0), (0, 2), (3, 1), (9, 12)] {
                        for count_padding in [false, true] {
                            let mut desc = PoolDesc::average(kernel).stride(stride);
                            desc.kind = PoolKind::Average { count_padding };
                            let desc = desc.dilation(dilation).ceil(true);
                            let desc = desc.padding(Padding::Explicit(vec![pads]));
                            let Ok(geometry) = desc.resolve(&[1, 1, input]) else {
                                continue;
                            };
                            for o in 0..geometry.windows[2].output {
                                let at = |t: &usize| o * stride + t * dilation;
                                let image = pads.0..pads.0 + input;
                                let inside = |t: &usize| image.contains(&at(t));
                                let padded = |t: &usize| at(t) < image.end + pads.1;
                                let on: Vec<usize> = (0..kernel).filter(inside).collect();
                                let taps = geometry.windows[2].taps_inside(o);
                                assert_eq!(taps.collect::<Vec<_>>(), on, "{desc:?} on {input}");
                                let counted = if count_padding {
                                    (0..kernel).filter(padded).count()
                                } else {
                                    on.len()
                                };
                                assert_eq!(geometry.divisor([0, 0, o]), counted, "{desc:?}");
                                seen += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(seen > 10_000, "{seen}");
}

#[test]
fn a_divisor_of_billions_is_not_counted() {
    // One window over the padding and five elements, of 10⁹ + 5 taps an axis.
    let desc = PoolDesc::average(1_000_000_005).padding(500_000_000);
    let geometry = desc.resolve(&[1, 1, 5, 5]).unwrap();
    assert_eq!(geometry.divisor([0; 3]), 1_000_000_005 * 1_000_000_005);
    assert_eq!(geometry.windows[1].taps_inside(0), 500_000_000..500_000_005);
}
