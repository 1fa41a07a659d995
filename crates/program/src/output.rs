//! Where the program writes: data to standard output, everything else to standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::printable::printable_lines;

/// Writes a line of data.
///
/// # Errors
/// When nobody reads any more, among others; the program then ends in peace.
pub(crate) fn data(line: impl Display) -> io::Result<()> {
    write(&printable_lines(line))
}

fn write(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    // A reader at the other end of a pipe sees every line as it comes.
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|error| io::Error::new(error.kind(), format!("standard output: {error}")))
}

/// Writes a line of data as JSON.
///
/// # Errors
/// As [`data`].
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    // JSON has an escape of its own for what a terminal would obey.
    write(&serde_json::to_string(value).map_err(io::Error::from)?)
}

/// Writes a line to the person at the terminal. That it cannot be written is no reason to stop.
pub(crate) fn remark(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", printable_lines(line));
}

/// What is told besides data and errors: nothing when the person asked for quiet.
#[derive(Clone, Copy)]
pub(crate) struct Messages {
    pub(crate) quiet: bool,
}

impl Messages {
    /// Tells a line.
    pub(crate) fn say(self, line: impl Display) {
        if !self.quiet {
            remark(line);
        }
    }

    /// Whether standard error can show a bar that moves, and should.
    pub(crate) fn can_animate(self) -> bool {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        !self.quiet && !dumb && io::stderr().is_terminal()
    }
}
