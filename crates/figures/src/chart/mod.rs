//! Numbers against numbers, and numbers side by side.

mod axis;
mod bars;
mod lines;

pub use axis::Axis;
pub use bars::{Bar, bars};
pub use lines::{Series, lines};
