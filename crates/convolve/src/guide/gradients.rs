//! Gradients of any operator and any graph, and a check of them in f64.
//!
//! Gradients are graph nodes: [`pullback`] appends to a graph the nodes that carry a gradient of one of its
//! values back to others, [`passes::training`] those of a whole training step. Every operator also runs in
//! f64, on the same graph ([`Evaluation`]), so that a derivative can be held against a difference quotient
//! that means something. [`Eager::pullback`] does the same for a single operator on tensors, as do the
//! directions of the program:
//!
//! ```sh
//! convolve op conv:n1c1w3:o1k2 --direction backward-weights --precision f64 \
//!     --input x.npy --grad dy.npy --output dw.npy
//! ```
//! ```
//! use convolve::geometry::{ConvDesc, PoolDesc};
//! use convolve::graph::{NetworkBuilder, Op, pullback};
//! use convolve::runtime::{Eager, Evaluation, Run, RuntimeOptions};
//! use convolve::tensor::{Tensor, Unary};
//!
//! // One operator: y₀ = 1·w₀ + 2·w₁ and y₁ = 2·w₀ + 5·w₁, so dw₀ = 1·10 + 2·1 and dw₁ = 2·10 + 5·1.
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let x = Tensor::from_slice(&[1, 1, 3], &[1.0f64, 2.0, 5.0])?;
//! let w = Tensor::from_slice(&[1, 1, 2], &[0.0, 0.0])?;
//! let dy = Tensor::from_slice(&[1, 1, 2], &[10.0, 1.0])?;
//! let op = Op::Conv { desc: ConvDesc::new(1, 2), bias: false, residual: false, activation: None };
//! let gradients = eager.pullback(op, &[(&x).into(), (&w).into()], &dy, &[1])?;
//! assert_eq!(gradients[0].data(), [12.0, 25.0]);
//!
//! // A graph, with respect to its input and all its parameters.
//! let mut network = NetworkBuilder::new("checked", [2, 2, 6, 6]);
//! let images = network.input();
//! let y = network.conv("conv", images, ConvDesc::new(4, 3).dilation(2).padding(1).groups(2), true)?;
//! let y = network.unary(y, Unary::Gelu)?;
//! let y = network.average_pool("pool", y, PoolDesc::average(3).stride(2).ceil(true))?;
//! let y = network.flatten(y)?;
//! let y = network.linear("fc", y, 3)?;
//! let network = network.finish(y)?;
//! let wanted: Vec<_> = [images].into_iter().chain(network.parameters().map(|(id, _)| id)).collect();
//! let grown = pullback(&network, y, &wanted)?;
//! let (upstream, gradients) = (grown.inputs[1], grown.outputs[1..].to_vec());
//!
//! let mut run = Evaluation::new(&grown)?;
//! for (place, &id) in wanted.iter().enumerate() {
//!     for (at, element) in run.value_mut(id).iter_mut().enumerate() {
//!         *element = (1.0 + place as f64 + 0.7 * at as f64).sin();
//!     }
//! }
//! run.value_mut(upstream).fill(1.0);
//! run.run(Run::default());
//! let analytic: Vec<Vec<f64>> = gradients.iter().map(|&id| run.value(id).to_vec()).collect();
//!
//! let step = 1e-6;
//! for (&id, analytic) in wanted.iter().zip(&analytic) {
//!     for (at, &analytic) in analytic.iter().enumerate() {
//!         let mut sum_at = |moved: f64| {
//!             run.value_mut(id)[at] += moved;
//!             run.run(Run::default());
//!             run.value_mut(id)[at] -= moved;
//!             run.value(y).iter().sum::<f64>()
//!         };
//!         let numeric = (sum_at(step) - sum_at(-step)) / (2.0 * step);
//!         assert!((analytic - numeric).abs() <= 1e-5 + 1e-3 * numeric.abs(), "{analytic}, {numeric}");
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`pullback`]: crate::graph::pullback
//! [`passes::training`]: crate::graph::passes::training
//! [`Evaluation`]: crate::runtime::Evaluation
//! [`Eager::pullback`]: crate::runtime::Eager::pullback
