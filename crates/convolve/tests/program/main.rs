//! The program from the outside: arguments in; exit code, data, messages and files out.

mod answers;
mod bad_input;
mod bench;
mod cases;
mod dashboard;
mod doctor;
mod draw;
mod explain;
mod export;
mod fixture;
mod imported;
mod invoke;
mod lens;
mod listing;
mod op;
#[cfg(unix)]
mod pipes;
mod predict;
mod published;
mod receptive_fields;
mod report;
mod separable;
mod terminal;
mod training;
mod walk;
mod weights;
