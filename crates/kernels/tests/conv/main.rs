//! Every algorithm of convolution, in every direction, layout and instruction family, against the
//! oracle: bit for bit on integers, on memory that faults when a kernel strays.

mod chain;
mod directions;
mod epilogue;
mod im2col;
mod large;
mod plans;
mod refusals;
mod special;
mod transposed;
mod winograd;
