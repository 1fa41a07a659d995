//! The ten outlines as signed distances: negative inside, 0 on the outline, positive outside.
//!
//! Every shape lies around the origin within a circle of radius about 1, y upwards. Union is the lesser of two
//! distances, difference the greater of one and the other's negative; both are exact near the outline, which is
//! all that anti-aliasing needs.

/// A point or vector.
pub(super) type Point = [f32; 2];

/// Distance of a point to an outline.
pub(super) type Distance = fn(Point) -> f32;

/// Names and outlines, in the order of the labels.
pub(super) const CLASSES: [(&str, Distance); 10] = [
    ("circle", |p| circle(p, [0.0, 0.0], 0.88)),
    ("square", |p| polygon(p, &SQUARE)),
    ("triangle", |p| polygon(p, &TRIANGLE)),
    ("star", |p| polygon(p, &STAR)),
    ("cross", |p| polygon(p, &CROSS)),
    ("ring", |p| circle(p, [0.0, 0.0], 0.72).abs() - 0.2),
    ("heart", heart),
    ("crescent", crescent),
    ("hexagon", |p| polygon(p, &HEXAGON)),
    ("arrow", |p| polygon(p, &ARROW)),
];

const SQUARE: [Point; 4] = [[0.75, 0.75], [-0.75, 0.75], [-0.75, -0.75], [0.75, -0.75]];

const TRIANGLE: [Point; 3] = [[0.0, 1.1], [-0.9526, -0.55], [0.9526, -0.55]];

/// Five points of radius 1.1, five notches of radius 0.45, 36° apart.
const STAR: [Point; 10] = [
    [0.0, 1.1],
    [-0.2645, 0.3641],
    [-1.0462, 0.3399],
    [-0.428, -0.1391],
    [-0.6466, -0.8899],
    [0.0, -0.45],
    [0.6466, -0.8899],
    [0.428, -0.1391],
    [1.0462, 0.3399],
    [0.2645, 0.3641],
];

const CROSS: [Point; 12] = [
    [0.3, 1.0],
    [-0.3, 1.0],
    [-0.3, 0.3],
    [-1.0, 0.3],
    [-1.0, -0.3],
    [-0.3, -0.3],
    [-0.3, -1.0],
    [0.3, -1.0],
    [0.3, -0.3],
    [1.0, -0.3],
    [1.0, 0.3],
    [0.3, 0.3],
];

const HEXAGON: [Point; 6] = [
    [1.0, 0.0],
    [0.5, 0.866],
    [-0.5, 0.866],
    [-1.0, 0.0],
    [-0.5, -0.866],
    [0.5, -0.866],
];

const ARROW: [Point; 7] = [
    [1.1, 0.0],
    [0.15, 0.75],
    [0.15, 0.26],
    [-1.0, 0.26],
    [-1.0, -0.26],
    [0.15, -0.26],
    [0.15, -0.75],
];

fn circle(p: Point, centre: Point, radius: f32) -> f32 {
    let [x, y] = [p[0] - centre[0], p[1] - centre[1]];
    (x * x + y * y).sqrt() - radius
}

/// A square on its corner with a circle on each of the upper edges, as wide as the edge is long.
fn heart(p: Point) -> f32 {
    const HALF_DIAGONAL: f32 = 0.78;
    const CENTRE: f32 = -0.2;
    const LOBE: f32 = HALF_DIAGONAL * std::f32::consts::FRAC_1_SQRT_2;
    let [x, y] = [p[0].abs(), p[1] - CENTRE];
    let square = (x + y.abs() - HALF_DIAGONAL) * std::f32::consts::FRAC_1_SQRT_2;
    let middle = HALF_DIAGONAL / 2.0;
    square.min(circle([x, y], [middle, middle], LOBE))
}

/// A disc without the disc beside it.
fn crescent(p: Point) -> f32 {
    let outer = circle(p, [0.1, 0.0], 0.95);
    let bite = circle(p, [0.55, 0.0], 0.74);
    outer.max(-bite)
}

/// Distance to the nearest edge; inside when a ray to the right crosses an odd number of edges.
fn polygon(p: Point, corners: &[Point]) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let mut from = corners[corners.len() - 1];
    for &to in corners {
        let edge = [to[0] - from[0], to[1] - from[1]];
        let offset = [p[0] - from[0], p[1] - from[1]];
        let length = edge[0] * edge[0] + edge[1] * edge[1];
        let along = ((offset[0] * edge[0] + offset[1] * edge[1]) / length).clamp(0.0, 1.0);
        let [x, y] = [offset[0] - along * edge[0], offset[1] - along * edge[1]];
        nearest = nearest.min(x * x + y * y);
        let spans = (from[1] > p[1]) != (to[1] > p[1]);
        if spans && offset[0] < edge[0] * offset[1] / edge[1] {
            inside = !inside;
        }
        from = to;
    }
    let distance = nearest.sqrt();
    if inside { -distance } else { distance }
}
