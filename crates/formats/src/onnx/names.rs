//! Names that are to stand for one thing each.

use std::collections::HashMap;

/// Names in use.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// How often each was wanted.
    wanted: HashMap<String, usize>,
}

impl Names {
    /// Keeps a name from being given away.
    pub(super) fn reserve(&mut self, name: &str) {
        self.wanted.insert(name.to_owned(), 1);
    }

    /// The name, or one like it that is not in use; it is now.
    pub(super) fn free(&mut self, wanted: String) -> String {
        let mut free = wanted.clone();
        while self.wanted.contains_key(&free) {
            // Counted on from the last time, so that a thousand of one name are not a million tries.
            let count = self.wanted.get_mut(&wanted);
            let count = count.map_or(2, |count| {
                *count += 1;
                *count
            });
            free = format!("{wanted}_{count}");
        }
        self.wanted.insert(free.clone(), 1);
        free
    }
}
