//! Pooling: maximum, average, norm; by windows, over everything, or to a given size.
//!
//! `[n, c, spatial…] → [n, c, spatial'…]`, with the sizes of a [convolution](super::convolution), rounded up
//! with `ceil`: but no window begins behind the input and the padding before it.
//!
//! | kind | token | source |
//! |---|---|---|
//! | maximum, with places | `pool-max:n1c1h4w4:k2s2` | Zeiler & Fergus 2013 |
//! | average | `pool-avg:n1c1h4w4:k3s2p1,ceil`; without the padding `,nopad` | LeCun et al. 1989 |
//! | Lp norm | `pool-l2:n1c1w4:k2s2`, `pool-l1.5:…` | ONNX LpPool |
//! | adaptive | `pool-adaptive-avg:n1c1w5:o3`, `-max`, `-l2` | He et al. 2014 |
//! | global | an adaptive one of `o1` | Lin et al. 2014 |
//!
//! ```sh
//! convolve op pool-avg:n1c1h4w4:k3s2p1,ceil --input x.npy --output y.npy
//! convolve op pool-max:n1c1h4w4:k2s2 --input x.npy --indices i.npy --output y.npy
//! convolve op pool-max:n1c1h4w4:k2s2 --direction backward-data --indices i.npy --grad dy.npy --output dx.npy
//! ```
//!
//! # By windows
//! The overhang of `ceil` never counts towards an average, padding does unless told otherwise. Places of
//! maxima count through the plane of a channel; unpooling puts values back to them, zeros elsewhere.
//! ```
//! use convolve::geometry::{NormOrder, PoolDesc, PoolKind, UnpoolDesc};
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let ramp: Vec<f64> = (1..=16u8).map(f64::from).collect();
//! let x = Tensor::from_slice(&[1, 1, 4, 4], &ramp)?;
//!
//! let (y, places) = eager.max_pool_with_indices(&x, PoolDesc::max(2).stride(2))?;
//! assert_eq!((y.data(), places.data()), (&[6.0, 8.0, 14.0, 16.0][..], &[5, 7, 13, 15][..]));
//! let back = eager.max_unpool(&y, &places, UnpoolDesc::new(2))?;
//! assert_eq!(back.data()[4..8], [0.0, 6.0, 0.0, 8.0]);
//!
//! let average = PoolDesc::average(3).stride(2).padding(1).ceil(true);
//! let y = eager.average_pool(&x, average.clone())?;
//! // In the first corner 1 + 2 + 5 + 6 over nine; in the last 16 over the four that are no overhang.
//! let sums = [14.0, 30.0, 12.0, 57.0, 99.0, 36.0, 27.0, 45.0, 16.0];
//! let taps = [9.0, 9.0, 6.0, 9.0, 9.0, 6.0, 6.0, 6.0, 4.0];
//! let wanted = sums.iter().zip(taps).map(|(sum, taps)| sum / taps);
//! for (y, wanted) in y.data().iter().zip(wanted) {
//!     assert!((y - wanted).abs() < 1e-12, "{y} is not {wanted}");
//! }
//! let kind = PoolKind::Average { count_padding: false };
//! assert_eq!(eager.average_pool(&x, PoolDesc { kind, ..average })?.data()[0], 14.0 / 4.0);
//!
//! let x = Tensor::from_slice(&[1, 1, 4], &[3.0f32, -4.0, 5.0, 12.0])?;
//! let y = eager.lp_pool(&x, NormOrder::TWO, PoolDesc::max(2).stride(2))?;
//! assert_eq!(y.data(), [5.0, 13.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Over everything, and to a given size
//! Of `o` bins over `n` elements, bin `i` is `⌊i·n/o⌋ .. ⌈(i + 1)·n/o⌉`: neighbours share an element where the
//! sizes do not divide.
//! ```
//! use convolve::geometry::NormOrder;
//! use convolve::runtime::{Eager, RuntimeOptions};
//! use convolve::tensor::Tensor;
//!
//! let eager = Eager::new(RuntimeOptions::default())?;
//! let x = Tensor::from_slice(&[1, 1, 5], &[1.0f32, 2.0, 4.0, 8.0, 16.0])?;
//! // Bins 0..2, 1..4 and 3..5.
//! assert_eq!(eager.adaptive_average_pool(&x, 3)?.data(), [1.5, 14.0 / 3.0, 12.0]);
//! assert_eq!(eager.adaptive_max_pool(&x, 3)?.data(), [2.0, 8.0, 16.0]);
//!
//! let x = Tensor::from_slice(&[1, 2, 1, 2], &[3.0f32, -4.0, 5.0, 12.0])?;
//! assert_eq!(eager.global_average_pool(&x)?.data(), [-0.5, 8.5]);
//! assert_eq!(eager.global_max_pool(&x)?.data(), [3.0, 12.0]);
//! assert_eq!(eager.global_lp_pool(&x, NormOrder::TWO)?.data(), [5.0, 13.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
