//! Layouts: channels first or last, switched by one setting.
//!
//! Shapes are always written channels first, `[n, c, spatial…]`, and so are arrays, weights, inputs and
//! outputs. How a program lays its feature maps in memory is its own affair: [`RuntimeOptions::layout`], or
//! `--layout nchw` and `--layout nhwc` of the program. NHWC, all channels of a pixel side by side, is the
//! natural one on a CPU and the default; every kernel computes in both.
//!
//! ```text
//! NCHW  c₀: p₀ p₁ p₂ p₃   c₁: p₀ p₁ p₂ p₃       one plane after the other
//! NHWC  p₀: c₀ c₁   p₁: c₀ c₁   p₂: c₀ c₁ …     one pixel after the other
//! ```
//!
//! Where a value has to lie otherwise than it does, the program has a step that reorders it, once, and
//! [`Program::profile`] lists it with its time, as does `convolve bench MODEL --profile`. Depthwise,
//! grouped and deformable convolutions have kernels for channels last alone: in a program channels
//! first the reordering before and after them is such a step too, and neighbours share it.
//! ```
//! use convolve::geometry::ConvDesc;
//! use convolve::graph::NetworkBuilder;
//! use convolve::runtime::{Program, Run, RuntimeOptions};
//! use convolve::tensor::Layout;
//!
//! // Two channels of three pixels, and back.
//! let (mut last, mut first) = ([0; 6], [0; 6]);
//! Layout::Nhwc.reorder_from_nchw(&[1, 2, 3, 10, 20, 30], &mut last, 2, 3);
//! assert_eq!(last, [1, 10, 2, 20, 3, 30]);
//! Layout::Nhwc.reorder_to_nchw(&last, &mut first, 2, 3);
//! assert_eq!(first, [1, 2, 3, 10, 20, 30]);
//!
//! // The same network in either layout: what enters and leaves is channels first.
//! let mut network = NetworkBuilder::new("switched", [1, 2, 2, 2]);
//! let x = network.input();
//! let y = network.conv("conv", x, ConvDesc::new(2, 1), false)?;
//! let network = network.finish(y)?;
//! for layout in Layout::ALL {
//!     let options = RuntimeOptions { layout, ..RuntimeOptions::default() };
//!     let mut program = Program::new(network.clone(), &options)?;
//!     program.input_f32(0).copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0]);
//!     let weight = program.slots()[0].range.clone();
//!     program.parameters_mut()[weight].copy_from_slice(&[1.0, 1.0, 0.0, 1.0]);
//!     program.run(Run::default());
//!     assert_eq!(program.output(0), [11.0, 22.0, 33.0, 44.0, 10.0, 20.0, 30.0, 40.0]);
//!
//!     // Channels last, the edges are reordered, and seen.
//!     let rows = program.profile(Run::default(), 1);
//!     let kernels = rows.iter().map(|row| row.kernel.as_str());
//!     let reorders: Vec<_> = kernels.filter(|kernel| kernel.starts_with("reorder")).collect();
//!     match layout {
//!         Layout::Nchw => assert!(reorders.is_empty()),
//!         Layout::Nhwc => assert_eq!(reorders, ["reorder nchw to nhwc", "reorder nhwc to nchw"]),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`RuntimeOptions::layout`]: crate::runtime::RuntimeOptions::layout
//! [`Program::profile`]: crate::runtime::Program::profile
