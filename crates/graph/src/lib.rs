//! Networks as graphs: builder, shape inference, verifier, autodiff and portable passes.
//!
//! A [`Graph`] knows nothing of kernels, instruction sets or devices.

mod graph;
mod op;

pub use graph::{ElementType, Graph, Init, Node, ParameterKind, Role, Value, ValueId};
pub use op::{Activation, Op};
