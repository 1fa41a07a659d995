//! The problem notation: one token names one problem, in tests, benchmarks, commands and bug reports.
//!
//! ```text
//! conv:n8c32h28w28:o32k1x7p0x3g2
//! └op┘ └── input ──┘ └settings─┘
//! ```
//!
//! | letter | meaning | where |
//! |---|---|---|
//! | `n`, `c`, then `d`, `h`, `w` | images, channels, extents; `w` alone is one axis, `h` and `w` two | all |
//! | `o` | output channels; of an adaptive pool, bins | convolutions, `pool-adaptive-…` |
//! | `k`, `s`, `d` | kernel, stride, dilation: `3` for all axes, `1x7` one each | all but adaptive pools |
//! | `p` | padding: `1`, `0x3`, all befores then all afters `p0,0,1,1`, or `same`, `same-lower`, `full`, `valid` | |
//! | `g` | groups | all convolutions but `conv-separable` |
//! | `a` | output padding | `conv-transposed` |
//! | `f`, `m` | offset groups, and that there is a mask | `conv-deformable` |
//! | `m` | filters a channel | `conv-separable` |
//! | `,reflect` `,replicate` `,circular` | what the padding holds | `conv`, `conv-separable` |
//! | `,ceil` `,nopad` | sizes rounded up; padding does not count | pools |
//!
//! Operators are `conv`, `conv-transposed`, `conv-deformable`, `conv-separable`, `pool-max`, `pool-avg`,
//! `pool-l2` (or another order), and `pool-adaptive-max`, `-avg`, `-l2`.
//! ```
//! use convolve::geometry::{ConvDesc, Problem};
//!
//! let token = "conv:n8c32h28w28:o32k1x7p0x3g2";
//! let problem: Problem = token.parse()?;
//! assert_eq!(problem.to_string(), token);
//! let Problem::Conv(shape, desc) = problem else { panic!("{token} is a convolution") };
//! assert_eq!(shape.dims, [8, 32, 28, 28]);
//! assert_eq!(desc, ConvDesc::new(32, [1, 7]).padding([0, 3]).stride([1, 1]).dilation([1, 1]).groups(2));
//! // 8·28·28 pixels, 32 outputs, 16 inputs each, 7 taps.
//! assert_eq!(desc.resolve(&shape.dims)?.macs(), 8 * 28 * 28 * 32 * 16 * 7);
//!
//! for token in [
//!     "conv:n1c1w3:o1k3p1,circular",
//!     "conv-transposed:n1c64h7w7:o32k4s2p1",
//!     "conv-deformable:n1c16h28w28:o32k3p1f2m",
//!     "conv-separable:n1c32h56w56:o64k3psamem2",
//!     "pool-max:n1c64h112w112:k3s2p1,ceil",
//!     "pool-l1.5:n1c64w112:k2s2",
//!     "pool-adaptive-avg:n1c64h13w17:o3x2",
//! ] {
//!     assert_eq!(token.parse::<Problem>()?.to_string(), token);
//! }
//! let wrong = "conv:n1c64h56w56:o64q3".parse::<Problem>().unwrap_err();
//! assert!(wrong.to_string().contains("'q' at position 20"), "{wrong}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # oneDNN's lists
//! [`onednn`] reads and writes the descriptors of oneDNN's benchmark program, so that its public lists of
//! convolutions can be measured as they are. There the batch is 2 and dilation counts from 0 unless said
//! otherwise, and a size of one axis stands for all.
//! ```
//! use convolve::geometry::onednn;
//!
//! let listed = onednn::parse(r#"ic3ih227oc96oh55kh11sh4ph0n"alexnet:conv1""#)?;
//! assert_eq!(listed.name.as_deref(), Some("alexnet:conv1"));
//! assert_eq!(listed.clone().problem().to_string(), "conv:n2c3h227w227:o96k11s4p0");
//! let written = onednn::write(&listed.shape, &listed.desc, None)?;
//! assert_eq!(onednn::parse(&written)?.problem(), listed.problem());
//!
//! let list = onednn::parse_list("# a comment\n--dir=FWD_B\nmb1ic64ih56oc64oh56kh3ph1 mb1ic64ih56oc64kh1")?;
//! assert_eq!(list.problems.len(), 2);
//! let tokens: Vec<_> = list.problems.into_iter().map(|(_, listed)| listed.problem().to_string()).collect();
//! assert_eq!(tokens, ["conv:n1c64h56w56:o64k3p1", "conv:n1c64h56w56:o64k1p0"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`onednn`]: crate::geometry::onednn
