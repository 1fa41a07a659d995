//! A file that stays open, and of which pieces are read when they are wanted.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tensor::{MemoryError, regular};

use super::OnnxError;

/// An open file. It is read and not mapped into memory: if another program cuts it short, reading it is an error, and
/// if another file takes its name, it is still the one that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    file: Mutex<File>,
    len: u64,
}

impl Opened {
    /// Opens a regular file.
    pub(super) fn regular(path: &Path) -> io::Result<Self> {
        let file = regular::open(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            len: file.metadata()?.len(),
            file: Mutex::new(file),
        })
    }

    /// Bytes it had when it was opened.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The file, from its start on, for as long as nobody else wants to read it.
    pub(super) fn rewound(&self) -> Result<MutexGuard<'_, File>, OnnxError> {
        self.sought(0)
    }

    /// Fills memory with what begins at `offset`.
    pub(super) fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), OnnxError> {
        let read = self.sought(offset)?.read_exact(to);
        read.map_err(|error| self.failed(error))
    }

    fn sought(&self, offset: u64) -> Result<MutexGuard<'_, File>, OnnxError> {
        // Whoever panicked with it left nothing half done: every reader seeks first.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match file.seek(SeekFrom::Start(offset)) {
            Ok(_) => Ok(file),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Memory for what is read that could not be had.
    pub(super) fn no_room(&self, error: MemoryError) -> OnnxError {
        self.failed(io::Error::new(ErrorKind::OutOfMemory, error))
    }

    /// What the system said, with the file.
    pub(super) fn failed(&self, error: io::Error) -> OnnxError {
        let source = match error.kind() {
            ErrorKind::UnexpectedEof => {
                let what = format!(
                    "it had {} bytes when it was opened, and has fewer",
                    self.len
                );
                io::Error::new(ErrorKind::UnexpectedEof, what)
            }
            _ => error,
        };
        OnnxError::Io {
            path: self.path.clone(),
            source,
        }
    }
}
