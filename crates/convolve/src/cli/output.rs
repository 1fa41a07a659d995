//! Where the program writes: data to standard output, everything else to standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// Writes a line of data.
///
/// # Errors
/// When nobody reads any more, among others; the program then ends in peace.
pub(crate) fn data(line: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    // A reader at the other end of a pipe sees every line as it comes.
    out.flush()
}

/// Writes a line of data as JSON.
///
/// # Errors
/// As [`data`].
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    data(serde_json::to_string(value).map_err(io::Error::from)?)
}

/// Writes a message to the person at the terminal. That it cannot be written is no reason to stop.
pub(crate) fn message(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether standard error can show a bar that moves.
pub(crate) fn can_animate() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
