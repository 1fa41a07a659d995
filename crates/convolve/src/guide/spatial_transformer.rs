//! Spatial transformers: an affine grid, and a map read along it.
//!
//! A small network looks at a map and gives a matrix; [`affine_grid`] makes of it the points to read,
//! [`grid_sample`] reads them, and gradients flow through both (Jaderberg et al. 2015). Coordinates go from
//! −1 to 1 over the map, `x` before `y`: at its outer edges, or at the middles of its edge elements where
//! corners are aligned. There is no token, since the points are data.
//!
//! | tensor | two axes | three axes |
//! |---|---|---|
//! | matrices | `[n, 2, 3]` | `[n, 3, 4]` |
//! | grid | `[n, h', w', 2]` | `[n, d', h', w', 3]` |
//! | map | `[n, c, h, w]` | `[n, c, d, h, w]` |
//! | result | `[n, c, h', w']` | `[n, c, d', h', w']` |
//!
//! What is read may be a feature map, or a kernel `[o, c, kh, kw]`, one matrix for each output channel.
//! ```
//! use convolve::geometry::{AffineGridDesc, ConvDesc, GridInterpolation, GridPadding, GridSampleDesc};
//! use convolve::graph::NetworkBuilder;
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let linear = GridSampleDesc::new(GridInterpolation::Linear);
//!
//! // A feature map: the middle half of it, in two by two points.
//! let ramp: Vec<f32> = (1..=16u8).map(f32::from).collect();
//! let x = Tensor::from_slice(&[1, 1, 4, 4], &ramp)?;
//! let zoom = Tensor::from_slice(&[1, 2, 3], &[0.5, 0.0, 0.0, 0.0, 0.5, 0.0])?;
//! let grid = eager.affine_grid(&zoom, AffineGridDesc::new([2, 2]))?;
//! assert_eq!(grid.data(), [-0.25, -0.25, 0.25, -0.25, -0.25, 0.25, 0.25, 0.25]);
//! assert_eq!(eager.grid_sample(&x, &grid, linear)?.data(), [6.0, 7.0, 10.0, 11.0]);
//! // Off the map are zeros, or its edge.
//! let far = Tensor::from_slice(&[1, 1, 1, 2], &[5.0, 5.0])?;
//! assert_eq!(eager.grid_sample(&x, &far, linear)?.data(), [0.0]);
//! assert_eq!(eager.grid_sample(&x, &far, linear.padding(GridPadding::Border))?.data(), [16.0]);
//!
//! // A kernel: given a quarter turn, it finds slopes down in the place of slopes across.
//! let across = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];
//! let across = Tensor::from_slice(&[1, 1, 3, 3], &across)?;
//! let turn = Tensor::from_slice(&[1, 2, 3], &[0.0, 1.0, 0.0, -1.0, 0.0, 0.0])?;
//! let grid = eager.affine_grid(&turn, AffineGridDesc::new([3, 3]).align_corners(true))?;
//! let down = eager.grid_sample(&across, &grid, linear.align_corners(true))?;
//! assert_eq!(down.data(), [-1.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0]);
//! // Across the ramp rises by 1 a pixel, down by 4; the kernels count each eight times.
//! assert_eq!(eager.conv(&x, &across, None, &ConvDesc::new(1, 3))?.data(), [8.0; 4]);
//! assert_eq!(eager.conv(&x, &down, None, &ConvDesc::new(1, 3))?.data(), [32.0; 4]);
//!
//! // In a network, that learns the matrix.
//! let mut network = NetworkBuilder::new("transformer", [4, 1, 28, 28]);
//! let images = network.input();
//! let seen = network.flatten(images)?;
//! let theta = network.linear("theta", seen, 6)?;
//! let grid = network.affine_grid(theta, AffineGridDesc::new([20, 20]))?;
//! let y = network.grid_sample(images, grid, linear)?;
//! assert_eq!(network.shape(y)?, [4, 1, 20, 20]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`affine_grid`]: crate::runtime::Eager::affine_grid
//! [`grid_sample`]: crate::runtime::Eager::grid_sample
