use kernels::norm::{self, Gate, GradientMaps, NormGeometry, NormTraining, reference};
use kernels::{Activation, Context, Real};
use tensor::Layout;
use testkit::compare::{assert_exact, widen};
use testkit::normalise::{BatchNorm, Statistics};
use testkit::{Draw, gradient};

use crate::every::{MAPS, TIGHT, as_nchw, assert_within, laid_out, reals, result, rounded, run};

const EPSILON: f32 = 1e-5;
const MOMENTUM: f32 = 0.1;
const ACTIVATIONS: [Option<Activation>; 3] =
    [None, Some(Activation::Relu), Some(Activation::Relu6)];

/// A problem and its numbers, maps in NCHW.
#[derive(Clone)]
struct Problem<T> {
    shape: (usize, usize, usize),
    layout: Layout,
    activation: Option<Activation>,
    has_residual: bool,
    x: Vec<T>,
    residual: Vec<T>,
    dy: Vec<T>,
    gamma: Vec<T>,
    beta: Vec<T>,
    mean: Vec<T>,
    variance: Vec<T>,
}

/// `y, mean, inverse deviation, running mean, running variance` of training.
const FORWARD: [&str; 5] = ["y", "mean", "inv_std", "running mean", "running variance"];

impl Problem<f64> {
    fn draw(shape: (usize, usize, usize), layout: Layout) -> Self {
        let (batch, channels, area) = shape;
        let mut draw = Draw::new(channels as u64);
        let len = batch * channels * area;
        let x = reals(&mut draw, len).into_iter().enumerate();
        // Every channel has its own scale and mean.
        let x = x.map(|(i, v)| {
            let channel = (i / area % channels) as f64;
            v * (1.0 + channel) + 3.0 * channel
        });
        let mut around = |middle: f64, len| -> Vec<f64> {
            let values = reals(&mut draw, len);
            values.iter().map(|v| middle + v).collect()
        };
        Self {
            shape,
            layout,
            activation: None,
            has_residual: false,
            x: x.collect(),
            residual: around(0.0, len),
            dy: around(0.0, len),
            // Large enough for ReLU6 to cut on both sides.
            gamma: around(4.0, channels),
            beta: around(2.0, channels),
            mean: around(0.0, channels),
            variance: around(2.0, channels),
        }
    }

    /// Every kind of problem on every map.
    fn all() -> impl Iterator<Item = Self> {
        let maps = MAPS.into_iter().filter(|(batch, _, area)| batch * area > 1);
        maps.flat_map(|shape| Layout::ALL.map(|layout| (shape, layout)))
            .zip((0..).zip(ACTIVATIONS.into_iter().cycle()))
            .map(|((shape, layout), (index, activation))| Self {
                activation,
                has_residual: index % 2 == 1,
                ..Self::draw(shape, layout)
            })
    }

    fn oracle(&self) -> BatchNorm {
        let (batch, channels, spatial) = self.shape;
        BatchNorm {
            batch,
            channels,
            spatial,
            epsilon: f64::from(EPSILON),
        }
    }

    /// The statistics given, which inference normalises with.
    fn given(&self) -> Statistics {
        Statistics {
            mean: self.mean.clone(),
            variance: self.variance.clone(),
        }
    }

    /// The output by the oracle.
    fn output(&self, statistics: &Statistics) -> Vec<f64> {
        let oracle = self.oracle();
        let mut y = oracle.forward(&self.x, &self.gamma, &self.beta, statistics);
        if self.has_residual {
            y.iter_mut().zip(&self.residual).for_each(|(y, r)| *y += r);
        }
        match self.activation {
            None => y,
            Some(Activation::Relu) => testkit::activation::relu(&y),
            Some(Activation::Relu6) => testkit::activation::relu6(&y),
        }
    }

    /// What of `dy` passes an activation with the output `y`.
    fn passed(&self, y: &[f64]) -> Vec<f64> {
        let pairs = y.iter().zip(&self.dy);
        let passes = |y: f64| self.activation.is_none_or(|a| a.passes(y));
        pairs
            .map(|(&y, &dy)| if passes(y) { dy } else { 0.0 })
            .collect()
    }

    fn in_f32(&self) -> Problem<f32> {
        Problem {
            shape: self.shape,
            layout: self.layout,
            activation: self.activation,
            has_residual: self.has_residual,
            x: rounded(&self.x),
            residual: rounded(&self.residual),
            dy: rounded(&self.dy),
            gamma: rounded(&self.gamma),
            beta: rounded(&self.beta),
            mean: rounded(&self.mean),
            variance: rounded(&self.variance),
        }
    }
}

impl<T: Real> Problem<T> {
    fn name(&self) -> String {
        let Self {
            shape,
            layout,
            activation,
            has_residual,
            ..
        } = self;
        format!("norm {layout} {shape:?} {activation:?} residual {has_residual}")
    }

    fn geometry(&self) -> NormGeometry {
        let (batch, channels, area) = self.shape;
        NormGeometry {
            batch,
            channels,
            area,
            layout: self.layout,
        }
    }

    fn options(&self) -> NormTraining {
        NormTraining {
            epsilon: EPSILON,
            momentum: MOMENTUM,
            activation: self.activation,
        }
    }

    fn map(&self, nchw: &[T]) -> Vec<T> {
        laid_out(self.layout, nchw, self.shape.0, self.shape.1)
    }

    fn nchw(&self, map: &[T]) -> Vec<T> {
        as_nchw(self.layout, map, self.shape.0, self.shape.1)
    }

    /// The vectors of [`FORWARD`].
    fn training(&self, ctx: &Context) -> Vec<Vec<T>> {
        let channels = self.shape.1;
        let residual = self.map(&self.residual);
        let (mut mean, mut inv_std) = (result(channels), result(channels));
        let (mut running_mean, mut running_var) = (self.mean.clone(), self.variance.clone());
        let mut y = result(self.x.len());
        reference::forward_training(
            ctx,
            &self.geometry(),
            self.options(),
            &self.map(&self.x),
            self.has_residual.then_some(&residual[..]),
            &self.gamma,
            &self.beta,
            &mut running_mean,
            &mut running_var,
            &mut mean,
            &mut inv_std,
            &mut y,
        );
        vec![self.nchw(&y), mean, inv_std, running_mean, running_var]
    }

    fn inference(&self, ctx: &Context) -> Vec<T> {
        let residual = self.map(&self.residual);
        let mut y = result(self.x.len());
        reference::inference(
            ctx,
            &self.geometry(),
            EPSILON,
            self.activation,
            &self.map(&self.x),
            self.has_residual.then_some(&residual[..]),
            &self.gamma,
            &self.beta,
            &self.mean,
            &self.variance,
            &mut y,
        );
        self.nchw(&y)
    }

    /// The vectors of [`FORWARD`] in training, in inference `y` alone.
    fn forward(&self, ctx: &Context, training: bool) -> Vec<Vec<T>> {
        if training {
            self.training(ctx)
        } else {
            vec![self.inference(ctx)]
        }
    }

    /// `dx, dgamma, dbeta, dresidual` of training, or of inference where there are no statistics of
    /// the batch.
    fn backward(
        &self,
        ctx: &Context,
        gate: Gate<'_, T>,
        of_batch: Option<(&[T], &[T])>,
    ) -> Vec<Vec<T>> {
        let (len, channels) = (self.x.len(), self.shape.1);
        let (mut dx, mut dresidual) = (result(len), result(len));
        let (mut dgamma, mut dbeta) = (result(channels), result(channels));
        let (x, dy) = (self.map(&self.x), self.map(&self.dy));
        let out = self.has_residual.then_some(&mut dresidual[..]);
        let geometry = &self.geometry();
        let gamma = &self.gamma;
        match of_batch {
            Some((mean, inv_std)) => reference::backward(
                ctx,
                geometry,
                gate,
                &dy,
                &x,
                gamma,
                mean,
                inv_std,
                &mut dx,
                &mut dgamma,
                &mut dbeta,
                out,
            ),
            None => reference::inference_backward(
                ctx,
                geometry,
                EPSILON,
                gate,
                &dy,
                &x,
                gamma,
                &self.mean,
                &self.variance,
                &mut dx,
                &mut dgamma,
                &mut dbeta,
                out,
            ),
        }
        let mut results = vec![self.nchw(&dx), dgamma, dbeta];
        results.extend(self.has_residual.then(|| self.nchw(&dresidual)));
        results
    }

    /// The gate of an output in the problem's layout.
    fn gate<'a>(&self, y: &'a [T]) -> Gate<'a, T> {
        match self.activation {
            None => Gate::Open,
            Some(activation) => Gate::Output { activation, y },
        }
    }
}

#[test]
fn training_and_inference_equal_the_oracle_in_f64() {
    for problem in Problem::all() {
        let name = problem.name();
        let oracle = problem.oracle();
        let of_batch = oracle.statistics(&problem.x);
        // Nothing here is larger than a hundred before it is divided by a deviation near one.
        let sizes = vec![100.0; problem.x.len()];

        let got = run(&name, |ctx| problem.training(ctx));
        let inv_std = of_batch
            .variance
            .iter()
            .map(|v| 1.0 / (v + oracle.epsilon).sqrt());
        let running = oracle.running(&problem.given(), &of_batch, f64::from(MOMENTUM));
        let wants = [
            problem.output(&of_batch),
            of_batch.mean.clone(),
            inv_std.collect(),
            running.mean,
            running.variance,
        ];
        for ((what, got), want) in FORWARD.iter().zip(&got).zip(&wants) {
            let name = format!("{name}: {what}");
            assert_within(&name, got, want, &sizes[..want.len()], TIGHT);
        }

        let got = run(&name, |ctx| vec![problem.inference(ctx)]);
        let want = problem.output(&problem.given());
        assert_within(&name, &got[0], &want, &sizes, TIGHT);
    }
}

#[test]
fn gradients_equal_the_oracle_in_f64() {
    for problem in Problem::all() {
        let oracle = problem.oracle();
        let (x, gamma) = (&problem.x, &problem.gamma);
        for training in [true, false] {
            let name = format!("{} training {training}", problem.name());
            let made = run(&name, |ctx| problem.forward(ctx, training));
            let saved = training.then(|| (&made[1][..], &made[2][..]));
            let y = problem.map(&made[0]);
            let got = run(&name, |ctx| problem.backward(ctx, problem.gate(&y), saved));
            let g = problem.passed(&made[0]);
            let want = if training {
                oracle.backward_training(x, gamma, &g)
            } else {
                oracle.backward_inference(x, gamma, &g, &problem.given())
            };
            let channels = problem.shape.1;
            // Sums of gradients below one times values below a hundred.
            let count = (x.len() / channels) as f64;
            let sizes = vec![100.0 * count; channels];
            assert_within(
                &format!("{name}: dgamma"),
                &got[1],
                &want.dgamma,
                &sizes,
                TIGHT,
            );
            assert_within(
                &format!("{name}: dbeta"),
                &got[2],
                &want.dbeta,
                &sizes,
                TIGHT,
            );
            let sizes = vec![1_000.0; x.len()];
            assert_within(&format!("{name}: dx"), &got[0], &want.dx, &sizes, TIGHT);
            if problem.has_residual {
                assert_exact(&format!("{name}: dresidual"), &got[3], &g);
            } else if let Some(activation) = problem.activation {
                let beta = &problem.beta[..];
                let gate = Gate::Recomputed { activation, beta };
                let again = run(&name, |ctx| problem.backward(ctx, gate, saved));
                assert_eq!(got, again, "{name}: the activation computed again");
            }
        }
    }
}

/// `⟨dy, y⟩` differentiated by everything the gradient is wanted of.
#[test]
fn gradients_are_slopes() {
    for layout in Layout::ALL {
        for (activation, has_residual) in ACTIVATIONS.map(|a| [(a, false), (a, true)]).concat() {
            let problem = Problem {
                activation,
                has_residual,
                ..Problem::draw((3, 2, 4), layout)
            };
            for training in [true, false] {
                let name = format!("{} training {training}", problem.name());
                let forward =
                    |problem: &Problem<f64>| run(&name, |ctx| problem.forward(ctx, training));
                let made = forward(&problem);
                let y = problem.map(&made[0]);
                let got = run(&name, |ctx| {
                    let of_batch = training.then(|| (&made[1][..], &made[2][..]));
                    problem.backward(ctx, problem.gate(&y), of_batch)
                });
                let slope = |moved: &dyn Fn(&mut Problem<f64>, Vec<f64>), at: &[f64]| {
                    let mut moved_problem = problem.clone();
                    moved(&mut moved_problem, at.to_vec());
                    let y = &forward(&moved_problem)[0];
                    y.iter().zip(&problem.dy).map(|(y, dy)| y * dy).sum::<f64>()
                };
                let check = |what: &str,
                             moved: &dyn Fn(&mut Problem<f64>, Vec<f64>),
                             at: &[f64],
                             analytic: &[f64]| {
                    if let Err(mismatch) = gradient::check(|at| slope(moved, at), at, analytic) {
                        panic!("{name}: {what}: {mismatch}");
                    }
                };
                check("x", &|p, at| p.x = at, &problem.x, &got[0]);
                check("gamma", &|p, at| p.gamma = at, &problem.gamma, &got[1]);
                check("beta", &|p, at| p.beta = at, &problem.beta, &got[2]);
                if has_residual {
                    let residual = &problem.residual;
                    check("residual", &|p, at| p.residual = at, residual, &got[3]);
                }
            }
        }
    }
}

/// A dozen roundings of f32 on the way to an output; 64 additions in a sum.
#[test]
fn the_quick_kernels_are_near_the_definition() {
    let unit = 1.0 / f64::from(1 << 24);
    for problem in Problem::all() {
        let problem = problem.in_f32();
        let (len, channels) = (problem.x.len(), problem.shape.1);
        let name = problem.name();
        let geometry = problem.geometry();
        let [x, dy, residual] =
            [&problem.x, &problem.dy, &problem.residual].map(|v| problem.map(v));
        let made = run(&name, |ctx| problem.training(ctx));
        let quick = run(&name, |ctx| {
            let (mut y, mut mean, mut inv_std) = (result(len), result(channels), result(channels));
            let (mut running_mean, mut running_var) =
                (problem.mean.clone(), problem.variance.clone());
            norm::forward_training(
                ctx,
                &geometry,
                problem.options(),
                &x,
                problem.has_residual.then_some(&residual[..]),
                &problem.gamma,
                &problem.beta,
                &mut running_mean,
                &mut running_var,
                &mut mean,
                &mut inv_std,
                &mut y,
                &mut result(geometry.scratch_len()),
            );
            vec![problem.nchw(&y), mean, inv_std, running_mean, running_var]
        });
        for ((what, quick), made) in FORWARD.iter().zip(&quick).zip(&made) {
            let sizes = vec![100.0; made.len()];
            let name = format!("{name}: {what}");
            assert_within(&name, quick, &widen(made), &sizes, 16.0 * unit);
        }

        let y = problem.map(&made[0]);
        let (mean, inv_std) = (&made[1][..], &made[2][..]);
        let slow = run(&name, |ctx| {
            problem.backward(ctx, problem.gate(&y), Some((mean, inv_std)))
        });
        let quick = run(&name, |ctx| {
            let (mut dx, mut dresidual) = (result(len), result(len));
            let (mut dgamma, mut dbeta) = (result(channels), result(channels));
            norm::backward(
                ctx,
                &geometry,
                problem.gate(&y),
                GradientMaps::Apart {
                    dy: &dy,
                    dx: &mut dx,
                    dresidual: problem.has_residual.then_some(&mut dresidual[..]),
                },
                &x,
                &problem.gamma,
                mean,
                inv_std,
                &mut dgamma,
                &mut dbeta,
                &mut result(geometry.scratch_len()),
            );
            let mut results = vec![problem.nchw(&dx), dgamma, dbeta];
            results.extend(problem.has_residual.then(|| problem.nchw(&dresidual)));
            results
        });
        let count = (len / channels) as f64;
        for (place, (quick, slow)) in quick.iter().zip(&slow).enumerate() {
            let size = if place == 0 { 10.0 } else { 2.0 * count };
            let sizes = vec![size; slow.len()];
            let name = format!("{name}: gradient {place}");
            assert_within(&name, quick, &widen(slow), &sizes, 80.0 * unit);
        }
    }
}

#[test]
fn an_empty_batch_leaves_the_running_statistics() {
    for layout in Layout::ALL {
        let problem = Problem::draw((0, 3, 4), layout);
        let got = run("empty", |ctx| problem.training(ctx));
        assert_eq!((&got[3], &got[4]), (&problem.mean, &problem.variance));
        let gradients = run("empty", |ctx| {
            problem.backward(ctx, Gate::Open, Some((&got[1], &got[2])))
        });
        assert_exact("dgamma", &gradients[1], &[0.0; 3]);
        assert_exact("dbeta", &gradients[2], &[0.0; 3]);
    }
}

#[test]
fn a_nan_spoils_its_channel_only() {
    for layout in Layout::ALL {
        let mut problem = Problem::draw((2, 3, 5), layout);
        problem.x[7] = f64::NAN;
        problem.activation = Some(Activation::Relu);
        let got = run("nan", |ctx| problem.training(ctx));
        for (i, y) in got[0].iter().enumerate() {
            assert_eq!(y.is_nan(), i / 5 % 3 == 1, "element {i} is {y}");
        }
    }
}
