//! What PyTorch computes (`tests/reference/sampling.py`), and examples of the ONNX specification.

use std::fs;
use std::path::Path;

use geometry::{
    AffineGridDesc, CubicCoefficient, GridInterpolation, GridPadding, GridSampleDesc,
    NearestRounding, ResizeCoordinates, ResizeDesc, ResizeFilter,
};
use kernels::sampling::resize::{ResizePlacement, ResizePlan};
use kernels::sampling::{affine, grid, resize};
use tensor::Layout;

use super::{assert_near, in_f64};

const TOLERANCE: f64 = 1e-9;

/// The operands of the reference, as its script makes them.
fn numbers(len: usize, seed: usize) -> Vec<f64> {
    let number = |i: usize| ((7 * i * i + 37 * i + 53 * seed + 11) % 127) as f64 - 63.0;
    (0..len).map(|i| number(i) / 64.0).collect()
}

/// One problem of the reference: its words, then its lists.
struct Problem {
    text: String,
    words: Vec<String>,
    lists: Vec<Vec<f64>>,
}

impl Problem {
    fn sizes(&self, list: usize) -> Vec<usize> {
        self.lists[list].iter().map(|&v| v as usize).collect()
    }
}

fn problems(operator: &str) -> Vec<Problem> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/sampling.txt");
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| line.starts_with(operator));
    let problems: Vec<_> = lines
        .map(|line| {
            let mut parts = line.split('|');
            let text = parts.next().unwrap().trim().to_owned();
            let numbers = |part: &str| {
                part.split_whitespace()
                    .map(|v| v.parse().unwrap())
                    .collect()
            };
            Problem {
                words: text.split(' ').map(str::to_owned).collect(),
                text,
                lists: parts.map(numbers).collect(),
            }
        })
        .collect();
    assert!(problems.len() >= 6, "{operator}");
    problems
}

#[test]
fn affine_grid_of_pytorch() {
    for problem in problems("affine_grid") {
        let size = problem.sizes(0);
        let axes = size.len();
        let desc = AffineGridDesc::new(&size[..]).align_corners(problem.words[1] == "1");
        let g = desc.resolve(&[2, axes, axes + 1]).unwrap();
        let theta = numbers(2 * axes * (axes + 1), 0);
        let dgrid = numbers(problem.lists[1].len(), 1);
        in_f64(|context| {
            let mut grid = vec![f64::NAN; dgrid.len()];
            affine::forward(context, &g, &theta, &mut grid);
            assert_near(&problem.text, &grid, &problem.lists[1], TOLERANCE);
            let mut dtheta = vec![f64::NAN; theta.len()];
            let mut scratch = vec![f64::NAN; affine::scratch_len(&g)];
            affine::backward(context, &g, &dgrid, &mut dtheta, &mut scratch);
            assert_near(&problem.text, &dtheta, &problem.lists[2], TOLERANCE);
        });
    }
}

#[test]
fn grid_sample_of_pytorch() {
    for problem in problems("grid_sample") {
        let (input, output) = (problem.sizes(0), problem.sizes(1));
        let desc = GridSampleDesc {
            interpolation: match problem.words[1].as_str() {
                "nearest" => GridInterpolation::Nearest,
                "bilinear" => GridInterpolation::Linear,
                _ => GridInterpolation::Cubic,
            },
            padding: match problem.words[2].as_str() {
                "zeros" => GridPadding::Zeros,
                "border" => GridPadding::Border,
                _ => GridPadding::Reflection,
            },
            align_corners: problem.words[3] == "1",
        };
        let map = [&[1, 2][..], &input].concat();
        let g = desc.resolve(&map, &[&[1][..], &output, &[input.len()]].concat());
        let g = g.unwrap();
        let x = numbers(2 * g.input_area(), 0);
        let points = numbers(g.output_area() * g.rank, 1);
        let points: Vec<f64> = points.iter().map(|v| 1.75 * v).collect();
        let dy = numbers(2 * g.output_area(), 2);
        in_f64(|context| {
            let layout = Layout::Nchw;
            let (mut y, mut dx) = (vec![f64::NAN; dy.len()], vec![f64::NAN; x.len()]);
            let mut dgrid = vec![f64::NAN; points.len()];
            grid::forward(context, layout, &g, &x, &points, &mut y);
            grid::backward_input(context, layout, &g, &points, &dy, &mut dx);
            grid::backward_grid(context, layout, &g, &x, &points, &dy, &mut dgrid);
            for (got, want) in [y, dx, dgrid].iter().zip(&problem.lists[2..]) {
                assert_near(&problem.text, got, want, TOLERANCE);
            }
        });
    }
}

#[test]
fn interpolate_of_pytorch() {
    for problem in problems("interpolate") {
        let (input, output) = (problem.sizes(0), problem.sizes(1));
        let desc = match problem.words[1].as_str() {
            "nearest" => ResizeDesc::nearest(output),
            "nearest-exact" => ResizeDesc {
                filter: ResizeFilter::Nearest(NearestRounding::HalfUp),
                ..ResizeDesc::nearest(output).coordinates(ResizeCoordinates::HalfPixel)
            },
            "bicubic" => ResizeDesc::cubic(output),
            _ => ResizeDesc::linear(output),
        };
        let desc = if problem.words[2] == "1" {
            desc.coordinates(ResizeCoordinates::AlignCorners)
        } else {
            desc
        };
        let desc = if problem.words[3] == "1" {
            desc.antialias()
        } else {
            desc
        };
        let g = desc.resolve(&[&[1, 2][..], &input].concat()).unwrap();
        let scales = match problem.lists[2][..] {
            [height, width] => Some([1.0, height, width]),
            _ => None,
        };
        let plan = ResizePlan::new(
            &g,
            &ResizePlacement {
                scales,
                ..ResizePlacement::default()
            },
        )
        .unwrap();
        let (x, dy) = (
            numbers(2 * g.input_area(), 0),
            numbers(2 * g.output_area(), 1),
        );
        in_f64(|context| {
            let layout = Layout::Nchw;
            let mut scratch = vec![f64::NAN; plan.scratch_len(layout, 3)];
            let (mut y, mut dx) = (vec![f64::NAN; dy.len()], vec![f64::NAN; x.len()]);
            resize::forward(context, layout, &plan, &x, &mut y, &mut scratch);
            resize::backward(context, layout, &plan, &dy, &mut dx, &mut scratch);
            for (got, want) in [y, dx].iter().zip(&problem.lists[3..]) {
                assert_near(&problem.text, got, want, TOLERANCE);
            }
        });
    }
}

/// Resizes a picture of one channel whose elements are 1, 2, 3, ….
fn resized(desc: ResizeDesc, input: [usize; 2], scale: Option<f64>) -> Vec<f64> {
    let g = desc.resolve(&[1, 1, input[0], input[1]]).unwrap();
    let placement = ResizePlacement {
        scales: scale.map(|scale| [1.0, scale, scale]),
        ..ResizePlacement::default()
    };
    let plan = ResizePlan::new(&g, &placement).unwrap();
    let x: Vec<f64> = (1..=g.input_area()).map(|v| v as f64).collect();
    let mut y = vec![f64::NAN; g.output_area()];
    in_f64(|context| {
        let mut scratch = vec![f64::NAN; plan.scratch_len(Layout::Nhwc, 3)];
        resize::forward(context, Layout::Nhwc, &plan, &x, &mut y, &mut scratch);
    });
    y
}

/// Name, resizing, size of the picture, scale, result.
type Example = (
    &'static str,
    ResizeDesc,
    [usize; 2],
    Option<f64>,
    &'static [f64],
);

#[test]
fn resize_examples_of_onnx() {
    use ResizeCoordinates::{AlignCorners, Asymmetric, HalfPixel, PytorchHalfPixel};
    let nearest = |size, rounding, coordinates| ResizeDesc {
        filter: ResizeFilter::Nearest(rounding),
        ..ResizeDesc::nearest(size).coordinates(coordinates)
    };
    let cubic = |size, coefficient, antialias| ResizeDesc {
        filter: ResizeFilter::Cubic {
            coefficient,
            antialias,
        },
        ..ResizeDesc::linear(size)
    };
    let antialiased = |size| ResizeDesc {
        filter: ResizeFilter::Linear { antialias: true },
        ..ResizeDesc::linear(size)
    };
    let three_quarters = CubicCoefficient::MinusThreeQuarters;
    // The scales of the examples are f32.
    let (sixth, eighth) = (f64::from(0.6f32), f64::from(0.8f32));
    let cases: [Example; 14] = [
        (
            "resize_upsample_sizes_nearest",
            nearest([7, 8], NearestRounding::HalfDown, HalfPixel),
            [2, 2],
            None,
            &[
                1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0,
                1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0,
                3.0, 3.0, 3.0, 3.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.0, 3.0, 4.0, 4.0, 4.0, 4.0,
                3.0, 3.0, 3.0, 3.0, 4.0, 4.0, 4.0, 4.0,
            ],
        ),
        (
            "resize_downsample_sizes_nearest",
            nearest([1, 3], NearestRounding::HalfDown, HalfPixel),
            [2, 4],
            None,
            &[1.0, 2.0, 4.0],
        ),
        (
            "resize_downsample_scales_nearest",
            nearest([1, 2], NearestRounding::HalfDown, HalfPixel),
            [2, 4],
            Some(sixth),
            &[1.0, 3.0],
        ),
        (
            "resize_upsample_sizes_nearest_floor_align_corners",
            nearest([1, 8], NearestRounding::Floor, AlignCorners),
            [1, 4],
            None,
            &[1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0],
        ),
        (
            "resize_upsample_sizes_nearest_round_prefer_ceil_asymmetric",
            nearest([1, 8], NearestRounding::HalfUp, Asymmetric),
            [1, 4],
            None,
            &[1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 4.0],
        ),
        (
            "resize_upsample_sizes_nearest_ceil_half_pixel",
            nearest([1, 8], NearestRounding::Ceil, HalfPixel),
            [1, 4],
            None,
            &[1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 4.0],
        ),
        (
            "resize_upsample_scales_linear",
            ResizeDesc::linear([4, 4]),
            [2, 2],
            Some(2.0),
            &[
                1.0, 1.25, 1.75, 2.0, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3.0, 3.25, 3.75,
                4.0,
            ],
        ),
        (
            "resize_downsample_scales_linear",
            ResizeDesc::linear([1, 2]),
            [2, 4],
            Some(sixth),
            &[2.6666665, 4.333333],
        ),
        (
            "resize_downsample_scales_linear_align_corners",
            ResizeDesc::linear([1, 2]).coordinates(AlignCorners),
            [2, 4],
            Some(sixth),
            &[1.0, 3.142857],
        ),
        (
            "resize_downsample_sizes_linear_pytorch_half_pixel",
            ResizeDesc::linear([3, 1]).coordinates(PytorchHalfPixel),
            [4, 4],
            None,
            &[1.6666666, 7.0, 12.333333],
        ),
        (
            "resize_downsample_scales_cubic",
            cubic([3, 3], three_quarters, false),
            [4, 4],
            Some(eighth),
            &[
                1.47119141,
                2.78125,
                4.08251953,
                6.71142578,
                8.02148438,
                9.32275391,
                11.91650391,
                13.2265625,
                14.52783203,
            ],
        ),
        (
            "resize_downsample_scales_cubic_A_n0p5_exclude_outside",
            ResizeDesc {
                exclude_outside: true,
                ..cubic([3, 3], CubicCoefficient::MinusHalf, false)
            },
            [4, 4],
            Some(eighth),
            &[
                1.36812675,
                2.6695014,
                4.0133367,
                6.57362535,
                7.875,
                9.2188353,
                11.94896657,
                13.25034122,
                14.59417652,
            ],
        ),
        (
            "resize_downsample_scales_linear_antialias",
            antialiased([2, 2]),
            [4, 4],
            Some(sixth),
            &[2.875, 4.5, 9.375, 11.0],
        ),
        (
            "resize_downsample_scales_cubic_antialias",
            cubic([2, 2], three_quarters, true),
            [4, 4],
            Some(sixth),
            &[2.5180721, 4.2858863, 9.589329, 11.357142],
        ),
    ];
    for (name, desc, input, scale, want) in cases {
        assert_near(name, &resized(desc, input, scale), want, 1e-6);
    }
}

#[test]
fn resize_examples_of_onnx_centred() {
    // resize_downsample_scales_linear_half_pixel_symmetric
    let desc = ResizeDesc::linear(2).coordinates(ResizeCoordinates::HalfPixelSymmetric);
    let placement = ResizePlacement {
        scales: Some([1.0, 1.0, f64::from(0.6f32)]),
        ..ResizePlacement::default()
    };
    let plan = ResizePlan::new(&desc.resolve(&[1, 1, 4]).unwrap(), &placement).unwrap();
    let mut y = [0.0; 2];
    in_f64(|context| {
        let mut scratch = vec![0.0; plan.scratch_len(Layout::Nchw, 3)];
        let x = [1.0, 2.0, 3.0, 4.0];
        resize::forward(context, Layout::Nchw, &plan, &x, &mut y, &mut scratch);
    });
    assert_near("centred", &y, &[1.6666667, 3.3333333], 1e-6);
}
