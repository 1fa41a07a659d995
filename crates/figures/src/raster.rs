//! A scene as pixels.

use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint as Brush, PathBuilder, PixmapMut, Rect, Stroke as Pen,
    StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

use crate::scene::{Anchor, Item, Point, Scene, Shape};
use crate::{FigureError, Paint, Theme, arrow, font};

/// The most pixels of a picture: a page of the largest sizes, and no way to fill the memory.
pub const MOST_PIXELS: usize = 1 << 26;

/// Distance of a control point that makes a curve a quarter of a circle.
const QUARTER: f64 = 0.552_285;

/// Pixels of a picture, row by row, without transparency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green, blue and 255.
    pub(crate) rgba: Vec<u8>,
}

impl Raster {
    /// Red, green and blue of a pixel.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let start = (y * self.width + x) * 4;
        [self.rgba[start], self.rgba[start + 1], self.rgba[start + 2]]
    }
}

/// A scene that is turned into pixels: what never changes is drawn once.
pub struct Canvas<'a> {
    scene: &'a Scene,
    theme: Theme,
    scale: f32,
    ground: Raster,
}

impl<'a> Canvas<'a> {
    /// A canvas with `scale` pixels to a unit of the scene.
    ///
    /// # Errors
    /// More than [`MOST_PIXELS`] pixels.
    pub fn new(scene: &'a Scene, theme: Theme, scale: f64) -> Result<Self, FigureError> {
        let side = |extent: f64| (extent * scale).ceil().max(1.0);
        let (width, height) = (side(scene.width), side(scene.height));
        let fits = width * height <= MOST_PIXELS as f64;
        if !fits {
            return Err(FigureError::TooManyPixels {
                width: width as usize,
                height: height as usize,
                most: MOST_PIXELS,
            });
        }
        let (width, height) = (width as usize, height as usize);
        let [r, g, b] = Paint::Page.on(theme).0;
        let mut canvas = Self {
            scene,
            theme,
            scale: scale as f32,
            ground: Raster {
                width,
                height,
                rgba: [r, g, b, 255].repeat(width * height),
            },
        };
        let mut ground = canvas.ground.clone();
        canvas.paint(&mut ground, &scene.ground);
        canvas.ground = ground;
        Ok(canvas)
    }

    /// The pixels of a frame; of a scene without frames, of the scene.
    pub fn frame(&self, place: usize) -> Raster {
        let mut raster = self.ground.clone();
        if let Some(items) = self.scene.frames.get(place) {
            self.paint(&mut raster, items);
        }
        self.paint(&mut raster, &self.scene.top);
        raster
    }

    fn paint(&self, raster: &mut Raster, items: &[Item]) {
        let (width, height) = (raster.width as u32, raster.height as u32);
        // The bytes are as many as the extents ask for.
        let Some(mut pixels) = PixmapMut::from_bytes(&mut raster.rgba, width, height) else {
            return;
        };
        self.draw(&mut pixels, items, crate::at(0.0, 0.0));
    }

    fn draw(&self, pixels: &mut PixmapMut<'_>, items: &[Item], by: Point) {
        let transform =
            Transform::from_scale(self.scale, self.scale).pre_translate(by.x as f32, by.y as f32);
        for item in items {
            if let Shape::Copy(symbol, further) = &item.shape {
                let by = by.moved(further.x, further.y);
                self.draw(pixels, &self.scene.symbols[symbol.0], by);
                continue;
            }
            if let Shape::Bitmap {
                corner,
                width,
                height,
                bitmap,
                smooth,
            } = &item.shape
            {
                let stretch = [
                    *width / bitmap.width() as f64,
                    *height / bitmap.height() as f64,
                ];
                let transform = transform
                    .pre_translate(corner.x as f32, corner.y as f32)
                    .pre_scale(stretch[0] as f32, stretch[1] as f32);
                bitmap.draw(pixels, transform, *smooth);
                continue;
            }
            let Some(path) = path(&item.shape) else {
                continue;
            };
            if let Some(fill) = item.fill {
                let brush = self.brush(fill, item.opacity);
                pixels.fill_path(&path, &brush, FillRule::Winding, transform, None);
            }
            let Some(stroke) = item.stroke else { continue };
            let brush = self.brush(stroke.paint, 1.0);
            let pen = Pen {
                width: stroke.width as f32,
                line_cap: LineCap::Butt,
                line_join: LineJoin::Miter,
                dash: stroke
                    .dashed
                    .then(|| StrokeDash::new(vec![3.0, 2.0], 0.0))
                    .flatten(),
                ..Pen::default()
            };
            pixels.stroke_path(&path, &brush, &pen, transform, None);
            if let (true, Some(tip)) = (item.arrow, arrow::tip(&item.shape)) {
                let mut builder = PathBuilder::new();
                polygon(&mut builder, &tip);
                builder.close();
                if let Some(path) = builder.finish() {
                    pixels.fill_path(&path, &brush, FillRule::Winding, transform, None);
                }
            }
        }
    }

    fn brush(&self, paint: Paint, opacity: f64) -> Brush<'static> {
        let [r, g, b] = paint.on(self.theme).0;
        let mut brush = Brush::default();
        brush.set_color_rgba8(r, g, b, (opacity.clamp(0.0, 1.0) * 255.0).round() as u8);
        brush.anti_alias = true;
        brush
    }
}

fn polygon(builder: &mut PathBuilder, points: &[Point]) {
    for (place, point) in points.iter().enumerate() {
        match place {
            0 => builder.move_to(point.x as f32, point.y as f32),
            _ => builder.line_to(point.x as f32, point.y as f32),
        }
    }
}

fn path(shape: &Shape) -> Option<tiny_skia::Path> {
    let mut builder = PathBuilder::new();
    match shape {
        Shape::Rectangle {
            corner,
            width,
            height,
            radius,
        } => {
            let radius = radius.min(width / 2.0).min(height / 2.0);
            if radius > 0.0 {
                rounded(&mut builder, *corner, *width, *height, radius);
            } else {
                let (x, y) = (corner.x as f32, corner.y as f32);
                builder.push_rect(Rect::from_xywh(x, y, *width as f32, *height as f32)?);
            }
        }
        Shape::Circle { centre, radius } => {
            builder.push_circle(centre.x as f32, centre.y as f32, *radius as f32);
        }
        Shape::Line(points) => polygon(&mut builder, points),
        Shape::Curve(start, pieces) => {
            builder.move_to(start.x as f32, start.y as f32);
            for piece in pieces {
                let [a, b, c] = piece.map(|point| (point.x as f32, point.y as f32));
                builder.cubic_to(a.0, a.1, b.0, b.1, c.0, c.1);
            }
        }
        Shape::Text {
            place,
            content,
            size,
            anchor,
            weight,
        } => {
            let width = font::width(content, *size, *weight);
            let left = match anchor {
                Anchor::Start => place.x,
                Anchor::Middle => place.x - width / 2.0,
                Anchor::End => place.x - width,
            };
            let mut pen = Glyphs(builder);
            font::outline(content, *size, *weight, [left, place.y], &mut pen);
            builder = pen.0;
        }
        Shape::Bitmap { .. } | Shape::Copy(..) => return None,
    }
    builder.finish()
}

fn rounded(builder: &mut PathBuilder, corner: Point, width: f64, height: f64, radius: f64) {
    let (right, bottom) = (corner.x + width, corner.y + height);
    let bend = radius * (1.0 - QUARTER);
    let (x, y) = (corner.x, corner.y);
    builder.move_to((x + radius) as f32, y as f32);
    builder.line_to((right - radius) as f32, y as f32);
    curve(
        builder,
        [right - bend, y, right, y + bend, right, y + radius],
    );
    builder.line_to(right as f32, (bottom - radius) as f32);
    curve(
        builder,
        [
            right,
            bottom - bend,
            right - bend,
            bottom,
            right - radius,
            bottom,
        ],
    );
    builder.line_to((x + radius) as f32, bottom as f32);
    curve(
        builder,
        [x + bend, bottom, x, bottom - bend, x, bottom - radius],
    );
    builder.line_to(x as f32, (y + radius) as f32);
    curve(builder, [x, y + bend, x + bend, y, x + radius, y]);
    builder.close();
}

fn curve(builder: &mut PathBuilder, points: [f64; 6]) {
    let [x1, y1, x2, y2, x, y] = points.map(|part| part as f32);
    builder.cubic_to(x1, y1, x2, y2, x, y);
}

/// Outlines of letters go straight into a path.
struct Glyphs(PathBuilder);

impl OutlineBuilder for Glyphs {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
