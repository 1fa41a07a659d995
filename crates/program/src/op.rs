//! `convolve op`: one operator on given arrays.

mod cases;
mod direction;
mod operator;
mod task;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use geometry::Problem;
use kernels::Team;
use kernels::conv::Algorithm;
use runtime::{Eager, RuntimeOptions};
use serde::Deserialize;

pub(super) use self::direction::{Array, Direction};
pub(super) use self::operator::{Asked, Operator};
use self::task::Task;
pub(super) use self::task::refused;
use super::engine::Engine;
use super::failure::usage;

/// What `op` takes.
#[derive(Args)]
#[command(
    override_usage = "\
convolve op [OPTIONS] <PROBLEM> --output <Y.npy>
       convolve op [OPTIONS] --cases <FILE>",
    after_help = "\
Arrays are .npy files, channels first (input, gradient and output [n, c, …], weight [o, c/groups,
kernel…], of a transposed convolution [c, o/groups, kernel…], of a separable one [c·m, 1, kernel…] with
filter q of channel c at c·m + q, and pointwise [o, c·m, 1…], bias [o]), whatever the layout. Arrays that
a direction does not need are not read. Of a max pool, --indices names where the places of the
maxima go (forward) or come from (backward-data; without it they are found again from --input).

The exit code of --cases is 0 when every case was answered, be it with an error: look for \"error\" in
the lines. Blank lines are passed over; they count as lines all the same.

Examples: convolve op conv:n1c3h8w8:o4k3p1 --input x.npy --weight w.npy --output y.npy
          convolve op pool-max:n1c3h8w8:k2s2 --direction backward-data --input x.npy --grad dy.npy --output dx.npy"
)]
pub(crate) struct Arguments {
    /// The problem, such as conv:n1c64h56w56:o64k3s1p1
    #[arg(required_unless_present = "cases", conflicts_with = "cases")]
    problem: Option<String>,
    /// A file of cases, one JSON object a line, with the flags as keys and `problem`; paths are
    /// relative to the file. Answers a line a case, numbered from 1 as in the file: {"line": …,
    /// "output": …} or {"line": …, "error": …}
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "input", "weight", "pointwise", "bias", "offset", "mask", "indices", "grad", "output",
    ])]
    cases: Option<PathBuf>,
    /// forward, or the gradient of an array: backward-data, -weights, -pointwise, -bias, -offset, -mask
    #[arg(long, default_value_t = Direction::Forward)]
    direction: Direction,
    /// An algorithm for convolutions, instead of the best that serves the problem and sums products of
    /// operands: depthwise, grouped, rows, planes, direct, im2col or reference; winograd-4 or winograd-2 only by name
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// Number format of arrays and computation; f64 is exact to the last digits and slow
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
    #[command(flatten)]
    files: Files,
    /// Where the result goes
    #[arg(long, value_name = "Y.npy", required_unless_present = "cases")]
    output: Option<PathBuf>,
    #[command(flatten)]
    engine: Engine,
}

/// Number format of a computation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Precision {
    /// 32-bit floating point.
    #[default]
    F32,
    /// 64-bit floating point.
    F64,
}

/// The files of the arrays.
#[derive(Args, Clone, Debug, Default)]
struct Files {
    /// The input x
    #[arg(long, value_name = "X.npy")]
    input: Option<PathBuf>,
    /// The weight w
    #[arg(long, value_name = "W.npy")]
    weight: Option<PathBuf>,
    /// The pointwise weight of a separable convolution
    #[arg(long, value_name = "P.npy")]
    pointwise: Option<PathBuf>,
    /// A bias, added in forward
    #[arg(long, value_name = "B.npy")]
    bias: Option<PathBuf>,
    /// The offsets of a deformable convolution
    #[arg(long, value_name = "O.npy")]
    offset: Option<PathBuf>,
    /// The mask of a modulated deformable convolution
    #[arg(long, value_name = "M.npy")]
    mask: Option<PathBuf>,
    /// The places of the maxima of a pool
    #[arg(long, value_name = "I.npy")]
    indices: Option<PathBuf>,
    /// The gradient of the output; for every direction but forward
    #[arg(long, value_name = "DY.npy")]
    grad: Option<PathBuf>,
}

impl Files {
    fn of(&self, array: Array) -> Option<&Path> {
        let file = match array {
            Array::Input => &self.input,
            Array::Weight => &self.weight,
            Array::Pointwise => &self.pointwise,
            Array::Bias => &self.bias,
            Array::Offset => &self.offset,
            Array::Mask => &self.mask,
            Array::Indices => &self.indices,
            Array::Grad => &self.grad,
        };
        file.as_deref()
    }
}

/// Computes one problem, or all that a file lists.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let team = Arc::new(Team::new(arguments.engine.threads())?);
    let options = RuntimeOptions {
        algorithm: arguments.algorithm,
        // A calculator: what is quicker and differs in the last digits has to be asked for.
        strict: true,
        ..arguments.engine.options()
    };
    if let Some(file) = arguments.cases {
        let defaults = cases::Defaults {
            direction: arguments.direction,
            precision: arguments.precision,
            options,
        };
        return cases::run(&file, defaults, &team);
    }
    let task = Task {
        problem: parse(&arguments.problem.unwrap_or_default()).map_err(usage)?,
        direction: arguments.direction,
        algorithm: arguments.algorithm,
        precision: arguments.precision,
        files: arguments.files,
        output: arguments.output.unwrap_or_default(),
    };
    task.run(&Eager::with_team(options, team))
}

/// A problem written in the notation, or the line that says what is wrong with it.
pub(super) fn parse(problem: &str) -> Result<Problem, String> {
    problem.parse().map_err(|error| format!("{error}"))
}
