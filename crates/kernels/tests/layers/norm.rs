use kernels::Activation;
use kernels::norm::{
    Gate, GradientMaps, NormGeometry, NormTraining, backward, forward_training, inference,
    inference_backward,
};
use tensor::Layout;
use testkit::Draw;
use testkit::compare::{assert_close, widen};
use testkit::normalise::{BatchNorm, Statistics};

use crate::every::{AREAS, CHANNELS, as_nchw, laid_out, operand, result, way};

/// One rounding of f32.
const UNIT: f64 = 1.0 / (1u64 << 24) as f64;

const EPSILON: f32 = 1e-5;

/// A problem and its numbers, maps in NCHW.
struct Problem {
    norm: BatchNorm,
    x: Vec<f32>,
    residual: Vec<f32>,
    dy: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    old: [Vec<f32>; 2],
}

impl Problem {
    fn draw(batch: usize, channels: usize, area: usize) -> Self {
        let norm = BatchNorm {
            batch,
            channels,
            spatial: area,
            epsilon: f64::from(EPSILON),
        };
        let mut draw = Draw::new((batch * 1000 + channels) as u64);
        let len = batch * channels * area;
        let x = draw.reals(len);
        // Every channel has its own scale and mean.
        let place = |i: usize| (i / area % channels) as f32;
        let x = x
            .iter()
            .enumerate()
            .map(|(i, v)| v * (1.0 + place(i)) + 3.0 * place(i));
        Self {
            norm,
            x: x.collect(),
            residual: draw.reals(len),
            dy: draw.reals(len),
            // Large enough for ReLU6 to cut on both sides.
            gamma: draw.reals(channels).iter().map(|g| 4.0 + g).collect(),
            beta: draw.reals(channels).iter().map(|b| 2.0 + b).collect(),
            old: [
                draw.reals(channels),
                draw.reals(channels).iter().map(|v| 2.0 + v).collect(),
            ],
        }
    }

    fn geometry(&self, layout: Layout) -> NormGeometry {
        NormGeometry {
            batch: self.norm.batch,
            channels: self.norm.channels,
            area: self.norm.spatial,
            layout,
        }
    }

    fn name(&self, layout: Layout) -> String {
        let BatchNorm {
            batch,
            channels,
            spatial,
            ..
        } = self.norm;
        format!("norm {layout} {batch}x{channels}x{spatial}")
    }

    fn map(&self, layout: Layout, nchw: &[f32]) -> Vec<f32> {
        laid_out(layout, nchw, self.norm.batch, self.norm.channels)
    }

    fn nchw(&self, layout: Layout, map: &[f32]) -> Vec<f32> {
        as_nchw(layout, map, self.norm.batch, self.norm.channels)
    }

    fn per_element(&self, values: &[f64]) -> Vec<f64> {
        let channel = |i: usize| i / self.norm.spatial % self.norm.channels;
        (0..self.x.len()).map(|i| values[channel(i)]).collect()
    }

    /// The result of the oracle, and the error that a dozen roundings of the terms may make.
    fn forward(
        &self,
        statistics: &Statistics,
        residual: bool,
        activation: Option<Activation>,
    ) -> (Vec<f64>, Vec<f64>) {
        let (gamma, beta) = (widen(&self.gamma), widen(&self.beta));
        let y = self
            .norm
            .forward(&widen(&self.x), &gamma, &beta, statistics);
        let deviation: Vec<f64> = statistics
            .variance
            .iter()
            .map(|v| (v + self.norm.epsilon).sqrt())
            .collect();
        let (mean, deviation) = (
            self.per_element(&statistics.mean),
            self.per_element(&deviation),
        );
        let (gamma, beta) = (self.per_element(&gamma), self.per_element(&beta));
        (0..y.len())
            .map(|i| {
                let added = if residual {
                    f64::from(self.residual[i])
                } else {
                    0.0
                };
                let size =
                    gamma[i].abs() * (f64::from(self.x[i]).abs() + mean[i].abs()) / deviation[i];
                let bound = 12.0 * UNIT * (size + beta[i].abs() + added.abs());
                let y = y[i] + added;
                let y = match activation {
                    None => y,
                    Some(Activation::Relu) => y.max(0.0),
                    Some(Activation::Relu6) => y.clamp(0.0, 6.0),
                };
                (y, bound)
            })
            .unzip()
    }

    fn old(&self) -> Statistics {
        Statistics {
            mean: widen(&self.old[0]),
            variance: widen(&self.old[1]),
        }
    }
}

/// All channels with all areas, and shapes of many chunks: many pixels, many images, large planes.
fn shapes() -> Vec<(usize, usize, usize)> {
    let mut shapes = CHANNELS.map(|c| AREAS.map(|area| (3, c, area))).concat();
    shapes.extend([
        (3, 3, 9_000),
        (70, 2, 500),
        (1, 2, 40_000),
        (300, 130, 1),
        (130, 17, 4),
        // More channels than a task takes, in either layout.
        (2, 600, 3),
        (2, 530, 70),
    ]);
    shapes
}

const ACTIVATIONS: [Option<Activation>; 3] =
    [None, Some(Activation::Relu), Some(Activation::Relu6)];

#[test]
fn training_equals_the_oracle() {
    for (index, (batch, channels, area)) in shapes().into_iter().enumerate() {
        let problem = Problem::draw(batch, channels, area);
        let activation = ACTIVATIONS[index % 3];
        let residual = index % 2 == 1;
        let statistics = problem.norm.statistics(&widen(&problem.x));
        let options = NormTraining {
            epsilon: EPSILON,
            momentum: 0.1,
            activation,
        };
        for layout in Layout::ALL {
            let geometry = problem.geometry(layout);
            let x = problem.map(layout, &problem.x);
            let added = problem.map(layout, &problem.residual);
            way(
                &problem.name(layout),
                |context| {
                    let mut y = result(x.len());
                    let (mut mean, mut inv_std) = (result(channels), result(channels));
                    let [mut running_mean, mut running_var] =
                        [0, 1].map(|k| operand(&problem.old[k]));
                    let added = operand(&added);
                    forward_training(
                        context,
                        &geometry,
                        options,
                        &operand(&x),
                        residual.then_some(&added[..]),
                        &operand(&problem.gamma),
                        &operand(&problem.beta),
                        &mut running_mean,
                        &mut running_var,
                        &mut mean,
                        &mut inv_std,
                        &mut y,
                        &mut result(geometry.scratch_len()),
                    );
                    let mut results = vec![problem.nchw(layout, &y)];
                    results.extend([mean, inv_std, running_mean, running_var].map(|v| v.to_vec()));
                    results
                },
                |name, got| {
                    // Every number may be off by some roundings of what it is made of.
                    let close = |what: &str, got: &[f32], want: &[f64], sizes: &[&[f64]]| {
                        let bound =
                            |c: usize| 16.0 * UNIT * sizes.iter().map(|s| s[c].abs()).sum::<f64>();
                        let bound: Vec<f64> = (0..channels).map(bound).collect();
                        assert_close(&format!("{name}: {what}"), got, want, &bound);
                    };
                    let (want, bound) = problem.forward(&statistics, residual, activation);
                    assert_close(name, &got[0], &want, &bound);
                    let Statistics { mean, variance } = &statistics;
                    let deviation: Vec<f64> = variance.iter().map(|v| v.sqrt()).collect();
                    close("mean", &got[1], mean, &[mean, &deviation]);
                    let inv_std = variance.iter().map(|v| (v + problem.norm.epsilon).sqrt());
                    let inv_std: Vec<f64> = inv_std.map(|d| 1.0 / d).collect();
                    close("inverse deviation", &got[2], &inv_std, &[&inv_std]);
                    let old = problem.old();
                    let running = problem.norm.running(&old, &statistics, f64::from(0.1f32));
                    let sizes: [&[f64]; 3] = [mean, &deviation, &old.mean];
                    close("running mean", &got[3], &running.mean, &sizes);
                    let sizes: [&[f64]; 1] = [&running.variance];
                    close("running variance", &got[4], &running.variance, &sizes);
                },
            );
        }
    }
}

/// A map larger than the caches, 16 MiB, which is written past them in either layout.
const LARGE: (usize, usize, usize) = (1, 96, 44_032);

#[test]
fn inference_equals_the_oracle() {
    for (index, (batch, channels, area)) in shapes().into_iter().chain([LARGE]).enumerate() {
        let problem = Problem::draw(batch, channels, area);
        let activation = ACTIVATIONS[index % 3];
        let residual = index % 2 == 0;
        let (want, bound) = problem.forward(&problem.old(), residual, activation);
        for layout in Layout::ALL {
            let x = problem.map(layout, &problem.x);
            let added = problem.map(layout, &problem.residual);
            way(
                &problem.name(layout),
                |context| {
                    let mut y = result(x.len());
                    let added = operand(&added);
                    inference(
                        context,
                        &problem.geometry(layout),
                        EPSILON,
                        activation,
                        (&operand(&x), channels),
                        residual.then_some(&added[..]),
                        &operand(&problem.gamma),
                        &operand(&problem.beta),
                        &operand(&problem.old[0]),
                        &operand(&problem.old[1]),
                        &mut y,
                    );
                    vec![problem.nchw(layout, &y)]
                },
                |name, got| assert_close(name, &got[0], &want, &bound),
            );
        }
    }
}

#[test]
fn inference_reads_the_first_channels_of_a_wider_map() {
    for (batch, channels, area, besides) in [(2, 5, 12, 3), (1, 64, 9, 32), (2, 70, 7, 1)] {
        let problem = Problem::draw(batch, channels, area);
        let (want, bound) = problem.forward(&problem.old(), false, None);
        let map = problem.map(Layout::Nhwc, &problem.x);
        let mut wide = Vec::new();
        for pixel in map.chunks_exact(channels) {
            wide.extend_from_slice(pixel);
            wide.extend(std::iter::repeat_n(f32::NAN, besides));
        }
        way(
            &format!("{} and {besides} besides", problem.name(Layout::Nhwc)),
            |context| {
                let mut y = result(map.len());
                inference(
                    context,
                    &problem.geometry(Layout::Nhwc),
                    EPSILON,
                    None,
                    (&operand(&wide), channels + besides),
                    None,
                    &operand(&problem.gamma),
                    &operand(&problem.beta),
                    &operand(&problem.old[0]),
                    &operand(&problem.old[1]),
                    &mut y,
                );
                vec![problem.nchw(Layout::Nhwc, &y)]
            },
            |name, got| assert_close(name, &got[0], &want, &bound),
        );
    }
}

/// Compares `[dx, dgamma, dbeta]` with the oracle, which gets the gradient `g` behind the activation
/// and statistics; `of_batch` where they are those of `x`.
fn assert_gradients(
    name: &str,
    problem: &Problem,
    g: &[f64],
    statistics: &Statistics,
    of_batch: bool,
    got: &[Vec<f32>],
) {
    let (x, gamma) = (widen(&problem.x), widen(&problem.gamma));
    let norm = &problem.norm;
    let want = if of_batch {
        norm.backward_training(&x, &gamma, g)
    } else {
        norm.backward_inference(&x, &gamma, g, statistics)
    };
    let ones = vec![1.0; norm.channels];
    let normalised = norm.forward(&x, &ones, &vec![0.0; norm.channels], statistics);
    let (mut g_size, mut product_size) = (vec![0.0; norm.channels], vec![0.0; norm.channels]);
    // The mean is known to a rounding of f32, so x̂ is off by that much beside its own rounding.
    let blur = |c: usize| {
        (statistics.mean[c].abs() + 1.0) / (statistics.variance[c] + norm.epsilon).sqrt()
    };
    for i in 0..x.len() {
        let c = i / norm.spatial % norm.channels;
        g_size[c] += g[i].abs();
        product_size[c] += g[i].abs() * (normalised[i].abs() + blur(c));
    }
    // 64 additions in f32, and a dozen roundings around them.
    let sums = |sizes: &[f64]| -> Vec<f64> { sizes.iter().map(|s| 80.0 * UNIT * s).collect() };
    assert_close(
        &format!("{name}: dgamma"),
        &got[1],
        &want.dgamma,
        &sums(&product_size),
    );
    assert_close(
        &format!("{name}: dbeta"),
        &got[2],
        &want.dbeta,
        &sums(&g_size),
    );

    let count = (norm.batch * norm.spatial) as f64;
    let bound: Vec<f64> = (0..x.len())
        .map(|i| {
            let c = i / norm.spatial % norm.channels;
            let factor = gamma[c].abs() / (statistics.variance[c] + norm.epsilon).sqrt();
            let spread = (normalised[i].abs() + blur(c)) * product_size[c];
            80.0 * UNIT * factor * (g[i].abs() + (g_size[c] + spread) / count)
        })
        .collect();
    assert_close(&format!("{name}: dx"), &got[0], &want.dx, &bound);
}

#[test]
fn gradients_equal_the_oracle() {
    for (index, (batch, channels, area)) in shapes().into_iter().enumerate() {
        let problem = Problem::draw(batch, channels, area);
        let activation = ACTIVATIONS[index % 3];
        let residual = index % 2 == 1;
        let of_batch = index % 5 != 4;
        let statistics = if of_batch {
            problem.norm.statistics(&widen(&problem.x))
        } else {
            problem.old()
        };
        let saved_mean: Vec<f32> = statistics.mean.iter().map(|&m| m as f32).collect();
        let var: Vec<f32> = statistics.variance.iter().map(|&v| v as f32).collect();
        let inv_std: Vec<f32> = statistics
            .variance
            .iter()
            .map(|v| (1.0 / (v + problem.norm.epsilon).sqrt()) as f32)
            .collect();
        // The output decides what passes, whatever its own last digit is.
        let y: Vec<f32> = problem
            .forward(&statistics, residual, activation)
            .0
            .iter()
            .map(|&v| v as f32)
            .collect();
        let g: Vec<f64> = (0..y.len())
            .map(|i| {
                let passes = match activation {
                    None => true,
                    Some(Activation::Relu) => y[i] > 0.0,
                    Some(Activation::Relu6) => y[i] > 0.0 && y[i] < 6.0,
                };
                if passes {
                    f64::from(problem.dy[i])
                } else {
                    0.0
                }
            })
            .collect();
        for layout in Layout::ALL {
            let geometry = problem.geometry(layout);
            let [x, dy, y] =
                [&problem.x, &problem.dy, &y].map(|v| operand(&problem.map(layout, v)));
            way(
                &problem.name(layout),
                |context| {
                    let gate = match activation {
                        None => Gate::Open,
                        Some(activation) => Gate::Output { activation, y: &y },
                    };
                    let (mut dx, mut dresidual) = (result(x.len()), result(x.len()));
                    let (mut dgamma, mut dbeta) = (result(channels), result(channels));
                    let mut scratch = result(geometry.scratch_len());
                    let gamma = operand(&problem.gamma);
                    // The gradient stays as it is, or makes room for what first becomes of it.
                    let mut over = operand(&dy);
                    let in_place = index / 2 % 2 == 0;
                    let maps = match (in_place, residual) {
                        (true, true) => GradientMaps::ResidualInPlace {
                            dy: &mut over,
                            dx: &mut dx,
                        },
                        (true, false) => GradientMaps::InPlace(&mut over),
                        (false, _) => GradientMaps::Apart {
                            dy: &dy,
                            dx: &mut dx,
                            dresidual: residual.then_some(&mut dresidual[..]),
                        },
                    };
                    if of_batch {
                        backward(
                            context,
                            &geometry,
                            gate,
                            maps,
                            &x,
                            &gamma,
                            &operand(&saved_mean),
                            &operand(&inv_std),
                            &mut dgamma,
                            &mut dbeta,
                            &mut scratch,
                        );
                    } else {
                        inference_backward(
                            context,
                            &geometry,
                            EPSILON,
                            gate,
                            maps,
                            &x,
                            &gamma,
                            &operand(&saved_mean),
                            &operand(&var),
                            &mut dgamma,
                            &mut dbeta,
                            &mut scratch,
                        );
                    }
                    match (in_place, residual) {
                        (true, true) => dresidual.copy_from_slice(&over),
                        (true, false) => dx.copy_from_slice(&over),
                        _ => {}
                    }
                    let maps = [dx, dresidual].map(|m| problem.nchw(layout, &m));
                    let [dx, dresidual] = maps;
                    let mut results = vec![dx, dgamma.to_vec(), dbeta.to_vec()];
                    results.extend(residual.then_some(dresidual));
                    results
                },
                |name, got| {
                    assert_gradients(name, &problem, &g, &statistics, of_batch, got);
                    if residual {
                        let name = format!("{name}: dresidual");
                        testkit::compare::assert_exact(&name, &got[3], &g);
                    }
                },
            );
        }
    }
}

#[test]
fn an_activation_computed_again_passes_the_very_same_elements() {
    for activation in [Activation::Relu, Activation::Relu6] {
        for (batch, channels, area) in [(3, 17, 49), (2, 70, 67), (5, 3, 700)] {
            let problem = Problem::draw(batch, channels, area);
            for layout in Layout::ALL {
                let geometry = problem.geometry(layout);
                let x = problem.map(layout, &problem.x);
                let dy = problem.map(layout, &problem.dy);
                way(
                    &problem.name(layout),
                    |context| {
                        let vector = || vec![0.0; channels];
                        let (mut mean, mut inv_std, mut y) =
                            (vector(), vector(), vec![0.0; x.len()]);
                        let mut scratch = vec![0.0; geometry.scratch_len()];
                        let options = NormTraining {
                            epsilon: EPSILON,
                            momentum: 0.1,
                            activation: Some(activation),
                        };
                        forward_training(
                            context,
                            &geometry,
                            options,
                            &x,
                            None,
                            &problem.gamma,
                            &problem.beta,
                            &mut vector(),
                            &mut vector(),
                            &mut mean,
                            &mut inv_std,
                            &mut y,
                            &mut scratch,
                        );
                        let mut results = Vec::new();
                        for gate in [
                            Gate::Output { activation, y: &y },
                            Gate::Recomputed {
                                activation,
                                beta: &problem.beta,
                            },
                        ] {
                            let (mut dx, mut dgamma, mut dbeta) =
                                (result(x.len()), vector(), vector());
                            backward(
                                context,
                                &geometry,
                                gate,
                                GradientMaps::Apart {
                                    dy: &dy,
                                    dx: &mut dx,
                                    dresidual: None,
                                },
                                &x,
                                &problem.gamma,
                                &mean,
                                &inv_std,
                                &mut dgamma,
                                &mut dbeta,
                                &mut scratch,
                            );
                            results.push([dx.to_vec(), dgamma, dbeta].concat());
                        }
                        results
                    },
                    |name, got| assert_eq!(got[0], got[1], "{name}"),
                );
            }
        }
    }
}

#[test]
fn the_variance_survives_a_large_mean() {
    // A deviation of 1 around 30,000: squares summed in f32 would leave nothing of it. Then a first
    // image far from all others: whoever takes its values for the mean pays for it.
    let (batch, channels, area) = (40, 5, 900);
    let mut problem = Problem::draw(batch, channels, area);
    let mut draw = Draw::new(9);
    problem.x.fill_with(|| 30_000.0 + draw.below(4) as f32);
    for first_image in [30_001.0, 29_000.0] {
        problem.x[..channels * area].fill(first_image);
        let want = problem.norm.statistics(&widen(&problem.x));
        for layout in Layout::ALL {
            let geometry = problem.geometry(layout);
            let x = problem.map(layout, &problem.x);
            way(
                &problem.name(layout),
                |context| {
                    let vector = || vec![0.0; channels];
                    let (mut mean, mut inv_std, mut var) = (vector(), vector(), vector());
                    let options = NormTraining {
                        epsilon: 0.0,
                        momentum: 1.0,
                        activation: None,
                    };
                    forward_training(
                        context,
                        &geometry,
                        options,
                        &x,
                        None,
                        &problem.gamma,
                        &problem.beta,
                        &mut vector(),
                        &mut var,
                        &mut mean,
                        &mut inv_std,
                        &mut result(x.len()),
                        &mut result(geometry.scratch_len()),
                    );
                    vec![mean, var]
                },
                |name, got| {
                    let count = (batch * area) as f64;
                    let unbiased: Vec<f64> = want
                        .variance
                        .iter()
                        .map(|v| v * count / (count - 1.0))
                        .collect();
                    let bound = |v: &[f64], e: f64| v.iter().map(|v| e * v).collect::<Vec<_>>();
                    assert_close(name, &got[0], &want.mean, &bound(&want.mean, UNIT));
                    assert_close(name, &got[1], &unbiased, &bound(&unbiased, 2e-5));
                },
            );
        }
    }
}

#[test]
fn an_empty_batch_leaves_the_running_statistics() {
    let problem = Problem::draw(0, 3, 4);
    let options = NormTraining {
        epsilon: EPSILON,
        momentum: 0.1,
        activation: None,
    };
    for layout in Layout::ALL {
        way(
            "empty",
            |context| {
                let (mut mean, mut var) = (vec![1.0; 3], vec![2.0; 3]);
                forward_training(
                    context,
                    &problem.geometry(layout),
                    options,
                    &[],
                    None,
                    &problem.gamma,
                    &problem.beta,
                    &mut mean,
                    &mut var,
                    &mut result(3),
                    &mut result(3),
                    &mut [],
                    &mut [],
                );
                vec![mean, var]
            },
            |_, got| assert_eq!(got, [vec![1.0; 3], vec![2.0; 3]]),
        );
    }
}

#[test]
fn a_nan_spoils_its_channel_only() {
    let mut problem = Problem::draw(2, 3, 5);
    problem.x[7] = f32::NAN;
    let options = NormTraining {
        epsilon: EPSILON,
        momentum: 0.1,
        activation: Some(Activation::Relu),
    };
    for layout in Layout::ALL {
        let geometry = problem.geometry(layout);
        let x = problem.map(layout, &problem.x);
        way(
            &problem.name(layout),
            |context| {
                let vector = || vec![0.0; 3];
                let mut y = result(x.len());
                forward_training(
                    context,
                    &geometry,
                    options,
                    &x,
                    None,
                    &problem.gamma,
                    &problem.beta,
                    &mut vector(),
                    &mut vector(),
                    &mut vector(),
                    &mut vector(),
                    &mut y,
                    &mut result(geometry.scratch_len()),
                );
                vec![problem.nchw(layout, &y)]
            },
            |name, got| {
                for (i, y) in got[0].iter().enumerate() {
                    assert_eq!(y.is_nan(), i / 5 % 3 == 1, "{name}: element {i} is {y}");
                }
            },
        );
    }
}
