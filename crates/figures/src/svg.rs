//! A scene as SVG: one file that needs nothing else.
//!
//! Text is text. Colours are classes of a style sheet inside, which a reader's preference for dark turns over. Frames are
//! groups that CSS shows in turn; where the reader prefers nothing to move, and where nothing can, one of them stands
//! still. All classes begin with `c`, so that they stay apart from those of a page that the picture stands inside; rules
//! name single classes, since no other ones reach what `use` puts in its place.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::arrow;
use crate::font::{FAMILIES, Weight};
use crate::scene::{Anchor, Item, Point, Scene, Shape};
use crate::{Paint, Theme};

/// The text of the file.
pub fn write(scene: &Scene) -> String {
    write_as(scene, format!("c{:08x}", fingerprint(scene)))
}

/// The same, with names of symbols that begin as is said: in a page with many pictures the page keeps them apart.
pub(crate) fn write_as(scene: &Scene, ids: String) -> String {
    let mut writer = Writer {
        body: String::new(),
        paints: BTreeSet::new(),
        sizes: BTreeSet::new(),
        pixels: false,
        ids,
    };
    writer.scene(scene);
    let (width, height) = (number(scene.width), number(scene.height));
    let mut file = String::new();
    let _ = write!(
        file,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"convolve\" role=\"img\" \
         viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <title>{}</title>\n<desc>{}</desc>\n<style>{}</style>\n",
        escaped(&scene.title),
        escaped(&scene.description),
        writer.style(scene),
    );
    file.push_str(&writer.body);
    file.push_str("</svg>\n");
    file
}

struct Writer {
    body: String,
    /// Paints that are used, by class.
    paints: BTreeSet<(String, [u8; 3], [u8; 3])>,
    /// Sizes of letters that are used, in tenths of a pixel.
    sizes: BTreeSet<u32>,
    /// Pixels are seen as squares.
    pixels: bool,
    /// What names of symbols begin with.
    ids: String,
}

impl Writer {
    fn scene(&mut self, scene: &Scene) {
        if !scene.symbols.is_empty() {
            self.body.push_str("<defs>\n");
            for (place, items) in scene.symbols.iter().enumerate() {
                let _ = writeln!(self.body, "<g id=\"{}-{place}\">", self.ids);
                self.items(items);
                self.body.push_str("</g>\n");
            }
            self.body.push_str("</defs>\n");
        }
        let page = Item::rectangle(crate::at(0.0, 0.0), scene.width, scene.height);
        self.item(&page.fill(Paint::Page));
        self.items(&scene.ground);
        for (place, items) in scene.frames.iter().enumerate() {
            if scene.frames.len() == 1 {
                self.items(items);
                continue;
            }
            let still = if place == scene.still { " c-still" } else { "" };
            // Negative, so that every frame is in its turn from the first moment on.
            let late = (place as f64 - scene.frames.len() as f64) * scene.seconds;
            let count = scene.frames.len();
            let _ = writeln!(
                self.body,
                "<g class=\"c-frame c-frame{count}{still}\" style=\"animation-delay:{}s\">",
                number(late)
            );
            self.items(items);
            self.body.push_str("</g>\n");
        }
        self.items(&scene.top);
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.item(item);
        }
    }

    fn item(&mut self, item: &Item) {
        let looks = self.looks(item);
        let body = &mut self.body;
        let _ = match &item.shape {
            Shape::Rectangle {
                corner,
                width,
                height,
                radius,
            } => {
                let radius = match *radius {
                    0.0 => String::new(),
                    radius => format!(" rx=\"{}\"", number(radius)),
                };
                let (x, y) = (number(corner.x), number(corner.y));
                let (width, height) = (number(*width), number(*height));
                writeln!(
                    body,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{radius}{looks}/>"
                )
            }
            Shape::Circle { centre, radius } => {
                let (x, y, r) = (number(centre.x), number(centre.y), number(*radius));
                writeln!(body, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{looks}/>")
            }
            Shape::Line(points) => {
                let points: Vec<String> = points.iter().map(|&point| pair(point)).collect();
                writeln!(body, "<polyline points=\"{}\"{looks}/>", points.join(" "))
            }
            Shape::Curve(start, pieces) => {
                let pieces: Vec<String> = pieces
                    .iter()
                    .map(|piece| format!("C{}", piece.map(pair).join(" ")))
                    .collect();
                let pieces = pieces.concat();
                writeln!(body, "<path d=\"M{}{pieces}\"{looks}/>", pair(*start))
            }
            Shape::Text { place, content, .. } => writeln!(
                body,
                "<text x=\"{}\" y=\"{}\"{looks}>{}</text>",
                number(place.x),
                number(place.y),
                escaped(content)
            ),
            Shape::Bitmap {
                corner,
                width,
                height,
                bitmap,
                smooth,
            } => {
                let (x, y) = (number(corner.x), number(corner.y));
                let (width, height) = (number(*width), number(*height));
                let pixels = if *smooth { "" } else { " class=\"c-pixels\"" };
                self.pixels |= !smooth;
                let uri = bitmap.uri();
                writeln!(
                    body,
                    "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
                     preserveAspectRatio=\"none\"{pixels} href=\"{uri}\"/>"
                )
            }
            Shape::Copy(symbol, by) => {
                let place = match (by.x, by.y) {
                    (0.0, 0.0) => String::new(),
                    (x, y) => format!(" x=\"{}\" y=\"{}\"", number(x), number(y)),
                };
                writeln!(body, "<use href=\"#{}-{}\"{place}/>", self.ids, symbol.0)
            }
        };
        if let (true, Some(stroke), Some(tip)) = (item.arrow, item.stroke, arrow::tip(&item.shape))
        {
            let looks = self.looks(&Item::line(tip).fill(stroke.paint));
            let points = tip.map(pair).join(" ");
            let _ = writeln!(self.body, "<polygon points=\"{points}\"{looks}/>");
        }
    }

    /// Classes and attributes of an item.
    fn looks(&mut self, item: &Item) -> String {
        let (mut classes, mut attributes) = (Vec::new(), String::new());
        if let Shape::Text {
            size,
            anchor,
            weight,
            ..
        } = &item.shape
        {
            let tenths = (size * 10.0).round() as u32;
            self.sizes.insert(tenths);
            classes.push(format!("ct{tenths}"));
            match anchor {
                Anchor::Start => {}
                Anchor::Middle => classes.push("c-mid".to_owned()),
                Anchor::End => classes.push("c-end".to_owned()),
            }
            if *weight == Weight::Bold {
                classes.push("c-bold".to_owned());
            }
        }
        let painted = matches!(item.shape, Shape::Copy(..) | Shape::Bitmap { .. });
        match item.fill {
            Some(paint) => match self.class(paint) {
                Some(class) => classes.push(format!("cf-{class}")),
                None => attributes = format!("{attributes} fill=\"{}\"", hex(paint)),
            },
            None if painted => {}
            None => classes.push("c-none".to_owned()),
        }
        if item.opacity < 1.0 {
            let _ = write!(attributes, " fill-opacity=\"{}\"", number(item.opacity));
        }
        if let Some(stroke) = item.stroke {
            match self.class(stroke.paint) {
                Some(class) => classes.push(format!("cs-{class}")),
                None => attributes = format!("{attributes} stroke=\"{}\"", hex(stroke.paint)),
            }
            if stroke.width != 1.0 {
                let _ = write!(attributes, " stroke-width=\"{}\"", number(stroke.width));
            }
            if stroke.dashed {
                classes.push("c-dash".to_owned());
            }
        }
        match classes.is_empty() {
            true => attributes,
            false => format!(" class=\"{}\"{attributes}", classes.join(" ")),
        }
    }

    fn class(&mut self, paint: Paint) -> Option<String> {
        let class = paint.class()?;
        let colours = [Theme::Light, Theme::Dark].map(|theme| paint.on(theme).0);
        self.paints.insert((class.clone(), colours[0], colours[1]));
        Some(class)
    }

    fn style(&self, scene: &Scene) -> String {
        let mut style =
            "\n.c-mid{text-anchor:middle}.c-end{text-anchor:end}.c-bold{font-weight:700}\
             .c-none{fill:none}.c-dash{stroke-dasharray:3 2}\n"
                .to_owned();
        if self.pixels {
            style.push_str(".c-pixels{image-rendering:pixelated}\n");
        }
        for tenths in &self.sizes {
            let size = number(f64::from(*tenths) / 10.0);
            let _ = writeln!(
                style,
                ".ct{tenths}{{font-family:{FAMILIES};font-size:{size}px;white-space:pre}}"
            );
        }
        let rules = |style: &mut String, dark: bool| {
            for (class, light_colour, dark_colour) in &self.paints {
                let [r, g, b] = if dark { dark_colour } else { light_colour };
                let _ = writeln!(
                    style,
                    ".cf-{class}{{fill:#{r:02x}{g:02x}{b:02x}}}.cs-{class}{{stroke:#{r:02x}{g:02x}{b:02x}}}"
                );
            }
        };
        rules(&mut style, false);
        style.push_str("@media (prefers-color-scheme:dark){\n");
        rules(&mut style, true);
        style.push_str("}\n");
        let count = scene.frames.len();
        if count > 1 {
            let (round, share) = (number(count as f64 * scene.seconds), 100.0 / count as f64);
            let _ = writeln!(
                style,
                "@keyframes convolve-{count}{{0%{{visibility:visible}}{share:.4}%,100%{{visibility:hidden}}}}\n\
                 .c-frame{{visibility:hidden}}.c-still{{visibility:visible}}\n\
                 .c-frame{count}{{animation:convolve-{count} {round}s step-end infinite}}\n\
                 @media (prefers-reduced-motion:reduce){{.c-frame{count}{{animation:none}}}}"
            );
        }
        style
    }
}

fn hex(paint: Paint) -> String {
    let [r, g, b] = paint.on(Theme::Light).0;
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn pair(point: Point) -> String {
    format!("{},{}", number(point.x), number(point.y))
}

/// Two decimals at most, and none that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// Text as XML has it. Characters that XML has no place for are left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character < ' ' => {}
            character => escaped.push(character),
        }
    }
    escaped
}

/// A number that differs between pictures (FNV-1a), so that two of them in one page keep their symbols apart.
fn fingerprint(scene: &Scene) -> u32 {
    let extent = format!("{}×{}", scene.width, scene.height);
    let texts = [&scene.title, &scene.description, &extent];
    let bytes = texts.into_iter().flat_map(|text| text.bytes());
    bytes.fold(0x811c_9dc5, |hash: u32, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
