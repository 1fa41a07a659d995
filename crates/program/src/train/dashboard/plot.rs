//! Curves over the epochs of a run.

use figures::short;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType};

use super::colours::MUTED;

/// A curve with its name.
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) colour: Color,
    pub(super) points: Vec<(f64, f64)>,
    /// Points of their own, and no line.
    pub(super) marks: bool,
}

/// Curves in a frame. The upright axis begins at zero and ends at `most`, or where the curves do.
pub(super) fn plot(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    epochs: u64,
    curves: &[Curve],
    most: Option<f64>,
) {
    let values = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .map(|point| point.1);
    let highest = values.fold(0.0, f64::max);
    let top = most.unwrap_or(if highest > 0.0 { highest * 1.05 } else { 1.0 });
    let datasets = curves.iter().filter(|curve| !curve.points.is_empty());
    let datasets = datasets.map(|curve| {
        let (marker, kind) = match curve.marks {
            true => (Marker::Dot, GraphType::Scatter),
            false => (Marker::Braille, GraphType::Line),
        };
        Dataset::default()
            .marker(marker)
            .graph_type(kind)
            .style(Style::new().fg(curve.colour))
            .data(&curve.points)
    });
    let mut heading = vec![format!(" {title} ").bold()];
    if curves.len() > 1 {
        heading.extend(curves.iter().map(|curve| {
            let mark = if curve.marks { '•' } else { '─' };
            format!("{mark} {} ", curve.name).fg(curve.colour)
        }));
    }
    let label = |value: f64| Line::from(short(value)).fg(MUTED);
    let upright = match area.height {
        0..8 => vec![label(0.0), label(top)],
        _ => vec![label(0.0), label(top / 2.0), label(top)],
    };
    let across = match epochs {
        1 => vec![label(0.0), label(1.0)],
        epochs => vec![label(0.0), label(epochs as f64 / 2.0), label(epochs as f64)],
    };
    let axis = |end: f64, labels: Vec<Line<'static>>| {
        Axis::default()
            .bounds([0.0, end])
            .labels(labels)
            .style(Style::new().fg(MUTED))
    };
    let chart = Chart::new(datasets.collect())
        .block(
            Block::bordered()
                .border_style(Style::new().fg(MUTED))
                .title(Line::from(heading)),
        )
        .x_axis(axis(epochs as f64, across))
        .y_axis(axis(top, upright))
        .legend_position(None);
    frame.render_widget(chart, area);
}
