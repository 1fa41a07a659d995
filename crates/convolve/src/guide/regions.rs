//! Pooling over regions of interest: aligned, position-sensitive, deformable.
//!
//! A detector pools every region it proposes into the same number of bins, `kh × kw`, whatever its size.
//! Regions are a matrix `[r, 5]` of `(image, x1, y1, x2, y2)`; the result is `[r, c, kh, kw]`, or
//! `[r, c/(kh·kw), kh, kw]` where every bin reads channels of its own. There is no token: regions are data,
//! and the notation names shapes alone.
//!
//! | kind | operator | source |
//! |---|---|---|
//! | RoI pooling: largest pixel of a bin | [`Eager::roi_pool`] | Girshick 2015 |
//! | RoI align: mean of points between pixels | [`Eager::roi_align`] | He et al. 2017 |
//! | position-sensitive, over whole pixels | [`Eager::ps_roi_pool`] | Dai et al. 2016 |
//! | position-sensitive, aligned | [`Eager::ps_roi_align`] | Li et al. 2017 |
//! | deformable, position-sensitive or not | [`Eager::deform_roi_pool`] | Dai et al. 2017 |
//! ```
//! use convolve::geometry::RegionsDesc;
//! use convolve::graph::AlignSettings;
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let ramp: Vec<f64> = (0..16u8).map(f64::from).collect();
//! let x = Tensor::from_slice(&[1, 1, 4, 4], &ramp)?;
//! let settings = AlignSettings::default();
//!
//! // The whole map in four bins: the mean of 0, 1, 4 and 5, and so on; or the largest of each.
//! let whole = Tensor::from_slice(&[1, 5], &[0.0, 0.0, 0.0, 4.0, 4.0])?;
//! assert_eq!(eager.roi_align(&x, &whole, [2, 2], settings)?.data(), [2.5, 4.5, 10.5, 12.5]);
//! // Here the last row and column of a region belong to it.
//! let pixels = Tensor::from_slice(&[1, 5], &[0.0, 0.0, 0.0, 3.0, 3.0])?;
//! assert_eq!(eager.roi_pool(&x, &pixels, [2, 2], 1.0)?.data(), [5.0, 7.0, 13.0, 15.0]);
//!
//! // Position-sensitive: each of four bins has a channel.
//! let channels: Vec<f64> = (0..64).map(|at| f64::from(at / 16)).collect();
//! let channels = Tensor::from_slice(&[1, 4, 4, 4], &channels)?;
//! let y = eager.ps_roi_align(&channels, &whole, [2, 2], settings)?;
//! assert_eq!((y.dims(), y.data()), (&[1, 1, 2, 2][..], &[0.0, 1.0, 2.0, 3.0][..]));
//! assert_eq!(eager.ps_roi_pool(&channels, &pixels, [2, 2], 1.0)?.data(), [0.0, 1.0, 2.0, 3.0]);
//!
//! // Deformable: the bin over 5, 6, 9 and 10, two pixels wide, moves by 0.1 of that across and down; the ramp
//! // rises by 1 a pixel across and by 4 down.
//! let middle = Tensor::from_slice(&[1, 5], &[0.0, 1.0, 1.0, 3.0, 3.0])?;
//! let offset = Tensor::from_slice(&[1, 2, 1, 1], &[1.0, 1.0])?;
//! let y = eager.deform_roi_pool(&x, &middle, &offset, &RegionsDesc::new(1), settings)?;
//! assert!((y.data()[0] - (7.5 + 0.2 + 0.8)).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Eager::roi_pool`]: crate::runtime::Eager::roi_pool
//! [`Eager::roi_align`]: crate::runtime::Eager::roi_align
//! [`Eager::ps_roi_pool`]: crate::runtime::Eager::ps_roi_pool
//! [`Eager::ps_roi_align`]: crate::runtime::Eager::ps_roi_align
//! [`Eager::deform_roi_pool`]: crate::runtime::Eager::deform_roi_pool
