//! Deformable convolutions in f32: planned, with packed weights.

use std::sync::Arc;

use geometry::DeformableDesc;
use graph::{DeformableOp, Node, ValueId};
use kernels::Context;
use kernels::conv::{Direction, Epilogue};
use kernels::deformable::{DeformableOptions, DeformablePlan, Gradients, Sources};
use tensor::Layout;

use super::{Home, Lowering};
use crate::RuntimeError;
use crate::execute::Machine;
use crate::step::{BufferId, Operands, Work};

/// Deformable kernels run channels last; reordering is a step of its own.
const LAYOUT: Layout = Layout::Nhwc;

/// What is sampled, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampled {
    x: BufferId,
    offset: BufferId,
    mask: Option<BufferId>,
}

/// A kernel call of a deformable convolution.
#[derive(Clone, Debug)]
pub(crate) enum DeformableWork {
    Pack {
        plan: Arc<DeformablePlan>,
        weight: BufferId,
        packed: BufferId,
    },
    Forward {
        plan: Arc<DeformablePlan>,
        sampled: Sampled,
        packed: BufferId,
        bias: Option<BufferId>,
        y: BufferId,
        scratch: BufferId,
    },
    BackwardData {
        plan: Arc<DeformablePlan>,
        dy: BufferId,
        sampled: Sampled,
        packed: BufferId,
        gradients: Sampled,
        scratch: BufferId,
    },
    BackwardWeights {
        plan: Arc<DeformablePlan>,
        dy: BufferId,
        sampled: Sampled,
        dw: BufferId,
        scratch: BufferId,
    },
}

impl Sampled {
    fn buffers(self) -> impl Iterator<Item = BufferId> {
        [self.x, self.offset].into_iter().chain(self.mask)
    }
}

impl DeformableWork {
    /// Every buffer the call touches.
    pub(crate) fn operands(&self) -> Operands {
        let (reads, writes) = match *self {
            Self::Pack { weight, packed, .. } => (vec![weight], vec![packed]),
            Self::Forward {
                sampled,
                packed,
                bias,
                y,
                scratch,
                ..
            } => (
                sampled.buffers().chain([packed]).chain(bias).collect(),
                vec![y, scratch],
            ),
            Self::BackwardData {
                dy,
                sampled,
                packed,
                gradients,
                scratch,
                ..
            } => (
                sampled.buffers().chain([dy, packed]).collect(),
                gradients.buffers().chain([scratch]).collect(),
            ),
            Self::BackwardWeights {
                dy,
                sampled,
                dw,
                scratch,
                ..
            } => (sampled.buffers().chain([dy]).collect(), vec![dw, scratch]),
        };
        Operands { reads, writes }
    }

    /// The buffer that holds nothing before the call and nothing after it.
    pub(crate) fn scratch(&self) -> Option<BufferId> {
        match self {
            Self::Pack { .. } => None,
            Self::Forward { scratch, .. }
            | Self::BackwardData { scratch, .. }
            | Self::BackwardWeights { scratch, .. } => Some(*scratch),
        }
    }

    /// Multiply-accumulates.
    pub(crate) fn macs(&self) -> usize {
        match self {
            Self::Pack { .. } => 0,
            Self::Forward { plan, .. }
            | Self::BackwardData { plan, .. }
            | Self::BackwardWeights { plan, .. } => plan.geometry().conv.macs(),
        }
    }

    /// What a profile calls the kernel.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Pack { .. } => "pack deformable",
            Self::Forward { .. } => "deformable forward",
            Self::BackwardData { .. } => "deformable backward-data",
            Self::BackwardWeights { .. } => "deformable backward-weights",
        }
    }

    /// Calls the kernel.
    pub(crate) fn run(&self, machine: &Machine<'_>, ctx: &Context<'_>) {
        let read = |id: BufferId| machine.read(id);
        let write = |id: BufferId| machine.write(id);
        let sources = |sampled: Sampled| Sources {
            x: read(sampled.x),
            offset: read(sampled.offset),
            mask: sampled.mask.map(read),
        };
        match *self {
            Self::Pack {
                ref plan,
                weight,
                packed,
            } => plan.pack(ctx, read(weight), write(packed)),
            Self::Forward {
                ref plan,
                sampled,
                packed,
                bias,
                y,
                scratch,
            } => {
                let epilogue = Epilogue {
                    bias: bias.map(read),
                    ..Epilogue::default()
                };
                let (y, scratch) = (write(y), write(scratch));
                plan.forward(ctx, sources(sampled), read(packed), epilogue, y, scratch);
            }
            Self::BackwardData {
                ref plan,
                dy,
                sampled,
                packed,
                gradients,
                scratch,
            } => {
                let gradients = Gradients {
                    x: write(gradients.x),
                    offset: write(gradients.offset),
                    mask: gradients.mask.map(write),
                };
                let (dy, packed, scratch) = (read(dy), read(packed), write(scratch));
                plan.backward_data(ctx, sources(sampled), dy, packed, gradients, scratch);
            }
            Self::BackwardWeights {
                ref plan,
                dy,
                sampled,
                dw,
                scratch,
            } => {
                let (dw, scratch) = (write(dw), write(scratch));
                plan.backward_weights(ctx, sources(sampled), read(dy), dw, scratch);
            }
        }
    }
}

impl Lowering<'_> {
    pub(super) fn deformable(
        &mut self,
        node: &Node,
        op: &DeformableOp,
    ) -> Result<(), RuntimeError> {
        let (desc, direction, first) = match op {
            DeformableOp::Conv { desc, .. } => (desc, Direction::Forward, 0),
            DeformableOp::BackwardData { desc } => (desc, Direction::BackwardData, 1),
            DeformableOp::BackwardWeights { desc } => (desc, Direction::BackwardWeights, 1),
        };
        let plan = self.deformable_plan(desc, node.inputs[first], direction)?;
        let mut inputs = node.inputs.iter().copied();
        let dy = (first == 1).then(|| inputs.next()).flatten();
        let dy = dy.map(|dy| self.in_layout(dy, LAYOUT));
        let modulated = desc.modulated;
        let sampled = Sampled {
            x: self.in_layout(node.inputs[first], LAYOUT),
            offset: self.in_layout(node.inputs[first + 1], LAYOUT),
            mask: modulated.then(|| self.in_layout(node.inputs[first + 2], LAYOUT)),
        };
        let mut rest = inputs.skip(2 + usize::from(modulated));
        let work = match (op, dy) {
            (DeformableOp::BackwardData { .. }, Some(dy)) => {
                let packed = self.packed_deformable(rest.next(), &plan);
                let gradients = Sampled {
                    x: self.result(node.outputs[0], LAYOUT),
                    offset: self.result(node.outputs[1], LAYOUT),
                    mask: modulated.then(|| self.result(node.outputs[2], LAYOUT)),
                };
                DeformableWork::BackwardData {
                    dy,
                    sampled,
                    packed,
                    gradients,
                    scratch: self.scratch(plan.scratch_len(self.threads)),
                    plan,
                }
            }
            (DeformableOp::BackwardWeights { .. }, Some(dy)) => DeformableWork::BackwardWeights {
                dy,
                sampled,
                dw: self.result(node.outputs[0], Layout::Nchw),
                scratch: self.scratch(plan.scratch_len(self.threads)),
                plan,
            },
            _ => DeformableWork::Forward {
                sampled,
                packed: self.packed_deformable(rest.next(), &plan),
                bias: rest.next().map(|bias| self.plain(bias)),
                y: self.result(node.outputs[0], LAYOUT),
                scratch: self.scratch(plan.scratch_len(self.threads)),
                plan,
            },
        };
        self.push(Work::Deformable(work));
        Ok(())
    }

    /// The weight as the plan wants it: packed in the prologue if the weight stays the same from run to
    /// run.
    fn packed_deformable(
        &mut self,
        weight: Option<ValueId>,
        plan: &Arc<DeformablePlan>,
    ) -> BufferId {
        let weight = weight.expect("a verified graph has every input");
        let constant = self.constant[weight.index()];
        let weight = self.plain(weight);
        let packed = self.buffer(plan.packed_len(), Home::Arena);
        let work = DeformableWork::Pack {
            plan: Arc::clone(plan),
            weight,
            packed,
        };
        self.emit(constant, Work::Deformable(work));
        packed
    }

    fn deformable_plan(
        &self,
        desc: &DeformableDesc,
        x: ValueId,
        direction: Direction,
    ) -> Result<Arc<DeformablePlan>, RuntimeError> {
        let geometry = desc.resolve(&self.graph.value(x).shape);
        let geometry = geometry.map_err(|source| RuntimeError::Geometry {
            layer: self.layer.clone(),
            source,
        })?;
        let options = DeformableOptions {
            layout: LAYOUT,
            isa: self.options.isa,
        };
        Ok(Arc::new(DeformablePlan::new(&geometry, direction, options)))
    }
}
