//! `convolve op --cases`: many convolutions, one JSON object a line, one answer a line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use kernels::Team;
use kernels::conv::{ConvOptions, Direction};
use serde::Deserialize;
use serde_json::json;

use super::{Task, convolution};
use crate::cli::engine::THREADS;
use crate::cli::failure::{one_line, usage};
use crate::cli::output;

/// What some editors put before the first character of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A case: the flags of `op` by their names. What is left out is as on the command line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    problem: String,
    direction: Option<String>,
    layout: Option<String>,
    algorithm: Option<String>,
    threads: Option<i64>,
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
    let unreadable = |error| anyhow!("{}: {error}", file.display());
    let lines = File::open(file).map_err(|error| usage(unreadable(error)))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    for (index, line) in BufReader::new(lines).split(b'\n').enumerate() {
        let line = line.map_err(unreadable)?;
        let line = match index {
            0 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line),
            _ => &line,
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer =
            parse(line, index + 1).and_then(|case| answer(case, folder, direction, options, team));
        output::json(&match answer {
            Ok(path) => json!({ "output": path }),
            Err(error) => json!({ "error": one_line(&error.to_string()) }),
        })?;
    }
    Ok(())
}

/// Reads line `number` of the file.
fn parse(line: &[u8], number: usize) -> anyhow::Result<Case> {
    let line = std::str::from_utf8(line).map_err(|error| {
        let column = error.valid_up_to() + 1;
        anyhow!("line {number} column {column}: not UTF-8")
    })?;
    serde_json::from_str(line).map_err(|error| {
        // The parser has seen this line alone and counts from it; its columns are right.
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = error.to_string();
        let reason = text.strip_suffix(&place).unwrap_or(&text);
        anyhow!("line {number} column {}: {reason}", error.column())
    })
}

/// Computes one case and gives back the output as the case names it.
fn answer(
    case: Case,
    folder: &Path,
    direction: Direction,
    mut options: ConvOptions,
    team: &Team,
) -> anyhow::Result<PathBuf> {
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
    let threads = case.threads.map(checked).transpose()?;
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
    match threads {
        Some(threads) => task.run(&Team::new(threads)?)?,
        None => task.run(team)?,
    }
    Ok(case.output)
}

/// A number of threads within the bounds of `--threads`.
fn checked(threads: i64) -> anyhow::Result<usize> {
    let within = THREADS.contains(&threads).then_some(threads);
    within
        .and_then(|threads| threads.try_into().ok())
        .ok_or_else(|| {
            let (least, most) = THREADS.into_inner();
            usage(format!("threads: {threads} is not in {least}..={most}"))
        })
}
