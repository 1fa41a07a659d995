//! The wire format of Protocol Buffers, read where it lies: a message is a run of fields, each a tag and a content.
//!
//! In memory a decoded message is a structure of hundreds of bytes, in a file it may be two. So the messages of a
//! file are not decoded into structures at all: who wants a field walks over the fields, which takes no memory, and
//! how deep messages lie within messages is of no concern to what does not look into them.
//!
//! <https://protobuf.dev/programming-guides/encoding/>

use super::OnnxError;

/// Longest name or other short text that is read, in bytes: errors repeat names.
pub(super) const LONGEST_NAME: usize = 1 << 16;

/// Most bytes in front of what a field holds: its key and a length.
pub(super) const LONGEST_HEADER: usize = 20;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Content<'a> {
    Number(u64),
    Fixed64(&'a [u8]),
    /// A message, a text, bytes or a packed list.
    Bytes(&'a [u8]),
    Fixed32(&'a [u8]),
}

impl<'a> Content<'a> {
    /// A number; negative ones are those of 64 bits.
    pub(super) fn number(self) -> Result<i64, OnnxError> {
        match self {
            Self::Number(number) => Ok(number as i64),
            other => Err(other.instead_of("a number")),
        }
    }

    pub(super) fn float(self) -> Result<f32, OnnxError> {
        match self {
            Self::Fixed32(&[a, b, c, d]) => Ok(f32::from_le_bytes([a, b, c, d])),
            other => Err(other.instead_of("a float")),
        }
    }

    pub(super) fn bytes(self) -> Result<&'a [u8], OnnxError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(other.instead_of("bytes")),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, OnnxError> {
        std::str::from_utf8(self.bytes()?).map_err(|error| damaged(format!("a text: {error}")))
    }

    /// A text that names something, and that an error may repeat.
    pub(super) fn name(self) -> Result<&'a str, OnnxError> {
        let text = self.text()?;
        if text.len() > LONGEST_NAME {
            let len = text.len();
            return Err(damaged(format!(
                "a name of {len} bytes, more than {LONGEST_NAME}"
            )));
        }
        Ok(text)
    }

    fn instead_of(self, wanted: &str) -> OnnxError {
        let found = match self {
            Self::Number(_) => "a number",
            Self::Fixed64(_) => "eight bytes",
            Self::Bytes(_) => "bytes with a length",
            Self::Fixed32(_) => "four bytes",
        };
        damaged(format!("{found} instead of {wanted}"))
    }
}

/// The fields of a message, in their order. After an error there is nothing more.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

/// The fields of a message.
pub(super) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

/// The contents of the fields of one tag, of a message known to be whole.
pub(super) fn each(message: &[u8], tag: u64) -> impl Iterator<Item = Content<'_>> + Clone {
    let whole = fields(message).map_while(Result::ok);
    whole.filter_map(move |(found, content)| (found == tag).then_some(content))
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Content<'a>), OnnxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Content<'a>), OnnxError> {
        let (tag, kind) = key(&mut self.rest)?;
        let content = match size(kind, &mut self.rest)? {
            Size::Number(number) => Content::Number(number),
            Size::Fixed64 => Content::Fixed64(self.take(8)?),
            Size::Fixed32 => Content::Fixed32(self.take(4)?),
            Size::Bytes(length) => Content::Bytes(self.take(length)?),
        };
        Ok((tag, content))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], OnnxError> {
        let split = usize::try_from(length).ok();
        let split = split.and_then(|length| self.rest.split_at_checked(length));
        let Some((content, after)) = split else {
            return Err(too_long(length, self.rest.len() as u64));
        };
        self.rest = after;
        Ok(content)
    }
}

/// How much a field holds behind its header.
#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    /// Nothing: the number was part of the header.
    Number(u64),
    Fixed64,
    Bytes(u64),
    Fixed32,
}

impl Size {
    /// Bytes behind the header.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Number(_) => 0,
            Self::Fixed64 => 8,
            Self::Bytes(length) => length,
            Self::Fixed32 => 4,
        }
    }
}

/// The tag of a field, and which kind of content it has.
pub(super) fn key(rest: &mut &[u8]) -> Result<(u64, u64), OnnxError> {
    let key = varint(rest)?;
    match key >> 3 {
        0 => Err(damaged("a field with the number 0".to_owned())),
        tag => Ok((tag, key & 7)),
    }
}

/// What follows the key in the header of a field of that kind.
pub(super) fn size(kind: u64, rest: &mut &[u8]) -> Result<Size, OnnxError> {
    Ok(match kind {
        0 => Size::Number(varint(rest)?),
        1 => Size::Fixed64,
        2 => Size::Bytes(varint(rest)?),
        5 => Size::Fixed32,
        kind => return Err(damaged(format!("a field of kind {kind}"))),
    })
}

/// Numbers of a fixed size, and a part of one more.
pub(super) fn uneven(bytes: usize, size: usize) -> OnnxError {
    damaged(format!("{bytes} bytes of numbers of {size} bytes each"))
}

/// A field that would be longer than the message it is in.
pub(super) fn too_long(length: u64, left: u64) -> OnnxError {
    damaged(format!("a field of {length} bytes where {left} are left"))
}

/// The numbers of a list, packed or one a field.
pub(super) fn varints<'a>(
    contents: impl Iterator<Item = Content<'a>>,
) -> impl Iterator<Item = Result<u64, OnnxError>> {
    contents.flat_map(|content| {
        let (mut rest, single) = match content {
            Content::Number(number) => (&[][..], Some(Ok(number))),
            Content::Bytes(packed) => (packed, None),
            other => (&[][..], Some(Err(other.instead_of("a number")))),
        };
        let packed = std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let number = varint(&mut rest);
            if number.is_err() {
                rest = &[];
            }
            Some(number)
        });
        single.into_iter().chain(packed)
    })
}

/// The bytes of a list of numbers of a fixed size, packed or one a field: pieces that follow one another.
pub(super) fn fixed<'a>(
    contents: impl Iterator<Item = Content<'a>> + Clone,
    size: usize,
) -> impl Iterator<Item = Result<&'a [u8], OnnxError>> + Clone {
    contents.map(move |content| match content {
        Content::Fixed32(bytes) | Content::Fixed64(bytes) if bytes.len() == size => Ok(bytes),
        Content::Bytes(packed) if packed.len().is_multiple_of(size) => Ok(packed),
        Content::Bytes(packed) => Err(uneven(packed.len(), size)),
        other => Err(other.instead_of("numbers")),
    })
}

fn varint(rest: &mut &[u8]) -> Result<u64, OnnxError> {
    let mut value = 0;
    for shift in 0..10 {
        let Some((&byte, after)) = rest.split_first() else {
            return Err(damaged("it ends within a number".to_owned()));
        };
        *rest = after;
        value |= u64::from(byte & 127) << (7 * shift);
        if byte < 128 {
            return Ok(value);
        }
    }
    Err(damaged("a number of more than 64 bits".to_owned()))
}

pub(super) fn damaged(reason: String) -> OnnxError {
    OnnxError::Damaged { reason }
}
