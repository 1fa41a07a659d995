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
//! | [`explain`] | what a network looks at and what ails it |
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
//! let options = ConvOptions { layout: Layout::Nchw, isa, ..ConvOptions::default() };
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
//!
//! # Every kind of operator
//! The [`guide`] has a page for each family, with shapes, notation, commands and examples; in the table,
//! *operator* is the function on tensors.
//!
//! | kind | page | operator | source |
//! |---|---|---|---|
//! | convolution over 1, 2 or 3 axes | [convolution](guide::convolution) | [`conv`] | LeCun et al. 1989 |
//! | strided, dilated, padded | [convolution](guide::convolution#stride-dilation-and-padding) | [`conv`] | Dumoulin & Visin 2016; Yu & Koltun 2016 |
//! | in place, as a matrix product, or short | [convolution](guide::convolution#three-ways-in-place-as-a-matrix-product-and-short) | [`conv`] by an [`Algorithm`] | Chellapilla et al. 2006 |
//! | pointwise | [convolution](guide::convolution#between-channels-pointwise-depthwise-grouped-shuffled) | [`conv`] | Lin et al. 2014 |
//! | depthwise, grouped | [convolution](guide::convolution#between-channels-pointwise-depthwise-grouped-shuffled) | [`conv`] | Sifre 2014; Krizhevsky et al. 2012 |
//! | channel shuffle | [convolution](guide::convolution#between-channels-pointwise-depthwise-grouped-shuffled) | [`channel_shuffle`] | Zhang et al. 2018 |
//! | factorised | [factorised] | [`ConvDesc::factorise`] | Szegedy et al. 2015 |
//! | depthwise-separable | [separable] | [`conv_separable`], [`Separable`] | Howard et al. 2017 |
//! | transposed, stretched | [transposed] | [`conv_transposed`] | Dumoulin & Visin 2016 |
//! | deformable, v1 and v2 | [deformable] | [`deform_conv2d`] | Dai et al. 2017; Zhu et al. 2018 |
//! | RoI pooling, RoI align | [regions] | [`roi_pool`], [`roi_align`] | Girshick 2015; He et al. 2017 |
//! | position-sensitive RoI | [regions] | [`ps_roi_pool`], [`ps_roi_align`] | Dai et al. 2016; Li et al. 2017 |
//! | deformable RoI pooling | [regions] | [`deform_roi_pool`] | Dai et al. 2017 |
//! | spatial transformer, of a map or a kernel | [spatial transformer] | [`affine_grid`], [`grid_sample`] | Jaderberg et al. 2015 |
//! | max pooling and unpooling | [pooling](guide::pooling) | [`max_pool_with_indices`], [`max_unpool`] | Zeiler & Fergus 2013 |
//! | average, Lp pooling | [pooling](guide::pooling) | [`average_pool`], [`lp_pool`] | ONNX |
//! | global, adaptive pooling | [pooling](guide::pooling) | [`global_average_pool`], [`adaptive_pool`] | Lin et al. 2014; He et al. 2014 |
//! | norms | [around](guide::around#norms) | [`batch_norm`], [`group_norm`], … | Ioffe & Szegedy 2015; Wu & He 2018 |
//! | activations, softmax, linear | [around](guide::around#activations-softmax-fully-connected) | [`unary`], [`softmax`], [`linear`] | |
//! | resize, pixel shuffle | [rearranging] | [`resize`], [`pixel_shuffle`] | ONNX; Shi et al. 2016 |
//! | pad, slice, concatenate, arithmetic | [rearranging] | [`pad`], [`slice`], [`concat`], [`add`], [`mul`], … | ONNX |
//! | gradients, checked in f64 | [gradients] | [`pullback`], [`Evaluation`] | |
//! | layouts | [layouts] | [`RuntimeOptions::layout`] | |
//! | the notation, oneDNN's lists | [notation] | [`Problem`], [`onednn`] | |
//!
//! [factorised]: guide::factorised
//! [separable]: guide::separable
//! [transposed]: guide::transposed
//! [deformable]: guide::deformable
//! [regions]: guide::regions
//! [spatial transformer]: guide::spatial_transformer
//! [rearranging]: guide::rearranging
//! [gradients]: guide::gradients
//! [layouts]: guide::layouts
//! [notation]: guide::notation
//! [`Algorithm`]: kernels::conv::Algorithm
//! [`ConvDesc::factorise`]: geometry::ConvDesc::factorise
//! [`Separable`]: graph::Separable
//! [`Evaluation`]: runtime::Evaluation
//! [`RuntimeOptions::layout`]: runtime::RuntimeOptions::layout
//! [`Problem`]: geometry::Problem
//! [`onednn`]: geometry::onednn
//! [`pullback`]: graph::pullback
//! [`conv`]: runtime::Eager::conv
//! [`channel_shuffle`]: runtime::Eager::channel_shuffle
//! [`conv_separable`]: runtime::Eager::conv_separable
//! [`conv_transposed`]: runtime::Eager::conv_transposed
//! [`deform_conv2d`]: runtime::Eager::deform_conv2d
//! [`roi_pool`]: runtime::Eager::roi_pool
//! [`roi_align`]: runtime::Eager::roi_align
//! [`ps_roi_pool`]: runtime::Eager::ps_roi_pool
//! [`ps_roi_align`]: runtime::Eager::ps_roi_align
//! [`deform_roi_pool`]: runtime::Eager::deform_roi_pool
//! [`affine_grid`]: runtime::Eager::affine_grid
//! [`grid_sample`]: runtime::Eager::grid_sample
//! [`max_pool_with_indices`]: runtime::Eager::max_pool_with_indices
//! [`max_unpool`]: runtime::Eager::max_unpool
//! [`average_pool`]: runtime::Eager::average_pool
//! [`lp_pool`]: runtime::Eager::lp_pool
//! [`global_average_pool`]: runtime::Eager::global_average_pool
//! [`adaptive_pool`]: runtime::Eager::adaptive_pool
//! [`batch_norm`]: runtime::Eager::batch_norm
//! [`group_norm`]: runtime::Eager::group_norm
//! [`unary`]: runtime::Eager::unary
//! [`softmax`]: runtime::Eager::softmax
//! [`linear`]: runtime::Eager::linear
//! [`resize`]: runtime::Eager::resize
//! [`pixel_shuffle`]: runtime::Eager::pixel_shuffle
//! [`pad`]: runtime::Eager::pad
//! [`slice`]: runtime::Eager::slice
//! [`concat`]: runtime::Eager::concat
//! [`add`]: runtime::Eager::add
//! [`mul`]: runtime::Eager::mul

#[cfg(doctest)]
mod book;
pub mod guide;

pub use {explain, figures, formats, geometry, graph, kernels, runtime, tensor, train, zoo};
