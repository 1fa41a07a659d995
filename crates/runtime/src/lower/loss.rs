//! Softmax and cross-entropy.

use graph::{Node, Op};
use kernels::softmax::CrossEntropy;
use tensor::Layout;

use super::Lowering;
use crate::RuntimeError;
use crate::step::Work;

impl Lowering<'_> {
    pub(super) fn loss(&mut self, node: &Node) -> Result<(), RuntimeError> {
        let logits = self.plain(node.inputs[0]);
        let shape = &self.graph.value(node.inputs[0]).shape;
        let (rows, classes) = (shape[0], shape[1]);
        let result = node.outputs[0];
        let work = match node.op {
            Op::Softmax => Work::Softmax {
                rows,
                classes,
                x: logits,
                y: self.result(result, Layout::Nchw),
            },
            Op::CrossEntropy { label_smoothing } => Work::CrossEntropy {
                classes,
                label_smoothing,
                logits,
                labels: self.plain(node.inputs[1]),
                loss: self.result(result, Layout::Nchw),
                scratch: self.scratch(CrossEntropy::scratch_len(rows)),
            },
            Op::CrossEntropyBackward {
                label_smoothing, ..
            } => Work::CrossEntropyBackward {
                classes,
                label_smoothing,
                logits,
                labels: self.plain(node.inputs[1]),
                dloss: node.inputs.get(2).map(|&id| self.plain(id)),
                dlogits: self.result(result, Layout::Nchw),
            },
            _ => return Err(self.not_lowered()),
        };
        self.push(work);
        Ok(())
    }
}
