//! Whole programs against an f64 reading of their graph that knows neither passes nor kernels.

mod chain;
mod double;
mod edges;
mod errors;
mod frozen;
mod gradients;
mod growing;
mod inference;
mod initialisation;
mod invariance;
mod layouts;
mod networks;
mod oracle;
mod profile;
mod random;
mod rectifiers;
mod separable;
mod shuffled;
