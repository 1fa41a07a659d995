//! A depthwise-separable convolution in its two stages.

use geometry::{ConvGeometry, SeparableGeometry};
use tensor::Tensor;

use super::columns::{self, Columns};
use super::convolution::{self, Convolution, LINE, animate};
use super::sweep::Board;
use super::{Colouring, flat};
use crate::FigureError;
use crate::page::{self, Caption, MARGIN};
use crate::plane::Look;
use crate::scene::{Scene, at};

/// A depthwise-separable convolution with its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Separable<'a> {
    /// The problem.
    pub geometry: &'a SeparableGeometry,
    /// The input, `[n, c, …]`.
    pub input: &'a Tensor<f64>,
    /// The filters, `[c·m, 1, …]`.
    pub weight: &'a Tensor<f64>,
    /// What the filters made, `[n, c·m, …]`.
    pub middle: &'a Tensor<f64>,
    /// The mixture and what it made: `[o, c·m, 1…]`, `[n, o, …]`.
    pub mixture: Option<(&'a Tensor<f64>, &'a Tensor<f64>)>,
    /// A bias of the last stage.
    pub bias: Option<&'a Tensor<f64>>,
}

/// A frame for every element that the filters make, then one for every element of the mixture.
///
/// # Errors
/// Arrays of another shape, a problem with depth, or one that is too large for a page.
pub fn separable(
    problem: &Separable<'_>,
    caption: &Caption,
    colouring: Colouring,
) -> Result<Scene, FigureError> {
    let depthwise = &problem.geometry.depthwise;
    let filters = Convolution {
        geometry: depthwise,
        input: problem.input,
        weight: problem.weight,
        bias: problem.bias.filter(|_| problem.mixture.is_none()),
        output: problem.middle,
        excerpt: None,
    };
    let stages = problem.geometry.pointwise.as_ref().zip(problem.mixture);
    let Some((pointwise, (weight, output))) = stages else {
        return convolution::convolution(&filters, caption, colouring);
    };
    let mixture = Convolution {
        geometry: pointwise,
        input: problem.middle,
        weight,
        bias: problem.bias,
        output,
        excerpt: None,
    };
    let sweeps = [convolution::sweep(&filters)?, convolution::sweep(&mixture)?];
    let windows = flat(&depthwise.windows)?;
    let caption = convolution::with_formula(caption, &windows);
    let mut scene = page::begin(&caption, convolution::DESCRIPTION);
    let all = [
        &sweeps[0].inputs[..],
        &sweeps[0].outputs[..],
        &sweeps[1].outputs[..],
    ];
    let cell = columns::cell(&all, &[&sweeps[0], &sweeps[1]]);
    let tallest = columns::tallest(&sweeps[0], cell).max(columns::tallest(&sweeps[1], cell));
    let names = convolution::names(depthwise, &windows);
    let mixed = convolution::names(pointwise, &flat(&pointwise.windows)?);
    let mut columns = Columns::new(&mut scene, cell, tallest, colouring);
    let inputs = columns.planes(&sweeps[0].inputs, &names.input, Look::INPUT);
    columns.sign("*");
    let kernels = columns.kernels(&sweeps[0], &inputs, &depthwise_name(depthwise));
    columns.sign("=");
    let middle = columns.planes(&sweeps[0].outputs, "filtered", Look::GRADIENT);
    columns.sign("*");
    let mixers = columns.kernels(&sweeps[1], &middle, "pointwise kernel");
    columns.sign("=");
    let outputs = columns.planes(&sweeps[1].outputs, &mixed.output, Look::OUTPUT);
    let (right, bottom) = (columns.right, columns.bottom);
    let line = at(MARGIN, bottom + LINE);
    let first = Board {
        inputs,
        kernels,
        outputs: middle.clone(),
        line,
        name: "filtered",
        colouring,
    };
    let second = Board {
        inputs: middle,
        kernels: mixers,
        outputs,
        line,
        name: "output",
        colouring,
    };
    let mut frames = sweeps[0].frames(&mut scene, &first);
    frames.extend(sweeps[1].frames(&mut scene, &second));
    let longest = sweeps[0]
        .longest_line(first.name)
        .max(sweeps[1].longest_line(second.name));
    scene.fit(right.max(MARGIN + longest) + MARGIN, line.y + MARGIN - 6.0);
    animate(&mut scene, frames);
    Ok(scene)
}

fn depthwise_name(depthwise: &ConvGeometry) -> String {
    match depthwise.out_channels_per_group() {
        1 => "filter of each channel".to_owned(),
        count => format!("{count} filters of each channel"),
    }
}
