//! Networks as graphs: builder, shape inference, verifier, autodiff and portable passes.
//!
//! A [`Graph`] knows nothing of kernels, instruction sets or devices.
//!
//! ```text
//! NetworkBuilder ─▶ Graph ─┬─ passes::training  ─▶ forward + loss + backward
//!                          ├─ passes::inference ─▶ folded and fused forward
//!                          └─ summary           ─▶ layers, parameters, multiply-accumulates
//! ```

mod append;
mod autodiff;
mod builder;
mod cost;
mod error;
mod families;
mod gradient;
mod graph;
mod infer;
mod op;
mod operands;
pub mod passes;
mod regulariser;
mod step;
mod summary;
mod users;
mod verify;

pub use autodiff::{backward, pullback};
pub use builder::{BatchNormOptions, NetworkBuilder, Normaliser, Separable, WeightInit};
pub use error::{GraphError, OpError};
pub use families::{
    Affine, AlignSettings, ArithmeticOp, BinaryOp, DeformableOp, LocalResponse, NormOp, PoolingOp,
    RearrangeOp, ReduceOp, RegionOp, Resizing, SamplingOp, Side, SoftmaxKind, SoftmaxOp,
    TransposedOp, UnaryOp,
};
pub use graph::{ElementType, Graph, Init, Node, ParameterKind, Role, Value, ValueId};
pub use infer::ValueType;
pub use op::{Activation, Op};
pub use regulariser::Regulariser;
pub use summary::{LayerSummary, Summary, summary};
