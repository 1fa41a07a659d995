//! Several problems in one picture: as a stack whose last map looks back, or as rows that compare channels.

use figures::channels::{Row, Stage};
use figures::field::Layer;
use geometry::{MAX_RANK, Problem, Window};

use crate::failure::usage;

/// A problem as a layer of a stack.
///
/// # Errors
/// A problem without meaning, or one whose windows do not have one size and place.
pub(super) fn layer(problem: &Problem) -> anyhow::Result<Layer> {
    let on_problem =
        |error: geometry::GeometryError| usage(format!("problem '{problem}': {error}"));
    let windows: [Window; MAX_RANK] = match problem {
        Problem::Conv(shape, desc) => desc.resolve(&shape.dims).map_err(on_problem)?.windows,
        Problem::ConvSeparable(shape, desc) => {
            desc.resolve(&shape.dims)
                .map_err(on_problem)?
                .depthwise
                .windows
        }
        Problem::Pool(shape, desc) => desc.resolve(&shape.dims).map_err(on_problem)?.windows,
        Problem::ConvTransposed(..) | Problem::ConvDeformable(..) | Problem::AdaptivePool(..) => {
            return Err(usage(format!(
                "problem '{problem}': a field is drawn of convolutions and pools with windows of one size and stride"
            )));
        }
    };
    let text = problem.to_string();
    let mut parts = text.split(':');
    let kind = parts.next().unwrap_or_default();
    let settings = parts.next_back().unwrap_or_default();
    // Channels do not matter for what is seen.
    let settings = match settings.find('k') {
        Some(kernel) => &settings[kernel..],
        None => settings,
    };
    Ok(Layer {
        name: format!("{kind} {settings}"),
        windows,
    })
}

/// A problem as a row of channels.
///
/// # Errors
/// A problem without meaning, or one that is no sum over channels.
pub(super) fn row(problem: &Problem) -> anyhow::Result<Row> {
    let on_problem =
        |error: geometry::GeometryError| usage(format!("problem '{problem}': {error}"));
    let (name, stages) = match problem {
        Problem::Conv(shape, desc) => {
            let conv = desc.resolve(&shape.dims).map_err(on_problem)?;
            let name = match () {
                () if conv.is_depthwise() => "depthwise",
                () if conv.groups > 1 => "grouped",
                () if conv.kernel_area() == 1 => "pointwise",
                () => "standard",
            };
            (name, vec![Stage::Conv(conv)])
        }
        Problem::ConvSeparable(shape, desc) => {
            let separable = desc.resolve(&shape.dims).map_err(on_problem)?;
            let stages = [separable.depthwise].into_iter().chain(separable.pointwise);
            ("separable", stages.map(Stage::Conv).collect())
        }
        _ => {
            return Err(usage(format!(
                "problem '{problem}': channels are drawn of plain and separable convolutions"
            )));
        }
    };
    Ok(Row {
        name: name.to_owned(),
        stages,
    })
}
