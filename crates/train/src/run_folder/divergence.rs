//! Word of a run that ended because its numbers were numbers no more.

use std::fs::{File, remove_file};
use std::io::Read;
use std::path::Path;

use formats::atomic;

use super::RunFolder;

/// Bytes that are read of it: it is a sentence.
const MOST: u64 = 1024;

impl RunFolder {
    /// Name of the file in a run folder.
    pub const DIVERGED: &str = "diverged.txt";

    /// Where and why a run diverged, if that is how it ended.
    pub fn divergence(path: &Path) -> Option<String> {
        let file = path.join(Self::DIVERGED);
        // What waits for a writer is no file of a run.
        let regular = file.metadata().is_ok_and(|found| found.is_file());
        let mut bytes = Vec::new();
        let file = regular.then(|| File::open(file).ok()).flatten()?;
        file.take(MOST).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// Writes it down. The error that ends the run says it too, so that it cannot be written is no error.
    pub(crate) fn note_divergence(&self, text: &str) {
        let _ = atomic::write(&self.path().join(Self::DIVERGED), text.as_bytes());
    }

    /// Forgets it when the run goes on.
    pub(super) fn forget_divergence(path: &Path) {
        let _ = remove_file(path.join(Self::DIVERGED));
    }
}
