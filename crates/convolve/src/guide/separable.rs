//! Depthwise-separable convolution: a filter for each channel, then a mixture of channels.
//!
//! | tensor | shape |
//! |---|---|
//! | `x` | `[n, c, spatial…]` |
//! | depthwise weight | `[c·m, 1, kernel…]`, filter `q` of channel `c` at `c·m + q` |
//! | pointwise weight | `[o, c·m, 1…]` |
//! | result | `[n, o, spatial'…]` |
//!
//! With `o` outputs, a kernel of `k` taps and one filter a channel it costs `1/o + 1/k` of the convolution
//! that does both at once (Sifre 2014; Howard et al. 2017, *MobileNets*).
//!
//! ```sh
//! convolve op conv-separable:n1c2w3:o1k2m1 --input x.npy --weight w.npy --pointwise v.npy --output y.npy
//! convolve bench --problem conv-separable:n1c32h112w112:o64k3psamem1
//! ```
//! ```
//! use convolve::geometry::{ConvDesc, SeparableDesc};
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let x = Tensor::from_slice(&[1, 2, 3], &[1.0f32, 2.0, 4.0, 5.0, 7.0, 9.0])?;
//! // Sums of the first channel, differences of the second; ten of these and one of those.
//! let depthwise = Tensor::from_slice(&[2, 1, 2], &[1.0, 1.0, -1.0, 1.0])?;
//! let pointwise = Tensor::from_slice(&[1, 2, 1], &[10.0, 1.0])?;
//! let desc = SeparableDesc::new(ConvDesc::new(1, 2));
//! let y = eager.conv_separable(&x, &depthwise, Some(&pointwise), None, &desc)?;
//! assert_eq!(y.data(), [32.0, 62.0]);
//!
//! let stage = SeparableDesc::new(ConvDesc::new(64, 3).padding(1)).resolve(&[1, 32, 112, 112])?;
//! assert_eq!(stage.cost().parameters, 9 * 32 + 32 * 64);
//! assert_eq!(stage.ratio()?, (73, 576)); // 1/64 + 1/9
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # As a layer
//! [`Separable`] has all settings of TensorFlow-Slim's `separable_convolution2d`: outputs or none, multiplier,
//! stride, padding, rate, the order of axes, activation, norm or bias, initialisers, regularisers, sharing
//! by name, and whether it learns. Unset, each is as in Slim, but for the order of axes.
//! ```
//! use convolve::graph::{NetworkBuilder, Normaliser, Regulariser, Separable};
//! use convolve::runtime::{Evaluation, Run};
//! use convolve::tensor::{Layout, Unary};
//!
//! let mut network = NetworkBuilder::new("separable", [1, 2, 3, 3]);
//! let x = network.input();
//! let layer = Separable::new(Some(3), 3).weights_regulariser(Regulariser::l2(4e-5));
//! let y = network.separable("sep", x, &layer)?;
//! let network = network.finish(y)?;
//! let parameters: Vec<_> = network.parameters().collect();
//! let names: Vec<_> = parameters.iter().map(|(_, value)| value.name.as_str()).collect();
//! assert_eq!(names, ["sep.conv_dw.weight", "sep.conv_pw.weight", "sep.conv_pw.bias"]);
//!
//! // All ones: the middle sums nine pixels of two channels, a corner four of each; then the bias.
//! let mut run = Evaluation::new(&network)?;
//! for id in parameters.iter().map(|&(id, _)| id).chain([x]) {
//!     run.value_mut(id).fill(1.0);
//! }
//! run.run(Run::default());
//! assert_eq!(run.value(y)[..5], [9.0, 13.0, 9.0, 13.0, 19.0]);
//!
//! // Channels last, two filters a channel and no mixture, with a norm in the place of the bias.
//! let mut network = NetworkBuilder::new("channels last", [8, 32, 32, 3]);
//! let x = network.input();
//! let layer = Separable::new(None, [3, 3]).depth_multiplier(2).stride(2);
//! let layer = layer.data_format("NHWC".parse::<Layout>()?).activation(Some(Unary::SILU));
//! let y = network.separable("sep", x, &layer.normaliser(Some(Normaliser::Group { groups: 2 })))?;
//! assert_eq!(network.shape(y)?, [8, 16, 16, 6]);
//!
//! // What has no meaning is refused: TensorFlow has no dilated kernel that strides.
//! let refused = network.separable("other", x, &Separable::new(Some(4), 3).rate(2).stride(2));
//! assert!(refused.is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Separable`]: crate::graph::Separable
