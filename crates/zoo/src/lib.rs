//! Blocks and networks of the convolve system, with a registry.
//!
//! [`models`] lists every network; [`find`] and [`build`] take them by name, with an optional width
//! multiplier (`mobilenet_v1:0.5`). Parameters are named as torchvision and timm name them, so that
//! published weights fit. The [`blocks`] that networks are made of are there for others to use.
//!
//! ```
//! let options = zoo::find("resnet20")?.model.options();
//! let network = zoo::build("resnet20", &zoo::BuildOptions { batch: 128, ..options })?;
//! assert_eq!(network.value(network.outputs[0]).shape, [128, 10]);
//! # Ok::<(), zoo::ZooError>(())
//! ```

pub mod blocks;
mod error;
mod head;
mod networks;
mod registry;
mod task;
mod width;

pub use error::ZooError;
pub use head::Head;
pub use registry::{BuildOptions, Found, Model, aliases, build, find, models};
pub use task::Task;
pub use width::Width;
