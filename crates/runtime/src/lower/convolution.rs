//! Convolutions, transposed ones and linear layers in their three directions, and the gradient of
//! their bias.
//!
//! A linear layer is a 1×1 convolution: its input `[n, f]` is one channels-last image of `n` pixels
//! and `f` channels, its weight `[o, f]` the kernel. So both share kernels, plans and epilogues.
//!
//! A transposed convolution is the backward-data pass of a convolution, with an epilogue; its own
//! gradients are that convolution's two other passes.

use std::sync::Arc;

use geometry::{ConvDesc, ConvGeometry, GeometryError};
use graph::{Activation, Node, Op, TransposedOp, ValueId};
use kernels::conv::{ConvOptions, ConvPlan, Direction};
use tensor::Layout;

use super::{Home, Lowering};
use crate::RuntimeError;
use crate::step::{BufferId, Work};

impl Lowering<'_> {
    pub(super) fn convolution(&mut self, node: &Node) -> Result<(), RuntimeError> {
        match &node.op {
            Op::Conv { desc, .. } => {
                let shape = self.graph.value(node.inputs[0]).shape.clone();
                let plan = self.conv_plan(desc, &shape, Direction::Forward, self.changes(node))?;
                self.forward(node, plan);
            }
            Op::Linear { .. } => {
                let plan = self.linear_plan(node.inputs[0], node.outputs[0], Direction::Forward)?;
                self.forward(node, plan);
            }
            Op::ConvBackwardData { desc, input } => {
                let plan =
                    self.conv_plan(desc, input, Direction::BackwardData, self.changes(node))?;
                self.backward_data(node, plan);
            }
            Op::LinearBackwardData => {
                let plan =
                    self.linear_plan(node.outputs[0], node.inputs[0], Direction::BackwardData)?;
                self.backward_data(node, plan);
            }
            Op::ConvBackwardWeights { desc } => {
                let shape = self.graph.value(node.inputs[0]).shape.clone();
                let plan = self.conv_plan(desc, &shape, Direction::BackwardWeights, false)?;
                self.backward_weights(node, plan);
            }
            Op::LinearBackwardWeights => {
                let plan =
                    self.linear_plan(node.inputs[0], node.inputs[1], Direction::BackwardWeights)?;
                self.backward_weights(node, plan);
            }
            Op::ChannelSum => self.channel_sum(node),
            Op::Transposed(op) => self.transposed(node, op)?,
            _ => return Err(self.not_lowered()),
        }
        Ok(())
    }

    fn transposed(&mut self, node: &Node, op: &TransposedOp) -> Result<(), RuntimeError> {
        let shape = |place: usize| self.graph.value(node.inputs[place]).shape.clone();
        let (desc, input, direction) = match op {
            TransposedOp::Conv { desc, .. } => (desc, shape(0), Direction::BackwardData),
            TransposedOp::BackwardData { desc, input } => (desc, input.clone(), Direction::Forward),
            TransposedOp::BackwardWeights { desc } => (desc, shape(1), Direction::BackwardWeights),
        };
        let geometry = desc.resolve(&input).map_err(self.on_geometry())?;
        let plan = self.plan(&geometry, direction, self.changes(node))?;
        match direction {
            Direction::Forward => self.forward(node, plan),
            Direction::BackwardData => self.backward_data(node, plan),
            Direction::BackwardWeights => self.backward_weights(node, plan),
        }
        Ok(())
    }

    /// The bias and the residual that a node has behind its weight, and its activation.
    pub(super) fn epilogue(&mut self, node: &Node, layout: Layout) -> Epilogue {
        let (has_bias, has_residual, activation) = match node.op {
            Op::Conv {
                bias,
                residual,
                activation,
                ..
            }
            | Op::Transposed(TransposedOp::Conv {
                bias,
                residual,
                activation,
                ..
            }) => (bias, residual, activation),
            Op::Linear { bias } => (bias, false, None),
            _ => (false, false, None),
        };
        let mut rest = node.inputs[2..].iter().copied();
        let bias = has_bias.then(|| rest.next()).flatten();
        let residual = has_residual.then(|| rest.next()).flatten();
        Epilogue {
            bias: bias.map(|id| self.plain(id)),
            residual: residual.map(|id| self.in_layout(id, layout)),
            activation,
        }
    }

    fn forward(&mut self, node: &Node, plan: Arc<ConvPlan>) {
        let x = self.in_layout(node.inputs[0], plan.layout());
        let packed = self.packed(node.inputs[1], &plan);
        let Epilogue {
            bias,
            residual,
            activation,
        } = self.epilogue(node, plan.layout());
        let y = self.result(node.outputs[0], plan.layout());
        let scratch = self.scratch(plan.scratch_len(self.threads));
        self.push(Work::ConvForward {
            plan,
            x,
            packed,
            bias,
            residual,
            activation,
            y,
            scratch,
        });
    }

    fn backward_data(&mut self, node: &Node, plan: Arc<ConvPlan>) {
        let dy = self.in_layout(node.inputs[0], plan.layout());
        let packed = self.packed(node.inputs[1], &plan);
        let Epilogue {
            bias,
            residual,
            activation,
        } = self.epilogue(node, plan.layout());
        let dx = self.result(node.outputs[0], plan.layout());
        let scratch = self.scratch(plan.scratch_len(self.threads));
        self.push(Work::ConvBackwardData {
            plan,
            dy,
            packed,
            bias,
            residual,
            activation,
            dx,
            scratch,
        });
    }

    fn backward_weights(&mut self, node: &Node, plan: Arc<ConvPlan>) {
        let x = self.in_layout(node.inputs[0], plan.layout());
        let dy = self.in_layout(node.inputs[1], plan.layout());
        let dw = self.result(node.outputs[0], Layout::Nchw);
        let scratch = self.scratch(plan.scratch_len(self.threads));
        self.push(Work::ConvBackwardWeights {
            plan,
            x,
            dy,
            dw,
            scratch,
        });
    }

    fn channel_sum(&mut self, node: &Node) {
        let map = self.map(node.inputs[0]);
        let dy = self.feature(node.inputs[0]);
        let db = self.result(node.outputs[0], Layout::Nchw);
        let scratch = self.scratch(kernels::reduce::scratch_len(
            map.layout,
            map.batch,
            map.channels,
            map.area,
        ));
        self.push(Work::ChannelSum {
            map,
            dy,
            db,
            scratch,
        });
    }

    /// Whether the weight of a node changes from run to run.
    fn changes(&self, node: &Node) -> bool {
        !self.constant[node.inputs[1].index()]
    }

    /// The weight as the plan wants it: packed in the prologue if the weight stays the same from run
    /// to run.
    pub(super) fn packed(&mut self, weight: ValueId, plan: &Arc<ConvPlan>) -> BufferId {
        let constant = self.constant[weight.index()];
        let weight = self.plain(weight);
        if !plan.packs() {
            return weight;
        }
        let packed = self.buffer(plan.packed_len(), Home::Arena);
        let plan = Arc::clone(plan);
        self.emit(
            constant,
            Work::Pack {
                plan,
                weight,
                packed,
            },
        );
        packed
    }

    fn conv_plan(
        &self,
        desc: &ConvDesc,
        input: &[usize],
        direction: Direction,
        repacked: bool,
    ) -> Result<Arc<ConvPlan>, RuntimeError> {
        let geometry = self.geometry(desc, input)?;
        self.plan(&geometry, direction, repacked)
    }

    /// The best plan, in the program's layout. One that would reorder whole maps is made channels last
    /// instead: then the reordering is a step of its own, seen by the profile and done once for all
    /// who want it.
    fn plan(
        &self,
        geometry: &ConvGeometry,
        direction: Direction,
        repacked: bool,
    ) -> Result<Arc<ConvPlan>, RuntimeError> {
        let plan = |layout| {
            let options = ConvOptions {
                layout,
                isa: self.options.isa,
                algorithm: self.options.algorithm,
                strict: self.options.strict,
                repacked,
            };
            ConvPlan::new(geometry, direction, options)
        };
        let plan = plan(self.options.layout).and_then(|best| match best.reorders() {
            true => plan(Layout::Nhwc),
            false => Ok(best),
        });
        plan.map(Arc::new).map_err(|source| RuntimeError::Plan {
            layer: self.layer.clone(),
            source,
        })
    }

    /// The plan of a linear layer from `x [n, f]` to `y [n, o]`. An algorithm asked for that serves
    /// no matrix product is meant for the convolutions alone.
    fn linear_plan(
        &self,
        x: ValueId,
        y: ValueId,
        direction: Direction,
    ) -> Result<Arc<ConvPlan>, RuntimeError> {
        let (x, y) = (&self.graph.value(x).shape, &self.graph.value(y).shape);
        let geometry = self.geometry(&ConvDesc::new(y[1], 1), &[1, x[1], x[0]])?;
        let options = ConvOptions {
            layout: Layout::Nhwc,
            isa: self.options.isa,
            algorithm: self.options.algorithm,
            ..ConvOptions::default()
        };
        let best = ConvOptions {
            algorithm: None,
            ..options
        };
        let plan = ConvPlan::new(&geometry, direction, options)
            .or_else(|_| ConvPlan::new(&geometry, direction, best));
        plan.map(Arc::new).map_err(|source| RuntimeError::Plan {
            layer: self.layer.clone(),
            source,
        })
    }

    fn geometry(&self, desc: &ConvDesc, input: &[usize]) -> Result<ConvGeometry, RuntimeError> {
        desc.resolve(input).map_err(self.on_geometry())
    }

    /// Puts the layer to a refusal of `geometry`.
    fn on_geometry(&self) -> impl FnOnce(GeometryError) -> RuntimeError {
        let layer = self.layer.clone();
        move |source| RuntimeError::Geometry { layer, source }
    }
}

/// Where what is done to each sum is read from.
pub(super) struct Epilogue {
    pub(super) bias: Option<BufferId>,
    pub(super) residual: Option<BufferId>,
    pub(super) activation: Option<Activation>,
}
