//! What stands below a command is what it prints.

#![cfg(unix)]

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::pages::{Page, of_the_book, root};

/// Verbs that print the same everywhere, and at once: the others measure, train, or need files.
const STEADY: [&str; 6] = ["arith", "compare", "cost", "models", "rf", "summary"];

/// A command as the reader would type it, and the lines below it.
struct Transcript<'a> {
    command: &'a str,
    shown: Vec<&'a str>,
}

fn transcripts(page: &Page) -> Vec<Transcript<'_>> {
    let mut found: Vec<Transcript> = Vec::new();
    for block in page.blocks("text") {
        let mut open = false;
        for line in block {
            if let Some(command) = line.strip_prefix("$ ") {
                open = true;
                found.push(Transcript {
                    command,
                    shown: Vec::new(),
                });
            } else if open {
                found.last_mut().unwrap().shown.push(line);
            }
        }
    }
    found
}

fn is_steady(command: &str) -> bool {
    let mut words = command.split(' ');
    let verb = words.next() == Some("convolve");
    verb && words.next().is_some_and(|verb| STEADY.contains(&verb)) && !command.contains("--time")
}

/// What a line of shell prints in an empty folder.
fn printed(line: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), line)
}

/// Runs a line of shell where `convolve` is the program, in a folder; it must succeed. Gives what it prints.
pub(crate) fn run_in(folder: &Path, line: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_convolve"));
    let beside = std::env::var_os("PATH").unwrap_or_default();
    let mut path = OsString::from(program.parent().unwrap());
    path.push(":");
    path.push(beside);
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether these lines are what was printed; a `…` stands for any number of lines.
fn agrees(shown: &[&str], printed: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        ["…", rest @ ..] => (0..=printed.len()).any(|gap| agrees(rest, &printed[gap..])),
        [line, rest @ ..] => {
            printed.first().is_some_and(|first| first == line) && agrees(rest, &printed[1..])
        }
    }
}

#[test]
fn what_is_shown_is_what_the_program_prints() {
    let mut pages = of_the_book();
    pages.extend(["README.md", "README.zh-CN.md"].map(|name| Page::read(&root().join(name))));
    let mut compared = 0;
    for page in &pages {
        for Transcript { command, shown } in transcripts(page) {
            if is_steady(command) {
                let text = printed(command);
                let lines: Vec<&str> = text.lines().collect();
                let same = agrees(&shown, &lines);
                assert!(same, "{}: {command} prints\n{text}", page.path);
                compared += 1;
            }
        }
    }
    assert!(compared > 30, "{compared}");
}

#[test]
fn an_ellipsis_stands_for_any_lines() {
    assert!(agrees(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(agrees(&["a", "…"], &["a"]));
    assert!(!agrees(&["a"], &["a", "b"]));
    assert!(!agrees(&["…", "c"], &["a", "b"]));
    assert!(!agrees(&["a", "b"], &["a"]));
}
