//! Classes in another order than that of the logits: the network tells them apart, and calls them by each other's names.
//!
//! One half of the pictures says what the network answers to each class most; the other half says whether that holds.
//! A network that has learned nothing answers one class to several, and is not meant.

use super::answers::{Given, gain};
use super::diagnosis::percent;
use super::{Check, Finding, Findings, Sample, Severity};

/// Pictures of a class, in each half, that it takes on average.
const FEWEST: usize = 3;

/// Part of the moved classes' pictures that the order found must get right.
const RIGHT: f64 = 0.5;

pub(super) fn check(given: &Given, sample: &Sample) -> Findings {
    let classes = sample.classes.len();
    enough(sample)?;
    let order = most_answered(given, sample);
    let moved = |label: u32| order[label as usize].is_some_and(|answer| answer != label);
    // Two classes that get one answer are not in another order but mistaken for each other.
    let mut taken = vec![0_usize; classes];
    order
        .iter()
        .flatten()
        .for_each(|&answer| taken[answer as usize] += 1);
    let is_order = |label: u32| {
        let answer = order[label as usize];
        moved(label) && answer.is_some_and(|answer| taken[answer as usize] == 1)
    };
    let judged = || {
        let pictures = half(given, sample, false);
        pictures.filter(|&(_, &label)| is_order(label))
    };
    let count = judged().count();
    let by_name = || judged().map(|(answer, label)| answer == label);
    let by_order = || judged().map(|(answer, label)| Some(*answer) == order[*label as usize]);
    let share = |right: usize| right as f64 / count.max(1) as f64;
    let named = share(by_name().filter(|&right| right).count());
    let ordered = share(by_order().filter(|&right| right).count());
    let (_, sure) = gain(by_name(), by_order());
    if !sure || ordered < RIGHT {
        return Ok(Vec::new());
    }
    let pairs: Vec<[usize; 2]> = (0..classes as u32)
        .filter(|&label| is_order(label))
        .filter_map(|label| Some([label as usize, order[label as usize]? as usize]))
        .collect();
    let shown = pairs.iter().take(3).map(|&[label, answer]| {
        format!(
            "`{}` is answered as `{}`",
            sample.classes[label], sample.classes[answer]
        )
    });
    let shown: Vec<String> = shown.collect();
    let more = match pairs.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Ok(vec![Finding {
        check: Check::ClassOrder,
        severity: Severity::Warning,
        layer: None,
        evidence: format!(
            "{} of {classes} classes are answered by another's name: {}{more}; in that order {} of their pictures are \
             right, by name {}",
            pairs.len(),
            shown.join(", "),
            percent(ordered),
            percent(named)
        ),
        numbers: vec![
            ("classes", pairs.len() as f64),
            ("accuracy", named),
            ("accuracy_in_that_order", ordered),
        ],
        channels: pairs.into_iter().map(|[label, _]| label).collect(),
        advice: "Put the names of the classes in the order of the logits in which the network was trained",
    }])
}

/// Whether there are pictures enough of every class.
fn enough(sample: &Sample) -> Result<(), String> {
    let mut present = vec![false; sample.classes.len()];
    for &label in &sample.labels {
        present[label as usize] = true;
    }
    let present = present.iter().filter(|&&present| present).count();
    match sample.len() < 2 * FEWEST * present {
        true => Err(format!(
            "{} pictures of {present} classes are too few; {} are needed",
            sample.len(),
            2 * FEWEST * present
        )),
        false => Ok(()),
    }
}

/// Answer and label of the pictures of a half: of every class the first, third, … and the others.
fn half<'a>(
    given: &'a Given,
    sample: &'a Sample,
    first: bool,
) -> impl Iterator<Item = (&'a u32, &'a u32)> {
    let mut is_first = vec![false; sample.classes.len()];
    let pictures = given.0.iter().zip(&sample.labels);
    pictures.filter(move |&(_, &label)| {
        let turn = &mut is_first[label as usize];
        *turn = !*turn;
        *turn == first
    })
}

/// The part of the second half's pictures that is right in the order that the first half says; nothing where they are
/// too few to say.
pub(super) fn accuracy_in_order(given: &Given, sample: &Sample) -> Option<f64> {
    enough(sample).ok()?;
    let order = most_answered(given, sample);
    let right = half(given, sample, false)
        .filter(|&(&answer, &label)| order[label as usize] == Some(answer));
    Some(right.count() as f64 / half(given, sample, false).count().max(1) as f64)
}

/// What is answered most to each class, by the first half of the pictures.
fn most_answered(given: &Given, sample: &Sample) -> Vec<Option<u32>> {
    let classes = sample.classes.len();
    let mut answers: Vec<Vec<u32>> = vec![Vec::new(); classes];
    half(given, sample, true).for_each(|(&answer, &label)| answers[label as usize].push(answer));
    let most = answers.into_iter().map(|mut answers| {
        answers.sort_unstable();
        let runs = answers.chunk_by(|a, b| a == b);
        runs.max_by_key(|run| run.len()).map(|run| run[0])
    });
    most.collect()
}
