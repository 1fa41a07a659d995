//! Files that verbs write: where they may go is asked before anything is computed, and they come whole or not at all.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use formats::atomic;

use super::failure::{in_words, usage};
use super::output::Messages;
use super::printable::printable;

/// The place that a path leads to: the same for all spellings of it.
///
/// # Errors
/// One line that names the path, where no file can be written to it.
pub(crate) fn of(path: &Path) -> anyhow::Result<PathBuf> {
    atomic::destination(path).map_err(|error| unwritable(path, &error))
}

/// Refuses a place where a picture lies that is looked at: it would be lost for `what` is made of it.
///
/// # Errors
/// One line that names the path.
pub(crate) fn must_spare(picture: &Path, path: &Path, what: &str) -> anyhow::Result<()> {
    match are_same(picture, path) {
        true => Err(usage(format!(
            "{}: the {what} would take the place of the picture",
            path.display()
        ))),
        false => Ok(()),
    }
}

/// Refuses to write where something lies that is read.
///
/// # Errors
/// One line that names the path.
pub(crate) fn must_not_be_read(read: &Path, path: &Path) -> anyhow::Result<()> {
    match are_same(read, path) {
        true => Err(usage(format!(
            "{}: it is read, and the result would take its place",
            path.display()
        ))),
        false => Ok(()),
    }
}

/// Whether two paths lead to one file that is there.
fn are_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Writes a file whole, or leaves what was there.
///
/// # Errors
/// As [`of`].
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    atomic::write(path, bytes).map_err(|error| unwritable(path, &error))
}

/// Says where a file has gone that was written.
pub(crate) fn tell(path: &Path, messages: Messages) {
    messages.say(format_args!("wrote {}", printable(path.display())));
}

/// What cannot be written: a folder that is not there, or a place where no file can be, is wrong usage; all else is a
/// failure of the system.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> anyhow::Error {
    let text = format!("{}: {}", path.display(), in_words(error));
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidInput => usage(text),
        _ => anyhow!(text),
    }
}
