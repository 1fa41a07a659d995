//! Small pictures of one width that stand together on a board or a page: a map with its scale, a grid of small maps.

use std::ops::Range;

use crate::bitmap::Bitmap;
use crate::colormap::Scale;
use crate::font::{self, Weight};
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::{Paint, Rgb};

/// The width of every panel.
pub const WIDTH: f64 = 280.0;

/// Room for the numbers of rows.
const LEFT: f64 = 30.0;
/// The tallest image.
const TALL: f64 = 250.0;
/// Letters of axes.
const TICK: f64 = 9.5;

/// A picture with its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// A short name.
    pub title: String,
    /// What there is to say of it.
    pub caption: String,
    /// The picture, of [`WIDTH`].
    pub scene: Scene,
    /// It says more of the panel before it, and stands beside that.
    pub follows: bool,
}

impl Panel {
    /// A picture with its words, which those get too who cannot see it.
    pub fn new(title: impl Into<String>, caption: impl Into<String>, mut scene: Scene) -> Self {
        let (title, caption) = (title.into(), caption.into());
        scene.title.clone_from(&title);
        scene.description.clone_from(&caption);
        scene.fit(WIDTH, 0.0);
        Self {
            title,
            caption,
            scene,
            follows: false,
        }
    }

    /// Says that it belongs to the panel before it: both stand in one row where a row holds them.
    pub fn following(mut self) -> Self {
        self.follows = true;
        self
    }
}

/// What the colours of a panel stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Legend {
    /// The colours.
    pub scale: Scale,
    /// What is measured, with its unit.
    pub unit: String,
}

impl Legend {
    /// A scale and what it measures.
    pub fn new(scale: Scale, unit: impl Into<String>) -> Self {
        let unit = unit.into();
        Self { scale, unit }
    }

    /// The bar with its numbers, and what they are; gives where the next thing may stand.
    fn draw(&self, scene: &mut Scene, left: f64, top: f64) -> f64 {
        // The numbers at the ends are wider than the bar.
        let (left, width) = (left.max(18.0), WIDTH - left.max(18.0) - 18.0);
        scene.ground.extend(self.scale.bar(at(left, top), width));
        if self.unit.is_empty() {
            return top + 26.0;
        }
        let place = at(left + width / 2.0, top + 36.0);
        let text = Item::text(place, &self.unit, TICK, Anchor::Middle);
        scene.ground.push(text.fill(Paint::Muted));
        top + 40.0
    }
}

/// One image over rows and columns.
///
/// ```
/// use figures::Bitmap;
/// use figures::panel::{Image, WIDTH};
///
/// let photo = Bitmap::new(2, 2, &[90; 12])?;
/// let scene = Image::new(&photo, [224, 224]).smooth().scene(None);
/// assert_eq!(scene.width, WIDTH);
/// # Ok::<(), figures::FigureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Image<'a> {
    bitmap: &'a Bitmap,
    extents: [usize; 2],
    counted: &'a str,
    smooth: bool,
    frames: Vec<[Range<usize>; 2]>,
}

impl<'a> Image<'a> {
    /// An image whose axes count `extents` rows and columns of pixels, whatever the bitmap has.
    pub fn new(bitmap: &'a Bitmap, extents: [usize; 2]) -> Self {
        Self {
            bitmap,
            extents: extents.map(|extent| extent.max(1)),
            counted: "pixels",
            smooth: false,
            frames: Vec::new(),
        }
    }

    /// Says what the axes count instead of pixels.
    pub fn counting(mut self, counted: &'a str) -> Self {
        self.counted = counted;
        self
    }

    /// Lets pixels flow into one another, as those of a photo do.
    pub fn smooth(mut self) -> Self {
        self.smooth = true;
        self
    }

    /// Puts a frame around some rows and columns.
    pub fn framed(mut self, region: [Range<usize>; 2]) -> Self {
        self.frames.push(region);
        self
    }

    /// The picture, with the colours it is drawn in.
    pub fn scene(&self, legend: Option<&Legend>) -> Scene {
        let (mut scene, mut bottom) = self.draw();
        if let Some(legend) = legend {
            bottom = legend.draw(&mut scene, LEFT, bottom + 4.0);
        }
        scene.fit(WIDTH, bottom);
        scene
    }

    /// The picture of what has no order, such as classes: each colour with what it stands for.
    pub fn keyed(&self, key: &[(Rgb, String)]) -> Scene {
        const STEP: f64 = 15.0;
        let (mut scene, bottom) = self.draw();
        for (place, (colour, name)) in key.iter().enumerate() {
            let corner = at(LEFT, bottom + 4.0 + place as f64 * STEP);
            let swatch = Item::rounded(corner, 10.0, 10.0, 2.0).fill(Paint::Value(*colour));
            scene.ground.push(swatch.stroke(Paint::Rule, 1.0));
            let text = Item::text(corner.moved(16.0, 9.0), name, 10.0, Anchor::Start);
            scene.ground.push(text);
        }
        scene.fit(WIDTH, bottom + 4.0 + key.len() as f64 * STEP);
        scene
    }

    /// The image with its axes, and where they end.
    fn draw(&self) -> (Scene, f64) {
        let mut scene = Scene::new("", "");
        let [rows, columns] = self.extents;
        let most = WIDTH - LEFT;
        // Long and thin ones are stretched rather than lost.
        let ratio = (rows as f64 / columns as f64).clamp(0.05, 20.0);
        let (width, height) = match most * ratio > TALL {
            true => (TALL / ratio, TALL),
            false => (most, most * ratio),
        };
        let corner = at(LEFT + (most - width) / 2.0, 1.0);
        let image = place(self.bitmap, corner, width, height, self.smooth);
        scene.ground.push(image);
        let frame = Item::rectangle(corner, width, height);
        scene.ground.push(frame.stroke(Paint::Rule, 1.0));
        for [down, across] in &self.frames {
            let (step_y, step_x) = (height / rows as f64, width / columns as f64);
            let inner = corner.moved(across.start as f64 * step_x, down.start as f64 * step_y);
            let frame = Item::rectangle(
                inner,
                across.len() as f64 * step_x,
                down.len() as f64 * step_y,
            );
            // White and black in turn, one of which is seen on any colour.
            let white = frame.clone().stroke(Paint::Value(Rgb([255; 3])), 2.0);
            let black = frame.stroke(Paint::Value(Rgb([0; 3])), 2.0).dashed();
            scene.ground.extend([white, black]);
        }
        let mut tick = |x: f64, y: f64, text: String, anchor| {
            let item = Item::text(corner.moved(x, y), text, TICK, anchor);
            scene.ground.push(item.fill(Paint::Muted));
        };
        // Where the first and the last number would run into each other they are one text.
        let ends = |extent: usize| match extent {
            1 => "0".to_owned(),
            _ => format!("0–{}", extent - 1),
        };
        let first = || "0".to_owned();
        match height < 2.0 * TICK {
            true => tick(-4.0, height / 2.0 + TICK * 0.36, ends(rows), Anchor::End),
            false => {
                tick(-4.0, 9.0, first(), Anchor::End);
                tick(-4.0, height, (rows - 1).to_string(), Anchor::End);
            }
        }
        let wide = |text: &str| font::width(text, TICK, Weight::Regular);
        let (last, below) = ((columns - 1).to_string(), height + 12.0);
        let beside = wide(&last) + 4.0;
        match width < wide("0") + beside {
            true => tick(width / 2.0, below, ends(columns), Anchor::Middle),
            false => {
                tick(0.0, below, first(), Anchor::Start);
                tick(width, below, last, Anchor::End);
            }
        }
        if width > wide(self.counted) + 2.0 * beside {
            let counted = self.counted.to_owned();
            tick(width / 2.0, below, counted, Anchor::Middle);
        }
        (scene, corner.y + height + 18.0)
    }
}

/// One of many small images.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// What stands below it.
    pub label: String,
    /// Its pixels.
    pub bitmap: Bitmap,
}

/// Small images in rows of `columns`, in colours of one legend. Of long and thin ones a row has fewer or more, so that
/// none becomes a hair.
pub fn tiles(tiles: &[Tile], columns: usize, smooth: bool, legend: Option<&Legend>) -> Scene {
    const BETWEEN: f64 = 6.0;
    /// The narrowest tile under which a label can be read.
    const NARROW: f64 = 24.0;
    /// The tallest, in widths.
    const TALLEST: f64 = 4.0;
    let mut scene = Scene::new("", "");
    let tallest = tiles
        .iter()
        .map(|tile| tile.bitmap.height() as f64 / tile.bitmap.width() as f64)
        .fold(0.0, f64::max);
    let columns = match tallest {
        // Twice as long as wide is not thin yet.
        0.5..=2.0 => columns.max(1),
        _ => {
            let most = (WIDTH + BETWEEN) / (NARROW + BETWEEN);
            let most = most.max(columns as f64).floor().max(1.0);
            (columns as f64 * tallest.sqrt()).round().clamp(1.0, most) as usize
        }
    };
    let side = (WIDTH - BETWEEN * (columns - 1) as f64) / columns as f64;
    let labelled = tiles.iter().any(|tile| !tile.label.is_empty());
    let size = tiles
        .iter()
        .map(|tile| font::width(&tile.label, 1.0, Weight::Regular))
        .fold(0.0, f64::max);
    let size = (side / size.max(0.1)).min(TICK);
    let high = side * tallest.min(TALLEST);
    let step = high + if labelled { size + 7.0 } else { BETWEEN };
    for (number, tile) in tiles.iter().enumerate() {
        let (row, column) = (number / columns, number % columns);
        let corner = at(column as f64 * (side + BETWEEN), row as f64 * step);
        // Images keep their form.
        let (height, width) = (tile.bitmap.height() as f64, tile.bitmap.width() as f64);
        let shrink = (side / width).min(high / height);
        let (width, height) = (width * shrink, height * shrink);
        let inner = corner.moved((side - width) / 2.0, (high - height) / 2.0);
        scene
            .ground
            .push(place(&tile.bitmap, inner, width, height, smooth));
        let base = corner.moved(side / 2.0, high + size + 1.0);
        let label = Item::text(base, &tile.label, size, Anchor::Middle);
        if !tile.label.is_empty() {
            scene.ground.push(label.fill(Paint::Muted));
        }
    }
    let mut bottom = tiles.len().div_ceil(columns) as f64 * step;
    if let Some(legend) = legend {
        bottom = legend.draw(&mut scene, 0.0, bottom + 4.0);
    }
    scene.fit(WIDTH, bottom);
    scene
}

fn place(bitmap: &Bitmap, corner: Point, width: f64, height: f64, smooth: bool) -> Item {
    let item = Item::bitmap(corner, width, height, bitmap.clone());
    if smooth { item.smooth() } else { item }
}
