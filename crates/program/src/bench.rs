//! `convolve bench`: how long things take.

mod model;
mod operator;
mod peak;
mod problem;
mod random;
mod report;
mod timing;

pub(super) use self::model::profile;
pub(super) use self::peak::gflops as peak_gflops;
pub(super) use self::timing::{gflops, significant};

use clap::{ArgGroup, Args};
use kernels::conv::Algorithm;

use super::engine::Engine;
use super::input_shape::InputShape;
use super::op::Direction;
use super::output::Messages;

/// What `bench` takes.
#[derive(Args)]
#[command(
    group = ArgGroup::new("what").required(true).args(["model", "problems", "peak"]),
    after_help = "\
Two warm-up runs, then at least three that count. GFLOP/s are two operations for every
multiply-accumulate, by the median time; what has none, such as a pool, has no GFLOP/s. A transposed
convolution runs by a convolution's kernels the other way round, which the column algorithm names.

A profile counts the bytes of a step's operands, each read or written once, and says with a letter why
better kernels were not taken; below the tables stands what the letters mean.

Examples: convolve bench resnet20 --batch 128 --train
          convolve bench resnet50 --profile
          convolve bench --problem conv:n16c64h56w56:o64k3p1 --direction backward-data
          convolve bench --peak"
)]
pub(crate) struct Arguments {
    /// A network of `convolve models`, an ONNX file, a run folder, a weights file, or hf-hub:ORG/NAME
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// Of a network: weights instead of random ones, a .safetensors or .onnx file, a run folder, or
    /// hf-hub:ORG/NAME
    #[arg(
        long, value_name = "FILE|RUN|hf-hub:ORG/NAME", conflicts_with_all = ["problems", "peak"]
    )]
    weights: Option<String>,
    /// Of a network: classes to tell apart
    #[arg(long, value_name = "N", conflicts_with_all = ["problems", "peak"])]
    num_classes: Option<usize>,
    /// A problem, such as conv:n1c64h56w56:o64k3s1p1; may be given several times
    #[arg(long = "problem", value_name = "PROBLEM")]
    problems: Vec<String>,
    /// What the processor can do at most: fused multiply-adds on registers alone
    #[arg(long)]
    peak: bool,
    /// Of a network: images at once
    #[arg(
        short, long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..),
        conflicts_with_all = ["problems", "peak"]
    )]
    batch: u16,
    /// Of a network: a step of training with SGD instead of a forward run
    #[arg(long, conflicts_with_all = ["problems", "peak"])]
    train: bool,
    /// Of a network: the images [default: those it was made for]
    #[arg(long, value_name = "CxHxW", conflicts_with_all = ["problems", "peak"])]
    input: Option<InputShape>,
    /// Of a network: every step with its kernel, why better ones were refused, its work, and the share
    /// of the processor's peak it reaches; sums by operator and by kernel
    #[arg(long, conflicts_with_all = ["problems", "peak"])]
    profile: bool,
    /// Of a profile: the peak it is held against, instead of measuring it
    #[arg(long, value_name = "GFLOP/S", requires = "profile", value_parser = parse_gflops)]
    peak_gflops: Option<f64>,
    /// Of a problem: forward, or the gradient of an array: backward-data, -weights, -pointwise, -bias,
    /// -offset, -mask
    #[arg(long, default_value_t = Direction::Forward, conflicts_with_all = ["model", "peak"])]
    direction: Direction,
    /// Of a problem: an algorithm for convolutions, instead of the best that serves it: depthwise,
    /// grouped, rows, planes, winograd-4, winograd-2, direct, im2col or reference
    #[arg(long, conflicts_with_all = ["model", "peak"])]
    algorithm: Option<Algorithm>,
    /// Number format of the computation; f32 is the only one yet
    #[arg(long, default_value = "f32", value_parser = parse_precision)]
    precision: String,
    /// How long to measure each
    #[arg(long, default_value_t = 1.0, value_parser = parse_seconds)]
    seconds: f64,
    #[command(flatten)]
    engine: Engine,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

fn parse_precision(text: &str) -> Result<String, String> {
    match text {
        "f32" => Ok(text.to_owned()),
        _ => Err("f32 is the only precision yet".to_owned()),
    }
}

fn parse_gflops(text: &str) -> Result<f64, String> {
    let gflops = text.parse().ok();
    gflops
        .filter(|gflops: &f64| *gflops > 0.0 && gflops.is_finite())
        .ok_or_else(|| "a number of GFLOP/s above 0 is wanted".to_owned())
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (0.0..=3600.0).contains(seconds))
        .ok_or_else(|| "a number of seconds from 0 to 3600 is wanted".to_owned())
}

/// Measures what was asked for.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    match &arguments.model {
        Some(name) => model::run(name, &arguments, messages),
        None if arguments.peak => peak::run(&arguments),
        None => problem::run(&arguments),
    }
}
