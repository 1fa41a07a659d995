//! The filters of a network's first layer.
//!
//! The first convolution is the one whose weights are pictures themselves, of edges and colours, and the place where a
//! training shows first whether it learns.

use std::ops::Range;

use graph::{Graph, Op, Role, Value};
use runtime::Program;

/// The weights of a network's first convolution, as they are now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FilterBank<'a> {
    /// Name in the network: `conv1.weight`.
    pub name: &'a str,
    /// `[o, c/g, kernel…]`
    pub shape: &'a [usize],
    /// As many numbers as the product of the shape.
    pub values: &'a [f32],
}

/// Where those weights lie among the parameters of a program.
pub(crate) struct FirstFilters {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    range: Range<usize>,
}

impl FirstFilters {
    /// The weights of the first convolution in the order of execution, if it has weights of its own.
    pub(crate) fn find(network: &Graph, program: &Program) -> Option<Self> {
        let name = &first_convolution(network)?.name;
        let slot = program.slots().iter().find(|slot| slot.name == *name)?;
        Some(Self {
            name: name.clone(),
            shape: slot.shape.clone(),
            range: slot.range.clone(),
        })
    }

    /// The filters as they are now.
    pub(crate) fn bank<'a>(&'a self, program: &'a Program) -> FilterBank<'a> {
        FilterBank {
            name: &self.name,
            shape: &self.shape,
            values: &program.parameters()[self.range.clone()],
        }
    }
}

fn first_convolution(network: &Graph) -> Option<&Value> {
    let is_convolution = |op: &Op| matches!(op, Op::Conv { .. });
    let convolutions = network.nodes.iter().filter(|node| is_convolution(&node.op));
    let mut weights = convolutions.map(|node| network.value(node.inputs[1]));
    weights.find(|weights| matches!(weights.role, Role::Parameter { .. }))
}
