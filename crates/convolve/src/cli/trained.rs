//! Trained networks on disk: a run folder, or a weights file.

use std::ffi::OsStr;
use std::path::Path;

use train::{Checkpoint, CheckpointError};

/// Extensions of the files that other programs keep networks in.
const FOREIGN: [&str; 16] = [
    "bin",
    "caffemodel",
    "ckpt",
    "engine",
    "gguf",
    "h5",
    "hdf5",
    "keras",
    "mlmodel",
    "npz",
    "onnx",
    "pb",
    "pkl",
    "pt",
    "pth",
    "tflite",
];

/// Whether a path is meant as a trained network: a folder that holds a run, or a `.safetensors` file.
pub(crate) fn is_trained(path: &Path) -> bool {
    let marks = ["config.toml", Checkpoint::BEST, Checkpoint::LAST];
    let holds_run = marks.iter().any(|mark| path.join(mark).is_file());
    holds_run
        || path
            .extension()
            .is_some_and(|extension| extension == "safetensors")
}

/// Whether a path looks like a network that another program wrote.
pub(crate) fn is_foreign(path: &Path) -> bool {
    let known = |extension: &OsStr| {
        FOREIGN
            .iter()
            .any(|foreign| extension.eq_ignore_ascii_case(foreign))
    };
    !path.is_dir() && path.extension().is_some_and(known)
}

/// Reads the best weights of a run, or a weights file.
///
/// # Errors
/// Nothing there, or a damaged or foreign file.
pub(crate) fn open(path: &Path) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::open(&Checkpoint::find(path)?)
}
