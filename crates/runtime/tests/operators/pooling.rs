//! Pools against the oracle, forwards and backwards, and what they refuse.

use geometry::{AdaptiveDesc, ConvDesc, NormOrder, Padding, PoolDesc, PoolKind, UnpoolDesc};
use graph::passes::{TrainingOptions, training};
use graph::{NetworkBuilder, Op, PoolingOp};
use runtime::eager::{Element, Given};
use runtime::{Eager, Program, Run, RuntimeError, RuntimeOptions, initialise};
use tensor::{Layout, Tensor};
use testkit::compare::{relative_l2, widen};
use testkit::{AdaptiveCase, Draw, PoolCase, gradient, unpool};

/// Engines of both layouts, with one and three threads.
fn engines() -> Vec<(String, Eager)> {
    let mut engines = Vec::new();
    for layout in Layout::ALL {
        for threads in [1, 3] {
            let options = RuntimeOptions {
                layout,
                threads,
                ..RuntimeOptions::default()
            };
            let name = format!("{layout}, {threads} threads");
            engines.push((name, Eager::new(options).unwrap()));
        }
    }
    engines
}

fn tensor<T: Element>(dims: &[usize], values: &[f64]) -> Tensor<T> {
    let values: Vec<T> = values.iter().map(|&v| T::of(v)).collect();
    Tensor::from_slice(dims, &values).unwrap()
}

/// One operator on numbers that f32 holds exactly.
struct Checked {
    op: Op,
    dims: Vec<usize>,
    x: Vec<f64>,
    /// Places, where the operator reads some.
    places: Option<Vec<u32>>,
    y_dims: Vec<usize>,
    dy: Vec<f64>,
}

impl Checked {
    fn new(op: Op, dims: Vec<usize>, y_dims: Vec<usize>) -> Self {
        let mut draw = Draw::new(31);
        // 1024ths far from each other and from 0, so that no difference crosses a kink.
        let len: usize = dims.iter().product();
        let choices: Vec<_> = (0..len).collect();
        let ranks = draw.distinct(&choices, len).into_iter();
        let centre = (len / 2) as f64 - 0.5;
        Self {
            x: ranks.map(|rank| (rank as f64 - centre) / 1024.0).collect(),
            dy: widen(&draw.reals(y_dims.iter().product())),
            op,
            dims,
            places: None,
            y_dims,
        }
    }

    /// Runs the operator and its gradient; checks them against `y` and `dx`, and those against
    /// difference quotients.
    fn check(&self, y: &[f64], dx: &[f64]) {
        for (engine, eager) in engines() {
            let problem = format!("{:?} {engine}", self.op);
            let (got, back) = self.run::<f64>(&eager, &self.x);
            assert_near(&problem, &got, y, 1e-12);
            assert_near(&problem, &back, dx, 1e-12);
            let (got, back) = self.run::<f32>(&eager, &self.x);
            assert_near(&problem, &got, y, 1e-5);
            assert_near(&problem, &back, dx, 1e-5);
        }
        let (_, eager) = engines().remove(0);
        let weighted = |x: &[f64]| {
            let y = self.with_given::<f64, _>(x, |given| self.forward(&eager, given));
            y.iter().zip(&self.dy).map(|(y, dy)| y * dy).sum()
        };
        gradient::check(weighted, &self.x, dx).unwrap_or_else(|e| panic!("{:?}: {e}", self.op));
    }

    /// What the operator makes of `x`, and the gradient of `x`.
    fn run<T: Element>(&self, eager: &Eager, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        self.with_given::<T, _>(x, |given| {
            let dy = tensor::<T>(&self.y_dims, &self.dy);
            let dx = eager.pullback(self.op.clone(), given, &dy, &[0]);
            (self.forward(eager, given), numbers(&dx.unwrap()[0]))
        })
    }

    fn forward<T: Element>(&self, eager: &Eager, given: &[Given<'_, T>]) -> Vec<f64> {
        let y = eager
            .apply(self.op.clone(), given)
            .unwrap()
            .remove(0)
            .real();
        assert_eq!(y.dims(), self.y_dims, "{:?}", self.op);
        numbers(&y)
    }

    fn with_given<T: Element, R>(&self, x: &[f64], f: impl FnOnce(&[Given<'_, T>]) -> R) -> R {
        let x = tensor::<T>(&self.dims, x);
        let places = self.places.as_ref();
        let places = places.map(|places| Tensor::from_slice(&self.dims, places).unwrap());
        let mut given = vec![Given::Real(&x)];
        given.extend(places.as_ref().map(Given::Index));
        f(&given)
    }
}

fn numbers<T: Element>(tensor: &Tensor<T>) -> Vec<f64> {
    tensor.data().iter().map(|v| v.wide()).collect()
}

#[track_caller]
fn assert_near(problem: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{problem}");
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        let near = got == want || (got - want).abs() <= tolerance * want.abs().max(1.0);
        assert!(near, "{problem}: element {index} is {got}, not {want}");
    }
}

/// Windows of one, two and three axes: dilated, padded unevenly, in ceil mode.
fn windows() -> Vec<PoolCase> {
    vec![
        PoolCase::new(2, 3, [9], [3]).stride([2]).padding([1]),
        PoolCase::new(1, 5, [6, 7], [3, 2])
            .stride([2, 3])
            .padding_sides([1, 0], [1, 1])
            .ceil(),
        PoolCase::new(1, 2, [7, 6], [2, 3]).dilation([2, 1]),
        PoolCase::new(2, 3, [3, 4, 5], [2, 3, 2]).stride([1, 2, 2]),
    ]
}

fn desc_of(case: &PoolCase, kind: PoolKind) -> PoolDesc {
    let sides = case.before.iter().copied().zip(case.after.iter().copied());
    PoolDesc {
        kind,
        ..PoolDesc::max(&case.kernel[..])
            .stride(&case.stride[..])
            .dilation(&case.dilation[..])
            .padding(Padding::Explicit(sides.collect()))
            .ceil(case.ceil)
    }
}

fn dims(batch: usize, channels: usize, spatial: &[usize]) -> Vec<usize> {
    [&[batch, channels], spatial].concat()
}

/// The orders with loops of their own, and one without.
fn orders() -> [(NormOrder, f64); 4] {
    [1.0, 2.0, 3.0, 1.5].map(|p| {
        let order = NormOrder::from_millionths((p * 1e6) as u64);
        (order.unwrap(), p)
    })
}

#[test]
fn windows_of_every_kind() {
    for case in windows() {
        let x = dims(case.batch, case.channels, &case.input);
        let y = dims(case.batch, case.channels, &case.output_size());
        let checked = |kind| {
            let desc = desc_of(&case, kind);
            let indices = kind == PoolKind::Max;
            Checked::new(Op::Pool { desc, indices }, x.clone(), y.clone())
        };
        let max = checked(PoolKind::Max);
        let want = case.max_forward(&max.x).values;
        max.check(&want, &case.max_backward(&max.x, &max.dy));
        for count_padding in [false, true] {
            let average = checked(PoolKind::Average { count_padding });
            average.check(
                &case.average_forward(&average.x, count_padding),
                &case.average_backward(&average.dy, count_padding),
            );
        }
        for (order, p) in orders() {
            let norm = checked(PoolKind::Lp { order });
            norm.check(
                &case.lp_forward(&norm.x, p),
                &case.lp_backward(&norm.x, &norm.dy, p),
            );
        }
    }
}

/// Fewer bins than elements, as many, more, and a single one.
fn bins() -> Vec<AdaptiveCase> {
    vec![
        AdaptiveCase::new(2, 3, [9], [4]),
        AdaptiveCase::new(1, 5, [6, 7], [3, 9]),
        AdaptiveCase::new(1, 2, [5, 4], [5, 4]),
        AdaptiveCase::new(2, 3, [3, 4, 5], [2, 1, 3]),
        AdaptiveCase::new(2, 5, [4, 6], [1, 1]),
    ]
}

#[test]
fn bins_of_every_kind() {
    for case in bins() {
        let x = dims(case.batch, case.channels, &case.input);
        let y = dims(case.batch, case.channels, &case.output);
        let checked = |desc, indices| {
            let op = PoolingOp::Adaptive { desc, indices };
            Checked::new(Op::Pooling(op), x.clone(), y.clone())
        };
        let output = &case.output[..];
        let max = checked(AdaptiveDesc::max(output), true);
        let want = case.max_forward(&max.x).values;
        max.check(&want, &case.max_backward(&max.x, &max.dy));
        let average = checked(AdaptiveDesc::average(output), false);
        average.check(
            &case.average_forward(&average.x),
            &case.average_backward(&average.dy),
        );
        for (order, p) in orders() {
            let norm = checked(AdaptiveDesc::lp(order, output), false);
            norm.check(
                &case.lp_forward(&norm.x, p),
                &case.lp_backward(&norm.x, &norm.dy, p),
            );
        }
    }
}

#[test]
fn means_of_planes() {
    for spatial in [&[9][..], &[4, 5], &[2, 3, 4]] {
        let case = PoolCase::global(2, 3, spatial);
        let y = dims(2, 3, &vec![1; spatial.len()]);
        let mean = Checked::new(Op::GlobalAveragePool, dims(2, 3, spatial), y);
        mean.check(
            &case.average_forward(&mean.x, true),
            &case.average_backward(&mean.dy, true),
        );
    }
}

#[test]
fn values_return_to_their_places() {
    // Side by side, so that no two share a place: the gradient of a value that is written over is a
    // convention that differences do not know.
    for (case, desc) in [
        (
            PoolCase::new(2, 17, [6, 9], [2, 3]).stride([2, 3]),
            UnpoolDesc::new([2, 3]),
        ),
        (
            PoolCase::new(1, 3, [7], [3]).stride([3]),
            UnpoolDesc::new(3).output(7),
        ),
        (
            PoolCase::new(2, 2, [4, 2, 5], [2, 1, 2]).stride([2, 1, 3]),
            UnpoolDesc::new([2, 1, 2]).stride([2, 1, 3]),
        ),
    ] {
        let pooled = dims(case.batch, case.channels, &case.output_size());
        let image = dims(case.batch, case.channels, &case.input);
        let drawn = widen(&Draw::new(5).reals(case.input_len()));
        let places = case.max_forward(&drawn).indices;
        let mut checked = Checked::new(
            Op::Pooling(PoolingOp::MaxUnpool { desc: desc.clone() }),
            pooled.clone(),
            image,
        );
        let raw: Vec<u32> = places.iter().map(|p| p.unwrap() as u32).collect();
        checked.places = Some(raw.clone());
        let planes = case.batch * case.channels;
        let area = case.input.iter().product();
        checked.check(
            &unpool::forward(&checked.x, &places, planes, area),
            &unpool::backward(&checked.dy, &places, planes, area),
        );

        // The same by the methods users call.
        for (engine, eager) in engines() {
            let x = tensor::<f32>(&dims(case.batch, case.channels, &case.input), &drawn);
            let window = desc_of(&case, PoolKind::Max);
            let (y, indices) = eager.max_pool_with_indices(&x, window).unwrap();
            assert_eq!(indices.data(), raw, "{engine}");
            let back = eager.max_unpool(&y, &indices, desc.clone()).unwrap();
            let want = unpool::forward(&widen(y.data()), &places, planes, area);
            assert_eq!(widen(back.data()), want, "{engine}");
        }
    }
}

#[test]
fn methods_give_what_their_operators_give() {
    let x = widen(&Draw::new(6).reals(2 * 3 * 5 * 7));
    let case = PoolCase::new(2, 3, [5, 7], [2, 3]).stride([2, 2]);
    let bins = AdaptiveCase::new(2, 3, [5, 7], [2, 4]);
    let plane = PoolCase::global(2, 3, [5, 7]);
    let of = |kind| desc_of(&case, kind);
    for (engine, eager) in engines() {
        let x_map = tensor::<f64>(&[2, 3, 5, 7], &x);
        let near = |got: Result<Tensor<f64>, RuntimeError>, want: &[f64]| {
            assert_near(&engine, got.unwrap().data(), want, 1e-12);
        };
        let order = NormOrder::TWO;
        // The kind of the method counts, not that of the descriptor.
        let max = of(PoolKind::Max);
        let average = of(PoolKind::Average {
            count_padding: false,
        });
        near(
            eager.max_pool(&x_map, average.clone()),
            &case.max_forward(&x).values,
        );
        near(
            eager.average_pool(&x_map, max.clone()),
            &case.average_forward(&x, true),
        );
        near(
            eager.average_pool(&x_map, average),
            &case.average_forward(&x, false),
        );
        near(eager.lp_pool(&x_map, order, max), &case.lp_forward(&x, 2.0));
        near(
            eager.adaptive_average_pool(&x_map, [2, 4]),
            &bins.average_forward(&x),
        );
        near(
            eager.adaptive_max_pool(&x_map, [2, 4]),
            &bins.max_forward(&x).values,
        );
        let (values, places) = eager
            .adaptive_max_pool_with_indices(&x_map, [2, 4])
            .unwrap();
        let want = bins.max_forward(&x);
        assert_near(&engine, values.data(), &want.values, 0.0);
        let places: Vec<_> = places.data().iter().map(|&p| Some(p as usize)).collect();
        assert_eq!(places, want.indices, "{engine}");
        near(
            eager.global_average_pool(&x_map),
            &plane.average_forward(&x, true),
        );
        near(eager.global_max_pool(&x_map), &plane.max_forward(&x).values);
        near(
            eager.global_lp_pool(&x_map, order),
            &plane.lp_forward(&x, 2.0),
        );
    }
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    for (engine, eager) in engines() {
        let x = tensor::<f32>(&[0, 3, 4, 4], &[]);
        let empty = |y: Tensor<f32>, dims: &[usize]| {
            assert_eq!((y.dims(), y.data().len()), (dims, 0), "{engine}");
        };
        let desc = PoolDesc::max(2).stride(2);
        empty(eager.max_pool(&x, desc.clone()).unwrap(), &[0, 3, 2, 2]);
        let order = NormOrder::TWO;
        empty(
            eager.lp_pool(&x, order, desc.clone()).unwrap(),
            &[0, 3, 2, 2],
        );
        empty(eager.adaptive_max_pool(&x, 3).unwrap(), &[0, 3, 3, 3]);
        empty(eager.global_lp_pool(&x, order).unwrap(), &[0, 3, 1, 1]);
        let (y, places) = eager.max_pool_with_indices(&x, desc).unwrap();
        let back = eager.max_unpool(&y, &places, UnpoolDesc::new(2));
        empty(back.unwrap(), &[0, 3, 4, 4]);
    }
}

#[test]
fn what_has_no_meaning_is_refused_with_the_numbers() {
    let (_, eager) = engines().remove(0);
    let x = tensor::<f32>(&[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let refused = |result: Result<Tensor<f32>, RuntimeError>, parts: &[&str]| {
        let error = result.unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "'{part}' in: {error}");
        }
    };
    refused(
        eager.max_pool(&x, PoolDesc::max(3)),
        &["pool", "[1, 1, 2, 2]", "spans 3", "padded input 2"],
    );
    refused(
        eager.adaptive_average_pool(&x, 0),
        &["adaptive average pool", "output size", "not 0"],
    );
    refused(
        eager.adaptive_max_pool(&x, [1, 2, 3]),
        &["adaptive max pool", "names 3 axes", "2 spatial axes"],
    );
    let flat = tensor::<f32>(&[1, 4], &[0.0; 4]);
    refused(eager.global_max_pool(&flat), &["[1, 4]"]);
    let places = |dims: &[usize], places: &[u32]| Tensor::from_slice(dims, places).unwrap();
    let unpool = UnpoolDesc::new(2);
    refused(
        eager.max_unpool(&x, &places(&[1, 1, 4], &[0; 4]), unpool.clone()),
        &["max unpool", "indices [1, 1, 4]", "[1, 1, 2, 2]"],
    );
    refused(
        eager.max_unpool(&x, &places(&[1, 1, 2, 2], &[0, 1, 16, 3]), unpool.clone()),
        &["max unpool", "place 16", "element 2", "16 elements"],
    );
    refused(
        eager.max_unpool(&x, &places(&[1, 1, 2, 2], &[0; 4]), unpool.output(6)),
        &["max unpool", "unpool to 6", "from 4", "stride of 2"],
    );
}

#[test]
fn a_network_of_pools_learns_alike_in_both_layouts() {
    let mut network = NetworkBuilder::new("pools", [2, 3, 12, 12]);
    let x = network.input();
    let x = network
        .conv("conv", x, ConvDesc::new(20, 3).padding(1), true)
        .unwrap();
    let (y, indices) = network
        .max_pool_with_indices("pool", x, PoolDesc::max(3).stride(2).padding(1))
        .unwrap();
    let y = network
        .pool("norm", y, PoolDesc::lp(NormOrder::TWO, 3).padding(1))
        .unwrap();
    let desc = UnpoolDesc::new(3).stride(2).padding(1).output(12);
    let y = network.max_unpool("unpool", y, indices, desc).unwrap();
    let y = network.adaptive_average_pool("avg", y, [7, 5]).unwrap();
    let y = network.adaptive_max_pool("max", y, 3).unwrap();
    let max = network.global_max_pool(y).unwrap();
    let norm = network.global_lp_pool(y, NormOrder::ONE).unwrap();
    let y = network.concat(&[max, norm]).unwrap();
    let y = network.flatten(y).unwrap();
    let logits = network.linear("fc", y, 5).unwrap();
    let network = network.finish(logits).unwrap();
    let step = training(&network, TrainingOptions::default()).unwrap();

    let images = Draw::new(1).reals(2 * 3 * 12 * 12);
    let runs: Vec<_> = Layout::ALL
        .into_iter()
        .map(|layout| {
            let options = RuntimeOptions {
                layout,
                threads: 2,
                ..RuntimeOptions::default()
            };
            let mut program = Program::new(step.clone(), &options).unwrap();
            initialise(&mut program, 3);
            program.input_f32(0).copy_from_slice(&images);
            program.input_index(1).copy_from_slice(&[4, 1]);
            program.run(Run::default());
            (program.output(0)[0], program.gradients().to_vec())
        })
        .collect();
    let ((loss, gradients), (other_loss, others)) = (&runs[0], &runs[1]);
    assert!(loss.is_finite() && (loss - other_loss).abs() < 1e-5);
    let error = relative_l2(gradients, &widen(others));
    assert!(error < 1e-4, "{error}");
    assert!(gradients.iter().any(|g| g.abs() > 1e-3));
}
