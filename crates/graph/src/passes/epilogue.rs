//! What follows a convolution or a normalisation and can be computed in the same sweep.
//!
//! ```text
//! head ─▶ y ─▶ [add residual] ─▶ [activation] ─▶ output
//! ```
//! A step is taken when nothing else reads the value before it. The fused node stands where the
//! addition stood: only there is the residual sure to have been made. (Moving the head down is safe,
//! as the addition is the only reader of what it makes.)
//!
//! At the end of a residual block with a projection both operands of the addition come from a head.
//! The later one takes the other as its residual; the earlier then ends before the addition.

use crate::users::Users;
use crate::{Activation, Graph, Op, ValueId};

/// The steps that a head can take over.
#[derive(Debug, PartialEq)]
pub(super) struct Epilogue {
    /// Added to the head's result.
    pub(super) residual: Option<ValueId>,
    /// Applied last.
    pub(super) activation: Option<Activation>,
    /// What the fused node makes.
    pub(super) output: ValueId,
    /// Where the fused node stands, a place in [`Graph::nodes`].
    pub(super) position: usize,
    /// The nodes that become part of it.
    pub(super) absorbed: Vec<usize>,
}

impl Epilogue {
    /// The epilogue of the node `head`; `is_head` says which nodes can take over steps.
    pub(super) fn find(
        graph: &Graph,
        users: &Users,
        head: usize,
        is_head: impl Fn(&Op) -> bool,
    ) -> Self {
        let mut found = Self {
            residual: None,
            activation: None,
            output: graph.nodes[head].outputs[0],
            position: head,
            absorbed: Vec::new(),
        };
        if let Some(reader) = users.only_reader(found.output)
            && graph.nodes[reader].op == Op::Add
        {
            let add = &graph.nodes[reader];
            let other = add.inputs[usize::from(add.inputs[0] == found.output)];
            let later_head = users.maker(other).is_some_and(|maker| {
                maker > head
                    && is_head(&graph.nodes[maker].op)
                    && users.only_reader(other).is_some()
            });
            if later_head {
                return found;
            }
            found.residual = Some(other);
            found.output = add.outputs[0];
            found.position = reader;
            found.absorbed.push(reader);
        }
        if let Some(reader) = users.only_reader(found.output)
            && let Op::Activation(activation) = graph.nodes[reader].op
        {
            found.activation = Some(activation);
            found.output = graph.nodes[reader].outputs[0];
            found.absorbed.push(reader);
        }
        found
    }
}
