//! The last step of every sum: bias, residual, activation, and the write.

use tensor::Layout;

use super::Epilogue;
use crate::Context;
use crate::activation::Activation;
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::simd::Vector;

/// Writes a map of `batch` images, `channels` and `area` as sums without a term come out:
/// `activation(bias + residual)`.
pub(in crate::conv) fn empty_sums(
    ctx: &Context<'_>,
    layout: Layout,
    (batch, channels, area): (usize, usize, usize),
    epilogue: Epilogue<'_>,
    target: &mut [f32],
) {
    // A row is a pixel of all channels, or a plane of one.
    let (rows, width) = match layout {
        Layout::Nhwc => (batch * area, channels),
        Layout::Nchw => (batch * channels, area),
    };
    let target = Shared::new(target);
    for_rows(ctx.team, rows, width, |range| {
        for row in range {
            // SAFETY: a row belongs to one task.
            let target = unsafe { target.slice(row * width, width) };
            match (epilogue.bias, layout) {
                (None, _) => target.fill(0.0),
                (Some(bias), Layout::Nhwc) => target.copy_from_slice(bias),
                (Some(bias), Layout::Nchw) => target.fill(bias[row % channels]),
            }
            if let Some(residual) = epilogue.residual {
                for (sum, residual) in target.iter_mut().zip(&residual[row * width..]) {
                    *sum += residual;
                }
            }
            if let Some(activation) = epilogue.activation {
                for sum in target {
                    *sum = activation.apply(*sum);
                }
            }
        }
    });
}

/// What happens to a finished sum before it is written.
#[derive(Clone, Copy)]
pub(in crate::conv) struct Finish {
    /// Bias of the panel's first channel, or null.
    pub(in crate::conv) bias: *const f32,
    /// The residual tensor, laid out as the target and seen from the same element, or null.
    pub(in crate::conv) residual: *const f32,
    pub(in crate::conv) activation: Option<Activation>,
}

impl From<Epilogue<'_>> for Finish {
    /// Of sums that begin with the first channel and pixel.
    fn from(epilogue: Epilogue<'_>) -> Self {
        let start = |tensor: Option<&[f32]>| tensor.map_or(std::ptr::null(), <[f32]>::as_ptr);
        Self {
            bias: start(epilogue.bias),
            residual: start(epilogue.residual),
            activation: epilogue.activation,
        }
    }
}

impl Finish {
    /// The same for sums that begin with another channel of the bias.
    #[inline(always)]
    pub(in crate::conv) fn at_channel(self, channel: usize) -> Self {
        match self.bias.is_null() {
            true => self,
            false => Self {
                bias: self.bias.wrapping_add(channel),
                ..self
            },
        }
    }

    /// Adds bias and residual to a tile of sums and applies the activation, all in registers. What there is
    /// to do is asked once a tile: with short sums a question for every vector would take as long as
    /// the sums.
    ///
    /// # Safety
    /// `V`'s instructions exist. The bias is valid for `NV` vectors, the residual for as many from `target` of each row.
    #[inline(always)]
    pub(in crate::conv) unsafe fn apply<V: Vector, const MR: usize, const NV: usize>(
        &self,
        sums: &mut [[V; NV]; MR],
        target: impl Fn(usize) -> usize,
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            if !self.bias.is_null() {
                let bias: [V; NV] = std::array::from_fn(|v| V::load(self.bias.add(v * V::LANES)));
                for sums in sums.iter_mut() {
                    for (sum, bias) in sums.iter_mut().zip(bias) {
                        *sum = sum.add(bias);
                    }
                }
            }
            if !self.residual.is_null() {
                for (row, sums) in sums.iter_mut().enumerate() {
                    let residual = self.residual.add(target(row));
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = sum.add(V::load(residual.add(v * V::LANES)));
                    }
                }
            }
            match self.activation {
                None => {}
                Some(Activation::Relu) => {
                    for sums in sums.iter_mut() {
                        for sum in sums.iter_mut() {
                            *sum = Activation::Relu.apply_vector(*sum);
                        }
                    }
                }
                Some(Activation::Relu6) => {
                    for sums in sums.iter_mut() {
                        for sum in sums.iter_mut() {
                            *sum = Activation::Relu6.apply_vector(*sum);
                        }
                    }
                }
            }
        }
    }

    /// Adds bias and residual, applies the activation and writes `count` channels.
    ///
    /// # Safety
    /// `V`'s instructions exist. `target` and the residual are valid for `count` elements from
    /// `offset`, the bias for `count` elements from `channel`.
    #[inline(always)]
    pub(in crate::conv) unsafe fn write<V: Vector>(
        &self,
        mut sum: V,
        target: *mut f32,
        offset: usize,
        channel: usize,
        count: usize,
    ) {
        // SAFETY: the contract of this function.
        unsafe {
            let full = count == V::LANES;
            let read = |from: *const f32| {
                if full {
                    V::load(from)
                } else {
                    V::load_partial(from, count)
                }
            };
            if !self.bias.is_null() {
                sum = sum.add(read(self.bias.add(channel)));
            }
            if !self.residual.is_null() {
                sum = sum.add(read(self.residual.add(offset)));
            }
            if let Some(activation) = self.activation {
                sum = activation.apply_vector(sum);
            }
            if full {
                sum.store(target.add(offset));
            } else {
                sum.store_partial(target.add(offset), count);
            }
        }
    }
}
