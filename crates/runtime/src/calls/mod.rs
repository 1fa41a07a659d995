//! Operators that run through one kernel written for any precision and layout.
//!
//! [`kernel`] makes of an operator and the shapes around it a [`Kernel`]: everything checked and
//! tabulated, ready to run. A program uses it as one step, in f32 and the program's layout; an
//! [evaluation](crate::evaluate) in f64, channels first. Operators with a quicker way of their own
//! in f32 (convolutions, batch norms, …) are lowered to that instead, and come here for f64 only.

mod arithmetic;
mod basic;
mod deformable;
mod normalisation;
mod pooling;
mod rearrange;
mod regions;
mod sampling;
mod softmax;
mod unary;

use std::fmt;
use std::sync::Arc;

use graph::{Op, Value};
use kernels::{Context, Real};
use tensor::{Layout, MemoryError};

use crate::Run;

/// The most inputs or outputs of one call.
pub(crate) const MOST_OPERANDS: usize = 64;

/// Shapes of the operands of one node, channels first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shapes<'a> {
    inputs: &'a [&'a Value],
    outputs: &'a [&'a Value],
}

impl<'a> Shapes<'a> {
    pub(crate) fn new(inputs: &'a [&'a Value], outputs: &'a [&'a Value]) -> Self {
        Self { inputs, outputs }
    }

    /// The shape of an input.
    pub(crate) fn input(&self, place: usize) -> &'a [usize] {
        &self.inputs[place].shape
    }

    /// The shape of an output.
    pub(crate) fn output(&self, place: usize) -> &'a [usize] {
        &self.outputs[place].shape
    }

    /// How many inputs there are.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs.len()
    }
}

/// How an operand lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lies {
    /// A feature map `[n, c, …]`, in the layout of the call.
    Map,
    /// In the order of its shape: weights, vectors, matrices, grids.
    Plain,
}

/// The elements of an operand that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a, T> {
    Real(&'a [T]),
    Index(&'a [u32]),
}

/// The elements of an operand that is written.
#[derive(Debug)]
pub(crate) enum Target<'a, T> {
    Real(&'a mut [T]),
    Index(&'a mut [u32]),
}

impl<'a, T: Copy> Source<'a, T> {
    /// Floating-point elements; shape inference has seen to it.
    pub(crate) fn real(self) -> &'a [T] {
        match self {
            Self::Real(elements) => elements,
            Self::Index(_) => unreachable!("inference checked the elements"),
        }
    }

    /// Indices; shape inference has seen to it.
    pub(crate) fn index(self) -> &'a [u32] {
        match self {
            Self::Index(elements) => elements,
            Self::Real(_) => unreachable!("inference checked the elements"),
        }
    }
}

impl<T> Target<'_, T> {
    /// Floating-point elements; shape inference has seen to it.
    pub(crate) fn real(&mut self) -> &mut [T] {
        match self {
            Self::Real(elements) => elements,
            Self::Index(_) => unreachable!("inference checked the elements"),
        }
    }

    /// Indices; shape inference has seen to it.
    pub(crate) fn index(&mut self) -> &mut [u32] {
        match self {
            Self::Index(elements) => elements,
            Self::Real(_) => unreachable!("inference checked the elements"),
        }
    }
}

/// What a kernel works on. Inputs and outputs stand as in the description of the operator.
pub(crate) struct Operands<'a, 'b, T> {
    pub(crate) inputs: &'b [Source<'a, T>],
    pub(crate) outputs: &'b mut [Target<'a, T>],
    /// As long as [`Generic::scratch_len`] asks for; holds anything.
    pub(crate) scratch: &'b mut [T],
    /// Layout of the operands that are maps.
    pub(crate) layout: Layout,
    pub(crate) run: Run,
}

impl<'a, T: Copy> Operands<'a, '_, T> {
    /// Floating-point input `place`.
    pub(crate) fn real(&self, place: usize) -> &'a [T] {
        self.inputs[place].real()
    }

    /// The input of indices at `place`.
    pub(crate) fn index(&self, place: usize) -> &'a [u32] {
        self.inputs[place].index()
    }
}

/// A kernel written once for all precisions.
pub(crate) trait Generic: fmt::Debug + Send + Sync {
    /// How input `place` is wanted.
    fn reads(&self, place: usize) -> Lies {
        let _ = place;
        Lies::Map
    }

    /// How output `place` is made.
    fn makes(&self, place: usize) -> Lies {
        let _ = place;
        Lies::Map
    }

    /// Elements of scratch memory for so many threads.
    fn scratch_len(&self, threads: usize) -> usize {
        let _ = threads;
        0
    }

    /// Computes the outputs, all of every output; allocates nothing.
    fn run<T: Real>(&self, ctx: &Context<'_>, operands: Operands<'_, '_, T>);
}

/// A [`Generic`] kernel behind a pointer.
pub(crate) trait Kernel: fmt::Debug + Send + Sync {
    fn reads(&self, place: usize) -> Lies;
    fn makes(&self, place: usize) -> Lies;
    fn scratch_len(&self, threads: usize) -> usize;
    fn run_f32(&self, ctx: &Context<'_>, operands: Operands<'_, '_, f32>);
    fn run_f64(&self, ctx: &Context<'_>, operands: Operands<'_, '_, f64>);
}

impl<G: Generic> Kernel for G {
    fn reads(&self, place: usize) -> Lies {
        Generic::reads(self, place)
    }

    fn makes(&self, place: usize) -> Lies {
        Generic::makes(self, place)
    }

    fn scratch_len(&self, threads: usize) -> usize {
        Generic::scratch_len(self, threads)
    }

    fn run_f32(&self, ctx: &Context<'_>, operands: Operands<'_, '_, f32>) {
        self.run(ctx, operands);
    }

    fn run_f64(&self, ctx: &Context<'_>, operands: Operands<'_, '_, f64>) {
        self.run(ctx, operands);
    }
}

/// The kernel of a node whose operator and shapes have been verified; none for an operator that only
/// a pass over the graph can turn into something to run.
///
/// # Errors
/// When there is no memory for what is tabulated.
pub(crate) fn kernel(op: &Op, shapes: Shapes<'_>) -> Result<Option<Arc<dyn Kernel>>, MemoryError> {
    Ok(Some(match op {
        Op::Arithmetic(op) => arithmetic::kernel(op, shapes),
        Op::Deformable(op) => deformable::kernel(op, shapes),
        Op::Norm(op) => normalisation::kernel(op, shapes),
        Op::Pooling(op) => pooling::kernel(op, shapes),
        Op::Rearrange(op) => rearrange::kernel(op, shapes),
        Op::Region(op) => regions::kernel(op, shapes),
        Op::Sampling(op) => sampling::kernel(op, shapes)?,
        Op::Softmaxes(op) => softmax::kernel(op, shapes),
        Op::Unary(op) => unary::kernel(op, shapes),
        Op::Pool { .. }
        | Op::PoolBackward { .. }
        | Op::GlobalAveragePool
        | Op::GlobalAveragePoolBackward { .. } => return Ok(pooling::window_kernel(op, shapes)),
        op => return Ok(basic::kernel(op, shapes)),
    }))
}
