//! `convolve draw`: pictures of convolutions, blocks and networks.

mod moving;
mod numbers;
mod smaller;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use figures::arithmetic::Colouring;
use figures::{Scene, Theme};
use formats::atomic;
use geometry::Problem;
use kernels::Team;
use runtime::{Eager, RuntimeOptions};

use self::moving::Drawn;
use self::numbers::Files;
use super::failure::{in_words, usage};
use super::op;
use super::output::Messages;

/// What `draw` takes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A problem, such as conv:n1c1h5w5:o1k3s2p1
    #[arg(value_name = "PROBLEM", required = true)]
    subjects: Vec<String>,
    /// Where the picture goes; its ending says what it is: .svg moves and turns dark with its reader, .gif moves
    /// anywhere, .png stands still
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Colour cells by their numbers, with the scale printed
    #[arg(long)]
    heat: bool,
    /// Background of a .png or .gif
    #[arg(long, value_enum, default_value_t)]
    theme: Background,
    /// Pixels of a .png to a unit of the picture [default: 2; 1 of a .gif]
    #[arg(long, value_name = "FACTOR")]
    scale: Option<f64>,
    #[command(flatten)]
    files: Files,
}

/// Background of a picture of pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Background {
    /// Ink on white.
    #[default]
    Light,
    /// Bright on dark.
    Dark,
}

impl From<Background> for Theme {
    fn from(background: Background) -> Self {
        match background {
            Background::Light => Self::Light,
            Background::Dark => Self::Dark,
        }
    }
}

/// Draws.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let _ = messages;
    let eager = Eager::with_team(RuntimeOptions::default(), Arc::new(Team::new(1)?));
    let problem: Problem = op::parse(&arguments.subjects[0]).map_err(usage)?;
    let colouring = match arguments.heat {
        true => Colouring::Value,
        false => Colouring::Role,
    };
    let drawn = Drawn::new(&problem, eager, &arguments.files)?;
    let scene = drawn.moving(colouring)?;
    write(
        &scene,
        &arguments.output,
        arguments.theme.into(),
        arguments.scale,
    )
}

fn write(scene: &Scene, path: &Path, theme: Theme, scale: Option<f64>) -> anyhow::Result<()> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let bytes = match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("svg") => figures::svg::write(scene).into_bytes(),
        Some("png") => figures::png::write(scene, theme, scale.unwrap_or(2.0))?,
        Some("gif") => figures::gif::write(scene, theme, scale.unwrap_or(1.0))?,
        _ => {
            return Err(usage(format!(
                "{}: a picture ends in .svg, .png or .gif",
                path.display()
            )));
        }
    };
    atomic::write(path, &bytes).map_err(|error| anyhow!("{}: {}", path.display(), in_words(&error)))
}
