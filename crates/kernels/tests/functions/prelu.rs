use kernels::Context;
use kernels::unary::prelu::{PreluGeometry, backward, forward};
use tensor::Layout;
use testkit::Draw;
use testkit::gradient::check;
use testkit::guard::Guarded;
use testkit::unary as oracle;

use crate::every::{
    MAPS, Tested, alone, as_nchw, assert_within, dot, map, operand, reals, result, way,
};

/// `y`, `dx` and `dslope`, maps in NCHW.
fn run<T: Tested>(
    context: &Context,
    geometry: &PreluGeometry,
    x: &[f64],
    slope: &[f64],
    dy: &[f64],
) -> Vec<Guarded<T>> {
    let &PreluGeometry {
        batch,
        channels,
        layout,
        ..
    } = geometry;
    let [x, dy] = [x, dy].map(|values| map::<T>(layout, values, batch, channels));
    let slope = operand(slope);
    let (mut y, mut dx) = (result(x.len()), result(x.len()));
    let mut dslope = result(slope.len());
    let mut scratch = result(geometry.scratch_len());
    forward(context, geometry, &x, &slope, &mut y);
    backward(
        context,
        geometry,
        &x,
        &slope,
        &dy,
        &mut dx,
        &mut dslope,
        &mut scratch,
    );
    let [y, dx] = [y, dx].map(|values| as_nchw(layout, &values, batch, channels));
    vec![y, dx, dslope]
}

fn equals_the_oracle<T: Tested>() {
    let empty = [(0, 3, 5), (2, 0, 5), (2, 3, 0)];
    for (batch, channels, area) in MAPS.into_iter().chain(empty) {
        for (layout, shared) in [
            (Layout::Nchw, false),
            (Layout::Nhwc, false),
            (Layout::Nchw, true),
            (Layout::Nhwc, true),
        ] {
            let geometry = PreluGeometry {
                batch,
                channels,
                area,
                shared,
                layout,
            };
            let mut draw = Draw::new((channels * 100 + area) as u64);
            let len = batch * channels * area;
            let (x, dy) = (reals(&mut draw, len), reals(&mut draw, len));
            let slope = reals(&mut draw, geometry.slopes());
            let channel = |i: usize| if shared { 0 } else { i / area % channels };
            let (y, dx, dslope) = oracle::prelu(&x, &slope, &dy, channel);
            let mut sizes = vec![0.0; slope.len()];
            for i in 0..len {
                sizes[channel(i)] += (dy[i] * x[i].min(0.0)).abs();
            }
            way::<T>(
                &format!("prelu {geometry:?}"),
                |context| run(context, &geometry, &x, &slope, &dy),
                |problem, got| {
                    assert_within(problem, &got[0], &y, 1.0, &y);
                    assert_within(problem, &got[1], &dx, 1.0, &dx);
                    // A lane adds up at most 64 terms.
                    assert_within(problem, &got[2], &dslope, 70.0, &sizes);
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
    let mut draw = Draw::new(3);
    for layout in Layout::ALL {
        for shared in [false, true] {
            let geometry = PreluGeometry {
                batch: 2,
                channels: 3,
                area: 5,
                shared,
                layout,
            };
            // Away from the kink.
            let x: Vec<f64> = reals(&mut draw, 30)
                .iter()
                .map(|x| x + 0.1 * x.signum())
                .collect();
            let slope = reals(&mut draw, geometry.slopes());
            let dy = reals(&mut draw, 30);
            alone(|context| {
                let all = |x: &[f64], slope: &[f64]| run::<f64>(context, &geometry, x, slope, &dy);
                let got = all(&x, &slope);
                check(|x| dot(&dy, &all(x, &slope)[0]), &x, &got[1]).unwrap();
                check(|slope| dot(&dy, &all(&x, slope)[0]), &slope, &got[2]).unwrap();
            });
        }
    }
}
