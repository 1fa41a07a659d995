//! A data set that lies decoded in memory.

use tensor::memory::try_copy;

use crate::{DataError, Dataset, Picture};

/// Decoded pictures; of equal size in one flat buffer, else one by one.
pub(crate) enum Pixels {
    /// All pictures one after the other, each `height · width · channels` bytes in HWC order.
    Equal {
        height: usize,
        width: usize,
        channels: usize,
        bytes: Vec<u8>,
    },
    /// Pictures of different sizes.
    Mixed(Vec<Picture>),
}

/// Gives a picture's name for messages.
pub(crate) type Naming = Box<dyn Fn(usize) -> String + Send + Sync>;

/// A data set whose pictures lie decoded in memory: IDX and CIFAR files, and any set that
/// [`cache`](crate::cache) took in.
pub struct MemoryDataset {
    pixels: Pixels,
    labels: Vec<u32>,
    classes: Vec<String>,
    naming: Naming,
}

impl MemoryDataset {
    /// The caller has checked that `pixels` holds as many pictures as there are labels, and that every label is
    /// below the number of classes.
    pub(crate) fn new(
        pixels: Pixels,
        labels: Vec<u32>,
        classes: Vec<String>,
        naming: Naming,
    ) -> Self {
        Self {
            pixels,
            labels,
            classes,
            naming,
        }
    }

    /// Bytes that the pixels take.
    pub fn pixel_bytes(&self) -> usize {
        match &self.pixels {
            Pixels::Equal { bytes, .. } => bytes.len(),
            Pixels::Mixed(pictures) => pictures.iter().map(|picture| picture.pixels.len()).sum(),
        }
    }
}

impl Dataset for MemoryDataset {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index] as usize
    }

    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        let found = match &self.pixels {
            Pixels::Equal {
                height,
                width,
                channels,
                bytes,
            } => bytes
                .chunks_exact(height * width * channels)
                .nth(index)
                .map(|pixels| (*height, *width, *channels, pixels)),
            Pixels::Mixed(pictures) => pictures.get(index).map(|picture| {
                let &Picture {
                    height,
                    width,
                    channels,
                    ref pixels,
                } = picture;
                (height, width, channels, &**pixels)
            }),
        };
        let (height, width, channels, pixels) = found.ok_or(DataError::Index {
            index,
            len: self.len(),
        })?;
        Ok(Picture {
            height,
            width,
            channels,
            pixels: try_copy(pixels).map_err(|source| DataError::Memory {
                name: self.name(index),
                source,
            })?,
        })
    }

    fn name(&self, index: usize) -> String {
        (self.naming)(index)
    }

    fn fixed_size(&self) -> Option<(usize, usize)> {
        match &self.pixels {
            Pixels::Equal { height, width, .. } => Some((*height, *width)),
            Pixels::Mixed(_) => None,
        }
    }

    fn channels(&self) -> usize {
        match &self.pixels {
            Pixels::Equal { channels, .. } => *channels,
            Pixels::Mixed(pictures) => pictures.first().map_or(3, |picture| picture.channels),
        }
    }

    fn in_memory(&self) -> bool {
        true
    }
}
