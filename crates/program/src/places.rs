//! Sets of places in words.

use geometry::IndexSet;

/// Runs that are listed before the rest is left out.
const LISTED: usize = 12;

/// `0–3, 7`; single places at one distance as `0, 2, … 10`.
pub(super) fn words(set: &IndexSet) -> String {
    let runs = set.runs();
    let length = runs.first().map_or(0, ExactSizeIterator::len);
    let alike = runs.len() > 3 && runs.iter().all(|run| run.len() == length);
    let word = |run: &std::ops::Range<usize>| match run.len() {
        1 => run.start.to_string(),
        _ => format!("{}–{}", run.start, run.end - 1),
    };
    if alike && let [first, second, .., last] = runs {
        let step = second.start - first.start;
        if runs
            .windows(2)
            .all(|pair| pair[1].start - pair[0].start == step)
        {
            return format!("{}, {}, … {}", word(first), word(second), word(last));
        }
    }
    let each: Vec<String> = runs.iter().take(LISTED).map(word).collect();
    let rest = match runs.len() > LISTED {
        true => format!(", … {}", runs.last().map(word).unwrap_or_default()),
        false => String::new(),
    };
    each.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_said_shortly() {
        let said = |runs: &[std::ops::Range<usize>]| words(&IndexSet::of(runs.iter().cloned()));
        assert_eq!(said(&[0..4, 7..8]), "0–3, 7");
        assert_eq!(said(&[0..1, 2..3, 4..5, 6..7]), "0, 2, … 6");
        assert_eq!(said(&[0..1, 2..3, 4..5, 7..8]), "0, 2, 4, 7");
        assert_eq!(said(&[0..2, 5..7, 10..12, 15..17]), "0–1, 5–6, … 15–16");
        let many: Vec<_> = (0..20).map(|i| i * i..i * i + 1).collect();
        assert!(
            said(&many[2..]).ends_with("169, … 361"),
            "{}",
            said(&many[2..])
        );
    }
}
