//! Group, instance, layer and channel norms: one oracle for all.

use kernels::Context;
use kernels::norm::channel::{self, ChannelGeometry};
use kernels::norm::group::{self, GroupGeometry};
use kernels::norm::layer::{self, LayerGeometry};
use tensor::Layout;
use testkit::Draw;
use testkit::gradient::check;
use testkit::guard::Guarded;
use testkit::standardise::Standardise;

use crate::every::{
    MAPS, Tested, alone, as_nchw, assert_within, dot, map, operand, reals, result, way,
};

const EPSILON: f32 = 1e-3;

/// A norm under test.
#[derive(Clone, Copy, Debug)]
enum Norm {
    Group(GroupGeometry),
    Layer(LayerGeometry),
    Channel(ChannelGeometry),
}

impl Norm {
    /// Batch, channels and layout, as far as it is one of maps.
    fn map(&self) -> (usize, usize, Layout) {
        match *self {
            Self::Group(g) => (g.batch, g.channels, g.layout),
            Self::Layer(g) => (g.rows, g.len, Layout::Nchw),
            Self::Channel(g) => (g.batch, g.channels, g.layout),
        }
    }

    /// Elements of the map, sets of elements, parameters.
    fn sizes(&self) -> (usize, usize, usize) {
        match *self {
            Self::Group(g) => (
                g.batch * g.channels * g.area,
                g.batch * g.groups,
                g.channels,
            ),
            Self::Layer(g) => (g.rows * g.len, g.rows, g.len),
            Self::Channel(g) => (g.batch * g.channels * g.area, g.batch * g.area, g.channels),
        }
    }

    fn oracle(&self) -> Standardise {
        let epsilon = EPSILON.into();
        match *self {
            Self::Group(g) => Standardise::groups(g.batch, g.channels, g.area, g.groups, epsilon),
            Self::Layer(g) => Standardise::rows(g.rows, g.len, epsilon),
            Self::Channel(g) => Standardise::pixels(g.batch, g.channels, g.area, epsilon),
        }
    }

    /// `y`, mean, inverse deviation, `dx`, `dγ`, `dβ`; maps in NCHW.
    fn run<T: Tested>(
        &self,
        context: &Context,
        numbers: &Numbers,
        affine: bool,
    ) -> Vec<Guarded<T>> {
        let (batch, channels, layout) = self.map();
        let (len, sets, parameters) = self.sizes();
        let [x, dy] = [&numbers.x, &numbers.dy].map(|v| map::<T>(layout, v, batch, channels));
        let [gamma, beta] = [&numbers.gamma, &numbers.beta].map(|v| operand::<T>(v));
        let gamma = affine.then_some(&gamma[..]);
        let beta = affine.then_some(&beta[..]);
        let (mut y, mut dx) = (result(len), result(len));
        let (mut mean, mut inv_std) = (result(sets), result(sets));
        let (mut dgamma, mut dbeta) = (result(parameters), result(parameters));
        macro_rules! both {
            ($room:ident, $geometry:ident) => {{
                let mut scratch = result($geometry.forward_scratch_len());
                $room::forward(
                    context,
                    $geometry,
                    EPSILON,
                    &x,
                    gamma,
                    beta,
                    &mut y,
                    &mut mean,
                    &mut inv_std,
                    &mut scratch,
                );
                let mut scratch = result($geometry.backward_scratch_len());
                $room::backward(
                    context,
                    $geometry,
                    &x,
                    gamma,
                    &mean,
                    &inv_std,
                    &dy,
                    &mut dx,
                    Some(&mut dgamma),
                    Some(&mut dbeta),
                    &mut scratch,
                );
            }};
        }
        match self {
            Self::Group(geometry) => both!(group, geometry),
            Self::Layer(geometry) => both!(layer, geometry),
            Self::Channel(geometry) => both!(channel, geometry),
        }
        let [y, dx] = [y, dx].map(|map| as_nchw(layout, &map, batch, channels));
        vec![y, mean, inv_std, dx, dgamma, dbeta]
    }
}

/// What goes into a norm; maps in NCHW.
#[derive(Clone)]
struct Numbers {
    x: Vec<f64>,
    dy: Vec<f64>,
    gamma: Vec<f64>,
    beta: Vec<f64>,
}

impl Numbers {
    fn draw(norm: &Norm, seed: u64) -> Self {
        let (len, _, parameters) = norm.sizes();
        let mut draw = Draw::new(seed);
        // Neighbouring stretches have other means and scales; f32 holds all of them.
        let place = |i: usize| (i / 7 % 5) as f64;
        let x = reals(&mut draw, len).into_iter().enumerate();
        Self {
            x: x.map(|(i, v)| f64::from((v * (1.0 + place(i)) + 3.0 * place(i)) as f32))
                .collect(),
            dy: reals(&mut draw, len),
            gamma: reals(&mut draw, parameters),
            beta: reals(&mut draw, parameters),
        }
    }
}

/// Groups of channels with each map, rows, and pixels with each map.
fn norms() -> Vec<Norm> {
    let mut norms = Vec::new();
    let empty = [(0, 3, 5), (2, 3, 0)];
    for (index, (batch, channels, area)) in MAPS.into_iter().chain(empty).enumerate() {
        for layout in Layout::ALL {
            let divisors: Vec<_> = (1..=channels).filter(|g| channels % g == 0).collect();
            let middle = divisors[(index * 7 + 1) % divisors.len()];
            let mut counts = vec![1, middle, channels];
            counts.dedup();
            for groups in counts {
                norms.push(Norm::Group(GroupGeometry {
                    batch,
                    channels,
                    groups,
                    area,
                    layout,
                }));
            }
            norms.push(Norm::Channel(ChannelGeometry {
                batch,
                channels,
                area,
                layout,
            }));
        }
    }
    for (rows, len) in [
        (1, 1),
        (3, 5),
        (70, 64),
        (300, 33),
        (100, 768),
        (9, 2_049),
        (2, 40_000),
        (0, 7),
        (7, 0),
    ] {
        norms.push(Norm::Layer(LayerGeometry { rows, len }));
    }
    norms
}

fn equals_the_oracle<T: Tested>() {
    for (index, norm) in norms().iter().enumerate() {
        let mut numbers = Numbers::draw(norm, index as u64);
        let affine = index % 4 != 3;
        if !affine {
            numbers.gamma.fill(1.0);
            numbers.beta.fill(0.0);
        }
        let Numbers { x, dy, gamma, beta } = &numbers;
        let oracle = norm.oracle();
        let (len, sets, parameters) = norm.sizes();
        let y = oracle.forward(x, gamma, beta);
        let gradients = oracle.backward(x, gamma, dy);
        let (mean, variance) = oracle.statistics(x);
        let (normalised, set) = (oracle.normalised(x), &oracle.set);
        let parameter = &oracle.parameter;
        let deviation: Vec<f64> = variance
            .iter()
            .map(|v| (v + oracle.epsilon).sqrt())
            .collect();
        let inv_std: Vec<f64> = deviation.iter().map(|d| 1.0 / d).collect();

        // What the results are made of, term by term, as if nothing cancelled.
        let far: Vec<f64> = (0..len)
            .map(|i| (x[i].abs() + mean[set[i]].abs()) / deviation[set[i]])
            .collect();
        let of_y: Vec<f64> = (0..len)
            .map(|i| gamma[parameter[i]].abs() * far[i] + beta[parameter[i]].abs())
            .collect();
        let mut counts = vec![0.0; sets];
        let (mut sums, mut products) = (vec![0.0; sets], vec![0.0; sets]);
        let (mut of_gamma, mut of_beta) = (vec![0.0; parameters], vec![0.0; parameters]);
        for i in 0..len {
            let g = (gamma[parameter[i]] * dy[i]).abs();
            counts[set[i]] += 1.0;
            sums[set[i]] += g;
            products[set[i]] += g * far[i];
            of_gamma[parameter[i]] += dy[i].abs() * far[i];
            of_beta[parameter[i]] += dy[i].abs();
        }
        let of_dx: Vec<f64> = (0..len)
            .map(|i| {
                let s = set[i];
                let g = (gamma[parameter[i]] * dy[i]).abs();
                let size = g + (sums[s] + (normalised[i].abs() + far[i]) * products[s]) / counts[s];
                size / deviation[s]
            })
            .collect();
        let of_mean: Vec<f64> = (0..sets)
            .map(|s| mean.get(s).map_or(0.0, |m| m.abs() + deviation[s]))
            .collect();
        way::<T>(
            &format!("{norm:?} affine {affine}"),
            |context| norm.run(context, &numbers, affine),
            |problem, got| {
                let close = |what: &str, at: usize, want: &[f64], roundings: f64, sizes: &[f64]| {
                    let problem = format!("{problem}: {what}");
                    assert_within(&problem, &got[at], want, roundings, sizes);
                };
                close("y", 0, &y, 24.0, &of_y);
                if len > 0 {
                    close("mean", 1, &mean, 4.0, &of_mean);
                    close("inverse deviation", 2, &inv_std, 24.0, &inv_std);
                }
                close("dx", 3, &gradients.dx, 40.0, &of_dx);
                close("dgamma", 4, &gradients.dgamma, 70.0, &of_gamma);
                close("dbeta", 5, &gradients.dbeta, 70.0, &of_beta);
            },
        );
    }
}

#[test]
fn equals_the_oracle_in_f32() {
    equals_the_oracle::<f32>();
}

#[test]
fn equals_the_oracle_in_f64() {
    equals_the_oracle::<f64>();
}

/// Norms of few elements, one of each kind.
fn small() -> Vec<Norm> {
    let mut norms = vec![Norm::Layer(LayerGeometry { rows: 3, len: 7 })];
    for layout in Layout::ALL {
        for groups in [1, 2, 4] {
            norms.push(Norm::Group(GroupGeometry {
                batch: 2,
                channels: 4,
                groups,
                area: 3,
                layout,
            }));
        }
        norms.push(Norm::Channel(ChannelGeometry {
            batch: 2,
            channels: 4,
            area: 3,
            layout,
        }));
    }
    norms
}

#[test]
fn gradients_are_limits_of_differences() {
    for norm in small() {
        let numbers = Numbers::draw(&norm, 6);
        alone(|context| {
            let loss = |numbers: &Numbers| {
                let y = &norm.run::<f64>(context, numbers, true)[0];
                dot(&numbers.dy, y)
            };
            let got = norm.run::<f64>(context, &numbers, true);
            let with = |set: fn(&mut Numbers) -> &mut Vec<f64>| {
                let numbers = numbers.clone();
                move |values: &[f64]| {
                    let mut numbers = numbers.clone();
                    set(&mut numbers).copy_from_slice(values);
                    loss(&numbers)
                }
            };
            check(with(|n| &mut n.x), &numbers.x, &got[3]).unwrap();
            check(with(|n| &mut n.gamma), &numbers.gamma, &got[4]).unwrap();
            check(with(|n| &mut n.beta), &numbers.beta, &got[5]).unwrap();
        });
    }
}

#[test]
fn a_mean_far_from_zero_costs_no_digits_of_the_deviation() {
    for norm in norms() {
        let (len, _, _) = norm.sizes();
        let mut numbers = Numbers::draw(&norm, 7);
        let mut draw = Draw::new(8);
        // 1000 and multiples of 2⁻¹³ around it, which f32 holds exactly.
        numbers.x = reals(&mut draw, len)
            .iter()
            .map(|v| 1000.0 + (v * 512.0).round() / 8192.0)
            .collect();
        if len == 0 {
            continue;
        }
        let oracle = norm.oracle();
        let (_, variance) = oracle.statistics(&numbers.x);
        let inv_std: Vec<f64> = variance
            .iter()
            .map(|v| 1.0 / (v + oracle.epsilon).sqrt())
            .collect();
        way::<f32>(
            &format!("{norm:?} around 1000"),
            |context| norm.run(context, &numbers, true),
            |problem, got| assert_within(problem, &got[2], &inv_std, 24.0, &inv_std),
        );
    }
}

#[test]
fn a_nan_spoils_its_own_set_only() {
    for norm in small() {
        let mut numbers = Numbers::draw(&norm, 9);
        numbers.x[0] = f64::NAN;
        let oracle = norm.oracle();
        way::<f32>(
            &format!("{norm:?} with a NaN"),
            |context| norm.run(context, &numbers, true),
            |problem, got| {
                for (i, &set) in oracle.set.iter().enumerate() {
                    let spoilt = set == oracle.set[0];
                    let values = [got[0][i], got[3][i]];
                    let problem = format!("{problem}: element {i}");
                    assert!(values.iter().all(|v| v.is_nan() == spoilt), "{problem}");
                }
            },
        );
    }
}

#[test]
#[should_panic(expected = "3 groups of 4 channels")]
fn groups_divide_the_channels() {
    let norm = Norm::Group(GroupGeometry {
        batch: 1,
        channels: 4,
        groups: 3,
        area: 1,
        layout: Layout::Nchw,
    });
    let numbers = Numbers {
        x: vec![0.0; 4],
        dy: vec![0.0; 4],
        gamma: vec![0.0; 4],
        beta: vec![0.0; 4],
    };
    alone(|context| norm.run::<f32>(context, &numbers, true));
}
