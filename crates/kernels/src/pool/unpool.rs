//! Max unpooling: every value goes back to the place its maximum was taken from, the rest is 0.
//!
//! The places are those [`max::forward`](super::max::forward) notes: `(d·H + h)·W + w` in the plane
//! of the element's own channel (PyTorch's `max_unpool`). Where windows overlapped, several values
//! may go to one place; the last of them in the order of the pooled plane stays, whatever the number
//! of threads.
//!
//! Places are data, so one may lie outside the plane. [`check_places`] finds it before a kernel runs.

use geometry::UnpoolGeometry;
use tensor::Layout;

use super::places::{NO_SOURCE, Planes};
use crate::{Context, Real};

/// A place that is not in the plane it should be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("place {place} of element {element} lies outside a plane of {plane} elements")]
pub struct PlaceError {
    /// Which element of the pooled map, counted in memory.
    pub element: usize,
    /// Its place.
    pub place: u32,
    /// Elements of a plane.
    pub plane: usize,
}

/// Checks that every place lies in a plane of `plane` elements, or is [`NO_SOURCE`]. The order of
/// the places does not matter, so neither does their layout.
///
/// # Errors
/// The first place that does not.
pub fn check_places(places: &[u32], plane: usize) -> Result<(), PlaceError> {
    let outside = |&place: &u32| place != NO_SOURCE && place as usize >= plane;
    match places.iter().position(outside) {
        None => Ok(()),
        Some(element) => Err(PlaceError {
            element,
            place: places[element],
            plane,
        }),
    }
}

/// `y` = 0, but `x` at the places of its elements; `places` lie as `x` does. Values whose place is
/// [`NO_SOURCE`] go nowhere.
///
/// # Panics
/// When a slice has not the size the geometry gives, or a place lies outside the plane (see
/// [`check_places`]).
pub fn forward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &UnpoolGeometry,
    x: &[T],
    places: &[u32],
    y: &mut [T],
) {
    planes(geometry).scatter(context, layout, x, places, y, |y, x| *y = x);
}

/// `dx` = the gradient at the place of each element. As in PyTorch, elements that share a place all
/// get its gradient, those too that the forward pass wrote over.
///
/// # Panics
/// As [`forward`].
pub fn backward<T: Real>(
    context: &Context,
    layout: Layout,
    geometry: &UnpoolGeometry,
    dy: &[T],
    places: &[u32],
    dx: &mut [T],
) {
    planes(geometry).gather(context, layout, dy, places, dx);
}

fn planes(geometry: &UnpoolGeometry) -> Planes {
    let planes = Planes {
        batch: geometry.batch,
        channels: geometry.channels,
        image: geometry.output.iter().product(),
        pooled: geometry.input.iter().product(),
    };
    planes.check_reach();
    planes
}
