//! The ONNX project's own tests, through the program; `make.py` packed them. And models that are damaged.

mod cases;
mod gradients;
mod hostile;

use cases::replay;

/// One operator each, of every kind that networks on images are made of.
#[test]
fn node_tests() {
    replay("node");
}

/// Exported from PyTorch, in the old forms of operator sets 6 to 12.
#[test]
fn converted_tests() {
    replay("converted");
}
