//! Operators that move elements and compute nothing: they serve elements of every type.
//!
//! | operator | forward | gradient |
//! |---|---|---|
//! | padding | [`pad::forward`] | [`pad::backward`], which sums |
//! | slice | [`slice::forward`] | [`slice::backward`] |
//! | concatenation | [`concat::join`], input by input | [`concat::part`] |
//! | transposition | [`permute::forward`] | the same with [`inverse`](geometry::PermuteGeometry::inverse) |
//! | pixel shuffle | [`shuffle::to_pixels`] | [`shuffle::to_channels`], and the other way round |
//! | channel shuffle | [`shuffle::channels`] | the same with [`inverse`](geometry::ChannelShuffle::inverse) |
//! | concatenation and shuffle | [`interleave`] | |
//!
//! Shapes are given channels first; where a tensor has more than two axes, it lies in memory in the
//! [`Layout`](tensor::Layout) given, so that its channels may lie last. All but padding are one loop
//! nest over two operands, with its loops in the order in which the result lies in memory.

pub mod concat;
pub mod pad;
pub mod permute;
pub mod shuffle;
pub mod slice;

mod interleave;
mod strided;

pub use self::interleave::{Band, interleave};
