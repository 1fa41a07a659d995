//! A convolution: a kernel goes over the padded input.

use geometry::{ConvGeometry, Window};
use tensor::Tensor;

use super::columns::{self, Columns};
use super::sweep::{Board, Sweep};
use super::{Colouring, Excerpt, check_shape, check_size, flat, planes, sides, size_formulas};
use crate::FigureError;
use crate::page::{self, Caption, MARGIN};
use crate::plane::{Cell, Look, Plane};
use crate::scene::{Item, Scene, at};

/// A convolution with its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Convolution<'a> {
    /// The problem.
    pub geometry: &'a ConvGeometry,
    /// The input, `[n, c, …]`.
    pub input: &'a Tensor<f64>,
    /// The weight, `[o, c / groups, …]`.
    pub weight: &'a Tensor<f64>,
    /// A bias, `[o]`.
    pub bias: Option<&'a Tensor<f64>>,
    /// What the operator made, `[n, o, …]`.
    pub output: &'a Tensor<f64>,
    /// What the problem is a part of.
    pub excerpt: Option<&'a Excerpt>,
}

/// A frame for every output element of the first image: the window on the input, the kernel, the element, its sum.
///
/// # Errors
/// Arrays of another shape, a problem with depth, or one that is too large for a page.
pub fn convolution(
    problem: &Convolution<'_>,
    caption: &Caption,
    colouring: Colouring,
) -> Result<Scene, FigureError> {
    let sweep = sweep(problem)?;
    let windows = flat(&problem.geometry.windows)?;
    let mut names = names(problem.geometry, &windows);
    let Some(excerpt) = problem.excerpt else {
        let caption = with_formula(caption, &windows);
        return Ok(draw(&sweep, &caption, &names, colouring));
    };
    // The size of a part follows from nothing that the layer says.
    let geometry = problem.geometry;
    let size = sides(
        geometry.windows[1].output,
        geometry.windows[2].output,
        geometry.rank == 1,
    );
    names.output = format!("output {size}, map {}", excerpt.map);
    if excerpt.others() > 0 {
        let others = excerpt.others();
        names.input = format!("{}, {others} more not drawn", names.input);
    }
    Ok(draw(&sweep, caption, &names, colouring))
}

/// The remark, or the formula of the size where there is none.
pub(super) fn with_formula(caption: &Caption, windows: &[Window; 2]) -> Caption {
    let formula = size_formulas(windows);
    let remark = match caption.remark.as_str() {
        "" => formula,
        remark => format!("{formula} · {remark}"),
    };
    Caption::new(&caption.heading, remark)
}

/// The planes of a convolution.
pub(crate) fn sweep(problem: &Convolution<'_>) -> Result<Sweep, FigureError> {
    let geometry = problem.geometry;
    let windows = flat(&geometry.windows)?;
    check_shape("input", problem.input, &geometry.input_shape())?;
    check_shape("weight", problem.weight, &geometry.weight_shape())?;
    check_shape("output", problem.output, &geometry.output_shape())?;
    if let Some(bias) = problem.bias {
        check_shape("bias", bias, &[geometry.out_channels])?;
    }
    if let Some(excerpt) = problem.excerpt {
        excerpt.check(geometry.in_channels, &geometry.output_shape())?;
    }
    let padded = windows.map(|w| w.padded());
    check_size(
        [geometry.in_channels, geometry.out_channels],
        &padded,
        geometry.out_channels * geometry.output_area(),
    )?;
    let [down, across] = windows;
    let mode = geometry.padding_mode;
    let given = planes(
        problem.input,
        geometry.in_channels,
        down.input,
        across.input,
    );
    let inputs = given.iter().map(|plane| {
        padded_plane(plane, &windows, |row, column| {
            let row = mode.source(down.input, row as isize - down.before as isize);
            let column = mode.source(across.input, column as isize - across.before as isize);
            let source = row.zip(column);
            Some(source.map_or(0.0, |(row, column)| plane.value(row, column)))
        })
    });
    let (seen, makes) = (
        geometry.in_channels_per_group(),
        geometry.out_channels_per_group(),
    );
    let taps = planes(
        problem.weight,
        geometry.out_channels * seen,
        down.kernel,
        across.kernel,
    );
    let kernels = (0..geometry.out_channels).map(|output| {
        let first = output / makes * seen;
        let kernel = |input: usize| {
            let place = input.checked_sub(first).filter(|&place| place < seen)?;
            Some(taps[output * seen + place].clone())
        };
        (0..geometry.in_channels).map(kernel).collect()
    });
    Ok(Sweep {
        inputs: inputs.collect(),
        kernels: kernels.collect(),
        bias: problem.bias.map(|bias| bias.data().to_vec()),
        outputs: planes(
            problem.output,
            geometry.out_channels,
            down.output,
            across.output,
        ),
        walk: windows,
        excerpt: problem.excerpt.cloned(),
    })
}

/// A plane with its padding, which holds the numbers that `padding` says, and what no window reads marked.
pub(super) fn padded_plane(
    plane: &Plane,
    [down, across]: &[Window; 2],
    padding: impl Fn(usize, usize) -> Option<f64>,
) -> Plane {
    let (rows, columns) = (down.padded(), across.padded());
    let (read_rows, read_columns) = (read(down), read(across));
    let inner = |at: usize, window: &Window| {
        let at = at.checked_sub(window.before);
        at.filter(|&at| at < window.input)
    };
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let cells = places.map(|(row, column)| {
        let (value, cell) = match (inner(row, down), inner(column, across)) {
            (Some(y), Some(x)) => (Some(plane.value(y, x)), Cell::Given),
            _ => (padding(row, column), Cell::Added),
        };
        match read_rows[row] && read_columns[column] {
            true => (value, cell),
            false => (value, Cell::Unread),
        }
    });
    Plane {
        rows,
        columns,
        cells: cells.collect(),
    }
}

/// Which places of a padded axis any window looks at.
fn read(window: &Window) -> Vec<bool> {
    let mut read = vec![false; window.padded()];
    for output in 0..window.output {
        for tap in 0..window.kernel {
            if let Some(read) = read.get_mut(window.position(output, tap)) {
                *read = true;
            }
        }
    }
    read
}

/// What is padded, as the problem notation has it: one number, one for each axis, or each side by its name, in the order
/// of `p<top>,<left>,<bottom>,<right>`.
fn padding([down, across]: [&Window; 2], one: bool) -> Option<String> {
    let symmetric = [down, across].iter().all(|axis| axis.before == axis.after);
    let sides = [
        ("top", down.before),
        ("left", across.before),
        ("bottom", down.after),
        ("right", across.after),
    ];
    match (symmetric, one) {
        _ if sides.iter().all(|&(_, pad)| pad == 0) => None,
        (true, true) => Some(across.before.to_string()),
        (true, false) if down.before == across.before => Some(down.before.to_string()),
        (true, false) => Some(format!("{}×{}", down.before, across.before)),
        (false, _) => {
            let sides = sides.iter().filter(|&&(_, pad)| pad > 0);
            let sides: Vec<String> = sides.map(|(side, pad)| format!("{side} {pad}")).collect();
            Some(sides.join(", "))
        }
    }
}

/// Titles of the three columns.
pub(super) struct Names {
    pub(super) input: String,
    pub(super) kernel: String,
    pub(super) output: String,
}

pub(super) fn names(geometry: &ConvGeometry, [down, across]: &[Window; 2]) -> Names {
    let one = geometry.rank == 1;
    let count = |channels: usize| match channels {
        1 => String::new(),
        channels => format!("{channels} × "),
    };
    let mut input = format!(
        "input {}{}",
        count(geometry.in_channels),
        sides(down.input, across.input, one)
    );
    if let Some(padding) = padding([down, across], one) {
        input = format!("{input}, padding {padding}");
    }
    let mut kernel = format!("kernel {}", sides(down.kernel, across.kernel, one));
    if down.dilation * across.dilation > 1 {
        kernel = format!("{kernel}, dilation {}", across.dilation.max(down.dilation));
    }
    if geometry.groups > 1 {
        kernel = format!("{kernel}, {} groups", geometry.groups);
    }
    Names {
        input,
        kernel,
        output: format!(
            "output {}{}",
            count(geometry.out_channels),
            sides(down.output, across.output, one)
        ),
    }
}

/// The picture of a sweep.
pub(super) fn draw(sweep: &Sweep, caption: &Caption, names: &Names, colouring: Colouring) -> Scene {
    let mut scene = page::begin(caption, DESCRIPTION);
    let cell = columns::cell(&[&sweep.inputs, &sweep.outputs], &[sweep]);
    let tallest = columns::tallest(sweep, cell);
    let mut columns = Columns::new(&mut scene, cell, tallest, colouring);
    let labels = match &sweep.excerpt {
        Some(excerpt) if excerpt.of > 1 => excerpt.labels(),
        _ => Vec::new(),
    };
    let inputs = columns.labelled(&sweep.inputs, &labels, &names.input, Look::INPUT);
    columns.sign("*");
    let kernels = columns.kernels(sweep, &inputs, &names.kernel);
    columns.sign("=");
    let outputs = columns.planes(&sweep.outputs, &names.output, Look::OUTPUT);
    let (right, bottom) = (columns.right, columns.bottom);
    let board = Board {
        inputs,
        kernels,
        outputs,
        line: at(MARGIN, bottom + LINE),
        name: "output",
        colouring,
    };
    let frames = sweep.frames(&mut scene, &board);
    scene.top.extend(sweep.marks(&board));
    let line = MARGIN + sweep.longest_line(board.name);
    scene.fit(right.max(line) + MARGIN, board.line.y + MARGIN - 6.0);
    animate(&mut scene, frames);
    scene
}

/// What the picture shows, in words.
pub(super) const DESCRIPTION: &str = "A window goes over the input; each frame shows the products that one element of the output sums.";

/// From the columns down to the line of a frame.
pub(super) const LINE: f64 = 32.0;

/// Gives a scene its frames: quick where there is much to see, and still in the middle.
pub(super) fn animate(scene: &mut Scene, frames: Vec<Vec<Item>>) {
    scene.still = frames.len() / 2;
    scene.seconds = match frames.len() {
        0..=16 => 1.0,
        17..=40 => 0.7,
        _ => 0.4,
    };
    scene.frames = frames;
}
