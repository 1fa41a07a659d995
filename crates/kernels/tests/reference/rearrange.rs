//! Operators that move or add up whole channels.

use kernels::Real;
use kernels::concat::copy_channels;
use kernels::{reduce, transpose};
use tensor::Layout;
use testkit::Draw;
use testkit::compare::{assert_exact, widen};

use crate::every::{MAPS, TIGHT, as_nchw, assert_within, laid_out, reals, result, rounded, run};

#[test]
fn channels_are_joined_and_parted_again() {
    for (batch, channels, area) in MAPS {
        let mut draw = Draw::new(area as u64);
        let counts = [channels, 2];
        let inputs = counts.map(|count| reals(&mut draw, batch * count * area));
        let total = channels + 2;
        for layout in Layout::ALL {
            let got = run("concat", |ctx| {
                let mut y = result(batch * total * area);
                let mut parts = Vec::new();
                for (place, first) in [(0, 0), (1, channels)] {
                    let count = counts[place];
                    let x = laid_out(layout, &inputs[place], batch, count);
                    let to = (&mut y[..], total, first);
                    copy_channels(ctx, layout, batch, area, (&x, count, 0), to, count);
                }
                for (place, first) in [(0, 0), (1, channels)] {
                    let count = counts[place];
                    let mut part = result(batch * count * area);
                    let to = (&mut part[..], count, 0);
                    copy_channels(ctx, layout, batch, area, (&y, total, first), to, count);
                    parts.push(as_nchw(layout, &part, batch, count));
                }
                parts.push(as_nchw(layout, &y, batch, total));
                parts
            });
            assert_exact("first part", &got[0], &inputs[0]);
            assert_exact("second part", &got[1], &inputs[1]);
            let [one, two] = counts.map(|count| count * area);
            for image in 0..batch {
                let whole = &got[2][image * (one + two)..][..one + two];
                assert_exact("joined", &whole[..one], &inputs[0][image * one..][..one]);
                assert_exact("joined", &whole[one..], &inputs[1][image * two..][..two]);
            }
        }
    }
}

/// Sums of one layout, as NCHW's channels.
fn sums<T: Real>(
    layout: Layout,
    (batch, channels, area): (usize, usize, usize),
    dy: &[T],
) -> Vec<T> {
    let dy = laid_out(layout, dy, batch, channels);
    let got = run("sums", |ctx| {
        let mut db = result(channels);
        reduce::reference::channel_sums(ctx, layout, batch, channels, area, &dy, &mut db);
        vec![db]
    });
    got.into_iter().next().unwrap()
}

#[test]
fn sums_over_positions_are_those_of_f64_and_near_those_of_the_quick_kernel() {
    for (batch, channels, area) in MAPS {
        let shape = (batch, channels, area);
        let dy = reals(&mut Draw::new(4), batch * channels * area);
        let narrow: Vec<f32> = rounded(&dy);
        let (mut want, mut sizes) = (vec![0.0; channels], vec![0.0; channels]);
        for (plane, values) in dy.chunks_exact(area).enumerate() {
            want[plane % channels] += values.iter().sum::<f64>();
            sizes[plane % channels] += values.iter().map(|v| v.abs()).sum::<f64>();
        }
        for layout in Layout::ALL {
            let problem = format!("{layout} {shape:?}");
            assert_within(&problem, &sums(layout, shape, &dy), &want, &sizes, TIGHT);
            // Short sums are kept in f32: 64 additions.
            let quick = run(&problem, |ctx| {
                let mut db = result(channels);
                let len = reduce::scratch_len(layout, batch, channels, area);
                let dy = laid_out(layout, &narrow, batch, channels);
                let scratch = &mut result(len);
                reduce::channel_sums(ctx, layout, batch, channels, area, &dy, &mut db, scratch);
                vec![db]
            });
            let want = widen(&sums(layout, shape, &narrow));
            let share = 66.0 / f64::from(1 << 24);
            assert_within(&problem, &quick[0], &want, &sizes, share);
        }
    }
    assert_exact(
        "empty",
        &sums(Layout::Nhwc, (0, 5, 9), &[0.0; 0]),
        &[0.0; 5],
    );
}

#[test]
fn layouts_convert_into_each_other() {
    use Layout::{Nchw, Nhwc};
    for (batch, channels, area) in MAPS {
        let nchw = reals(&mut Draw::new(5), batch * channels * area);
        let nhwc = laid_out(Nhwc, &nchw, batch, channels);
        for (from, to) in [(Nchw, Nhwc), (Nhwc, Nchw), (Nhwc, Nhwc), (Nchw, Nchw)] {
            let map = |layout| if layout == Nchw { &nchw } else { &nhwc };
            let got = run("reorder", |ctx| {
                let mut y = result(nchw.len());
                let x = map(from);
                transpose::reference::reorder(ctx, from, to, batch, channels, area, x, &mut y);
                vec![y]
            });
            assert_exact(&format!("{from} to {to}"), &got[0], map(to));
        }
    }
}
