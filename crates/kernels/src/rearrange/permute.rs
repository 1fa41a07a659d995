//! Axes in another order.

use geometry::{MAX_AXES, PermuteGeometry};
use tensor::Layout;

use super::strided::copy;
use crate::Context;
use crate::nest::{Loop, strides};

/// `y` = `x` with its axes in the order of the geometry. Input and result both lie in `layout`, where
/// they have more than two axes.
///
/// # Panics
/// When a slice has not the size the geometry gives.
pub fn forward<T: Copy + Send + Sync>(
    context: &Context,
    layout: Layout,
    geometry: &PermuteGeometry,
    x: &[T],
    y: &mut [T],
) {
    let (axes, input) = (geometry.axes(), geometry.input());
    let mut output = [1; MAX_AXES];
    for (extent, &from) in output.iter_mut().zip(axes) {
        *extent = input[from];
    }
    let len: usize = input.iter().product();
    assert_eq!(x.len(), len, "permute: length of x");
    assert_eq!(y.len(), len, "permute: length of y");
    let read = strides(layout, input);
    let write = strides(layout, &output[..axes.len()]);
    let loops = axes.iter().enumerate().map(|(to, &from)| Loop {
        extent: input[from],
        steps: [read[from], write[to]],
    });
    copy(context, loops, (x, 0), (y, 0));
}
