//! `convolve op`: one convolution on given arrays.

mod cases;

use std::path::PathBuf;

use clap::Args;
use geometry::{ConvGeometry, Problem};
use kernels::conv::{Algorithm, ConvOptions, ConvPlan, Direction, Epilogue};
use kernels::{Context, Team};
use tensor::{Buffer, Layout, NpyError, read_npy, write_npy_to};

use super::arrays::zeros;
use super::engine::Engine;
use super::failure::usage;

/// What `op` takes.
#[derive(Args)]
#[command(after_help = "\
Arrays are float32 .npy files, channels first (input, gradient and output [n, c, …], weight
[o, c/groups, kernel…], bias [o]), whatever the layout. Arrays that a direction does not need are
not read.

Example: convolve op conv:n1c3h8w8:o4k3p1 --input x.npy --weight w.npy --output y.npy")]
pub(crate) struct Arguments {
    /// The problem, such as conv:n1c64h56w56:o64k3s1p1
    #[arg(required_unless_present = "cases", conflicts_with = "cases")]
    problem: Option<String>,
    /// A file of cases, one JSON object a line, with the flags as keys and `problem`; paths are
    /// relative to the file. Answers a line a case: {"output": …} or {"error": …}
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "weight", "bias", "grad", "output"])]
    cases: Option<PathBuf>,
    /// forward, backward-data or backward-weights
    #[arg(long, default_value_t = Direction::Forward)]
    direction: Direction,
    /// An algorithm, instead of the best that serves the problem: depthwise, direct or reference
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// The input x; for forward and backward-weights
    #[arg(long, value_name = "X.npy")]
    input: Option<PathBuf>,
    /// The weight w; for forward and backward-data
    #[arg(long, value_name = "W.npy")]
    weight: Option<PathBuf>,
    /// A bias, added in forward
    #[arg(long, value_name = "B.npy")]
    bias: Option<PathBuf>,
    /// The gradient of the output; for backward-data and backward-weights
    #[arg(long, value_name = "DY.npy")]
    grad: Option<PathBuf>,
    /// Where the result goes
    #[arg(long, value_name = "Y.npy", required_unless_present = "cases")]
    output: Option<PathBuf>,
    #[command(flatten)]
    engine: Engine,
}

/// One computation: what to compute, on which files.
struct Task {
    geometry: ConvGeometry,
    direction: Direction,
    options: ConvOptions,
    input: Option<PathBuf>,
    weight: Option<PathBuf>,
    bias: Option<PathBuf>,
    grad: Option<PathBuf>,
    output: PathBuf,
}

/// Computes one problem, or all that a file lists.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let team = Team::new(arguments.engine.threads())?;
    let options = ConvOptions {
        layout: arguments.engine.layout,
        isa: arguments.engine.isa(),
        algorithm: arguments.algorithm,
    };
    if let Some(file) = arguments.cases {
        return cases::run(&file, arguments.direction, options, &team);
    }
    let task = Task {
        geometry: convolution(&arguments.problem.unwrap_or_default()).map_err(usage)?,
        direction: arguments.direction,
        options,
        input: arguments.input,
        weight: arguments.weight,
        bias: arguments.bias,
        grad: arguments.grad,
        output: arguments.output.unwrap_or_default(),
    };
    task.run(&team)
}

/// The numbers of a convolution written in the problem notation, or the line that says what is wrong with it.
pub(super) fn convolution(problem: &str) -> Result<ConvGeometry, String> {
    match problem.parse().map_err(|error| format!("{error}"))? {
        Problem::Conv(shape, desc) => desc
            .resolve(&shape.dims)
            .map_err(|error| format!("problem '{problem}': {error}")),
        _ => Err(format!(
            "problem '{problem}': not served yet, only conv: problems are"
        )),
    }
}

impl Task {
    fn run(&self, team: &Team) -> anyhow::Result<()> {
        let ctx = Context {
            team,
            isa: self.options.isa,
        };
        let geometry = &self.geometry;
        let plan = ConvPlan::new(geometry, self.direction, self.options).map_err(usage)?;
        let (input, output) = (geometry.input_shape(), geometry.output_shape());
        let weight = geometry.weight_shape();
        let result = match self.direction {
            Direction::Forward => output.clone(),
            Direction::BackwardData => input.clone(),
            Direction::BackwardWeights => weight.clone(),
        };
        let reads_input = self.direction != Direction::BackwardData;
        let reads_weight = self.direction != Direction::BackwardWeights;
        let reads_grad = self.direction != Direction::Forward;

        let x = self.read(reads_input, "--input", &self.input, &input)?;
        let w = self.read(reads_weight, "--weight", &self.weight, &weight)?;
        let dy = self.read(reads_grad, "--grad", &self.grad, &output)?;
        let has_bias = self.direction == Direction::Forward && self.bias.is_some();
        let bias = self.read(has_bias, "--bias", &self.bias, &[geometry.out_channels])?;

        let x = self.to_layout(x, geometry.in_channels, geometry.input_area());
        let dy = self.to_layout(dy, geometry.out_channels, geometry.output_area());
        let mut packed = zeros(plan.packed_len(), "the packed weight")?;
        if reads_weight {
            plan.pack(&ctx, &w, &mut packed);
        }
        let mut scratch = zeros(plan.scratch_len(team.threads()), "scratch memory")?;
        let mut y = zeros(result.iter().product(), "the output")?;
        match self.direction {
            Direction::Forward => {
                let epilogue = Epilogue {
                    bias: has_bias.then_some(&*bias),
                    ..Epilogue::default()
                };
                plan.forward(&ctx, &x, &packed, epilogue, &mut y, &mut scratch);
                y = self.to_nchw(y, geometry.out_channels, geometry.output_area());
            }
            Direction::BackwardData => {
                plan.backward_data(&ctx, &dy, &packed, &mut y, &mut scratch);
                y = self.to_nchw(y, geometry.in_channels, geometry.input_area());
            }
            Direction::BackwardWeights => {
                plan.backward_weights(&ctx, &x, &dy, &mut y, &mut scratch);
            }
        }
        formats::atomic::write_with(&self.output, |file| write_npy_to(file, &result, &y)).map_err(
            |source| {
                NpyError::Io {
                    path: self.output.clone(),
                    source,
                }
                .into()
            },
        )
    }

    /// Reads an array, if the direction needs it, and holds its shape against the problem's.
    fn read(
        &self,
        needed: bool,
        flag: &str,
        path: &Option<PathBuf>,
        shape: &[usize],
    ) -> anyhow::Result<Buffer<f32>> {
        if !needed {
            return Ok(Buffer::zeroed(0));
        }
        let Some(path) = path else {
            return Err(usage(format!("{} needs {flag}", self.direction)));
        };
        let array = read_npy(path)?;
        if array.dims() != shape {
            anyhow::bail!(
                "{}: {flag} has shape {:?}, the problem wants {shape:?}",
                path.display(),
                array.dims()
            );
        }
        let mut elements = Buffer::zeroed(array.data().len());
        elements.copy_from_slice(array.data());
        Ok(elements)
    }

    fn to_layout(&self, nchw: Buffer<f32>, channels: usize, area: usize) -> Buffer<f32> {
        let layout = self.options.layout;
        reordered(nchw, layout, |from, to| {
            layout.reorder_from_nchw(from, to, channels, area);
        })
    }

    fn to_nchw(&self, elements: Buffer<f32>, channels: usize, area: usize) -> Buffer<f32> {
        let layout = self.options.layout;
        reordered(elements, layout, |from, to| {
            layout.reorder_to_nchw(from, to, channels, area);
        })
    }
}

/// A copy in the other order; the same memory where there is nothing to reorder.
fn reordered(
    source: Buffer<f32>,
    layout: Layout,
    reorder: impl FnOnce(&[f32], &mut [f32]),
) -> Buffer<f32> {
    if layout == Layout::Nchw {
        return source;
    }
    let mut target = Buffer::zeroed(source.len());
    reorder(&source, &mut target);
    target
}
