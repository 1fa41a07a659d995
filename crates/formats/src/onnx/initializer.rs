//! From a tensor of the file to an [`Array`].

use prost::bytes::Bytes;

use super::array::count;
use super::external::External;
use super::proto::TensorProto;
use super::proto::tensor_proto::DataLocation;
use super::{Array, Element, OnnxError};

/// The elements of a tensor, wherever they lie: as raw bytes, which are not copied, in a field of their type, or in
/// another file. The tensor gives its elements up.
pub(super) fn array(tensor: &mut TensorProto, external: &mut External) -> Result<Array, OnnxError> {
    let element = Element::of(tensor.data_type(), tensor.name())?;
    let shape = extents(&tensor.dims, tensor.name())?;
    let count = count(&shape)?;
    let len = count
        .checked_mul(element.size())
        .ok_or_else(|| length(tensor, &shape, element, 0))?;
    let bytes = if tensor.data_location() == DataLocation::External {
        external.bytes(tensor, len)?
    } else if let Some(raw) = tensor.raw_data.take() {
        raw
    } else {
        typed(tensor, element)
    };
    if bytes.len() != len {
        return Err(length(tensor, &shape, element, bytes.len()));
    }
    Array::from_bytes(element, &shape, bytes)
}

/// Extents of a file, none of them negative.
pub(super) fn extents(dims: &[i64], tensor: &str) -> Result<Vec<usize>, OnnxError> {
    let extents = dims.iter().map(|&dim| usize::try_from(dim));
    extents
        .collect::<Result<_, _>>()
        .map_err(|_| OnnxError::NegativeExtent {
            tensor: tensor.to_owned(),
            dims: dims.to_vec(),
        })
}

fn length(tensor: &TensorProto, shape: &[usize], element: Element, bytes: usize) -> OnnxError {
    OnnxError::Length {
        tensor: tensor.name().to_owned(),
        shape: shape.to_vec(),
        element,
        bytes,
    }
}

/// The elements of the field that ONNX has for a type.
fn typed(tensor: &mut TensorProto, element: Element) -> Bytes {
    let mut bytes = Vec::new();
    match element {
        Element::F32 => {
            let values = std::mem::take(&mut tensor.float_data);
            bytes.reserve_exact(values.len().saturating_mul(4));
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Element::F64 => {
            let values = std::mem::take(&mut tensor.double_data);
            bytes.reserve_exact(values.len().saturating_mul(8));
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Element::I64 => {
            let values = std::mem::take(&mut tensor.int64_data);
            bytes.reserve_exact(values.len().saturating_mul(8));
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Element::U32 | Element::U64 => {
            for value in std::mem::take(&mut tensor.uint64_data) {
                bytes.extend(&value.to_le_bytes()[..element.size()]);
            }
        }
        // Halves are stored as the integers of their bits, small integers as they are.
        _ => {
            for value in std::mem::take(&mut tensor.int32_data) {
                bytes.extend(&value.to_le_bytes()[..element.size()]);
            }
        }
    }
    bytes.into()
}
