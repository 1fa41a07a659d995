//! Where a run goes when nobody says.

use std::path::{Path, PathBuf};

/// `runs/MODEL-DATA-N` with the lowest number that is free.
pub(super) fn unused(model: &str, data: &str) -> PathBuf {
    let name = format!("{}-{}", plain(model), plain(&data_name(data)));
    let taken = |number: &u32| Path::new("runs").join(format!("{name}-{number}")).exists();
    let number = (1..).find(|number| !taken(number)).unwrap_or_default();
    Path::new("runs").join(format!("{name}-{number}"))
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
        let name = |model, data| unused(model, data).display().to_string();
        assert_eq!(name("resnet20", "no/such/photos"), "runs/resnet20-photos-1");
        assert_eq!(
            name("resnet20:1.5", "none/x y.tar.gz"),
            "runs/resnet20_1.5-x_y-1"
        );
        assert_eq!(name("lenet5", "/"), "runs/lenet5-data-1");
    }
}
