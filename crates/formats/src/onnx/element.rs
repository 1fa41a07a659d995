//! What the elements of an ONNX tensor are.

use std::fmt;

use half::{bf16, f16};

use super::OnnxError;
use super::proto::tensor_proto::DataType;

/// Element type of an ONNX tensor: those that networks on numbers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
    /// IEEE binary16.
    F16,
    /// The upper half of a binary32.
    Bf16,
    /// 8 bits with a sign.
    I8,
    /// 16 bits with a sign.
    I16,
    /// 32 bits with a sign.
    I32,
    /// 64 bits with a sign.
    I64,
    /// 8 bits.
    U8,
    /// 16 bits.
    U16,
    /// 32 bits.
    U32,
    /// 64 bits.
    U64,
    /// A byte that is 0 or 1.
    Bool,
}

impl Element {
    /// The type with ONNX's number.
    pub(super) fn of(number: i32, whose: &str) -> Result<Self, OnnxError> {
        Ok(match DataType::try_from(number) {
            Ok(DataType::Float) => Self::F32,
            Ok(DataType::Double) => Self::F64,
            Ok(DataType::Float16) => Self::F16,
            Ok(DataType::Bfloat16) => Self::Bf16,
            Ok(DataType::Int8) => Self::I8,
            Ok(DataType::Int16) => Self::I16,
            Ok(DataType::Int32) => Self::I32,
            Ok(DataType::Int64) => Self::I64,
            Ok(DataType::Uint8) => Self::U8,
            Ok(DataType::Uint16) => Self::U16,
            Ok(DataType::Uint32) => Self::U32,
            Ok(DataType::Uint64) => Self::U64,
            Ok(DataType::Bool) => Self::Bool,
            other => {
                let name = other.map_or_else(|_| number.to_string(), |t| t.as_str_name().into());
                return Err(OnnxError::ElementType {
                    tensor: whose.to_owned(),
                    element: name,
                });
            }
        })
    }

    /// The type that a `.npy` file names so.
    pub fn from_npy(descr: &str) -> Option<Self> {
        let name = descr.trim_start_matches(['<', '|', '=']);
        Self::ALL
            .into_iter()
            .find(|element| element.npy().trim_start_matches(['<', '|']) == name)
    }

    /// What a `.npy` file calls it. NumPy has no bfloat16 of its own: to it, it is two bytes.
    pub fn npy(self) -> &'static str {
        match self {
            Self::F32 => "<f4",
            Self::F64 => "<f8",
            Self::F16 => "<f2",
            Self::Bf16 => "<V2",
            Self::I8 => "|i1",
            Self::I16 => "<i2",
            Self::I32 => "<i4",
            Self::I64 => "<i8",
            Self::U8 => "|u1",
            Self::U16 => "<u2",
            Self::U32 => "<u4",
            Self::U64 => "<u8",
            Self::Bool => "|b1",
        }
    }

    const ALL: [Self; 13] = [
        Self::F32,
        Self::F64,
        Self::F16,
        Self::Bf16,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::Bool,
    ];

    /// Bytes of one.
    pub fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// Whether it is one of the floating-point types.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64 | Self::F16 | Self::Bf16)
    }

    /// The least and the largest number: of floats the infinities.
    pub(super) fn range(self) -> [f64; 2] {
        match self {
            Self::I8 => [i8::MIN.into(), i8::MAX.into()],
            Self::I16 => [i16::MIN.into(), i16::MAX.into()],
            Self::I32 => [i32::MIN.into(), i32::MAX.into()],
            Self::I64 => [i64::MIN as f64, i64::MAX as f64],
            Self::U8 => [0.0, u8::MAX.into()],
            Self::U16 => [0.0, u16::MAX.into()],
            Self::U32 => [0.0, u32::MAX.into()],
            Self::U64 => [0.0, u64::MAX as f64],
            Self::Bool => [0.0, 1.0],
            Self::F32 | Self::F64 | Self::F16 | Self::Bf16 => [f64::NEG_INFINITY, f64::INFINITY],
        }
    }

    /// The number that `size` little-endian bytes stand for; of integers beyond 2⁵³ the nearest.
    pub(super) fn real(self, bytes: &[u8]) -> f64 {
        match self {
            Self::F32 => f32::from_le_bytes(array(bytes)).into(),
            Self::F64 => f64::from_le_bytes(array(bytes)),
            Self::F16 => f16::from_le_bytes(array(bytes)).into(),
            Self::Bf16 => bf16::from_le_bytes(array(bytes)).into(),
            _ => self.integer(bytes) as f64,
        }
    }

    /// The integer that `size` little-endian bytes stand for; of a float its whole part.
    pub(super) fn integer(self, bytes: &[u8]) -> i64 {
        match self {
            Self::I8 => i8::from_le_bytes(array(bytes)).into(),
            Self::I16 => i16::from_le_bytes(array(bytes)).into(),
            Self::I32 => i32::from_le_bytes(array(bytes)).into(),
            Self::I64 => i64::from_le_bytes(array(bytes)),
            Self::U8 => bytes[0].into(),
            Self::U16 => u16::from_le_bytes(array(bytes)).into(),
            Self::U32 => u32::from_le_bytes(array(bytes)).into(),
            Self::U64 => i64::try_from(u64::from_le_bytes(array(bytes))).unwrap_or(i64::MAX),
            Self::Bool => i64::from(bytes[0] != 0),
            _ => self.real(bytes) as i64,
        }
    }

    /// Writes elements as 32-bit floats; there are `size` bytes for each.
    pub(super) fn write_f32(self, bytes: &[u8], to: &mut [f32]) -> Result<(), OnnxError> {
        let elements = bytes.chunks_exact(self.size());
        if matches!(self, Self::I32 | Self::I64 | Self::U32 | Self::U64) {
            for (place, bytes) in to.iter_mut().zip(elements) {
                let value = self.integer(bytes);
                *place = value as f32;
                if *place as i64 != value {
                    return Err(OnnxError::Inexact { value });
                }
            }
            return Ok(());
        }
        for (place, bytes) in to.iter_mut().zip(elements) {
            *place = self.real(bytes) as f32;
        }
        Ok(())
    }

    /// Appends a number in this type: rounded to the nearest float, or brought to an integer as ONNX's Cast
    /// does, whole part first, ends of the range for what lies outside.
    pub(super) fn push_real(self, value: f64, bytes: &mut Vec<u8>) {
        match self {
            Self::F32 => bytes.extend((value as f32).to_le_bytes()),
            Self::F64 => bytes.extend(value.to_le_bytes()),
            Self::F16 => bytes.extend(f16::from_f64(value).to_le_bytes()),
            Self::Bf16 => bytes.extend(bf16::from_f64(value).to_le_bytes()),
            Self::I8 => bytes.extend((value as i8).to_le_bytes()),
            Self::I16 => bytes.extend((value as i16).to_le_bytes()),
            Self::I32 => bytes.extend((value as i32).to_le_bytes()),
            Self::I64 => bytes.extend((value as i64).to_le_bytes()),
            Self::U8 => bytes.push(value as u8),
            Self::U16 => bytes.extend((value as u16).to_le_bytes()),
            Self::U32 => bytes.extend((value as u32).to_le_bytes()),
            Self::U64 => bytes.extend((value as u64).to_le_bytes()),
            Self::Bool => bytes.push(u8::from(value != 0.0)),
        }
    }

    /// Appends an integer in this type; integers wrap round, as in two's complement.
    pub(super) fn push_integer(self, value: i64, bytes: &mut Vec<u8>) {
        match self {
            Self::Bool => bytes.push(u8::from(value != 0)),
            _ if self.is_float() => self.push_real(value as f64, bytes),
            _ => bytes.extend(&value.to_le_bytes()[..self.size()]),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::Bool => "bool",
        })
    }
}

fn array<const SIZE: usize>(bytes: &[u8]) -> [u8; SIZE] {
    let mut array = [0; SIZE];
    array.copy_from_slice(&bytes[..SIZE]);
    array
}
