//! Numbers against numbers, and numbers side by side.

mod axis;
mod bars;
mod beyond;
mod lines;
mod rows;
mod series;

pub use axis::Axis;
pub use bars::{Bar, bars};
pub use lines::lines;
pub use rows::rows;
pub use series::Series;
