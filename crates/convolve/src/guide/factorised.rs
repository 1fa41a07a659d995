//! Factorised kernels: two small convolutions in the place of a large one.
//!
//! Kernels of `a` and `b` taps, one behind the other, see as far as one of `a + b − 1`: a 5×5 becomes two
//! 3×3, an n×n a 1×n and an n×1 (Szegedy et al. 2015, *Rethinking the Inception Architecture*, section 3).
//! [`ConvDesc::factorise`] makes the pair and says what it saves: weights, multiply-accumulates and the
//! receptive field, before and after. [`Factors`] names the ways to cut.
//!
//! A factor is an ordinary convolution, so the pair of a 5×5 has two tokens, `conv:n1c64h28w28:o64k3p1`
//! twice, in the place of `conv:n1c64h28w28:o64k5p2`; `convolve bench --problem` takes all three at once.
//! ```
//! use convolve::geometry::{ConvDesc, Factors};
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let whole = ConvDesc::new(64, 5).padding(2);
//! let pair = whole.factorise(Factors::Halves, 64, &[1, 64, 28, 28])?;
//! assert_eq!(pair.before.parameters, 25 * 64 * 64);
//! assert_eq!(pair.after.parameters, 2 * 9 * 64 * 64);
//! assert_eq!((pair.before.macs, pair.after.macs), (80_281_600, 57_802_752));
//! assert_eq!((pair.before.receptive_field, pair.after.receptive_field), (vec![5, 5], vec![5, 5]));
//!
//! let asymmetric = ConvDesc::new(64, 3).padding(1);
//! let asymmetric = asymmetric.factorise(Factors::Asymmetric, 64, &[1, 64, 28, 28])?;
//! assert_eq!((asymmetric.first.kernel, asymmetric.second.kernel), ([1, 3].into(), [3, 1].into()));
//! assert_eq!((asymmetric.before.parameters, asymmetric.after.parameters), (36_864, 24_576));
//!
//! // A kernel that is a product of two, such as Sobel's, loses nothing.
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let x = Tensor::from_slice(&[1, 1, 3, 3], &[1.0f32, 2.0, 4.0, 1.0, 3.0, 9.0, 1.0, 2.0, 4.0])?;
//! let across = Tensor::from_slice(&[1, 1, 1, 3], &[-1.0, 0.0, 1.0])?;
//! let down = Tensor::from_slice(&[1, 1, 3, 1], &[1.0, 2.0, 1.0])?;
//! let sobel = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];
//! let sobel = Tensor::from_slice(&[1, 1, 3, 3], &sobel)?;
//! let conv = ConvDesc::new(1, 3);
//! let pair = conv.factorise(Factors::Asymmetric, 1, x.dims())?;
//! let between = eager.conv(&x, &across, None, &pair.first)?;
//! assert_eq!(between.data(), [3.0, 8.0, 3.0]);
//! assert_eq!(eager.conv(&between, &down, None, &pair.second)?.data(), [22.0]);
//! assert_eq!(eager.conv(&x, &sobel, None, &conv)?.data(), [22.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`ConvDesc::factorise`]: crate::geometry::ConvDesc::factorise
//! [`Factors`]: crate::geometry::Factors
