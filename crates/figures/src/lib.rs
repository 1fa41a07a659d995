//! Figures of convolutions and networks: numbers in, SVG, PNG and GIF out.
//!
//! Nothing is computed here and nothing is read or written: who draws brings the numbers that the real operators made,
//! and gets a [`Scene`], which [`svg::write`], [`png::write`] and [`gif::write`] turn into a file's bytes.
//!
//! ```text
//! numbers, geometry ─▶ arithmetic, memory, diagram, … ─▶ Scene ─┬─▶ svg   text is text, moves by CSS, light and dark
//! maps over an image ─▶ bitmap, heat, chart ─▶ panel, board ─▶  ├─▶ png   the frame that stands still
//!                                                              ├─▶ gif   every frame
//!                                                              └─▶ html  scenes, tables and text on one page
//! ```

pub mod arithmetic;
mod arrow;
mod bitmap;
pub mod board;
pub mod channels;
pub mod chart;
mod colormap;
pub mod confusion;
pub mod diagram;
mod error;
pub mod field;
pub mod filters;
mod font;
pub mod gif;
pub mod heat;
pub mod html;
pub mod matrix;
pub mod memory;
mod number;
mod page;
mod palette;
pub mod panel;
mod paragraph;
mod plane;
pub mod png;
mod raster;
mod scene;
pub mod shuffle;
pub mod stem;
pub mod svg;
mod theme;

pub use bitmap::Bitmap;
pub use colormap::{Colormap, Scale};
pub use error::FigureError;
pub use font::Weight;
pub use number::short;
pub use page::Caption;
pub use raster::{Canvas, MOST_PIXELS, Raster};
pub use scene::{Anchor, Item, Point, Scene, Shape, Stroke, Symbol, at};
pub use theme::{Paint, Rgb, Theme};
