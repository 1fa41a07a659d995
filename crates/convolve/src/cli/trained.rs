//! Trained networks on disk: a run folder, a weights file, or a folder as timm publishes it.

use std::ffi::OsStr;
use std::path::Path;

use formats::hub;
use train::{Checkpoint, CheckpointError, Weights};

/// Extensions of the files that other programs keep networks in.
const FOREIGN: [&str; 11] = [
    "caffemodel",
    "engine",
    "gguf",
    "h5",
    "hdf5",
    "keras",
    "mlmodel",
    "npz",
    "onnx",
    "pb",
    "tflite",
];

/// Extensions of PyTorch's pickles.
const PICKLED: [&str; 5] = ["bin", "ckpt", "pkl", "pt", "pth"];

/// Whether an argument is meant as a trained network: a folder that holds one, a `.safetensors` file, a pickle, which
/// is then refused for what it is, or a name of the hub.
pub(crate) fn is_trained(path: &Path) -> bool {
    let marks = ["config.toml", Checkpoint::BEST, Checkpoint::LAST];
    let holds_run = marks.iter().any(|mark| path.join(mark).is_file());
    let on_hub = path
        .to_str()
        .is_some_and(|name| name.starts_with(hub::PREFIX));
    let ends = ends_in(path, &["safetensors"]) || (ends_in(path, &PICKLED) && !path.is_dir());
    holds_run || on_hub || ends || Weights::are_in(path)
}

/// Whether a path looks like a network that another program wrote.
pub(crate) fn is_foreign(path: &Path) -> bool {
    !path.is_dir() && ends_in(path, &FOREIGN)
}

fn ends_in(path: &Path, extensions: &[&str]) -> bool {
    let known = |extension: &OsStr| {
        extensions
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    };
    path.extension().is_some_and(known)
}

/// Reads the best weights of a run, or a weights file of this program.
///
/// # Errors
/// Nothing there, or a damaged or foreign file.
pub(crate) fn open(path: &Path) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::open(&Checkpoint::find(path)?)
}
