//! What a window operation is, in integers.
//!
//! A *descriptor* ([`ConvDesc`], [`PoolDesc`], …) says what was asked for; resolving it against an
//! input shape gives a *geometry* ([`ConvGeometry`], [`PoolGeometry`]) of checked numbers, one
//! [`Window`] an axis. Everything that follows from those integers lives here and only here: output
//! sizes, padding rules, which input element a kernel tap reads, the stride phases of a backward
//! convolution, parameters and multiply-accumulates, and the [problem notation](Problem). So do the
//! shapes of operators that read a map elsewhere: grids ([`GridSampleDesc`]) and resizing
//! ([`ResizeDesc`]).
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

mod adaptive;
mod arithmetic;
mod axes;
mod axis_error;
mod broadcast;
mod concat;
mod conv;
mod cost;
mod cost_table;
mod deformable;
mod error;
mod factorise;
mod field;
mod grid;
mod index_set;
pub mod names;
mod notation;
pub mod onednn;
mod order;
mod pad;
mod padding;
mod padding_mode;
mod permute;
mod pool;
mod rational;
mod reads;
mod reduction;
mod region;
mod regions;
mod reshape;
mod resize;
mod resize_axis;
mod separable;
mod shuffle;
mod slice;
mod stretched;
mod taps;
mod transposed;
mod unpool;
mod window;

pub use adaptive::{AdaptiveDesc, AdaptiveGeometry, AdaptiveKind, Bins};
pub use arithmetic::{Arithmetic, AxisArithmetic, AxisKind, Step, Unread};
pub use axes::Axes;
pub use axis_error::AxisError;
pub use broadcast::Broadcast;
pub use concat::ConcatGeometry;
pub use conv::{ConvDesc, ConvGeometry};
pub use cost_table::{BlockCost, CostDesc, Refused};
pub use deformable::{DeformableDesc, DeformableGeometry};
pub use error::GeometryError;
pub use factorise::{Cost, Factorised, Factors};
pub use field::Field;
pub use grid::{
    AffineGridDesc, AffineGridGeometry, GridInterpolation, GridPadding, GridSampleDesc,
    GridSampleGeometry,
};
pub use index_set::IndexSet;
pub use notation::{InputShape, NotationError, Problem};
pub use order::NormOrder;
pub use pad::{PadAxis, PadDesc, PadGeometry, PadMode};
pub use padding::Padding;
pub use padding_mode::PaddingMode;
pub use permute::PermuteGeometry;
pub use pool::{PoolDesc, PoolGeometry, PoolKind};
pub use rational::Rational;
pub use reads::Reads;
pub use reduction::Reduction;
pub use region::{Band, Region, Source};
pub use regions::{RegionsDesc, RegionsGeometry};
pub use reshape::check_reshape;
pub use resize::{
    CubicCoefficient, NearestRounding, ResizeCoordinates, ResizeDesc, ResizeFilter, ResizeGeometry,
};
pub use resize_axis::ResizeAxis;
pub use separable::{SeparableDesc, SeparableGeometry};
pub use shuffle::{ChannelShuffle, PixelOrder, PixelShuffleDesc, PixelShuffleGeometry};
pub use slice::{SliceAxis, SliceDesc, SliceGeometry, SliceRange};
pub use stretched::Stretched;
pub use taps::{Phase, Tap};
pub use transposed::TransposedDesc;
pub use unpool::{UnpoolDesc, UnpoolGeometry};
pub use window::Window;

/// The most spatial axes a window operation has: depth, height, width.
pub const MAX_RANK: usize = 3;

/// The most axes a tensor has that is permuted, sliced, padded, broadcast or reduced.
pub const MAX_AXES: usize = 8;
