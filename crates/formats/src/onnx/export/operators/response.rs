//! Local response normalisation.

use graph::LocalResponse;

use super::attribute::{float, int, sizes};
use super::convolution::pads;
use super::{Draft, ExportError};

/// `LRN` of images by a window that lies evenly around each channel; others are made of an average over channels.
pub(super) fn local(
    d: &mut Draft<'_, '_, '_>,
    settings: &LocalResponse,
) -> Result<String, ExportError> {
    let (x, shape, open) = (d.input(0)?, d.shape(0), d.is_open(0));
    let LocalResponse {
        before,
        after,
        alpha,
        beta,
        k,
    } = *settings;
    let size = before + 1 + after;
    // ONNX Runtime has it for these alone.
    if before == after && shape.len() == 4 {
        let attributes = vec![
            int("size", size as i64),
            float("alpha", alpha),
            float("beta", beta),
            float("bias", k),
        ];
        return Ok(d.add("LRN", &[&x], attributes));
    }
    let square = d.add("Mul", &[&x, &x], vec![]);
    let (channels, area) = (shape[1], shape[2..].iter().product::<usize>());
    let rows = d.reshape(&square, &[shape[0], 1, channels, area], open);
    // Channels that are not there count as zeros.
    let margins = [(before as i64, after as i64)];
    let amounts = [[(0, 0), (0, 0)].as_slice(), &margins, &[(0, 0)]].concat();
    let padded = d.padded_with(&rows, &amounts, 0.0);
    let attributes = vec![
        sizes("kernel_shape", [size, 1]),
        sizes("strides", [1, 1]),
        pads([(0, 0), (0, 0)].into_iter()),
    ];
    let mean = d.add("AveragePool", &[&padded], attributes);
    let mean = d.reshape(&mean, shape, open);
    let scale = d.with_number("Mul", &mean, alpha);
    let scale = d.with_number("Add", &scale, k);
    let scale = d.with_number("Pow", &scale, beta);
    Ok(d.add("Div", &[&x, &scale], vec![]))
}
