//! Lines down a column of names, such as numbers of a network's layers from its input to its answer.

use super::axis::{Axis, labelled};
use super::series::{LETTERS, Names, Series};
use crate::font::{self, Weight};
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::Paint;

/// The widest name, in shares of the width.
const NAMES: f64 = 0.4;
/// From name to name.
const STEP: f64 = 11.0;
/// The tallest column; a longer one has a name at some of its rows only.
const TALL: f64 = 850.0;

/// Lines from name to name, from top to bottom, in a picture `width` wide. A point of a line is the place of a name and the
/// number there.
///
/// ```
/// use figures::chart::{Axis, Series, rows};
///
/// let layers = ["conv1", "relu", "fc"].map(str::to_owned);
/// let zeros = Series::new("zeros", 0, vec![(0.0, 0.0), (1.0, 0.5), (2.0, 0.0)]);
/// let scene = rows(&layers, &Axis::new("share of zeros").range(0.0, 1.0), &[zeros], 280.0);
/// assert_eq!(scene.width, 280.0);
/// ```
pub fn rows(names: &[String], across: &Axis, series: &[Series], width: f64) -> Scene {
    let mut scene = Scene::new("", "");
    let count = names.len().max(1);
    let step = STEP.min(TALL / count as f64);
    // Where rows are closer than letters are tall, some stand for their neighbours.
    let every = (STEP / step - 1e-9).ceil() as usize;
    let shown: Vec<(usize, String)> = names
        .iter()
        .enumerate()
        .step_by(every.max(1))
        .map(|(place, name)| {
            let name = font::ending(name, LETTERS, Weight::Regular, NAMES * width);
            (place, name)
        })
        .collect();
    let widest = shown
        .iter()
        .map(|(_, name)| font::width(name, LETTERS, Weight::Regular))
        .fold(0.0, f64::max);
    let (left, right) = (widest + 8.0, width - 12.0);
    let keys = Names::of(series, width);
    keys.draw(&mut scene, LETTERS + 1.0);
    // What is measured stands above its numbers, and they above the lines: a long column is read from its top.
    let label = keys.height() + LETTERS + 1.0;
    let top = label + 22.0;
    let bottom = top + count as f64 * step;

    let points = || series.iter().flat_map(|series| series.points.iter());
    let (low, high) = across.extent(points().map(|point| point.1));
    let x = |value: f64| left + (value - low) / (high - low) * (right - left);
    let y = |place: f64| top + (place + 0.5) * step;
    let text = |place: Point, text: &str, anchor| {
        Item::text(place, text, LETTERS, anchor).fill(Paint::Muted)
    };
    let middle = f64::midpoint(left, right);
    scene
        .ground
        .push(text(at(middle, label), &across.label, Anchor::Middle));
    for (tick, label) in labelled((low, high), ((right - left) / 45.0) as usize) {
        let line = Item::line([at(x(tick), top), at(x(tick), bottom)]);
        scene.ground.push(line.stroke(Paint::Rule, 0.7));
        let place = at(x(tick), top - 4.0);
        scene.ground.push(text(place, &label, Anchor::Middle));
    }
    for (place, name) in shown {
        let middle = y(place as f64);
        let line = Item::line([at(left, middle), at(right, middle)]);
        scene.ground.push(line.stroke(Paint::Rule, 0.35));
        let base = at(left - 4.0, middle + LETTERS * 0.36);
        scene.ground.push(text(base, &name, Anchor::End));
    }
    for series in series {
        let last = (count - 1) as f64;
        let runs =
            series.runs(|place, value| at(x(value).clamp(left, right), y(place.clamp(0.0, last))));
        scene
            .top
            .extend(runs.into_iter().map(|run| series.drawn(run)));
    }
    scene.fit(width, bottom + 4.0);
    scene
}
