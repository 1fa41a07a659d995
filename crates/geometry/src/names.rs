//! Known names that a misspelt one may have been meant as: of kinds of problems here, of layers, networks and classes in
//! the rooms above.

/// Names that are offered for one that there is not.
const MOST: usize = 3;

/// Letters of a name that is compared letter by letter: a file may hold one of any length.
const LONGEST: usize = 256;

/// The three names most like one, the likest first: at most a third of the letters differ, whether
/// capital or not, or they hold it. Where none is so, those that it begins with.
///
/// ```
/// let known = ["conv", "conv-transposed", "pool-avg"];
/// assert_eq!(geometry::names::like("conv-transpose", known), ["conv-transposed"]);
/// assert_eq!(geometry::names::like("AVG", known), ["pool-avg"]);
/// assert!(geometry::names::like("linear", known).is_empty());
/// ```
pub fn like<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.trim().to_lowercase();
    let letters = |text: &str| text.chars().count();
    let (mut near, mut begun) = (Vec::new(), Vec::new());
    for original in known {
        let known = original.to_lowercase();
        let (shorter, longer) = match (letters(&name), letters(&known)) {
            (a, b) if a < b => (a, b),
            (a, b) => (b, a),
        };
        // Letters that one has more than the other differ in any case.
        let least = longer - shorter;
        if !name.is_empty() && known.contains(&name) {
            near.push((least, original));
            continue;
        }
        let comparable = 3 * least <= longer && longer <= LONGEST;
        let away = comparable.then(|| distance(&name, &known));
        match away.filter(|away| 3 * away <= longer) {
            Some(away) => near.push((away, original)),
            None if !known.is_empty() && name.starts_with(&known) => begun.push((least, original)),
            None => {}
        }
    }
    let mut near = if near.is_empty() { begun } else { near };
    // Equally near ones stay in their order.
    near.sort_by_key(|&(away, _)| away);
    near.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// The end of an error about a name that there is not, with the names that are like it: `; did you mean a, b?`, or nothing
/// where none is.
pub fn suggestion(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(", ")),
    }
}

/// As [`suggestion`]; where no name is like it, the command that lists all.
///
/// ```
/// let end = geometry::names::suggestion_or(&[""; 0], "convolve models");
/// assert_eq!(end, "; `convolve models` lists all there are");
/// ```
pub fn suggestion_or(names: &[impl AsRef<str>], lists: &str) -> String {
    match names {
        [] => format!("; `{lists}` lists all there are"),
        names => suggestion(names),
    }
}

/// Letters to insert, drop, exchange, or swap with their neighbour, none of them twice: the distance of optimal string
/// alignment (Damerau 1964), row by row of Wagner and Fischer's table.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, letter) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, &other) in b.iter().enumerate() {
            let exchanged = last[j] + usize::from(letter != other);
            let mut least = exchanged.min(last[j + 1] + 1).min(row[j] + 1);
            if j > 0 && previous == Some(other) && b[j - 1] == letter {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
        previous = Some(letter);
    }
    last[b.len()]
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
            ("ab", "ba", 1),
            ("abcd", "acbd", 1),
            // No letter is moved twice: with that it would be 2.
            ("ca", "abc", 3),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected));
        }
    }

    #[test]
    fn only_what_is_alike_is_near() {
        let known = ["conv", "conv-transposed", "pool-avg", "pool-l2"];
        let cases: [(&str, &[&str]); 9] = [
            ("conv-transpose", &["conv-transposed"]),
            ("conv2d", &["conv"]),
            ("convolution", &["conv"]),
            ("deconv", &["conv"]),
            ("CONV", &["conv", "conv-transposed"]),
            ("pool", &["pool-l2", "pool-avg"]),
            ("pool-average", &["pool-avg"]),
            ("", &[]),
            ("nothing alike", &[]),
        ];
        for (name, expected) in cases {
            assert_eq!(like(name, known), expected, "{name}");
        }
        let long = "x".repeat(1 << 20);
        let longer = format!("{long}y");
        assert_eq!(like(&long, [longer.as_str(), "x"]), [longer.as_str()]);
        assert!(like(&longer, [format!("{long}z").as_str()]).is_empty());
        assert_eq!(
            suggestion(&like("pool", known)),
            "; did you mean pool-l2, pool-avg?"
        );
        assert_eq!(suggestion(&[""; 0]), "");
    }
}
