//! `convolve bench`: how long things take.

mod peak;
mod problem;
mod random;
mod timing;

use clap::Args;
use kernels::conv::{Algorithm, Direction};

use super::engine::Engine;

/// What `bench` takes.
#[derive(Args)]
#[command(after_help = "\
Examples: convolve bench resnet20 --batch 128 --train
          convolve bench --problem conv:n16c64h56w56:o64k3p1 --direction backward-data
          convolve bench --peak")]
pub(crate) struct Arguments {
    /// A problem, such as conv:n1c64h56w56:o64k3s1p1; may be given several times
    #[arg(long = "problem", value_name = "PROBLEM", group = "what", required_unless_present_any = ["peak"])]
    problems: Vec<String>,
    /// What the processor can do at most: fused multiply-adds on registers alone
    #[arg(long, group = "what")]
    peak: bool,
    /// Of a problem: forward, backward-data or backward-weights
    #[arg(long, default_value_t = Direction::Forward)]
    direction: Direction,
    /// Of a problem: an algorithm, instead of the best that serves it
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// How long to measure each
    #[arg(long, default_value_t = 1.0, value_parser = parse_seconds)]
    seconds: f64,
    #[command(flatten)]
    engine: Engine,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (0.0..=3600.0).contains(seconds))
        .ok_or_else(|| "a number of seconds from 0 to 3600 is wanted".to_owned())
}

/// Measures what was asked for.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.peak {
        return peak::run(&arguments);
    }
    problem::run(&arguments)
}
