//! Batch normalisation: of training, its gradients, with fixed statistics, and folded.

use graph::{Activation, Node, Op, ValueId};
use tensor::Layout;

use super::Lowering;
use crate::RuntimeError;
use crate::step::{BufferId, NormGate, Work};

impl Lowering<'_> {
    pub(super) fn normalisation(&mut self, node: &Node) -> Result<(), RuntimeError> {
        match node.op {
            Op::BatchNormTraining {
                epsilon,
                momentum,
                activation,
                ..
            } => self.norm_training(node, epsilon, momentum, activation),
            Op::BatchNormBackward { activation, .. } => self.norm_backward(node, activation),
            Op::BatchNormInference {
                epsilon,
                activation,
                ..
            } => {
                let work = Work::NormInference {
                    map: self.map(node.inputs[0]),
                    epsilon,
                    activation,
                    x: self.feature(node.inputs[0]),
                    x_channels: self.channels_in_memory(node.inputs[0]),
                    gamma: self.plain(node.inputs[1]),
                    beta: self.plain(node.inputs[2]),
                    mean: self.plain(node.inputs[3]),
                    variance: self.plain(node.inputs[4]),
                    residual: node.inputs.get(5).map(|&id| self.feature(id)),
                    y: self.feature_result(node.outputs[0]),
                };
                self.push(work);
            }
            Op::FoldBatchNorm { epsilon, bias } => {
                // weight, [bias], gamma, beta, mean, var
                let norm = &node.inputs[1 + usize::from(bias)..];
                let work = Work::FoldNorm {
                    epsilon,
                    weight: self.plain(node.inputs[0]),
                    bias: bias.then(|| self.plain(node.inputs[1])),
                    gamma: self.plain(norm[0]),
                    beta: self.plain(norm[1]),
                    mean: self.plain(norm[2]),
                    variance: self.plain(norm[3]),
                    folded_weight: self.result(node.outputs[0], Layout::Nchw),
                    folded_bias: self.result(node.outputs[1], Layout::Nchw),
                };
                self.push(work);
            }
            _ => return Err(self.not_lowered()),
        }
        Ok(())
    }

    fn norm_training(
        &mut self,
        node: &Node,
        epsilon: f32,
        momentum: f32,
        activation: Option<Activation>,
    ) {
        let map = self.map(node.inputs[0]);
        let scratch = self.scratch(map.norm().scratch_len());
        let work = Work::NormTraining {
            map,
            epsilon,
            momentum,
            activation,
            x: self.feature(node.inputs[0]),
            gamma: self.plain(node.inputs[1]),
            beta: self.plain(node.inputs[2]),
            residual: node.inputs.get(5).map(|&id| self.feature(id)),
            running_mean: self.successor(node.inputs[3], node.outputs[3]),
            running_var: self.successor(node.inputs[4], node.outputs[4]),
            mean: self.result(node.outputs[1], Layout::Nchw),
            inv_std: self.result(node.outputs[2], Layout::Nchw),
            y: self.feature_result(node.outputs[0]),
            scratch,
        };
        self.push(work);
    }

    /// A running statistic to be moved on in place: the state itself, if it is replaced by this very
    /// value and nobody else reads it; else a copy.
    fn successor(&mut self, old: ValueId, new: ValueId) -> BufferId {
        let state = self.at(old).buffer;
        let replaced = self.graph.updates.contains(&(old, new));
        if replaced && self.pending[state.index()] == 0 && !self.reserved.contains_key(&new) {
            self.place_at(new, state, Layout::Nchw);
            return state;
        }
        let x = self.plain(old);
        let y = self.result(new, Layout::Nchw);
        self.push(Work::Copy { x, y });
        y
    }

    fn norm_backward(&mut self, node: &Node, activation: Option<Activation>) {
        let map = self.map(node.inputs[1]);
        let scratch = self.scratch(map.norm().scratch_len());
        let gate = self.gate(node, activation);
        let (dy, x) = (self.feature(node.inputs[0]), self.feature(node.inputs[1]));
        let (dx, dresidual) = (node.outputs[0], node.outputs.get(3).copied());
        // A gradient that nobody reads again makes room for what first becomes of it.
        let first = dresidual.unwrap_or(dx);
        let free = self.dying(node.inputs[0], first) == Some(dy);
        let over_dy = free && dy != x && gate.buffer() != Some(dy);
        let mut made = |id| match over_dy && id == first {
            true => {
                self.place_at(id, dy, self.options.layout);
                dy
            }
            false => self.feature_result(id),
        };
        let (dx, dresidual) = (made(dx), dresidual.map(made));
        let work = Work::NormBackward {
            map,
            gate,
            dy,
            x,
            gamma: self.plain(node.inputs[2]),
            mean: self.plain(node.inputs[3]),
            inv_std: self.plain(node.inputs[4]),
            dx,
            dgamma: self.result(node.outputs[1], Layout::Nchw),
            dbeta: self.result(node.outputs[2], Layout::Nchw),
            dresidual,
            scratch,
        };
        self.push(work);
    }

    /// How the gradient passes the activation. The output of a normalisation without residual is a
    /// function of `x`, which the gradient reads anyway: computed again it need not be read.
    fn gate(&mut self, node: &Node, activation: Option<Activation>) -> NormGate {
        let (Some(activation), Some(&y)) = (activation, node.inputs.get(5)) else {
            return NormGate::Open;
        };
        let graph = self.graph;
        let forward = graph.nodes.iter().find(|forward| {
            matches!(
                forward.op,
                Op::BatchNormTraining {
                    residual: false,
                    ..
                }
            ) && forward.outputs[..3] == [y, node.inputs[3], node.inputs[4]]
                && forward.inputs[..2] == node.inputs[1..3]
        });
        match forward {
            Some(forward) => NormGate::Recomputed(activation, self.plain(forward.inputs[2])),
            None => NormGate::Output(activation, self.feature(y)),
        }
    }
}
