//! `convolve op --cases`: many problems, one JSON object a line, one answer a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use kernels::Team;
use runtime::{Eager, RuntimeOptions};
use serde::Deserialize;
use serde_json::json;

use super::{Direction, Files, Precision, Task, parse as problem};
use crate::engine::THREADS;
use crate::failure::{in_words, message, one_line, usage};
use crate::output;

/// The longest line that is read, in bytes. A case is a few hundred; a file without line ends is no
/// list of cases.
const LONGEST: usize = 1 << 20;

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
    precision: Option<Precision>,
    input: Option<PathBuf>,
    weight: Option<PathBuf>,
    pointwise: Option<PathBuf>,
    bias: Option<PathBuf>,
    offset: Option<PathBuf>,
    mask: Option<PathBuf>,
    indices: Option<PathBuf>,
    grad: Option<PathBuf>,
    output: PathBuf,
}

/// What cases leave out is as on the command line.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    pub(super) direction: Direction,
    pub(super) precision: Precision,
    pub(super) options: RuntimeOptions,
}

/// Answers every case of a file with the number of its line. A case that cannot be computed is answered with its
/// error, and the next one follows; the errors are the answer, so they are no failure of the program.
pub(super) fn run(file: &Path, defaults: Defaults, team: &Arc<Team>) -> anyhow::Result<()> {
    let unreadable = |error: io::Error| anyhow!("{}: {}", file.display(), in_words(&error));
    let mut lines = BufReader::new(File::open(file).map_err(|error| usage(unreadable(error)))?);
    let folder = file.parent().unwrap_or(Path::new(""));
    for number in 1.. {
        let mut line = Vec::new();
        let mut bounded = lines.by_ref().take(LONGEST as u64 + 1);
        if bounded.read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            break;
        }
        if line.len() > LONGEST {
            return Err(anyhow!(
                "{}: line {number} is longer than {LONGEST} bytes",
                file.display()
            ));
        }
        let line = match number {
            1 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line),
            _ => &line,
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let answer = parse(line, number).and_then(|case| answer(case, folder, defaults, team));
        output::json(&match answer {
            Ok(path) => json!({ "line": number, "output": path }),
            Err(error) => json!({ "line": number, "error": one_line(&message(&error)) }),
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
    // Serde would take an array for the fields in their order.
    if let Some((before, _)) = line
        .split_once('[')
        .filter(|(before, _)| before.trim().is_empty())
    {
        let column = before.len() + 1;
        return Err(anyhow!(
            "line {number} column {column}: a case is a JSON object, not an array"
        ));
    }
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
    defaults: Defaults,
    team: &Arc<Team>,
) -> anyhow::Result<PathBuf> {
    let mut options = defaults.options;
    if let Some(layout) = case.layout {
        options.layout = layout.parse().map_err(usage)?;
    }
    if let Some(algorithm) = case.algorithm {
        options.algorithm = Some(algorithm.parse().map_err(usage)?);
    }
    let direction = match case.direction {
        Some(direction) => direction.parse().map_err(usage)?,
        None => defaults.direction,
    };
    let threads = case.threads.map(checked).transpose()?;
    let below = |path: Option<PathBuf>| path.map(|path| folder.join(path));
    let task = Task {
        problem: problem(&case.problem).map_err(usage)?,
        direction,
        algorithm: options.algorithm,
        precision: case.precision.unwrap_or(defaults.precision),
        files: Files {
            input: below(case.input),
            weight: below(case.weight),
            pointwise: below(case.pointwise),
            bias: below(case.bias),
            offset: below(case.offset),
            mask: below(case.mask),
            indices: below(case.indices),
            grad: below(case.grad),
        },
        output: folder.join(&case.output),
    };
    let team = match threads {
        Some(threads) => Arc::new(Team::new(threads)?),
        None => Arc::clone(team),
    };
    task.run(&Eager::with_team(options, team))?;
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
