//! From a graph to a program on the CPU: the only place where graphs and kernels meet.
//!
//! ```text
//! Graph ─▶ lower ─▶ steps over buffers ─▶ memory plan ─▶ Program ─▶ run ─▶ profile
//!          │         └ what each kernel reads and writes
//!          └ layouts, algorithms, packed weights, what runs in place
//! ```
//!
//! A [`Program`] has checked, chosen and allocated everything when it is made; a run takes no memory
//! and cannot fail. Inputs, outputs and parameters are channels first whatever layout the program
//! computes in. Results are bitwise the same for any number of threads.

mod calls;
pub mod eager;
mod error;
mod evaluate;
mod execute;
mod fold;
mod init;
mod lower;
mod memory;
mod options;
mod profile;
mod program;
mod regions;
mod slots;
mod step;
mod traffic;

pub use eager::Eager;
pub use error::RuntimeError;
pub use evaluate::Evaluation;
pub use init::{initialise, initialise_where};
pub use options::{Run, RuntimeOptions};
pub use profile::ProfileRow;
pub use program::{InferenceProgram, MemoryReport, Program};
pub use slots::{Slot, StateSlot};
