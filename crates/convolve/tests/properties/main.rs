//! Properties of the operators over drawn problems. What fails is shrunk and named in the notation, with the
//! command that repeats it:
//!
//! ```text
//! CONVOLVE_PROBLEM='conv:n2c3h5w7:o4k3x2' cargo test -p convolve --test properties conv -- --nocapture
//! ```
//! Problems are the same in every run; `PROPTEST_RNG_SEED` gives others, `PROPTEST_CASES` more of them.

mod adjoint;
mod conv;
mod deformable;
mod draws;
mod hold;
mod notation;
mod pool;
mod refusals;
mod transposed;
#[path = "../ways/mod.rs"]
mod ways;
