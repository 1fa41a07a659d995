//! Tips of arrows.

use crate::scene::{Point, Shape, at};

/// Length of a tip.
const LENGTH: f64 = 7.0;
/// Half of its width.
const HALF: f64 = 3.4;

/// The three corners of the tip at the end of a line or curve.
pub(crate) fn tip(shape: &Shape) -> Option<[Point; 3]> {
    let (from, to) = match shape {
        Shape::Line(points) => {
            let to = *points.last()?;
            // Points that coincide say no direction.
            (*points.iter().rev().find(|&&point| point != to)?, to)
        }
        Shape::Curve(start, pieces) => {
            let [first, second, to] = *pieces.last()?;
            let candidates = [second, first, *start];
            (candidates.into_iter().find(|&point| point != to)?, to)
        }
        _ => return None,
    };
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy);
    if length == 0.0 {
        return None;
    }
    let (dx, dy) = (dx / length, dy / length);
    let foot = to.moved(-LENGTH * dx, -LENGTH * dy);
    Some([
        to,
        at(foot.x - HALF * dy, foot.y + HALF * dx),
        at(foot.x + HALF * dy, foot.y - HALF * dx),
    ])
}
