//! Operators on single elements. They take their first operand's layout, and its memory where it
//! is read no more.

use graph::{Node, Op};

use super::Lowering;
use crate::RuntimeError;
use crate::step::Work;

impl Lowering<'_> {
    pub(super) fn elementwise(&mut self, node: &Node) -> Result<(), RuntimeError> {
        let (first, result) = (node.inputs[0], node.outputs[0]);
        let lies = self.at(first).lies;
        let work = match node.op {
            Op::Activation(activation) => {
                if let Some(x) = self.dying(first, result) {
                    self.place_at(result, x, lies);
                    Work::ActivationInPlace { activation, x }
                } else {
                    Work::Activation {
                        activation,
                        x: self.in_layout(first, lies),
                        y: self.result(result, lies),
                    }
                }
            }
            Op::ActivationBackward(activation) => Work::ActivationBackward {
                activation,
                dy: self.in_layout(first, lies),
                y: self.in_layout(node.inputs[1], lies),
                dx: self.result(result, lies),
            },
            Op::Add => {
                let a = self.in_layout(first, lies);
                let b = self.in_layout(node.inputs[1], lies);
                let sum = [(first, b), (node.inputs[1], a)]
                    .into_iter()
                    .find_map(|(id, other)| {
                        let y = self.dying(id, result)?;
                        let same_order = self.at(id).lies == lies || self.map(id).is_orderless();
                        (y != other && same_order).then_some((y, other))
                    });
                if let Some((y, b)) = sum {
                    self.place_at(result, y, lies);
                    Work::AddInPlace { y, b }
                } else {
                    let y = self.result(result, lies);
                    Work::Add { a, b, y }
                }
            }
            Op::Dropout { rate, stream } => Work::Dropout {
                rate,
                stream,
                x: self.in_layout(first, lies),
                y: self.result(result, lies),
            },
            _ => return Err(self.not_lowered()),
        };
        self.push(work);
        Ok(())
    }
}
