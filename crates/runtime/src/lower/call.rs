//! Operators that run through a kernel of [`calls`](crate::calls).

use graph::Node;
use tensor::Layout;

use super::Lowering;
use crate::RuntimeError;
use crate::calls::{Lies, MOST_OPERANDS, Shapes, kernel};
use crate::step::Work;

impl Lowering<'_> {
    /// One step, whatever the operator.
    pub(super) fn call(&mut self, node: &Node) -> Result<(), RuntimeError> {
        let graph = self.graph;
        let values =
            |ids: &[graph::ValueId]| -> Vec<_> { ids.iter().map(|&id| graph.value(id)).collect() };
        let (inputs, outputs) = (values(&node.inputs), values(&node.outputs));
        let kernel = kernel(&node.op, Shapes::new(&inputs, &outputs)).map_err(|memory| {
            RuntimeError::Memory {
                network: graph.name.clone(),
                bytes: memory.bytes,
            }
        })?;
        let kernel = kernel.ok_or_else(|| self.not_lowered())?;
        let most = node.inputs.len().max(node.outputs.len());
        if most > MOST_OPERANDS {
            return Err(RuntimeError::Operands {
                layer: self.layer.clone(),
                op: self.op,
                given: most,
                most: MOST_OPERANDS,
            });
        }
        let layout = |lies: Lies| match lies {
            Lies::Map => self.options.layout,
            Lies::Plain => Layout::Nchw,
        };
        let wanted: Vec<_> = (0..node.inputs.len())
            .map(|place| layout(kernel.reads(place)))
            .collect();
        let made: Vec<_> = (0..node.outputs.len())
            .map(|place| layout(kernel.makes(place)))
            .collect();
        let reads = node.inputs.iter().zip(wanted);
        let reads = reads
            .map(|(&id, layout)| (self.in_layout(id, layout), graph.value(id).element))
            .collect();
        let writes = node.outputs.iter().zip(made);
        let writes = writes
            .map(|(&id, layout)| (self.result(id, layout), graph.value(id).element))
            .collect();
        let scratch = self.scratch(kernel.scratch_len(self.threads));
        self.push(Work::Call {
            kernel,
            layout: self.options.layout,
            reads,
            writes,
            scratch,
        });
        Ok(())
    }
}
