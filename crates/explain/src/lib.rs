//! What a convolutional network looks at, and what ails it: numbers, no pictures.
//!
//! A network, its parameters and prepared images come in; maps over the image, statistics and findings go out. Who wants
//! to see them draws them with the `figures` room.
