//! Operators that move or add up whole channels.

use kernels::concat::copy_channels;
use kernels::reduce::{channel_sums, scratch_len};
use kernels::transpose::reorder;
use tensor::Layout;
use testkit::Draw;
use testkit::compare::{assert_exact, widen};

use crate::every::{AREAS, CHANNELS, as_nchw, laid_out, operand, result, way};

#[test]
fn channels_are_joined_and_parted_again() {
    for layout in Layout::ALL {
        for (batch, area) in [(1, 1), (2, 5), (3, 49), (2, 20_000)] {
            let counts = [3, 1, 17];
            let total: usize = counts.iter().sum();
            let mut draw = Draw::new(area as u64);
            let inputs = counts.map(|c| draw.integers(batch * c * area));
            // Image by image, the planes of all inputs in turn.
            let joined: Vec<f32> = (0..batch)
                .flat_map(|n| {
                    let images = inputs.iter().zip(counts);
                    images.flat_map(move |(x, c)| x[n * c * area..(n + 1) * c * area].iter())
                })
                .copied()
                .collect();
            way(
                &format!("{layout} {batch}x{counts:?}x{area}"),
                |context| {
                    let mut y = result(batch * total * area);
                    let mut first = 0;
                    for (x, count) in inputs.iter().zip(counts) {
                        let x = operand(&laid_out(layout, x, batch, count));
                        let to = (&mut y[..], total, first);
                        copy_channels(context, layout, batch, area, (&x, count, 0), to, count);
                        first += count;
                    }
                    // Channels 3 and 4 of the sum: the second input and the third one's first.
                    let mut part = result(batch * 2 * area);
                    let to = (&mut part[..], 2, 0);
                    copy_channels(context, layout, batch, area, (&y, total, 3), to, 2);
                    vec![
                        as_nchw(layout, &y, batch, total),
                        as_nchw(layout, &part, batch, 2),
                    ]
                },
                |problem, got| {
                    assert_exact(problem, &got[0], &widen(&joined));
                    let part: Vec<f32> = (0..batch)
                        .flat_map(|n| &joined[(n * total + 3) * area..][..2 * area])
                        .copied()
                        .collect();
                    assert_exact(problem, &got[1], &widen(&part));
                },
            );
        }
    }
}

#[test]
fn sums_over_positions_are_exact_on_integers() {
    let small = CHANNELS.map(|c| AREAS.map(|area| (3, c, area))).concat();
    // Many chunks: many pixels, many images, one large plane. More channels than a task takes.
    let large = [
        (3, 3, 9_000),
        (70, 2, 500),
        (1, 2, 70_000),
        (300, 65, 1),
        (2, 600, 70),
    ];
    for layout in Layout::ALL {
        for (batch, channels, area) in small.iter().copied().chain(large) {
            let dy = Draw::new(area as u64).integers(batch * channels * area);
            let mut want = vec![0.0; channels];
            for (plane, values) in dy.chunks_exact(area).enumerate() {
                want[plane % channels] += values.iter().map(|&v| f64::from(v)).sum::<f64>();
            }
            let map = laid_out(layout, &dy, batch, channels);
            way(
                &format!("sums {layout} {batch}x{channels}x{area}"),
                |context| {
                    let mut db = result(channels);
                    let mut scratch = result(scratch_len(layout, batch, channels, area));
                    channel_sums(
                        context,
                        layout,
                        batch,
                        channels,
                        area,
                        &operand(&map),
                        &mut db,
                        &mut scratch,
                    );
                    vec![db.to_vec()]
                },
                |problem, got| assert_exact(problem, &got[0], &want),
            );
        }
    }
}

#[test]
fn an_empty_batch_sums_to_zero() {
    way(
        "empty",
        |context| {
            let mut db = result(5);
            channel_sums(context, Layout::Nhwc, 0, 5, 9, &[], &mut db, &mut []);
            vec![db.to_vec()]
        },
        |problem, got| assert_exact(problem, &got[0], &[0.0; 5]),
    );
}

#[test]
fn layouts_convert_into_each_other() {
    for (batch, channels, area) in [
        (1, 1, 1),
        (2, 3, 5),
        (2, 17, 49),
        (1, 33, 3_000),
        (3, 3, 40_000),
    ] {
        let nchw = Draw::new(1).reals(batch * channels * area);
        let nhwc = laid_out(Layout::Nhwc, &nchw, batch, channels);
        way(
            &format!("{batch}x{channels}x{area}"),
            |context| {
                let convert = |from, to, x: &[f32]| {
                    let mut y = result(x.len());
                    reorder(
                        context,
                        from,
                        to,
                        batch,
                        channels,
                        area,
                        &operand(x),
                        &mut y,
                    );
                    y.to_vec()
                };
                vec![
                    convert(Layout::Nchw, Layout::Nhwc, &nchw),
                    convert(Layout::Nhwc, Layout::Nchw, &nhwc),
                    convert(Layout::Nhwc, Layout::Nhwc, &nhwc),
                ]
            },
            |problem, got| {
                assert_exact(problem, &got[0], &widen(&nhwc));
                assert_exact(problem, &got[1], &widen(&nchw));
                assert_exact(problem, &got[2], &widen(&nhwc));
            },
        );
    }
}
