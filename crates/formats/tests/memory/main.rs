//! What reading a hostile file takes at most: twice the file and 64 MB, the file counted in.

mod counting;
#[path = "../onnx/encode.rs"]
#[allow(dead_code)]
mod encode;
mod onnx;
mod weights;
