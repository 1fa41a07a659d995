//! Which element a kernel tap touches: forwards, and backwards phase by phase.
//!
//! Placement `o` of the window puts tap `t` on input element `i = o·s + t·d − before`. Every kernel
//! of every direction draws its addresses from this one relation.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::Window;

/// One kernel tap along an axis, seen from a walk over another tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tap {
    /// Index of the tap in the kernel.
    pub kernel: usize,
    /// Step `u` of the walk reads element `u·stride + offset`; outside the tensor it reads zero.
    pub offset: isize,
}

/// The input elements `start, start + step, …` (`count` of them) of a backward-data pass, which all
/// receive from the same taps.
///
/// Of a convolution of stride `s` the input splits into `s` such phases. Within one of them the
/// gradient is a dense convolution of stride one over the output's gradient: element
/// `start + u·step` is the sum over `taps` of `dy[u + offset] · w[kernel]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phase {
    /// First input element of the phase.
    pub start: usize,
    /// Distance between its elements: the stride.
    pub step: usize,
    /// How many elements it has.
    pub count: usize,
    /// The taps that reach it, by ascending offset.
    pub taps: Vec<Tap>,
}

impl Window {
    /// The input element under tap `kernel` of placement `output`, unless it lies in the padding.
    #[inline]
    pub fn source(&self, output: usize, kernel: usize) -> Option<usize> {
        self.position(output, kernel)
            .checked_sub(self.before)
            .filter(|&i| i < self.input)
    }

    /// How many taps of placement `output` lie before `extent`, `o·s + t·d < extent`, both counted from the start of
    /// the padded axis. They are the first ones.
    #[inline]
    fn taps_before(&self, output: usize, extent: usize) -> usize {
        let distance = extent.saturating_sub(self.position(output, 0));
        // Most kernels are dense, and a division is slow beside a small window.
        let taps = match self.dilation {
            1 => distance,
            dilation => distance.div_ceil(dilation),
        };
        taps.min(self.kernel)
    }

    /// The taps of placement `output` that lie on the image; they are neighbours. However wide the padding, finding
    /// them takes two divisions:
    /// ```
    /// use geometry::PoolDesc;
    ///
    /// let pool = PoolDesc::max(9).padding(4).resolve(&[1, 1, 5])?;
    /// let axis = pool.windows[2];
    /// assert_eq!((axis.taps_inside(0), axis.taps_inside(4)), (4..9, 0..5));
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    #[inline]
    pub fn taps_inside(&self, output: usize) -> Range<usize> {
        let end = self.taps_before(output, self.before + self.input);
        self.taps_before(output, self.before).min(end)..end
    }

    /// How many taps of placement `output` lie on the image or its padding; those past both hang over in ceil mode.
    #[inline]
    pub fn taps_inside_padding(&self, output: usize) -> usize {
        self.taps_before(output, self.padded())
    }

    /// The placement that puts tap `kernel` on input element `input`, if there is one.
    #[inline]
    pub fn target(&self, input: usize, kernel: usize) -> Option<usize> {
        let distance = (input + self.before).checked_sub(kernel * self.dilation)?;
        (distance % self.stride == 0)
            .then_some(distance / self.stride)
            .filter(|&o| o < self.output)
    }

    /// Every tap of the forward walk: placement `u` reads element `u·stride + offset`.
    pub fn forward_taps(&self) -> Vec<Tap> {
        (0..self.kernel)
            .map(|kernel| Tap {
                kernel,
                offset: (kernel * self.dilation) as isize - self.before as isize,
            })
            .collect()
    }

    /// The stride phases of the backward-data pass that any tap reaches, by ascending start: at most
    /// as many as the kernel has taps, however large the stride. Elements in none of them receive
    /// nothing; their gradient is zero.
    pub fn backward_phases(&self) -> Vec<Phase> {
        let mut phases = BTreeMap::<usize, Vec<Tap>>::new();
        // A later tap reads an earlier placement, so offsets ascend from the last tap to the first.
        for kernel in (0..self.kernel).rev() {
            let distance = (kernel * self.dilation) as isize - self.before as isize;
            let start = distance.rem_euclid(self.stride as isize);
            phases.entry(start as usize).or_default().push(Tap {
                kernel,
                offset: (start - distance) / self.stride as isize,
            });
        }
        phases
            .into_iter()
            .filter(|(start, _)| *start < self.input)
            .map(|(start, taps)| Phase {
                start,
                step: self.stride,
                count: (self.input - start).div_ceil(self.stride),
                taps,
            })
            .collect()
    }
}
