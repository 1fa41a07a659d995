//! One problem computed in every way the engine has, and judged by the oracle: shared by the tests of
//! escaped bugs, of semantics and of properties.
#![allow(dead_code, unused_imports)] // each of them uses a part

mod engine;
pub(crate) mod listing;
mod question;
mod subject;

pub(crate) use engine::ways;
pub(crate) use question::{Exercise, answers, tensor};
pub(crate) use subject::{Case, Subject};

/// Computes a problem of the notation forwards and backwards in every way, on integers, and holds all
/// of it against the oracle, bit for bit; gives the problem and the number of ways.
#[track_caller]
pub(crate) fn prove(text: &str) -> (Subject, usize) {
    let subject = Subject::read(text).unwrap_or_else(|error| panic!("{error}"));
    match subject.question().ask() {
        Ok(count) => (subject, count),
        Err(mismatch) => panic!("{text}: {mismatch}"),
    }
}
