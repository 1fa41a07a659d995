//! What came of a method: panels for the board, rows for the terminal, numbers for programs.

use figures::html::Table;
use figures::panel::Panel;
use serde_json::Value;

use super::method::Method;

/// What a method shows.
pub(super) struct Shown {
    pub(super) method: Method,
    pub(super) panels: Vec<Panel>,
    /// What the panels show, with their raw ranges.
    pub(super) rows: Vec<Row>,
    /// The numbers themselves.
    pub(super) numbers: Value,
    /// Numbers that are for reading rather than for looking at.
    pub(super) tables: Vec<Table>,
}

impl Shown {
    pub(super) fn new(method: Method, numbers: Value) -> Self {
        Self {
            method,
            panels: Vec::new(),
            rows: Vec::new(),
            numbers,
            tables: Vec::new(),
        }
    }
}

/// A line of the terminal: something that was measured, and from where to where it goes.
pub(super) struct Row {
    pub(super) what: String,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) unit: String,
}

impl Row {
    pub(super) fn new(what: impl Into<String>, (low, high): (f64, f64), unit: &str) -> Self {
        Self {
            what: what.into(),
            low,
            high,
            unit: unit.to_owned(),
        }
    }
}

/// A method that has nothing to show of a network.
pub(super) struct LeftOut {
    pub(super) method: Method,
    pub(super) reason: String,
}

/// What was left out, a sentence for each reason.
pub(super) fn sentences(left_out: &[LeftOut]) -> Vec<String> {
    let mut reasons: Vec<&str> = left_out.iter().map(|of| of.reason.as_str()).collect();
    reasons.dedup();
    let sentence = |reason: &str| {
        let methods = left_out.iter().filter(|of| of.reason == reason);
        let methods: Vec<String> = methods.map(|of| of.method.to_string()).collect();
        format!("Left out ({}): {reason}.", methods.join(", "))
    };
    reasons.into_iter().map(sentence).collect()
}
