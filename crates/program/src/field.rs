//! Receptive fields in words and as JSON.

use geometry::{Field, Rational};
use graph::AxisField;
use serde_json::{Value, json};

/// What stands for a field that is all of the input.
pub(super) const ALL: &str = "all";

/// One word an axis, or one for all where they agree: `7`, `11×5`.
pub(super) fn by_axis(words: impl IntoIterator<Item = String>) -> String {
    let words: Vec<String> = words.into_iter().collect();
    match words.split_first() {
        Some((first, rest)) if rest.iter().all(|word| word == first) => first.clone(),
        _ => words.join("×"),
    }
}

/// A number of the longest local path, by axis; nothing where there is no such path.
pub(super) fn of_longest(axes: &[AxisField], number: impl Fn(&Field) -> Rational) -> String {
    let numbers: Option<Vec<_>> = axes
        .iter()
        .map(|axis| Some(number(&axis.local?.longest).to_string()))
        .collect();
    numbers.map(by_axis).unwrap_or_default()
}

/// The size of a field: `43`, `all`, or `43, all` where some paths see a window and others everything.
pub(super) fn size(axes: &[AxisField]) -> String {
    by_axis(axes.iter().map(|axis| {
        let local = axis.local.map(|local| local.longest.size().to_string());
        match (local, axis.global) {
            (Some(local), false) => local,
            (Some(local), true) => format!("{local}, {ALL}"),
            (None, _) => ALL.to_owned(),
        }
    }))
}

/// A number of JSON: whole where it is.
pub(super) fn number(value: Rational) -> Value {
    match value.is_whole() {
        true => value.numerator().into(),
        false => (value.numerator() as f64 / value.denominator() as f64).into(),
    }
}

fn path_as_json(field: &Field) -> Value {
    json!({
        "size": number(field.size()), "jump": number(field.jump()), "start": number(field.first()),
        "centre": number(field.centre()),
    })
}

/// An object an axis of the input.
pub(super) fn as_json(axes: &[AxisField]) -> Value {
    let each = axes.iter().map(|axis| {
        json!({
            "global": axis.global,
            "longest": axis.local.map(|local| path_as_json(&local.longest)),
            "shortest": axis.local.map(|local| path_as_json(&local.shortest)),
            "aligned": axis.local.map(|local| local.aligned),
        })
    });
    each.collect()
}
