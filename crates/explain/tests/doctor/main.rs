//! Networks with an illness that was put into them, and the same networks without it.

mod data;
mod geometry_alone;
mod network;
mod on_pictures;
mod weights_alone;
