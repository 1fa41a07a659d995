//! A picture before it is written: shapes, their colours by role, and what changes from frame to frame.

use crate::Paint;
use crate::bitmap::Bitmap;
use crate::font::{self, Weight};

/// A place on the page in pixels, x to the right and y down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// The point `(x, y)`.
pub fn at(x: f64, y: f64) -> Point {
    Point { x, y }
}

impl Point {
    /// The point so much further.
    pub fn moved(self, x: f64, y: f64) -> Self {
        at(self.x + x, self.y + y)
    }
}

/// Which point of a text its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// The left end of the line it stands on.
    Start,
    /// The middle of that line.
    Middle,
    /// Its right end.
    End,
}

/// A group of items that is drawn in several places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol(pub(crate) usize);

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A rectangle from its upper left corner.
    Rectangle {
        /// The upper left corner.
        corner: Point,
        /// To the right.
        width: f64,
        /// Down.
        height: f64,
        /// Of the rounded corners.
        radius: f64,
    },
    /// A circle.
    Circle {
        /// Its middle.
        centre: Point,
        /// Its radius.
        radius: f64,
    },
    /// Straight pieces from point to point.
    Line(Vec<Point>),
    /// Bézier curves, each from the end of the one before: two control points and an end.
    Curve(Point, Vec<[Point; 3]>),
    /// A line of text.
    Text {
        /// The place that the anchor says, on the base line.
        place: Point,
        /// The words.
        content: String,
        /// Height of the letters' square.
        size: f64,
        /// What the place is to the text.
        anchor: Anchor,
        /// Regular or bold.
        weight: Weight,
    },
    /// Pixels, stretched over a rectangle.
    Bitmap {
        /// The upper left corner.
        corner: Point,
        /// To the right.
        width: f64,
        /// Down.
        height: f64,
        /// The pixels.
        bitmap: Bitmap,
        /// Pixels flow into one another, as those of a photo do; those of a map are squares.
        smooth: bool,
    },
    /// A symbol, moved.
    Copy(Symbol, Point),
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub paint: Paint,
    /// Its width.
    pub width: f64,
    /// It is a row of dashes.
    pub dashed: bool,
}

/// A shape with its colours.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What is drawn.
    pub shape: Shape,
    /// What its inside is filled with.
    pub fill: Option<Paint>,
    /// How much of that covers what lies below, from 0 to 1.
    pub opacity: f64,
    /// Its outline.
    pub stroke: Option<Stroke>,
    /// The last point of a line or curve is the tip of an arrow.
    pub arrow: bool,
}

impl Item {
    /// A shape that is neither filled nor outlined yet.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            fill: None,
            opacity: 1.0,
            stroke: None,
            arrow: false,
        }
    }

    /// A rectangle with sharp corners.
    pub fn rectangle(corner: Point, width: f64, height: f64) -> Self {
        Self::new(Shape::Rectangle {
            corner,
            width,
            height,
            radius: 0.0,
        })
    }

    /// The same with rounded corners.
    pub fn rounded(corner: Point, width: f64, height: f64, radius: f64) -> Self {
        Self::new(Shape::Rectangle {
            corner,
            width,
            height,
            radius,
        })
    }

    /// A circle.
    pub fn circle(centre: Point, radius: f64) -> Self {
        Self::new(Shape::Circle { centre, radius })
    }

    /// Straight pieces.
    pub fn line(points: impl Into<Vec<Point>>) -> Self {
        Self::new(Shape::Line(points.into()))
    }

    /// Text in the colour of ink.
    pub fn text(place: Point, content: impl Into<String>, size: f64, anchor: Anchor) -> Self {
        Self::new(Shape::Text {
            place,
            content: content.into(),
            size,
            anchor,
            weight: Weight::Regular,
        })
        .fill(Paint::Ink)
    }

    /// The same text, bold.
    pub fn bold(mut self) -> Self {
        if let Shape::Text { weight, .. } = &mut self.shape {
            *weight = Weight::Bold;
        }
        self
    }

    /// Pixels as squares, stretched over a rectangle.
    pub fn bitmap(corner: Point, width: f64, height: f64, bitmap: Bitmap) -> Self {
        Self::new(Shape::Bitmap {
            corner,
            width,
            height,
            bitmap,
            smooth: false,
        })
    }

    /// The same pixels, flowing into one another.
    pub fn smooth(mut self) -> Self {
        if let Shape::Bitmap { smooth, .. } = &mut self.shape {
            *smooth = true;
        }
        self
    }

    /// A symbol, moved.
    pub fn copy(symbol: Symbol, by: Point) -> Self {
        Self::new(Shape::Copy(symbol, by))
    }

    /// Sets what fills it.
    pub fn fill(mut self, paint: Paint) -> Self {
        self.fill = Some(paint);
        self
    }

    /// Sets how much the filling covers.
    pub fn opacity(mut self, opacity: f64) -> Self {
        self.opacity = opacity;
        self
    }

    /// Sets the outline.
    pub fn stroke(mut self, paint: Paint, width: f64) -> Self {
        let dashed = false;
        self.stroke = Some(Stroke {
            paint,
            width,
            dashed,
        });
        self
    }

    /// Makes the outline a row of dashes.
    pub fn dashed(mut self) -> Self {
        if let Some(stroke) = &mut self.stroke {
            stroke.dashed = true;
        }
        self
    }

    /// Puts the tip of an arrow on the last point.
    pub fn arrow(mut self) -> Self {
        self.arrow = true;
        self
    }
}

/// A picture: what is always seen, and what frames add to it one after the other.
///
/// What frames add lies between the ground and the top.
///
/// ```
/// use figures::{Anchor, Item, Paint, Scene, at};
///
/// let mut scene = Scene::new("A square", "A square and its name.");
/// scene.ground.push(Item::rectangle(at(10.0, 10.0), 40.0, 40.0).fill(Paint::Input));
/// scene.ground.push(Item::text(at(30.0, 70.0), "square", 13.0, Anchor::Middle));
/// scene.fit(60.0, 80.0);
/// assert!(figures::svg::write(&scene).starts_with("<svg"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// A name, for those who cannot see it and for tabs.
    pub title: String,
    /// What it shows, in a sentence or two, for those who cannot see it.
    pub description: String,
    /// Extent to the right.
    pub width: f64,
    /// Extent down.
    pub height: f64,
    /// What lies below.
    pub ground: Vec<Item>,
    /// What each frame adds; none where nothing moves.
    pub frames: Vec<Vec<Item>>,
    /// What lies above all frames.
    pub top: Vec<Item>,
    /// The frame that is seen where nothing may move.
    pub still: usize,
    /// How long a frame stays.
    pub seconds: f64,
    pub(crate) symbols: Vec<Vec<Item>>,
}

impl Scene {
    /// An empty picture.
    pub fn new(title: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            description: description.into(),
            width: 0.0,
            height: 0.0,
            ground: Vec::new(),
            frames: Vec::new(),
            top: Vec::new(),
            still: 0,
            seconds: 1.0,
            symbols: Vec::new(),
        }
    }

    /// Makes it at least so large.
    pub fn fit(&mut self, width: f64, height: f64) {
        self.width = self.width.max(width.ceil());
        self.height = self.height.max(height.ceil());
    }

    /// Keeps items to be drawn in several places.
    pub fn symbol(&mut self, items: Vec<Item>) -> Symbol {
        self.symbols.push(items);
        Symbol(self.symbols.len() - 1)
    }

    /// Puts another picture into this one, moved. Frames of both run side by side from the first on.
    pub fn insert(&mut self, other: Self, by: Point) {
        self.fit(by.x + other.width, by.y + other.height);
        let before = self.symbols.len();
        let renumbered = move |mut items: Vec<Item>| -> Vec<Item> {
            for item in &mut items {
                if let Shape::Copy(Symbol(place), _) = &mut item.shape {
                    *place += before;
                }
            }
            items
        };
        self.symbols
            .extend(other.symbols.into_iter().map(renumbered));
        let ground = self.placed(renumbered(other.ground), by);
        self.ground.extend(ground);
        if self.frames.len() < other.frames.len() {
            self.frames.resize(other.frames.len(), Vec::new());
        }
        for (place, items) in other.frames.into_iter().enumerate() {
            let items = self.placed(renumbered(items), by);
            self.frames[place].extend(items);
        }
        let top = self.placed(renumbered(other.top), by);
        self.top.extend(top);
    }

    /// Items as one that stands elsewhere.
    fn placed(&mut self, items: Vec<Item>, by: Point) -> Option<Item> {
        (!items.is_empty()).then(|| Item::copy(self.symbol(items), by))
    }

    /// The width of a line of text.
    pub fn text_width(text: &str, size: f64, weight: Weight) -> f64 {
        font::width(text, size, weight)
    }
}
