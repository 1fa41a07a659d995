//! A deformable convolution: where each tap samples.

use geometry::DeformableGeometry;
use tensor::Tensor;

use super::columns::{self, Columns};
use super::convolution::{self, Convolution, LINE, animate};
use super::{Colouring, check_shape, flat};
use crate::FigureError;
use crate::number::short;
use crate::page::{self, Caption, MARGIN};
use crate::plane::Look;
use crate::scene::{Anchor, Item, Scene, at};
use crate::theme::Paint;

/// A deformable convolution with its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Deformable<'a> {
    /// The problem.
    pub geometry: &'a DeformableGeometry,
    /// The input, `[n, c, h, w]`.
    pub input: &'a Tensor<f64>,
    /// The offsets, `[n, f·kh·kw·2, h', w']`, down before across.
    pub offset: &'a Tensor<f64>,
    /// The mask, `[n, f·kh·kw, h', w']`, of a modulated one.
    pub mask: Option<&'a Tensor<f64>>,
    /// The weight, `[o, c / groups, kh, kw]`.
    pub weight: &'a Tensor<f64>,
    /// A bias, `[o]`.
    pub bias: Option<&'a Tensor<f64>>,
    /// What the operator made, `[n, o, h', w']`.
    pub output: &'a Tensor<f64>,
}

/// A frame for every output element of the first image: where the taps of a regular kernel would look, where they sample
/// instead, and the element. Samples lie between pixels; a point that is larger has a larger mask.
///
/// # Errors
/// Arrays of another shape, or a problem that is too large for a page.
pub fn deformable(
    problem: &Deformable<'_>,
    caption: &Caption,
    colouring: Colouring,
) -> Result<Scene, FigureError> {
    let geometry = problem.geometry;
    check_shape("offset", problem.offset, &geometry.offset_shape())?;
    match (problem.mask, geometry.mask_shape()) {
        (Some(mask), shape) => check_shape("mask", mask, &shape.unwrap_or_default())?,
        (None, Some(wanted)) => {
            return Err(FigureError::Shape {
                what: "mask",
                given: Vec::new(),
                wanted: wanted.to_vec(),
            });
        }
        (None, None) => {}
    }
    let sweep = convolution::sweep(&Convolution {
        geometry: &geometry.conv,
        input: problem.input,
        weight: problem.weight,
        bias: problem.bias,
        output: problem.output,
        excerpt: None,
    })?;
    let windows = flat(&geometry.conv.windows)?;
    let [down, across] = windows;
    let caption = convolution::with_formula(caption, &windows);
    let mut scene = page::begin(
        &caption,
        "Squares are where a regular kernel looks, points where the taps of this one sample; a line leads from one to the other.",
    );
    let cell = columns::cell(&[&sweep.inputs, &sweep.outputs], &[&sweep]) + 4.0;
    let names = convolution::names(&geometry.conv, &windows);
    let tallest = columns::tallest(&sweep, cell);
    let mut columns = Columns::new(&mut scene, cell, tallest, colouring);
    let inputs = columns.planes(&sweep.inputs, &names.input, Look::INPUT);
    columns.sign("*");
    let kernels = columns.kernels(&sweep, &inputs, &names.kernel);
    columns.sign("=");
    let outputs = columns.planes(&sweep.outputs, &names.output, Look::OUTPUT);
    let (right, bottom) = (columns.right, columns.bottom);
    let line = at(MARGIN, bottom + LINE);
    let area = down.output * across.output;
    let taps = down.kernel * across.kernel;
    let mut frames = Vec::new();
    let mut longest: f64 = 0.0;
    for (output, plane) in sweep.outputs.iter().enumerate() {
        for place in 0..area {
            let (row, column) = (place / across.output, place % across.output);
            let mut items = Vec::new();
            for (input, grid) in inputs.iter().enumerate() {
                if sweep.kernels[output][input].is_none() {
                    continue;
                }
                let group = input / geometry.channels_per_offset_group();
                for tap in 0..taps {
                    let (r, c) = (tap / across.kernel, tap % across.kernel);
                    let sample = group * taps + tap;
                    let shift =
                        [0, 1].map(|way| problem.offset.data()[(sample * 2 + way) * area + place]);
                    let regular = grid.middle(down.position(row, r), across.position(column, c));
                    let to = regular.moved(shift[1] * cell, shift[0] * cell);
                    let square =
                        Item::rectangle(regular.moved(-cell / 2.0, -cell / 2.0), cell, cell);
                    items.push(square.stroke(Paint::KernelEdge, 1.6).dashed());
                    items.push(Item::line([regular, to]).stroke(Paint::KernelEdge, 1.0));
                    let mask = problem
                        .mask
                        .map_or(1.0, |mask| mask.data()[sample * area + place]);
                    let radius = cell * 0.16 * mask.clamp(0.1, 1.5).sqrt();
                    let point = Item::circle(to, radius)
                        .fill(Paint::KernelEdge)
                        .opacity(0.75);
                    items.push(point.stroke(Paint::Page, 1.0));
                }
            }
            let grids = kernels[output].iter().flatten();
            items.extend(grids.map(|grid| grid.outline(Paint::KernelEdge, 2.5)));
            let chosen = outputs[output].around(row, column, Paint::OutputEdge, 2.5);
            items.push(colouring.tinted(chosen, Paint::OutputEdge, 0.3));
            let mask = if problem.mask.is_some() {
                " · mask"
            } else {
                ""
            };
            let text = format!(
                "output[{output}, {row}, {column}] = sum of weight · sample{mask} over {taps} points = {}",
                short(plane.value(row, column))
            );
            longest = longest.max(Scene::text_width(&text, 12.0, crate::Weight::Regular));
            items.push(Item::text(line, text, 12.0, Anchor::Start));
            frames.push(items);
        }
    }
    scene.fit(right.max(MARGIN + longest) + MARGIN, line.y + MARGIN - 6.0);
    animate(&mut scene, frames);
    Ok(scene)
}
