//! An SVG read back: what stands where, with symbols put in their places.

use std::collections::HashMap;

use roxmltree::{Document, Node};

/// A rectangle or a text on the page.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// `rect`, `text`, `circle` or `polyline`.
    pub(crate) tag: String,
    pub(crate) class: String,
    /// Upper left corner; of a text, its place; of a circle, its middle.
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) text: String,
}

/// A picture by what is always there and what each frame adds.
pub(crate) struct Picture {
    pub(crate) always: Vec<Mark>,
    pub(crate) frames: Vec<Vec<Mark>>,
}

impl Picture {
    /// Reads a picture, which must be well-formed and refer to nothing outside.
    pub(crate) fn read(svg: &str) -> Self {
        let document = Document::parse(svg).unwrap();
        for node in document.descendants() {
            for attribute in node.attributes() {
                let value = attribute.value();
                let inside = value.starts_with('#') || value.starts_with("data:image/png;base64,");
                assert!(attribute.name() != "href" || inside, "{value}");
            }
        }
        assert!(!svg.contains("url("), "a reference in the style sheet");
        check_rules(svg);
        let root = document.root_element();
        let symbols: HashMap<&str, Node<'_, '_>> = root
            .descendants()
            .filter_map(|node| Some((node.attribute("id")?, node)))
            .collect();
        let (mut always, mut frames) = (Vec::new(), Vec::new());
        for child in root.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "defs" | "style" | "title" | "desc" => {}
                "g" => {
                    let mut marks = Vec::new();
                    collect(child, &symbols, [0.0, 0.0], &mut marks);
                    frames.push(marks);
                }
                _ => collect(child, &symbols, [0.0, 0.0], &mut always),
            }
        }
        Self { always, frames }
    }
}

/// What `use` puts in its place is reached by rules of single classes alone, and each class that is used has one.
fn check_rules(svg: &str) {
    let (_, style) = svg.split_once("<style>").unwrap();
    let (style, body) = style.split_once("</style>").unwrap();
    for rule in style.split('}').filter_map(|rule| rule.rsplit('{').nth(1)) {
        let selector = rule.lines().last().unwrap_or_default();
        assert!(
            selector.starts_with('@') || !selector.contains(' '),
            "{selector}"
        );
    }
    for classes in body.split("class=\"").skip(1) {
        for class in classes.split('"').next().unwrap().split(' ') {
            assert!(
                style.contains(&format!(".{class}{{")),
                "no rule for {class}"
            );
        }
    }
}

fn collect(
    node: Node<'_, '_>,
    symbols: &HashMap<&str, Node<'_, '_>>,
    by: [f64; 2],
    marks: &mut Vec<Mark>,
) {
    let number = |name: &str| {
        node.attribute(name)
            .map_or(0.0, |value| value.parse().unwrap())
    };
    match node.tag_name().name() {
        "g" => {
            for child in node.children().filter(Node::is_element) {
                collect(child, symbols, by, marks);
            }
        }
        "use" => {
            let name = node.attribute("href").unwrap().trim_start_matches('#');
            collect(
                symbols[name],
                symbols,
                [by[0] + number("x"), by[1] + number("y")],
                marks,
            );
        }
        tag => {
            let [x, y] = if tag == "circle" {
                ["cx", "cy"]
            } else {
                ["x", "y"]
            };
            marks.push(Mark {
                tag: tag.to_owned(),
                class: node.attribute("class").unwrap_or_default().to_owned(),
                x: number(x) + by[0],
                y: number(y) + by[1],
                width: number("width"),
                text: node.text().unwrap_or_default().to_owned(),
            });
        }
    }
}

/// Cells of a colour in rows, from the upper left one on.
pub(crate) struct Cells {
    pub(crate) size: f64,
    rows: Vec<f64>,
    columns: Vec<f64>,
}

impl Cells {
    /// The cells whose class is one of these.
    pub(crate) fn of(picture: &Picture, classes: &[&str]) -> Self {
        let is_one = |mark: &&Mark| {
            let mut names = mark.class.split(' ');
            mark.tag == "rect" && names.any(|class| classes.contains(&class))
        };
        let marks: Vec<&Mark> = picture.always.iter().filter(is_one).collect();
        let distinct = |of: fn(&Mark) -> f64| {
            let mut places: Vec<f64> = marks.iter().map(|mark| of(mark)).collect();
            places.sort_by(f64::total_cmp);
            places.dedup_by(|a, b| (*a - *b).abs() < 0.5);
            places
        };
        Self {
            size: marks.first().map_or(0.0, |mark| mark.width),
            rows: distinct(|mark| mark.y),
            columns: distinct(|mark| mark.x),
        }
    }

    pub(crate) fn extents(&self) -> [usize; 2] {
        [self.rows.len(), self.columns.len()]
    }

    /// Row and column of the cell that begins at a place.
    pub(crate) fn at(&self, x: f64, y: f64) -> Option<[usize; 2]> {
        let find =
            |places: &[f64], place: f64| places.iter().position(|at| (at - place).abs() < 0.5);
        Some([find(&self.rows, y)?, find(&self.columns, x)?])
    }

    /// Row and column of the cell in whose middle a text stands.
    pub(crate) fn around(&self, text: &Mark) -> Option<[usize; 2]> {
        let inside = |places: &[f64], place: f64| {
            places
                .iter()
                .position(|&at| (at..at + self.size).contains(&place))
        };
        Some([inside(&self.rows, text.y)?, inside(&self.columns, text.x)?])
    }

    /// Texts in the cells, row by row.
    pub(crate) fn texts(&self, picture: &Picture) -> Vec<String> {
        let [rows, columns] = self.extents();
        let mut texts = vec![String::new(); rows * columns];
        for mark in picture.always.iter().filter(|mark| mark.tag == "text") {
            if let Some([row, column]) = self.around(mark) {
                texts[row * columns + column] = mark.text.clone();
            }
        }
        texts
    }
}
