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
mod axis_roles;
mod builder;
mod cost;
mod counting;
mod error;
mod families;
mod gradient;
mod graph;
mod infer;
mod layer_names;
mod neuron;
mod op;
mod operands;
mod output_activation;
pub mod passes;
mod per_image;
mod reads;
mod receptive_field;
mod rectifier;
mod regulariser;
mod row_by_row;
mod step;
mod summary;
mod traffic;
mod users;
mod verify;

pub use autodiff::{backward, pullback, pullback_by};
pub use axis_roles::{AxisRoleError, AxisRoles};
pub use builder::{BatchNormOptions, NetworkBuilder, Normaliser, Separable, WeightInit};
pub use counting::{Count, Counting};
pub use error::{GraphError, OpError};
pub use families::{
    Affine, AlignSettings, ArithmeticOp, BinaryOp, DeformableOp, LocalResponse, NormOp, PoolingOp,
    RearrangeOp, ReduceOp, RegionOp, Resizing, SamplingOp, Side, SoftmaxKind, SoftmaxOp,
    TransposedOp, UnaryOp,
};
pub use graph::{ElementType, Graph, Init, Node, ParameterKind, Role, Stored, Value, ValueId};
pub use infer::ValueType;
pub use neuron::{Neuron, NeuronError};
pub use op::{Activation, Op};
pub use output_activation::OutputActivation;
pub use per_image::PerImage;
pub use receptive_field::{
    AxisField, LayerField, Local, Misalignment, ReceptiveFieldError, ReceptiveFields,
    receptive_fields,
};
pub use rectifier::RectifierRule;
pub use regulariser::Regulariser;
pub use summary::{LayerSummary, Summary, summary};
pub use traffic::Traffic;
