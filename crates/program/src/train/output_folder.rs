//! Where a run goes when nobody says.

use std::path::{Path, PathBuf};

use train::{Architecture, TrainError, Trainer};

/// `runs/MODEL-DATA-N` for every number.
pub(super) fn candidates(model: &str, data: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let model = match Architecture::is_onnx(Path::new(model)) {
        true => Path::new(model)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy(),
        false => model.into(),
    };
    let name = format!("{}-{}", plain(&model), plain(&data_name(data)));
    (1_u64..).map(move |number| Path::new("runs").join(format!("{name}-{number}")))
}

/// Gives a training the first of the folders that is free. Another process may take one between the question and the
/// answer; then it is the next one's turn.
pub(super) fn take(
    trainer: &mut Trainer,
    candidates: impl Iterator<Item = PathBuf>,
) -> Result<PathBuf, TrainError> {
    let mut free = candidates.filter(|folder| !folder.exists());
    loop {
        let folder = free.next().unwrap_or_default();
        match trainer.keep_in(&folder) {
            Err(TrainError::RunExists { .. } | TrainError::InUse { .. }) => {}
            kept => return kept.map(|()| folder),
        }
    }
}

/// The last part of a path without its extensions.
fn data_name(data: &str) -> String {
    let path = Path::new(data);
    // `.` and `..` have no name of their own, but the folder they lead to has.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// Without what makes trouble in a path or at a prompt.
fn plain(text: &str) -> String {
    let keep = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    let text: String = text
        .chars()
        .map(|letter| if keep(letter) { letter } else { '_' })
        .collect();
    match text.is_empty() {
        true => "data".to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_model_and_data() {
        let name = |model, data| {
            candidates(model, data)
                .next()
                .unwrap()
                .display()
                .to_string()
        };
        assert_eq!(name("resnet20", "no/such/photos"), "runs/resnet20-photos-1");
        assert_eq!(
            name("resnet20:1.5", "none/x y.tar.gz"),
            "runs/resnet20_1.5-x_y-1"
        );
        assert_eq!(name("lenet5", "/"), "runs/lenet5-data-1");
        assert_eq!(name("some/net.v2.onnx", "/"), "runs/net.v2-data-1");
    }
}
