//! A transposed convolution as the direct one that it is, over the stretched and padded input.

use geometry::{ConvGeometry, Stretched, Window};
use tensor::Tensor;

use super::columns::{self, Columns};
use super::convolution::{LINE, animate};
use super::sweep::{Board, Sweep};
use super::{Colouring, check_shape, check_size, flat, planes, sides};
use crate::FigureError;
use crate::page::{self, Caption, MARGIN};
use crate::plane::{Cell, Grid, Look, Plane};
use crate::scene::{Item, Scene, at};
use crate::theme::Paint;

/// A transposed convolution with its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Transposed<'a> {
    /// The convolution that it turns round: its output is the layer's input.
    pub geometry: &'a ConvGeometry,
    /// The layer's input, `[n, c, …]`.
    pub input: &'a Tensor<f64>,
    /// The weight, `[c, o / groups, …]`.
    pub weight: &'a Tensor<f64>,
    /// A bias, `[o]`.
    pub bias: Option<&'a Tensor<f64>>,
    /// What the operator made, `[n, o, …]`.
    pub output: &'a Tensor<f64>,
}

/// A frame for every output element of the first image: the input, the same stretched and padded, the kernel turned round,
/// and the element with its sum.
///
/// # Errors
/// Arrays of another shape, a problem with depth, or one that is too large for a page.
pub fn transposed(
    problem: &Transposed<'_>,
    caption: &Caption,
    colouring: Colouring,
) -> Result<Scene, FigureError> {
    let windows = flat(&problem.geometry.windows)?;
    let axes = windows.each_ref().map(Window::stretched);
    let sweep = sweep(problem, &axes)?;
    let given = planes(
        problem.input,
        problem.geometry.out_channels,
        axes[0].input,
        axes[1].input,
    );
    let caption = Caption::new(&caption.heading, remark(&caption.remark, &windows, &axes));
    let mut scene = page::begin(
        &caption,
        "The input is stretched with zeros and padded; a window of stride one goes over it.",
    );
    let cell = columns::cell(&[&sweep.inputs, &sweep.outputs], &[&sweep]);
    let tallest = columns::tallest(&sweep, cell);
    let one = problem.geometry.rank == 1;
    let mut columns = Columns::new(&mut scene, cell, tallest, colouring);
    let name = format!("input {}", sides(axes[0].input, axes[1].input, one));
    let sources = columns.planes(&given, &name, Look::INPUT);
    columns.sign("→");
    let [rows, width] = axes.map(|axis| axis.padded());
    let name = format!("stretched, padded: {}", sides(rows, width, one));
    let inputs = columns.planes(&sweep.inputs, &name, Look::INPUT);
    columns.sign("*");
    let name = format!(
        "kernel {}, turned",
        sides(axes[0].kernel, axes[1].kernel, one)
    );
    let kernels = columns.kernels(&sweep, &inputs, &name);
    columns.sign("=");
    let name = format!("output {}", sides(axes[0].output, axes[1].output, one));
    let outputs = columns.planes(&sweep.outputs, &name, Look::OUTPUT);
    let (right, bottom) = (columns.right, columns.bottom);
    let board = Board {
        inputs,
        kernels,
        outputs,
        line: at(MARGIN, bottom + LINE),
        name: "output",
        colouring,
    };
    let mut frames = sweep.frames(&mut scene, &board);
    mark_sources(&mut frames, &sweep, &axes, &sources);
    let line = MARGIN + sweep.longest_line(board.name);
    scene.fit(right.max(line) + MARGIN, board.line.y + MARGIN - 6.0);
    animate(&mut scene, frames);
    Ok(scene)
}

/// The planes of the direct convolution.
pub(super) fn sweep(problem: &Transposed<'_>, axes: &[Stretched; 2]) -> Result<Sweep, FigureError> {
    let geometry = problem.geometry;
    check_shape("input", problem.input, &geometry.output_shape())?;
    check_shape("weight", problem.weight, &geometry.weight_shape())?;
    check_shape("output", problem.output, &geometry.input_shape())?;
    if let Some(bias) = problem.bias {
        check_shape("bias", bias, &[geometry.in_channels])?;
    }
    let [down, across] = axes;
    check_size(
        [geometry.out_channels, geometry.in_channels],
        &[down.padded(), across.padded()],
        geometry.in_channels * geometry.input_area(),
    )?;
    let given = planes(
        problem.input,
        geometry.out_channels,
        down.input,
        across.input,
    );
    let inputs = given.iter().map(|plane| stretched(plane, axes));
    let (makes, sees) = (
        geometry.in_channels_per_group(),
        geometry.out_channels_per_group(),
    );
    let taps = planes(
        problem.weight,
        geometry.out_channels * makes,
        down.kernel,
        across.kernel,
    );
    let kernels = (0..geometry.in_channels).map(|output| {
        let group = output / makes;
        let kernel = |input: usize| {
            let plane = &taps[input * makes + output % makes];
            (input / sees == group).then(|| turned(plane))
        };
        (0..geometry.out_channels).map(kernel).collect()
    });
    Ok(Sweep {
        inputs: inputs.collect(),
        kernels: kernels.collect(),
        bias: problem.bias.map(|bias| bias.data().to_vec()),
        outputs: planes(
            problem.output,
            geometry.in_channels,
            down.output,
            across.output,
        ),
        walk: axes.each_ref().map(Stretched::window),
        excerpt: None,
    })
}

/// A plane with zeros between its rows and columns and around them.
fn stretched(plane: &Plane, [down, across]: &[Stretched; 2]) -> Plane {
    let (rows, columns) = (down.padded(), across.padded());
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let cells = places.map(
        |(row, column)| match (down.source(row), across.source(column)) {
            (Some(row), Some(column)) => (Some(plane.value(row, column)), Cell::Given),
            _ => (Some(0.0), Cell::Added),
        },
    );
    Plane {
        rows,
        columns,
        cells: cells.collect(),
    }
}

/// The last tap first, both ways.
fn turned(plane: &Plane) -> Plane {
    Plane {
        cells: plane.cells.iter().rev().copied().collect(),
        ..plane.clone()
    }
}

/// Shows in every frame which elements of the input the window holds.
fn mark_sources(frames: &mut [Vec<Item>], sweep: &Sweep, axes: &[Stretched; 2], sources: &[Grid]) {
    let outputs = sweep
        .outputs
        .iter()
        .enumerate()
        .flat_map(|(output, plane)| {
            (0..plane.rows * plane.columns)
                .map(move |place| (output, [place / plane.columns, place % plane.columns]))
        });
    for (frame, (output, [row, column])) in frames.iter_mut().zip(outputs) {
        let under = |axis: usize, from: usize| -> Vec<usize> {
            let walk = sweep.walk[axis];
            let taps =
                (0..walk.kernel).filter_map(|tap| axes[axis].source(walk.position(from, tap)));
            taps.collect()
        };
        let (rows, columns) = (under(0, row), under(1, column));
        for (grid, kernel) in sources.iter().zip(&sweep.kernels[output]) {
            if kernel.is_none() {
                continue;
            }
            for &row in &rows {
                for &column in &columns {
                    let cell = grid.around(row, column, Paint::KernelEdge, 2.0);
                    frame.push(cell.fill(Paint::KernelEdge).opacity(0.3));
                }
            }
        }
    }
}

/// `s' = 1, p' = 2, a = 1` and the sizes.
fn remark(remark: &str, [down, across]: &[Window; 2], axes: &[Stretched; 2]) -> String {
    let axis = |window: &Window, axis: &Stretched| {
        format!(
            "k' = {}, s' = 1, p' = {}, a = {}: {}·({} − 1) + {} + {} − {} = {}",
            axis.kernel,
            axis.before,
            axis.remainder,
            window.stride,
            axis.input,
            axis.remainder,
            window.effective_kernel(),
            window.before + window.after,
            axis.output
        )
    };
    let [rows, columns] = [axis(down, &axes[0]), axis(across, &axes[1])];
    let sizes = match *down == Window::UNIT || rows == columns {
        true => columns,
        false => format!("height {rows}; width {columns}"),
    };
    match remark {
        "" => sizes,
        remark => format!("{sizes} · {remark}"),
    }
}
