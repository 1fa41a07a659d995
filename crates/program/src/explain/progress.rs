//! How far a long computation has come.

use crate::bar::Bar;
use crate::output::Messages;

/// A bar with a name.
pub(super) struct Progress {
    bar: Bar,
    what: String,
}

impl Progress {
    pub(super) fn new(what: impl Into<String>, messages: Messages) -> Self {
        Self {
            bar: Bar::new(messages),
            what: what.into(),
        }
    }

    /// One of several steps, which tells nothing on its way; what is dropped is off the screen.
    pub(super) fn step(
        what: impl Into<String>,
        place: usize,
        of: usize,
        messages: Messages,
    ) -> Self {
        let progress = Self::new(what, messages);
        progress.teller()(place, of);
        progress
    }

    /// What is told how many are done, and of how many.
    pub(super) fn teller(&self) -> impl FnMut(usize, usize) + '_ {
        |done, all| self.bar.show(self.what.clone(), done, all, String::new())
    }

    pub(super) fn clear(self) {
        self.bar.clear();
    }
}
