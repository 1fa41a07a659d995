//! Convolutional networks in Rust: describe once, measure, train and run.
//!
//! This crate gathers the rooms of the system under one roof; the program `convolve` is built on
//! nothing else. From the ground up:
//!
//! | room | what lives there |
//! |---|---|
//! | [`geometry`] | what a window operation is, in integers: sizes, padding, cost, the problem notation |
//! | [`tensor`] | shapes, layouts, aligned storage, `.npy` files |
//! | [`kernels`] | CPU operators by direction: forward, backward-data, backward-weights |
//! | [`graph`] | networks as graphs: builder, shape inference, autodiff, passes |
//! | [`runtime`] | a graph made ready to run: memory plan, packed weights, fused steps |
//! | [`formats`] | images, data sets, weights: where untrusted bytes enter |
//! | [`train`] | optimisers, schedules, augmentation, checkpoints, the training loop |
//! | [`zoo`] | networks by name |
//!
//! # What a network costs
//! ```
//! use convolve::{graph, zoo};
//!
//! let model = zoo::find("resnet20")?;
//! let table = graph::summary(&model.build(&model.model.options())?);
//! assert_eq!((table.parameters, table.macs), (272_474, 40_813_184));
//! # Ok::<(), zoo::ZooError>(())
//! ```
//!
//! # One convolution
//! ```
//! use convolve::geometry::ConvDesc;
//! use convolve::kernels::conv::{ConvOptions, ConvPlan, Direction, Epilogue};
//! use convolve::kernels::{Context, Isa, Team};
//! use convolve::tensor::{Layout, Tensor};
//!
//! let x = Tensor::from_slice(&[1, 1, 3, 3], &[1., 2., 3., 4., 5., 6., 7., 8., 9.])?;
//! let blur = Tensor::from_slice(&[1, 1, 3, 3], &[1. / 9.; 9])?;
//!
//! let geometry = ConvDesc::new(1, 3).padding(1).resolve(x.dims())?;
//! let (team, isa) = (Team::of_all_cores()?, Isa::best());
//! let ctx = Context { team: &team, isa };
//! let options = ConvOptions { layout: Layout::Nchw, isa, algorithm: None };
//! let plan = ConvPlan::new(&geometry, Direction::Forward, options)?;
//!
//! let mut packed = vec![0.0; plan.packed_len()];
//! plan.pack(&ctx, blur.data(), &mut packed);
//! let mut y = Tensor::zeros(&geometry.output_shape())?;
//! let mut scratch = vec![0.0; plan.scratch_len(team.threads())];
//! plan.forward(&ctx, x.data(), &packed, Epilogue::default(), y.data_mut(), &mut scratch);
//! assert!((y.data()[4] - 5.0).abs() < 1e-5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use {formats, geometry, graph, kernels, runtime, tensor, train, zoo};

/// The library's example in the README is compiled and run with the others.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
