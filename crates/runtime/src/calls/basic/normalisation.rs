//! Batch normalisation: of training, its gradients, with fixed statistics, and folded.

use std::sync::Arc;

use graph::{Activation, Op};
use kernels::norm::{Gate, NormGeometry, NormTraining, reference};
use kernels::{Context, Real};
use tensor::Layout;

use super::{Extents, Generic, Kernel, Lies, Operands, Shapes, made};
use crate::execute::kernel_activation;
use crate::fold::{Norm, fold};

pub(super) fn kernel(op: &Op, shapes: Shapes<'_>) -> Option<Arc<dyn Kernel>> {
    Some(match *op {
        Op::BatchNormTraining {
            epsilon,
            momentum,
            activation,
            ..
        } => Arc::new(Training {
            map: Extents::of(shapes.input(0)),
            options: NormTraining {
                epsilon,
                momentum,
                activation: activation.map(kernel_activation),
            },
        }),
        Op::BatchNormBackward { activation, .. } => Arc::new(Backward {
            map: Extents::of(shapes.input(1)),
            activation,
        }),
        Op::BatchNormInference {
            epsilon,
            activation,
            ..
        } => Arc::new(Inference {
            map: Extents::of(shapes.input(0)),
            epsilon,
            activation,
        }),
        Op::FoldBatchNorm { epsilon, bias } => Arc::new(Fold { epsilon, bias }),
        _ => return None,
    })
}

/// A feature map at place `map`, vectors elsewhere.
fn map_at(map: bool) -> Lies {
    if map { Lies::Map } else { Lies::Plain }
}

fn geometry(map: Extents, layout: Layout) -> NormGeometry {
    NormGeometry {
        batch: map.batch,
        channels: map.channels,
        area: map.area,
        layout,
    }
}

/// `x, gamma, beta, running_mean, running_var, [residual] → y, mean, inv_std, new_mean, new_var`
#[derive(Debug)]
struct Training {
    map: Extents,
    options: NormTraining,
}

impl Generic for Training {
    fn reads(&self, place: usize) -> Lies {
        map_at(matches!(place, 0 | 5))
    }

    fn makes(&self, place: usize) -> Lies {
        map_at(place == 0)
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let [x, gamma, beta, old_mean, old_var] = [0, 1, 2, 3, 4].map(|at| operands.real(at));
        let residual = operands.inputs.get(5).map(|residual| residual.real());
        let [y, mean, inv_std, new_mean, new_var] = made(operands.outputs);
        // The kernel moves the statistics on where they are.
        new_mean.copy_from_slice(old_mean);
        new_var.copy_from_slice(old_var);
        reference::forward_training(
            ctx,
            &geometry(self.map, operands.layout),
            self.options,
            x,
            residual,
            gamma,
            beta,
            new_mean,
            new_var,
            mean,
            inv_std,
            y,
        );
    }
}

/// `dy, x, gamma, mean, inv_std, [y] → dx, dgamma, dbeta, [dresidual]`
#[derive(Debug)]
struct Backward {
    map: Extents,
    activation: Option<Activation>,
}

impl Generic for Backward {
    fn reads(&self, place: usize) -> Lies {
        map_at(matches!(place, 0 | 1 | 5))
    }

    fn makes(&self, place: usize) -> Lies {
        map_at(matches!(place, 0 | 3))
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let [dy, x, gamma, mean, inv_std] = [0, 1, 2, 3, 4].map(|at| operands.real(at));
        let gate = match (self.activation, operands.inputs.get(5)) {
            (Some(activation), Some(y)) => Gate::Output {
                activation: kernel_activation(activation),
                y: y.real(),
            },
            _ => Gate::Open,
        };
        let (gradients, dresidual) = operands.outputs.split_at_mut(3);
        let [dx, dgamma, dbeta] = made(gradients);
        reference::backward(
            ctx,
            &geometry(self.map, operands.layout),
            gate,
            dy,
            x,
            gamma,
            mean,
            inv_std,
            dx,
            dgamma,
            dbeta,
            dresidual.first_mut().map(|dresidual| dresidual.real()),
        );
    }
}

/// `x, gamma, beta, mean, var, [residual] → y`
#[derive(Debug)]
struct Inference {
    map: Extents,
    epsilon: f32,
    activation: Option<Activation>,
}

impl Generic for Inference {
    fn reads(&self, place: usize) -> Lies {
        map_at(matches!(place, 0 | 5))
    }

    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let [x, gamma, beta, mean, var] = [0, 1, 2, 3, 4].map(|at| operands.real(at));
        let residual = operands.inputs.get(5).map(|residual| residual.real());
        let [y] = made(operands.outputs);
        reference::inference(
            ctx,
            &geometry(self.map, operands.layout),
            self.epsilon,
            self.activation.map(kernel_activation),
            x,
            residual,
            gamma,
            beta,
            mean,
            var,
            y,
        );
    }
}

/// `weight, [bias], gamma, beta, mean, var → weight', bias'`
#[derive(Debug)]
struct Fold {
    epsilon: f32,
    bias: bool,
}

impl Generic for Fold {
    fn reads(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn makes(&self, _place: usize) -> Lies {
        Lies::Plain
    }

    fn run<T: Real>(&self, _ctx: &Context<'_>, operands: Operands<'_, '_, T>) {
        let bias = self.bias.then(|| operands.real(1));
        let first = 1 + usize::from(self.bias);
        let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|at| operands.real(first + at));
        let norm = Norm {
            epsilon: self.epsilon,
            gamma,
            beta,
            mean,
            variance,
        };
        let weight = operands.real(0);
        let [folded_weight, folded_bias] = made(operands.outputs);
        fold(norm, weight, bias, folded_weight, folded_bias);
    }
}
