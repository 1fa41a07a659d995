//! A folder per class: `FOLDER/CLASS/…/picture.jpg`.

use std::path::{Path, PathBuf};

use crate::picture::{Links, leads_around, walk_images};
use crate::{DataError, Dataset, Picture};

/// Images on disk, one folder per class, decoded when asked for.
///
/// Classes are the folders that hold at least one image at any depth, sorted by bytes (as torchvision sorts
/// them); hidden folders and files of other kinds are left out. A class folder may itself be a link, unless to a
/// folder around the classes; links to folders further down are not followed, because they may lead into another
/// class.
pub struct FolderDataset {
    root: PathBuf,
    files: Vec<PathBuf>,
    labels: Vec<u32>,
    classes: Vec<String>,
}

impl FolderDataset {
    /// Lists the class folders of `root`.
    ///
    /// # Errors
    /// [`DataError::Missing`], [`DataError::EmptyFolder`], [`DataError::NoClassFolders`],
    /// [`DataError::NoImages`], or [`DataError::ClassName`].
    pub fn open(root: &Path) -> Result<Self, DataError> {
        let mut set = Self {
            root: root.to_path_buf(),
            files: Vec::new(),
            labels: Vec::new(),
            classes: Vec::new(),
        };
        for folder in class_folders(root)? {
            let images = walk_images(&folder, Links::ToFilesOnly);
            if !images.is_empty() {
                let label = set.classes.len() as u32;
                set.classes.push(class_name(&folder)?);
                set.labels.resize(set.labels.len() + images.len(), label);
                set.files.extend(images);
            }
        }
        if set.files.is_empty() {
            let path = root.to_path_buf();
            return Err(if walk_images(root, Links::ToFilesOnly).is_empty() {
                DataError::NoImages { path }
            } else {
                DataError::NoClassFolders { path }
            });
        }
        Ok(set)
    }

    /// Takes the labels from the classes of the training folder. Classes without held-out pictures are fine.
    ///
    /// # Errors
    /// [`DataError::UnknownClass`] for a class that training does not have.
    pub(crate) fn with_classes_of(mut self, train: &Self) -> Result<Self, DataError> {
        let labels = self
            .classes
            .iter()
            .map(|class| {
                let position = train.classes.iter().position(|known| known == class);
                position.ok_or_else(|| DataError::UnknownClass {
                    path: self.root.join(class),
                    class: class.clone(),
                    train_classes: train.classes.len(),
                })
            })
            .collect::<Result<Vec<usize>, _>>()?;
        for label in &mut self.labels {
            *label = labels[*label as usize] as u32;
        }
        self.classes.clone_from(&train.classes);
        Ok(self)
    }

    /// `CLASS/picture.jpg`, the same wherever the folder lies.
    pub(crate) fn relative_name(&self, index: usize) -> String {
        let file = &self.files[index];
        let relative = file.strip_prefix(&self.root).unwrap_or(file);
        relative.to_string_lossy().into_owned()
    }
}

/// The folders (or links to folders, but not to those around `root`) directly in `root`, sorted by the bytes of
/// their names.
fn class_folders(root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let io = |source| DataError::io(root, source);
    let entries = std::fs::read_dir(root)
        .map_err(io)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(io)?;
    if entries.is_empty() {
        return Err(DataError::EmptyFolder {
            path: root.to_path_buf(),
        });
    }
    let place = root.canonicalize().map_err(io)?;
    let mut folders: Vec<PathBuf> = entries
        .iter()
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(std::fs::DirEntry::path)
        .filter(|path| path.is_dir() && !leads_around(path, &place))
        .collect();
    folders.sort();
    Ok(folders)
}

fn class_name(folder: &Path) -> Result<String, DataError> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let plain = name.filter(|name| !name.contains(char::is_control));
    plain
        .map(str::to_owned)
        .ok_or_else(|| DataError::ClassName {
            path: folder.to_path_buf(),
        })
}

impl Dataset for FolderDataset {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index] as usize
    }

    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        let len = self.len();
        let file = self.files.get(index);
        Picture::open(file.ok_or(DataError::Index { index, len })?)
    }

    fn name(&self, index: usize) -> String {
        self.files[index].to_string_lossy().into_owned()
    }

    fn fixed_size(&self) -> Option<(usize, usize)> {
        None
    }

    fn channels(&self) -> usize {
        3
    }
}
