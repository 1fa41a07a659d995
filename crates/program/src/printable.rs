//! Names that others chose, such as those of files and classes, as a terminal may show them.
//!
//! A file name may hold anything, an escape sequence that clears the screen or a line break that forges a further
//! answer among them.

use std::fmt::Display;

/// On one line, with control characters as Rust writes them: `\n`, `\u{1b}`.
pub(crate) fn printable(text: impl Display) -> String {
    let mut shown = String::new();
    for character in text.to_string().chars() {
        match character.is_control() {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// The same, but for line breaks, which stay.
pub(crate) fn printable_lines(text: impl Display) -> String {
    let text = text.to_string();
    text.split('\n')
        .map(printable)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out() {
        let name = "a\x1b[2Jb\r\n\u{9b}ü 猫";
        assert_eq!(printable(name), "a\\u{1b}[2Jb\\r\\n\\u{9b}ü 猫");
        assert_eq!(printable_lines("a\tb\nc"), "a\\tb\nc");
    }
}
