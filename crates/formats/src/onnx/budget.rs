//! The memory that reading a model may take, and an account of what it has taken.
//!
//! A file is a few bytes where a graph has a structure. What is made of a file is therefore put to an account before
//! it is made, and a model that would overdraw it is refused.

use super::OnnxError;

/// Memory beyond twice the files that reading a model may take.
const SLACK: usize = 64 << 20;

/// Kept free for what is not put to account: a message, a map that grows, the fields of a node that is being made.
const RESERVE: usize = 2 << 20;

/// An account of memory in bytes.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// Length of the files, most of which is not read before a program has a place for it.
    files: usize,
    /// What is in use, what was read of the files among it.
    held: usize,
}

impl Budget {
    /// The account of a model in a file of so many bytes, of which `read` are in memory.
    pub(super) fn new(file: usize, read: usize) -> Self {
        Self {
            files: file,
            held: read.saturating_add(RESERVE),
        }
    }

    /// Another file was opened.
    pub(super) fn add_file(&mut self, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.files = self.files.saturating_add(bytes);
    }

    /// Puts memory to account, before it is taken.
    ///
    /// # Errors
    /// [`OnnxError::Memory`] if there is not so much left.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), OnnxError> {
        self.held = self.with(bytes)?;
        Ok(())
    }

    /// Asks whether there would be so much left, for memory that is given back at once.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(super) fn check(&self, bytes: usize) -> Result<(), OnnxError> {
        self.with(bytes).map(|_| ())
    }

    /// Memory was given back.
    pub(super) fn give_back(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    fn with(&self, bytes: usize) -> Result<usize, OnnxError> {
        let needed = self.held.saturating_add(bytes);
        let limit = self.files.saturating_mul(2).saturating_add(SLACK);
        if needed > limit {
            return Err(OnnxError::Memory {
                bytes: self.files,
                needed,
                limit,
            });
        }
        Ok(needed)
    }
}

/// What the allocator spends on a piece of so many bytes.
pub(super) fn piece(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        _ => bytes.saturating_add(8).next_multiple_of(16).max(32),
    }
}

/// What the standard library's hash table takes with room for so many entries: a power of two of places, one in eight
/// of them free, and a byte beside each.
pub(super) fn table<K, V>(entries: usize) -> usize {
    let places = (entries.saturating_mul(8) / 7 + 1)
        .max(4)
        .checked_next_power_of_two();
    let each = size_of::<(K, V)>() + 1;
    places.map_or(usize::MAX, |places| places.saturating_mul(each) + 16)
}
