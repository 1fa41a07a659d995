//! One process at a time in a run folder.
//!
//! Two trainings in one folder would overwrite each other's checkpoints and mix their curves. The lock is the
//! operating system's, on an empty file that stays: it ends with the process, however that dies, and a name that is
//! never taken away cannot be locked twice by two processes that each made a file of their own.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::io_error;
use crate::TrainError;

const LOCK: &str = ".lock";

/// The right to write to a run folder, until it is dropped.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    _held: File,
}

impl RunLock {
    /// Takes the lock of a folder that exists. File systems without locks are taken at their word.
    ///
    /// # Errors
    /// [`TrainError::InUse`], [`TrainError::Io`].
    pub fn take(path: &Path) -> Result<Self, TrainError> {
        let place = path.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&place)
            .map_err(io_error(&place))?;
        let path = path.to_path_buf();
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(TrainError::InUse { path }),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(io_error(&place)(error)),
        }
        Ok(Self { path, _held: file })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
