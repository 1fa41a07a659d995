//! Every network of the registry with weights of its own, held against PyTorch: logits, those of auxiliary heads, and
//! the gradients of training steps; and blocks that no network is made of.
//!
//! `make.py` writes what PyTorch makes of each. Weights and images are drawn from a formula on both sides
//! ([`weights`]), so that the files hold results alone.

mod blocks;
mod fixture;
mod gradients;
mod logits;
mod weights;
