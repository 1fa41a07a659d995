//! A file without its large tensors.
//!
//! Nearly all of a model are the elements of its weights. They are left in the file until a program has a place for
//! them; what is left is the outline: the same messages, in which an empty field stands for one that was left out.
//!
//! ```text
//! file     … │ initializer, 6422547 bytes │ dims │ name │ raw data, 6422528 bytes │ …
//! outline  … │ initializer,       19 bytes │ dims │ name │ raw data, 0 bytes │ …
//!                                                                          └ cut: where in the file
//! ```

use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;

use prost::bytes::Bytes;
use tensor::memory::try_room;

use super::elements::Place;
use super::initializer::is_of_elements;
use super::opened::Opened;
use super::wire::{self, LONGEST_HEADER, Size, too_long};
use super::{OnnxError, model, node};

/// Fields shorter than this stay where they are, and are not looked into.
const LARGE: u64 = 1 << 16;

/// The messages of a file, the elements of large tensors left out.
#[derive(Debug)]
pub(super) struct Outline {
    bytes: Bytes,
    /// By place.
    cuts: Vec<Cut>,
    /// Where they were cut out.
    file: Option<Arc<Opened>>,
}

/// Something that was left out.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Where the empty field ends that stands for it.
    at: usize,
    /// Where it lies in the file.
    offset: u64,
    len: usize,
}

impl Outline {
    /// A file in memory, from which nothing is left out.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self {
            bytes,
            cuts: Vec::new(),
            file: None,
        }
    }

    /// Reads a file but for the elements of its large tensors.
    ///
    /// # Errors
    /// [`OnnxError::Io`]; [`OnnxError::Damaged`] where what is looked into is no message.
    pub(super) fn read(file: Arc<Opened>) -> Result<Self, OnnxError> {
        // Memory is taken once, when it is known how much.
        let measured = Walk::over(&file, Kept::default())?;
        let room = try_room(measured.len).map_err(|error| file.no_room(error))?;
        let kept = Walk::over(
            &file,
            Kept {
                bytes: Some(room),
                ..Kept::default()
            },
        )?;
        Ok(Self {
            bytes: kept.bytes.unwrap_or_default().into(),
            cuts: kept.cuts,
            file: Some(file),
        })
    }

    /// The messages.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Where the content of a field lies, which is part of the messages: in memory, or in the file if it was left out.
    pub(super) fn place(&self, content: &[u8]) -> Place {
        if content.is_empty()
            && let Some(file) = &self.file
        {
            let at = content.as_ptr().addr() - self.bytes.as_ptr().addr();
            if let Ok(index) = self.cuts.binary_search_by_key(&at, |cut| cut.at) {
                let cut = self.cuts[index];
                return Place::File {
                    file: Arc::clone(file),
                    offset: cut.offset,
                    bytes: cut.len,
                };
            }
        }
        Place::Memory(self.bytes.slice_ref(content))
    }
}

/// A kind of message that is looked into.
#[derive(Clone, Copy, Debug)]
enum Level {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
}

impl Level {
    /// What a field of this kind of message is, if it is looked into.
    fn below(self, tag: u64) -> Option<Self> {
        match (self, tag) {
            (Self::Model, model::GRAPH) => Some(Self::Graph),
            (Self::Graph, model::NODE) => Some(Self::Node),
            (Self::Graph, model::INITIALIZER) => Some(Self::Tensor),
            (Self::Node, node::ATTRIBUTE) => Some(Self::Attribute),
            (Self::Attribute, node::Attribute::TENSOR) => Some(Self::Tensor),
            _ => None,
        }
    }
}

/// What is kept of a file, or how much that would be.
#[derive(Debug, Default)]
struct Kept {
    len: usize,
    /// None while it is measured.
    bytes: Option<Vec<u8>>,
    cuts: Vec<Cut>,
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        self.len = self.len.saturating_add(bytes.len());
        if let Some(kept) = &mut self.bytes {
            kept.extend_from_slice(bytes);
        }
    }

    /// Writes the length of a message, which is known when its fields are there, before it: as a number of ten bytes,
    /// the first of which say nothing if it is small.
    fn set_length(&mut self, start: usize) {
        let length = (self.len - start) as u64;
        if let Some(kept) = &mut self.bytes {
            let place = &mut kept[start - OPEN_LENGTH.len()..start];
            for (at, byte) in place.iter_mut().enumerate() {
                *byte |= (length >> (7 * at)) as u8 & 127;
            }
        }
    }
}

/// A length that is still to come: zero, in as many bytes as the largest number may have.
const OPEN_LENGTH: [u8; 10] = [128, 128, 128, 128, 128, 128, 128, 128, 128, 0];

/// A walk over a file that steps over what it leaves out.
struct Walk<'f> {
    file: &'f Opened,
    source: BufReader<&'f File>,
    at: u64,
    kept: Kept,
}

impl<'f> Walk<'f> {
    fn over(file: &'f Opened, kept: Kept) -> Result<Kept, OnnxError> {
        let opened = file.rewound()?;
        let mut walk = Walk {
            file,
            source: BufReader::new(&opened),
            at: 0,
            kept,
        };
        walk.message(Level::Model, file.len())?;
        Ok(walk.kept)
    }

    /// Goes over the fields of a message.
    fn message(&mut self, level: Level, end: u64) -> Result<(), OnnxError> {
        while self.at < end {
            let mut header = [0; LONGEST_HEADER];
            let header = &mut header[..(end - self.at).min(LONGEST_HEADER as u64) as usize];
            self.fill(header)?;
            let mut rest = &*header;
            let (tag, kind) = wire::key(&mut rest)?;
            let key_len = header.len() - rest.len();
            let size = wire::size(kind, &mut rest)?;
            let header_len = header.len() - rest.len();
            self.step(-(rest.len() as i64))?;
            self.at += header_len as u64;
            let left = end - self.at;
            let len = size.bytes();
            if len > left {
                return Err(too_long(len, left));
            }
            let is_large = matches!(size, Size::Bytes(LARGE..));
            match level.below(tag) {
                Some(below) if is_large => {
                    self.kept.push(&header[..key_len]);
                    self.kept.push(&OPEN_LENGTH);
                    let start = self.kept.len;
                    self.message(below, self.at + len)?;
                    self.kept.set_length(start);
                }
                None if is_large && matches!(level, Level::Tensor) && is_of_elements(tag) => {
                    self.kept.push(&header[..key_len]);
                    self.kept.push(&[0]);
                    self.cut(len)?;
                }
                _ => {
                    self.kept.push(&header[..header_len]);
                    self.keep(len)?;
                }
            }
        }
        Ok(())
    }

    /// Leaves the next bytes out.
    fn cut(&mut self, len: u64) -> Result<(), OnnxError> {
        self.kept.cuts.push(Cut {
            at: self.kept.len,
            offset: self.at,
            len: len as usize,
        });
        self.skip(len)
    }

    /// Keeps the next bytes.
    fn keep(&mut self, len: u64) -> Result<(), OnnxError> {
        let start = self.kept.len;
        self.kept.len = start.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
        if let Some(kept) = &mut self.kept.bytes {
            kept.resize(self.kept.len, 0);
            let read = self.source.read_exact(&mut kept[start..]);
            read.map_err(|error| self.file.failed(error))?;
            self.at += len;
            return Ok(());
        }
        self.skip(len)
    }

    fn skip(&mut self, len: u64) -> Result<(), OnnxError> {
        self.at += len;
        self.step(len as i64)
    }

    fn step(&mut self, by: i64) -> Result<(), OnnxError> {
        let stepped = self.source.seek_relative(by);
        stepped.map_err(|error| self.file.failed(error))
    }

    fn fill(&mut self, to: &mut [u8]) -> Result<(), OnnxError> {
        let read = self.source.read_exact(to);
        read.map_err(|error| self.file.failed(error))
    }
}
