//! What lies above an axis that ends below it: a line leaves the picture where it would be highest, and a mark there says
//! how far it went.

use super::series::{LETTERS, Series};
use crate::font::{self, Weight};
use crate::number::short;
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::Paint;

/// Half of a mark's foot, and its height.
const MARK: [f64; 2] = [3.5, 6.0];

/// The pieces of a line that lie at or below `high`; those that leave end there, at the place of the first point above,
/// and come back from the place of the last. Cut off where it crosses the edge, a line to a point far above would rise
/// upright beside the point before, and a spike would look like two: one on each side of its mark.
pub(super) fn within(run: &[(f64, f64)], high: f64) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<(f64, f64)> = Vec::new();
    let mut before = None;
    for &point in run {
        let below = point.1 <= high;
        if let Some((x, y)) = before
            && below != (y <= high)
        {
            piece.push((if below { x } else { point.0 }, high));
        }
        if below {
            piece.push(point);
        } else if !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
        }
        before = Some(point);
    }
    pieces.extend((!piece.is_empty()).then_some(piece));
    pieces
}

/// A part of a line above `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Peak {
    highest: (f64, f64),
    /// Where the line leaves and where it comes back, which looks like a value on the edge.
    ends: [f64; 2],
}

/// The parts of a line above `high`.
fn peaks(points: &[(f64, f64)], high: f64) -> Vec<Peak> {
    let above = points.split(|point| !(point.0.is_finite() && point.1 > high));
    above
        .filter_map(|part| {
            let highest = part
                .iter()
                .copied()
                .reduce(|a, b| if b.1 > a.1 { b } else { a });
            let ends = [part.first()?.0, part.last()?.0];
            let highest = highest.filter(|point| point.1.is_finite());
            highest.map(|highest| Peak { highest, ends })
        })
        .collect()
}

/// A triangle on the edge for each peak above it, and where the line leaves for it and comes back; hollow where the line
/// is dashed. The highest ones are numbered, as far as their numbers do not meet.
pub(super) fn mark(
    scene: &mut Scene,
    series: &[Series],
    high: f64,
    edge: [Point; 2],
    x: impl Fn(f64) -> f64,
) {
    let [left, right] = edge;
    let mut all: Vec<(f64, f64)> = Vec::new();
    for series in series {
        for peak in peaks(&series.points, high) {
            let tip = |place: f64| at(x(place).clamp(left.x, right.x), left.y);
            let mut places = vec![peak.highest.0];
            places.extend(peak.ends.iter().filter(|&&end| end != peak.highest.0));
            for tip in places.into_iter().map(tip) {
                let [half, tall] = MARK;
                let corners = [
                    tip.moved(half, tall),
                    tip.moved(-half, tall),
                    tip,
                    tip.moved(half, tall),
                ];
                let fill = match series.dashed {
                    true => Paint::Page,
                    false => Paint::GroupEdge(series.group),
                };
                let triangle = Item::line(corners).fill(fill);
                scene
                    .top
                    .push(triangle.stroke(Paint::GroupEdge(series.group), 1.0));
            }
            all.push((tip(peak.highest.0).x, peak.highest.1));
        }
    }
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut taken: Vec<[f64; 2]> = Vec::new();
    for (middle, value) in all {
        let text = short(value);
        let wide = font::width(&text, LETTERS, Weight::Regular);
        let start = (middle - wide / 2.0).clamp(left.x, (right.x - wide).max(left.x));
        let place = [start, start + wide];
        let meets = |other: &[f64; 2]| place[0] < other[1] + 4.0 && other[0] < place[1] + 4.0;
        if !taken.iter().any(meets) {
            let number = Item::text(at(start, left.y - 3.0), text, LETTERS, Anchor::Start);
            scene.top.push(number.fill(Paint::Muted));
            taken.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_leaves_at_the_edge_and_comes_back() {
        let line = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 1.0)];
        let pieces = within(&line, 2.0);
        assert_eq!(
            pieces,
            [vec![(0.0, 1.0), (1.0, 2.0)], vec![(2.0, 2.0), (3.0, 1.0)]]
        );
        // A spike of one point has one tip, where its mark is.
        let spike = [(0.0, 1.0), (1.0, 1e17), (2.0, 1.0)];
        assert_eq!(
            within(&spike, 2.0),
            [vec![(0.0, 1.0), (1.0, 2.0)], vec![(1.0, 2.0), (2.0, 1.0)]]
        );
        let peak = Peak {
            highest: (2.0, 5.0),
            ends: [1.0, 2.0],
        };
        assert_eq!(peaks(&line, 2.0), [peak]);
        assert_eq!(within(&line, 5.0), [line.to_vec()]);
        assert!(peaks(&line, 5.0).is_empty() && within(&line, 0.5).is_empty());
    }
}
