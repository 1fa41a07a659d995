//! Maps resized, rearranged and combined: resize, pixel shuffle, pad, slice, concatenate, arithmetic.
//!
//! | kind | shapes | operator | source |
//! |---|---|---|---|
//! | resize | `[n, c, spatial…] → [n, c, spatial'…]` | [`resize`] | ONNX Resize |
//! | pixel shuffle, and back | `[n, c·f², h, w] → [n, c, h·f, w·f]` | [`pixel_shuffle`], [`pixel_unshuffle`] | Shi et al. 2016 |
//! | channel shuffle | `[n, c, …] → [n, c, …]` | [`channel_shuffle`] | Zhang et al. 2018 |
//! | pad or crop | any | [`pad`] | ONNX Pad |
//! | slice, permute | any | [`slice`], [`permute`] | ONNX Slice, Transpose |
//! | concatenate | equal but for one axis | [`concat`] | ONNX Concat |
//! | arithmetic | any, broadcast | [`add`], [`sub`], [`mul`], [`div`], [`pow`], … | NumPy |
//! | reductions | axes become 1 | [`sum`], [`mean`], [`amax`] | ONNX Reduce… |
//!
//! None has a token: they have no window.
//! ```
//! use convolve::geometry::{PadDesc, PadMode, PixelShuffleDesc, ResizeDesc, SliceDesc};
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//!
//! // By nearest elements, and linearly: an output element is half an input element wide.
//! let x = Tensor::from_slice(&[1, 1, 2], &[10.0f32, 20.0])?;
//! assert_eq!(eager.resize(&x, ResizeDesc::nearest(4))?.data(), [10.0, 10.0, 20.0, 20.0]);
//! assert_eq!(eager.resize(&x, ResizeDesc::linear(4))?.data(), [10.0, 12.5, 17.5, 20.0]);
//!
//! // Four channels become a 2×2 block, and channels again.
//! let deep = Tensor::from_slice(&[1, 4, 1, 1], &[1.0f32, 2.0, 3.0, 4.0])?;
//! let wide = eager.pixel_shuffle(&deep, PixelShuffleDesc::new(2))?;
//! assert_eq!((wide.dims(), wide.data()), (&[1, 1, 2, 2][..], deep.data()));
//! assert_eq!(eager.pixel_unshuffle(&wide, PixelShuffleDesc::new(2))?.dims(), deep.dims());
//!
//! // Amounts (before, after); a negative one crops.
//! let x = Tensor::from_slice(&[1, 1, 3], &[1.0f32, 2.0, 3.0])?;
//! let padded = |mode, before, after| eager.pad(&x, PadDesc::spatial(mode, &[(before, after)]), 9.0);
//! assert_eq!(padded(PadMode::Constant, 1, -1)?.data(), [9.0, 1.0, 2.0]);
//! assert_eq!(padded(PadMode::Reflect, 2, 0)?.data(), [3.0, 2.0, 1.0, 2.0, 3.0]);
//!
//! // axis, start, stop, step, as in Python.
//! assert_eq!(eager.slice(&x, SliceDesc::new().axis(-1, 1, 3, 1))?.data(), [2.0, 3.0]);
//! let both = eager.concat(1, &[&x, &x])?;
//! assert_eq!((both.dims(), both.data()), (&[1, 2, 3][..], &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0][..]));
//! assert_eq!(eager.permute(&both, &[0, 2, 1])?.data(), [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
//!
//! // A residual, a factor for each channel as squeeze-and-excitation has it (Hu et al. 2018), a mean.
//! assert_eq!(eager.add(&x, &x)?.data(), [2.0, 4.0, 6.0]);
//! let factors = Tensor::from_slice(&[2, 1], &[10.0, 100.0])?;
//! assert_eq!(eager.mul(&both, &factors)?.data(), [10.0, 20.0, 30.0, 100.0, 200.0, 300.0]);
//! assert_eq!(eager.mean(&both, &[-1])?.data(), [2.0, 2.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`resize`]: crate::runtime::Eager::resize
//! [`pixel_shuffle`]: crate::runtime::Eager::pixel_shuffle
//! [`pixel_unshuffle`]: crate::runtime::Eager::pixel_unshuffle
//! [`channel_shuffle`]: crate::runtime::Eager::channel_shuffle
//! [`pad`]: crate::runtime::Eager::pad
//! [`slice`]: crate::runtime::Eager::slice
//! [`permute`]: crate::runtime::Eager::permute
//! [`concat`]: crate::runtime::Eager::concat
//! [`add`]: crate::runtime::Eager::add
//! [`sub`]: crate::runtime::Eager::sub
//! [`mul`]: crate::runtime::Eager::mul
//! [`div`]: crate::runtime::Eager::div
//! [`pow`]: crate::runtime::Eager::pow
//! [`sum`]: crate::runtime::Eager::sum
//! [`mean`]: crate::runtime::Eager::mean
//! [`amax`]: crate::runtime::Eager::amax
