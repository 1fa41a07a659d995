//! One picture: ground, clutter, object, noise, in that order.

use super::outline::{Distance, Point};
use super::{Lots, SIDE};

type Colour = [f32; 3];

/// Radius of the object in pixels.
const RADIUS: [f32; 2] = [9.0, 13.0];

/// How far the object's centre may come to the border, in its radii.
const MARGIN: f32 = 0.9;

/// Least difference of luma between object and ground, of 1.
const CONTRAST: f32 = 0.32;

/// Standard deviation of the noise.
const NOISE: [f32; 2] = [0.01, 0.05];

/// Draws the scene around an outline: HWC pixels.
pub(super) fn draw(outline: Distance, lots: &mut Lots) -> Vec<u8> {
    let (ground, object) = colours(lots);
    let mut canvas = gradient(ground, lots);
    for _ in 0..lots.count(1, 3) {
        let colour = clutter_colour(ground, lots);
        draw_line(&mut canvas, colour, lots);
    }
    for _ in 0..lots.count(1, 3) {
        let colour = clutter_colour(ground, lots);
        draw_blob(&mut canvas, colour, lots);
    }
    draw_object(&mut canvas, object, outline, lots);
    with_noise(&canvas, lots)
}

fn luma(colour: Colour) -> f32 {
    0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
}

fn colour(lots: &mut Lots) -> Colour {
    std::array::from_fn(|_| lots.between(0.05, 0.95))
}

/// A ground, and an object that stands out from it. The object is the lighter of the two in three pictures of
/// four, as things are before a backdrop; the rest keep brightness alone from telling where it is.
fn colours(lots: &mut Lots) -> (Colour, Colour) {
    let lighter = lots.count(0, 3) != 0;
    loop {
        let [dark, light] = [colour(lots), colour(lots)];
        if luma(light) - luma(dark) >= CONTRAST {
            return if lighter {
                (dark, light)
            } else {
                (light, dark)
            };
        }
    }
}

/// Clutter is nearer to the ground than the object is.
fn clutter_colour(ground: Colour, lots: &mut Lots) -> Colour {
    let other = colour(lots);
    let share = lots.between(0.2, 0.5);
    std::array::from_fn(|c| ground[c] + share * (other[c] - ground[c]))
}

/// The ground, brighter towards one side.
fn gradient(ground: Colour, lots: &mut Lots) -> Vec<Colour> {
    let direction = lots.direction();
    let slope = lots.between(0.0, 0.12) / (SIDE / 2) as f32;
    let centre = [SIDE as f32 / 2.0; 2];
    (0..SIDE * SIDE)
        .map(|place| {
            let [x, y] = centre_of(place);
            let along = (x - centre[0]) * direction[0] + (y - centre[1]) * direction[1];
            ground.map(|value| value + slope * along)
        })
        .collect()
}

/// A line across the whole picture.
fn draw_line(canvas: &mut [Colour], colour: Colour, lots: &mut Lots) {
    let [nx, ny] = lots.direction();
    let point: Point = [
        lots.between(0.0, SIDE as f32),
        lots.between(0.0, SIDE as f32),
    ];
    let half_width = lots.between(0.3, 0.9);
    paint(canvas, colour, |[x, y]| {
        ((x - point[0]) * nx + (y - point[1]) * ny).abs() - half_width
    });
}

fn draw_blob(canvas: &mut [Colour], colour: Colour, lots: &mut Lots) {
    let centre: Point = [
        lots.between(0.0, SIDE as f32),
        lots.between(0.0, SIDE as f32),
    ];
    let radius = lots.between(1.0, 3.0);
    paint(canvas, colour, |[x, y]| {
        let [x, y] = [x - centre[0], y - centre[1]];
        (x * x + y * y).sqrt() - radius
    });
}

fn draw_object(canvas: &mut [Colour], colour: Colour, outline: Distance, lots: &mut Lots) {
    let radius = lots.between(RADIUS[0], RADIUS[1]);
    let room = MARGIN * radius;
    let [cx, cy]: Point = std::array::from_fn(|_| lots.between(room, SIDE as f32 - room));
    let [cos, sin] = lots.direction();
    paint(canvas, colour, |[x, y]| {
        let [x, y] = [(x - cx) / radius, (y - cy) / radius];
        // Beyond any outline the exact distance does not matter.
        if x * x + y * y > 1.7 {
            return 1.0;
        }
        outline([cos * x + sin * y, cos * y - sin * x]) * radius
    });
}

/// Lays a colour over the canvas. `distance` is in pixels from the centre of a pixel; the part of a pixel that is
/// covered is taken to change evenly within half a pixel of the outline.
fn paint(canvas: &mut [Colour], colour: Colour, distance: impl Fn(Point) -> f32) {
    for (place, pixel) in canvas.iter_mut().enumerate() {
        let covered = (0.5 - distance(centre_of(place))).clamp(0.0, 1.0);
        if covered > 0.0 {
            for (value, new) in pixel.iter_mut().zip(colour) {
                *value += covered * (new - *value);
            }
        }
    }
}

fn centre_of(place: usize) -> Point {
    [(place % SIDE) as f32 + 0.5, (place / SIDE) as f32 + 0.5]
}

fn with_noise(canvas: &[Colour], lots: &mut Lots) -> Vec<u8> {
    let strength = lots.between(NOISE[0], NOISE[1]);
    canvas
        .iter()
        .flatten()
        .map(|value| {
            let noisy = value + strength * lots.normal();
            (noisy * 255.0 + 0.5).clamp(0.0, 255.0) as u8
        })
        .collect()
}
