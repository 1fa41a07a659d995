//! The known name that a misspelt one was meant to be.

/// The place of the name most like `name`, where one is: no more than a third of its letters differ, or
/// `name` goes on where it ends (`conv2d`).
pub(crate) fn nearest(name: &str, known: &[&str]) -> Option<usize> {
    let letters = |text: &str| text.chars().count();
    let near = known.iter().enumerate().filter_map(|(place, known)| {
        let longer = letters(name).max(letters(known));
        // No need to compare letter by letter what is far too long.
        let possible = longer <= 2 * letters(known);
        let away = possible.then(|| distance(name, known));
        match away.filter(|away| 3 * away <= longer) {
            Some(away) => Some((away, place)),
            None => name.starts_with(known).then_some((longer, place)),
        }
    });
    near.min().map(|(_, place)| place)
}

/// Letters to insert, drop or exchange (Levenshtein 1966), row by row of Wagner and Fischer's table.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.chars().enumerate() {
            let exchanged = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("é", "e", 1),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected));
        }
    }

    #[test]
    fn only_what_is_alike_is_near() {
        let known = ["conv", "conv-transposed", "pool-avg", "pool-l2"];
        for (name, expected) in [
            ("conv-transpose", Some(1)),
            ("conv2d", Some(0)),
            ("deconv", Some(0)),
            ("pool-average", Some(2)),
            ("pool", None),
            ("", None),
            ("nothing alike", None),
        ] {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}
