//! What ends the program early, in one line, and the exit code that says what kind of end it was.

use std::io;

use formats::DataError;
use tensor::NpyError;

/// What was asked for makes no sense, whatever the files hold.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Ctrl-C, after everything was put in order.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Interrupted(pub(crate) String);

/// [`Usage`] as an error of any kind.
pub(crate) fn usage(text: impl ToString) -> anyhow::Error {
    Usage(text.to_string()).into()
}

/// 0 done, 1 failed, 2 wrong usage or a missing file, 130 interrupted.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Interrupted>() {
        return 130;
    }
    if error.is::<Usage>() || error.chain().any(|cause| is_missing_file(cause)) {
        return 2;
    }
    if error.chain().any(|cause| is_closed_pipe(cause)) {
        return 0;
    }
    1
}

/// The message without line breaks: one error is one line.
pub(crate) fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

fn is_missing_file(cause: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(NpyError::Io { source, .. }) = cause.downcast_ref() {
        return source.kind() == io::ErrorKind::NotFound;
    }
    matches!(cause.downcast_ref(), Some(DataError::Missing { .. }))
}

fn is_closed_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let error = cause.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
