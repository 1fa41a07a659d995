//! What decoding a file will take, before it is decoded.
//!
//! In memory a message is a structure of a hundred bytes or more, in a file it may be two: a file of nothing but
//! empty nodes would grow a hundredfold. So the file is walked once, message by message, without taking memory, and
//! refused when the messages would take more than the rules allow.

use super::OnnxError;
use super::proto::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};

/// Memory beyond twice the file that reading a model may take.
pub(super) const SLACK: usize = 64 << 20;

/// Messages within messages that a file may have; decoding has a limit of its own.
const DEPTH: usize = 100;

/// A kind of message, and what its fields are.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    ValueInfo,
    Function,
    Training,
    Annotation,
    /// A type, or a type within one.
    Type,
    TensorType,
    Shape,
    /// Where a node is to be computed, and all that belongs to it.
    Placement,
    /// A message of strings and numbers alone.
    Leaf,
}

impl Kind {
    /// The message in a field, where the field is one.
    fn field(self, tag: u64) -> Option<Self> {
        Some(match (self, tag) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) | (Self::Training, 1 | 2) => Self::Graph,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Node, 5) | (Self::Function, 11) => Self::Attribute,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => {
                Self::Tensor
            }
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::SparseTensor,
            (Self::Graph, 11..=13) | (Self::Function, 12) => Self::ValueInfo,
            (Self::Model, 25) => Self::Function,
            (Self::Model, 20) => Self::Training,
            (Self::Graph, 14) => Self::Annotation,
            (Self::ValueInfo, 2) | (Self::Attribute, 14 | 15) => Self::Type,
            (Self::Type, 1 | 8) => Self::TensorType,
            (Self::Type, 2 | 4 | 5 | 9) => Self::Type,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Node, 10) | (Self::Placement, 2 | 4) => Self::Placement,
            (Self::Model, 8 | 14 | 26)
            | (Self::Graph, 16)
            | (Self::Node, 9)
            | (Self::Tensor, 3 | 13 | 16)
            | (Self::ValueInfo, 4)
            | (Self::Function, 9 | 14)
            | (Self::Training, 3 | 4)
            | (Self::Annotation, 2)
            | (Self::Shape, 1)
            | (Self::Placement, 3) => Self::Leaf,
            _ => return None,
        })
    }

    /// Bytes in memory, without what they point to.
    fn size(self) -> usize {
        match self {
            Self::Model | Self::Function | Self::Training | Self::SparseTensor => 1024,
            Self::Graph => size_of::<GraphProto>(),
            Self::Node => size_of::<NodeProto>(),
            Self::Attribute => size_of::<AttributeProto>(),
            Self::Tensor => size_of::<TensorProto>(),
            Self::ValueInfo => size_of::<ValueInfoProto>(),
            _ => 96,
        }
    }

    /// Bytes that a number of a packed list takes for each byte in the file, at most.
    fn packed(self, tag: u64) -> usize {
        match (self, tag) {
            (Self::Tensor, 1 | 7 | 11) | (Self::Attribute, 8) | (Self::Placement, 2) => 8,
            (Self::Tensor, 5) => 4,
            (Self::Tensor, 4 | 10) | (Self::Attribute, 7) => 1,
            _ => 0,
        }
    }
}

/// Refuses a file whose messages would take more than twice its length and [`SLACK`].
///
/// # Errors
/// [`OnnxError::Memory`]; bytes that are no messages are left to the decoder to name.
pub(super) fn check(file: &[u8]) -> Result<(), OnnxError> {
    let limit = file.len().saturating_add(SLACK);
    let mut needed = 0_usize;
    // Messages that are being walked: their kind, and what is left of them.
    let mut open = vec![(Kind::Model, file)];
    while let Some((kind, rest)) = open.last_mut() {
        let kind = *kind;
        let Some((tag, content)) = next_field(rest) else {
            open.pop();
            continue;
        };
        let (inner, own) = match content {
            Some(bytes) => match (kind.field(tag), kind.packed(tag)) {
                // Lists grow by doubling.
                (Some(inner), _) => (Some((inner, bytes)), 2 * inner.size()),
                // Raw bytes stay where they are.
                (None, 0) if kind == Kind::Tensor && tag == 9 => (None, 0),
                // A text, and where it may be one of a list, its place there.
                (None, 0) if kind == Kind::Node && tag > 2 => (None, 32 + bytes.len()),
                (None, 0) => (None, 64 + bytes.len()),
                (None, 1) => (None, bytes.len()),
                (None, each) => (None, (2 * each).saturating_mul(bytes.len())),
            },
            // A number alone, or one of a list that is not packed.
            None => (None, 16),
        };
        needed = needed.saturating_add(own);
        if needed > limit {
            return Err(OnnxError::Memory {
                bytes: file.len(),
                needed,
                limit,
            });
        }
        if let Some(inner) = inner {
            if open.len() >= DEPTH {
                return Ok(());
            }
            open.push(inner);
        }
    }
    Ok(())
}

/// The tag of the next field, and its bytes where it has a length.
fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let key = varint(rest)?;
    let skipped = match key & 7 {
        0 => {
            varint(rest)?;
            return Some((key >> 3, None));
        }
        1 => 8,
        5 => 4,
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            let (content, after) = rest.split_at_checked(length)?;
            *rest = after;
            return Some((key >> 3, Some(content)));
        }
        _ => return None,
    };
    *rest = rest.get(skipped..)?;
    Some((key >> 3, None))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in 0..10 {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 127) << (7 * shift);
        if byte < 128 {
            return Some(value);
        }
    }
    None
}
