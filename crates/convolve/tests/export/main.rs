//! Graphs written as ONNX models and read again: the same numbers, for every operator, operator set and network.

mod networks;
mod operators;
mod round_trip;
mod sketch;
mod structure;
