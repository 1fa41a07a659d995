//! More than 2³¹ elements, and more than 2³², in memory that is not there: [`testkit::sparse`].
#![cfg(all(unix, target_pointer_width = "64"))]

use convolve::geometry::{ConvDesc, PoolDesc, Problem};
use convolve::kernels::conv::{Direction, Epilogue};
use convolve::kernels::pool::{average, max};
use convolve::kernels::{Context, Isa, Team};
use convolve::tensor::Layout;
use testkit::compare::assert_exact;
use testkit::layout::{channels_first, channels_last};
use testkit::sparse::Sparse;

use crate::plans::plans;

/// A map under windows of 2 × 2 that stand far apart, each of which sees four numbers of its own.
struct Far {
    /// `[n, c, h, w]`
    shape: [usize; 4],
    stride: [usize; 2],
    /// First rows and first columns of the windows.
    rows: &'static [usize],
    columns: &'static [usize],
}

/// One image whose rows pass 2³² elements, and images that do, one after the other.
const MAPS: [Far; 2] = [
    Far {
        shape: [1, 1, 70_000, 70_000],
        stride: [34_999, 34_999],
        rows: &[0, 34_999, 69_998],
        columns: &[0, 34_999, 69_998],
    },
    Far {
        shape: [3, 2, 35_000, 35_000],
        stride: [35_000, 17_499],
        rows: &[0],
        columns: &[0, 17_499, 34_998],
    },
];

impl Far {
    /// The numbers of every window, in the order of the output `[n, c, rows, columns]`.
    fn windows(&self) -> Vec<[f32; 4]> {
        let [n, c, ..] = self.shape;
        (0..n * c * self.rows.len() * self.columns.len())
            .map(|index| [1.0, 2.0, 3.0, 4.0].map(|value| value + 10.0 * (index % 7) as f32))
            .collect()
    }

    /// The map in a layout.
    fn map(&self, layout: Layout) -> Sparse {
        let [n, c, h, w] = self.shape;
        let mut map = Sparse::new(n * c * h * w);
        let (down, across) = (self.rows.len(), self.columns.len());
        for (index, values) in self.windows().into_iter().enumerate() {
            let (plane, place) = (index / (down * across), index % (down * across));
            let (image, channel) = (plane / c, plane % c);
            for (tap, value) in values.into_iter().enumerate() {
                let row = self.rows[place / across] + tap / 2;
                let column = self.columns[place % across] + tap % 2;
                map.set(
                    match layout {
                        Layout::Nchw => (plane * h + row) * w + column,
                        Layout::Nhwc => ((image * h + row) * w + column) * c + channel,
                    },
                    value,
                );
            }
        }
        map
    }

    fn conv(&self) -> ConvDesc {
        let channels = self.shape[1];
        ConvDesc::new(channels, 2)
            .stride(self.stride)
            .groups(channels)
    }

    fn laid_out(&self, layout: Layout, values: &[f32]) -> Vec<f32> {
        match layout {
            Layout::Nchw => values.to_vec(),
            Layout::Nhwc => channels_last(values, self.shape[0], self.shape[1]),
        }
    }

    fn as_nchw(&self, layout: Layout, values: &[f32]) -> Vec<f32> {
        match layout {
            Layout::Nchw => values.to_vec(),
            Layout::Nhwc => channels_first(values, self.shape[0], self.shape[1]),
        }
    }
}

/// pytorch#84488, mlx#3248: offsets beyond 2³¹ and 2³² elements, in the forward pass and in the gradient
/// of the weights, by every algorithm in both layouts as long as it does not copy the whole map.
#[test]
fn convolutions_beyond_32_bits() {
    let (team, isa) = (Team::new(2).unwrap(), Isa::best());
    let ctx = Context { team: &team, isa };
    let mut counts = Vec::new();
    for far in MAPS {
        let geometry = far.conv().resolve(&far.shape).unwrap();
        let (windows, channels) = (far.windows(), far.shape[1]);
        let area = far.rows.len() * far.columns.len();
        let w: Vec<f32> = (0..4 * channels)
            .map(|tap| (tap * tap + 1) as f32)
            .collect();
        let dy: Vec<f32> = (0..windows.len())
            .map(|index| (index % 4) as f32 - 1.0)
            .collect();
        let (mut y, mut dw) = (vec![0.0; windows.len()], vec![0.0; w.len()]);
        for (index, window) in windows.iter().enumerate() {
            for (tap, value) in window.iter().enumerate() {
                let weight = index / area % channels * 4 + tap;
                y[index] += f64::from(value * w[weight]);
                dw[weight] += f64::from(value * dy[index]);
            }
        }
        let maps = Layout::ALL.map(|layout| (layout, far.map(layout)));
        let map = |layout| &maps.iter().find(|(other, _)| *other == layout).unwrap().1;
        for direction in [Direction::Forward, Direction::BackwardWeights] {
            let mut count = 0;
            for (plan, layout) in plans(&geometry, direction) {
                let len = plan.scratch_len(team.threads());
                if len > 1 << 26 {
                    continue;
                }
                let name = format!("{:?} {direction} {} {layout}", far.shape, plan.algorithm());
                let mut scratch = vec![f32::NAN; len];
                if direction == Direction::Forward {
                    let mut packed = vec![0.0; plan.packed_len()];
                    plan.pack(&ctx, &w, &mut packed);
                    let mut got = vec![f32::NAN; y.len()];
                    let epilogue = Epilogue::default();
                    plan.forward(&ctx, map(layout), &packed, epilogue, &mut got, &mut scratch);
                    assert_exact(&name, &far.as_nchw(layout, &got), &y);
                } else {
                    let dy = far.laid_out(layout, &dy);
                    let mut got = vec![f32::NAN; dw.len()];
                    plan.backward_weights(&ctx, map(layout), &dy, &mut got, &mut scratch);
                    assert_exact(&name, &got, &dw);
                }
                count += 1;
            }
            counts.push(count);
        }
    }
    // One image: direct and im2col channels last, and the definition. Three: direct, im2col and the
    // definition in both layouts, depthwise channels last.
    let least = [4, 4, 7, 7];
    assert!(
        counts
            .iter()
            .zip(least)
            .all(|(&count, least)| count >= least),
        "{counts:?}"
    );
}

/// pytorch#84488, mlx#3248: the same under pools.
#[test]
fn pools_beyond_32_bits() {
    let (team, isa) = (Team::new(2).unwrap(), Isa::best());
    let ctx = Context { team: &team, isa };
    for far in MAPS {
        let windows = far.windows();
        let maxima: Vec<f64> = windows.iter().map(|window| window[3].into()).collect();
        let averages: Vec<f64> = windows
            .iter()
            .map(|window| f64::from(window.iter().sum::<f32>() / 4.0))
            .collect();
        for layout in Layout::ALL {
            let map = far.map(layout);
            let resolve = |pool: PoolDesc| pool.stride(far.stride).resolve(&far.shape).unwrap();
            let name = format!("{:?} {layout}", far.shape);
            let mut got = vec![f32::NAN; windows.len()];
            max::forward(
                &ctx,
                layout,
                &resolve(PoolDesc::max(2)),
                &map,
                &mut got,
                None,
            );
            assert_exact(&name, &far.as_nchw(layout, &got), &maxima);
            average::forward(&ctx, layout, &resolve(PoolDesc::average(2)), &map, &mut got);
            assert_exact(&name, &far.as_nchw(layout, &got), &averages);
        }
    }
}

/// pytorch#84488, mlx#3248: counts and plans of problems that no memory holds do not wrap, and those
/// that no address reaches are refused. (The gradient of an input is as large as the input: it is planned
/// here, and not run.)
#[test]
fn plans_beyond_32_bits_do_not_wrap() {
    for (text, elements, macs) in [
        (
            "conv:n1c1h70000w70000:o1k3p1",
            4_900_000_000,
            44_100_000_000,
        ),
        (
            "conv:n3c64h9000w9000:o64k1",
            15_552_000_000,
            995_328_000_000,
        ),
        (
            "conv:n2c48h8192w8192:o48k3p1g48",
            6_442_450_944,
            57_982_058_496,
        ),
        ("conv:n1c70000w70000:o1k1", 4_900_000_000, 4_900_000_000),
    ] {
        let (shape, desc) = match text.parse() {
            Ok(Problem::Conv(shape, desc)) => (shape, desc),
            other => panic!("{text}: {other:?}"),
        };
        let geometry = desc.resolve(&shape.dims).unwrap();
        let input = geometry.input_shape().iter().product::<usize>();
        assert_eq!((input, geometry.macs()), (elements, macs), "{text}");
        let both = input + geometry.output_shape().iter().product::<usize>();
        for direction in Direction::ALL {
            let made = plans(&geometry, direction);
            assert!(made.len() >= 6, "{text} {direction}");
            for (plan, layout) in made {
                // Strips, which are small, or whole maps, which are counted whole.
                let scratch = plan.scratch_len(7);
                let name = format!("{text} {direction} {} {layout}", plan.algorithm());
                assert!(scratch < 1 << 31 || scratch >= both, "{name}: {scratch}");
            }
        }
    }
    for shape in [[1 << 31, 1 << 31, 4, 4], [1, 1, 1 << 32, 1 << 31]] {
        assert!(ConvDesc::new(1, 1).resolve(&shape).is_err());
        assert!(PoolDesc::max(1).resolve(&shape).is_err());
    }
}
