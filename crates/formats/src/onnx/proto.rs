//! The messages of an ONNX file, as [`prost`] writes them, and the numbers of its enumerations. Files are read by
//! [`wire`](super::wire), where they lie.
//!
//! `generated.rs` is made of `onnx.proto`, which the Python package `onnx` ships; `proto/README.md` says how.

#![allow(missing_docs, unreachable_pub, clippy::all)]

include!("proto/generated.rs");
