//! Filters that answer the same: those of one layer and one group whose weights point the same way.

use graph::Graph;

use super::diagnosis::some_of;
use super::filters::{Filters, norm};
use super::{Check, Finding, Parameters, Severity};

/// The cosine from which on two filters are one.
const SAME: f64 = 0.99;

/// Filters of fewer weights are alike by chance.
const FEWEST: usize = 9;

/// Part of a layer's filters that may be copies before it is a warning.
const MANY: f64 = 0.05;

pub(super) fn check(network: &Graph, parameters: &Parameters) -> Vec<Finding> {
    let layers = Filters::of(network, parameters);
    layers
        .filter(|filters| filters.elements() >= FEWEST)
        .filter_map(|filters| finding(&filters))
        .collect()
}

fn finding(filters: &Filters<'_>) -> Option<Finding> {
    let groups = filters.desc.groups.max(1);
    let Pairs {
        copies,
        pair: [first, second],
        cosine,
    } = pairs(&directions(filters), filters.len() / groups)?;
    let copied = some_of(&copies, filters.len(), "filter");
    Some(Finding {
        check: Check::DuplicateFilters,
        severity: Severity::warning_if(copies.len() as f64 >= MANY * filters.len() as f64),
        layer: Some(filters.node.layer.clone()),
        evidence: format!(
            "{copied} repeat another one; {second} and {first} have a cosine of {cosine:.4}"
        ),
        numbers: vec![
            ("copies", copies.len() as f64),
            ("filters", filters.len() as f64),
            ("cosine", cosine),
        ],
        channels: copies,
        advice: "The layer has more filters than it found use for: make it narrower, or train longer with augmentation",
    })
}

/// Filters of length one; dead ones stay zero.
fn directions(filters: &Filters<'_>) -> Vec<Vec<f32>> {
    let unit = |filter: &[f32]| {
        let length = norm(filter);
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        filter
            .iter()
            .map(|&w| (f64::from(w) * scale) as f32)
            .collect()
    };
    filters.iter().map(unit).collect()
}

/// Filters that repeat an earlier one.
struct Pairs {
    copies: Vec<usize>,
    /// The two that are most alike.
    pair: [usize; 2],
    cosine: f64,
}

/// Compares filters that read the same channels: `width` neighbours.
fn pairs(directions: &[Vec<f32>], width: usize) -> Option<Pairs> {
    let mut found: Option<Pairs> = None;
    for (place, filter) in directions.iter().enumerate() {
        let group = place - place % width.max(1);
        let mut is_copy = false;
        for (earlier, other) in directions[group..place].iter().enumerate() {
            let Some(cosine) = cosine_of_alike(filter, other) else {
                continue;
            };
            let pair = [group + earlier, place];
            let found = found.get_or_insert(Pairs {
                copies: Vec::new(),
                pair,
                cosine,
            });
            if cosine > found.cosine {
                (found.pair, found.cosine) = (pair, cosine);
            }
            if !std::mem::replace(&mut is_copy, true) {
                found.copies.push(place);
            }
        }
    }
    found
}

/// The cosine of two directions, if it is at least [`SAME`]. Of unit vectors `|a − b|² = 2 − 2·cos`, a sum that only
/// grows: most pairs are told apart by their first weights.
fn cosine_of_alike(a: &[f32], b: &[f32]) -> Option<f64> {
    const STEP: usize = 32;
    let most = 2.0 - 2.0 * SAME;
    let (mut apart, mut zero) = (0.0, true);
    for (a, b) in a.chunks(STEP).zip(b.chunks(STEP)) {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
        apart += f64::from(squares.sum::<f32>());
        zero &= a.iter().all(|&weight| weight == 0.0);
        if apart > most {
            return None;
        }
    }
    (!zero).then_some(1.0 - apart / 2.0)
}
