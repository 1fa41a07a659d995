//! What can be wrong with a weights file.

use std::path::PathBuf;

use tensor::MemoryError;

/// A weights file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The operating system refused the file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Not a safetensors file, or a damaged or truncated one.
    #[error("{origin}: not a whole safetensors file: {reason}")]
    Damaged {
        /// The file.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of PyTorch's own format, which is not read: a pickle runs whatever code it names.
    #[error(
        "{origin}: pickled PyTorch weights are not read, because a pickle can run any code; convert them with: \
         python -c 'import torch, safetensors.torch as s; \
         s.save_file({{k: v.contiguous() for k, v in torch.load(\"FILE.pth\", weights_only=True).items()}}, \
         \"model.safetensors\")'"
    )]
    Pickle {
        /// The file.
        origin: String,
    },
    /// No tensor of that name.
    #[error("{origin}: no tensor `{tensor}`")]
    Absent {
        /// The file.
        origin: String,
        /// The name asked for.
        tensor: String,
    },
    /// A tensor of an element type that weights do not have.
    #[error("{origin}: tensor `{tensor}` holds {dtype}; F32, F16, BF16 and I64 can be read")]
    ElementType {
        /// The file.
        origin: String,
        /// Name of the tensor.
        tensor: String,
        /// Its element type.
        dtype: String,
    },
    /// An integer that `f32` cannot hold exactly.
    #[error(
        "{origin}: tensor `{tensor}` holds the integer {value}, which 32-bit floats cannot hold"
    )]
    Integer {
        /// The file.
        origin: String,
        /// Name of the tensor.
        tensor: String,
        /// The integer.
        value: i64,
    },
    /// More dimensions than any operator has.
    #[error("tensor `{tensor}` has {rank} dimensions, more than {limit}")]
    Rank {
        /// Name of the tensor.
        tensor: String,
        /// Its number of dimensions.
        rank: usize,
        /// The limit.
        limit: usize,
    },
    /// A shape that does not fit the number of values.
    #[error("tensor `{tensor}` of shape {shape:?} with {values} values")]
    Count {
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Number of values.
        values: usize,
    },
    /// The memory for a tensor, or for a file, could not be had.
    #[error("weights: {0}")]
    Memory(#[from] MemoryError),
    /// Two tensors of one name, or a name that the format keeps for itself.
    #[error("the tensor name `{tensor}` is taken")]
    Name {
        /// The name.
        tensor: String,
    },
    /// A number beyond ±65504 cannot be stored in 16 bits.
    #[error("tensor `{tensor}` holds {value}, which 16-bit floats cannot hold")]
    Half {
        /// Name of the tensor.
        tensor: String,
        /// The number.
        value: f32,
    },
}
