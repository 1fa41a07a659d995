//! Deformable convolution, without and with a mask.
//!
//! Every tap of every placement is moved by an offset of its own, and reads between pixels by bilinear
//! interpolation, 0 off the map (Dai et al. 2017). In the second version a mask weighs every sample too
//! (Zhu et al. 2018).
//!
//! | tensor | shape |
//! |---|---|
//! | `x` | `[n, c, h, w]` |
//! | offset | `[n, f·kh·kw·2, oh, ow]`, for each of `f` groups of channels and each tap: down, across |
//! | mask | `[n, f·kh·kw, oh, ow]`, used as it is |
//! | weight | `[o, c/g, kh, kw]` |
//! | result | `[n, o, oh, ow]` |
//!
//! In the token `f` is the offset groups and `m` says that there is a mask:
//!
//! ```sh
//! convolve op conv-deformable:n1c1h3w3:o1k2f1m \
//!     --input x.npy --offset p.npy --mask m.npy --weight w.npy --output y.npy
//! convolve op conv-deformable:n1c1h3w3:o1k2f1 --direction backward-offset \
//!     --input x.npy --offset p.npy --weight w.npy --grad dy.npy --output dp.npy
//! ```
//! ```
//! use convolve::geometry::{ConvDesc, DeformableDesc};
//! use convolve::graph::NetworkBuilder;
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let x = Tensor::from_slice(&[1, 1, 3, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])?;
//! let weight = Tensor::from_slice(&[1, 1, 2, 2], &[1.0; 4])?;
//! let desc = DeformableDesc::new(ConvDesc::new(1, 2));
//! assert_eq!(desc.resolve(x.dims())?.offset_shape(), [1, 8, 2, 2]);
//!
//! // Offsets of zero: a plain convolution.
//! let mut offset = Tensor::zeros(&[1, 8, 2, 2])?;
//! let y = eager.deform_conv2d(&x, &offset, None, &weight, None, &desc)?;
//! assert_eq!(y.data(), [12.0, 16.0, 24.0, 28.0]);
//!
//! // The first tap moves half a pixel down and half across, where it finds 3 in the place of 1, and so on.
//! offset.data_mut()[..8].fill(0.5);
//! let y = eager.deform_conv2d(&x, &offset, None, &weight, None, &desc)?;
//! assert_eq!(y.data(), [14.0, 18.0, 26.0, 30.0]);
//!
//! // The second version, every sample taken by half.
//! let desc = desc.modulated(true);
//! let mask = Tensor::from_slice(&[1, 4, 2, 2], &[0.5; 16])?;
//! let y = eager.deform_conv2d(&x, &offset, Some(&mask), &weight, None, &desc)?;
//! assert_eq!(y.data(), [7.0, 9.0, 13.0, 15.0]);
//!
//! // As a layer that learns its offsets and its mask by a convolution of 3·kh·kw outputs.
//! let mut network = NetworkBuilder::new("deformable", [1, 16, 28, 28]);
//! let images = network.input();
//! let desc = DeformableDesc::new(ConvDesc::new(32, 3).padding(1)).modulated(true);
//! let y = network.deformable_layer("conv", images, desc, false)?;
//! let network = network.finish(y)?;
//! let first = network.parameters().next().map(|(_, weight)| weight.shape.clone());
//! assert_eq!(first, Some(vec![27, 16, 3, 3]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
