//! Runs steps: looks up where the operands lie and calls the kernel.

use geometry::{PoolGeometry, PoolKind};
use graph::ElementType;
use kernels::conv::{ChainLink, ChainPlan, Epilogue};
use kernels::dropout::{DropoutKey, dropout};
use kernels::norm::{self, Gate, GradientMaps, NormTraining};
use kernels::rearrange::{Band, interleave};
use kernels::softmax::{CrossEntropy, softmax};
use kernels::{
    Activation, Context, Isa, Team, activation, concat, elementwise, pool, reduce, transpose,
};
use tensor::Layout;

use crate::Run;
use crate::calls::{Kernel, MOST_OPERANDS, Operands, Source, Target};
use crate::fold::{Norm, fold};
use crate::memory::{Span, View};
use crate::step::{BufferId, NormGate, Step, Work, over_dy};

/// What steps run on.
pub(crate) struct Machine<'a> {
    pub(crate) team: &'a Team,
    pub(crate) isa: Isa,
    pub(crate) view: View<'a>,
    pub(crate) spans: &'a [Span],
}

/// Runs steps in order.
pub(crate) fn execute(machine: &Machine<'_>, steps: &[Step], run: Run) {
    for step in steps {
        machine.step(&step.work, run);
    }
}

impl<'a> Machine<'a> {
    pub(crate) fn read(&self, id: BufferId) -> &'a [f32] {
        // SAFETY: slices live no longer than the step that asked for them, and the plan was checked
        // step by step: nothing a step reads overlaps what it writes (`lower::place`).
        unsafe { self.view.read(self.spans[id.index()]) }
    }

    #[allow(clippy::mut_from_ref)]
    pub(crate) fn write(&self, id: BufferId) -> &'a mut [f32] {
        // SAFETY: as above, and everything a step writes it names once.
        unsafe { self.view.write(self.spans[id.index()]) }
    }

    /// One kernel call. Every operand of the step is asked for once.
    pub(crate) fn step(&self, work: &Work, run: Run) {
        let ctx = &Context {
            team: self.team,
            isa: self.isa,
        };
        let read = |id: BufferId| self.read(id);
        let write = |id: BufferId| self.write(id);
        let read_if = |id: Option<BufferId>| id.map(|id| self.read(id));
        let write_if = |id: Option<BufferId>| id.map(|id| self.write(id));
        match *work {
            Work::Copy { x, y } => write(y).copy_from_slice(read(x)),
            Work::Reorder { map, to, x, y } => {
                let (x, y) = (read(x), write(y));
                transpose::reorder(ctx, map.layout, to, map.batch, map.channels, map.area, x, y);
            }
            Work::Pack {
                ref plan,
                weight,
                packed,
            } => plan.pack(ctx, read(weight), write(packed)),
            Work::ConvForward {
                ref plan,
                x,
                packed,
                bias,
                residual,
                activation,
                y,
                scratch,
            } => {
                let epilogue = Epilogue {
                    bias: read_if(bias),
                    residual: read_if(residual),
                    activation: activation.map(kernel_activation),
                };
                plan.forward(
                    ctx,
                    read(x),
                    read(packed),
                    epilogue,
                    write(y),
                    write(scratch),
                );
            }
            Work::ConvChain {
                ref plan,
                x,
                ref links,
                residual,
                y,
                scratch,
            } => {
                let mut given = [ChainLink::default(); ChainPlan::MOST_LINKS];
                for (given, link) in given.iter_mut().zip(links) {
                    *given = ChainLink {
                        packed: read(link.packed),
                        bias: read_if(link.bias),
                        activation: link.activation.map(kernel_activation),
                    };
                }
                let given = &given[..links.len()];
                plan.forward(
                    ctx,
                    read(x),
                    given,
                    read_if(residual),
                    write(y),
                    write(scratch),
                );
            }
            Work::ConvBackwardData {
                ref plan,
                dy,
                packed,
                bias,
                residual,
                activation,
                dx,
                scratch,
            } => {
                let epilogue = Epilogue {
                    bias: read_if(bias),
                    residual: read_if(residual),
                    activation: activation.map(kernel_activation),
                };
                plan.backward_data(
                    ctx,
                    read(dy),
                    read(packed),
                    epilogue,
                    write(dx),
                    write(scratch),
                );
            }
            Work::ConvBackwardWeights {
                ref plan,
                x,
                dy,
                dw,
                scratch,
            } => plan.backward_weights(ctx, read(x), read(dy), write(dw), write(scratch)),
            Work::ChannelSum {
                map,
                dy,
                db,
                scratch,
            } => reduce::channel_sums(
                ctx,
                map.layout,
                map.batch,
                map.channels,
                map.area,
                read(dy),
                write(db),
                write(scratch),
            ),
            Work::Pool {
                ref geometry,
                layout,
                x,
                y,
                indices,
            } => {
                let indices = write_if(indices).map(bytemuck::cast_slice_mut);
                pool_forward(ctx, layout, geometry, read(x), write(y), indices);
            }
            Work::PoolBackward {
                ref geometry,
                layout,
                dy,
                indices,
                dx,
            } => {
                let (dy, dx) = (read(dy), write(dx));
                match read_if(indices) {
                    Some(indices) => {
                        let indices = bytemuck::cast_slice(indices);
                        pool::max::backward(ctx, layout, geometry, dy, indices, dx);
                    }
                    None => pool::average::backward(ctx, layout, geometry, dy, dx),
                }
            }
            Work::GlobalAveragePool { map, x, y } => {
                let (x, y) = (read(x), write(y));
                pool::global::forward(ctx, map.layout, map.batch, map.channels, map.area, x, y);
            }
            Work::GlobalAveragePoolBackward { map, dy, dx } => {
                let (dy, dx) = (read(dy), write(dx));
                pool::global::backward(ctx, map.layout, map.batch, map.channels, map.area, dy, dx);
            }
            Work::NormTraining {
                map,
                epsilon,
                momentum,
                activation,
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
            } => {
                let options = NormTraining {
                    epsilon,
                    momentum,
                    activation: activation.map(kernel_activation),
                };
                norm::forward_training(
                    ctx,
                    &map.norm(),
                    options,
                    read(x),
                    read_if(residual),
                    read(gamma),
                    read(beta),
                    write(running_mean),
                    write(running_var),
                    write(mean),
                    write(inv_std),
                    write(y),
                    write(scratch),
                );
            }
            Work::NormBackward {
                map,
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
            } => norm::backward(
                ctx,
                &map.norm(),
                self.gate(gate),
                match (over_dy(dy, dx, dresidual), dresidual) {
                    (true, None) => GradientMaps::InPlace(write(dy)),
                    (true, Some(_)) => {
                        let (dy, dx) = (write(dy), write(dx));
                        GradientMaps::ResidualInPlace { dy, dx }
                    }
                    (false, _) => GradientMaps::Apart {
                        dy: read(dy),
                        dx: write(dx),
                        dresidual: write_if(dresidual),
                    },
                },
                read(x),
                read(gamma),
                read(mean),
                read(inv_std),
                write(dgamma),
                write(dbeta),
                write(scratch),
            ),
            Work::NormInference {
                map,
                epsilon,
                activation,
                x,
                x_channels,
                residual,
                gamma,
                beta,
                mean,
                variance,
                y,
            } => norm::inference(
                ctx,
                &map.norm(),
                epsilon,
                activation.map(kernel_activation),
                (read(x), x_channels),
                read_if(residual),
                read(gamma),
                read(beta),
                read(mean),
                read(variance),
                write(y),
            ),
            Work::FoldNorm {
                epsilon,
                weight,
                bias,
                gamma,
                beta,
                mean,
                variance,
                folded_weight,
                folded_bias,
            } => {
                let norm = Norm {
                    epsilon,
                    gamma: read(gamma),
                    beta: read(beta),
                    mean: read(mean),
                    variance: read(variance),
                };
                let (folded_weight, folded_bias) = (write(folded_weight), write(folded_bias));
                fold(
                    norm,
                    read(weight),
                    read_if(bias),
                    folded_weight,
                    folded_bias,
                );
            }
            Work::Activation {
                activation: kind,
                x,
                y,
            } => activation::forward(ctx, kernel_activation(kind), read(x), write(y)),
            Work::ActivationInPlace {
                activation: kind,
                x,
            } => activation::forward_in_place(ctx, kernel_activation(kind), write(x)),
            Work::ActivationBackward {
                activation: kind,
                dy,
                y,
                dx,
            } => activation::backward(ctx, kernel_activation(kind), read(dy), read(y), write(dx)),
            Work::Add { a, b, y } => elementwise::add(ctx, read(a), read(b), write(y)),
            Work::AddInPlace { y, b } => elementwise::add_assign(ctx, write(y), read(b)),
            Work::CopyChannels { map, from, to } => concat::copy_channels(
                ctx,
                map.layout,
                map.batch,
                map.area,
                (read(from.buffer), from.total, from.first),
                (write(to.buffer), to.total, to.first),
                map.channels,
            ),
            Work::Interleave {
                count,
                ref parts,
                y,
            } => {
                let none = Band {
                    map: &[][..],
                    channels: 0,
                    first: 0,
                };
                let mut bands = [none; MOST_OPERANDS];
                for (band, part) in bands.iter_mut().zip(parts) {
                    *band = Band {
                        map: read(part.buffer),
                        channels: part.total,
                        first: part.first,
                    };
                }
                interleave(ctx, &bands[..parts.len()], count, write(y));
            }
            Work::Dropout { rate, stream, x, y } => {
                let key = DropoutKey {
                    seed: run.seed,
                    step: run.step,
                    stream,
                };
                dropout(ctx, read(x), rate, key, write(y));
            }
            Work::Softmax {
                rows,
                classes,
                x,
                y,
            } => softmax(ctx, read(x), rows, classes, write(y)),
            Work::CrossEntropy {
                classes,
                label_smoothing,
                logits,
                labels,
                loss,
                scratch,
            } => {
                let cross_entropy = CrossEntropy {
                    labels: bytemuck::cast_slice(read(labels)),
                    classes,
                    label_smoothing,
                };
                write(loss)[0] = cross_entropy.forward(ctx, read(logits), write(scratch));
            }
            Work::Deformable(ref work) => work.run(self, ctx),
            Work::Call {
                ref kernel,
                layout,
                ref reads,
                ref writes,
                scratch,
            } => self.call(ctx, &**kernel, layout, reads, writes, scratch, run),
            Work::CrossEntropyBackward {
                classes,
                label_smoothing,
                logits,
                labels,
                dloss,
                dlogits,
            } => {
                let cross_entropy = CrossEntropy {
                    labels: bytemuck::cast_slice(read(labels)),
                    classes,
                    label_smoothing,
                };
                let dloss = read_if(dloss).map_or(1.0, |dloss| dloss[0]);
                cross_entropy.backward(ctx, read(logits), dloss, write(dlogits));
            }
        }
    }

    /// Hands a kernel its operands. Their lists stand on the stack: a run allocates nothing.
    fn call(
        &self,
        ctx: &Context<'_>,
        kernel: &dyn Kernel,
        layout: Layout,
        reads: &[(BufferId, ElementType)],
        writes: &[(BufferId, ElementType)],
        scratch: BufferId,
        run: Run,
    ) {
        let inputs: [_; MOST_OPERANDS] = std::array::from_fn(|place| match reads.get(place) {
            Some(&(id, ElementType::Real)) => Source::Real(self.read(id)),
            Some(&(id, ElementType::Index)) => Source::Index(bytemuck::cast_slice(self.read(id))),
            None => Source::Real(&[]),
        });
        let mut outputs: [_; MOST_OPERANDS] =
            std::array::from_fn(|place| match writes.get(place) {
                Some(&(id, ElementType::Real)) => Target::Real(self.write(id)),
                Some(&(id, ElementType::Index)) => {
                    Target::Index(bytemuck::cast_slice_mut(self.write(id)))
                }
                None => Target::Real(&mut []),
            });
        let operands = Operands {
            inputs: &inputs[..reads.len()],
            outputs: &mut outputs[..writes.len()],
            scratch: self.write(scratch),
            layout,
            run,
        };
        kernel.run_f32(ctx, operands);
    }

    fn gate(&self, gate: NormGate) -> Gate<'a> {
        match gate {
            NormGate::Open => Gate::Open,
            NormGate::Output(activation, y) => Gate::Output {
                activation: kernel_activation(activation),
                y: self.read(y),
            },
            NormGate::Recomputed(activation, beta) => Gate::Recomputed {
                activation: kernel_activation(activation),
                beta: self.read(beta),
            },
        }
    }
}

fn pool_forward(
    ctx: &Context<'_>,
    layout: Layout,
    geometry: &PoolGeometry,
    x: &[f32],
    y: &mut [f32],
    indices: Option<&mut [u32]>,
) {
    match geometry.kind {
        PoolKind::Max => pool::max::forward(ctx, layout, geometry, x, y, indices),
        PoolKind::Average { .. } => pool::average::forward(ctx, layout, geometry, x, y),
        PoolKind::Lp { .. } => pool::lp::forward(ctx, layout, geometry, x, y),
    }
}

/// The activation, as kernels know it.
pub(crate) fn kernel_activation(activation: graph::Activation) -> Activation {
    match activation {
        graph::Activation::Relu => Activation::Relu,
        graph::Activation::Relu6 => Activation::Relu6,
    }
}
