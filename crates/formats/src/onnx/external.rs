//! Elements of tensors that lie in files beside the model.
//!
//! Such a file lies in the model's folder or below it. A path that leaves it, by `..`, as an absolute path or
//! through a symbolic link, is refused: a model from elsewhere must not read what is not its own.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::OnnxError;
use super::budget::Budget;
use super::elements::Place;
use super::opened::Opened;
use super::wire::fields;

/// The files beside a model, each opened once.
#[derive(Debug, Default)]
pub(super) struct External {
    /// The folder of the model; none of a model in memory.
    folder: Option<PathBuf>,
    files: HashMap<PathBuf, Arc<Opened>>,
    /// The same files as the model names them.
    named: Vec<PathBuf>,
}

/// Where a tensor says that its elements lie.
#[derive(Debug, Default)]
pub(super) struct Reference<'a> {
    location: &'a str,
    offset: Option<&'a str>,
    length: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Adds what an entry says: a message of a key and a value. The first of a key counts.
    pub(super) fn add(&mut self, entry: &'a [u8]) -> Result<(), OnnxError> {
        let (mut key, mut value) = ("", "");
        for field in fields(entry) {
            match field? {
                (1, content) => key = content.name()?,
                (2, content) => value = content.name()?,
                _ => {}
            }
        }
        match key {
            "location" if self.location.is_empty() => self.location = value,
            "offset" => self.offset = self.offset.or(Some(value)),
            "length" => self.length = self.length.or(Some(value)),
            _ => {}
        }
        Ok(())
    }
}

impl External {
    pub(super) fn beside(model: &Path) -> Self {
        let folder = match model.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.to_path_buf(),
            None => PathBuf::from("."),
        };
        Self {
            folder: Some(folder),
            ..Self::default()
        }
    }

    /// The files that were opened, as paths below the model's folder.
    pub(super) fn into_files(self) -> Vec<PathBuf> {
        self.named
    }

    /// The bytes that a tensor refers to: all of the file, or as much as it says; `len` bytes are wanted.
    pub(super) fn place(
        &mut self,
        tensor: &str,
        reference: &Reference<'_>,
        len: usize,
        budget: &mut Budget,
    ) -> Result<Place, OnnxError> {
        let refuse = |reason: String| OnnxError::External {
            tensor: tensor.to_owned(),
            location: reference.location.to_owned(),
            reason,
        };
        let number = |key: &str, text: Option<&str>| match text.map(str::parse::<usize>) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(refuse(format!("and its {key} is not a number"))),
        };
        let offset = number("offset", reference.offset)?.unwrap_or(0);
        let length = number("length", reference.length)?.unwrap_or(len);
        if length != len {
            return Err(refuse(format!(
                "{length} bytes of it, but its shape needs {len}"
            )));
        }
        let file = self.open(reference.location, budget).map_err(&refuse)?;
        let end = offset.checked_add(length).map(|end| end as u64);
        match end.filter(|&end| end <= file.len()) {
            Some(_) => Ok(Place::File {
                file,
                offset: offset as u64,
                bytes: length,
            }),
            None => Err(refuse(format!(
                "bytes {offset} and {length} more, but the file has {}",
                file.len()
            ))),
        }
    }

    /// A file, or why it is not opened.
    fn open(&mut self, location: &str, budget: &mut Budget) -> Result<Arc<Opened>, String> {
        let Some(folder) = &self.folder else {
            return Err("but the model was read from memory".to_owned());
        };
        let relative = Path::new(location);
        let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if location.is_empty() || !relative.components().all(plain) {
            return Err("which is not a path below the model's folder".to_owned());
        }
        let io = |error: std::io::Error| format!("which cannot be read: {error}");
        let folder = folder.canonicalize().map_err(io)?;
        let path = folder.join(relative).canonicalize().map_err(io)?;
        if !path.starts_with(&folder) {
            return Err("which a link leads out of the model's folder".to_owned());
        }
        // One file may go by several names.
        if !self.named.iter().any(|known| known == relative) {
            self.named.push(relative.to_path_buf());
        }
        if let Some(file) = self.files.get(&path) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(Opened::regular(&path).map_err(io)?);
        budget.add_file(file.len());
        self.files.insert(path, Arc::clone(&file));
        Ok(file)
    }
}
