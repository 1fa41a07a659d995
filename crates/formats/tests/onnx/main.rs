//! ONNX models that are damaged, hostile or merely unusual: a typed error, never a panic, and no more memory than
//! the rules allow.

mod branches;
mod encode;
mod external;
mod folded;
mod mutations;
mod opened;
mod refusals;
mod shared;
