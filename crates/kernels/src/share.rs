//! Something counted, in parts that are as even as whole numbers are.

use std::ops::Range;

/// Part `part` of `parts` of what is counted from 0 to `whole`.
pub(crate) fn share(whole: usize, part: usize, parts: usize) -> Range<usize> {
    (whole * part / parts)..(whole * (part + 1) / parts)
}
