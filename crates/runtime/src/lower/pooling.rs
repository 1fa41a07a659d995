//! Max, average and global pooling, forward and backward.

use geometry::{PoolDesc, PoolGeometry, PoolKind};
use graph::{Node, Op};

use super::Lowering;
use crate::RuntimeError;
use crate::step::Work;

impl Lowering<'_> {
    pub(super) fn pooling(&mut self, node: &Node) -> Result<(), RuntimeError> {
        match &node.op {
            // Its gradient reads more than those of the other kinds.
            Op::PoolBackward { desc, .. } if matches!(desc.kind, PoolKind::Lp { .. }) => {
                return self.call(node);
            }
            Op::Pool { desc, .. } => {
                let geometry = self.pool(desc, &self.graph.value(node.inputs[0]).shape)?;
                let work = Work::Pool {
                    geometry,
                    layout: self.options.layout,
                    x: self.feature(node.inputs[0]),
                    y: self.feature_result(node.outputs[0]),
                    indices: node.outputs.get(1).map(|&id| self.feature_result(id)),
                };
                self.push(work);
            }
            Op::PoolBackward { desc, input } => {
                let geometry = self.pool(desc, input)?;
                let work = Work::PoolBackward {
                    geometry,
                    layout: self.options.layout,
                    dy: self.feature(node.inputs[0]),
                    indices: node.inputs.get(1).map(|&id| self.feature(id)),
                    dx: self.feature_result(node.outputs[0]),
                };
                self.push(work);
            }
            Op::GlobalAveragePool => {
                let work = Work::GlobalAveragePool {
                    map: self.map(node.inputs[0]),
                    x: self.feature(node.inputs[0]),
                    y: self.feature_result(node.outputs[0]),
                };
                self.push(work);
            }
            Op::GlobalAveragePoolBackward { .. } => {
                let work = Work::GlobalAveragePoolBackward {
                    map: self.map(node.outputs[0]),
                    dy: self.feature(node.inputs[0]),
                    dx: self.feature_result(node.outputs[0]),
                };
                self.push(work);
            }
            _ => return Err(self.not_lowered()),
        }
        Ok(())
    }

    fn pool(&self, desc: &PoolDesc, input: &[usize]) -> Result<PoolGeometry, RuntimeError> {
        desc.resolve(input)
            .map_err(|source| RuntimeError::Geometry {
                layer: self.layer.clone(),
                source,
            })
    }
}
