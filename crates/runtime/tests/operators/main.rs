//! Operators applied to tensors, and their gradients, in every precision, layout and number of threads.

mod arithmetic;
mod basic;
mod case;
mod choice;
mod convolution;
mod deformable;
mod engines;
mod functions;
mod normalisation;
mod pooling;
mod rearrange;
mod regions;
mod sampling;
mod separable;
