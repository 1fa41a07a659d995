//! From a tensor of the file to its [`Elements`].

use super::array::{MOST_AXES, count};
use super::budget::{Budget, piece};
use super::elements::Place;
use super::external::{External, Reference};
use super::outline::Outline;
use super::wire::{each, fields, fixed, uneven, varints};
use super::{Element, Elements, OnnxError};

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

/// Whether a field of a tensor holds elements as they lie in memory.
pub(super) fn is_of_elements(tag: u64) -> bool {
    matches!(tag, RAW | FLOATS | DOUBLES)
}

/// The tensor's name and elements, wherever these lie: raw or as packed floats, which are neither copied nor read, in
/// another field of their type, or in another file. `message` is part of the outline.
pub(super) fn elements<'a>(
    message: &'a [u8],
    outline: &Outline,
    external: &mut External,
    budget: &mut Budget,
) -> Result<(&'a str, Elements), OnnxError> {
    let (mut name, mut element, mut raw, mut elsewhere) = ("", 0, None, false);
    let mut reference = Reference::default();
    for field in fields(message) {
        let (tag, content) = field?;
        match tag {
            NAME => name = content.name()?,
            ELEMENT => element = content.number()?,
            RAW => raw = Some(content.bytes()?),
            LOCATION => elsewhere = content.number()? == 1,
            EXTERNAL => reference.add(content.bytes()?)?,
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
    let place = match raw {
        _ if elsewhere => external.place(name, &reference, len, budget)?,
        Some(raw) => outline.place(raw),
        None => typed(message, outline, element, len, budget)?.map_err(length)?,
    };
    if place.bytes() != len {
        return Err(length(place.bytes()));
    }
    Ok((name, Elements::at(place, element, &shape)?))
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
    outline: &Outline,
    element: Element,
    len: usize,
    budget: &mut Budget,
) -> Result<Result<Place, usize>, OnnxError> {
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
            let mut found = 0;
            for piece in fixed(each(message, tag), element.size()) {
                let bytes = outline.place(piece?).bytes();
                if !bytes.is_multiple_of(element.size()) {
                    return Err(uneven(bytes, element.size()));
                }
                found += bytes;
            }
            if found != len {
                return Ok(Err(found));
            }
            // All in one piece, as they are written, they lie in the file as they would in memory.
            let pieces = fixed(each(message, tag), element.size()).filter_map(Result::ok);
            let mut pieces = pieces.map(|piece| outline.place(piece));
            if let Some(whole) = pieces.clone().find(|place| place.bytes() == len) {
                return Ok(Ok(whole));
            }
            budget.take(piece(len))?;
            let mut bytes = Vec::with_capacity(len);
            pieces.try_for_each(|piece| piece.read().map(|read| bytes.extend_from_slice(&read)))?;
            Ok(Ok(Place::Memory(bytes.into())))
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
            Ok(Ok(Place::Memory(bytes.into())))
        }
    }
}
