//! Attributes of nodes.

use crate::onnx::proto::attribute_proto::AttributeType;
use crate::onnx::proto::{AttributeProto, TensorProto};

fn named(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(kind as i32),
        ..AttributeProto::default()
    }
}

/// An integer.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        i: Some(value),
        ..named(name, AttributeType::Int)
    }
}

/// A flag: 0 or 1.
pub(super) fn flag(name: &str, value: bool) -> AttributeProto {
    int(name, value.into())
}

/// Extents and the like.
pub(super) fn sizes(name: &str, values: impl IntoIterator<Item = usize>) -> AttributeProto {
    ints(name, values.into_iter().map(|value| value as i64))
}

/// A list of integers.
pub(super) fn ints(name: &str, values: impl IntoIterator<Item = i64>) -> AttributeProto {
    AttributeProto {
        ints: values.into_iter().collect(),
        ..named(name, AttributeType::Ints)
    }
}

/// A number.
pub(super) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        f: Some(value),
        ..named(name, AttributeType::Float)
    }
}

/// A word.
pub(super) fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        s: Some(value.to_owned().into()),
        ..named(name, AttributeType::String)
    }
}

/// A tensor.
pub(super) fn tensor(name: &str, value: TensorProto) -> AttributeProto {
    AttributeProto {
        t: Some(value),
        ..named(name, AttributeType::Tensor)
    }
}
