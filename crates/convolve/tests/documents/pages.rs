//! Reading documents.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// A document.
pub(crate) struct Page {
    /// Its path from the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn read(path: &Path) -> Self {
        let from_root = path.strip_prefix(root()).unwrap();
        Self {
            path: from_root.to_str().unwrap().replace('\\', "/"),
            text: fs::read_to_string(path).unwrap(),
        }
    }

    /// The code blocks of a language, the lines between its fences.
    pub(crate) fn blocks(&self, language: &str) -> Vec<Vec<&str>> {
        let mut blocks = Vec::new();
        let mut open: Option<(bool, Vec<&str>)> = None;
        for line in self.text.lines() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(of), None) => open = Some((of == language, Vec::new())),
                (Some(_), Some(_)) => {
                    blocks.extend(open.take().filter(|open| open.0).map(|open| open.1));
                }
                (None, Some((_, lines))) => lines.push(line),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a fence without its end", self.path);
        blocks
    }

    /// Its lines but those of code blocks.
    pub(crate) fn prose(&self) -> impl Iterator<Item = &str> {
        let mut code = false;
        self.text.lines().filter(move |line| {
            let fence = line.starts_with("```");
            code ^= fence;
            !code && !fence
        })
    }
}

/// The pages of `docs/`, in order of their paths.
pub(crate) fn of_the_book() -> Vec<Page> {
    let mut folders = vec![root().join("docs")];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(Page::read(&path));
            }
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

/// The pages of `docs/` and the documents beside it.
pub(crate) fn all() -> Vec<Page> {
    let beside = [
        "README.md",
        "README.zh-CN.md",
        "ARCHITECTURE.md",
        "BENCHMARKS.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
    ];
    let beside = beside.iter().map(|name| Page::read(&root().join(name)));
    beside.chain(of_the_book()).collect()
}
