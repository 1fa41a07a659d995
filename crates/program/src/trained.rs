//! Trained networks on disk: a run folder, a weights file, or a folder as timm publishes it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use formats::{DataError, hub};
use train::{Checkpoint, CheckpointError, Weights};

use super::failure::usage;

/// Extensions of the files that other programs keep networks in.
const FOREIGN: [&str; 10] = [
    "caffemodel",
    "engine",
    "gguf",
    "h5",
    "hdf5",
    "keras",
    "mlmodel",
    "npz",
    "pb",
    "tflite",
];

/// Extensions of PyTorch's pickles.
const PICKLED: [&str; 5] = ["bin", "ckpt", "pkl", "pt", "pth"];

/// Whether an argument is meant as a trained network: a folder that holds one, a `.safetensors` file or one of that
/// format under another name, a pickle, which is then refused for what it is, or a name of the hub.
pub(crate) fn is_trained(path: &Path) -> bool {
    let marks = ["config.toml", Checkpoint::BEST, Checkpoint::LAST];
    let holds_run = marks.iter().any(|mark| path.join(mark).is_file());
    let on_hub = path
        .to_str()
        .is_some_and(|name| name.starts_with(hub::PREFIX));
    let ends = has_extension(path) || (ends_in(path, &PICKLED) && !path.is_dir());
    holds_run || on_hub || ends || Weights::are_in(path) || begins_as_weights(path)
}

/// Whether a path ends as those of weights files do.
pub(crate) fn has_extension(path: &Path) -> bool {
    ends_in(path, &["safetensors"])
}

/// Whether a file begins as safetensors do: eight bytes with the length of a JSON object, and its brace.
fn begins_as_weights(path: &Path) -> bool {
    let mut start = [0; 9];
    let regular = path.metadata().is_ok_and(|found| found.is_file());
    let read =
        regular && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok());
    read && start[4..8] == [0; 4] && start[8] == b'{'
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

/// What can be done about data that a run names and that are not there.
pub(crate) fn own_data_missing(error: DataError) -> anyhow::Error {
    match error {
        DataError::Missing { .. } => usage(format!(
            "{error}; the run was trained on it: --data says where it is now"
        )),
        other => other.into(),
    }
}
