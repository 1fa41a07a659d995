//! What a network looks at, held against Captum, pytorch-grad-cam and PyTorch on the same weights and images, against
//! finite differences, and against what must hold of any network.

mod activations;
mod checks;
mod fixture;
mod gradients;
mod layers;
mod networks;
mod peers;
mod refusals;
mod zoo_networks;
