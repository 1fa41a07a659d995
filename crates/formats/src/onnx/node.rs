//! A node of the file and its attributes, read where they lie.

use super::OnnxError;
use super::budget::Budget;
use super::wire::{Content, damaged, each, fields, fixed, varints};

/// Tags of a node's fields.
const INPUT: u64 = 1;
const OUTPUT: u64 = 2;
const NAME: u64 = 3;
const OPERATOR: u64 = 4;
pub(super) const ATTRIBUTE: u64 = 5;
const DOMAIN: u64 = 7;

/// Tags of the fields of a graph within a node, a branch.
const BRANCH_NODE: u64 = 1;
const BRANCH_INITIALIZER: u64 = 5;
const BRANCH_OUTPUT: u64 = 12;

/// The name of an output of a branch.
const VALUE_NAME: u64 = 1;

/// How deep graphs lie within nodes at most.
const DEEPEST: usize = 16;

/// A node: what it computes, and which names it reads and makes.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    message: &'a [u8],
    pub(super) op: &'a str,
    pub(super) domain: &'a str,
    /// An empty name is an input left out.
    pub(super) inputs: Vec<&'a str>,
    /// An empty name is an output that nobody wants.
    pub(super) outputs: Vec<&'a str>,
}

/// Checks a node as far as it is read here.
///
/// # Errors
/// [`OnnxError::Damaged`].
pub(super) fn check(message: &[u8]) -> Result<(), OnnxError> {
    check_within(message, 0)
}

/// The same of a node that lies in so many graphs within nodes.
fn check_within(message: &[u8], depth: usize) -> Result<(), OnnxError> {
    for field in fields(message) {
        let (tag, content) = field?;
        match tag {
            INPUT | OUTPUT | NAME | OPERATOR | DOMAIN => content.name().map(|_| ())?,
            ATTRIBUTE => Attribute::check(content.bytes()?, depth)?,
            _ => {}
        }
    }
    Ok(())
}

/// The names that a node reads, those left out among them; of a checked node.
pub(super) fn inputs(message: &[u8]) -> impl Iterator<Item = &str> {
    each(message, INPUT).filter_map(|content| content.name().ok())
}

/// The names that the graphs within a node read: those of the graph around it, and their own.
pub(super) fn inner_reads(message: &[u8]) -> Box<dyn Iterator<Item = &str> + '_> {
    let attributes = each(message, ATTRIBUTE).filter_map(|content| content.bytes().ok());
    let branches = attributes.filter_map(|message| Attribute { message }.branch());
    Box::new(branches.flat_map(Branch::reads))
}

/// The names that a node makes, those left out among them; of a checked node.
pub(super) fn outputs(message: &[u8]) -> impl Iterator<Item = &str> {
    each(message, OUTPUT).filter_map(|content| content.name().ok())
}

/// The name of a checked node.
fn name(message: &[u8]) -> &str {
    text(message, NAME)
}

/// The name of a checked node, or, where it has none, its operator and number.
pub(super) fn called(message: &[u8], index: usize) -> String {
    match name(message).trim_start_matches('/') {
        "" => format!("{}_{index}", text(message, OPERATOR)),
        name => name.to_owned(),
    }
}

/// A text of a checked message; the last one counts.
fn text(message: &[u8], tag: u64) -> &str {
    let last = each(message, tag).last();
    last.and_then(|content| content.name().ok())
        .unwrap_or_default()
}

impl<'a> Node<'a> {
    /// A checked node.
    ///
    /// # Errors
    /// [`OnnxError::Memory`] for lists of names that are too long.
    pub(super) fn new(message: &'a [u8], budget: &Budget) -> Result<Self, OnnxError> {
        let names = inputs(message).count() + outputs(message).count();
        budget.check(names.saturating_mul(2 * size_of::<&str>()))?;
        Ok(Self {
            message,
            op: text(message, OPERATOR),
            domain: text(message, DOMAIN),
            inputs: inputs(message).collect(),
            outputs: outputs(message).collect(),
        })
    }

    /// What it is called in messages and as a layer.
    pub(super) fn called(&self, index: usize) -> String {
        called(self.message, index)
    }

    /// The first attribute of a name.
    pub(super) fn attribute(&self, name: &str) -> Option<Attribute<'a>> {
        let attributes = each(self.message, ATTRIBUTE).filter_map(|content| content.bytes().ok());
        let mut named = attributes.map(|message| Attribute { message });
        named.find(|attribute| text(attribute.message, Attribute::NAME) == name)
    }
}

/// A graph within a checked node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch<'a> {
    message: &'a [u8],
}

impl<'a> Branch<'a> {
    fn check(message: &[u8], depth: usize) -> Result<(), OnnxError> {
        if depth == DEEPEST {
            return Err(damaged(format!(
                "more than {DEEPEST} graphs, one in another"
            )));
        }
        for field in fields(message) {
            match field? {
                (BRANCH_NODE, content) => check_within(content.bytes()?, depth + 1)?,
                (BRANCH_INITIALIZER, content) => content.bytes().map(|_| ())?,
                (BRANCH_OUTPUT, content) => {
                    for field in fields(content.bytes()?) {
                        if let (VALUE_NAME, name) = field? {
                            name.name()?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn messages(self, tag: u64) -> impl Iterator<Item = &'a [u8]> {
        each(self.message, tag).filter_map(|content| content.bytes().ok())
    }

    /// The message of each node, in the order of the file, in which every value is made before it is read.
    pub(super) fn nodes(self) -> impl Iterator<Item = &'a [u8]> {
        self.messages(BRANCH_NODE)
    }

    /// The message of each tensor that it holds.
    pub(super) fn initializers(self) -> impl Iterator<Item = &'a [u8]> {
        self.messages(BRANCH_INITIALIZER)
    }

    /// The names of what it makes, in order.
    pub(super) fn outputs(self) -> impl Iterator<Item = &'a str> {
        self.messages(BRANCH_OUTPUT)
            .map(|message| text(message, VALUE_NAME))
    }

    /// The names that it reads, one for each time.
    pub(super) fn reads(self) -> impl Iterator<Item = &'a str> {
        let of_node = |message| inputs(message).chain(inner_reads(message));
        let names = self.nodes().flat_map(of_node).chain(self.outputs());
        names.filter(|name| !name.is_empty())
    }
}

/// An attribute of a checked node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    message: &'a [u8],
}

impl<'a> Attribute<'a> {
    const NAME: u64 = 1;
    const FLOAT: u64 = 2;
    const INT: u64 = 3;
    const TEXT: u64 = 4;
    pub(super) const TENSOR: u64 = 5;
    const BRANCH: u64 = 6;
    const FLOATS: u64 = 7;
    const INTS: u64 = 8;

    fn check(message: &[u8], depth: usize) -> Result<(), OnnxError> {
        for field in fields(message) {
            let (tag, content) = field?;
            let one = std::iter::once(content);
            match tag {
                Self::NAME => content.name().map(|_| ())?,
                Self::FLOAT => content.float().map(|_| ())?,
                Self::INT => content.number().map(|_| ())?,
                Self::TEXT | Self::TENSOR => content.bytes().map(|_| ())?,
                Self::BRANCH => Branch::check(content.bytes()?, depth)?,
                Self::FLOATS => fixed(one, 4).try_for_each(|floats| floats.map(|_| ()))?,
                Self::INTS => varints(one).try_for_each(|int| int.map(|_| ()))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn last(self, tag: u64) -> Option<Content<'a>> {
        each(self.message, tag).last()
    }

    pub(super) fn int(self) -> Option<i64> {
        self.last(Self::INT)?.number().ok()
    }

    pub(super) fn float(self) -> Option<f32> {
        self.last(Self::FLOAT)?.float().ok()
    }

    pub(super) fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.last(Self::TEXT)?.bytes().ok()?).ok()
    }

    /// The message of a tensor.
    pub(super) fn tensor(self) -> Option<&'a [u8]> {
        self.last(Self::TENSOR)?.bytes().ok()
    }

    /// The graph.
    pub(super) fn branch(self) -> Option<Branch<'a>> {
        let message = self.last(Self::BRANCH)?.bytes().ok()?;
        Some(Branch { message })
    }

    pub(super) fn ints(self) -> impl Iterator<Item = i64> {
        let numbers = varints(each(self.message, Self::INTS));
        numbers.filter_map(Result::ok).map(|number| number as i64)
    }

    pub(super) fn floats(self) -> impl Iterator<Item = f32> {
        let pieces = fixed(each(self.message, Self::FLOATS), 4).filter_map(Result::ok);
        pieces.flat_map(|piece| {
            let chunks = piece.as_chunks::<4>().0;
            chunks.iter().map(|&bytes| f32::from_le_bytes(bytes))
        })
    }
}
