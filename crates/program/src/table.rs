//! Text tables: columns as wide as their widest cell.

use super::printable::printable;

/// Which edge the cells of a column stand at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Lines of a table, a heading first. Cells are separated by two spaces, and [`printable`].
pub(crate) fn lines<const N: usize>(
    heading: [(&str, Align); N],
    rows: &[[String; N]],
) -> Vec<String> {
    columns(&heading, rows)
}

/// As [`lines`], for a number of columns that is known only when the program runs.
pub(crate) fn columns(heading: &[(&str, Align)], rows: &[impl AsRef<[String]>]) -> Vec<String> {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.as_ref().iter().map(printable).collect())
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        let title = heading[column].0.chars().count();
        cells.chain([title]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.into_iter().zip(heading).zip(&widths);
        let cells = cells.map(|((cell, (_, align)), &width)| match align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    };
    let first = line(heading.iter().map(|&(title, _)| title).collect());
    let rest = rows
        .iter()
        .map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(first).chain(rest).collect()
}

/// `3×224×224`.
pub(crate) fn extents(extents: &[usize]) -> String {
    let words: Vec<String> = extents.iter().map(usize::to_string).collect();
    words.join("×")
}

/// A count with its thousands apart: `25 557 032`.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A count by its first three digits: `9.41 k`, `118 M`. Below a thousand it stands in full.
pub(crate) fn compact(count: u64) -> String {
    const UNITS: [&str; 6] = ["k", "M", "G", "T", "P", "E"];
    if count < 1000 {
        return count.to_string();
    }
    let (mut size, mut unit) = (count as f64 / 1e3, 0);
    // What is rounded up to a thousand is one of the next unit.
    while size >= 999.5 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1e3, unit + 1);
    }
    let places = match size {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{size:.places$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_at_their_edges() {
        let rows = [
            ["a".to_owned(), "1".to_owned()],
            ["bcd×".to_owned(), "22".to_owned()],
        ];
        let heading = [("x", Align::Left), ("number", Align::Right)];
        assert_eq!(
            lines(heading, &rows),
            ["x     number", "a          1", "bcd×      22"]
        );
    }

    #[test]
    fn thousands_are_counted_from_the_right() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1 000"),
            (25_557_032, "25 557 032"),
        ];
        for (count, text) in cases {
            assert_eq!(thousands(count), text);
        }
    }

    #[test]
    fn three_digits_are_kept() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1.00 k"),
            (9_408, "9.41 k"),
            (99_960, "100 k"),
            (999_499, "999 k"),
            (999_500, "1.00 M"),
            (118_013_952, "118 M"),
            (u64::MAX, "18.4 E"),
        ];
        for (count, text) in cases {
            assert_eq!(compact(count), text);
        }
    }
}
