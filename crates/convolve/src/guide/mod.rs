//! A guide to every kind of operator, with examples that compile and numbers that can be checked by hand.
//!
//! A page is a family: what it computes, the shapes, the token that names a problem of it, the command that
//! does the same on arrays, and the operator at work. Examples use
//!
//! - [`Eager`](crate::runtime::Eager), operators on tensors, in f32 or f64, where an operator is the point;
//! - [`NetworkBuilder`](crate::graph::NetworkBuilder), layers of a network, where a layer is;
//! - `convolve op TOKEN`, the program, on `.npy` arrays. `--direction` asks for a gradient, `--layout`,
//!   `--algorithm` and `--precision` for a way of computing.
//!
//! The [front page](crate#every-kind-of-operator) has the table from kinds to pages; [`weights`] is about published
//! weights of whole networks.

pub mod around;
pub mod convolution;
pub mod deformable;
pub mod factorised;
pub mod gradients;
pub mod layouts;
pub mod notation;
pub mod pooling;
pub mod rearranging;
pub mod regions;
pub mod separable;
pub mod spatial_transformer;
pub mod transposed;
pub mod weights;
