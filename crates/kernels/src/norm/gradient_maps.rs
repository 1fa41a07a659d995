//! Where the gradients of a norm come from and go to.

use std::marker::PhantomData;

use crate::strips::Strip;

/// The gradient of a norm's output, and where those of its input and its residual go. `dresidual`, where there was
/// a residual, receives the gradient behind the activation.
///
/// All are maps of `batch · channels · area` elements in the norm's layout. Written over `dy`, a gradient saves the memory a sixth of its
/// way: two passes read two maps each, and what a store does not find in the caches is fetched before it is written.
#[derive(Debug)]
pub enum GradientMaps<'a> {
    /// `dy` stays as it is.
    Apart {
        /// Of the output.
        dy: &'a [f32],
        /// Of the input.
        dx: &'a mut [f32],
        /// Of the residual.
        dresidual: Option<&'a mut [f32]>,
    },
    /// There was no residual, and `dx` is written over `dy`.
    InPlace(&'a mut [f32]),
    /// There was a residual, and `dresidual` is written over `dy`.
    ResidualInPlace {
        /// Of the output, then of the residual.
        dy: &'a mut [f32],
        /// Of the input.
        dx: &'a mut [f32],
    },
}

/// Where [`GradientMaps`] lie. A pass reads an element of `dy` before it writes any of the same place.
#[derive(Clone, Copy)]
pub(super) struct Maps<'a> {
    /// Only read, unless it is one of the others.
    dy: *mut f32,
    dx: *mut f32,
    /// Null where there was no residual.
    dresidual: *mut f32,
    /// Of all three.
    pub(super) lengths: [usize; 3],
    owner: PhantomData<&'a mut [f32]>,
}

// SAFETY: tasks write elements of their own, and read no others of what is written.
unsafe impl Sync for Maps<'_> {}

impl<'a> Maps<'a> {
    pub(super) fn new(maps: GradientMaps<'a>) -> Self {
        let none = std::ptr::null_mut();
        let (dy, dx, dresidual, lengths) = match maps {
            GradientMaps::Apart { dy, dx, dresidual } => {
                let lengths = [
                    dy.len(),
                    dx.len(),
                    dresidual.as_ref().map_or(dy.len(), |d| d.len()),
                ];
                let dresidual = dresidual.map_or(none, <[f32]>::as_mut_ptr);
                (dy.as_ptr().cast_mut(), dx.as_mut_ptr(), dresidual, lengths)
            }
            GradientMaps::InPlace(map) => {
                let start = map.as_mut_ptr();
                (start, start, none, [map.len(); 3])
            }
            GradientMaps::ResidualInPlace { dy, dx } => {
                let start = dy.as_mut_ptr();
                (
                    start,
                    dx.as_mut_ptr(),
                    start,
                    [dy.len(), dx.len(), dy.len()],
                )
            }
        };
        Self {
            dy,
            dx,
            dresidual,
            lengths,
            owner: PhantomData,
        }
    }

    /// The maps of a pass that reads the gradient of the residual, which was written before, in the place of `dy`.
    pub(super) fn behind_activation(self) -> Option<Self> {
        let dy = self.dresidual;
        (!dy.is_null()).then_some(Self { dy, ..self })
    }

    /// `dy`, `dx` and `dresidual` where a strip starts; the last is null where there was no residual.
    pub(super) fn on(&self, strip: Strip) -> (*const f32, *mut f32, *mut f32) {
        let masked = match self.dresidual.is_null() {
            true => self.dresidual,
            false => self.dresidual.wrapping_add(strip.start),
        };
        let dy = self.dy.wrapping_add(strip.start).cast_const();
        (dy, self.dx.wrapping_add(strip.start), masked)
    }
}
