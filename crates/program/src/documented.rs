//! Every command line that the documents show is one that the program takes.

use std::fs;
use std::path::{Path, PathBuf};

use super::program;

/// What `convolve` is called with in a document: blocks for a shell, and lines of others that begin with a prompt.
/// In Rust sources documents are the comments.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<&str> = None;
    let mut unfinished = String::new();
    for line in text.lines() {
        let line = line.strip_prefix("//!").map_or(line, str::trim_start);
        if let Some(fence) = line.strip_prefix("```") {
            block = match block {
                None => Some(fence),
                Some(_) => None,
            };
            continue;
        }
        let line = match block {
            Some("sh") => line,
            Some(_) => line.strip_prefix("$ ").unwrap_or(""),
            None => "",
        };
        unfinished.push_str(line);
        if let Some(begun) = unfinished.strip_suffix('\\') {
            unfinished = begun.to_owned();
            continue;
        }
        let line = std::mem::take(&mut unfinished);
        if line.starts_with("convolve ") {
            found.push(line);
        }
    }
    found
}

/// The words of a command as a shell would cut them, up to a pipe or a comment. An ellipsis is no word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            '|' if !quoted => break,
            '#' if !quoted && word.is_none() => break,
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words.retain(|word| word != "…");
    words
}

fn gather(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, into);
        } else if path
            .extension()
            .is_some_and(|end| end == "md" || end == "rs")
        {
            into.push(path);
        }
    }
}

#[test]
fn every_command_of_the_documents_is_understood() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![
        here.join("../../README.md"),
        here.join("../../README.zh-CN.md"),
    ];
    gather(&here.join("../../docs"), &mut files);
    gather(&here.join("../convolve/src/guide"), &mut files);
    let mut understood = 0;
    for file in files {
        for line in commands(&fs::read_to_string(&file).unwrap()) {
            let words = words(&line);
            if let Err(error) = program().try_get_matches_from(&words) {
                panic!("{}: {line}\n{error}", file.display());
            }
            understood += 1;
        }
    }
    assert!(understood > 100, "{understood}");
}

#[test]
fn commands_are_cut_as_a_shell_does() {
    let page =
        "```sh\nconvolve a 'b c' # d\nconvolve e \\\n    f\n```\n```text\n$ convolve g | head\n";
    let cut: Vec<Vec<String>> = commands(page).iter().map(|line| words(line)).collect();
    assert_eq!(
        cut,
        [
            vec!["convolve", "a", "b c"],
            vec!["convolve", "e", "f"],
            vec!["convolve", "g"]
        ]
    );
}
