//! What reading a hostile file takes at most: twice the file and 64 MB, the file counted in.

#[path = "../onnx/encode.rs"]
#[allow(dead_code)]
mod encode;
mod onnx;
mod weights;

use testkit::counting::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a file of so many bytes may take.
fn limit(file: usize) -> usize {
    2 * file + (64 << 20)
}
