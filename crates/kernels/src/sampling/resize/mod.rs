//! Resizing: nearest, linear and cubic, along one to three axes (PyTorch `interpolate`, ONNX Resize).
//!
//! All are separable: along each axis an output element is a weighted sum of a run of neighbouring
//! input elements. [`ResizePlan`] tabulates runs and weights once. A row of the output is then made
//! in two steps, first of the input rows it needs, all of their length, then along the row; so the
//! only memory between is one row a thread. The gradient is the same with the tables transposed.

mod coordinates;
mod line;
mod table;

use geometry::{MAX_RANK, ResizeCoordinates, ResizeGeometry};
use tensor::{Layout, MemoryError};

use self::coordinates::Axis;
use self::line::Lines;
use self::table::Table;
use crate::{Context, Real};

/// What a resizing knows besides its sizes. All lists go depth, height, width; axes that the problem
/// does not have are of no account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResizePlacement {
    /// Output elements an input element, where they were given and are not to follow from the sizes
    /// (ONNX `scales`, PyTorch `scale_factor`).
    pub scales: Option<[f64; MAX_RANK]>,
    /// Start and end of the box that is stretched over the output, 0 to 1 from the first input
    /// element to the last, for [`ResizeCoordinates::CropAndResize`].
    pub crop: [(f64, f64); MAX_RANK],
    /// What an output element gets that lies outside the input, with a box.
    pub extrapolation: f64,
}

impl Default for ResizePlacement {
    /// Scales that follow from the sizes, the whole input, zeros outside.
    fn default() -> Self {
        Self {
            scales: None,
            crop: [(0.0, 1.0); MAX_RANK],
            extrapolation: 0.0,
        }
    }
}

/// A resizing made ready: tables of all axes for both directions.
#[derive(Clone, Debug)]
pub struct ResizePlan {
    geometry: ResizeGeometry,
    forward: [Table; MAX_RANK],
    backward: [Table; MAX_RANK],
    extrapolation: f64,
}

impl ResizePlan {
    /// Tabulates a resizing.
    ///
    /// ```
    /// use geometry::ResizeDesc;
    /// use kernels::sampling::resize::{ResizePlacement, ResizePlan, forward};
    /// use kernels::{Context, Isa, Team};
    /// use tensor::Layout;
    ///
    /// let (team, geometry) = (Team::new(1)?, ResizeDesc::linear(4).resolve(&[1, 1, 2])?);
    /// let plan = ResizePlan::new(&geometry, &ResizePlacement::default())?;
    /// let mut scratch = vec![0.0f32; plan.scratch_len(Layout::Nchw, 1)];
    /// let context = Context { team: &team, isa: Isa::chosen() };
    /// let mut y = [0.0; 4];
    /// forward(&context, Layout::Nchw, &plan, &[10.0, 20.0], &mut y, &mut scratch);
    /// assert_eq!(y, [10.0, 12.5, 17.5, 20.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the system does not give the memory for the tables: some 40 bytes for each element along an
    /// axis, of the input and of the output.
    ///
    /// # Panics
    /// When a given scale does not lead from the input's size to the output's, or a number is not
    /// finite.
    pub fn new(
        geometry: &ResizeGeometry,
        placement: &ResizePlacement,
    ) -> Result<Self, MemoryError> {
        let empty = geometry.batch == 0 || geometry.channels == 0;
        let forward = try_each_axis(|axis| {
            let axis = Axis {
                coordinates: geometry.coordinates,
                input: geometry.input[axis],
                // Sizes of what holds no element may be beyond any memory.
                output: if empty { 0 } else { geometry.output[axis] },
                scale: placement
                    .scales
                    .filter(|_| !is_lifted(geometry, axis))
                    .map(|s| s[axis]),
                crop: if is_lifted(geometry, axis) {
                    (0.0, 1.0)
                } else {
                    placement.crop[axis]
                },
            };
            check_axis(&axis);
            Table::new(&axis, geometry.filter, geometry.exclude_outside)
        })?;
        let backward = try_each_axis(|axis| {
            forward[axis].transposed(if empty { 0 } else { geometry.input[axis] })
        })?;
        Ok(Self {
            geometry: *geometry,
            forward,
            backward,
            extrapolation: placement.extrapolation,
        })
    }

    /// What the plan is for.
    pub fn geometry(&self) -> &ResizeGeometry {
        &self.geometry
    }

    /// Elements of scratch that [`forward`] and [`backward`] need.
    pub fn scratch_len(&self, layout: Layout, threads: usize) -> usize {
        let lines = [self.forward_lines(layout), self.backward_lines(layout)];
        let lens = lines.map(|lines| lines.scratch_len(threads));
        lens[0].max(lens[1])
    }

    fn forward_lines(&self, layout: Layout) -> Lines<'_> {
        let g = &self.geometry;
        Lines::new(layout, g, &self.forward, g.input, g.output)
    }

    fn backward_lines(&self, layout: Layout) -> Lines<'_> {
        let g = &self.geometry;
        Lines::new(layout, g, &self.backward, g.output, g.input)
    }
}

/// A table of each axis.
fn try_each_axis(
    table: impl Fn(usize) -> Result<Table, MemoryError>,
) -> Result<[Table; MAX_RANK], MemoryError> {
    let tables: Vec<_> = (0..MAX_RANK).map(table).collect::<Result<_, _>>()?;
    Ok(tables
        .try_into()
        .unwrap_or_else(|_| unreachable!("one an axis")))
}

/// Whether an axis is not one of the problem.
fn is_lifted(geometry: &ResizeGeometry, axis: usize) -> bool {
    axis < MAX_RANK - geometry.rank
}

fn check_axis(axis: &Axis) {
    let (start, end) = axis.crop;
    assert!(
        start.is_finite() && end.is_finite(),
        "resize: a box from {start} to {end}"
    );
    if let Some(scale) = axis.scale
        && axis.output > 0
    {
        // The output has as many whole elements as the length; let it be a rounding off.
        let (length, output) = (axis.input as f64 * scale, axis.output as f64);
        assert!(
            length >= output * (1.0 - 1e-6) && length <= (output + 1.0) * (1.0 + 1e-6),
            "resize: scale {scale} from {} to {}",
            axis.input,
            axis.output
        );
    }
}

/// `y` = `x`, resized. With a box, what lies outside the input is the plan's own number.
///
/// # Panics
/// When a slice has not the size the geometry gives, or `scratch` is shorter than
/// [`ResizePlan::scratch_len`].
pub fn forward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    plan: &ResizePlan,
    x: &[T],
    y: &mut [T],
    scratch: &mut [T],
) {
    check("resize", &plan.geometry, x.len(), y.len());
    let outside = match plan.geometry.coordinates {
        ResizeCoordinates::CropAndResize => T::of(plan.extrapolation),
        _ => T::zero(),
    };
    plan.forward_lines(layout).run(ctx, x, outside, y, scratch);
}

/// `dx`: each output element hands its gradient to the input elements it was made of, by their
/// weights.
///
/// # Panics
/// As [`forward`].
pub fn backward<T: Real>(
    ctx: &Context<'_>,
    layout: Layout,
    plan: &ResizePlan,
    dy: &[T],
    dx: &mut [T],
    scratch: &mut [T],
) {
    check("resize backward", &plan.geometry, dx.len(), dy.len());
    let lines = plan.backward_lines(layout);
    lines.run(ctx, dy, T::zero(), dx, scratch);
}

fn check(what: &str, g: &ResizeGeometry, x: usize, y: usize) {
    let planes = g.batch * g.channels;
    assert_eq!(
        x,
        planes * g.input_area(),
        "{what}: length of the input's map"
    );
    assert_eq!(
        y,
        planes * g.output_area(),
        "{what}: length of the output's map"
    );
}
