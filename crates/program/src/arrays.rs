//! Memory for the arrays of single problems.

use anyhow::bail;
use tensor::Buffer;

/// Zeros, or the error that says what they were for: a size typed on the command line must not abort the program.
pub(crate) fn zeros(len: usize, what: &str) -> anyhow::Result<Buffer<f32>> {
    match Buffer::try_zeroed(len) {
        Ok(zeros) => Ok(zeros),
        Err(_) => bail!("{what} needs {len} numbers of 4 bytes, which the system does not give"),
    }
}
