//! Affine grids, sampling along grids and resizing.

use geometry::{
    AffineGridDesc, ConvDesc, CubicCoefficient, GridInterpolation, GridPadding, GridSampleDesc,
    NearestRounding, ResizeCoordinates, ResizeDesc, ResizeFilter,
};
use graph::{ElementType, Graph, Op, Resizing, Role, SamplingOp, Value};
use runtime::eager::Element;
use runtime::{Eager, Program, Run, RuntimeOptions};
use tensor::{Layout, Tensor};
use testkit::affine::AffineCase;
use testkit::compare::assert_relative_l2;
use testkit::grid_sample::{Around, Beyond, GridSampleCase};
use testkit::resize::{Coordinates, Filter, ResizeCase, Rounding};
use testkit::{ConvCase, Draw, gradient};

/// An engine for each layout and for one thread and three.
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

/// Numbers from −1 to 1 of which every type holds the same: multiples of 2⁻⁶.
fn numbers(draw: &mut Draw, len: usize) -> Vec<f64> {
    (0..len)
        .map(|_| draw.below(129) as f64 / 64.0 - 1.0)
        .collect()
}

fn tensor<T: Element>(shape: &[usize], values: &[f64]) -> Tensor<T> {
    let values: Vec<T> = values.iter().map(|&v| T::of(v)).collect();
    Tensor::from_slice(shape, &values).unwrap()
}

fn wide<T: Element>(tensor: &Tensor<T>) -> Vec<f64> {
    tensor.data().iter().map(|v| v.wide()).collect()
}

/// An operator, its operands, an upstream gradient, and what the oracle makes of them: the result
/// and the gradients of the inputs.
struct Problem {
    name: String,
    op: SamplingOp,
    inputs: Vec<(Vec<usize>, Vec<f64>)>,
    upstream: (Vec<usize>, Vec<f64>),
    result: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    /// Whether differences of the result tell its slope.
    smooth: bool,
}

fn forward<T: Element>(eager: &Eager, problem: &Problem) -> Tensor<T> {
    let inputs: Vec<_> = problem
        .inputs
        .iter()
        .map(|(s, v)| tensor::<T>(s, v))
        .collect();
    let given: Vec<_> = inputs.iter().map(Into::into).collect();
    let op = Op::Sampling(problem.op.clone());
    eager.apply(op, &given).unwrap().remove(0).real()
}

fn pullback<T: Element>(eager: &Eager, problem: &Problem) -> Vec<Tensor<T>> {
    let inputs: Vec<_> = problem
        .inputs
        .iter()
        .map(|(s, v)| tensor::<T>(s, v))
        .collect();
    let given: Vec<_> = inputs.iter().map(Into::into).collect();
    let wanted: Vec<_> = (0..inputs.len()).collect();
    let upstream = tensor(&problem.upstream.0, &problem.upstream.1);
    let op = Op::Sampling(problem.op.clone());
    eager.pullback(op, &given, &upstream, &wanted).unwrap()
}

/// Checks results and gradients in both precisions; those of all threads are the same to the bit.
fn assert_problem(problem: &Problem) {
    let near = |what: &str, got: &[f64], want: &[f64], tolerance: f64| {
        assert_eq!(got.len(), want.len(), "{what} of {}", problem.name);
        // A sum may cancel; it is judged by the largest of its neighbours.
        let size = want.iter().fold(1.0f64, |size, v| size.max(v.abs()));
        for (index, (got, want)) in got.iter().zip(want).enumerate() {
            assert!(
                (got - want).abs() <= tolerance * size,
                "{what} of {}: element {index} is {got}, should be {want}",
                problem.name
            );
        }
    };
    let mut by_layout: Vec<Vec<f64>> = Vec::new();
    for (engine, eager) in engines() {
        let y = forward::<f32>(&eager, problem);
        assert_eq!(y.dims(), problem.upstream.0, "{}", problem.name);
        near(&engine, &wide(&y), &problem.result, 1e-5);
        let gradients = pullback::<f32>(&eager, problem);
        for (place, got) in gradients.iter().enumerate() {
            assert_eq!(got.dims(), problem.inputs[place].0, "{}", problem.name);
            near(&engine, &wide(got), &problem.gradients[place], 1e-5);
        }
        let all = gradients.iter().chain([&y]).flat_map(wide).collect();
        by_layout.push(all);

        let y = forward::<f64>(&eager, problem);
        near(&engine, &wide(&y), &problem.result, 1e-12);
        for (got, want) in pullback::<f64>(&eager, problem)
            .iter()
            .zip(&problem.gradients)
        {
            near(&engine, &wide(got), want, 1e-12);
        }
    }
    for pair in by_layout.chunks(2) {
        assert!(pair[0] == pair[1], "{}: threads differ", problem.name);
    }
}

/// Checks every gradient through the graph by differences, in f64.
fn assert_gradients(problem: &Problem) {
    let eager = Eager::new(RuntimeOptions::default()).unwrap();
    let gradients = pullback::<f64>(&eager, problem);
    for (place, got) in gradients.iter().enumerate() {
        let dot = |at: &[f64]| {
            let mut moved = Problem {
                name: String::new(),
                op: problem.op.clone(),
                inputs: problem.inputs.clone(),
                upstream: problem.upstream.clone(),
                result: Vec::new(),
                gradients: Vec::new(),
                smooth: true,
            };
            moved.inputs[place].1 = at.to_vec();
            let y = forward::<f64>(&eager, &moved);
            y.data()
                .iter()
                .zip(&problem.upstream.1)
                .map(|(a, b)| a * b)
                .sum()
        };
        if let Err(mismatch) = gradient::check(dot, &problem.inputs[place].1, got.data()) {
            panic!("input {place} of {}: {mismatch}", problem.name);
        }
    }
}

fn affine_problems() -> Vec<Problem> {
    let mut problems = Vec::new();
    for (batch, size) in [(2, vec![3, 4]), (1, vec![2, 1, 3]), (0, vec![3, 4])] {
        for align_corners in [false, true] {
            let case = AffineCase {
                batch,
                size: size.clone(),
                align_corners,
            };
            let axes = size.len();
            let mut draw = Draw::new(axes as u64);
            let theta = numbers(&mut draw, case.theta_len());
            let dgrid = numbers(&mut draw, case.grid_len());
            let desc = AffineGridDesc::new(&size[..]).align_corners(align_corners);
            let grid_shape = [&[batch][..], &size, &[axes]].concat();
            problems.push(Problem {
                name: format!("{case:?}"),
                op: SamplingOp::AffineGrid { desc },
                result: case.forward(&theta),
                gradients: vec![case.backward(&dgrid)],
                inputs: vec![(vec![batch, axes, axes + 1], theta)],
                upstream: (grid_shape, dgrid),
                smooth: true,
            });
        }
    }
    problems
}

fn grid_problems() -> Vec<Problem> {
    let arounds = [
        (Around::Nearest, GridInterpolation::Nearest),
        (Around::Linear, GridInterpolation::Linear),
        (Around::Cubic, GridInterpolation::Cubic),
    ];
    let beyonds = [
        (Beyond::Zeros, GridPadding::Zeros),
        (Beyond::Border, GridPadding::Border),
        (Beyond::Reflection, GridPadding::Reflection),
    ];
    let sizes: [(usize, usize, &[usize], &[usize]); 4] = [
        (2, 3, &[4, 5], &[3, 2]),
        (2, 17, &[3, 2], &[2, 5]),
        (0, 3, &[4, 5], &[3, 2]),
        (1, 2, &[3, 4, 2], &[2, 1, 3]),
    ];
    let mut problems = Vec::new();
    for (around, interpolation) in arounds {
        for (beyond, padding) in beyonds {
            for align_corners in [false, true] {
                for (batch, channels, input, output) in sizes {
                    if input.len() == 3 && around == Around::Cubic {
                        continue;
                    }
                    let case = GridSampleCase {
                        batch,
                        channels,
                        input: input.to_vec(),
                        output: output.to_vec(),
                        around,
                        beyond,
                        align_corners,
                    };
                    problems.push(grid_problem(&case, interpolation, padding));
                }
            }
        }
    }
    problems
}

fn grid_problem(
    case: &GridSampleCase,
    interpolation: GridInterpolation,
    padding: GridPadding,
) -> Problem {
    let mut draw = Draw::new(case.channels as u64);
    let x = numbers(&mut draw, case.input_len());
    let dy = numbers(&mut draw, case.output_len());
    let points = smooth_points(&mut draw, case);
    let shape = |sizes: &[usize]| [&[case.batch, case.channels], sizes].concat();
    let grid_shape = [&[case.batch], &case.output[..], &[case.input.len()]].concat();
    let desc = GridSampleDesc::new(interpolation)
        .padding(padding)
        .align_corners(case.align_corners);
    Problem {
        name: format!("{case:?}"),
        op: SamplingOp::GridSample { desc },
        result: case.forward(&x, &points),
        gradients: vec![
            case.backward_input(&points, &dy),
            case.backward_grid(&x, &points, &dy),
        ],
        inputs: vec![(shape(&case.input), x), (grid_shape, points)],
        upstream: (shape(&case.output), dy),
        smooth: case.around != Around::Nearest,
    }
}

/// Points, some of them outside, whose positions are away from whole and half numbers.
fn smooth_points(draw: &mut Draw, case: &GridSampleCase) -> Vec<f64> {
    let axes = case.input.len();
    let mut points = Vec::new();
    while points.len() < case.grid_len() {
        let size = case.input[axes - 1 - points.len() % axes] as f64;
        let stretch = if case.align_corners {
            (size - 1.0) / 2.0
        } else {
            size / 2.0
        };
        let point = 1.5 * numbers(draw, 1)[0];
        let halves = 2.0 * stretch * (point + 1.0);
        if (halves - halves.round()).abs() > 0.125 {
            points.push(point);
        }
    }
    points
}

fn resize_problems() -> Vec<Problem> {
    let half_pixel = (Coordinates::HalfPixel, ResizeCoordinates::HalfPixel);
    let corners = (Coordinates::AlignCorners, ResizeCoordinates::AlignCorners);
    let cubic = ResizeFilter::Cubic {
        coefficient: CubicCoefficient::MinusHalf,
        antialias: true,
    };
    let settings = [
        (
            Filter::Nearest(Rounding::HalfUp),
            ResizeFilter::Nearest(NearestRounding::HalfUp),
            false,
            half_pixel,
        ),
        (
            Filter::Linear,
            ResizeFilter::Linear { antialias: false },
            false,
            corners,
        ),
        (Filter::Cubic(-0.5), cubic, true, half_pixel),
    ];
    /// Batch, channels, sizes before and after, and scales.
    type Sizes = (
        usize,
        usize,
        &'static [usize],
        &'static [usize],
        Option<&'static [f64]>,
    );
    let sizes: [Sizes; 5] = [
        (2, 3, &[7], &[4], None),
        (2, 17, &[4, 5], &[7, 3], None),
        (1, 2, &[3, 4, 2], &[2, 5, 3], None),
        (0, 2, &[3, 4], &[2, 5], None),
        (1, 3, &[4, 5], &[10, 3], Some(&[2.5, 0.625])),
    ];
    let mut problems = Vec::new();
    for (filter, ours, antialias, (rule, coordinates)) in settings {
        for (batch, channels, input, output, scales) in sizes {
            let case = ResizeCase {
                batch,
                channels,
                input: input.to_vec(),
                output: output.to_vec(),
                scales: scales.map(<[f64]>::to_vec),
                filter,
                coordinates: rule,
                antialias,
                exclude_outside: antialias,
            };
            let desc = ResizeDesc {
                filter: ours,
                coordinates,
                exclude_outside: antialias,
                size: output.into(),
            };
            let mut draw = Draw::new(channels as u64);
            let x = numbers(&mut draw, case.input_len());
            let dy = numbers(&mut draw, case.output_len());
            let resizing = Resizing {
                scales: case.scales.clone(),
                ..desc.into()
            };
            problems.push(Problem {
                name: format!("{case:?}"),
                op: SamplingOp::Resize { resizing },
                result: case.forward(&x),
                gradients: vec![case.backward(&dy)],
                inputs: vec![([&[batch, channels], input].concat(), x)],
                upstream: ([&[batch, channels], output].concat(), dy),
                smooth: true,
            });
        }
    }
    problems
}

#[test]
fn affine_grids() {
    affine_problems().iter().for_each(assert_problem);
}

#[test]
fn grid_samples() {
    grid_problems().iter().for_each(assert_problem);
}

#[test]
fn resizes() {
    resize_problems().iter().for_each(assert_problem);
}

#[test]
fn gradients_through_the_graph() {
    let problems = [affine_problems(), grid_problems(), resize_problems()];
    let problems = problems.iter().flatten();
    problems
        .filter(|problem| problem.smooth)
        .for_each(assert_gradients);
}

#[test]
fn second_gradients_through_the_graph() {
    // The backward operators that are linear in what they carry have gradients of their own.
    let mut draw = Draw::new(6);
    let case = GridSampleCase {
        batch: 1,
        channels: 2,
        input: vec![3, 4],
        output: vec![2, 2],
        around: Around::Cubic,
        beyond: Beyond::Zeros,
        align_corners: false,
    };
    let desc = GridSampleDesc::new(GridInterpolation::Cubic);
    let (affine, resizing) = (AffineGridDesc::new([2, 3]), ResizeDesc::linear([5, 2]));
    let points = smooth_points(&mut draw, &case);
    let mut numbers = |len| numbers(&mut draw, len);
    let problem = |op, inputs, upstream| Problem {
        name: format!("{op:?}"),
        op,
        inputs,
        upstream,
        result: Vec::new(),
        gradients: Vec::new(),
        smooth: true,
    };
    for problem in [
        problem(
            SamplingOp::GridSampleBackwardInput {
                desc,
                input: vec![1, 2, 3, 4],
            },
            vec![(vec![1, 2, 2, 2], points), (vec![1, 2, 2, 2], numbers(8))],
            (vec![1, 2, 3, 4], numbers(24)),
        ),
        problem(
            SamplingOp::AffineGridBackward { desc: affine },
            vec![(vec![1, 2, 3, 2], numbers(12))],
            (vec![1, 2, 3], numbers(6)),
        ),
        problem(
            SamplingOp::ResizeBackward {
                resizing: resizing.into(),
                input: vec![1, 2, 3, 4],
            },
            vec![(vec![1, 2, 5, 2], numbers(20))],
            (vec![1, 2, 3, 4], numbers(24)),
        ),
    ] {
        assert_gradients(&problem);
    }
}

#[test]
fn a_map_may_be_the_kernels_of_a_convolution() {
    // Kernels turned by a right angle, each by a grid of its own.
    let eager = Eager::new(RuntimeOptions::default()).unwrap();
    let weight: Tensor<f32> = tensor(&[2, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    let turn = [0.0, -1.0, 0.0, 1.0, 0.0, 0.0];
    let theta = tensor(&[2, 2, 3], &[turn, turn].concat());
    let desc = AffineGridDesc::new([2, 2]).align_corners(true);
    let grid = eager.affine_grid(&theta, desc).unwrap();
    let desc = GridSampleDesc::new(GridInterpolation::Linear).align_corners(true);
    let turned = eager.grid_sample(&weight, &grid, desc).unwrap();
    assert_eq!(turned.data(), [2.0, 4.0, 1.0, 3.0, 6.0, 8.0, 5.0, 7.0]);
}

#[test]
fn sampled_kernels_convolve() {
    // A transformer on the kernels of a convolution instead of its features.
    let mut draw = Draw::new(12);
    let sample = GridSampleCase {
        batch: 4,
        channels: 3,
        input: vec![3, 3],
        output: vec![2, 3],
        around: Around::Linear,
        beyond: Beyond::Border,
        align_corners: false,
    };
    let conv = ConvCase::new(2, 3, 4, [6, 7], [2, 3]).padding([1, 0]);
    let x = numbers(&mut draw, conv.input_len());
    let weight = numbers(&mut draw, sample.input_len());
    let points = numbers(&mut draw, sample.grid_len());
    let want = conv.forward(&x, &sample.forward(&weight, &points), None);

    let mut graph = Graph::default();
    let shapes: [&[usize]; 3] = [&[2, 3, 6, 7], &[4, 3, 3, 3], &[4, 2, 3, 2]];
    for shape in shapes {
        let input = graph.add_value(Value {
            name: format!("input {}", graph.inputs.len()),
            shape: shape.to_vec(),
            element: ElementType::Real,
            role: Role::Input,
        });
        graph.inputs.push(input);
    }
    let [images, kernels, grid] = [0, 1, 2].map(|place| graph.inputs[place]);
    let desc = GridSampleDesc::new(GridInterpolation::Linear).padding(GridPadding::Border);
    let sampled = Op::Sampling(SamplingOp::GridSample { desc });
    let sampled = graph
        .append(sampled, "kernels", vec![kernels, grid])
        .unwrap();
    let op = Op::Conv {
        desc: ConvDesc::new(4, [2, 3]).padding([1, 0]),
        bias: false,
        residual: false,
        activation: None,
    };
    graph.outputs = graph.append(op, "conv", vec![images, sampled[0]]).unwrap();

    for layout in Layout::ALL {
        let options = RuntimeOptions {
            layout,
            ..RuntimeOptions::default()
        };
        let mut program = Program::new(graph.clone(), &options).unwrap();
        for (place, values) in [&x, &weight, &points].into_iter().enumerate() {
            let values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
            program.input_f32(place).copy_from_slice(&values);
        }
        program.run(Run::default());
        let problem = format!("sampled kernels, {layout}");
        assert_relative_l2(&problem, program.output(0), &want, 1e-6);
    }
}

#[test]
fn bad_operands_are_errors_with_their_numbers() {
    let eager = Eager::new(RuntimeOptions::default()).unwrap();
    let x: Tensor<f32> = Tensor::zeros(&[2, 3, 4, 5]).unwrap();
    let grid: Tensor<f32> = Tensor::zeros(&[1, 4, 4, 2]).unwrap();
    let desc = GridSampleDesc::new(GridInterpolation::Nearest);
    let error = eager.grid_sample(&x, &grid, desc).unwrap_err().to_string();
    assert!(
        error.contains("[1, 4, 4, 2]") && error.contains("[2, 3, 4, 5]"),
        "{error}"
    );
    let error = eager
        .affine_grid(&x, AffineGridDesc::new([2, 2]))
        .unwrap_err();
    assert!(error.to_string().contains("[2, 3, 4, 5]"), "{error}");
    assert!(eager.resize(&x, ResizeDesc::linear([0, 3])).is_err());
    assert!(eager.resize(&x, ResizeDesc::linear([1, 2, 3])).is_err());
    assert!(eager.resize(&x, ResizeDesc::linear(1 << 40)).is_err());
}
