//! Models for tests, written by hand as the wire format of Protocol Buffers has them.

/// The fields of a message so far.
#[derive(Clone, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    /// A field with a length: a message, a text or bytes.
    pub(crate) fn put(mut self, tag: u64, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        varint(tag << 3 | 2, &mut self.0);
        varint(content.len() as u64, &mut self.0);
        self.0.extend_from_slice(content);
        self
    }

    /// A field that is a number.
    pub(crate) fn number(mut self, tag: u64, value: i64) -> Self {
        varint(tag << 3, &mut self.0);
        varint(value as u64, &mut self.0);
        self
    }
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 128 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// A node: its operator, what it reads and what it makes.
pub(crate) fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> Message {
    let mut node = Message::default();
    for input in inputs {
        node = node.put(1, input);
    }
    for output in outputs {
        node = node.put(2, output);
    }
    node.put(3, format!("the {op}")).put(4, op)
}

/// An attribute that is a list of integers.
pub(crate) fn ints(name: &str, values: &[i64]) -> Message {
    let attribute = Message::default().put(1, name).number(20, 7);
    values
        .iter()
        .fold(attribute, |a, &value| a.number(8, value))
}

/// A tensor of 32-bit floats, its elements raw.
pub(crate) fn tensor(name: &str, dims: &[i64], bytes: &[u8]) -> Message {
    let tensor = Message::default().put(8, name).number(2, 1).put(9, bytes);
    dims.iter()
        .fold(tensor, |tensor, &dim| tensor.number(1, dim))
}

/// A float input or output; an extent below 0 is left open.
pub(crate) fn value(name: &str, dims: &[i64]) -> Message {
    let shape = dims.iter().fold(Message::default(), |shape, &dim| {
        let extent = match dim {
            ..0 => Message::default().put(2, "N"),
            dim => Message::default().number(1, dim),
        };
        shape.put(1, extent)
    });
    let kind = Message::default().number(1, 1).put(2, shape);
    Message::default()
        .put(1, name)
        .put(2, Message::default().put(1, kind))
}

/// A model from the fields of its graph.
pub(crate) fn model(graph: Message) -> Vec<u8> {
    let opset = Message::default().number(2, 17);
    Message::default()
        .number(1, 8)
        .put(7, graph)
        .put(8, opset)
        .0
}

/// `x [N, 3, 8, 8]` through a convolution of 4 channels and a rectifier.
pub(crate) fn small() -> Vec<u8> {
    let weight: Vec<u8> = (0..4 * 3 * 9)
        .flat_map(|i| (i as f32).to_le_bytes())
        .collect();
    let conv = node("Conv", &["x", "conv.weight"], &["h"]).put(5, ints("pads", &[1, 1, 1, 1]));
    model(
        Message::default()
            .put(1, conv)
            .put(1, node("Relu", &["h"], &["y"]))
            .put(5, tensor("conv.weight", &[4, 3, 3, 3], &weight))
            .put(11, value("x", &[-1, 3, 8, 8]))
            .put(12, value("y", &[-1, 4, 8, 8])),
    )
}
