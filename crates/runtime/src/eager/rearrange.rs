//! Operators that only move elements, applied to tensors.

use geometry::{PadDesc, PixelShuffleDesc, SliceDesc};
use graph::{Op, RearrangeOp};
use tensor::Tensor;

use super::{Eager, Element};
use crate::RuntimeError;

impl Eager {
    /// Pads every axis by its amounts, or crops where they are negative; `value` is what a constant
    /// padding holds. Reflection, edge and circle as PyTorch's `pad` and ONNX's Pad-19 (*wrap*).
    ///
    /// ```
    /// use geometry::{PadDesc, PadMode};
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 1, 3], &[1.0f32, 2.0, 3.0])?;
    /// let mirrored = PadDesc::spatial(PadMode::Reflect, &[(0, 0), (2, 1)]);
    /// assert_eq!(eager.pad(&x, mirrored, 0.0)?.data(), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    /// let around = PadDesc::spatial(PadMode::Circular, &[(0, 0), (1, 1)]);
    /// assert_eq!(eager.pad(&x, around, 0.0)?.data(), [3.0, 1.0, 2.0, 3.0, 1.0]);
    /// let moved = PadDesc::spatial(PadMode::Constant, &[(0, 0), (-1, 1)]);
    /// assert_eq!(eager.pad(&x, moved, 9.0)?.data(), [2.0, 3.0, 9.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Amounts for another number of axes, a crop of more than there is, or padding past what the mode
    /// allows: a reflection must stay below the extent, a circle must not pass it.
    pub fn pad<T: Element>(
        &self,
        x: &Tensor<T>,
        desc: PadDesc,
        value: f32,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.moved(RearrangeOp::Pad { desc, value }, &[x])
    }

    /// Every step-th element of some axes, as Python's `start:stop:step` and ONNX's Slice: negative
    /// places count from the end, places past an end are moved to it, negative steps run backwards.
    ///
    /// ```
    /// use geometry::SliceDesc;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// let turned = SliceDesc::new().axis(-1, -1, i64::MIN, -2);
    /// let y = eager.slice(&x, turned)?;
    /// assert_eq!((y.dims(), y.data()), (&[2, 2][..], &[3.0, 1.0, 6.0, 4.0][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// An axis that does not exist or is named twice, or a step of 0.
    pub fn slice<T: Element>(
        &self,
        x: &Tensor<T>,
        desc: SliceDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.moved(RearrangeOp::Slice { desc }, &[x])
    }

    /// Tensors side by side along an axis; a negative one counts from the end.
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let a = Tensor::from_slice(&[2, 1], &[1.0f32, 2.0])?;
    /// let b = Tensor::from_slice(&[2, 2], &[3.0f32, 4.0, 5.0, 6.0])?;
    /// assert_eq!(eager.concat(1, &[&a, &b])?.data(), [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// No tensors, more than a call takes, or extents that differ on another axis.
    pub fn concat<T: Element>(
        &self,
        axis: i64,
        parts: &[&Tensor<T>],
    ) -> Result<Tensor<T>, RuntimeError> {
        self.moved(RearrangeOp::Concat { axis }, parts)
    }

    /// Axes in another order: axis `i` of the result is axis `axes[i]` of `x` (PyTorch's `permute`,
    /// ONNX's Transpose).
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// let y = eager.permute(&x, &[1, 0])?;
    /// assert_eq!((y.dims(), y.data()), (&[3, 2][..], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A list that does not name every axis once.
    pub fn permute<T: Element>(
        &self,
        x: &Tensor<T>,
        axes: &[usize],
    ) -> Result<Tensor<T>, RuntimeError> {
        let axes = axes.to_vec();
        self.moved(RearrangeOp::Permute { axes }, &[x])
    }

    /// Channels turned into pixels: `[n, C·f², h, w] → [n, C, h·f, w·f]`, in PyTorch's order or that of
    /// ONNX's DepthToSpace (Shi et al. 2016, *Real-time single image and video super-resolution using an
    /// efficient sub-pixel convolutional neural network*).
    ///
    /// ```
    /// use geometry::PixelShuffleDesc;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 4, 1, 2], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])?;
    /// let y = eager.pixel_shuffle(&x, PixelShuffleDesc::new(2))?;
    /// assert_eq!(y.dims(), [1, 1, 2, 4]);
    /// assert_eq!(y.data(), [1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A tensor that is no feature map, a factor of 0, or channels that do not divide.
    pub fn pixel_shuffle<T: Element>(
        &self,
        x: &Tensor<T>,
        desc: PixelShuffleDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.moved(RearrangeOp::PixelShuffle { desc }, &[x])
    }

    /// Pixels turned into channels, the inverse of [`Eager::pixel_shuffle`]; with
    /// [`PixelOrder::BlockMajor`](geometry::PixelOrder::BlockMajor) ONNX's SpaceToDepth.
    ///
    /// ```
    /// use geometry::PixelShuffleDesc;
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0])?;
    /// let y = eager.pixel_unshuffle(&x, PixelShuffleDesc::new(2))?;
    /// assert_eq!((y.dims(), y.data()), (&[1, 4, 1, 1][..], &[1.0, 2.0, 3.0, 4.0][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A tensor that is no feature map, a factor of 0, or spatial extents that do not divide.
    pub fn pixel_unshuffle<T: Element>(
        &self,
        x: &Tensor<T>,
        desc: PixelShuffleDesc,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.moved(RearrangeOp::PixelUnshuffle { desc }, &[x])
    }

    /// Channels mixed between groups: seen as `[groups, c / groups]` and transposed (Zhang et al. 2018,
    /// *ShuffleNet*).
    ///
    /// ```
    /// use runtime::{Eager, RuntimeOptions};
    /// use tensor::Tensor;
    ///
    /// let eager = Eager::new(RuntimeOptions::default())?;
    /// let x = Tensor::from_slice(&[1, 6, 1], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(eager.channel_shuffle(&x, 2)?.data(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A tensor that is no feature map, or groups that are 0 or do not divide the channels.
    pub fn channel_shuffle<T: Element>(
        &self,
        x: &Tensor<T>,
        groups: usize,
    ) -> Result<Tensor<T>, RuntimeError> {
        self.moved(RearrangeOp::ChannelShuffle { groups }, &[x])
    }

    fn moved<T: Element>(
        &self,
        op: RearrangeOp,
        inputs: &[&Tensor<T>],
    ) -> Result<Tensor<T>, RuntimeError> {
        let inputs: Vec<_> = inputs.iter().copied().map(Into::into).collect();
        Ok(self.apply(Op::Rearrange(op), &inputs)?.remove(0).real())
    }
}
