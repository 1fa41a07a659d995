//! The counts as they are kept: the compiler in the first line, then a count and a name a line.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;
use std::str::FromStr;

/// Instructions by kernel.
pub(crate) struct Counts {
    pub(crate) compiler: String,
    by_name: BTreeMap<String, u64>,
}

impl Counts {
    pub(crate) fn new(compiler: String) -> Self {
        Self {
            compiler,
            by_name: BTreeMap::new(),
        }
    }

    pub(crate) fn insert(&mut self, name: String, count: u64) {
        self.by_name.insert(name, count);
    }

    pub(crate) fn get(&self, name: &str) -> Option<u64> {
        self.by_name.get(name).copied()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.compiler)?;
        for (name, count) in &self.by_name {
            writeln!(f, "{count:>12}  {name}")?;
        }
        Ok(())
    }
}

impl FromStr for Counts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        let mut counts = Self::new(lines.next().unwrap_or_default().to_owned());
        for line in lines {
            let parsed = line.trim_start().split_once("  ");
            let parsed = parsed.and_then(|(count, name)| Some((count.parse().ok()?, name)));
            let (count, name) = parsed.ok_or_else(|| format!("not a count: '{line}'"))?;
            counts.insert(name.to_owned(), count);
        }
        Ok(counts)
    }
}

/// The compiler, `rustc 1.95.0`, without its date.
pub(crate) fn compiler() -> Result<String, String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).arg("--version").output();
    let output = output.map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" "))
}
