//! The independent oracle of the `convolve` system, for tests only.
//!
//! Every operator is written here a second time, in f64, over plain vectors in NCHW / OIHW order, as
//! directly as its definition reads. Nothing is shared with the production geometry or kernels: output
//! sizes are *counted* by sliding the window, not computed by the formula, and both backward convolutions
//! *scatter* the products of the forward one. An error there cannot hide behind the same error here.
//!
//! | to … | look in |
//! |---|---|
//! | know the right answer | [`conv`], [`transposed`], [`pool`], [`normalise`], [`dense`], [`activation`], [`loss`] |
//! | … of sampling elsewhere | [`affine`], [`grid_sample`], [`resize`] |
//! | know the right answer | [`conv`], [`transposed`], [`separable`], [`deformable`], [`pool`], [`regions`], [`normalise`], [`dense`], [`activation`], [`loss`] |
//! | know the right answer | [`conv`], [`transposed`], [`pool`], [`adaptive`], [`unpool`], [`normalise`], [`dense`], [`activation`], [`loss`] |
//! | the same along axes | [`rearrange`], [`arithmetic`] |
//! | know the right answer | [`conv`], [`pool`], [`normalise`], [`standardise`], [`response`], [`dense`], [`activation`], [`unary`], [`softmax`], [`loss`] |
//! | get problems and numbers | [`draw`] (seeded), [`escaped`] (bugs other engines shipped) |
//! | judge a result | [`compare`], [`gradient`] |
//! | catch stray reads and writes | `guard` (Unix), [`frame`] |
//! | know what something takes | [`counting`] |
//! | pass 2³² elements | `sparse` (Unix) |
//! | type into a program's screen | `terminal` (Unix) |
//! | feed channels-last kernels | [`layout`] |
//!
//! ```
//! use testkit::{ConvCase, Draw, compare};
//!
//! let case = ConvCase::new(1, 3, 8, [9, 7], [3, 2]).stride([2, 1]).padding([1, 0]);
//! let mut draw = Draw::new(7);
//! let (x, w) = (draw.integers(case.input_len()), draw.integers(case.weight_len()));
//! let want = case.forward(&compare::widen(&x), &compare::widen(&w), None);
//!
//! // A kernel under test would compute this; integers make it exact, so the comparison is exact too.
//! let got: Vec<f32> = want.iter().map(|&v| v as f32).collect();
//! compare::assert_exact(&case.to_string(), &got, &want);
//! ```

pub mod activation;
pub mod adaptive;
pub mod affine;
pub mod arithmetic;
pub mod compare;
pub mod conv;
pub mod counting;
pub mod deformable;
pub mod dense;
pub mod draw;
pub mod escaped;
pub mod frame;
pub mod gradient;
pub mod grid_sample;
#[cfg(unix)]
pub mod guard;
pub mod layout;
pub mod loss;
pub mod normalise;
mod notation;
pub mod pool;
pub mod rearrange;
pub mod regions;
pub mod resize;
pub mod response;
pub mod separable;
pub mod softmax;
#[cfg(all(unix, target_pointer_width = "64"))]
pub mod sparse;
pub mod special;
pub mod standardise;
#[cfg(unix)]
pub mod terminal;
pub mod transposed;
pub mod unary;
pub mod unpool;
pub mod window;

pub use adaptive::AdaptiveCase;
pub use conv::ConvCase;
pub use deformable::DeformableCase;
pub use draw::Draw;
pub use pool::PoolCase;
pub use regions::RegionsCase;
pub use separable::SeparableCase;
pub use transposed::TransposedCase;
