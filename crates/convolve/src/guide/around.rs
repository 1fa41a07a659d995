//! Around a convolution: norms, activations, softmax, fully connected layers.
//!
//! # Norms
//! `y = γ·(x − μ)/√(σ² + ε) + β`; what differs is over what μ and σ² are taken. Maps are `[n, c, …]`, γ and β
//! `[c]`, of a layer norm the shape of the axes it is over.
//!
//! | kind | μ and σ² over | operator | source |
//! |---|---|---|---|
//! | batch | a channel of the batch | [`batch_norm`], [`batch_norm_training`] | Ioffe & Szegedy 2015 |
//! | group | a group of channels of an image | [`group_norm`] | Wu & He 2018 |
//! | instance | a channel of an image | [`instance_norm`] | Ulyanov et al. 2016 |
//! | layer | the axes from one on | [`layer_norm`] | Ba et al. 2016 |
//! | channel | the channels of a pixel | [`channel_norm`] | Liu et al. 2022 |
//! | local response | none: divides by neighbouring channels | [`local_response_norm`] | Krizhevsky et al. 2012 |
//! ```
//! use convolve::graph::LocalResponse;
//! use convolve::runtime::eager::Parameters;
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! // Two channels of two pixels; every pair normalises to −1 and 1.
//! let x = Tensor::from_slice(&[1, 2, 2], &[1.0f64, 3.0, 10.0, 30.0])?;
//! let (gamma, beta) = (Tensor::from_slice(&[2], &[1.0, 2.0])?, Tensor::from_slice(&[2], &[0.0, 5.0])?);
//! let affine = Parameters::new(&gamma, &beta);
//! assert_eq!(eager.instance_norm(&x, affine, 0.0)?.data(), [-1.0, 1.0, 3.0, 7.0]);
//! assert_eq!(eager.group_norm(&x, 2, affine, 0.0)?.data(), [-1.0, 1.0, 3.0, 7.0]);
//! assert_eq!(eager.layer_norm(&x, -1, affine, 0.0)?.data(), [-1.0, 7.0, -1.0, 7.0]);
//! assert_eq!(eager.channel_norm(&x, Parameters::none(), 0.0)?.data(), [-1.0, -1.0, 1.0, 1.0]);
//!
//! // In training by the batch, while running statistics move; afterwards by those.
//! let (mean, var) = (Tensor::from_slice(&[2], &[0.0, 0.0])?, Tensor::from_slice(&[2], &[1.0, 1.0])?);
//! let made = eager.batch_norm_training(&x, &mean, &var, affine, 0.0, 0.1)?;
//! assert_eq!(made.y.data(), [-1.0, 1.0, 3.0, 7.0]);
//! assert_eq!(made.mean.data(), [2.0, 20.0]);
//! // A tenth of the way from 1 to 2, the unbiased variance of 1 and 3.
//! assert!((made.running_var.data()[0] - 1.1).abs() < 1e-7);
//! assert_eq!(eager.batch_norm(&x, &mean, &var, affine, 0.0)?.data(), [1.0, 3.0, 25.0, 65.0]);
//!
//! // x/(k + α/n·Σx²)^β, here over all three channels of the middle: 2/(1 + 1 + 4 + 9).
//! let settings = LocalResponse { alpha: 3.0, beta: 1.0, ..LocalResponse::new(3) };
//! let y = eager.local_response_norm(&Tensor::from_slice(&[1, 3], &[1.0f64, 2.0, 3.0])?, settings)?;
//! assert!((y.data()[1] - 2.0 / 15.0).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Activations, softmax, fully connected
//! [`Unary`] lists the functions of one element: all activations that ONNX names, and plain arithmetic.
//! None of these has a token; in a network ReLU and ReLU6 are fused with the convolution before them.
//! ```
//! use convolve::runtime::{Eager, Run, RuntimeOptions};
//! use convolve::tensor::{Tensor, Unary};
//!
//! let eager = Eager::new(RuntimeOptions::default())?.seeded(Run { seed: 7, step: 1 });
//! let x = Tensor::from_slice(&[1, 2, 2], &[-4.0f32, 1.0, -1.0, 8.0])?;
//! assert_eq!(eager.relu(&x)?.data(), [0.0, 1.0, 0.0, 8.0]);
//! assert_eq!(eager.leaky_relu(&x, 0.25)?.data(), [-1.0, 1.0, -0.25, 8.0]);
//! assert_eq!(eager.unary(&x, Unary::RELU6)?.data(), [0.0, 1.0, 0.0, 6.0]);
//! assert_eq!(eager.unary(&x, Unary::HardSwish)?.data()[3], 8.0);
//! // A slope for each channel, which learns (He et al. 2015).
//! let slope = Tensor::from_slice(&[2], &[0.5, 0.125])?;
//! assert_eq!(eager.prelu(&x, &slope)?.data(), [-2.0, 1.0, -0.125, 8.0]);
//!
//! // e⁰ : e^(ln 3) is 1 : 3.
//! let logits = Tensor::from_slice(&[1, 2], &[0.0, 3f64.ln()])?;
//! assert!((eager.softmax(&logits, -1)?.data()[1] - 0.75).abs() < 1e-12);
//! assert!((eager.log_softmax(&logits, -1)?.data()[0] - 0.25f64.ln()).abs() < 1e-12);
//! let loss = eager.cross_entropy(&logits, &Tensor::from_slice(&[1], &[0])?, 0.0)?;
//! assert!((loss.data()[0] - 4f64.ln()).abs() < 1e-12);
//!
//! // x [n, f], weight [o, f], bias [o].
//! let x = eager.flatten(&Tensor::from_slice(&[1, 2, 1], &[2.0f32, 3.0])?)?;
//! let weight = Tensor::from_slice(&[2, 2], &[1.0, 10.0, 1.0, 0.0])?;
//! let bias = Tensor::from_slice(&[2], &[0.5, 0.0])?;
//! assert_eq!(eager.linear(&x, &weight, Some(&bias))?.data(), [32.5, 2.0]);
//! // Zero or twice what it was.
//! assert!(eager.dropout(&x, 0.5)?.data().iter().zip(x.data()).all(|(y, x)| [0.0, 2.0 * x].contains(y)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`batch_norm`]: crate::runtime::Eager::batch_norm
//! [`batch_norm_training`]: crate::runtime::Eager::batch_norm_training
//! [`group_norm`]: crate::runtime::Eager::group_norm
//! [`instance_norm`]: crate::runtime::Eager::instance_norm
//! [`layer_norm`]: crate::runtime::Eager::layer_norm
//! [`channel_norm`]: crate::runtime::Eager::channel_norm
//! [`local_response_norm`]: crate::runtime::Eager::local_response_norm
//! [`Unary`]: crate::tensor::Unary
