//! Every operator but convolution against the oracle: both layouts, every family of instructions,
//! and bitwise the same for 1, 2, 3 and 7 threads.

mod activation;
mod arithmetic;
mod channels;
mod deformable;
mod dropout;
mod elementwise;
mod every;
mod loss;
mod norm;
mod pool;
mod rearrange;
mod regions;
mod sampling;
