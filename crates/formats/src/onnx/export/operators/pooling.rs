//! Pooling by windows.
//!
//! ONNX rounds sizes up (`ceil_mode`) in two ways, by operator set and by program, and so do divisors of averages
//! differ there. Here windows that hang over are written as padding behind, which all read alike.

use geometry::{MAX_RANK, NormOrder, PoolDesc, PoolGeometry, PoolKind, UnpoolDesc, Window};

use super::attribute::{flag, int, sizes};
use super::convolution::{pads, windows};
use super::{Draft, ExportError};

/// A pooling, and of maxima their places.
pub(super) fn pool(
    d: &mut Draft<'_, '_, '_>,
    desc: &PoolDesc,
    indices: bool,
) -> Result<Vec<String>, ExportError> {
    let geometry = d.resolved(desc.resolve(d.shape(0)))?;
    let spatial = geometry.windows[MAX_RANK - geometry.rank..].to_vec();
    let axes: Vec<_> = spatial
        .into_iter()
        .map(|window| Axis::new(window, desc.ceil))
        .collect();
    let x = d.input(0)?;
    Ok(vec![match desc.kind {
        PoolKind::Max => return max(d, x, &axes, indices),
        PoolKind::Average { count_padding } => average(d, x, &axes, &geometry, count_padding)?,
        PoolKind::Lp { order } => lp(d, x, &axes, order)?,
    }])
}

/// One axis of a pooling: the window with the padding behind that its placements reach, and how far they hang over.
#[derive(Clone, Copy)]
struct Axis {
    window: Window,
    overhang: usize,
}

impl Axis {
    fn new(mut window: Window, ceil: bool) -> Self {
        let overhang = window.overhang();
        if ceil {
            // No more than is read, or rounding down would find room for another placement.
            window.after -= window.after.min(window.behind());
        }
        Self { window, overhang }
    }

    /// The window with the overhang as padding.
    fn whole(self) -> Window {
        Window {
            after: self.window.after + self.overhang,
            ..self.window
        }
    }

    /// Programs refuse a padding as wide as the kernel.
    fn is_wide(self) -> bool {
        let window = self.whole();
        window.before.max(window.after) >= window.kernel
    }
}

/// Pads of a map as an operator of its own has them.
fn amounts(axes: &[Window]) -> Vec<(i64, i64)> {
    let spatial = axes.iter().map(|w| (w.before as i64, w.after as i64));
    [(0, 0), (0, 0)].into_iter().chain(spatial).collect()
}

fn max(
    d: &mut Draft<'_, '_, '_>,
    mut x: String,
    axes: &[Axis],
    indices: bool,
) -> Result<Vec<String>, ExportError> {
    let mut whole: Vec<_> = axes.iter().map(|axis| axis.whole()).collect();
    let indices = indices && d.is_read(1);
    if axes.iter().any(|axis| axis.is_wide()) {
        if indices {
            return d.unsupported("places of maxima under a padding as wide as the kernel");
        }
        x = d.padded_with(&x, &amounts(&whole), f32::NEG_INFINITY);
        for window in &mut whole {
            (window.before, window.after) = (0, 0);
        }
    }
    let results = 1 + usize::from(indices);
    Ok(d.add_all("MaxPool", &[&x], windows(&whole), results))
}

fn average(
    d: &mut Draft<'_, '_, '_>,
    x: String,
    axes: &[Axis],
    geometry: &PoolGeometry,
    count_padding: bool,
) -> Result<String, ExportError> {
    let dilated = axes.iter().any(|axis| axis.window.dilation > 1);
    if axes.iter().any(|axis| axis.is_wide()) || dilated && d.opset() < 19 {
        let sum = summed(d, &x, axes);
        let factors = factors(geometry);
        let shape = [&[1, 1], &geometry.output_shape()[2..]].concat();
        let factors = d.numbers(&shape, &factors);
        return Ok(d.add("Mul", &[&sum, &factors], vec![]));
    }
    let mut whole: Vec<_> = axes.iter().map(|axis| axis.whole()).collect();
    let mut x = x;
    let hangs_over = axes.iter().any(|axis| axis.overhang > 0);
    if count_padding && hangs_over {
        // What counts is padded first, and what hangs over does not count.
        let counted: Vec<_> = axes.iter().map(|axis| axis.window).collect();
        x = d.padded_with(&x, &amounts(&counted), 0.0);
        for (window, axis) in whole.iter_mut().zip(axes) {
            (window.before, window.after) = (0, axis.overhang);
        }
    }
    let mut attributes = windows(&whole);
    if d.opset() < 19 {
        attributes.retain(|attribute| attribute.name() != "dilations");
    }
    attributes.push(flag("count_include_pad", count_padding && !hangs_over));
    Ok(d.add("AveragePool", &[&x], attributes))
}

/// One by the divisor of every placement; 0 where there is nothing to divide.
fn factors(geometry: &PoolGeometry) -> Vec<f32> {
    let [depth, height, width] = geometry.windows.map(|window| window.output);
    let mut factors = Vec::with_capacity(depth * height * width);
    for at in 0..depth * height * width {
        let placement = [at / width / height, at / width % height, at % width];
        factors.push(match geometry.divisor(placement) {
            0 => 0.0,
            divisor => 1.0 / divisor as f32,
        });
    }
    factors
}

/// Sums over windows: a depthwise convolution by ones.
fn summed(d: &mut Draft<'_, '_, '_>, x: &str, axes: &[Axis]) -> String {
    let whole: Vec<_> = axes.iter().map(|axis| axis.whole()).collect();
    let channels = d.shape(0)[1];
    let kernel: Vec<_> = whole.iter().map(|window| window.kernel).collect();
    let ones = d.filled(&[&[channels, 1], &*kernel].concat(), 1.0);
    let mut attributes = windows(&whole);
    attributes.push(int("group", channels as i64));
    d.add("Conv", &[x, &ones], attributes)
}

/// The order of a norm where it is a whole number, which is all that ONNX's have.
pub(super) fn whole_order(order: NormOrder) -> Option<i64> {
    let millionths = order.millionths();
    millionths
        .is_multiple_of(1_000_000)
        .then_some((millionths / 1_000_000) as i64)
}

/// The order of a norm as a number.
pub(super) fn order_of(order: NormOrder) -> f64 {
    order.millionths() as f64 / 1e6
}

fn lp(
    d: &mut Draft<'_, '_, '_>,
    x: String,
    axes: &[Axis],
    order: NormOrder,
) -> Result<String, ExportError> {
    let dilated = axes.iter().any(|axis| axis.window.dilation > 1);
    let direct = !axes.iter().any(|axis| axis.is_wide()) && (!dilated || d.opset() >= 18);
    if let Some(p) = whole_order(order).filter(|_| direct) {
        let whole: Vec<_> = axes.iter().map(|axis| axis.whole()).collect();
        let mut attributes = windows(&whole);
        if d.opset() < 18 {
            attributes.retain(|attribute| attribute.name() != "dilations");
        }
        attributes.push(int("p", p));
        return Ok(d.add("LpPool", &[&x], attributes));
    }
    let powers = powers(d, &x, order);
    let sum = summed(d, &powers, axes);
    Ok(root(d, &sum, order))
}

/// `|x|ᵖ`
pub(super) fn powers(d: &mut Draft<'_, '_, '_>, x: &str, order: NormOrder) -> String {
    let magnitudes = d.add("Abs", &[x], vec![]);
    d.with_number("Pow", &magnitudes, order_of(order) as f32)
}

/// `x^(1/p)`
pub(super) fn root(d: &mut Draft<'_, '_, '_>, x: &str, order: NormOrder) -> String {
    d.with_number("Pow", x, (1.0 / order_of(order)) as f32)
}

/// `MaxUnpool`: X, places, and the shape where it is not the one that follows from the windows.
pub(super) fn unpool(d: &mut Draft<'_, '_, '_>, desc: &UnpoolDesc) -> Result<String, ExportError> {
    let shape = d.shape(0);
    let rank = shape.len() - 2;
    let kernel = d.resolved(desc.kernel.expand("kernel", rank))?;
    let stride = d.resolved(desc.stride.expand("stride", rank))?;
    let plain = UnpoolDesc {
        output: None,
        ..desc.clone()
    };
    let geometry = d.resolved(plain.resolve(shape))?;
    // Of what the windows cover, the padding is taken off.
    let covered = |axis: usize| Window {
        kernel: kernel[axis],
        stride: stride[axis],
        output: shape[2 + axis],
        ..Window::UNIT
    };
    let cut = |axis| {
        let padding = covered(axis).reach() - geometry.output_shape()[2 + axis];
        (padding / 2, padding - padding / 2)
    };
    let attributes = vec![
        sizes("kernel_shape", kernel.iter().copied()),
        sizes("strides", stride.iter().copied()),
        pads((0..rank).map(cut)),
    ];
    let (x, places) = (d.input(0)?, d.input(1)?);
    if desc.output.is_none() {
        return Ok(d.add("MaxUnpool", &[&x, &places], attributes));
    }
    let extents: Vec<_> = d.made().iter().map(|&extent| extent as i64).collect();
    let extents = d.ints(&extents);
    Ok(d.add("MaxUnpool", &[&x, &places, &extents], attributes))
}
