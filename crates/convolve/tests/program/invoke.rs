//! Running the program.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What came of a run.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program, to be started in a folder.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convolve"));
    command
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// The program, to be started in a folder by a shell that has set a limit before.
#[cfg(unix)]
pub(crate) fn below_limit(folder: &Path, limit: &str, arguments: &[&str]) -> Command {
    let script = format!("{limit} && exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command
        .current_dir(folder)
        .args(["-c", &script, env!("CARGO_BIN_EXE_convolve")])
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// Runs the program in a folder.
pub(crate) fn convolve(folder: &Path, arguments: &[&str]) -> Answer {
    let output = command(folder, arguments).output().unwrap();
    Answer {
        code: output.status.code().expect("ended by a signal"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the program, which must succeed, and gives back its data.
#[track_caller]
pub(crate) fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let answer = convolve(folder, arguments);
    assert_eq!(answer.code, 0, "{arguments:?}: {}", answer.err);
    answer.out
}

/// Runs the program, which must end with this code and one line that holds all of these words.
#[track_caller]
pub(crate) fn fail(folder: &Path, code: i32, arguments: &[&str], words: &[&str]) {
    let answer = convolve(folder, arguments);
    assert_eq!(answer.code, code, "{arguments:?}: {}", answer.err);
    assert_eq!(answer.out, "", "{arguments:?}");
    let line = answer.err.strip_suffix('\n').unwrap_or(&answer.err);
    assert!(line.starts_with("error: "), "{arguments:?}: {line}");
    assert!(!line.contains('\n'), "{arguments:?}: {line}");
    for word in words {
        assert!(line.contains(word), "{arguments:?}: no '{word}' in: {line}");
    }
}

/// The JSON objects of an answer, one a line.
#[track_caller]
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap();
    text.lines().map(parse).collect()
}
