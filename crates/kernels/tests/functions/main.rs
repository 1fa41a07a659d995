//! Functions of one element, softmax and the norms of groups, layers, channels and neighbours: against the
//! oracle in f32 and f64, both layouts, every family of instructions, bitwise the same for 1, 2, 3 and 7
//! threads, on guard pages; and their gradients against differences.

mod every;
mod prelu;
mod response;
mod softmax;
mod standardise;
mod unary;
