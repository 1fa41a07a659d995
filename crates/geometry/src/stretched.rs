//! A transposed convolution seen as a direct one.
//!
//! The backward-data pass of a convolution of stride `s` is a convolution of stride one, with the
//! kernel turned round in every axis and its channels exchanged, of an input that was *stretched*:
//! `s − 1` zeros stand between its neighbours (Dumoulin and Visin, *A guide to convolution arithmetic
//! for deep learning*, 2016, relationships 8 to 14). No kernel computes it so, since all but one in
//! `s` products of an axis are with zeros; the view explains, draws and tests what they compute.

use crate::{ConvGeometry, Window};

/// One axis of a transposed convolution, seen as a direct one of stride one over the stretched
/// input. Primes are the guide's: `i' → o'` is the transposed layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stretched {
    /// Elements of the layer's input, `i'`.
    pub input: usize,
    /// Zeros put between neighbours, `s − 1`.
    pub zeros: usize,
    /// Elements of the stretched input, `i' + (i' − 1)(s − 1)`.
    pub extent: usize,
    /// Taps, `k' = k`, the last one first.
    pub kernel: usize,
    /// Distance between neighbouring taps, as it was.
    pub dilation: usize,
    /// Zeros before the stretched input, `p' = ke − p − 1`; where negative, so many of its elements
    /// are cut off instead.
    pub before: isize,
    /// Zeros behind it, `ke − p − 1 + a`; where negative, as before.
    pub after: isize,
    /// `a = (i + 2p − ke) mod s`: elements behind the last placement of the convolution, which the
    /// layer gets back as rows at the far side. With output padding beyond a stride it is larger.
    pub remainder: usize,
    /// Elements of the layer's output, `o' = s(i' − 1) + a + ke − 2p`.
    pub output: usize,
}

impl Stretched {
    /// The stride of the direct convolution.
    pub const STRIDE: usize = 1;

    /// Elements of the stretched input after zeros were added and elements cut off.
    pub fn padded(&self) -> usize {
        self.output + self.dilation * (self.kernel - 1)
    }

    /// The walk of the direct convolution along this axis, over the stretched input with its padding in it.
    pub fn window(&self) -> Window {
        Window {
            input: self.padded(),
            kernel: self.kernel,
            stride: Self::STRIDE,
            dilation: self.dilation,
            before: 0,
            after: 0,
            output: self.output,
        }
    }

    /// The element of the layer's input that stands at `position` of the padded, stretched input;
    /// `None` is a zero.
    pub fn source(&self, position: usize) -> Option<usize> {
        let at = usize::try_from(position as isize - self.before).ok()?;
        let step = self.zeros + 1;
        (at % step == 0)
            .then_some(at / step)
            .filter(|&index| index < self.input)
    }
}

impl Window {
    /// The backward-data pass along this axis as a direct convolution.
    pub fn stretched(&self) -> Stretched {
        let full = self.effective_kernel() as isize - 1;
        let remainder = self.behind();
        Stretched {
            input: self.output,
            zeros: self.stride - 1,
            extent: self.position(self.output - 1, 0) + 1,
            kernel: self.kernel,
            dilation: self.dilation,
            before: full - self.before as isize,
            after: full - self.after as isize + remainder as isize,
            remainder,
            output: self.input,
        }
    }
}

impl ConvGeometry {
    /// The backward-data pass as a direct convolution over the stretched and padded input, whose
    /// weight is this one's with input and output channels of each group exchanged and every axis
    /// turned round. Padding stands in its input already: see [`Stretched`].
    pub fn stretched(&self) -> Self {
        Self {
            in_channels: self.out_channels,
            out_channels: self.in_channels,
            windows: self
                .windows
                .each_ref()
                .map(|window| window.stretched().window()),
            ..*self
        }
    }
}
