//! Convolution: axes, strides, dilations, padding, groups, and the two ways of computing it.
//!
//! A convolution takes `x [n, c, spatial…]` and a weight `[o, c/g, kernel…]` to `[n, o, spatial'…]`,
//! where an axis of `n` elements becomes
//!
//! ```text
//! ⌊(n + before + after − d·(k − 1) − 1) / s⌋ + 1
//! ```
//!
//! It is the cross-correlation of deep learning: the kernel is not turned round. [`ConvDesc`] says what
//! is asked for, [`Eager::conv`] computes it on tensors, [`NetworkBuilder::conv`] puts it in a network.
//!
//! | kind | token | source |
//! |---|---|---|
//! | one axis | `conv:n1c1w4:o1k3` | LeCun et al. 1989 |
//! | two axes | `conv:n1c2h2w2:o1k2` | |
//! | three axes | `conv:n1c1d2h2w2:o1k2` | |
//! | strided | `conv:n1c1w5:o1k3s2` | Dumoulin & Visin 2016 |
//! | dilated | `conv:n1c1w5:o1k3p2d2` | Yu & Koltun 2016 |
//! | padded by a rule | `conv:n1c1w4:o1k3s2psame`, `psame-lower`, `pfull`, `p2,0` | |
//! | padded by the input itself | `conv:n1c1w3:o1k3p1,reflect`, `,replicate`, `,circular` | |
//! | pointwise | `conv:n1c2h1w2:o3k1` | Lin et al. 2014 |
//! | depthwise, two filters a channel | `conv:n1c2w3:o4k2g2` | Sifre 2014 |
//! | grouped | `conv:n1c4w1:o2k1g2` | Krizhevsky et al. 2012 |
//!
//! Every token is a command, and what the examples below compute is what it writes:
//!
//! ```sh
//! convolve op conv:n1c1w5:o1k3s2 --input x.npy --weight w.npy --output y.npy
//! convolve op conv:n1c1w5:o1k3s2 --direction backward-data --grad dy.npy --weight w.npy --output dx.npy
//! ```
//!
//! # One, two and three axes
//! ```
//! use convolve::geometry::ConvDesc;
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//!
//! let line = Tensor::from_slice(&[1, 1, 4], &[1.0f32, 2.0, 4.0, 8.0])?;
//! let slope = Tensor::from_slice(&[1, 1, 3], &[-1.0, 0.0, 1.0])?;
//! let y = eager.conv(&line, &slope, None, &ConvDesc::new(1, 3))?;
//! assert_eq!((y.dims(), y.data()), (&[1, 1, 2][..], &[4.0 - 1.0, 8.0 - 2.0][..]));
//!
//! // One number for all axes, or one each: a 2×2 kernel over two channels.
//! let eight = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
//! let planes = Tensor::from_slice(&[1, 2, 2, 2], &eight)?;
//! let ones = Tensor::from_slice(&[1, 2, 2, 2], &[1.0; 8])?;
//! let bias = Tensor::from_slice(&[1], &[0.5])?;
//! let y = eager.conv(&planes, &ones, Some(&bias), &ConvDesc::new(1, [2, 2]))?;
//! assert_eq!((y.dims(), y.data()), (&[1, 1, 1, 1][..], &[36.5][..]));
//!
//! let cube = Tensor::from_slice(&[1, 1, 2, 2, 2], &eight)?;
//! let ones = Tensor::from_slice(&[1, 1, 2, 2, 2], &[1.0; 8])?;
//! assert_eq!(eager.conv(&cube, &ones, None, &ConvDesc::new(1, 2))?.data(), [36.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Stride, dilation and padding
//! The amounts of padding are a rule ([`Padding`]), and what it holds is a mode ([`PaddingMode`]). The last
//! example is a known answer of TensorFlow's own tests, whose tensors are channels last.
//! ```
//! use convolve::geometry::{ConvDesc, Padding, PaddingMode};
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let sum = Tensor::from_slice(&[1, 1, 3], &[1.0f32; 3])?;
//! let of = |x: &[f32], desc: ConvDesc| -> Result<Vec<f32>, Box<dyn std::error::Error>> {
//!     let x = Tensor::from_slice(&[1, 1, x.len()], x)?;
//!     Ok(eager.conv(&x, &sum, None, &desc)?.data().to_vec())
//! };
//! let conv = ConvDesc::new(1, 3);
//!
//! let five = [1.0, 2.0, 3.0, 4.0, 5.0];
//! assert_eq!(of(&five, conv.clone().stride(2))?, [6.0, 12.0]);
//! // Taps two apart: 1 + 3 + 5 in the middle, and as many outputs as inputs with a padding of 2.
//! assert_eq!(of(&five, conv.clone().dilation(2).padding(2))?, [4.0, 6.0, 9.0, 6.0, 8.0]);
//!
//! let (four, strided) = ([1.0, 2.0, 3.0, 4.0], conv.clone().stride(2));
//! // One element is missing: behind the input, or before it.
//! assert_eq!(of(&four, strided.clone().padding(Padding::Same))?, [6.0, 7.0]);
//! assert_eq!(of(&four, strided.padding(Padding::SameLower))?, [3.0, 9.0]);
//! assert_eq!(of(&four, conv.clone().padding(Padding::Full))?, [1.0, 3.0, 6.0, 9.0, 7.0, 4.0]);
//! let causal = Padding::Explicit(vec![(2, 0)]);
//! assert_eq!(of(&four, conv.clone().padding(causal))?, [1.0, 3.0, 6.0, 9.0]);
//!
//! let padded = conv.padding(1);
//! let mode = |mode| of(&[1.0, 2.0, 3.0], padded.clone().padding_mode(mode));
//! assert_eq!(mode(PaddingMode::Zeros)?, [3.0, 6.0, 5.0]);
//! assert_eq!(mode(PaddingMode::Reflect)?, [5.0, 6.0, 7.0]);
//! assert_eq!(mode(PaddingMode::Replicate)?, [4.0, 6.0, 8.0]);
//! assert_eq!(mode(PaddingMode::Circular)?, [6.0, 6.0, 6.0]);
//!
//! // 1, 2, 3 … in [n, h, w, c] and [kh, kw, c, o], turned to [n, c, h, w] and [o, c, kh, kw].
//! let counted = |len: u8| (1..=len).map(f32::from).collect::<Vec<_>>();
//! let x = eager.permute(&Tensor::from_slice(&[1, 2, 3, 3], &counted(18))?, &[0, 3, 1, 2])?;
//! let w = eager.permute(&Tensor::from_slice(&[2, 2, 3, 3], &counted(36))?, &[3, 2, 0, 1])?;
//! let y = eager.conv(&x, &w, None, &ConvDesc::new(3, 2).stride(2).padding(Padding::Same))?;
//! let y = eager.permute(&y, &[0, 2, 3, 1])?;
//! assert_eq!(y.dims(), [1, 1, 2, 3]);
//! assert_eq!(y.data(), [2271.0, 2367.0, 2463.0, 1230.0, 1305.0, 1380.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Three ways: in place, as a matrix product, and short
//! A convolution is a sum over a window that moves (*direct*), or the product of the weight with a matrix
//! that has a column for every window (*im2col*; Chellapilla et al. 2006). Both are here and agree; the
//! *reference* is the definition, element by element. Left alone, a plan takes the first of
//! [`Algorithm::ALL`] that serves the problem; one that does not says why.
//!
//! With stride one, *short* convolutions compute two or four neighbouring outputs an axis of fewer products
//! (`winograd-2`, `winograd-4`; Winograd 1980, Lavin and Gray 2015): 4 or 2.25 in the place of the 9 of a 3×3
//! kernel. A plan takes them where it expects them to be quicker. Their sums are not of products of operands, so
//! they differ from the other algorithms in the last digits, by some millionths of the result's norm, and a
//! value that is infinite, NaN or near the largest number (1e37) spoils a few neighbours too. Options that are *strict*
//! ([`RuntimeOptions::strict`](crate::runtime::RuntimeOptions), `--strict`) leave them out; `convolve op` is
//! strict in any case.
//!
//! `convolve op PROBLEM --algorithm im2col …` and `convolve bench --problem PROBLEM --algorithm im2col`
//! choose too.
//! ```
//! use convolve::geometry::ConvDesc;
//! use convolve::kernels::conv::Algorithm;
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let x = Tensor::from_slice(&[1, 1, 3, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])?;
//! let weight = Tensor::from_slice(&[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0])?;
//! let by = |algorithm| Eager::new(RuntimeOptions { algorithm, ..RuntimeOptions::default() });
//! for algorithm in [Algorithm::Direct, Algorithm::Im2col, Algorithm::Reference] {
//!     let y = by(Some(algorithm))?.conv(&x, &weight, None, &ConvDesc::new(1, 2))?;
//!     assert_eq!(y.data(), [37.0, 47.0, 67.0, 77.0]);
//! }
//!
//! // The matrix of windows, here with a row for each, times the weight.
//! let windows = [1.0, 2.0, 4.0, 5.0, 2.0, 3.0, 5.0, 6.0, 4.0, 5.0, 7.0, 8.0, 5.0, 6.0, 8.0, 9.0];
//! let windows = Tensor::from_slice(&[4, 4], &windows)?;
//! let row = Tensor::from_slice(&[1, 4], weight.data())?;
//! assert_eq!(by(None)?.linear(&windows, &row, None)?.data(), [37.0, 47.0, 67.0, 77.0]);
//!
//! let refused = by(Some(Algorithm::Depthwise))?.conv(&x, &weight, None, &ConvDesc::new(1, 2));
//! assert!(refused.unwrap_err().to_string().contains("depthwise"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Between channels: pointwise, depthwise, grouped, shuffled
//! With `g` groups an output channel sees `c/g` input channels, and the weight is `g` times smaller. As many
//! groups as channels make it *depthwise*: channel `c` has the filters `c·m … c·m + m − 1`, `m` being the
//! multiplier. A kernel of 1 is *pointwise*. A shuffle between grouped convolutions lets the second see
//! what all groups of the first have made (Zhang et al. 2018, *ShuffleNet*);
//! [`NetworkBuilder::channel_shuffle`] is its layer. It has no token, for it has no window.
//! ```
//! use convolve::geometry::ConvDesc;
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//!
//! // Pointwise: both channels, and their sum.
//! let x = Tensor::from_slice(&[1, 2, 1, 2], &[1.0f32, 2.0, 3.0, 4.0])?;
//! let weight = Tensor::from_slice(&[3, 2, 1, 1], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0])?;
//! let y = eager.conv(&x, &weight, None, &ConvDesc::new(3, 1))?;
//! assert_eq!(y.data(), [1.0, 2.0, 3.0, 4.0, 4.0, 6.0]);
//!
//! // Depthwise: a sum and a difference of each channel.
//! let x = Tensor::from_slice(&[1, 2, 3], &[1.0, 2.0, 4.0, 5.0, 7.0, 9.0])?;
//! let weight = Tensor::from_slice(&[4, 1, 2], &[1.0, 1.0, -1.0, 1.0, 1.0, 1.0, -1.0, 1.0])?;
//! let y = eager.conv(&x, &weight, None, &ConvDesc::new(4, 2).groups(2))?;
//! assert_eq!(y.data(), [3.0, 6.0, 1.0, 2.0, 12.0, 16.0, 2.0, 2.0]);
//!
//! // Grouped: pairs of channels.
//! let x = Tensor::from_slice(&[1, 4, 1], &[1.0, 2.0, 3.0, 4.0])?;
//! let weight = Tensor::from_slice(&[2, 2, 1], &[1.0; 4])?;
//! let pairs = ConvDesc::new(2, 1).groups(2);
//! assert_eq!(eager.conv(&x, &weight, None, &pairs)?.data(), [3.0, 7.0]);
//! assert_eq!(pairs.resolve(x.dims())?.macs() * 2, ConvDesc::new(2, 1).resolve(x.dims())?.macs());
//!
//! // Shuffled first, each pair has a channel of either group.
//! let mixed = eager.channel_shuffle(&x, 2)?;
//! assert_eq!(mixed.data(), [1.0, 3.0, 2.0, 4.0]);
//! assert_eq!(eager.conv(&mixed, &weight, None, &pairs)?.data(), [4.0, 6.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`ConvDesc`]: crate::geometry::ConvDesc
//! [`Padding`]: crate::geometry::Padding
//! [`PaddingMode`]: crate::geometry::PaddingMode
//! [`Algorithm::ALL`]: crate::kernels::conv::Algorithm::ALL
//! [`Eager::conv`]: crate::runtime::Eager::conv
//! [`NetworkBuilder::conv`]: crate::graph::NetworkBuilder::conv
//! [`NetworkBuilder::channel_shuffle`]: crate::graph::NetworkBuilder::channel_shuffle
