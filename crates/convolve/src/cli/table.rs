//! Text tables: columns as wide as their widest cell.

/// Which edge the cells of a column stand at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Lines of a table, a heading first. Cells are separated by two spaces.
pub(crate) fn lines<const N: usize>(
    heading: [(&str, Align); N],
    rows: &[[String; N]],
) -> Vec<String> {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .chain([heading[column].0.chars().count()])
            .max()
            .unwrap_or(0)
    });
    let line = |cells: [&str; N]| {
        let cells = (0..N).map(|column| {
            let (cell, width) = (cells[column], widths[column]);
            match heading[column].1 {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    };
    let first = line(heading.map(|(title, _)| title));
    let rest = rows
        .iter()
        .map(|row| line(std::array::from_fn(|i| row[i].as_str())));
    std::iter::once(first).chain(rest).collect()
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
}
