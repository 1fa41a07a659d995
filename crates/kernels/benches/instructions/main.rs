//! How many instructions a handful of kernels take: a guard that does not depend on the machine's mood.
//!
//! ```text
//! cargo bench -p convolve-kernels --bench instructions               compare with counts.txt
//! cargo bench -p convolve-kernels --bench instructions -- --renew    write counts.txt
//! ```
//!
//! Each kernel runs once under callgrind, in a process of its own, and only what happens inside of
//! [`measured`] counts. Callgrind knows AVX2 and not AVX-512. Counts are those of a compiler: with
//! another one than that of `counts.txt` differences are shown and are no failure. Without valgrind there is
//! nothing to count.

mod cases;
mod counts;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use self::cases::Case;
use self::counts::{Counts, compiler};

/// By how much a count may change before it has to be looked at.
const TOLERANCE: f64 = 0.03;

/// What callgrind counts: it is found by its name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn measured(kernel: &mut &mut dyn FnMut()) {
    kernel();
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // a report is what it is for
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "--case") {
        return run_alone(arguments.get(place + 1).map(String::as_str));
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("instruction counts: skipped, there is no valgrind");
        return ExitCode::SUCCESS;
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/counts.txt");
    let result = match arguments.iter().any(|argument| argument == "--renew") {
        true => renew(&path),
        false => compare(&path),
    };
    result.unwrap_or_else(|error| {
        eprintln!("instruction counts: {error}");
        ExitCode::FAILURE
    })
}

/// Runs one kernel, as callgrind wants it.
fn run_alone(name: Option<&str>) -> ExitCode {
    let case = cases::all()
        .into_iter()
        .find(|case| Some(case.name()) == name.map(str::to_owned));
    match case {
        Some(case) => {
            case.run(|kernel| measured(&mut &mut *kernel));
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    }
}

/// Counts one kernel.
fn count(case: &Case) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=measured")
        .arg(program)
        .args(["--case", &case.name()])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text
        .lines()
        .filter_map(|line| line.split_once("Collected :"));
    let count = collected
        .map(|(_, count)| count.trim().parse().ok())
        .next_back()
        .flatten();
    match count {
        Some(count) if output.status.success() && count > 0 => Ok(count),
        _ => Err(format!("{}: callgrind says: {text}", case.name())),
    }
}

#[allow(clippy::print_stdout)] // as above
fn renew(path: &PathBuf) -> Result<ExitCode, String> {
    let mut counts = Counts::new(compiler()?);
    for case in cases::all() {
        counts.insert(case.name(), count(&case)?);
    }
    print!("{counts}");
    std::fs::write(path, counts.to_string()).map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout)] // as above
fn compare(path: &PathBuf) -> Result<ExitCode, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let (expected, compiler) = (text.parse::<Counts>()?, compiler()?);
    let mut off = 0;
    for case in cases::all() {
        let name = case.name();
        let counted = count(&case)?;
        let Some(before) = expected.get(&name) else {
            println!("{counted:>12}  new       {name}");
            off += 1;
            continue;
        };
        let change = counted as f64 / before as f64 - 1.0;
        off += usize::from(change.abs() > TOLERANCE);
        println!("{counted:>12}  {:+7.2} %  {name}", 100.0 * change);
    }
    if off == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    if compiler != expected.compiler {
        println!(
            "{off} counts differ by more than {TOLERANCE}; they were made by {}, this is {compiler}",
            expected.compiler
        );
        return Ok(ExitCode::SUCCESS);
    }
    Err(format!(
        "{off} counts differ by more than {TOLERANCE}: look why, and renew them with \
         `cargo bench -p convolve-kernels --bench instructions -- --renew`"
    ))
}
