//! Lines over a common axis, such as a probability while pixels are taken away.

use super::axis::{Axis, labelled};
use super::beyond;
use super::series::{LETTERS, Names, Series};
use crate::font::{self, Weight};
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::Paint;

/// Room above, with the end of a number.
const TOP: f64 = 8.0;
/// Room below: numbers and the label.
const BELOW: f64 = 32.0;

/// Lines over an axis, `width` by `height` with everything around them. Names stand below where there are several. What
/// lies above the upright axis is cut off there, and marked with its number.
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
    let upright = labelled((low, high), 5);
    let widest = upright
        .iter()
        .map(|(_, text)| font::width(text, LETTERS, Weight::Regular))
        .fold(0.0, f64::max);
    // The label of the upright axis stands above it, where it can be read without turning the head.
    let top = if up.label.is_empty() { TOP } else { TOP + 14.0 };
    let left = widest + 8.0;
    let right = width - 12.0;
    let names = Names::of(series, width);
    let bottom = height - BELOW - names.height();
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
    for (tick, label) in labelled((left_end, right_end), ((right - left) / 45.0) as usize) {
        let foot = Item::line([at(x(tick), bottom), at(x(tick), bottom + 3.5)]);
        scene.ground.push(foot.stroke(Paint::Muted, 0.8));
        let place = at(x(tick), bottom + 13.5);
        scene.ground.push(text(place, &label, Anchor::Middle));
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
        let place = |&(a, b): &(f64, f64)| at(x(a).clamp(left, right), y(b).clamp(top, bottom));
        let pieces = series.whole().flat_map(|run| beyond::within(run, high));
        for piece in pieces {
            let run: Vec<Point> = piece.iter().map(place).collect();
            if let (true, [first, .., last]) = (series.filled, run.as_slice()) {
                let ends = [at(last.x, bottom), at(first.x, bottom)];
                let area = [run.as_slice(), &ends].concat();
                let area = Item::line(area).fill(Paint::Group(series.group));
                scene.ground.push(area.opacity(0.6));
            }
            scene.top.push(series.drawn(run));
        }
    }
    beyond::mark(&mut scene, series, high, [at(left, top), at(right, top)], x);
    names.draw(&mut scene, bottom + 41.0);
    scene.fit(width, height);
    scene
}
