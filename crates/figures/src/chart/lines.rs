//! Lines over a common axis, such as a probability while pixels are taken away.

use super::axis::{Axis, label, ticks};
use crate::font::{self, Weight};
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::Paint;

/// Letters of axes and names.
const LETTERS: f64 = 9.5;
/// Room above, with the end of a number.
const TOP: f64 = 8.0;
/// Room below: numbers and the label.
const BELOW: f64 = 32.0;

/// A line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// Its points, from left to right. Those that are not finite leave a gap.
    pub points: Vec<(f64, f64)>,
    /// Its colour, as [`Paint::GroupEdge`].
    pub group: u8,
    /// It is a row of dashes.
    pub dashed: bool,
    /// The area below it is filled.
    pub filled: bool,
}

impl Series {
    /// A line of points.
    pub fn new(name: impl Into<String>, group: u8, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points,
            group,
            dashed: false,
            filled: false,
        }
    }

    /// Makes it a row of dashes.
    pub fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }

    /// Fills the area below it.
    pub fn filled(mut self) -> Self {
        self.filled = true;
        self
    }
}

/// Lines over an axis, `width` by `height` with everything around them. Names stand below where there are several.
///
/// ```
/// use figures::chart::{Axis, Series, lines};
///
/// let falling = Series::new("p", 0, vec![(0.0, 0.9), (50.0, 0.3), (100.0, 0.1)]);
/// let axes = [Axis::new("pixels taken away, %"), Axis::new("probability").range(0.0, 1.0)];
/// let scene = lines(&axes, &[falling], [280.0, 160.0]);
/// assert_eq!([scene.width, scene.height], [280.0, 160.0]);
/// ```
pub fn lines([across, up]: &[Axis; 2], series: &[Series], [width, height]: [f64; 2]) -> Scene {
    let mut scene = Scene::new("", "");
    let points = || series.iter().flat_map(|series| series.points.iter());
    let (left_end, right_end) = across.extent(points().map(|point| point.0));
    let (low, high) = up.extent(points().map(|point| point.1));
    let upright: Vec<(f64, String)> = ticks((low, high), 5)
        .into_iter()
        .map(|tick| (tick, label(tick)))
        .collect();
    let widest = upright
        .iter()
        .map(|(_, text)| font::width(text, LETTERS, Weight::Regular))
        .fold(0.0, f64::max);
    // The label of the upright axis stands above it, where it can be read without turning the head.
    let top = if up.label.is_empty() { TOP } else { TOP + 14.0 };
    let left = widest + 8.0;
    let right = width - 12.0;
    let names = names(series, width);
    let bottom = height - BELOW - names.len() as f64 * 14.0;
    let x = |value: f64| left + (value - left_end) / (right_end - left_end) * (right - left);
    let y = |value: f64| bottom - (value - low) / (high - low) * (bottom - top);

    let text = |place: Point, text: &str, anchor| {
        Item::text(place, text, LETTERS, anchor).fill(Paint::Muted)
    };
    for (tick, label) in &upright {
        let line = Item::line([at(left, y(*tick)), at(right, y(*tick))]);
        scene.ground.push(line.stroke(Paint::Rule, 0.7));
        let place = at(left - 4.0, y(*tick) + LETTERS * 0.36);
        scene.ground.push(text(place, label, Anchor::End));
    }
    for tick in ticks((left_end, right_end), ((right - left) / 45.0) as usize) {
        let foot = Item::line([at(x(tick), bottom), at(x(tick), bottom + 3.5)]);
        scene.ground.push(foot.stroke(Paint::Muted, 0.8));
        let place = at(x(tick), bottom + 13.5);
        scene.ground.push(text(place, &label(tick), Anchor::Middle));
    }
    let base = Item::line([at(left, bottom), at(right, bottom)]);
    scene.ground.push(base.stroke(Paint::Muted, 1.0));
    if !up.label.is_empty() {
        scene
            .ground
            .push(text(at(0.0, LETTERS + 1.0), &up.label, Anchor::Start));
    }
    let middle = f64::midpoint(left, right);
    scene.ground.push(text(
        at(middle, bottom + 27.0),
        &across.label,
        Anchor::Middle,
    ));

    for series in series {
        let runs = series
            .points
            .split(|&(a, b)| !(a.is_finite() && b.is_finite()));
        for run in runs.filter(|run| !run.is_empty()) {
            let line: Vec<Point> = run
                .iter()
                .map(|&(a, b)| at(x(a).clamp(left, right), y(b).clamp(top, bottom)))
                .collect();
            if series.filled {
                let mut area = line.clone();
                area.push(at(line[line.len() - 1].x, bottom));
                area.push(at(line[0].x, bottom));
                let area = Item::line(area).fill(Paint::Group(series.group));
                scene.ground.push(area.opacity(0.6));
            }
            scene.top.push(match line.as_slice() {
                [one] => Item::circle(*one, 2.5).fill(Paint::GroupEdge(series.group)),
                _ => stroke(Item::line(line), series),
            });
        }
    }
    let mut base = bottom + 27.0;
    for row in names {
        base += 14.0;
        for (left, series) in row {
            let key = Item::line([at(left, base - 3.5), at(left + 18.0, base - 3.5)]);
            scene.ground.push(stroke(key, series));
            let name = text(at(left + 23.0, base), &series.name, Anchor::Start);
            scene.ground.push(name);
        }
    }
    scene.fit(width, height);
    scene
}

fn stroke(item: Item, series: &Series) -> Item {
    let item = item.stroke(Paint::GroupEdge(series.group), 2.0);
    if series.dashed { item.dashed() } else { item }
}

/// The names of lines in rows, each with its place from the left; none where there is one line only.
fn names(series: &[Series], width: f64) -> Vec<Vec<(f64, &Series)>> {
    let mut rows: Vec<Vec<(f64, &Series)>> = Vec::new();
    if series.len() < 2 {
        return rows;
    }
    let mut left = f64::INFINITY;
    for series in series {
        let wide = font::width(&series.name, LETTERS, Weight::Regular) + 37.0;
        if left + wide > width {
            rows.push(Vec::new());
            left = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((left, series));
        }
        left += wide;
    }
    rows
}
