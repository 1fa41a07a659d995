//! One decoded picture, and the images below a folder.

mod decode;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use tensor::MemoryError;
use tensor::memory::try_room;
use walkdir::{DirEntry, WalkDir};

use crate::DataError;

/// A decoded picture: 8-bit pixels in HWC order, grey (1 channel) or RGB (3 channels).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// 1 or 3.
    pub channels: usize,
    /// `height · width · channels` bytes, the channel running fastest.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Images with more pixels than this are refused before anything is decoded.
    pub const MAX_PIXELS: u64 = 100_000_000;

    /// Reads and decodes a JPEG, PNG, WebP or BMP file to RGB.
    ///
    /// The content decides the format, not the extension. Grey becomes RGB, 16-bit samples become 8-bit, and
    /// transparent pixels are laid over white. The EXIF orientation is applied, so the picture stands as a
    /// viewer shows it. Of an animation the first frame is taken.
    ///
    /// # Errors
    /// [`DataError::Missing`] or [`DataError::Io`] for a file that cannot be read, [`DataError::TooManyPixels`]
    /// and [`DataError::TooManyBytes`] for one that is too large, [`DataError::Unreadable`] for one that is
    /// damaged, truncated or of another format. All name the file.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        decode::open(path)
    }

    /// Decodes as [`Picture::open`] does, from bytes; `name` stands in error messages.
    ///
    /// # Errors
    /// As [`Picture::open`], without those of the file system.
    pub fn decode(bytes: &[u8], name: &str) -> Result<Self, DataError> {
        decode::decode(bytes, name)
    }

    /// The picture with the wished number of channels: grey is repeated into RGB, RGB becomes its luma
    /// (ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B, rounded). Any other pair gives the picture as it is.
    ///
    /// # Errors
    /// No memory for a second picture.
    pub fn to_channels(&self, channels: usize) -> Result<Cow<'_, Self>, MemoryError> {
        let (grey_to_rgb, rgb_to_grey) = ((1, 3), (3, 1));
        let asked = (self.channels, channels);
        if asked != grey_to_rgb && asked != rgb_to_grey {
            return Ok(Cow::Borrowed(self));
        }
        let mut pixels = try_room(self.pixels.len() / self.channels * channels)?;
        if asked == grey_to_rgb {
            pixels.extend(self.pixels.iter().flat_map(|grey| [*grey; 3]));
        } else {
            pixels.extend(self.pixels.chunks_exact(3).map(luma));
        }
        Ok(Cow::Owned(Self {
            channels,
            pixels,
            ..*self
        }))
    }

    /// Whether a file is meant as a picture, by its extension or by its first bytes; it may still be damaged.
    pub fn is_meant_by(path: &Path) -> bool {
        has_image_extension(path) || decode::begins_as_image(path)
    }
}

fn luma(rgb: &[u8]) -> u8 {
    let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(u32::from);
    ((299 * r + 587 * g + 114 * b + 500) / 1000) as u8
}

/// All images (`.jpg .jpeg .png .webp .bmp`, in any case) below a folder, sorted by path. A path that is itself
/// a file is returned alone, whatever its extension, so that a named file is never passed over in silence.
///
/// Links are followed, but never in a circle, nor to a folder around this one. Hidden files and folders are left out.
///
/// # Errors
/// [`DataError::Missing`], [`DataError::EmptyFolder`], [`DataError::NoImages`], or what the operating system
/// says about the folder itself. Folders further down that cannot be read are left out.
pub fn images_below(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let metadata = std::fs::metadata(path).map_err(|source| DataError::io(path, source))?;
    if metadata.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut entries = std::fs::read_dir(path).map_err(|source| DataError::io(path, source))?;
    if entries.next().is_none() {
        return Err(DataError::EmptyFolder {
            path: path.to_path_buf(),
        });
    }
    let images = walk_images(path, Links::ToAnything);
    if images.is_empty() {
        return Err(DataError::NoImages {
            path: path.to_path_buf(),
        });
    }
    Ok(images)
}

/// Which links a walk follows below the folder that it starts in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// All of them.
    ToAnything,
    /// Those to files: the walk stays in its folder.
    ToFilesOnly,
}

/// The sorted images below a folder; possibly none.
pub(crate) fn walk_images(folder: &Path, links: Links) -> Vec<PathBuf> {
    let place = folder.canonicalize().unwrap_or_default();
    let stays = |entry: &DirEntry| {
        let leads_on = entry.path_is_symlink() && entry.file_type().is_dir();
        !leads_on || (links == Links::ToAnything && !leads_around(entry.path(), &place))
    };
    let mut images: Vec<PathBuf> = WalkDir::new(folder)
        .follow_links(true)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || (!is_hidden(entry) && stays(entry)))
        // An entry in error is a circle of links or a folder without permission: nothing to read there.
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && has_image_extension(entry.path()))
        .map(DirEntry::into_path)
        .collect();
    images.sort();
    images
}

/// Whether a path leads to a folder around a place, or to the place itself. Following such a link would take in what is
/// beside the folder asked for, and all that is in it a second time.
pub(crate) fn leads_around(path: &Path, place: &Path) -> bool {
    path.canonicalize()
        .is_ok_and(|path| place.starts_with(path))
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn has_image_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["jpg", "jpeg", "png", "webp", "bmp"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests;
