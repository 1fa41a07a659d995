//! Bookkeeping of unreadable pictures: a few are skipped with a warning, many are an error.

use std::fmt;

use crate::DataError;

/// How many pictures were unreadable, and the first of them.
///
/// ```
/// use convolve_formats::Skipped;
/// let mut skipped = Skipped::new(100);
/// skipped.add("cat/7.jpg".into(), "truncated".into());
/// assert_eq!(skipped.to_string(), "skipped 1 of 100 pictures: cat/7.jpg (truncated)");
/// assert!(skipped.check().is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Unreadable pictures.
    pub count: usize,
    /// All pictures, readable or not.
    pub total: usize,
    /// Name and reason of the first few.
    pub first: Vec<(String, String)>,
}

impl Skipped {
    /// So many are kept by name.
    const NAMED: usize = 5;

    /// Nothing skipped yet of `total` pictures.
    pub fn new(total: usize) -> Self {
        Self {
            total,
            ..Self::default()
        }
    }

    /// Counts one unreadable picture.
    pub fn add(&mut self, name: String, reason: String) {
        self.count += 1;
        if self.first.len() < Self::NAMED {
            self.first.push((name, reason));
        }
    }

    /// What was skipped of two parts of one data set together; `self`'s pictures are named first.
    pub fn joined(&self, other: &Self) -> Self {
        let named = self.first.iter().chain(&other.first);
        Self {
            count: self.count + other.count,
            total: self.total + other.total,
            first: named.take(Self::NAMED).cloned().collect(),
        }
    }

    /// Whether there is anything to warn of.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Passes up to a twentieth of the pictures.
    ///
    /// # Errors
    /// [`DataError::TooManySkipped`] beyond that.
    pub fn check(&self) -> Result<(), DataError> {
        if self.count * 20 <= self.total {
            return Ok(());
        }
        let (first, reason) = self.first.first().cloned().unwrap_or_default();
        Err(DataError::TooManySkipped {
            count: self.count,
            total: self.total,
            first,
            reason,
        })
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "skipped {} of {} pictures", self.count, self.total)?;
        for (position, (name, reason)) in self.first.iter().enumerate() {
            let separator = if position == 0 { ": " } else { ", " };
            write!(f, "{separator}{name} ({reason})")?;
        }
        if self.count > self.first.len() {
            write!(f, ", …")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twentieth_passes_and_one_more_does_not() {
        let mut skipped = Skipped::new(100);
        for index in 0..5 {
            skipped.add(format!("{index}.png"), "bad".into());
        }
        assert!(skipped.check().is_ok());
        skipped.add("5.png".into(), "bad".into());
        let message = skipped.check().unwrap_err().to_string();
        assert_eq!(
            message,
            "6 of 100 pictures are unreadable, more than 5 % of the whole data set; the first is 0.png: bad"
        );
        assert!(skipped.to_string().ends_with("4.png (bad), …"), "{skipped}");
    }

    #[test]
    fn the_parts_of_a_data_set_count_together() {
        let mut held_out = Skipped::new(9);
        held_out.add("9.png".into(), "bad".into());
        assert!(held_out.check().is_err());
        let mut train = Skipped::new(93);
        for index in 0..5 {
            assert!(train.joined(&held_out).check().is_ok(), "{index}");
            train.add(format!("{index}.png"), "bad".into());
        }
        let message = train.joined(&held_out).check().unwrap_err().to_string();
        assert!(message.starts_with("6 of 102 pictures are"), "{message}");
    }
}
