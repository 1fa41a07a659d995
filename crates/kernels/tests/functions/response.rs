use kernels::Context;
use kernels::norm::response::{ResponseGeometry, backward, forward};
use tensor::Layout;
use testkit::Draw;
use testkit::gradient::check;
use testkit::guard::Guarded;
use testkit::response::LocalResponse;

use crate::every::{MAPS, Tested, alone, as_nchw, assert_within, dot, map, reals, result, way};

/// Channels before and behind, α, β and k: AlexNet's, an even window, none, wider than the map, and one whose
/// scale grows large.
const NORMS: [(usize, usize, f32, f32, f32); 5] = [
    (2, 2, 5e-4, 0.75, 2.0),
    (1, 2, 1.0, 0.5, 1.0),
    (0, 0, 0.5, 1.0, 1.0),
    (9, 20, 2.0, 0.75, 0.5),
    (1, 1, 1e4, 1.25, 1.0),
];

fn problem(
    (batch, channels, area): (usize, usize, usize),
    (before, after, alpha, beta, k): (usize, usize, f32, f32, f32),
    layout: Layout,
) -> (ResponseGeometry, LocalResponse) {
    let geometry = ResponseGeometry {
        batch,
        channels,
        area,
        layout,
        before,
        after,
        alpha,
        beta,
        k,
    };
    let oracle = LocalResponse {
        batch,
        channels,
        area,
        before,
        after,
        alpha: alpha.into(),
        beta: beta.into(),
        k: k.into(),
    };
    (geometry, oracle)
}

/// `y` and `dx` in NCHW.
fn run<T: Tested>(
    context: &Context,
    geometry: &ResponseGeometry,
    x: &[f64],
    dy: &[f64],
) -> Vec<Guarded<T>> {
    let &ResponseGeometry {
        batch,
        channels,
        layout,
        ..
    } = geometry;
    let [x, dy] = [x, dy].map(|values| map::<T>(layout, values, batch, channels));
    let (mut y, mut dx) = (result(x.len()), result(x.len()));
    let threads = context.team.threads();
    let mut scratch = result(geometry.forward_scratch_len(threads));
    forward(context, geometry, &x, &mut y, &mut scratch);
    let mut scratch = result(geometry.backward_scratch_len(threads));
    backward(context, geometry, &x, &dy, &mut dx, &mut scratch);
    [y, dx]
        .map(|values| as_nchw(layout, &values, batch, channels))
        .into()
}

fn equals_the_oracle<T: Tested>() {
    let empty = [(0, 3, 5), (2, 0, 5), (2, 3, 0)];
    for (index, shape) in MAPS.into_iter().chain(empty).enumerate() {
        for layout in Layout::ALL {
            let (geometry, oracle) = problem(shape, NORMS[index % NORMS.len()], layout);
            let mut draw = Draw::new(index as u64);
            let len = shape.0 * shape.1 * shape.2;
            let (x, dy) = (reals(&mut draw, len), reals(&mut draw, len));
            let y = oracle.forward(&x);
            let dx = oracle.backward(&x, &dy);
            let scales = oracle.scales(&x);
            way::<T>(
                &format!("{geometry:?}"),
                |context| run(context, &geometry, &x, &dy),
                |problem, got| {
                    // The power is an exponential of a logarithm, and is off by as much as that is large.
                    let power = |i: usize| 8.0 + 4.0 * oracle.beta * scales[i].ln().abs();
                    let window = (oracle.before + 1 + oracle.after) as f64;
                    let sizes: Vec<f64> = (0..len).map(|i| (power(i) + window) * y[i]).collect();
                    assert_within(problem, &got[0], &y, 1.0, &sizes);
                    // The gradient is a difference: what it is taken of is bounded by 1/s^β times a few.
                    let least = scales.iter().copied().fold(f64::INFINITY, f64::min);
                    let most = (0..len).map(power).fold(0.0, f64::max) + window;
                    let slope = (1.0 + 2.0 * oracle.beta * window) / least.powf(oracle.beta);
                    let sizes = vec![most * slope; len];
                    assert_within(problem, &got[1], &dx, 1.0, &sizes);
                },
            );
        }
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

#[test]
fn gradients_are_limits_of_differences() {
    let mut draw = Draw::new(5);
    for norm in &NORMS[..4] {
        for layout in Layout::ALL {
            let (geometry, _) = problem((2, 5, 3), *norm, layout);
            let (x, dy) = (reals(&mut draw, 30), reals(&mut draw, 30));
            alone(|context| {
                let dx = &run::<f64>(context, &geometry, &x, &dy)[1];
                let loss = |x: &[f64]| dot(&dy, &run::<f64>(context, &geometry, x, &dy)[0]);
                check(loss, &x, dx).unwrap();
            });
        }
    }
}
