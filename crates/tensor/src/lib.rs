//! Shapes, memory layouts, aligned storage and `.npy` files; and the names of functions of one element.
//!
//! A [`Tensor`] is dense, 64-byte aligned and in the order its [`Shape`] names, channels first
//! (`[n, c, h, w]`; weights `[o, c/g, kh, kw]`). How the engine lays a feature map out in memory is
//! a [`Layout`]; [`Layout::reorder_from_nchw`] and its inverse convert at the edges.

mod layout;
pub mod memory;
mod npy;
pub mod regular;
mod shape;
mod storage;
mod unary;

pub use layout::Layout;
pub use memory::MemoryError;
pub use npy::{
    NpyElement, NpyError, NpyFile, read_npy, write_npy, write_npy_bytes, write_npy_bytes_to,
    write_npy_to,
};
pub use shape::{Shape, ShapeError};
pub use storage::{Buffer, Tensor};
pub use unary::Unary;
