//! The letters: widths for the layout, outlines for pixels.
//!
//! A picture of pixels is drawn with a subset of DejaVu Sans that the crate brings along. An SVG names DejaVu Sans and
//! its twin Verdana first; what a browser falls back to elsewhere is narrower, so that nothing overlaps.

use std::sync::LazyLock;

use ttf_parser::{Face, OutlineBuilder};

/// Weight of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weight {
    /// Regular.
    Regular,
    /// Bold.
    Bold,
}

/// The families that an SVG names, best first.
pub(crate) const FAMILIES: &str = "'DejaVu Sans',Verdana,system-ui,sans-serif";

static REGULAR: LazyLock<Option<Face<'static>>> =
    LazyLock::new(|| Face::parse(include_bytes!("../fonts/sans.ttf"), 0).ok());
static BOLD: LazyLock<Option<Face<'static>>> =
    LazyLock::new(|| Face::parse(include_bytes!("../fonts/sans-bold.ttf"), 0).ok());

fn face(weight: Weight) -> Option<&'static Face<'static>> {
    match weight {
        Weight::Regular => REGULAR.as_ref(),
        Weight::Bold => BOLD.as_ref(),
    }
}

/// The width of a line of text. A letter that the subset lacks is as wide as its sign for missing ones.
pub(crate) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let Some(face) = face(weight) else {
        return 0.6 * size * text.chars().count() as f64;
    };
    let units: u64 = text
        .chars()
        .map(|letter| {
            let glyph = face.glyph_index(letter).unwrap_or_default();
            u64::from(face.glyph_hor_advance(glyph).unwrap_or(0))
        })
        .sum();
    units as f64 * size / f64::from(face.units_per_em())
}

/// A line of text no wider than `room`, its end left out where it must be.
pub(crate) fn shortened(text: &str, size: f64, weight: Weight, room: f64) -> String {
    if width(text, size, weight) <= room {
        return text.to_owned();
    }
    let mut letters: Vec<char> = text.chars().collect();
    loop {
        letters.pop();
        let shorter: String = letters.iter().chain(['…'].iter()).collect();
        if letters.is_empty() || width(&shorter, size, weight) <= room {
            return shorter;
        }
    }
}

/// A line of text no wider than `room`, its beginning left out where it must be: of a path the end says most.
pub(crate) fn ending(text: &str, size: f64, weight: Weight, room: f64) -> String {
    let mut starts = text.char_indices().map(|(start, _)| start).skip(1);
    let mut ending = text.to_owned();
    while width(&ending, size, weight) > room {
        let rest = starts.next().map_or("", |start| &text[start..]);
        ending = format!("…{rest}");
        if rest.is_empty() {
            break;
        }
    }
    ending
}

/// Draws a line of text that begins at `(x, y)` on its base line.
pub(crate) fn outline(
    text: &str,
    size: f64,
    weight: Weight,
    [x, y]: [f64; 2],
    pen: &mut impl OutlineBuilder,
) {
    let Some(face) = face(weight) else { return };
    let scale = size / f64::from(face.units_per_em());
    let mut pen = Placed { pen, scale, x, y };
    for letter in text.chars() {
        let glyph = face.glyph_index(letter).unwrap_or_default();
        face.outline_glyph(glyph, &mut pen);
        pen.x += f64::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * scale;
    }
}

/// A pen that draws a glyph's units on the page, where y runs down.
struct Placed<'a, P> {
    pen: &'a mut P,
    scale: f64,
    x: f64,
    y: f64,
}

impl<P> Placed<'_, P> {
    fn page(&self, x: f32, y: f32) -> [f32; 2] {
        let x = self.x + f64::from(x) * self.scale;
        let y = self.y - f64::from(y) * self.scale;
        [x as f32, y as f32]
    }
}

impl<P: OutlineBuilder> OutlineBuilder for Placed<'_, P> {
    fn move_to(&mut self, x: f32, y: f32) {
        let [x, y] = self.page(x, y);
        self.pen.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let [x, y] = self.page(x, y);
        self.pen.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let [x1, y1] = self.page(x1, y1);
        let [x, y] = self.page(x, y);
        self.pen.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let [x1, y1] = self.page(x1, y1);
        let [x2, y2] = self.page(x2, y2);
        let [x, y] = self.page(x, y);
        self.pen.curve_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.pen.close();
    }
}
