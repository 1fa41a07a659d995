//! Transposed convolution, and its view as a convolution over a stretched input.
//!
//! The backward-data pass of a convolution, used as a layer; also called fractionally strided, and
//! wrongly deconvolution (Dumoulin & Visin 2016, *A guide to convolution arithmetic for deep learning*,
//! section 4). `x [n, c, spatial…]` and a weight `[c, o/g, kernel…]` give `[n, o, spatial'…]`, where an
//! axis of `n` elements becomes
//!
//! ```text
//! (n − 1)·s − before − after + d·(k − 1) + 1 + a        0 ≤ a < max(s, d)
//! ```
//!
//! Several sizes of input lead a strided convolution to one output; the output padding `a` says which of
//! them to return to.
//!
//! ```sh
//! convolve op conv-transposed:n1c1w2:o1k3s2a1 --input x.npy --weight w.npy --output y.npy
//! ```
//! ```
//! use convolve::geometry::{ConvDesc, Padding, TransposedDesc};
//! use convolve::graph::Op;
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let x = Tensor::from_slice(&[1, 1, 2], &[1.0f32, 2.0])?;
//! let weight = Tensor::from_slice(&[1, 1, 3], &[1.0, 10.0, 100.0])?;
//! let conv = ConvDesc::new(1, 3).stride(2);
//! // Each element puts down a copy of the kernel, two apart; a last row is reached by neither.
//! let up = TransposedDesc::new(conv.clone()).output_padding(1);
//! let y = eager.conv_transposed(&x, &weight, None, &up)?;
//! assert_eq!(y.data(), [1.0, 10.0, 102.0, 20.0, 200.0, 0.0]);
//!
//! // It is how the convolution from 6 elements to 2 carries gradients back.
//! let six = Tensor::<f32>::zeros(&[1, 1, 6])?;
//! let op = Op::Conv { desc: conv, bias: false, residual: false, activation: None };
//! let gradient = eager.pullback(op, &[(&six).into(), (&weight).into()], &x, &[0])?.remove(0);
//! assert_eq!(gradient.data(), y.data());
//!
//! // Sizes. A 3×3 of stride 2 and padding 1 makes 3 of 5 and of 6: a = (i + 2p − k) mod s.
//! let size = |desc: &TransposedDesc| desc.resolve(&[1, 3, 3]).map(|g| g.input_shape()[2]);
//! let back = TransposedDesc::new(ConvDesc::new(3, 3).stride(2).padding(1));
//! assert_eq!((size(&back)?, size(&back.clone().output_padding(1))?), (5, 6));
//! // As Keras counts: (n − 1)·s + max(k, s), or n·s.
//! let keras = |padding| TransposedDesc::keras(ConvDesc::new(3, 3).stride(2).padding(padding));
//! assert_eq!((size(&keras(Padding::Valid)?)?, size(&keras(Padding::Same)?)?), (7, 6));
//! // ONNX names the output.
//! assert_eq!(size(&back.for_output(&[1, 3, 3], &[6])?)?, 6);
//!
//! // Every input element is multiplied with every tap: 4 pixels, 3 channels, 4 taps.
//! let doubled = TransposedDesc::new(ConvDesc::new(1, 2).stride(2)).resolve(&[1, 3, 2, 2])?;
//! assert_eq!((doubled.input_shape(), doubled.macs()), (vec![1, 1, 4, 4], 48));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Stretched
//! The same numbers come of a convolution of stride 1: `s − 1` zeros between neighbours,
//! `p' = d·(k − 1) − p` zeros around them and `a` more behind, and the kernel turned round. No kernel
//! computes it so, as most products would be with zeros; [`Stretched`] has the numbers of the view.
//! ```
//! use convolve::geometry::{ConvDesc, SliceDesc, TransposedDesc};
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let x = Tensor::from_slice(&[1, 1, 2], &[1.0f32, 2.0])?;
//! let weight = Tensor::from_slice(&[1, 1, 3], &[1.0, 10.0, 100.0])?;
//! let up = TransposedDesc::new(ConvDesc::new(1, 3).stride(2)).output_padding(1);
//!
//! // Of the three axes the last is the one the problem has.
//! let [_, _, axis] = up.stretched(x.dims())?;
//! assert_eq!((axis.zeros, axis.extent, axis.before, axis.after), (1, 3, 2, 3));
//! let element = |at| axis.source(at).map_or(0.0, |index| x.data()[index]);
//! let stretched: Vec<f32> = (0..axis.padded()).map(element).collect();
//! assert_eq!(stretched, [0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 0.0]);
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let stretched = Tensor::from_slice(&[1, 1, stretched.len()], &stretched)?;
//! let turned = eager.slice(&weight, SliceDesc::new().axis(-1, -1, i64::MIN, -1))?;
//! assert_eq!(turned.data(), [100.0, 10.0, 1.0]);
//! let y = eager.conv(&stretched, &turned, None, &ConvDesc::new(1, 3))?;
//! assert_eq!(y.data(), [1.0, 10.0, 102.0, 20.0, 200.0, 0.0]);
//! assert_eq!(y.data(), eager.conv_transposed(&x, &weight, None, &up)?.data());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Stretched`]: crate::geometry::Stretched
