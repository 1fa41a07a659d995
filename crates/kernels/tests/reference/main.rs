//! The definitions that f64 is computed by: against the oracle to the last digits of f64, in f32
//! against the quick kernels, and their gradients against differences.

mod conv;
mod elementwise;
mod every;
mod loss;
mod norm;
mod rearrange;
