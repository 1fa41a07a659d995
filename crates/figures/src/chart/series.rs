//! A line of a chart, and the names of several below it.

use crate::font::{self, Weight};
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::Paint;

/// Letters of axes and names.
pub(super) const LETTERS: f64 = 9.5;
/// From row to row of names.
const STEP: f64 = 14.0;

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

    /// Its points in pieces between those that are not finite.
    pub(super) fn whole(&self) -> impl Iterator<Item = &[(f64, f64)]> {
        let runs = self
            .points
            .split(|&(a, b)| !(a.is_finite() && b.is_finite()));
        runs.filter(|run| !run.is_empty())
    }

    /// The same where `place` puts them on the page.
    pub(super) fn runs(&self, place: impl Fn(f64, f64) -> Point) -> Vec<Vec<Point>> {
        self.whole()
            .map(|run| run.iter().map(|&(a, b)| place(a, b)).collect())
            .collect()
    }

    /// The line through some places on the page; a dot where there is one only.
    pub(super) fn drawn(&self, run: impl Into<Vec<Point>>) -> Item {
        let run = run.into();
        if let [one] = run.as_slice() {
            return Item::circle(*one, 2.5).fill(Paint::GroupEdge(self.group));
        }
        let item = Item::line(run).stroke(Paint::GroupEdge(self.group), 2.0);
        if self.dashed { item.dashed() } else { item }
    }
}

/// The names of lines in rows, each with its place from the left; none where there is one line only.
pub(super) struct Names<'a>(Vec<Vec<(f64, &'a Series)>>);

impl<'a> Names<'a> {
    /// As many a row as `width` has room for.
    pub(super) fn of(series: &'a [Series], width: f64) -> Self {
        let mut rows: Vec<Vec<(f64, &Series)>> = Vec::new();
        if series.len() < 2 {
            return Self(rows);
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
        Self(rows)
    }

    /// Of all rows.
    pub(super) fn height(&self) -> f64 {
        self.0.len() as f64 * STEP
    }

    /// Draws each with a piece of its line, the first row on a base line.
    pub(super) fn draw(&self, scene: &mut Scene, first: f64) {
        for (row, base) in self
            .0
            .iter()
            .zip((0..).map(|row| first + f64::from(row) * STEP))
        {
            for &(left, series) in row {
                let middle = base - 3.5;
                let key = series.drawn([at(left, middle), at(left + 18.0, middle)]);
                let name = Item::text(at(left + 23.0, base), &series.name, LETTERS, Anchor::Start);
                scene.ground.extend([key, name.fill(Paint::Muted)]);
            }
        }
    }
}
