//! Trained networks on disk: a run folder, or a weights file.

use std::path::Path;

use train::{Checkpoint, CheckpointError};

/// Whether a path is meant as a trained network: a folder that holds a run, or a `.safetensors` file.
pub(crate) fn is_trained(path: &Path) -> bool {
    let marks = ["config.toml", Checkpoint::BEST, Checkpoint::LAST];
    let holds_run = marks.iter().any(|mark| path.join(mark).is_file());
    holds_run
        || path
            .extension()
            .is_some_and(|extension| extension == "safetensors")
}

/// Reads the best weights of a run, or a weights file.
///
/// # Errors
/// Nothing there, or a damaged or foreign file.
pub(crate) fn open(path: &Path) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::open(&Checkpoint::find(path)?)
}
