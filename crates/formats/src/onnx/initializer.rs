//! From a tensor of the file to an [`Array`].

use prost::bytes::Bytes;

use super::array::{MOST_AXES, count};
use super::budget::{Budget, piece};
use super::external::{External, Place};
use super::wire::{each, fields, fixed, varints};
use super::{Array, Element, OnnxError};

/// Tags of a tensor's fields.
const DIMS: u64 = 1;
const ELEMENT: u64 = 2;
const FLOATS: u64 = 4;
const INT32S: u64 = 5;
const INT64S: u64 = 7;
const NAME: u64 = 8;
const RAW: u64 = 9;
const DOUBLES: u64 = 10;
const UINT64S: u64 = 11;
const EXTERNAL: u64 = 13;
const LOCATION: u64 = 14;

/// The tensor's name and elements, wherever these lie: raw or as packed floats, which are not copied, in another
/// field of their type, or in another file. `message` is part of `file`.
pub(super) fn array<'a>(
    message: &'a [u8],
    file: &Bytes,
    external: &mut External,
    budget: &mut Budget,
) -> Result<(&'a str, Array), OnnxError> {
    let (mut name, mut element, mut raw, mut elsewhere) = ("", 0, None, false);
    let mut place = Place::default();
    for field in fields(message) {
        let (tag, content) = field?;
        match tag {
            NAME => name = content.name()?,
            ELEMENT => element = content.number()?,
            RAW => raw = Some(content.bytes()?),
            LOCATION => elsewhere = content.number()? == 1,
            EXTERNAL => place.add(content.bytes()?)?,
            _ => {}
        }
    }
    let element = Element::of(i32::try_from(element).unwrap_or(-1), name)?;
    let shape = extents(varints(each(message, DIMS)), name)?;
    let len = count(&shape)?.checked_mul(element.size());
    let length = |bytes| OnnxError::Length {
        tensor: name.to_owned(),
        shape: shape.clone(),
        element,
        bytes,
    };
    let len = len.ok_or_else(|| length(0))?;
    let bytes = match raw {
        _ if elsewhere => external.bytes(name, &place, len, budget)?,
        Some(raw) => file.slice_ref(raw),
        None => typed(message, file, element, len, budget)?.map_err(length)?,
    };
    if bytes.len() != len {
        return Err(length(bytes.len()));
    }
    Ok((name, Array::from_bytes(element, &shape, bytes)?))
}

/// The name of a tensor in a sparse one, for an error.
pub(super) fn name(message: &[u8]) -> &str {
    let last = each(message, NAME).last();
    last.and_then(|content| content.name().ok())
        .unwrap_or_default()
}

/// Extents of a file: not too many, and none of them negative.
fn extents(
    dims: impl Iterator<Item = Result<u64, OnnxError>>,
    tensor: &str,
) -> Result<Vec<usize>, OnnxError> {
    let (mut extents, mut axes) = (Vec::new(), 0);
    for dim in dims {
        let extent = extent(dim? as i64, tensor, axes)?;
        if axes < MOST_AXES {
            extents.push(extent);
        }
        axes += 1;
    }
    match axes {
        ..=MOST_AXES => Ok(extents),
        axes => Err(OnnxError::Axes {
            axes,
            most: MOST_AXES,
        }),
    }
}

/// An extent of a file on this axis of a tensor.
pub(super) fn extent(extent: i64, tensor: &str, axis: usize) -> Result<usize, OnnxError> {
    usize::try_from(extent).map_err(|_| OnnxError::NegativeExtent {
        tensor: tensor.to_owned(),
        axis,
        extent,
    })
}

/// The elements of the field that ONNX has for a type, `len` bytes of them; or how many bytes there are instead.
fn typed(
    message: &[u8],
    file: &Bytes,
    element: Element,
    len: usize,
    budget: &mut Budget,
) -> Result<Result<Bytes, usize>, OnnxError> {
    let tag = match element {
        Element::F32 => FLOATS,
        Element::F64 => DOUBLES,
        Element::I64 => INT64S,
        Element::U32 | Element::U64 => UINT64S,
        // Halves are stored as the integers of their bits, small integers as they are.
        _ => INT32S,
    };
    match tag {
        FLOATS | DOUBLES => {
            let pieces = || fixed(each(message, tag), element.size());
            let mut found = 0;
            for piece in pieces() {
                found += piece?.len();
            }
            if found != len {
                return Ok(Err(found));
            }
            // All in one piece, as they are written, they lie in the file as they would in memory.
            let whole = pieces().filter_map(Result::ok).find(|p| p.len() == len);
            if let Some(whole) = whole.filter(|_| len > 0) {
                return Ok(Ok(file.slice_ref(whole)));
            }
            budget.take(piece(len))?;
            let mut bytes = Vec::with_capacity(len);
            pieces()
                .filter_map(Result::ok)
                .for_each(|piece| bytes.extend_from_slice(piece));
            Ok(Ok(bytes.into()))
        }
        _ => {
            let size = element.size();
            let numbers = || varints(each(message, tag));
            let mut found = 0;
            for number in numbers() {
                number?;
                found += size;
            }
            if found != len {
                return Ok(Err(found));
            }
            budget.take(piece(len))?;
            let mut bytes = Vec::with_capacity(len);
            for number in numbers().filter_map(Result::ok) {
                bytes.extend_from_slice(&number.to_le_bytes()[..size]);
            }
            Ok(Ok(bytes.into()))
        }
    }
}
