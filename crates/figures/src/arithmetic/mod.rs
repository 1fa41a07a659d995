//! Moving arithmetic: a window that goes over the planes, with the numbers in the cells.
//!
//! The first image of a batch is drawn, in one or two spatial axes. Numbers are given: they are those of the operator that
//! computed them.

mod columns;
mod convolution;
mod deformable;
mod excerpt;
mod pool;
mod separable;
mod sweep;
mod transposed;

pub use convolution::{Convolution, convolution};
pub use deformable::{Deformable, deformable};
pub use excerpt::Excerpt;
pub use pool::{Backward, Pool, pool};
pub use separable::{Separable, separable};
pub use transposed::{Transposed, transposed};

pub(crate) use convolution::sweep as sweep_of;
pub(crate) use excerpt::{lasting, read_by};
pub(crate) use sweep::Sweep;

use geometry::{MAX_RANK, Window};
use tensor::Tensor;

use crate::plane::{self, LARGEST, Plane};
use crate::scene::{Scene, Symbol};
use crate::{FigureError, Item, Paint};

/// The most elements that a moving figure computes, one a frame.
pub const MOST_FRAMES: usize = 256;
/// The most rows and columns of a plane, padding among them.
pub const LONGEST_SIDE: usize = 24;
/// The most planes of an input or output.
pub const MOST_CHANNELS: usize = 8;

/// How cells are coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colouring {
    /// By what they are: input, kernel, output.
    #[default]
    Role,
    /// By their numbers, with the scales printed.
    Value,
}

impl Colouring {
    /// Lays a colour over a cell that a frame chooses. Colours that tell numbers stay as they are: there its edge is all.
    pub(crate) fn tinted(self, cell: Item, paint: Paint, opacity: f64) -> Item {
        match self {
            Self::Role => cell.fill(paint).opacity(opacity),
            Self::Value => cell,
        }
    }
}

/// A window without weights, to be put on planes of cells of a size.
pub(crate) fn window_of(scene: &mut Scene, walk: [Window; 2], cell: f64) -> Symbol {
    sweep::window(scene, walk, cell, None, Colouring::Role)
}

/// Height and width of a problem.
pub(crate) fn flat(windows: &[Window; MAX_RANK]) -> Result<[Window; 2], FigureError> {
    let [depth, height, width] = *windows;
    match depth == Window::UNIT {
        true => Ok([height, width]),
        false => Err(FigureError::Depth),
    }
}

/// Refuses what no page shows.
fn check_size(channels: [usize; 2], sides: &[usize], frames: usize) -> Result<(), FigureError> {
    let within = |what, given, most| match given > most {
        true => Err(FigureError::TooMuch { what, given, most }),
        false => Ok(()),
    };
    within("input channels", channels[0], MOST_CHANNELS)?;
    within("output channels", channels[1], MOST_CHANNELS)?;
    let longest = sides.iter().copied().max().unwrap_or(0);
    within("rows or columns", longest, LONGEST_SIDE)?;
    within("frames", frames, MOST_FRAMES)
}

/// Checks the extents of an array.
fn check_shape(
    what: &'static str,
    given: &Tensor<f64>,
    wanted: &[usize],
) -> Result<(), FigureError> {
    match given.dims() == wanted {
        true if wanted.contains(&0) => Err(FigureError::Empty { what }),
        true => Ok(()),
        false => Err(FigureError::Shape {
            what,
            given: given.dims().to_vec(),
            wanted: wanted.to_vec(),
        }),
    }
}

/// The channels of the first image as planes.
fn planes(tensor: &Tensor<f64>, channels: usize, rows: usize, columns: usize) -> Vec<Plane> {
    let area = rows * columns;
    let of = |channel: usize| &tensor.data()[channel * area..(channel + 1) * area];
    let all = (0..channels).map(|channel| Plane::given(rows, columns, of(channel)));
    all.collect()
}

/// The size of a cell: smaller where there are many rows, but not too small for what stands there.
fn cell_size<'a>(rows: usize, planes: impl IntoIterator<Item = &'a Plane>) -> f64 {
    let least = match rows {
        0..=11 => LARGEST,
        12..=18 => 30.0,
        19..=27 => 26.0,
        _ => 22.0,
    };
    plane::readable(planes, least)
}

/// `⌊(5 − 3 + 1 + 1) / 2⌋ + 1 = 3`: how the size of an axis comes about; rounded up where a pool in ceil mode has one
/// placement more than fit.
fn size_formula(window: &Window) -> String {
    let mut inside = format!("{} − {}", window.input, window.effective_kernel());
    if window.before + window.after > 0 {
        inside = format!("{inside} + {} + {}", window.before, window.after);
    }
    let [open, close] = match window.overhang() > 0 {
        true => ['⌈', '⌉'],
        false => ['⌊', '⌋'],
    };
    let (stride, output) = (window.stride, window.output);
    format!("{open}({inside}) / {stride}{close} + 1 = {output}")
}

/// The formula of both axes, once where they agree.
fn size_formulas([down, across]: &[Window; 2]) -> String {
    match (*down == Window::UNIT, down == across) {
        (true, _) => format!("size: {}", size_formula(across)),
        (_, true) => format!("size, both ways: {}", size_formula(across)),
        _ => format!(
            "height: {}, width: {}",
            size_formula(down),
            size_formula(across)
        ),
    }
}

/// `5×5`, or `5` of a problem with one axis.
fn sides(rows: usize, columns: usize, flat: bool) -> String {
    match flat {
        true => columns.to_string(),
        false => format!("{rows}×{columns}"),
    }
}
