//! Regular files, and nothing else.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a regular file, or what a link to one leads to. Nothing else is opened at all: a pipe would keep the program waiting
/// until somebody writes to it, and a device has no end.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let error = tensor::regular::open(folder.path()).unwrap_err();
/// assert_eq!(error.to_string(), "not a regular file; only those are read");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// A path where there is nothing, or something else; a file that may not be read.
pub fn open(path: &Path) -> io::Result<File> {
    match path.metadata()?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("not a regular file; only those are read")),
    }
}
