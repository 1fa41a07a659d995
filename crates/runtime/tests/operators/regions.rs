use geometry::RegionsDesc;
use graph::{AlignSettings, Op, RegionOp};
use runtime::eager::{Element, Given};
use runtime::{Eager, RuntimeError, RuntimeOptions};
use tensor::{Layout, Tensor};
use testkit::compare::widen;
use testkit::regions::Sampling;
use testkit::{Draw, RegionsCase, gradient};

const GAMMA: f64 = 0.125;

/// Quarters and powers of two, so that every sum is exact.
fn case(position_sensitive: bool) -> RegionsCase {
    RegionsCase {
        batch: 2,
        channels: 16,
        input: [7, 9],
        bins: [4, 2],
        position_sensitive,
        regions: vec![
            [1.0, 2.0, 1.0, 14.0, 9.0],
            [0.0, -3.0, 4.5, 8.0, 17.0],
            [1.0, 3.0, 3.0, 3.5, 2.0],
        ],
        scale: 0.5,
    }
}

fn tensor<T: Element>(dims: &[usize], elements: &[f64]) -> Tensor<T> {
    let elements: Vec<T> = elements.iter().map(|&v| T::of(v)).collect();
    Tensor::from_slice(dims, &elements).unwrap()
}

fn wide<T: Element>(tensor: &Tensor<T>) -> Vec<f64> {
    tensor.data().iter().map(|v| v.wide()).collect()
}

/// The tensors of a case: map, regions, offsets and the gradient of the output.
struct Tensors<T> {
    x: Tensor<T>,
    regions: Tensor<T>,
    offset: Tensor<T>,
    dy: Tensor<T>,
}

/// The numbers of a case.
struct Numbers {
    case: RegionsCase,
    x: Vec<f64>,
    offset: Vec<f64>,
    dy: Vec<f64>,
}

impl Numbers {
    fn draw(position_sensitive: bool) -> Self {
        let case = case(position_sensitive);
        let mut draw = Draw::new(9);
        let offset = (0..case.offset_len()).map(|_| draw.below(17) as f64 / 2.0 - 4.0);
        Self {
            offset: offset.collect(),
            x: widen(&draw.integers(case.input_len())),
            dy: widen(&draw.integers(case.output_len())),
            case,
        }
    }

    fn tensors<T: Element>(&self) -> Tensors<T> {
        let [rows, columns] = self.case.input;
        let count = self.case.regions.len();
        let [down, across] = self.case.bins;
        Tensors {
            x: tensor(&[2, self.case.channels, rows, columns], &self.x),
            regions: tensor(&[count, 5], self.case.regions.as_flattened()),
            offset: tensor(&[count, 2, down, across], &self.offset),
            dy: tensor(&[count, self.case.out_channels(), down, across], &self.dy),
        }
    }

    fn desc(&self) -> RegionsDesc {
        RegionsDesc::new(self.case.bins).position_sensitive(self.case.position_sensitive)
    }

    fn settings(&self, sampling: Sampling) -> AlignSettings {
        AlignSettings {
            scale: self.case.scale,
            sampling: sampling.points,
            aligned: sampling.aligned,
            gamma: None,
        }
    }
}

/// Everything there is: aligned, deformable, maximum, average, each forward and backward.
fn eager<T: Element>(engine: &Eager, numbers: &Numbers, sampling: Sampling) -> Vec<Vec<f64>> {
    let Tensors {
        x,
        regions,
        offset,
        dy,
    } = numbers.tensors::<T>();
    let (desc, settings) = (numbers.desc(), numbers.settings(sampling));
    let moving = AlignSettings {
        gamma: Some(GAMMA),
        ..settings
    };
    let (bins, scale) = (numbers.case.bins, numbers.case.scale);
    let own = numbers.case.position_sensitive;
    let aligned = if own {
        engine.ps_roi_align(&x, &regions, bins, settings)
    } else {
        engine.roi_align(&x, &regions, bins, settings)
    };
    let moved = engine.deform_roi_pool(&x, &regions, &offset, &desc, moving);
    let mut made = vec![aligned.unwrap(), moved.unwrap()];
    let back = |op: RegionOp, given: &[&Tensor<T>], wanted: &[usize]| {
        let given: Vec<_> = given.iter().map(|&t| Given::Real(t)).collect();
        engine
            .pullback(Op::Region(op), &given, &dy, wanted)
            .unwrap()
    };
    let align = |settings| RegionOp::Align {
        desc: desc.clone(),
        settings,
    };
    made.extend(back(align(settings), &[&x, &regions], &[0]));
    made.extend(back(align(moving), &[&x, &regions, &offset], &[0, 2]));
    let max = RegionOp::Max {
        desc: desc.clone(),
        scale,
    };
    let average = RegionOp::Average { desc, scale };
    if own {
        made.push(engine.ps_roi_pool(&x, &regions, bins, scale).unwrap());
        made.extend(back(average, &[&x, &regions], &[0]));
    } else {
        made.push(engine.roi_pool(&x, &regions, bins, scale).unwrap());
        made.extend(back(max, &[&x, &regions], &[0]));
    }
    made.iter().map(wide).collect()
}

#[test]
fn equals_the_oracle_in_both_precisions_and_layouts() {
    for position_sensitive in [false, true] {
        for (points, aligned) in [(1, true), (2, false)] {
            let numbers = Numbers::draw(position_sensitive);
            let sampling = Sampling { points, aligned };
            let (case, x, dy) = (&numbers.case, &numbers.x, &numbers.dy);
            let moves = (&numbers.offset[..], GAMMA);
            let mut want = vec![
                case.align(x, sampling, None),
                case.align(x, sampling, Some(moves)),
                case.align_backward(dy, sampling, None),
                case.align_backward(dy, sampling, Some(moves)),
                case.align_backward_offset(x, dy, sampling, moves),
            ];
            want.extend(if position_sensitive {
                [case.average(x), case.average_backward(dy)]
            } else {
                [case.max(x).values, case.max_backward(x, dy)]
            });
            for layout in Layout::ALL {
                for threads in [1, 3] {
                    let engine = Eager::new(RuntimeOptions {
                        layout,
                        threads,
                        ..RuntimeOptions::default()
                    })
                    .unwrap();
                    let name = format!("{layout} {threads} {position_sensitive} {sampling:?}");
                    let single = eager::<f32>(&engine, &numbers, sampling);
                    let double = eager::<f64>(&engine, &numbers, sampling);
                    for (index, want) in want.iter().enumerate() {
                        let near = |got: &[f64], tolerance: f64| {
                            assert_eq!(got.len(), want.len());
                            for (got, want) in got.iter().zip(want) {
                                assert!(
                                    (got - want).abs() <= tolerance * (1.0 + want.abs()),
                                    "{name} result {index}: {got} should be {want}"
                                );
                            }
                        };
                        // Exact, but for the divisions of averages by a number of pixels.
                        let exact = index < 5 || !position_sensitive;
                        near(&single[index], if exact { 0.0 } else { 1e-5 });
                        near(&double[index], if exact { 0.0 } else { 1e-12 });
                    }
                }
            }
        }
    }
}

#[test]
fn double_precision_gradients_are_differences() {
    let engine = Eager::new(RuntimeOptions::default()).unwrap();
    for position_sensitive in [false, true] {
        let case = RegionsCase {
            batch: 2,
            channels: 12,
            input: [6, 7],
            bins: [3, 2],
            position_sensitive,
            regions: vec![[1.0, 1.3, 0.4, 9.1, 8.3], [0.0, -3.2, 2.1, 14.7, 11.9]],
            scale: 0.5,
        };
        let mut draw = Draw::new(10);
        let mut reals = |len: usize| widen(&draw.reals(len));
        let numbers = Numbers {
            x: reals(case.input_len()),
            offset: reals(case.offset_len()),
            dy: reals(case.output_len()),
            case,
        };
        let settings = AlignSettings {
            gamma: Some(0.1),
            ..numbers.settings(Sampling {
                points: 0,
                aligned: true,
            })
        };
        let (desc, scale) = (numbers.desc(), 0.5);
        let ops = [
            RegionOp::Align {
                desc: desc.clone(),
                settings,
            },
            RegionOp::Max {
                desc: desc.clone(),
                scale,
            },
            RegionOp::Average { desc, scale },
        ];
        let Tensors {
            x,
            regions,
            offset,
            dy,
        } = numbers.tensors::<f64>();
        for op in ops {
            let all = [&x, &regions, &offset];
            let count = if matches!(op, RegionOp::Align { .. }) {
                3
            } else {
                2
            };
            let given: Vec<_> = all[..count].iter().map(|&t| Given::Real(t)).collect();
            let op = Op::Region(op);
            let wanted: Vec<_> = [0, 2].into_iter().filter(|&p| p < count).collect();
            let gradients = engine.pullback(op.clone(), &given, &dy, &wanted).unwrap();
            for (&place, gradient) in wanted.iter().zip(&gradients) {
                let loss = |at: &[f64]| -> f64 {
                    let moved = tensor::<f64>(all[place].dims(), at);
                    let mut given = given.clone();
                    given[place] = Given::Real(&moved);
                    let y = engine.apply(op.clone(), &given).unwrap().remove(0).real();
                    y.data().iter().zip(dy.data()).map(|(y, dy)| y * dy).sum()
                };
                gradient::check(loss, all[place].data(), gradient.data())
                    .unwrap_or_else(|mismatch| panic!("{} {place}: {mismatch}", op.name()));
            }
        }
    }
}

#[test]
fn a_region_of_no_image_is_refused_with_its_number() {
    let engine = Eager::new(RuntimeOptions::default()).unwrap();
    let Tensors { x, offset, .. } = Numbers::draw(false).tensors::<f32>();
    for (image, shown) in [(2.0, "2"), (-1.0, "-1"), (f64::NAN, "NaN")] {
        let mut list = case(false).regions;
        list[1][0] = image;
        let regions = tensor::<f32>(&[3, 5], list.as_flattened());
        let settings = AlignSettings::default();
        let desc = RegionsDesc::new([4, 2]);
        for refused in [
            engine.roi_align(&x, &regions, [4, 2], settings),
            engine.ps_roi_align(&x, &regions, [4, 2], settings),
            engine.deform_roi_pool(&x, &regions, &offset, &desc, settings),
            engine.roi_pool(&x, &regions, [4, 2], 1.0),
            engine.ps_roi_pool(&x, &regions, [4, 2], 1.0),
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error, RuntimeError::Given { .. }), "{error}");
            let want = format!("region 1 names image {shown}, but there are 2 images");
            assert!(error.to_string().contains(&want), "{error}");
        }
    }
}

#[test]
fn tensors_that_do_not_fit_say_their_numbers() {
    let engine = Eager::new(RuntimeOptions::default()).unwrap();
    let Tensors {
        x,
        regions,
        offset,
        dy,
    } = Numbers::draw(false).tensors::<f32>();
    let settings = AlignSettings::default();
    let message = |refused: Result<Tensor<f32>, RuntimeError>| refused.unwrap_err().to_string();
    let wrong = message(engine.ps_roi_align(&x, &regions, [3, 2], settings));
    assert!(
        wrong.contains("16 input channels cannot be dealt out to 3x2 bins"),
        "{wrong}"
    );
    let wrong = message(engine.roi_align(&x, &offset, [3, 2], settings));
    assert!(
        wrong.contains("[3, 2, 4, 2]") && wrong.contains("[r, 5]"),
        "{wrong}"
    );
    let wrong = message(engine.roi_pool(&regions, &regions, [3, 2], 1.0));
    assert!(wrong.contains("[3, 5]"), "{wrong}");
    let wrong = message(engine.roi_pool(&x, &regions, [3, 2], -1.0));
    assert!(wrong.contains("scale is -1"), "{wrong}");
    let desc = RegionsDesc::new([4, 2]);
    let wrong = message(engine.deform_roi_pool(&x, &regions, &dy, &desc, settings));
    assert!(wrong.contains("offset [3, 16, 4, 2]"), "{wrong}");
}
