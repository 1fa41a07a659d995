//! What a window operation is, in integers.
//!
//! A *descriptor* ([`ConvDesc`], [`PoolDesc`], …) says what was asked for; resolving it against an
//! input shape gives a *geometry* ([`ConvGeometry`], [`PoolGeometry`]) of checked numbers, one
//! [`Window`] an axis. Everything that follows from those integers lives here and only here: output
//! sizes, padding rules, which input element a kernel tap reads, the stride phases of a backward
//! convolution, parameters and multiply-accumulates, and the [problem notation](Problem).
//!
//! There is no float, no dependency and no tensor in this crate.
//!
//! ```
//! use geometry::ConvDesc;
//!
//! let stem = ConvDesc::new(64, 7).stride(2).padding(3);
//! let resolved = stem.resolve(&[1, 3, 224, 224])?;
//! assert_eq!(resolved.output_shape(), [1, 64, 112, 112]);
//! assert_eq!(resolved.macs(), 118_013_952);
//! # Ok::<(), geometry::GeometryError>(())
//! ```

mod axes;
mod conv;
mod cost;
mod error;
mod factorise;
mod notation;
mod padding;
mod padding_mode;
mod pool;
mod stretched;
mod taps;
mod transposed;
mod window;

pub use axes::Axes;
pub use conv::{ConvDesc, ConvGeometry};
pub use error::GeometryError;
pub use factorise::{Cost, Factorised, Factors};
pub use notation::{InputShape, NotationError, Problem};
pub use padding::Padding;
pub use padding_mode::PaddingMode;
pub use pool::{PoolDesc, PoolGeometry, PoolKind};
pub use stretched::Stretched;
pub use taps::{Phase, Tap};
pub use transposed::{DeformableDesc, SeparableDesc, TransposedDesc};
pub use window::Window;

/// The most spatial axes a window operation has: depth, height, width.
pub const MAX_RANK: usize = 3;
