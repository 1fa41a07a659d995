//! `convolve op --cases`: many convolutions, one JSON object a line, one answer a line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use kernels::Team;
use kernels::conv::{ConvOptions, Direction};
use serde::Deserialize;
use serde_json::json;

use super::{Task, convolution};
use crate::cli::failure::{one_line, usage};
use crate::cli::output;

/// A case: the flags of `op` by their names. What is left out is as on the command line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    problem: String,
    direction: Option<String>,
    layout: Option<String>,
    algorithm: Option<String>,
    threads: Option<usize>,
    input: Option<PathBuf>,
    weight: Option<PathBuf>,
    bias: Option<PathBuf>,
    grad: Option<PathBuf>,
    output: PathBuf,
}

/// Answers every case of a file. A case that cannot be computed is answered with its error, and the next one
/// follows; the errors are the answer, so they are no failure of the program.
pub(super) fn run(
    file: &Path,
    direction: Direction,
    options: ConvOptions,
    team: &Team,
) -> anyhow::Result<()> {
    let unreadable = |error| anyhow::anyhow!("{}: {error}", file.display());
    let lines = File::open(file).map_err(|error| usage(unreadable(error)))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    for line in BufReader::new(lines).lines() {
        let line = line.map_err(unreadable)?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(&line, folder, direction, options, team);
        output::json(&match answer {
            Ok(path) => json!({ "output": path }),
            Err(error) => json!({ "error": one_line(&error.to_string()) }),
        })?;
    }
    Ok(())
}

/// Computes one case and gives back the output as the case names it.
fn answer(
    line: &str,
    folder: &Path,
    direction: Direction,
    mut options: ConvOptions,
    team: &Team,
) -> anyhow::Result<PathBuf> {
    let case: Case = serde_json::from_str(line)?;
    if let Some(layout) = case.layout {
        options.layout = layout.parse().map_err(usage)?;
    }
    if let Some(algorithm) = case.algorithm {
        options.algorithm = Some(algorithm.parse().map_err(usage)?);
    }
    let direction = match case.direction {
        Some(direction) => direction.parse().map_err(usage)?,
        None => direction,
    };
    let below = |path: Option<PathBuf>| path.map(|path| folder.join(path));
    let task = Task {
        geometry: convolution(&case.problem).map_err(usage)?,
        direction,
        options,
        input: below(case.input),
        weight: below(case.weight),
        bias: below(case.bias),
        grad: below(case.grad),
        output: folder.join(&case.output),
    };
    match case.threads {
        Some(threads) => task.run(&Team::new(threads.min(1024))?)?,
        None => task.run(team)?,
    }
    Ok(case.output)
}
