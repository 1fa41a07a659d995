//! One kernel call of a program, with everything planned but the addresses.

use std::fmt;
use std::sync::Arc;

use geometry::{ConvGeometry, PoolGeometry};
use graph::{Activation, ElementType};
use kernels::conv::{Algorithm, ChainPlan, ConvPlan, Refusal};
use kernels::norm::NormGeometry;
use tensor::Layout;

use crate::calls::Kernel;
use crate::lower::deformable::DeformableWork;

/// A buffer of the program, by its place in the table of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BufferId(pub(crate) u32);

impl BufferId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A feature map: `n` images of `channels` planes of `area` elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Map {
    pub(crate) layout: Layout,
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    pub(crate) area: usize,
}

impl Map {
    pub(crate) fn len(self) -> usize {
        self.batch * self.channels * self.area
    }

    pub(crate) fn norm(self) -> NormGeometry {
        NormGeometry {
            batch: self.batch,
            channels: self.channels,
            area: self.area,
            layout: self.layout,
        }
    }
}

/// Some channels of a feature map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channels {
    pub(crate) buffer: BufferId,
    pub(crate) total: usize,
    pub(crate) first: usize,
}

/// A kernel call. The names of the operands are those of the kernels.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Copy {
        x: BufferId,
        y: BufferId,
    },
    Reorder {
        /// As the source lies.
        map: Map,
        to: Layout,
        x: BufferId,
        y: BufferId,
    },
    Pack {
        plan: Arc<ConvPlan>,
        weight: BufferId,
        packed: BufferId,
    },
    ConvForward {
        plan: Arc<ConvPlan>,
        x: BufferId,
        packed: BufferId,
        bias: Option<BufferId>,
        residual: Option<BufferId>,
        activation: Option<Activation>,
        y: BufferId,
        scratch: BufferId,
    },
    ConvChain {
        plan: Arc<ChainPlan>,
        x: BufferId,
        links: Vec<ChainLink>,
        /// Of the last link.
        residual: Option<BufferId>,
        y: BufferId,
        scratch: BufferId,
    },
    ConvBackwardData {
        plan: Arc<ConvPlan>,
        dy: BufferId,
        packed: BufferId,
        bias: Option<BufferId>,
        residual: Option<BufferId>,
        activation: Option<Activation>,
        dx: BufferId,
        scratch: BufferId,
    },
    ConvBackwardWeights {
        plan: Arc<ConvPlan>,
        x: BufferId,
        dy: BufferId,
        dw: BufferId,
        scratch: BufferId,
    },
    ChannelSum {
        map: Map,
        dy: BufferId,
        db: BufferId,
        scratch: BufferId,
    },
    Pool {
        geometry: PoolGeometry,
        layout: Layout,
        x: BufferId,
        y: BufferId,
        indices: Option<BufferId>,
    },
    PoolBackward {
        geometry: PoolGeometry,
        layout: Layout,
        dy: BufferId,
        indices: Option<BufferId>,
        dx: BufferId,
    },
    GlobalAveragePool {
        map: Map,
        x: BufferId,
        y: BufferId,
    },
    GlobalAveragePoolBackward {
        map: Map,
        dy: BufferId,
        dx: BufferId,
    },
    NormTraining {
        map: Map,
        epsilon: f32,
        momentum: f32,
        activation: Option<Activation>,
        x: BufferId,
        residual: Option<BufferId>,
        gamma: BufferId,
        beta: BufferId,
        /// Moved on in place.
        running_mean: BufferId,
        /// Moved on in place.
        running_var: BufferId,
        mean: BufferId,
        inv_std: BufferId,
        y: BufferId,
        scratch: BufferId,
    },
    NormBackward {
        map: Map,
        gate: NormGate,
        /// Also where `dx` goes, or `dresidual`, if nobody needs it afterwards.
        dy: BufferId,
        x: BufferId,
        gamma: BufferId,
        mean: BufferId,
        inv_std: BufferId,
        dx: BufferId,
        dgamma: BufferId,
        dbeta: BufferId,
        dresidual: Option<BufferId>,
        scratch: BufferId,
    },
    NormInference {
        map: Map,
        epsilon: f32,
        activation: Option<Activation>,
        x: BufferId,
        /// Channels of the map that `x` is; the norm's are the first.
        x_channels: usize,
        residual: Option<BufferId>,
        gamma: BufferId,
        beta: BufferId,
        mean: BufferId,
        variance: BufferId,
        y: BufferId,
    },
    FoldNorm {
        epsilon: f32,
        weight: BufferId,
        bias: Option<BufferId>,
        gamma: BufferId,
        beta: BufferId,
        mean: BufferId,
        variance: BufferId,
        folded_weight: BufferId,
        folded_bias: BufferId,
    },
    Activation {
        activation: Activation,
        x: BufferId,
        y: BufferId,
    },
    ActivationInPlace {
        activation: Activation,
        x: BufferId,
    },
    ActivationBackward {
        activation: Activation,
        dy: BufferId,
        y: BufferId,
        dx: BufferId,
    },
    Add {
        a: BufferId,
        b: BufferId,
        y: BufferId,
    },
    AddInPlace {
        y: BufferId,
        b: BufferId,
    },
    CopyChannels {
        /// Of either side; the channels are those copied.
        map: Map,
        from: Channels,
        to: Channels,
    },
    /// Channels last; as many of each part.
    Interleave {
        count: usize,
        parts: Vec<Channels>,
        y: BufferId,
    },
    Dropout {
        rate: f32,
        stream: u32,
        x: BufferId,
        y: BufferId,
    },
    Softmax {
        rows: usize,
        classes: usize,
        x: BufferId,
        y: BufferId,
    },
    CrossEntropy {
        classes: usize,
        label_smoothing: f32,
        logits: BufferId,
        labels: BufferId,
        loss: BufferId,
        scratch: BufferId,
    },
    CrossEntropyBackward {
        classes: usize,
        label_smoothing: f32,
        logits: BufferId,
        labels: BufferId,
        /// One where it is not given.
        dloss: Option<BufferId>,
        dlogits: BufferId,
    },
    /// A deformable convolution.
    Deformable(DeformableWork),
    /// Any operator that has a kernel for all precisions.
    Call {
        kernel: Arc<dyn Kernel>,
        layout: Layout,
        reads: Vec<(BufferId, ElementType)>,
        writes: Vec<(BufferId, ElementType)>,
        scratch: BufferId,
    },
}

/// How a gradient passes the activation behind a normalisation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NormGate {
    /// There was none.
    Open,
    /// Where the output says so.
    Output(Activation, BufferId),
    /// Where the output, computed again with this beta, says so.
    Recomputed(Activation, BufferId),
}

/// A kernel call and the layer it is done for.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) layer: String,
    pub(crate) op: &'static str,
    pub(crate) work: Work,
}

/// A link of a chain of convolutions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainLink {
    pub(crate) packed: BufferId,
    pub(crate) bias: Option<BufferId>,
    pub(crate) activation: Option<Activation>,
}

/// What a step touches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operands {
    pub(crate) reads: Vec<BufferId>,
    pub(crate) writes: Vec<BufferId>,
}

impl Work {
    /// Every buffer the call touches, once for each time it does. A buffer worked on in place is
    /// written only.
    pub(crate) fn operands(&self) -> Operands {
        let (reads, writes): (Vec<Option<BufferId>>, Vec<Option<BufferId>>) = match *self {
            Self::Deformable(ref work) => return work.operands(),
            Self::Call {
                ref reads,
                ref writes,
                scratch,
                ..
            } => (
                reads.iter().map(|&(id, _)| Some(id)).collect(),
                writes
                    .iter()
                    .map(|&(id, _)| Some(id))
                    .chain([Some(scratch)])
                    .collect(),
            ),
            Self::Copy { x, y }
            | Self::Reorder { x, y, .. }
            | Self::GlobalAveragePool { x, y, .. }
            | Self::Activation { x, y, .. }
            | Self::Dropout { x, y, .. }
            | Self::Softmax { x, y, .. } => (vec![Some(x)], vec![Some(y)]),
            Self::Pack { weight, packed, .. } => (vec![Some(weight)], vec![Some(packed)]),
            Self::ConvForward {
                x,
                packed,
                bias,
                residual,
                y,
                scratch,
                ..
            } => (
                vec![Some(x), Some(packed), bias, residual],
                vec![Some(y), Some(scratch)],
            ),
            Self::ConvChain {
                x,
                ref links,
                residual,
                y,
                scratch,
                ..
            } => {
                let of_links = links.iter().flat_map(|link| [Some(link.packed), link.bias]);
                let reads = of_links.chain([Some(x), residual]).collect();
                (reads, vec![Some(y), Some(scratch)])
            }
            Self::ConvBackwardData {
                dy,
                packed,
                bias,
                residual,
                dx,
                scratch,
                ..
            } => (
                vec![Some(dy), Some(packed), bias, residual],
                vec![Some(dx), Some(scratch)],
            ),
            Self::ConvBackwardWeights {
                x, dy, dw, scratch, ..
            } => (vec![Some(x), Some(dy)], vec![Some(dw), Some(scratch)]),
            Self::ChannelSum {
                dy, db, scratch, ..
            } => (vec![Some(dy)], vec![Some(db), Some(scratch)]),
            Self::Pool { x, y, indices, .. } => (vec![Some(x)], vec![Some(y), indices]),
            Self::PoolBackward {
                dy, indices, dx, ..
            } => (vec![Some(dy), indices], vec![Some(dx)]),
            Self::GlobalAveragePoolBackward { dy, dx, .. } => (vec![Some(dy)], vec![Some(dx)]),
            Self::NormTraining {
                x,
                residual,
                gamma,
                beta,
                running_mean,
                running_var,
                mean,
                inv_std,
                y,
                scratch,
                ..
            } => (
                vec![Some(x), residual, Some(gamma), Some(beta)],
                [running_mean, running_var, mean, inv_std, y, scratch]
                    .map(Some)
                    .to_vec(),
            ),
            Self::NormBackward {
                gate,
                dy,
                x,
                gamma,
                mean,
                inv_std,
                dx,
                dgamma,
                dbeta,
                dresidual,
                scratch,
                ..
            } => (
                [
                    (!over_dy(dy, dx, dresidual)).then_some(dy),
                    Some(x),
                    Some(gamma),
                    Some(mean),
                    Some(inv_std),
                    gate.buffer(),
                ]
                .to_vec(),
                vec![
                    Some(dx),
                    Some(dgamma),
                    Some(dbeta),
                    dresidual,
                    Some(scratch),
                ],
            ),
            Self::NormInference {
                x,
                residual,
                gamma,
                beta,
                mean,
                variance,
                y,
                ..
            } => (
                [
                    Some(x),
                    residual,
                    Some(gamma),
                    Some(beta),
                    Some(mean),
                    Some(variance),
                ]
                .to_vec(),
                vec![Some(y)],
            ),
            Self::FoldNorm {
                weight,
                bias,
                gamma,
                beta,
                mean,
                variance,
                folded_weight,
                folded_bias,
                ..
            } => (
                [
                    Some(weight),
                    bias,
                    Some(gamma),
                    Some(beta),
                    Some(mean),
                    Some(variance),
                ]
                .to_vec(),
                vec![Some(folded_weight), Some(folded_bias)],
            ),
            Self::ActivationInPlace { x, .. } => (vec![], vec![Some(x)]),
            Self::ActivationBackward { dy, y, dx, .. } => (vec![Some(dy), Some(y)], vec![Some(dx)]),
            Self::Add { a, b, y } => (vec![Some(a), Some(b)], vec![Some(y)]),
            Self::AddInPlace { y, b } => (vec![Some(b)], vec![Some(y)]),
            Self::CopyChannels { from, to, .. } => (vec![Some(from.buffer)], vec![Some(to.buffer)]),
            Self::Interleave { ref parts, y, .. } => (
                parts.iter().map(|part| Some(part.buffer)).collect(),
                vec![Some(y)],
            ),
            Self::CrossEntropy {
                logits,
                labels,
                loss,
                scratch,
                ..
            } => (
                vec![Some(logits), Some(labels)],
                vec![Some(loss), Some(scratch)],
            ),
            Self::CrossEntropyBackward {
                logits,
                labels,
                dloss,
                dlogits,
                ..
            } => (vec![Some(logits), Some(labels), dloss], vec![Some(dlogits)]),
        };
        Operands {
            reads: reads.into_iter().flatten().collect(),
            writes: writes.into_iter().flatten().collect(),
        }
    }

    /// Multiply-accumulates, of convolutions and linear layers.
    pub(crate) fn macs(&self) -> usize {
        match self {
            Self::ConvForward { plan, .. }
            | Self::ConvBackwardData { plan, .. }
            | Self::ConvBackwardWeights { plan, .. } => plan.geometry().macs(),
            Self::ConvChain { plan, .. } => plan.geometries().map(ConvGeometry::macs).sum(),
            Self::Deformable(work) => work.macs(),
            _ => 0,
        }
    }

    /// Better algorithms than the one chosen, and why they do not serve: of convolutions and linear layers.
    pub(crate) fn refused(&self) -> &[(Algorithm, Refusal)] {
        match self {
            Self::ConvForward { plan, .. }
            | Self::ConvBackwardData { plan, .. }
            | Self::ConvBackwardWeights { plan, .. } => plan.refused(),
            _ => &[],
        }
    }
}

/// Whether the gradient of a norm is written over `dy`: that of the residual, or where there is none that of the input.
pub(crate) fn over_dy(dy: BufferId, dx: BufferId, dresidual: Option<BufferId>) -> bool {
    dresidual.unwrap_or(dx) == dy
}

impl NormGate {
    pub(crate) fn buffer(self) -> Option<BufferId> {
        match self {
            Self::Open => None,
            Self::Output(_, buffer) | Self::Recomputed(_, buffer) => Some(buffer),
        }
    }
}

impl fmt::Display for Work {
    /// What a profile calls the kernel: `direct forward`, `pack`, `add in place`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConvForward { plan, .. } => return write!(f, "{} forward", plan.algorithm()),
            Self::ConvChain { plan, .. } => {
                let links = plan.geometries().count();
                let names = (0..links).map(|link| plan.plan(link).algorithm().to_string());
                return write!(f, "{} forward", names.collect::<Vec<_>>().join(" + "));
            }
            Self::ConvBackwardData { plan, .. } => {
                return write!(f, "{} backward-data", plan.algorithm());
            }
            Self::ConvBackwardWeights { plan, .. } => {
                return write!(f, "{} backward-weights", plan.algorithm());
            }
            Self::Reorder { map, to, .. } => return write!(f, "reorder {} to {to}", map.layout),
            Self::Deformable(work) => work.name(),
            Self::Copy { .. } => "copy",
            Self::Pack { .. } => "pack",
            Self::ChannelSum { .. } => "channel sum",
            Self::Pool { .. } => "pool",
            Self::PoolBackward { .. } => "pool backward",
            Self::GlobalAveragePool { .. } => "global average",
            Self::GlobalAveragePoolBackward { .. } => "global average backward",
            Self::NormTraining { .. } => "norm training",
            Self::NormBackward {
                dy, dx, dresidual, ..
            } => match over_dy(*dy, *dx, *dresidual) {
                true => "norm backward in place",
                false => "norm backward",
            },
            Self::NormInference { .. } => "norm inference",
            Self::FoldNorm { .. } => "fold norm",
            Self::Activation { .. } => "activation",
            Self::ActivationInPlace { .. } => "activation in place",
            Self::ActivationBackward { .. } => "activation backward",
            Self::Add { .. } => "add",
            Self::AddInPlace { .. } => "add in place",
            Self::CopyChannels { .. } => "copy channels",
            Self::Interleave { .. } => "interleave channels",
            Self::Dropout { .. } => "dropout",
            Self::Softmax { .. } => "softmax",
            Self::CrossEntropy { .. } => "cross-entropy",
            Self::CrossEntropyBackward { .. } => "cross-entropy backward",
            Self::Call { .. } => "call",
        })
    }
}
