//! Single operators, eager: forward and backward, in f32 and f64.

mod basic;
